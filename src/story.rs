//! Which story an entry belongs to, which of its copies leads, and under which id it is published.
//!
//! Pure: values in, values out. The policy held here: one story is told once, but a false merge is worse than a missed one;
//! a link joins only copies of which at least one has no words of its own; no feed can take the lead from the copy at the
//! original's own host, whatever its document claims; a published id is minted once and from nothing that may change.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use crate::entry::{Entry, Guid, GuidKind};
use crate::link;
use crate::time::Timestamp;

/// How many words that the other lacks make a copy's text its own: a link blog's comment on an article is such a text.
const OWN_WORDS: usize = 40;

/// How many characters of the title a slug may hold, so that a URL can be read at a glance.
const SLUG_CHARS: usize = 60;

/// Why a copy belongs to its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinReason {
    /// It is the entry that the story was made for.
    First,
    /// Its link is the link of a copy.
    Link,
    /// The original that it declares is the link of a copy, or the other way round.
    Original,
}

impl JoinReason {
    pub fn as_str(self) -> &'static str {
        match self {
            JoinReason::First => "first",
            JoinReason::Link => "link",
            JoinReason::Original => "original",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        [JoinReason::First, JoinReason::Link, JoinReason::Original].into_iter().find(|reason| reason.as_str() == name)
    }
}

/// One address by which an entry can be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKey {
    /// As [`link::key`] makes it.
    pub key: String,
    /// Whether it is the declared original and not the entry's own link.
    pub original: bool,
}

/// The keys of an entry's link and of its declared original, without repeats; empty where neither is specific.
pub fn link_keys(entry: &Entry) -> Vec<LinkKey> {
    let own = entry.link.as_ref().and_then(link::key);
    let original = entry.original.as_ref().and_then(link::key).filter(|key| Some(key) != own.as_ref());
    let own = own.map(|key| LinkKey { key, original: false });
    own.into_iter().chain(original.map(|key| LinkKey { key, original: true })).collect()
}

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

/// What decides the lead, of one copy.
#[derive(Clone, Copy, Debug)]
pub struct LeadCandidate<'a> {
    pub entry: &'a Entry,
    /// The page that the feed speaks for: its own URL, or the configured `site` of a `file:` feed.
    pub speaks_for: Option<&'a Url>,
    pub priority: i64,
    pub first_seen: Timestamp,
}

/// By which rule a copy leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LeadRule {
    Only,
    OriginalHost,
    Priority,
    FullText,
    FirstSeen,
}

impl LeadRule {
    /// The rule as a sentence's end: "it leads because …".
    pub fn why(self) -> &'static str {
        match self {
            LeadRule::Only => "it is the only copy",
            LeadRule::OriginalHost => "its feed is at the original's own host",
            LeadRule::Priority => "its feed has the higher priority",
            LeadRule::FullText => "it has the full text",
            LeadRule::FirstSeen => "it was seen first",
        }
    }
}

/// Which of a story's copies leads, as an index, and by which rule.
///
/// In this order: the copy at the original's own host; the higher priority; the full text before a summary of the same
/// link; the first seen; the first in the given order.
///
/// # Panics
///
/// If there are no copies: a story has at least one.
pub fn lead(copies: &[LeadCandidate]) -> (usize, LeadRule) {
    assert!(!copies.is_empty(), "a story has at least one copy");
    let rank = |copy: &LeadCandidate| {
        let has_text = copy.entry.content_html.is_some();
        (!is_at_home(copy), std::cmp::Reverse(copy.priority), !has_text, copy.first_seen)
    };
    let best = (0..copies.len()).min_by_key(|&at| rank(&copies[at])).expect("there is at least one copy");
    let Some(second) = (0..copies.len()).filter(|&at| at != best).min_by_key(|&at| rank(&copies[at])) else {
        return (best, LeadRule::Only);
    };
    let (first, second) = (rank(&copies[best]), rank(&copies[second]));
    let rule = match () {
        () if first.0 != second.0 => LeadRule::OriginalHost,
        () if first.1 != second.1 => LeadRule::Priority,
        () if first.2 != second.2 => LeadRule::FullText,
        () => LeadRule::FirstSeen,
    };
    (best, rule)
}

/// Whether the feed stands at the host of the page that its entry was first published on. What the document claims of
/// itself counts for nothing: only the feed's own address does.
fn is_at_home(copy: &LeadCandidate) -> bool {
    let page = copy.entry.original.as_ref().or(copy.entry.link.as_ref()).and_then(link::registrable_domain);
    let feed = copy.speaks_for.and_then(link::registrable_domain);
    page.is_some() && page == feed
}

/// The id that an entry's guid gives by itself: the guid, byte for byte, if it is an absolute IRI of a kind that readers
/// take for an id (RFC 4287 §4.2.6).
pub fn own_id(guid: &Guid) -> Option<&str> {
    let value = guid.value.as_str();
    let scheme = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let is_legal = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    let is_iri = matches!(scheme.as_str(), "http" | "https" | "tag" | "urn")
        && value.len() <= 1024
        && value.chars().all(is_legal)
        && Url::parse(value).is_ok();
    (guid.kind == GuidKind::Guid && is_iri).then_some(value)
}

/// The id minted where the guid gives none, or another story owns it: `urn:uuid:`, version 5 of the feed's address and the
/// guid, so that any newswire mints the same.
pub fn minted_id(feed_url: &Url, guid: &Guid) -> String {
    let name = format!("{feed_url}\n{}", guid.value);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).urn().to_string()
}

/// The last part of a story's own address, such as `us-war-on-isis-3061`: words of the title, then the story's number,
/// which makes it unique.
pub fn slug(title: &str, number: i64) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() > SLUG_CHARS {
            break;
        }
        slug.push_str(&word.to_ascii_lowercase());
        slug.push('-');
    }
    slug.push_str(&number.to_string());
    slug
}

/// The number in a [`slug`], whatever the words before it.
pub fn slug_number(slug: &str) -> Option<i64> {
    slug.rsplit('-').next()?.parse().ok().filter(|number| *number > 0)
}
