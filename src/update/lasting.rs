//! What of an entry lasts: the part of its content whose change is a revision.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use crate::entry::Entry;
use crate::link;
use crate::text::PlainText;

/// Lines with more words are told, whatever numbers are in them: "passed by 12 votes".
const COUNTER_LINE_WORDS: usize = 12;

/// Counters of views, comments and shares, which change without anything being said anew.
static COUNTER: LazyLock<Regex> = LazyLock::new(|| {
    let nouns = "views?|reads?|comments?|replies|reply|responses?|shares?|likes?|claps?|reactions?|points?|votes?|upvotes?|\
                 retweets?|kommentare?|aufrufe|commentaires?|vues|partages|comentarios?|vistas|visitas|комментари(?:й|я|ев)|просмотр(?:ов|а)?";
    Regex::new(&format!(r"(?i)\b\d[\d.,]*\s*(?:k\s*)?(?:{nouns})\b|\b(?:{nouns})\s*[:(]\s*\d[\d.,]*k?\)?"))
        .expect("the pattern is constant")
});

/// Lines that sell something.
static ADVERTISEMENT: LazyLock<Regex> = LazyLock::new(|| {
    let marks = "advertisement|advertorial|sponsored(?: by| content| post)?|anzeige|werbung|publicité|publicidad|annonce|реклама|広告|广告";
    Regex::new(&format!(r"(?i)^\W*(?:{marks})(?:\W|$)")).expect("the pattern is constant")
});

/// Addresses in markup: changing one changes what is said, unlike the markup around it.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"href="([^"]*)"([^>]*>\s*<img)?|src="([^"]*)""#).expect("the pattern is constant"));

/// A hash of the lasting content of an entry: title, link, text, addresses in the text, authors, categories, enclosures;
/// neither `updated`, nor white space, nor markup, nor counters of views, comments and shares, nor advertisements.
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
        for address in ADDRESS.captures_iter(html.as_deref().unwrap_or_default()) {
            add(&lasting_address(&address));
        }
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

/// The address of a link or picture. The parameters of pictures, and of links around them, choose advertisements and count
/// readers; those of other links only track.
fn lasting_address(address: &Captures) -> String {
    let without_parameters = |address: &str| address.split(['?', '#']).next().unwrap_or_default().to_owned();
    match (address.get(1), address.get(2), address.get(3)) {
        (Some(link), None, _) => {
            let key = Url::parse(&html_escape::decode_html_entities(link.as_str())).ok().as_ref().and_then(link::key);
            key.unwrap_or_else(|| link.as_str().to_owned())
        }
        (Some(address), Some(_), _) | (None, _, Some(address)) => without_parameters(address.as_str()),
        (None, _, None) => String::new(),
    }
}

/// A text without counters and advertisements, its white space in one form.
fn lasting(text: &str) -> String {
    let mut lasting = String::with_capacity(text.len());
    for line in text.lines().filter(|line| !ADVERTISEMENT.is_match(line)) {
        let may_count = || line.contains(char::is_numeric) && line.split_whitespace().nth(COUNTER_LINE_WORDS).is_none();
        let line = if may_count() { COUNTER.replace_all(line, " ") } else { line.into() };
        for word in line.split_whitespace() {
            lasting.push_str(word);
            lasting.push(' ');
        }
    }
    lasting
}
