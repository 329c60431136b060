//! Parses a person written as one string: `a@example.org (A. Name)`, `A. Name <a@example.org>`, only a name, or only an
//! address.

use super::model::ParsedPerson;
use super::references;

const MAILTO: &str = "mailto:";

/// Returns the e-mail address if the whole text is one, perhaps as a `mailto:` URL. Otherwise returns `None`.
pub(super) fn email(text: &str) -> Option<String> {
    let text = references::resolve_html(text.trim());
    let scheme = text.get(..MAILTO.len()).filter(|start| start.eq_ignore_ascii_case(MAILTO)).unwrap_or_default();
    let address = text[scheme.len()..].split('?').next().unwrap_or_default();
    (address_in(address) == Some((0, address.len()))).then(|| address.to_owned())
}

/// Separates name and e-mail address. Returns `None` if there is neither.
pub(super) fn parse(text: &str) -> Option<ParsedPerson> {
    let text = &*references::resolve_html(text.trim());
    let Some((start, end)) = address_in(text) else {
        return (!text.is_empty()).then(|| ParsedPerson { name: Some(text.to_owned()), ..ParsedPerson::default() });
    };
    let before = text[..start].strip_suffix("mailto:").unwrap_or(&text[..start]);
    let (before, after) = (bare_name(before), bare_name(&text[end..]));
    let name = match (before.is_empty(), after.is_empty()) {
        (true, true) => None,
        (true, false) => Some(after.to_owned()),
        (false, true) => Some(before.to_owned()),
        (false, false) => Some(format!("{before} {after}")),
    };
    Some(ParsedPerson { name, email: Some(text[start..end].to_owned()), url: None })
}

/// Returns where the first e-mail address in the text begins and ends. Only ASCII bytes are compared, so both positions
/// are boundaries of characters. Returns `None` if there is no address.
fn address_in(text: &str) -> Option<(usize, usize)> {
    let bytes = text.as_bytes();
    for (at, _) in text.match_indices('@') {
        let start = at - bytes[..at].iter().rev().take_while(|&&byte| is_of_local_part(byte)).count();
        let host =
            bytes[at + 1..].iter().take_while(|&&byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)).count();
        let end = at + 1 + text[at + 1..at + 1 + host].trim_end_matches(['.', '-']).len();
        let host = &text[at + 1..end];
        let last_label = host.rsplit('.').next().unwrap_or_default();
        if start < at
            && host.contains('.')
            && last_label.len() >= 2
            && !last_label.bytes().all(|byte| byte.is_ascii_digit())
        {
            return Some((start, end));
        }
    }
    None
}

fn is_of_local_part(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._%+-".contains(&byte)
}

/// Returns a name without the brackets, quotes and separators around it.
fn bare_name(text: &str) -> &str {
    const AROUND: &[char] =
        &['(', ')', '<', '>', '[', ']', '"', '\'', ',', ';', ':', '（', '）', '«', '»', '-', '–', '|'];
    text.trim_matches(|character: char| character.is_whitespace() || AROUND.contains(&character))
}
