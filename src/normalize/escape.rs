//! Escapes the special characters of HTML, and hides them while the sanitizer processes a text.
//!
//! The sanitizer's writer (`write_escaped` of html5ever 0.40) searches the whole rest of a text at each `&`, and at
//! each character from U+0080 to U+00BF. A megabyte of such characters took ten seconds. So the sanitizer gets private
//! characters (Unicode's private use area) in their place, which have no meaning in HTML. Afterwards this module
//! replaces the private characters with the original ones, escaped as HTML requires. A private character always
//! represents text, never markup.

use std::ops::RangeInclusive;

use memchr::memchr;

/// Characters that parsers drop, some of them only at the start of a text. They are dropped everywhere, so that
/// cleaning a text again changes nothing.
pub(super) const MEANINGLESS: [char; 3] = ['\0', '\r', '\u{feff}'];

/// The private characters that represent the characters up to U+00FF: U+10FF26 represents `&` (U+0026). They have no
/// meaning of their own, so they are removed if the text itself contains them.
const STAND_INS: RangeInclusive<char> = '\u{10FF00}'..='\u{10FFFF}';

/// The first byte of each private character in UTF-8.
const FIRST_BYTE: u8 = 0xF4;

/// Returns whether a text has no character that cleaning would escape or drop. Such a text needs no parser.
pub(super) fn is_plain(text: &str) -> bool {
    let is_unchanged = |character: char| match character {
        '\u{A0}' => false,
        '\u{80}'..='\u{BF}' => true,
        _ => !is_special(character),
    };
    text.chars().all(is_unchanged)
}

/// Appends text without meaningless characters. Special characters are always escaped in the same way.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    push(out, text, push_escaped_character);
}

/// Appends text with its special characters replaced by private ones; [`reveal`] undoes this.
pub(super) fn push_hidden(out: &mut String, text: &str) {
    push(out, text, |out, character| {
        let stand_in = char::from_u32(u32::from(*STAND_INS.start()) + u32::from(character));
        out.push(stand_in.expect("special characters are among the first of Unicode, and the stand-ins are as many"));
    });
}

/// Returns HTML with its private characters replaced by the original ones, escaped.
pub(super) fn reveal(html: String) -> String {
    let Some(first) = memchr(FIRST_BYTE, html.as_bytes()) else { return html };
    let mut revealed = String::with_capacity(html.len());
    revealed.push_str(&html[..first]);
    let mut rest = &html[first..];
    while let Some(at) = memchr(FIRST_BYTE, rest.as_bytes()) {
        let (before, after) = rest.split_at(at);
        let character = after.chars().next().expect("a character begins there");
        revealed.push_str(before);
        match u8::try_from(u32::from(character).wrapping_sub(u32::from(*STAND_INS.start()))) {
            Ok(hidden) => push_escaped_character(&mut revealed, char::from(hidden)),
            Err(_) => revealed.push(character),
        }
        rest = &after[character.len_utf8()..];
    }
    revealed.push_str(rest);
    revealed
}

fn push_escaped_character(out: &mut String, character: char) {
    match character {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '\u{A0}' => out.push_str("&nbsp;"),
        _ => out.push(character),
    }
}

/// Says for each byte whether a special character may begin with it. This is a table, because each byte of each text is
/// looked up.
const MAY_BEGIN_SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let first_bytes = [b'&', b'<', b'>', 0, b'\r', 0xC2, 0xEF, FIRST_BYTE];
    let mut at = 0;
    while at < first_bytes.len() {
        table[first_bytes[at] as usize] = true;
        at += 1;
    }
    table
};

/// Appends text, with its special characters written by `special`. The search works on bytes, because most texts have
/// few special characters.
fn push(out: &mut String, text: &str, special: impl Fn(&mut String, char)) {
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| MAY_BEGIN_SPECIAL[usize::from(byte)]) {
        let (before, after) = rest.split_at(at);
        let character = after.chars().next().expect("a character begins there");
        out.push_str(before);
        match character {
            _ if MEANINGLESS.contains(&character) || STAND_INS.contains(&character) => {}
            _ if is_special(character) => special(out, character),
            _ => out.push(character),
        }
        rest = &after[character.len_utf8()..];
    }
    out.push_str(rest);
}

fn is_special(character: char) -> bool {
    matches!(character, '&' | '<' | '>' | '\u{80}'..='\u{BF}')
        || MEANINGLESS.contains(&character)
        || STAND_INS.contains(&character)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let (mut escaped, mut hidden) = (String::new(), String::new());
        push_escaped(&mut escaped, text);
        push_hidden(&mut hidden, text);
        assert_eq!(escaped, expected);
        assert!(!hidden.contains(['&', '<', '>', '\u{A0}']), "{hidden}");
        assert_eq!(reveal(hidden), expected);
    }

    #[test]
    fn hidden_characters_are_escaped_at_the_end() {
        check("", "");
        check("été «»", "été «»");
        check("a<b>&\u{A0}c", "a&lt;b&gt;&amp;&nbsp;c");
        check("\u{FEFF}a\r\n\0b", "a\nb");
        check("1\u{BD} 日本，\u{100000}😀", "1\u{BD} 日本，\u{100000}😀");
    }

    #[test]
    fn text_cannot_bring_its_own_stand_ins() {
        check("a\u{10FF3C}script\u{10FF3E}\u{10FFFF}", "ascript");
    }
}
