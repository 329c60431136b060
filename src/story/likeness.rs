//! How alike two texts are.

use std::collections::HashSet;

/// How many words that the other lacks make a copy's text its own: a link blog's comment on an article is such a text.
const OWN_WORDS: usize = 40;

/// Whether two texts both say something that the other does not: then a shared link does not make them one story.
///
/// The texts are plain. A summary has no words of its own beside the full text, a link blog's remark of a line neither.
pub fn both_have_own_words(one: &str, other: &str) -> bool {
    let (one, other) = (words(one), words(other));
    one.difference(&other).count() >= OWN_WORDS && other.difference(&one).count() >= OWN_WORDS
}

/// The words of a text in lower case. In scripts without spaces every character counts as a word.
fn words(text: &str) -> HashSet<String> {
    let mut words = HashSet::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        if word.chars().any(is_spaceless) {
            words.extend(word.chars().map(String::from));
        } else {
            words.insert(word.to_lowercase());
        }
    }
    words
}

/// Whether a character belongs to a script that is written without spaces between words.
fn is_spaceless(c: char) -> bool {
    matches!(c, '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}' | '\u{3040}'..='\u{30FF}'
        | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}
