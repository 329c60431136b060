//! Writes any script in the letters, digits and marks of ASCII, for URLs and for comparing names.
//!
//! The tables are those of the crate `deunicode`, which are based on Text::Unidecode with corrections. They ignore the
//! language of a text, so a title always gives the same URL.

/// Returns the ASCII form of a character: `u` for `ü`, `l` for `ł`, `Zh` for `Ж`, `Ri ` for `日`. Returns an empty text
/// if there is none.
pub fn ascii(character: char) -> &'static str {
    deunicode::deunicode_char(character).unwrap_or_default()
}

/// Returns the words of a text in lower-case ASCII letters and digits, with single spaces. Returns an empty text if
/// there are none.
pub fn words(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            words.push(character.to_ascii_lowercase());
            continue;
        }
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
