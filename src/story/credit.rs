//! Whether a copy names another copy's publication as its source: "appeared first on The Post", a byline "The Post", a
//! link to The Post's page at the end of the text.
//!
//! A guid or a recording at the other publication's site names it too.
//!
//! Such a copy says itself that it is not the original. It never suffices that a publication claims a text: the other
//! publication must name it. The name of a publication comes from the configuration and the address of its feed, not
//! from its document: so no feed can choose a title that happens to be in another feed's text. Names of one word are
//! too common to count.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use super::{link_keys, media};
use crate::entry::Entry;
use crate::link;
use crate::normalize;
use crate::text::scripts::is_half_word;

/// The most words before a text in which a credit is found, such as a byline.
const BEFORE: usize = 12;

/// The most words after a text in which a credit is found: an invitation to share it and a copyright may follow.
const BEHIND: usize = 40;

/// The most bytes at each end of a text that are searched.
const EDGE_BYTES: usize = 4096;

/// The fewest words or, in scripts without spaces, characters of a name.
const LEAST_WORDS: usize = 2;
const LEAST_CHARACTERS: usize = 3;

/// A host's name with fewer letters occurs by chance.
const LEAST_LABEL: usize = 7;

/// The most words of a name that is written as one word in a host.
const MOST_WORDS: usize = 5;

/// Separators between a publication's name and that of a section, or a headline.
const MARKS: [&str; 8] = [" | ", " – ", " — ", " - ", ": ", " :: ", "｜", "："];

/// Last words of feed titles that are not part of a name.
const FEED_WORDS: [&str; 3] = ["rss", "feed", "atom"];

/// The names of a publication.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Publication {
    /// The registrable domain of its site.
    domain: Option<String>,
    /// The domain's first part without hyphens, such as `wrongplatform`; empty if that is too short.
    label: String,
    /// The words of its name.
    name: Vec<String>,
}

impl Publication {
    /// Returns the publication of a feed with this configured title. `speaks_for` is the page for which the feed
    /// speaks; see `LeadCandidate`.
    pub fn of(speaks_for: Option<&Url>, title: Option<&str>) -> Publication {
        let domain = speaks_for.and_then(link::registrable_domain);
        let label = domain.as_deref().and_then(|domain| domain.split('.').next()).unwrap_or_default().replace('-', "");
        let label = if label.len() >= LEAST_LABEL { label } else { String::new() };
        let mut publication = Publication { domain, label, name: Vec::new() };
        publication.name = publication.name_in(title.unwrap_or_default());
        publication
    }

    /// Returns the part of a title that names the publication, not a section of it.
    fn name_in(&self, title: &str) -> Vec<String> {
        let mut names: Vec<_> = parts(title).into_iter().map(words).map(without_feed_words).collect();
        names.retain(|name| is_name(name));
        let is_of_host = |name: &Vec<String>| !self.label.is_empty() && name.concat() == self.label;
        let by_host = names.iter().find(|name| is_of_host(name)).cloned();
        by_host.or_else(|| names.into_iter().max_by_key(|name| name.concat().len())).unwrap_or_default()
    }

    /// Returns whether the text is the publication's name and nothing else, even if the name is the one word of its
    /// host.
    fn is(&self, text: &str) -> bool {
        let words = words(text);
        let is_host = || matches!(&*words, [word] if *word == self.label);
        is_host()
            || self.mentions(&words).any(|mention| {
                let article = words.len() - mention.1;
                mention.1 == words.len() || article == 1 && mention.0 == 1
            })
    }

    /// Returns the positions of the name in these words, each with the number of words.
    fn mentions<'w>(&'w self, words: &'w [String]) -> impl Iterator<Item = (usize, usize)> + 'w {
        let is_label = |run: &[String]| {
            let length: usize = run.iter().map(String::len).sum();
            length == self.label.len() && length > 0 && run.concat() == self.label
        };
        (0..words.len()).filter_map(move |at| {
            let rest = &words[at..];
            if !self.name.is_empty() && rest.starts_with(&self.name) {
                return Some((at, self.name.len()));
            }
            let most = MOST_WORDS.min(rest.len());
            (LEAST_WORDS..=most).find(|length| is_label(&rest[..*length])).map(|length| (at, length))
        })
    }

    /// Returns whether an address is at the publication's site.
    fn has(&self, url: &Url) -> bool {
        self.domain.is_some() && link::registrable_domain(url) == self.domain
    }
}

/// Returns whether one of two entries names the publication of the other as its source. Each is given with its own
/// publication.
pub fn is_credited(one: (&Entry, &Publication), other: (&Entry, &Publication)) -> bool {
    Said::by(one.0).credits(one.1, other) || Said::by(other.0).credits(other.1, one)
}

/// What an entry says about its source: read once, then compared with many publications.
pub(super) struct Said<'e> {
    entry: &'e Entry,
    /// The words before and after the entry's text, as far as a credit may be there.
    before: Vec<String>,
    behind: Vec<String>,
    /// The addresses of the links near the end of the text, and whether each is after the text.
    links: Vec<(Url, bool)>,
}

impl<'e> Said<'e> {
    /// Reads an entry.
    pub(super) fn by(entry: &'e Entry) -> Said<'e> {
        let (head, tail) = edges(text_of(entry));
        let (mut before, behind) = (words(normalize::plain_text(head)), words(normalize::plain_text(tail)));
        before.truncate(BEFORE);
        let is_behind = |rest: &str| words(normalize::plain_text(rest)).len() <= BEHIND;
        let links = links(tail).map(|(url, rest)| (url, is_behind(rest))).collect();
        let behind = behind[behind.len().saturating_sub(BEHIND)..].to_vec();
        Said { entry, before, behind, links }
    }

    /// Returns whether the entry, from `own`, names `publication`, which has `other`, as its source.
    pub(super) fn credits(&self, own: &Publication, (other, publication): (&Entry, &Publication)) -> bool {
        if own.domain == publication.domain {
            return false;
        }
        let is_source = self.entry.source.as_ref().is_some_and(|source| {
            let mut addresses = [source.site.as_ref(), source.url.as_ref()].into_iter().flatten();
            addresses.any(|url| publication.has(url))
                || source.title.as_deref().is_some_and(|title| publication.is(title))
        });
        let mut people = self.entry.authors.iter().chain(&self.entry.contributors);
        let heads = |entry: &Entry| {
            let parts = parts(&entry.title);
            parts.len() > 1 && parts.iter().any(|part| publication.is(part))
        };
        is_source
            || self.addresses().any(|address| publication.has(&address) && !own.has(&address))
            || people.any(|person| publication.is(person.display()))
            || heads(self.entry) && !heads(other)
            || self.links.iter().any(|(url, is_behind)| leads_to(url, *is_behind, (other, publication)))
            || self.mentions(other, publication)
    }

    /// Returns the entry's guid, if it is an address, and the addresses of its recordings: a copy keeps both.
    fn addresses(&self) -> impl Iterator<Item = Url> {
        let guid = Url::parse(&self.entry.guid.value).ok().filter(|guid| matches!(guid.scheme(), "http" | "https"));
        guid.into_iter().chain(media::addresses(&self.entry.enclosures))
    }

    /// Returns whether the entry names the publication before or after its text, and the other entry does not say the
    /// same: that would be a text about the publication, not from it.
    fn mentions(&self, other: &Entry, publication: &Publication) -> bool {
        let phrases = [&self.before, &self.behind].into_iter().flat_map(|words| {
            publication.mentions(words).map(|(at, length)| &words[at.saturating_sub(2)..at + length])
        });
        let mut phrases = phrases.peekable();
        if phrases.peek().is_none() || publication.mentions(&words(&self.entry.title)).next().is_some() {
            return false;
        }
        let others = words(normalize::plain_text(text_of(other)));
        phrases.any(|phrase| !others.windows(phrase.len()).any(|window| window == phrase))
    }
}

/// Returns whether an address leads to the publication's copy or, after the text, to its home page. A list of other
/// articles may follow a credit, so a link to the copy itself counts before it too.
fn leads_to(url: &Url, is_behind: bool, (other, publication): (&Entry, &Publication)) -> bool {
    let is_copy = |key: String| link_keys(other).iter().any(|known| known.key == key);
    publication.has(url) && link::key(url).map_or(is_behind, is_copy)
}

fn text_of(entry: &Entry) -> &str {
    entry.content_html.as_deref().or(entry.summary_html.as_deref()).unwrap_or_default()
}

/// Returns the beginning and the end of a text, as far as they are searched.
fn edges(html: &str) -> (&str, &str) {
    let end = html.floor_char_boundary(EDGE_BYTES.min(html.len()));
    let start = html.ceil_char_boundary(html.len().saturating_sub(EDGE_BYTES));
    // A cut tag would be read as text.
    let start = if start == 0 { 0 } else { html[start..].find('<').map_or(html.len(), |at| start + at) };
    (&html[..end], &html[start..])
}

static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<a [^>]*?href="([^"]*)"[^>]*>"#).expect("the pattern is constant"));

/// Returns the addresses that a text links to, each with the text after it.
fn links(html: &str) -> impl Iterator<Item = (Url, &str)> {
    LINK.captures_iter(html).filter_map(|link| {
        let address = html_escape::decode_html_entities(link.get(1)?.as_str()).into_owned();
        Some((Url::parse(&address).ok()?, &html[link.get(0)?.end()..]))
    })
}

/// Returns a title's parts between separators.
fn parts(title: &str) -> Vec<&str> {
    let mut parts = vec![title];
    for mark in MARKS {
        parts = parts.into_iter().flat_map(|part| part.split(mark)).collect();
    }
    parts
}

fn words(text: impl AsRef<str>) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    for character in text.as_ref().chars() {
        let is_whole = is_half_word(character);
        if is_whole || !character.is_alphanumeric() {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        match character.is_alphanumeric() {
            true if is_whole => words.push(character.to_string()),
            true => word.extend(character.to_lowercase()),
            false => {}
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

fn without_feed_words(mut name: Vec<String>) -> Vec<String> {
    while name.last().is_some_and(|word| FEED_WORDS.contains(&word.as_str())) {
        name.pop();
    }
    name
}

fn is_name(words: &[String]) -> bool {
    let is_whole = words.iter().all(|word| word.chars().all(is_half_word));
    words.len() >= if is_whole { LEAST_CHARACTERS } else { LEAST_WORDS }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POST: &str = "https://harbourpost.example/feed";
    const WIRE: &str = "https://wire.example/feed";

    fn entry(value: serde_json::Value) -> Entry {
        let mut entry = serde_json::json!({ "guid": { "value": "1", "kind": "guid" }, "title": "Old quay opens" });
        entry.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
        serde_json::from_value(entry).unwrap()
    }

    /// Returns whether an entry of the wire credits the feed at this address with this title, whose own entry has this
    /// text.
    fn credits(value: serde_json::Value, (feed, title): (&str, Option<&str>), text: &str) -> bool {
        let (wire, feed) = (Url::parse(WIRE).unwrap(), Url::parse(feed).unwrap());
        let other = entry(serde_json::json!({ "link": feed.join("/2017/quay").unwrap(), "content_html": text }));
        let (own, publication) = (Publication::of(Some(&wire), None), Publication::of(Some(&feed), title));
        Said::by(&entry(value)).credits(&own, (&other, &publication))
    }

    #[test]
    fn copy_that_names_another_publication_credits_it() {
        let story = "<p>The old quay opens in April, says the chairwoman of the board.</p>";
        let check = |value: serde_json::Value, title: Option<&str>, expected: bool| {
            assert_eq!(credits(value.clone(), (POST, title), story), expected, "{value} {title:?}");
        };
        let behind = |credit: &str| serde_json::json!({ "content_html": format!("{story}<p>{credit}</p>") });
        let by = |name: &str| serde_json::json!({ "content_html": story, "authors": [{ "name": name }] });
        check(behind(""), None, false);
        // These entries name the publication as its host does.
        check(behind("The post Old quay opens appeared first on Harbour Post."), None, true);
        check(behind("(Harbour Post)"), None, true);
        check(by("The Harbour Post"), None, true);
        check(by("HarbourPost"), None, true);
        check(by("Ann Harbour, post office"), None, false);
        check(serde_json::json!({ "content_html": story, "title": "Harbour Post: Old quay opens" }), None, true);
        // These entries use the configured name, without its sections.
        check(behind("Zuerst erschienen bei Hafen Aktuell"), None, false);
        check(behind("Zuerst erschienen bei Hafen Aktuell"), Some("Sport | Hafen Aktuell"), true);
        check(behind("Zuerst erschienen bei Hafen Aktuell"), Some("Hafen Aktuell: Kultur RSS"), true);
        check(behind("原载：独立评论。"), Some("科学 | 独立评论"), true);
        check(behind("Zuerst erschienen bei Hafenaktuell"), Some("Hafen Aktuell"), false);
        check(by("Hafen Aktuell"), Some("Hafen Aktuell"), true);
        // These entries link to the publication's home page or to its copy.
        check(behind("<a href=\"https://www.harbourpost.example/\">Source</a>"), None, true);
        check(behind("<a href=\"https://harbourpost.example/2017/quay?utm_source=rss\">Source</a>"), None, true);
        check(behind("<a href=\"https://harbourpost.example/2016/crane\">More</a>"), None, false);
        check(serde_json::json!({ "source": { "site": "https://harbourpost.example/" } }), None, true);
        // By what a copy keeps: the guid and the recording.
        let guid = |guid: &str| serde_json::json!({ "guid": { "value": guid, "kind": "guid" } });
        check(guid("https://harbourpost.example/?p=7"), None, true);
        check(guid("https://wire.example/?p=7"), None, false);
        let file = |url: &str| serde_json::json!({ "enclosures": [{ "url": url }] });
        check(file("https://count.example/r.mp3/files.harbourpost.example/7.mp3"), None, true);
        check(file("https://harbourpost.example/7.jpg"), None, false);
        check(file("https://files.wire.example/7.mp3"), None, false);
    }

    #[test]
    fn name_that_is_told_of_is_no_credit() {
        let check = |text: &str, title: Option<&str>, others: &str, expected: bool| {
            let value = serde_json::json!({ "content_html": text });
            assert_eq!(credits(value, (POST, title), others), expected, "{text} {title:?}");
        };
        let story = "<p>The Harbour Post gets a new owner in April, says the board.</p>";
        check(story, None, story, false);
        check(&format!("{story}<p>From The Harbour Post.</p>"), None, story, true);
        // A name of one word occurs everywhere.
        check("<p>The quay opens. (Lantern)</p>", Some("Lantern"), "<p>The quay opens.</p>", false);
        // In the middle of a long text, a name is not a credit, and neither is a link.
        let long = "word ".repeat(60);
        let told = format!("<p>{long} told the Harbour Post {long}</p>");
        check(&told, None, "<p>word</p>", false);
        let linked = format!("<p>{long} <a href=\"https://harbourpost.example/\">the paper</a> {long}</p>");
        check(&linked, None, "<p>word</p>", false);
    }

    #[test]
    fn publication_does_not_credit_itself() {
        let (wire, sport) = (Url::parse(WIRE).unwrap(), Url::parse("https://sport.wire.example/feed").unwrap());
        let said =
            entry(serde_json::json!({ "content_html": "<p>Quay.</p><a href=\"https://wire.example/\">Wire</a>" }));
        let (own, other) = (Publication::of(Some(&wire), None), Publication::of(Some(&sport), None));
        assert!(!Said::by(&said).credits(&own, (&said, &other)));
    }
}
