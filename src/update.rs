//! What a poll changes: the decision, as a value.
//!
//! [`plan`] gets what a document brought and what the store knows, and says for each entry whether it is new, revised or
//! unchanged, and which story a new one belongs to. It never touches the store, the network or the clock; whoever applies
//! the plan does so in the same transaction that gave [`Known`], so that two polls with one story cannot both make it.
//!
//! The policy held here: only a change of lasting content makes an entry revised; an entry that revises itself for ever is
//! applied at most [`MAX_REVISIONS`] times; a link joins only if it is specific to its entry.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;

use regex::Regex;
use url::Url;
use xxhash_rust::xxh3::Xxh3;

use crate::entry::Entry;
use crate::feed::{FeedId, FeedInfo, PollHints, Validators};
use crate::schedule::next::NextPoll;
use crate::story::{self, JoinReason, LinkKey};
use crate::text::PlainText;
use crate::time::Timestamp;

/// How often an entry's changes are applied. Whoever changes a text more often than daily for three weeks has put a clock
/// into it.
pub const MAX_REVISIONS: u32 = 24;

/// One attempt at one feed, failed ones too: everything that the store has to write for it.
#[derive(Debug)]
pub struct Polled {
    pub feed: FeedId,
    /// When the attempt began.
    pub at: Timestamp,
    pub duration_ms: u64,
    /// The HTTP status, if a server answered.
    pub status: Option<u16>,
    pub outcome: Outcome,
    pub next: NextPoll,
    /// Failed attempts in a row, this one counted.
    pub failures: u32,
    /// Entries a day that the feed publishes, as far as is known.
    pub per_day: Option<f64>,
    /// Where it began instead of the feed's own address, which had moved for good.
    pub start: Option<Url>,
    /// Where a chain of only permanent redirects led.
    pub permanent: Option<Url>,
    /// Scheme, host and port that answered, if they are everybody's: what a hold of the whole host is kept by.
    pub public_origin: Option<String>,
}

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// 304, or a file that did not change.
    NotModified {
        validators: Validators,
    },
    Document(Box<PolledDocument>),
    /// Nothing could be read; what was known stays.
    Failed {
        kind: &'static str,
        error: String,
    },
    /// 410: polling stops until it is forced.
    Gone {
        error: String,
    },
}

/// A document that was read.
#[derive(Debug)]
pub struct PolledDocument {
    /// `None` where the document was cut off: then the next poll must read it whole.
    pub validators: Option<Validators>,
    pub info: FeedInfo,
    /// In the document's order; guids are unique.
    pub entries: Vec<PolledEntry>,
    /// How often it asks to be polled; holds until the next document.
    pub hints: PollHints,
    /// What had to be mended to read it, and what else an editor should know.
    pub repairs: Vec<String>,
    /// Whether nothing of it was known before though the feed was: entries may have been missed.
    pub has_gap: bool,
    /// Whether its guids had to be told apart by their links; stays with the feed.
    pub guids_repaired: bool,
}

/// An entry of a document.
#[derive(Debug)]
pub struct PolledEntry {
    pub guid: String,
    /// Over all that the feed wrote for it.
    pub raw_hash: u64,
    /// Cleaned; `None` where the store knew this very `raw_hash` and nothing can have changed.
    pub cleaned: Option<Box<Cleaned>>,
}

/// An entry with what is computed from it once, off the writer's thread.
#[derive(Debug)]
pub struct Cleaned {
    pub entry: Entry,
    pub text: PlainText,
    pub fingerprint: u64,
    pub link_keys: Vec<LinkKey>,
}

impl Cleaned {
    pub fn new(entry: Entry) -> Self {
        let text = PlainText::of(&entry);
        let fingerprint = fingerprint(&entry, &text);
        let link_keys = story::link_keys(&entry);
        Cleaned { entry, text, fingerprint, link_keys }
    }
}

/// What the store knows that bears on a poll.
#[derive(Debug, Default)]
pub struct Known {
    /// Of this feed, by guid.
    pub entries: HashMap<String, KnownEntry>,
    /// Of all feeds, by link key: the entries for which that link is specific.
    pub links: HashMap<String, Vec<LinkedEntry>>,
}

/// An entry that the store has.
#[derive(Clone, Copy, Debug)]
pub struct KnownEntry {
    pub number: i64,
    pub story: i64,
    pub raw_hash: u64,
    pub fingerprint: u64,
    pub revisions: u32,
}

/// An entry that has a link in common with one of the document.
#[derive(Clone, Debug)]
pub struct LinkedEntry {
    pub number: i64,
    pub story: i64,
    /// Whether it is of the feed that was polled.
    pub same_feed: bool,
    /// Whether it has this link as its declared original, not as its own.
    pub original: bool,
    /// All of its plain text.
    pub text: String,
}

/// What is to be done for one entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Nothing at all.
    Unchanged {
        number: i64,
    },
    /// Other bytes, the same lasting content: only the hash is written, so that it is not cleaned again.
    Touched {
        number: i64,
    },
    /// New words for a known entry.
    Revised {
        number: i64,
        story: i64,
    },
    /// It has changed too often: written, so that it is not cleaned again, but not applied.
    Restless {
        number: i64,
    },
    New {
        join: Join,
    },
}

/// The story that a new entry belongs to.
#[derive(Clone, Debug, PartialEq)]
pub enum Join {
    NewStory,
    Story { story: i64, reason: JoinReason },
}

/// What is to be done for a document.
#[derive(Debug)]
pub struct Plan {
    /// One for each entry, in the document's order.
    pub changes: Vec<Change>,
    /// Link keys that several entries of the document have: they say nothing of any.
    pub shared: HashSet<String>,
}

/// Decides for every entry of a document; `joins` says whether its feed takes part in recognising stories.
pub fn plan(entries: &[PolledEntry], known: &Known, joins: bool) -> Plan {
    let shared = shared_keys(entries);
    let changes = entries.iter().map(|entry| change(entry, known, joins, &shared)).collect();
    Plan { changes, shared }
}

fn change(entry: &PolledEntry, known: &Known, joins: bool, shared: &HashSet<String>) -> Change {
    let before = known.entries.get(&entry.guid);
    match (before, &entry.cleaned) {
        (Some(before), None) => Change::Unchanged { number: before.number },
        (Some(before), Some(_)) if before.raw_hash == entry.raw_hash => Change::Unchanged { number: before.number },
        (Some(before), Some(cleaned)) if before.fingerprint == cleaned.fingerprint => {
            Change::Touched { number: before.number }
        }
        (Some(before), Some(_)) if before.revisions >= MAX_REVISIONS => Change::Restless { number: before.number },
        (Some(before), Some(_)) => Change::Revised { number: before.number, story: before.story },
        (None, Some(cleaned)) if joins => Change::New { join: join(cleaned, known, shared) },
        (None, _) => Change::New { join: Join::NewStory },
    }
}

fn shared_keys(entries: &[PolledEntry]) -> HashSet<String> {
    let mut seen = HashSet::new();
    let keys = entries.iter().filter_map(|entry| entry.cleaned.as_ref()).flat_map(|cleaned| &cleaned.link_keys);
    keys.filter(|key| !seen.insert(key.key.as_str())).map(|key| key.key.clone()).collect()
}

/// The oldest story that a new entry has a specific link in common with, unless both say something of their own.
fn join(cleaned: &Cleaned, known: &Known, shared: &HashSet<String>) -> Join {
    let specific = cleaned.link_keys.iter().filter(|key| !shared.contains(&key.key));
    let alike = specific
        .flat_map(|key| known.links.get(&key.key).into_iter().flatten().map(move |linked| (key, linked)))
        .filter(|(_, linked)| !story::both_have_own_words(cleaned.text.all(), &linked.text));
    match alike.min_by_key(|(_, linked)| (linked.story, linked.number)) {
        Some((key, linked)) => {
            let reason = if key.original || linked.original { JoinReason::Original } else { JoinReason::Link };
            Join::Story { story: linked.story, reason }
        }
        None => Join::NewStory,
    }
}

/// Counters of views, comments and shares, which change without anything being said anew.
static COUNTER: LazyLock<Regex> = LazyLock::new(|| {
    let nouns = "views?|reads?|comments?|replies|reply|responses?|shares?|likes?|claps?|reactions?|points?|votes?|upvotes?|\
                 retweets?|kommentare?|aufrufe|commentaires?|vues|partages|comentarios?|vistas|visitas|комментари(?:й|я|ев)|просмотр(?:ов|а)?";
    Regex::new(&format!(r"(?i)\b\d[\d.,]*\s*(?:k\s*)?(?:{nouns})\b|\b(?:{nouns})\s*[:(]\s*\d[\d.,]*k?\)?"))
        .expect("the pattern is constant")
});

/// Addresses in markup: changing one changes what is said, unlike the markup around it.
static ADDRESS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?:href|src)="([^"]*)""#).expect("the pattern is constant"));

/// A hash of the lasting content of an entry: title, link, text, addresses in the text, authors, categories, enclosures;
/// neither `updated`, nor white space, nor markup, nor counters of views, comments and shares.
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
            add(&address[1]);
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

/// A text without counters, its white space in one form.
fn lasting(text: &str) -> String {
    COUNTER.replace_all(text, " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
