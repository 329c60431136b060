//! Breaks text into lines, and cuts it, by the columns that it takes on a terminal.
//!
//! A Chinese character takes two columns. An accent that follows its letter takes none, and neither do escape sequences
//! for colours.

use textwrap::core::{Word, display_width};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_segmentation::UnicodeSegmentation;

use super::scripts::is_half_word;

/// Breaks a text into lines of at most `columns` columns. Each line except the first begins with `indent`.
///
/// Lines break only at spaces, so that URLs and options stay in one piece even if they are too long. In scripts without
/// spaces, lines also break within words where Unicode allows it (UAX #14).
pub fn wrap(text: &str, columns: usize, indent: &str) -> String {
    let options = Options::new(columns)
        .subsequent_indent(indent)
        .break_words(false)
        .word_separator(WordSeparator::Custom(words))
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::fill(text, options)
}

/// Cuts a text to at most `columns` columns, including the ellipsis. Zero columns count as one. An emoji is never cut
/// into its parts.
pub fn cut(text: &str, columns: usize) -> String {
    let columns = columns.max(1);
    if display_width(text) <= columns {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut width = 1;
    for grapheme in text.graphemes(true) {
        width += display_width(grapheme);
        if width > columns {
            break;
        }
        kept.push_str(grapheme);
    }
    kept.push('…');
    kept
}

fn words(line: &str) -> Box<dyn Iterator<Item = Word<'_>> + '_> {
    Box::new(WordSeparator::AsciiSpace.find_words(line).flat_map(parts))
}

/// Returns the parts of a word between which a line may break.
fn parts(word: Word<'_>) -> Vec<Word<'_>> {
    if !word.chars().any(is_half_word) {
        return vec![word];
    }
    let mut parts: Vec<Word> = WordSeparator::UnicodeBreakProperties.find_words(word.word).collect();
    if let Some(last) = parts.last_mut() {
        last.whitespace = word.whitespace;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_at_spaces_and_within_chinese_but_never_within_an_address() {
        let check = |text: &str, expected: &str| assert_eq!(wrap(text, 12, "  "), expected, "{text}");
        check("one two three four", "one two\n  three four");
        check("  a: one two three", "  a: one two\n  three");
        check("see https://a.example/long-path --dry-run", "see\n  https://a.example/long-path\n  --dry-run");
        check("港口昨天关闭，渡轮停航。", "港口昨天关\n  闭，渡轮停\n  航。");
        check("The 港口昨天关闭", "The 港口昨天\n  关闭");
        check("cafe\u{301}s cafe\u{301}s", "cafe\u{301}s cafe\u{301}s");
        check("\u{1b}[1mone\u{1b}[0m two three", "\u{1b}[1mone\u{1b}[0m two\n  three");
    }

    #[test]
    fn text_is_cut_by_its_columns_and_between_whole_characters() {
        let check = |text: &str, columns: usize, expected: &str| assert_eq!(cut(text, columns), expected, "{text}");
        check("harbour", 7, "harbour");
        check("harbour", 6, "harbo…");
        check("港口关闭", 8, "港口关闭");
        check("港口关闭", 7, "港口关…");
        check("港口关闭", 6, "港口…");
        check("cafe\u{301} closed", 5, "cafe\u{301}…");
        check("🇫🇷🇫🇷🇫🇷🇫🇷", 4, "🇫🇷…");
        check("", 0, "");
    }
}
