//! Decodes the bytes of a document into text, even if the document declares a wrong encoding.
//!
//! The encoding is looked for in the order of RFC 7303 §3: the byte order mark, the charset of HTTP's `Content-Type`,
//! the XML declaration. The first declared encoding in which the bytes are valid is used. Valid UTF-8 with characters
//! outside ASCII is UTF-8, even if a single-byte encoding is declared. UTF-8 with some bad bytes stays UTF-8 (see
//! `utf8`). If the bytes are valid in no declared encoding, the first declared one is used nevertheless. But if that is
//! UTF-8 or windows-1252, or none is declared, the crate chardetng guesses the encoding. Bytes that cannot be decoded
//! become U+FFFD. Decoding never fails, and takes time linear in the size.
//!
//! The supported encodings are those of browsers (the WHATWG Encoding Standard) and UTF-32. If a document declares
//! another code page of DOS or the Macintosh, its encoding is guessed from the bytes, and a repair is reported. Letters
//! outside ASCII may then be wrong, but the feed is readable. EBCDIC is not supported, because no feed is published in
//! it.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::repairs::Repairs;
use super::utf8::{self, Evidence};
use crate::feed::RepairKind;

/// How far into a document to search for the XML declaration: comments and junk may precede it.
const DECLARATION_WITHIN_BYTES: usize = 4096;

/// Text of another encoding that is valid UTF-8 by chance has fewer characters outside ASCII than this.
const SURELY_UTF8_CHARS: usize = 8;

/// A document that declares UTF-8 is taken as UTF-8 if it has at most this many bad bytes per character outside ASCII.
/// Text of other encodings has many more.
const MOST_BAD_BYTES: usize = 2;
/// A document that declares a multi-byte encoding is nevertheless UTF-8 if it has at least this many characters outside
/// ASCII per bad byte.
const LEAST_GOOD_CHARS: usize = 10;

/// The text of a document, without byte order mark.
pub(super) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// The name of the encoding that was used, such as `UTF-8`.
    pub encoding: String,
}

/// Decodes a document. `content_type` is the value of the HTTP header.
pub(super) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, repairs: &mut Repairs) -> Decoded<'a> {
    if let Some(decoded) = wide(bytes, repairs) {
        return decoded;
    }
    let (bytes, marked) = match bytes.strip_prefix(b"\xEF\xBB\xBF") {
        Some(rest) => (rest, Some(UTF_8)),
        None => (bytes, None),
    };
    let labels = [content_type.and_then(http_charset), declaration(bytes)];
    let [http, xml] = labels.map(|label| label.and_then(|label| encoding_of(&label, repairs)));
    let declared = [marked, http, xml];
    if let Ok(text) = std::str::from_utf8(bytes) {
        return decode_valid_utf8(text, &declared, repairs);
    }
    if is_broken_utf8(bytes, &declared) {
        return decode_broken_utf8(bytes, declared.iter().flatten().next().copied(), repairs);
    }
    for encoding in declared.iter().flatten() {
        if let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            if declared.iter().flatten().next() != Some(encoding) {
                repairs.note(RepairKind::WrongEncoding);
            }
            return Decoded { text, encoding: encoding.name().to_owned() };
        }
    }
    detect(bytes, declared.iter().flatten().next().copied(), repairs)
}

/// Decodes bytes that are valid UTF-8. They are decoded as UTF-8, unless the document declares another encoding that is
/// likelier and in which they are valid too. A multi-byte encoding is likelier if the text has few characters outside
/// ASCII. An encoding that writes other letters with ASCII bytes (ISO-2022-JP) is always likelier.
fn decode_valid_utf8<'a>(text: &'a str, declared: &[Option<&'static Encoding>], repairs: &mut Repairs) -> Decoded<'a> {
    let first = declared.iter().flatten().next().copied();
    let beyond_ascii = || text.bytes().filter(|&byte| begins_beyond_ascii(byte)).take(SURELY_UTF8_CHARS).count();
    let may_be_chance = || (1..SURELY_UTF8_CHARS).contains(&beyond_ascii());
    let other = first.filter(|&encoding| encoding != UTF_8 && !encoding.is_single_byte() && may_be_chance());
    if let Some(encoding) = other.or(first.filter(|encoding| !encoding.is_ascii_compatible()))
        && let Some(text) = encoding.decode_without_bom_handling_and_without_replacement(text.as_bytes())
        && text.contains('<')
    {
        return Decoded { text, encoding: encoding.name().to_owned() };
    }
    if first.is_some_and(|encoding| encoding != UTF_8) && !text.is_ascii() {
        repairs.note(RepairKind::WrongEncoding);
    }
    let encoding = first.filter(|_| text.is_ascii()).unwrap_or(UTF_8);
    Decoded { text: Cow::Borrowed(text), encoding: encoding.name().to_owned() }
}

/// Returns whether bytes that are not valid UTF-8 are UTF-8 with errors.
fn is_broken_utf8(bytes: &[u8], declared: &[Option<&'static Encoding>]) -> bool {
    let mut declared = declared.iter().flatten().peekable();
    let is_other = declared.peek().is_some_and(|first| !first.is_single_byte() && **first != UTF_8);
    let declares_utf8 = declared.any(|encoding| *encoding == UTF_8);
    let Evidence { good, bad } = utf8::evidence(bytes);
    if is_other {
        good >= SURELY_UTF8_CHARS && good >= bad * LEAST_GOOD_CHARS
    } else if declares_utf8 {
        good > 0 && bad <= good * MOST_BAD_BYTES
    } else {
        good > bad
    }
}

fn decode_broken_utf8<'a>(bytes: &[u8], declared: Option<&'static Encoding>, repairs: &mut Repairs) -> Decoded<'a> {
    let repaired = utf8::repaired(bytes);
    let noted = [
        (declared.is_some_and(|declared| declared != UTF_8), RepairKind::WrongEncoding),
        (repaired.has_replaced, RepairKind::BadBytes),
        (repaired.has_joined, RepairKind::SplitCharacters),
    ];
    noted.into_iter().filter(|(is_met, _)| *is_met).for_each(|(_, repair)| repairs.note(repair));
    Decoded { text: Cow::Owned(repaired.text), encoding: UTF_8.name().to_owned() }
}

/// Returns whether a character outside ASCII begins with this byte in UTF-8.
fn begins_beyond_ascii(byte: u8) -> bool {
    byte >= 0xC0
}

/// Decodes UTF-16 and UTF-32. They are recognised by the byte order mark, or by the zero bytes around the first
/// character.
fn wide<'a>(bytes: &'a [u8], repairs: &mut Repairs) -> Option<Decoded<'a>> {
    let (name, skip, unit, big_endian) = match bytes {
        [0, 0, 0xFE, 0xFF, ..] => ("UTF-32BE", 4, 4, true),
        [0xFF, 0xFE, 0, 0, ..] => ("UTF-32LE", 4, 4, false),
        [0xFE, 0xFF, ..] => ("UTF-16BE", 2, 2, true),
        [0xFF, 0xFE, ..] => ("UTF-16LE", 2, 2, false),
        [0, 0, 0, b'<' | b'{' | b'\n' | b' ', ..] => ("UTF-32BE", 0, 4, true),
        [b'<' | b'{' | b'\n' | b' ', 0, 0, 0, ..] => ("UTF-32LE", 0, 4, false),
        [0, b'<' | b'{' | b'\n' | b' ', 0, ..] => ("UTF-16BE", 0, 2, true),
        [b'<' | b'{' | b'\n' | b' ', 0, _, 0, ..] => ("UTF-16LE", 0, 2, false),
        _ => return None,
    };
    let bytes = &bytes[skip..];
    let (text, replaced) = match (unit, big_endian) {
        (4, _) => decode_utf32(bytes, big_endian),
        (_, true) => UTF_16BE.decode_without_bom_handling(bytes),
        (_, false) => UTF_16LE.decode_without_bom_handling(bytes),
    };
    if replaced {
        repairs.note(RepairKind::BadBytes);
    }
    Some(Decoded { text, encoding: name.to_owned() })
}

fn decode_utf32(bytes: &[u8], big_endian: bool) -> (Cow<'_, str>, bool) {
    let number = if big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
    let (units, rest) = bytes.as_chunks::<4>();
    let mut replaced = !rest.is_empty();
    let text = units.iter().map(|&unit| {
        char::from_u32(number(unit)).unwrap_or_else(|| {
            replaced = true;
            char::REPLACEMENT_CHARACTER
        })
    });
    (Cow::Owned(text.collect()), replaced)
}

/// Decodes bytes that are invalid in every declared encoding.
fn detect<'a>(bytes: &'a [u8], declared: Option<&'static Encoding>, repairs: &mut Repairs) -> Decoded<'a> {
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(bytes, true);
    let encoding = match declared {
        // Any other declared encoding is still the best guess. Probably only a few bytes are invalid in it.
        Some(encoding) if encoding != UTF_8 && encoding != WINDOWS_1252 => encoding,
        _ => detector.guess(None, Utf8Detection::Allow),
    };
    if declared.is_some_and(|declared| declared != encoding) {
        repairs.note(RepairKind::WrongEncoding);
    }
    let (text, replaced) = encoding.decode_without_bom_handling(bytes);
    if replaced {
        repairs.note(RepairKind::BadBytes);
    }
    Decoded { text, encoding: encoding.name().to_owned() }
}

fn http_charset(content_type: &str) -> Option<String> {
    let lower = content_type.to_ascii_lowercase();
    let (_, value) = lower.split_once("charset")?;
    let label = value.trim_start().strip_prefix('=')?.split([';', ',']).next()?;
    Some(label.trim_matches([' ', '"', '\'', '\t']).to_owned())
}

/// Returns the `encoding` of an XML declaration, which may be anywhere near the start of the document.
fn declaration(bytes: &[u8]) -> Option<String> {
    let start = &bytes[..bytes.len().min(DECLARATION_WITHIN_BYTES)];
    let text = String::from_utf8_lossy(start);
    let (_, rest) = text.split_once("<?xml")?;
    let (declaration, _) = rest.split_once('>')?;
    let (_, value) = declaration.split_once("encoding")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    value.trim_start_matches(['"', '\'']).split(['"', '\'', ' ', '?']).next().map(str::to_owned)
}

/// Returns the encoding that a label names. The label was found by reading single bytes, so the document is not in
/// UTF-16. A label that names UTF-16 is therefore read as UTF-8.
fn encoding_of(label: &str, repairs: &mut Repairs) -> Option<&'static Encoding> {
    let Some(encoding) = Encoding::for_label(label.as_bytes()) else {
        repairs.note_value(RepairKind::UnknownEncoding, label);
        return None;
    };
    Some(if encoding == UTF_16BE || encoding == UTF_16LE { UTF_8 } else { encoding })
}
