//! Makes foreign text safe to show in a log, an error, a note or a status. Foreign text is text that other people
//! wrote: addresses, titles, messages of servers.
//!
//! The result is one line of limited length, without characters that control a terminal or reorder the text. So no
//! foreign text can forge a line of the log, or fill the disk with a very long line. All foreign text goes through this
//! module before it is logged or stored.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most characters of a sentence with foreign text. Three addresses and the words around them fit.
const SENTENCE_CHARS: usize = 1000;

/// The most characters of an address or a title within a sentence.
const PART_CHARS: usize = 200;

/// The most sentences about one document that are stored. newswire has fewer kinds of repairs than this, so no sentence
/// about a repair is lost.
const SENTENCES: usize = 50;

/// Defines a text that is always one line of limited length, because its constructor makes it so.
macro_rules! one_line {
    ($(#[$doc:meta])* $name:ident, $most:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String")]
        pub struct $name(String);

        impl $name {
            /// Creates the line: escapes characters that are unsafe to show, and cuts a text that is too long.
            pub fn new(text: &str) -> $name {
                $name(line(text, $most))
            }

            /// Returns the text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> $name {
                $name::new(text)
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> $name {
                $name::new(&text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

one_line! {
    /// A foreign text, cleaned by [`sentence`].
    Line, SENTENCE_CHARS
}

one_line! {
    /// A foreign address, title or name, cleaned by [`part`].
    ShortLine, PART_CHARS
}

/// Returns a sentence as one line of at most 1000 characters. A sentence that is such a line already does not change.
pub fn sentence(text: &str) -> String {
    line(text, SENTENCE_CHARS)
}

/// Returns the first fifty sentences, each cleaned by [`sentence`].
pub fn sentences(texts: &[String]) -> Vec<String> {
    texts.iter().take(SENTENCES).map(|text| sentence(text)).collect()
}

/// Returns an address, a title or a name as one line of at most 200 characters.
pub fn part(text: &str) -> String {
    line(text, PART_CHARS)
}

/// Returns one line of at most `most` characters. Characters for which [`is_unfit`] is true are escaped as in Rust
/// strings, such as `\n`. A longer text is cut and ends in `…`.
fn line(text: &str, most: usize) -> String {
    let mut line = String::new();
    let mut chars = 0;
    // The number of bytes to keep if the text turns out to be too long. It leaves room for `…`.
    let mut cut = 0;
    for character in text.chars() {
        let before = line.len();
        match is_unfit(character) {
            true => line.extend(character.escape_default()),
            false => line.push(character),
        }
        chars += line[before..].chars().count();
        if chars < most {
            cut = line.len();
        }
        if chars > most {
            line.truncate(cut);
            line.push('…');
            return line;
        }
    }
    line
}

/// Returns whether a character is a control character, a line or paragraph separator, or reorders the text around it.
fn is_unfit(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_is_one_line_without_control_characters() {
        let check = |text: &str, expected: &str| {
            assert_eq!(part(text), expected);
            assert_eq!(sentence(&sentence(text)), expected, "shown twice it is the same");
        };
        check("", "");
        check("Ünï & <ä> ‏עברית 🦀 \\n", "Ünï & <ä> ‏עברית 🦀 \\n");
        check("a\nERROR b\r\tc", "a\\nERROR b\\r\\tc");
        check("a\u{2028}b\u{2029}c\u{85}d", "a\\u{2028}b\\u{2029}c\\u{85}d");
        check("\u{1b}[31mred\u{7f}\0", "\\u{1b}[31mred\\u{7f}\\u{0}");
        check("\u{202e}txt.exe\u{2066}\u{feff}", "\\u{202e}txt.exe\\u{2066}\\u{feff}");
    }

    #[test]
    fn foreign_text_is_cut_to_its_length_and_no_escape_is_cut_in_two() {
        let check = |text: String, expected: String| {
            assert_eq!(part(&text), expected);
            assert!(expected.chars().count() <= PART_CHARS && part(&expected) == expected);
        };
        check("é".repeat(200), "é".repeat(200));
        check("é".repeat(201), format!("{}…", "é".repeat(199)));
        check("\n".repeat(20_000), format!("{}…", "\\n".repeat(99)));
        check(format!("{}\u{2028}", "a".repeat(195)), format!("{}…", "a".repeat(195)));
        assert_eq!(sentence(&"a".repeat(20_000)).chars().count(), SENTENCE_CHARS);
    }
}
