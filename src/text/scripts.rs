//! Classifies the characters of scripts that are written without spaces between words: Thai, Lao, Tibetan, Burmese,
//! Khmer, Chinese and Japanese. Korean has spaces.
//!
//! No other module has a table of these characters. Three functions read the table, and each accepts more characters
//! than the one before. Word counts and the comparison of stories use the first function, so changing it changes stored
//! signatures. The search uses the second one, so changing it changes the content of the stored index.

/// How a character of such a script is treated. Each kind is also treated as the kinds before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Spaceless {
    /// Words end on both sides of the character.
    Breaks,
    /// The character is searched as a word.
    Searched,
    /// The character counts as half a word.
    Counted,
}

/// Returns how a character is treated; `None` if it is not of such a script. This is the table of the characters.
fn spaceless(character: char) -> Option<Spaceless> {
    use Spaceless::{Breaks, Counted, Searched};
    Some(match character {
        // Most texts contain only these characters.
        '\0'..='\u{0DFF}' => return None,
        // Thai and Lao.
        '\u{0E00}'..='\u{0EFF}' => Counted,
        // Tibetan: a mark ends each syllable, so that syllables are counted as words.
        '\u{0F00}'..='\u{0FFF}' => Searched,
        // Burmese, Khmer.
        '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' => Counted,
        // Iteration marks and zero of Chinese and Japanese.
        '\u{3005}'..='\u{3007}' => Searched,
        // Hiragana and katakana.
        '\u{3040}'..='\u{30FF}' => Counted,
        // Radicals, punctuation and bopomofo.
        '\u{2E80}'..='\u{312F}' => Breaks,
        // Small and half-width katakana.
        '\u{31F0}'..='\u{31FF}' | '\u{FF66}'..='\u{FF9F}' => Searched,
        // Ideographs.
        '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}' => {
            Counted
        }
        _ => return None,
    })
}

/// Returns whether a character counts as half a word, as translators count.
pub fn is_half_word(character: char) -> bool {
    spaceless(character) == Some(Spaceless::Counted)
}

/// Returns whether the search treats a character as a word.
pub fn is_searched_alone(character: char) -> bool {
    spaceless(character) >= Some(Spaceless::Searched)
}

/// Returns whether a word ends on both sides of a character.
pub fn breaks_words(character: char) -> bool {
    spaceless(character).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(characters: &str, expected: Option<Spaceless>) {
        for character in characters.chars() {
            assert_eq!(spaceless(character), expected, "{character}");
        }
    }

    #[test]
    fn each_script_without_spaces_is_in_the_table() {
        check("ไทยລາວမြန်မာខ្មែរひらカタ漢字豈𠀀㐀", Some(Spaceless::Counted));
        check("བོད་々〆〇ㇰｱﾝ", Some(Spaceless::Searched));
        check("、。「」⺀ㄅ", Some(Spaceless::Breaks));
        check("aé'1 ыשعह한ㅎａ！", None);
    }

    #[test]
    fn half_words_are_searched_alone_and_characters_searched_alone_break_words() {
        for character in '\0'..=char::MAX {
            assert!(!is_half_word(character) || is_searched_alone(character), "{character}");
            assert!(!is_searched_alone(character) || breaks_words(character), "{character}");
        }
    }
}
