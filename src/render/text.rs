//! Prepares text for documents: only characters that XML 1.0 allows, on one line where necessary, cut at a sentence.

use url::Url;

use crate::link;
use crate::normalize;

/// The longest summary made from the content, in characters: three lines of a page, so that fifty of them fit into 50 KB.
const SUMMARY_CHARS: usize = 200;

/// Removes the characters that XML 1.0 §2.2 forbids or that have no meaning: control characters other than tab and line feed,
/// noncharacters, and U+FFFD, which only says that something was lost. Converts line endings to line feeds.
pub(super) fn legal(text: &str) -> String {
    if !text.chars().any(|character| character == '\r' || is_forbidden(character)) {
        return text.to_owned();
    }
    text.replace("\r\n", "\n").replace('\r', "\n").replace(is_forbidden, "")
}

fn is_forbidden(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => false,
        '\u{fdd0}'..='\u{fdef}' | '\u{fffd}' => true,
        _ => character.is_control() || u32::from(character) & 0xfffe == 0xfffe,
    }
}

/// Removes the characters that XML forbids and joins the lines with single spaces; `None` if nothing is left.
pub(super) fn line(text: &str) -> Option<String> {
    let line = legal(text).split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// Returns HTML without the characters that XML forbids; `None` if it is blank.
///
/// Replaces a forbidden character by a zero-width space: removing it could join text that the sanitizer saw as separate, and
/// create the scheme `javascript:` in an address.
pub(super) fn html(html: &str) -> Option<String> {
    let html = legal(&html.replace(is_forbidden, "\u{200b}"));
    Some(html).filter(|html| !html.trim().is_empty())
}

/// Escapes text for an element, or for an attribute's value in quotes.
pub(super) fn escape(text: &str) -> String {
    html_escape::encode_quoted_attribute(text).into_owned()
}

/// Whether readers would take a plain text for HTML: it contains an end tag, or a reference such as `&amp;` or `&#39`.
pub(super) fn reads_as_html(text: &str) -> bool {
    has_end_tag(text) || text.match_indices('&').any(|(at, _)| starts_with_reference(&text[at + 1..]))
}

/// Whether the text contains something like `</b>`.
pub(super) fn has_end_tag(text: &str) -> bool {
    text.match_indices("</").any(|(at, _)| {
        let name = &text[at + 2..];
        let end = name.find(|character| !is_word(character)).unwrap_or(name.len());
        end > 0 && name[end..].starts_with('>')
    })
}

/// Whether the text contains something like `<br>` or `</b>`.
pub(super) fn has_tag(text: &str) -> bool {
    text.match_indices('<').any(|(at, _)| {
        let inside = &text[at + 1..];
        inside.strip_prefix('/').unwrap_or(inside).starts_with(char::is_alphabetic) && inside.contains('>')
    })
}

fn starts_with_reference(after_ampersand: &str) -> bool {
    let end = after_ampersand.find(|character| character != '#' && !is_word(character));
    let name = &after_ampersand[..end.unwrap_or(after_ampersand.len())];
    let reference = format!("&{name};");
    let is_number = !name.chars().all(char::is_alphabetic);
    is_number || (!name.is_empty() && html_escape::decode_html_entities(&reference) != reference)
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Returns a name on one line. Decodes a name that looks like HTML, because it was escaped too often, and removes an address in
/// angle brackets. Removes the marks from a name that still looks like HTML after that.
pub(super) fn name(text: &str) -> Option<String> {
    const ESCAPED_AT_MOST: usize = 3;
    let is_markup = |name: &str| reads_as_html(name) || (name.contains('<') && name.contains('@'));
    let mut name = line(text)?;
    for _ in 0..ESCAPED_AT_MOST {
        if is_markup(&name) {
            name = plain(&name);
        }
    }
    if is_markup(&name) { line(&name.replace(['<', '&'], " ")) } else { line(&name) }
}

/// The two-letter languages of ISO 639-1.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de dv \
    dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik io is it iu \
    ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne \
    ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv \
    sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

/// Returns a language tag (RFC 5646) if its language exists and its form is valid. Feeds also write `en_US`, "English" and `jp`.
pub(super) fn language(tag: &str) -> Option<String> {
    let tag = tag.trim().replace('_', "-");
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    let primary_is_right = match primary.len() {
        2 => LANGUAGES.split_whitespace().any(|language| language.eq_ignore_ascii_case(primary)),
        3 => primary.bytes().all(|byte| byte.is_ascii_alphabetic()),
        _ => false,
    };
    let part_is_right =
        |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    (primary_is_right && parts.all(part_is_right)).then_some(tag)
}

/// Languages that are written from right to left.
const RIGHT_TO_LEFT: [&str; 14] =
    ["ar", "arc", "azb", "ckb", "dv", "fa", "he", "iw", "nqo", "ps", "sd", "ug", "ur", "yi"];

/// Returns the direction of a language: `rtl` or `ltr`.
pub(super) fn direction_of_language(tag: &str) -> &'static str {
    let primary = tag.split('-').next().unwrap_or_default();
    if RIGHT_TO_LEFT.iter().any(|language| language.eq_ignore_ascii_case(primary)) { "rtl" } else { "ltr" }
}

/// Returns the direction of a text, `rtl` or `ltr`, by the majority of its letters: many feeds declare a wrong language, and
/// an Arabic title may begin with a Latin name. `None` if the text has no letters.
pub(super) fn direction(text: &str) -> Option<&'static str> {
    let (mut letters, mut right_to_left) = (0, 0);
    for character in text.chars().filter(|character| character.is_alphabetic()) {
        letters += 1;
        right_to_left += usize::from(is_right_to_left(character));
    }
    (letters > 0).then_some(if right_to_left * 2 > letters { "rtl" } else { "ltr" })
}

/// Whether a character is in the blocks of Hebrew, Arabic and related scripts (Unicode, DerivedBidiClass).
fn is_right_to_left(character: char) -> bool {
    matches!(u32::from(character), 0x590..=0x8FF | 0xFB1D..=0xFDFF | 0xFE70..=0xFEFF | 0x1_0800..=0x1_0FFF | 0x1_E800..=0x1_EFFF)
}

/// Returns the host that an address finally leads to, without `www.`.
pub(super) fn host(url: &Url) -> Option<String> {
    let host = link::host(url)?;
    Some(host.strip_prefix("www.").map(str::to_owned).unwrap_or(host))
}

/// Returns the plain text of sanitized HTML on one line, without tags and with references resolved.
pub(super) fn plain(html: &str) -> String {
    line(&normalize::plain_text(html)).unwrap_or_default()
}

/// Returns the beginning of a text: whole sentences if that leaves enough, else whole words and an ellipsis.
pub(super) fn excerpt(text: &str) -> String {
    normalize::cut_text(text.to_owned(), SUMMARY_CHARS)
}

/// Returns a summary, as plain text, for an entry that has none or whose text may not be published.
pub(super) fn where_to_read(link: Option<&Url>) -> String {
    match link.and_then(host) {
        Some(host) => format!("Read it at {host}."),
        None => "Read it at its source.".to_owned(),
    }
}

/// Returns a number with its digits in groups of three, such as `1,234`.
pub(super) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_of_large_numbers_are_grouped() {
        for (number, expected) in
            [(0, "0"), (999, "999"), (1000, "1,000"), (100_000, "100,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(number), expected);
        }
    }

    #[test]
    fn characters_that_xml_forbids_are_taken_out() {
        let check = |text: &str, expected: &str| assert_eq!(legal(text), expected);
        check("a\u{0}b\u{b}c\u{1f}d\u{7f}e\u{85}f", "abcdef");
        check("\u{fffe}\u{ffff}\u{fdd0}\u{1fffe}\u{fffd}", "");
        check("tab\tline\nreturn\r\nold\rmac", "tab\tline\nreturn\nold\nmac");
        check("👩🏽‍🚒 עברית & <b>", "👩🏽‍🚒 עברית & <b>");
    }

    #[test]
    fn characters_taken_out_of_html_join_nothing() {
        let check = |character: char| {
            let html = html(&format!("<a href=\"{character}javascript:alert(1)\">x</a>")).unwrap();
            assert!(!html.contains("\"javascript:"), "{character:?}");
        };
        "\u{0}\u{b}\u{7f}\u{85}\u{fffd}\u{fffe}\u{fdd0}".chars().for_each(check);
        assert_eq!(html(" \n"), None);
    }

    #[test]
    fn text_of_html_has_its_words_apart_and_its_references_resolved() {
        let check = |html: &str, expected: &str| assert_eq!(plain(html), expected);
        check("<p>One</p><p>two</p>", "One two");
        check("<b>O</b>ne<br>two", "One two");
        check(r#"<img alt="a > b" src="https://a.example/">AT&amp;T &lt;i&gt;"#, "AT&T <i>");
        check("a <unfinished", "a");
        check("", "");
    }

    #[test]
    fn text_that_would_be_taken_for_html_is_told_apart() {
        let check = |text: &str, expected: bool| assert_eq!(reads_as_html(text), expected, "{text}");
        check("AT&T, Q&A, R & D, 5 < 6 > 4", false);
        check("<b> begins </ b> and </", false);
        check("a <b>bold</b> claim", true);
        check("&amp; is written &amp;amp;", true);
        check("it&#39;s", true);
        check("&nosuchentity;", false);
    }

    #[test]
    fn name_that_was_escaped_twice_is_read_as_html() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(name(text).as_deref(), expected);
        check("O'Brien & <Sons>", Some("O'Brien & <Sons>"));
        check("<b>Ann</b> &amp; Bob", Some("Ann & Bob"));
        check("Ann <ann@a.example>", Some("Ann"));
        check("&amp;lt;b&amp;gt;Ann&amp;lt;/b&amp;gt;", Some("Ann"));
        check("Ann &#0;", Some("Ann"));
        check("<b></b>", None);
    }

    #[test]
    fn text_runs_as_most_of_its_letters_do() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(direction(text), expected, "{text}");
        check("iPhone 17: مراجعة الهاتف", Some("rtl"));
        check("The word שלום in a title", Some("ltr"));
        check("2017 – 2018", None);
        assert_eq!([direction_of_language("AR-eg"), direction_of_language("en")], ["rtl", "ltr"]);
    }

    #[test]
    fn language_tags_are_taken_only_if_they_have_the_shape() {
        let check = |tag: &str, expected: Option<&str>| assert_eq!(language(tag).as_deref(), expected);
        check("en", Some("en"));
        check(" en_US ", Some("en-US"));
        check("zh-Hant-TW", Some("zh-Hant-TW"));
        check("English", None);
        check("jp", None);
        check("fil", Some("fil"));
        check("en-", None);
        check("\" onload=", None);
    }
}
