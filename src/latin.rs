//! Any script in the letters, digits and marks of ASCII, for addresses and for comparing names.
//!
//! By the tables of the crate `deunicode`, which are those of Text::Unidecode with corrections: without regard to the
//! language, so that one title gives one address everywhere.

/// Returns what stands for a character in ASCII: `u` for `ü`, `l` for `ł`, `Zh` for `Ж`, `Ri ` for `日`; empty if nothing does.
pub fn ascii(character: char) -> &'static str {
    deunicode::deunicode_char(character).unwrap_or_default()
}

/// Returns the words of a text in lower-case letters and digits of ASCII, with single spaces; empty if there are none.
pub fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        let written = match character {
            '\u{300}'..='\u{36F}' => continue,
            _ if character.is_alphanumeric() => ascii(character),
            _ => " ",
        };
        for byte in written.bytes() {
            if byte.is_ascii_alphanumeric() {
                words.push(char::from(byte.to_ascii_lowercase()));
            } else if byte == b' ' && !words.is_empty() && !words.ends_with(' ') {
                words.push(' ');
            }
        }
    }
    words.truncate(words.trim_end().len());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_any_script_are_written_in_ascii() {
        let check = |text: &str, expected: &str| assert_eq!(words(text), expected, "{text}");
        check("Actualités", "actualites");
        check("  Straße -- Ægir's  ", "strasse aegir s");
        check("Київ 2024", "kiyiv 2024");
        check("北京", "bei jing");
        check("☃", "");
    }
}
