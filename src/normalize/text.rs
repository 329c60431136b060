//! Extracts the text from sanitized HTML, counts its words, and cuts it.

use std::borrow::Cow;

use memchr::memchr_iter;

use super::markup::{Piece, pieces};
use crate::parse::references::resolve_html;
use crate::text::scripts::is_half_word;

/// Returns the text of sanitized HTML as a person reads it: each block on its own line, with single spaces and resolved
/// references.
pub fn plain_text(html: &str) -> String {
    let mut text = TextInProgress { out: String::with_capacity(html.len()), ..TextInProgress::default() };
    for piece in pieces(html) {
        match piece {
            Piece::Text(raw) => text.push(&resolve_html(raw)),
            Piece::Open { name, .. } | Piece::Close { name } if breaks_line(&name) => text.line_end = true,
            // A space separates the cells of a table.
            Piece::Close { name } if matches!(&*name, "td" | "th") => text.space = true,
            Piece::Open { .. } | Piece::Close { .. } => {}
        }
    }
    text.out
}

/// A text under construction, and the white space to write before the next word.
#[derive(Default)]
struct TextInProgress {
    out: String,
    space: bool,
    line_end: bool,
}

impl TextInProgress {
    fn push(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() {
            let ascii = ascii_length(rest);
            let is_other = |character: char| character.is_ascii() || character.is_whitespace();
            let beyond = rest[ascii..].find(is_other).unwrap_or(rest.len() - ascii);
            let (words, after) = rest.split_at(ascii + beyond);
            self.push_words(words);
            rest = after.trim_start();
            self.space |= rest.len() < after.len();
        }
    }

    /// Adds words with single spaces between them.
    fn push_words(&mut self, words: &str) {
        if words.is_empty() {
            return;
        }
        if !self.out.is_empty() && self.line_end {
            self.out.push('\n');
        } else if !self.out.is_empty() && self.space {
            self.out.push(' ');
        }
        (self.space, self.line_end) = (false, false);
        self.out.push_str(words);
    }
}

/// Returns the length in bytes of the ASCII words that a text begins with, as long as only single spaces separate them.
/// Most texts are mostly such words, and copying many words at once is faster than copying each.
fn ascii_length(text: &str) -> usize {
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        if matches!(byte, 0..=8 | 14..=31 | 33..=127) {
            end = at + 1;
        } else if byte != b' ' || at != end || at == 0 {
            break;
        }
    }
    end
}

fn breaks_line(name: &str) -> bool {
    !matches!(
        name,
        "a" | "abbr"
            | "acronym"
            | "audio"
            | "b"
            | "bdi"
            | "bdo"
            | "big"
            | "cite"
            | "code"
            | "del"
            | "dfn"
            | "em"
            | "font"
            | "i"
            | "img"
            | "ins"
            | "kbd"
            | "label"
            | "mark"
            | "q"
            | "rp"
            | "rt"
            | "ruby"
            | "s"
            | "samp"
            | "small"
            | "source"
            | "span"
            | "strike"
            | "strong"
            | "sub"
            | "sup"
            | "td"
            | "th"
            | "time"
            | "tt"
            | "u"
            | "var"
            | "video"
            | "wbr"
    )
}

/// Returns the text with single spaces, trimmed, without control characters.
pub(super) fn single_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    let text = windows_1252(text);
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// Replaces the control characters U+0080 to U+009F with characters of windows-1252.
///
/// They come from bytes of windows-1252 that were taken for Latin-1. HTML reads numeric references to them in the same
/// way (*numeric character reference end state*). The five bytes that windows-1252 does not use are left out.
pub(super) fn windows_1252(text: &str) -> Cow<'_, str> {
    const MEANT: [&str; 32] = [
        "€", "", "‚", "ƒ", "„", "…", "†", "‡", "ˆ", "‰", "Š", "‹", "Œ", "", "Ž", "", "", "‘", "’", "“", "”", "•", "–",
        "—", "˜", "™", "š", "›", "œ", "", "ž", "Ÿ",
    ];
    const FIRST_BYTE: u8 = 0xC2;
    let bytes = text.as_bytes();
    let is_control = |at: &usize| bytes.get(at + 1).is_some_and(|byte| (0x80..=0x9F).contains(byte));
    let mut found = memchr_iter(FIRST_BYTE, bytes).filter(is_control).peekable();
    if found.peek().is_none() {
        return Cow::Borrowed(text);
    }
    let mut mended = String::with_capacity(text.len() + 16);
    let mut from = 0;
    for at in found {
        mended.push_str(&text[from..at]);
        mended.push_str(MEANT[usize::from(bytes[at + 1] - 0x80)]);
        from = at + 2;
    }
    mended.push_str(&text[from..]);
    Cow::Owned(mended)
}

/// Texts that publishers and their programs write in place of a summary. They are in lower case, without punctuation,
/// and sorted.
#[rustfmt::skip]
const NO_SUMMARY: &[&str] = &[
    "article url", "comment", "comments", "continue", "continue reading", "description", "discuss", "discussion",
    "leave a comment", "link", "link comments", "more", "n a", "no comments", "no description", "no summary", "none",
    "null", "permalink", "read", "read full article", "read full story", "read more", "read the article",
    "read the full article", "read the full story", "read the rest", "source", "summary", "undefined", "untitled",
    "view comments",
];

/// A longer text is not one of [`NO_SUMMARY`], even if it contains a number of comments.
const MAX_NO_SUMMARY_BYTES: usize = 64;

/// Returns whether a plain-text summary says nothing about its entry, such as `Comments` or `Read more…`. An empty
/// summary says nothing.
pub fn says_nothing(text: &str) -> bool {
    if text.len() > MAX_NO_SUMMARY_BYTES {
        return false;
    }
    let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    // This recognises texts such as `12 comments`.
    let counted = words.iter().position(|word| !word.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(0);
    let (number, rest) = words.split_at(counted);
    let is_count = number.is_empty() || matches!(rest, [what] if what.starts_with("comment"));
    words.is_empty() || is_count && NO_SUMMARY.binary_search(&rest.join(" ").as_str()).is_ok()
}

/// Cuts a text if it has more than `max_chars` characters. The cut comes after a word, and an ellipsis follows.
pub(super) fn cut_line(text: String, max_chars: usize) -> String {
    if text.len() <= max_chars || text.chars().count() <= max_chars { text } else { cut(&text, max_chars) }
}

/// Returns a plain-text summary of sanitized HTML, in one line of at most `max_chars` characters. It ends with a whole
/// sentence if one ends in the second half of that limit, otherwise with a whole word and an ellipsis.
pub fn cut_summary(html: &str, max_chars: usize) -> String {
    cut_text(single_spaced(&plain_text(html)), max_chars)
}

/// Cuts a plain text of one line in the same way as [`cut_summary`].
pub fn cut_text(text: String, max_chars: usize) -> String {
    if text.len() <= max_chars || text.chars().count() <= max_chars {
        return text;
    }
    let head = chars(&text, max_chars);
    let sentence_end =
        head.char_indices().rev().find(|&(at, character)| ends_sentence(character, &text[at + character.len_utf8()..]));
    match sentence_end {
        Some((at, character)) if head[..at].chars().count() >= max_chars / 2 => {
            head[..at + character.len_utf8()].to_owned()
        }
        _ => cut(&text, max_chars),
    }
}

fn ends_sentence(character: char, after: &str) -> bool {
    match character {
        '.' | '!' | '?' | '…' | '؟' | '۔' => after.starts_with(' '),
        '。' | '！' | '？' => true,
        _ => false,
    }
}

/// Cuts a text to at most `max_chars` characters, including the ellipsis. The cut is not inside a word, unless the word
/// fills the whole text.
fn cut(text: &str, max_chars: usize) -> String {
    let head = chars(text, max_chars.saturating_sub(1));
    let next = text[head.len()..].chars().next();
    let inside_word = next.is_some_and(|next| !next.is_whitespace() && !is_half_word(next));
    let word_start = head.rfind(|c: char| c.is_whitespace() || is_half_word(c)).filter(|_| inside_word);
    let end = word_start
        .map_or(head.len(), |at| at + head[at..].chars().next().filter(|&c| is_half_word(c)).map_or(0, char::len_utf8));
    let kept = head[..end].trim_end_matches(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '-' | '–'));
    format!("{kept}…")
}

fn chars(text: &str, count: usize) -> &str {
    text.char_indices().nth(count).map_or(text, |(at, _)| &text[..at])
}

/// Counts the words of a plain text. In scripts without spaces, two characters count as a word, as translators count.
pub fn word_count(text: &str) -> usize {
    let mut words = 0;
    let mut cjk = 0;
    let mut in_word = false;
    for character in text.chars() {
        if is_half_word(character) {
            cjk += 1;
            in_word = false;
        } else if character.is_alphanumeric() {
            words += usize::from(!in_word);
            in_word = true;
        } else if !matches!(character, '\'' | '’' | '-' | '_' | '.' | '@') {
            in_word = false;
        }
    }
    words + usize::div_ceil(cjk, 2)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn white_space_between_words_becomes_one_space() {
        let check = |html: &str, expected: &str| assert_eq!(plain_text(html), expected, "{html:?}");
        check("", "");
        check("  \n ", "");
        check("the quay", "the quay");
        check(" the  quay\n\tat\u{a0}\u{2003}night ", "the quay at night");
        check("the<b> quay</b> at <i> night</i>", "the quay at night");
        check("the<b>quay</b>", "thequay");
        check("<p> the quay </p><p>at  night</p>", "the quay\nat night");
        check("caf\u{e9}  \u{4e00} \u{3000}x", "caf\u{e9} \u{4e00} x");
        check("<td>a</td><td>b</td>", "a b");
    }

    proptest! {
        #[test]
        fn plain_text_has_the_words_of_the_html(text in "[a-c\u{1}\u{1f}\u{7f}\u{e9}\u{4e00} \t\n\u{b}\u{85}\u{a0}\u{2003}]{0,40}") {
            prop_assert_eq!(plain_text(&text), text.split_whitespace().collect::<Vec<_>>().join(" "));
        }
    }

    #[test]
    fn placeholder_summaries_say_nothing() {
        assert!(NO_SUMMARY.is_sorted());
        let check = |text: &str, expected: bool| assert_eq!(says_nothing(text), expected, "{text}");
        for noise in ["Comments", "12 comments", "Read more…", "[link] [comments]", "Continue reading →", "N/A", " - "]
        {
            check(noise, true);
        }
        for words in ["Comments are closed", "12 more", "2017", "Read more about the harbour", "War ends"] {
            check(words, false);
        }
    }
}
