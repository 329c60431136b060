//! Splits a byline into its parts: `by Darius Shahtahmasebi via gail - Anti-Media` has an author, a "via" and a source.

/// The parts of a byline. Each is plain text and never empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Byline {
    /// The author.
    pub author: Option<String>,
    /// The person who passed the entry on.
    pub via: Option<String>,
    /// The title of the source.
    pub source: Option<String>,
}

/// Splits a byline. Returns `None` if the string is only a name.
///
/// A string is a byline if it begins with "by", or if it names a "via". A dash alone is no evidence: people and offices
/// have dashes in their names.
pub fn split(name: &str) -> Option<Byline> {
    let name = name.trim();
    let without_by = strip_word(name, "by");
    let text = without_by.unwrap_or(name);
    let (author, rest) = match find_word(text, "via") {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    };
    let (author, via, source) = match rest {
        Some(rest) => {
            let (via, source) = split_at_dash(rest);
            (author, via, source)
        }
        None => {
            let (author, source) = split_at_dash(author);
            (author, "", source)
        }
    };
    if rest.is_none() && without_by.is_none() {
        return None;
    }
    let part = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let byline = Byline { author: part(author), via: part(via), source: source.and_then(part) };
    (byline != Byline::default()).then_some(byline)
}

/// Removes a word from the start of a text, ignoring case. Returns `None` if the text does not begin with it.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    let rest = &text[word.len()..];
    (head.eq_ignore_ascii_case(word) && rest.starts_with(char::is_whitespace)).then(|| rest.trim_start())
}

/// Returns what comes before and after a separate word in a text. Returns `None` if the text does not have this word.
fn find_word<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    if let Some(rest) = strip_word(text, word) {
        return Some(("", rest));
    }
    let starts = text
        .char_indices()
        .filter(|(_, character)| character.is_whitespace())
        .map(|(at, space)| (at, at + space.len_utf8()));
    starts.into_iter().find_map(|(before, start)| strip_word(&text[start..], word).map(|rest| (&text[..before], rest)))
}

/// Splits at the last dash, of any length, that has a space on both sides.
fn split_at_dash(text: &str) -> (&str, Option<&str>) {
    let is_dash = |character: char| matches!(character, '-' | '–' | '—' | '―' | '‒');
    let dash = text.char_indices().rev().find(|&(at, character)| {
        is_dash(character)
            && text[..at].trim_end_matches(is_dash).ends_with(' ')
            && text[at + character.len_utf8()..].starts_with(' ')
    });
    match dash {
        Some((at, character)) => (text[..at].trim_end_matches(is_dash), Some(&text[at + character.len_utf8()..])),
        None => (text, None),
    }
}
