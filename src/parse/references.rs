//! Resolves character and entity references, as far as they make sense.
//!
//! These are resolved: the five names of XML, numbers, the entities that the document declares (if `entities` accepts
//! them), and the names of HTML, which feeds use without declaring them. Everything else stays as written. This module
//! also removes control characters, which XML forbids.

use std::borrow::Cow;

use encoding_rs::WINDOWS_1252;
use memchr::memchr;

use super::repairs::Repairs;
use super::utf8;
use crate::feed::RepairKind;

/// No reference is longer. The longest name is `&CounterClockwiseContourIntegral;`, and numbers are shorter.
const MAX_REFERENCE_BYTES: usize = 40;

/// The most frequent of the names that HTML recognises even without a semicolon.
const COMMON: [(&str, char); 7] =
    [("amp", '&'), ("nbsp", '\u{a0}'), ("lt", '<'), ("gt", '>'), ("quot", '"'), ("copy", '©'), ("reg", '®')];

/// Returns the text with its references resolved. `own` appends the text of an entity that the document declares, and
/// returns whether it did so.
pub(super) fn resolve<'a>(
    text: &'a str,
    mut own: impl FnMut(&str, &mut String) -> bool,
    repairs: &mut Repairs,
) -> Cow<'a, str> {
    let Some(first) = memchr(b'&', text.as_bytes()) else { return Cow::Borrowed(text) };
    let mut resolved = String::with_capacity(text.len());
    resolved.push_str(&text[..first]);
    let mut rest = &text[first..];
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = reference(rest, &mut resolved, &mut own, repairs);
        rest = &rest[length..];
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

/// Appends what the reference at the start of `rest` means, and returns its length in bytes. If there is no reference,
/// appends the `&` and returns 1.
fn reference(
    rest: &str,
    resolved: &mut String,
    mut own: impl FnMut(&str, &mut String) -> bool,
    repairs: &mut Repairs,
) -> usize {
    let window = rest.len().min(MAX_REFERENCE_BYTES);
    let name = rest.as_bytes()[1..window].iter().position(|&byte| byte == b';').map(|length| &rest[1..1 + length]);
    let Some(name) = name else { return bare(resolved, repairs) };
    let whole = 1 + name.len() + 1;
    match name {
        "amp" => resolved.push('&'),
        "lt" => resolved.push('<'),
        "gt" => resolved.push('>'),
        "quot" => resolved.push('"'),
        "apos" => resolved.push('\''),
        _ => match name.strip_prefix('#') {
            Some(number) if let Some((character, second)) = split_character(number, &rest[whole..]) => {
                repairs.note(RepairKind::BadReferences);
                resolved.push(character);
                return whole + second;
            }
            Some(number) => match numbered(number, repairs) {
                Some(character) => resolved.extend(character),
                None => return bare(resolved, repairs),
            },
            None if own(name, resolved) => {}
            None => match named(&rest[..whole]) {
                Some(text) => {
                    repairs.note(RepairKind::NamedEntities);
                    resolved.push_str(&text);
                }
                None => return bare(resolved, repairs),
            },
        },
    }
    whole
}

/// Returns the character of a surrogate pair that was written as two references. `number` is the number in the first
/// reference. The second reference is at the start of `after`; its length in bytes is returned too. Returns `None` if
/// the two are not a pair.
fn split_character(number: &str, after: &str) -> Option<(char, usize)> {
    let high = code(number).filter(|value| matches!(value, 0xD800..=0xDBFF))?;
    let after = after.strip_prefix("&#")?;
    let second = &after[..after.bytes().take(MAX_REFERENCE_BYTES).position(|byte| byte == b';')?];
    let low = code(second).filter(|value| matches!(value, 0xDC00..=0xDFFF))?;
    Some((utf8::joined(high, low), "&#;".len() + second.len()))
}

fn bare(resolved: &mut String, repairs: &mut Repairs) -> usize {
    repairs.note(RepairKind::BareMarkup);
    resolved.push('&');
    1
}

/// Returns the character of a numeric reference. Returns `None` if there is no number. Returns `Some(None)` if XML
/// forbids the character, so that it must be left out.
fn numbered(number: &str, repairs: &mut Repairs) -> Option<Option<char>> {
    let value = code(number)?;
    let character = character(value);
    if character.is_none() || matches!(value, 0x80..=0x9F | 0xD800..=0xDFFF) || number.starts_with('X') {
        repairs.note(RepairKind::BadReferences);
    }
    Some(character)
}

fn code(number: &str) -> Option<u32> {
    let hex = number.strip_prefix(['x', 'X']);
    hex.map_or_else(|| number.parse(), |digits| u32::from_str_radix(digits, 16)).ok()
}

/// Returns the character with a number, unless XML forbids it. The numbers 128 to 159 are control characters, which are
/// never meant; as in HTML, they are read as windows-1252. Half of a surrogate pair becomes U+FFFD.
fn character(value: u32) -> Option<char> {
    match (u8::try_from(value), char::from_u32(value)) {
        (_, None) if matches!(value, 0xD800..=0xDFFF) => Some(char::REPLACEMENT_CHARACTER),
        (Ok(byte @ 0x80..=0x9F), _) => WINDOWS_1252.decode_without_bom_handling(&[byte]).0.chars().next(),
        (_, character) => character.filter(|&character| is_allowed_in_xml(character)),
    }
}

/// Resolves the references in HTML, including those without a semicolon that browsers accept.
pub(crate) fn resolve_html(html: &str) -> Cow<'_, str> {
    let Some(first) = memchr(b'&', html.as_bytes()) else { return Cow::Borrowed(html) };
    let mut resolved = String::with_capacity(html.len());
    resolved.push_str(&html[..first]);
    let mut rest = &html[first..];
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        resolved.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = html_reference(rest, &mut resolved).unwrap_or_else(|| {
            resolved.push('&');
            1
        });
        rest = &rest[length..];
    }
    resolved.push_str(rest);
    Cow::Owned(resolved)
}

/// Appends what the reference at the start of `rest` means, and returns its length in bytes. Returns `None` if there is
/// no reference.
fn html_reference(rest: &str, resolved: &mut String) -> Option<usize> {
    let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'#';
    let length = rest.as_bytes()[1..].iter().take(MAX_REFERENCE_BYTES).take_while(|byte| is_in_name(byte)).count();
    let name = &rest[1..1 + length];
    let with_semicolon = usize::from(rest[1 + length..].starts_with(';'));
    let whole = 1 + length + with_semicolon;
    if let Some((_, character)) = COMMON.iter().find(|(known, _)| name == *known) {
        resolved.push(*character);
        return Some(whole);
    }
    if with_semicolon == 0 {
        return None;
    }
    match name.strip_prefix('#') {
        Some(number) if let Some((character, second)) = split_character(number, &rest[whole..]) => {
            resolved.push(character);
            return Some(whole + second);
        }
        Some(number) => resolved.extend(character(code(number)?)),
        None => resolved.push_str(&named(&rest[..whole])?),
    }
    Some(whole)
}

/// Returns what a reference means in XML and HTML, whatever the document declares. `name` is without `&` and `;`.
/// Returns `None` if neither has such a reference.
pub(super) fn plain(name: &str) -> Option<Cow<'static, str>> {
    match name.strip_prefix('#') {
        Some(number) => character(code(number)?).map(|character| Cow::Owned(character.to_string())),
        None if name == "apos" => Some(Cow::Borrowed("'")),
        None => named(&format!("&{name};")).map(Cow::Owned),
    }
}

fn named(reference: &str) -> Option<String> {
    let decoded = html_escape::decode_html_entities(reference);
    (decoded != reference).then(|| decoded.into_owned())
}

/// Returns the text without the characters that XML 1.0 §2.2 forbids.
pub(super) fn without_control_characters<'a>(text: Cow<'a, str>, repairs: &mut Repairs) -> Cow<'a, str> {
    let suspicious = |byte: u8| byte < 0x20 && !matches!(byte, b'\t' | b'\n' | b'\r') || byte == 0xEF || byte == 0x7F;
    // The text is checked in chunks, so that the compiler can vectorise the check.
    let is_suspicious = |chunk: &[u8]| chunk.iter().fold(false, |found, &byte| found | suspicious(byte));
    if !text.as_bytes().chunks(64).any(is_suspicious) || text.chars().all(is_allowed_in_xml) {
        return text;
    }
    repairs.note(RepairKind::ControlCharacters);
    Cow::Owned(text.chars().filter(|&character| is_allowed_in_xml(character)).collect())
}

fn is_allowed_in_xml(character: char) -> bool {
    !matches!(character, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}
