//! The lasting content of an entry. If it changes, the entry is revised. It excludes what changes without an edit, such
//! as counters.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use crate::entry::Entry;
use crate::link;
use crate::text::PlainText;

/// The most words of a line that may have counters. In a longer line, a number is a part of the text, as in "passed by
/// 12 votes".
const COUNTER_LINE_WORDS: usize = 12;

/// Matches counters, such as those of views, comments and shares. They change while the text stays the same.
static COUNTER: LazyLock<Regex> = LazyLock::new(|| {
    let nouns = "views?|reads?|comments?|replies|reply|responses?|shares?|likes?|claps?|reactions?|points?|votes?|upvotes?|\
                 retweets?|kommentare?|aufrufe|commentaires?|vues|partages|comentarios?|vistas|visitas|комментари(?:й|я|ев)|просмотр(?:ов|а)?";
    Regex::new(&format!(r"(?i)\b\d[\d.,]*\s*(?:k\s*)?(?:{nouns})\b|\b(?:{nouns})\s*[:(]\s*\d[\d.,]*k?\)?"))
        .expect("the pattern is constant")
});

/// Matches a line that is marked as an advertisement.
static ADVERTISEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let marks = "advertisement|advertorial|sponsored(?: by| content| post)?|anzeige|werbung|publicité|publicidad|annonce|реклама|広告|广告";
    Regex::new(&format!(r"(?i)^\W*(?:{marks})(?:\W|$)")).expect("the pattern is constant")
});

/// Matches addresses in markup. Unlike other markup, they are part of the content.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"href="([^"]*)"|src="([^"]*)""#).expect("the pattern is constant"));

/// Returns a hash of the lasting content of an entry: title, link, text, addresses in the text, authors, contributors,
/// categories and enclosures. Leaves out `updated`, white space, markup, advertisements, and counters such as those of
/// views, comments and shares.
pub fn fingerprint(entry: &Entry, text: &PlainText) -> u64 {
    let mut hash = Xxh3::new();
    let mut add = |part: &str| {
        hash.update(part.as_bytes());
        hash.update(b"\0");
    };
    add(&lasting(&entry.title));
    add(entry.link.as_ref().map_or("", |link| link.as_str()));
    for (html, text) in [(&entry.summary_html, text.summary()), (&entry.content_html, text.content())] {
        add(&lasting(text));
        lasting_addresses(html.as_deref().unwrap_or_default(), &mut add);
    }
    for person in entry.authors.iter().chain(&entry.contributors) {
        add(person.display());
    }
    for category in &entry.categories {
        add(&category.term);
        add(category.scheme.as_deref().unwrap_or_default());
    }
    for enclosure in &entry.enclosures {
        add(enclosure.url.as_str());
    }
    hash.digest()
}

/// Adds the addresses of links and pictures. Drops the parameters of pictures and of links around pictures, because
/// these select advertisements and count readers. Drops only the tracking parameters of other links.
fn lasting_addresses(html: &str, add: &mut impl FnMut(&str)) {
    let without_parameters = |address: &str| address.split(['?', '#']).next().unwrap_or_default().to_owned();
    let mut tag_end = TagEnd::default();
    let mut at = 0;
    while let Some(address) = ADDRESS.captures_at(html, at) {
        at = address.get_match().end();
        match (address.get(1), address.get(2)) {
            (Some(link), _) => match tag_end.picture_after(html, at) {
                Some(picture) => {
                    add(&without_parameters(link.as_str()));
                    at = picture;
                }
                None => add(&lasting_link(link.as_str())),
            },
            (None, address) => add(&without_parameters(address.map_or("", |address| address.as_str()))),
        }
    }
}

fn lasting_link(link: &str) -> String {
    let key = Url::parse(&html_escape::decode_html_entities(link)).ok().as_ref().and_then(link::key);
    key.unwrap_or_else(|| link.to_owned())
}

/// The end of a tag, and whether a picture follows. The result of a search is kept for the next search. Otherwise each
/// search would read the whole text if a text had many addresses and no tag.
#[derive(Default)]
struct TagEnd {
    /// The position of the last `>` that was found; `None` before the first search.
    at: Option<usize>,
    /// The position after `<img`, if a picture follows that `>`.
    picture: Option<usize>,
}

impl TagEnd {
    /// Returns the position after `<img` if a picture follows the tag around `from`. `from` must not be less than in an
    /// earlier call.
    fn picture_after(&mut self, html: &str, from: usize) -> Option<usize> {
        const PICTURE: &str = "<img";
        if self.at.is_none_or(|at| at < from) {
            let end = html[from..].find('>').map_or(html.len(), |offset| from + offset);
            let after = html.get(end + 1..).unwrap_or_default().trim_start();
            self.at = Some(end);
            self.picture = after.starts_with(PICTURE).then(|| html.len() - after.len() + PICTURE.len());
        }
        self.picture
    }
}

/// Returns the text without counters and advertisements, and with a space after each word. `text` is plain text: its
/// lines have single spaces between words and no other white space.
fn lasting(text: &str) -> String {
    let mut lasting = String::with_capacity(text.len() + 1);
    for line in text.lines().filter(|line| !ADVERTISEMENT.is_match(line)) {
        let is_short = || line.bytes().filter(|byte| *byte == b' ').nth(COUNTER_LINE_WORDS - 1).is_none();
        let may_count = || is_short() && line.contains(char::is_numeric);
        if may_count() {
            for word in COUNTER.replace_all(line, " ").split_whitespace() {
                lasting.push_str(word);
                lasting.push(' ');
            }
        } else if !line.is_empty() {
            lasting.push_str(line);
            lasting.push(' ');
        }
    }
    lasting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: &[&str]) {
        let mut addresses = Vec::new();
        lasting_addresses(html, &mut |address| addresses.push(address.to_owned()));
        assert_eq!(addresses, expected, "{html}");
    }

    #[test]
    fn words_last_and_counters_and_advertisements_do_not() {
        let check = |text: &str, expected: &str| assert_eq!(lasting(text), expected, "{text}");
        check("", "");
        check("The quay at night", "The quay at night ");
        check("The quay\nat night", "The quay at night ");
        check("The quay 12 comments\nat night", "The quay at night ");
        check("Advertisement\nThe quay", "The quay ");
        check("12 views\nIn 2017", "In 2017 ");
        let long = "The bill to widen the old quay in the harbour was passed by 12 votes";
        check(long, &format!("{long} "));
    }

    #[test]
    fn links_around_pictures_lose_their_parameters_and_others_only_what_tracks() {
        check("<a href=\"https://a.example/x?a=1&amp;utm_source=b\">c</a>", &["a.example/x?a=1"]);
        check(
            "<a href=\"https://a.example/x?a=1\" title=\"t\"> \n<img src=\"https://a.example/y?b=2\"></a>",
            &["https://a.example/x", "https://a.example/y"],
        );
        check(
            "href=\"https://a.example/x?a=1\" and src=\"https://a.example/y?b=2\"",
            &["a.example/x?a=1", "https://a.example/y"],
        );
        check("<a href=\"https://a.example/x?a=1\">c</a><img alt=\"\">", &["a.example/x?a=1"]);
    }
}
