//! Text for people: what sanitized HTML says, how many words that is, and how to cut it.

use super::markup::{Piece, pieces};
use crate::parse::html_names;
use crate::parse::references::resolve_html;
use crate::text::scripts::is_half_word;

/// The text of sanitized HTML as a person reads it: blocks on lines of their own, white space single, references resolved.
pub fn plain_text(html: &str) -> String {
    let mut text = TextInProgress::default();
    for piece in pieces(html) {
        match piece {
            Piece::Text(raw) => text.push(&resolve_html(raw)),
            Piece::Open { name, .. } | Piece::Close { name } if breaks_line(&name) => text.line_end = true,
            // Cells stand apart.
            Piece::Close { name } if matches!(&*name, "td" | "th") => text.space = true,
            Piece::Open { .. } | Piece::Close { .. } => {}
        }
    }
    text.out
}

/// A text in the making, with the white space that is due before the next word.
#[derive(Default)]
struct TextInProgress {
    out: String,
    space: bool,
    line_end: bool,
}

impl TextInProgress {
    fn push(&mut self, text: &str) {
        let mut words = text.split(char::is_whitespace);
        self.push_word(words.next().unwrap_or_default());
        for word in words {
            self.space = true;
            self.push_word(word);
        }
    }

    fn push_word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if !self.out.is_empty() && self.line_end {
            self.out.push('\n');
        } else if !self.out.is_empty() && self.space {
            self.out.push(' ');
        }
        (self.space, self.line_end) = (false, false);
        self.out.push_str(word);
    }
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

/// One line without markup, of a title or name in HTML. Only what is a tag of HTML is taken for one: `Vec<u8>` stays.
pub(super) fn without_markup(html: &str) -> String {
    if !html.contains(['<', '&']) {
        return single_spaced(html);
    }
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let length = markup_length(rest);
        if length == 0 {
            text.push('<');
        }
        rest = &rest[length.max(1)..];
    }
    text.push_str(rest);
    single_spaced(&resolve_html(&text))
}

/// How many bytes at the start are markup: a tag, a comment, a script with its inside; 0 where it is none.
fn markup_length(rest: &str) -> usize {
    if rest.starts_with("<!--") {
        return rest.find("-->").map_or(rest.len(), |end| end + "-->".len());
    }
    let name = rest[1..].strip_prefix(['/', '!']).unwrap_or(&rest[1..]);
    let name = &name[..name.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(name.len())];
    if !html_names::is_tag(name) && !name.eq_ignore_ascii_case("doctype") {
        return 0;
    }
    // A tag that does not end before the next one begins is text.
    let length = rest[1..].find(['<', '>']).filter(|&end| rest[1 + end..].starts_with('>')).map_or(0, |end| end + 2);
    let is_unseen = name.eq_ignore_ascii_case("script") || name.eq_ignore_ascii_case("style");
    if is_unseen && length > 0 && !rest.starts_with("</") {
        return rest.find("</").map_or(rest.len(), |end| end);
    }
    length
}

/// White space single, none at the ends, no control characters.
pub(super) fn single_spaced(text: &str) -> String {
    let mut spaced = String::with_capacity(text.len());
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !spaced.is_empty() {
            spaced.push(' ');
        }
        spaced.push_str(word);
    }
    spaced
}

/// The text, cut at a word with an ellipsis where it has more characters than that.
pub(super) fn cut_line(text: String, max_chars: usize) -> String {
    if text.len() <= max_chars || text.chars().count() <= max_chars { text } else { cut(&text, max_chars) }
}

/// A plain-text summary of sanitized HTML with at most `max_chars` characters: whole sentences if one ends in the second half of that,
/// else whole words and an ellipsis. One line.
pub fn cut_summary(html: &str, max_chars: usize) -> String {
    cut_text(single_spaced(&plain_text(html)), max_chars)
}

/// The same of a plain text in one line.
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

/// At most `max_chars` characters, the ellipsis among them; never cuts inside of a word unless that fills the whole.
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

/// How many words a plain text has; of scripts without spaces each character counts as half a word, as translators count.
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
