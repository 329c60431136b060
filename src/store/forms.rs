//! The stored JSON of entries, of feeds' descriptions of themselves, and of polling hints.
//!
//! Each struct here is the stored form of a type and is used only for storing, so the type can change while its stored
//! form stays the same. The policy for these forms: fields are never removed or renamed, and new fields have a default,
//! so that older data stays readable. The tests have a sample of every version. When a value is written, its form
//! borrows the fields of the value. When a value is read, the fields of its form are moved into the value. Neither
//! copies any text.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Row;
use serde::{Deserialize, Serialize};
use url::Url;

use super::sql::text;
use crate::entry::{
    Category, Credit, Enclosure, Entry, EpisodeType, Guid, GuidKind, InReplyTo, NamedCopy, Person, Podcast, Source,
    Transcript,
};
use crate::feed::{FeedId, FeedInfo, PollHints};
use crate::rows::{PublicTerms, ShownCopy, ShownStory, feed_terms_hash};
use crate::time::Timestamp;

/// Returns an entry as JSON for the store.
pub fn encode_entry(entry: &Entry) -> Arc<str> {
    serde_json::to_string(&entry.lend()).expect("JSON can hold every value of an entry").into()
}

/// Reads an entry, whichever version of newswire wrote it.
///
/// # Errors
///
/// Returns an error if `json` is not the JSON of an entry.
pub fn decode_entry(json: &str) -> Result<Entry, serde_json::Error> {
    Ok(Entry::take(serde_json::from_str(json)?))
}

/// Returns the JSON in which the store has what a document says about its feed.
pub(super) fn encode_info(info: &FeedInfo) -> String {
    serde_json::to_string(&info.lend()).expect("JSON can hold every value of what a feed says")
}

/// Reads what a document says about its feed; empty if the JSON is unreadable.
pub(super) fn info(row: &Row, column: usize) -> rusqlite::Result<FeedInfo> {
    Ok(decode_info(text(row, column)?))
}

/// Reads what a document says about its feed; empty if the JSON is unreadable.
pub(super) fn decode_info(json: &str) -> FeedInfo {
    serde_json::from_str(json).map(FeedInfo::take).unwrap_or_default()
}

/// Returns polling hints as JSON for the store.
pub(super) fn encode_hints(hints: &PollHints) -> String {
    serde_json::to_string(&hints.lend()).expect("these are numbers")
}

/// Reads polling hints; empty if the JSON is unreadable.
pub(super) fn hints(row: &Row, column: usize) -> rusqlite::Result<PollHints> {
    Ok(serde_json::from_str(text(row, column)?).map(PollHints::take).unwrap_or_default())
}

/// Returns the stories of an archive document as JSON for the store.
pub(super) fn encode_stories<'s>(stories: impl IntoIterator<Item = &'s ShownStory>) -> Vec<u8> {
    let forms: Vec<ShownStoryV1> = stories.into_iter().map(ShownStory::lend).collect();
    serde_json::to_vec(&forms).expect("JSON can hold every value of a story")
}

/// Reads the stories of an archive document, whichever version of newswire wrote it.
///
/// # Errors
///
/// Returns an error if `json` is not the JSON of a list of stories.
pub(super) fn decode_stories(json: &[u8]) -> Result<Vec<ShownStory>, serde_json::Error> {
    Ok(Vec::take(serde_json::from_slice(json)?))
}

/// Returns the JSON in which the store has the part of a config that decides what is public.
pub(super) fn encode_terms(terms: &PublicTerms) -> String {
    let sections = terms.sections.iter().map(String::lend).collect();
    let feeds = terms.feeds.iter().map(|(feed, hash)| (feed.lend(), format!("{hash:016x}").into())).collect();
    serde_json::to_string(&PublicTermsV2 { sections, feeds }).expect("these are texts")
}

/// Reads the part of a config that decides what is public, whichever version of newswire wrote it. Returns `None` if
/// the JSON is unreadable.
pub(super) fn decode_terms(json: &str) -> Option<PublicTerms> {
    let Ok(PublicTermsV2 { sections, feeds }) = serde_json::from_str(json) else {
        return serde_json::from_str(json).ok().map(PublicTermsV1::hashed);
    };
    let feeds = feeds.into_iter().map(|(feed, hash)| Some((feed.into_owned(), u64::from_str_radix(&hash, 16).ok()?)));
    let sections = sections.into_iter().map(Cow::into_owned).collect();
    Some(PublicTerms { sections, feeds: feeds.collect::<Option<_>>()? })
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PublicTermsV2<'a> {
    sections: Vec<Cow<'a, str>>,
    feeds: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

/// The form in stores with schema version 9 or older: it lists the feeds of every section instead of hashes.
#[derive(Deserialize)]
struct PublicTermsV1<'a> {
    #[serde(default)]
    sections: Vec<(Cow<'a, str>, BTreeSet<Cow<'a, str>>)>,
    #[serde(default)]
    republish: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl PublicTermsV1<'_> {
    fn hashed(self) -> PublicTerms {
        let PublicTermsV1 { sections, republish } = self;
        let hash = |(feed, republish): (&Cow<str>, &Cow<str>)| {
            let taking = sections.iter().filter(|(_, feeds)| feeds.contains(feed)).map(|(id, _)| &**id);
            (feed.clone().into_owned(), feed_terms_hash(republish, taking))
        };
        let feeds = republish.iter().map(hash).collect();
        PublicTerms { sections: sections.iter().map(|(id, _)| id.clone().into_owned()).collect(), feeds }
    }
}

/// A type that is stored as JSON. `Form` is the stored form of the type.
trait Kept {
    type Form<'a>
    where
        Self: 'a;

    fn lend(&self) -> Self::Form<'_>;
    fn take(form: Self::Form<'_>) -> Self;
}

/// The form of a field that is left out of the JSON if it is absent, empty or `false`.
trait Absent {
    fn is_absent(&self) -> bool;
}

impl<T> Absent for Option<T> {
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

impl<T> Absent for Vec<T> {
    fn is_absent(&self) -> bool {
        self.is_empty()
    }
}

impl Absent for bool {
    fn is_absent(&self) -> bool {
        !self
    }
}

/// Implements [`Kept`] for types whose form borrows the value.
macro_rules! kept_borrowed {
    ($($word:ty as $borrowed:ty),*) => {$(
        impl Kept for $word {
            type Form<'a> = Cow<'a, $borrowed>;

            fn lend(&self) -> Cow<'_, $borrowed> {
                Cow::Borrowed(self)
            }

            fn take(form: Cow<'_, $borrowed>) -> $word {
                form.into_owned()
            }
        }
    )*};
}

kept_borrowed!(String as str, Url as Url);

macro_rules! kept_as_it_is {
    ($($word:ty),*) => {$(
        impl Kept for $word {
            type Form<'a> = $word;

            fn lend(&self) -> $word {
                *self
            }

            fn take(form: $word) -> $word {
                form
            }
        }
    )*};
}

kept_as_it_is!(Timestamp, bool, u8, u64);

impl<T: Kept> Kept for Option<T> {
    type Form<'a>
        = Option<T::Form<'a>>
    where
        T: 'a;

    fn lend(&self) -> Option<T::Form<'_>> {
        self.as_ref().map(T::lend)
    }

    fn take(form: Option<T::Form<'_>>) -> Option<T> {
        form.map(T::take)
    }
}

impl<T: Kept> Kept for Vec<T> {
    type Form<'a>
        = Vec<T::Form<'a>>
    where
        T: 'a;

    fn lend(&self) -> Vec<T::Form<'_>> {
        self.iter().map(T::lend).collect()
    }

    fn take(form: Vec<T::Form<'_>>) -> Vec<T> {
        form.into_iter().map(T::take).collect()
    }
}

/// A guid kind is stored as one word, such as `guid`.
impl Kept for GuidKind {
    type Form<'a> = Cow<'a, str>;

    fn lend(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }

    fn take(form: Cow<'_, str>) -> GuidKind {
        GuidKind::from_name(&form)
    }
}

/// The kind of an episode is stored as one word, such as `bonus`.
impl Kept for EpisodeType {
    type Form<'a> = Cow<'a, str>;

    fn lend(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.name())
    }

    fn take(form: Cow<'_, str>) -> EpisodeType {
        EpisodeType::named(&form).unwrap_or(EpisodeType::Full)
    }
}

impl Kept for FeedId {
    type Form<'a> = Cow<'a, str>;

    fn lend(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.as_str())
    }

    fn take(form: Cow<'_, str>) -> FeedId {
        FeedId::from(&*form)
    }
}

#[derive(Serialize, Deserialize)]
struct DurationV1 {
    secs: u64,
    #[serde(default)]
    nanos: u32,
}

impl Kept for Duration {
    type Form<'a> = DurationV1;

    fn lend(&self) -> DurationV1 {
        DurationV1 { secs: self.as_secs(), nanos: self.subsec_nanos() }
    }

    fn take(form: DurationV1) -> Duration {
        Duration::from_secs(form.secs).saturating_add(Duration::from_nanos(form.nanos.into()))
    }
}

/// Defines the form of a struct, with the same fields. Fields in square brackets may be absent or empty, and are then
/// left out of the JSON.
macro_rules! form {
    ($form:ident of $word:ident { $($needed:ident: $needed_type:ty,)* } [ $($(#[$attribute:meta])* $field:ident: $type:ty,)* ]) => {
        #[derive(Serialize, Deserialize)]
        struct $form<'a> {
            $($needed: <$needed_type as Kept>::Form<'a>,)*
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Absent::is_absent")]
                $field: <$type as Kept>::Form<'a>,
            )*
        }

        impl Kept for $word {
            type Form<'a> = $form<'a>;

            fn lend(&self) -> $form<'_> {
                $form { $($needed: self.$needed.lend(),)* $($field: self.$field.lend(),)* }
            }

            fn take(form: $form<'_>) -> $word {
                $word {
                    $($needed: <$needed_type as Kept>::take(form.$needed),)*
                    $($field: <$type as Kept>::take(form.$field),)*
                }
            }
        }
    };
}

form!(GuidV1 of Guid { value: String, kind: GuidKind, } []);

form!(PersonV1 of Person {} [
    name: Option<String>,
    email: Option<String>,
    url: Option<Url>,
]);

form!(CategoryV1 of Category { term: String, } [
    scheme: Option<String>,
    label: Option<String>,
]);

form!(EnclosureV1 of Enclosure { url: Url, } [
    #[serde(rename = "type")]
    media_type: Option<String>,
    bytes: Option<u64>,
    duration_seconds: Option<u64>,
    title: Option<String>,
    repeats_picture: bool,
]);

form!(InReplyToV1 of InReplyTo { id: String, } [
    url: Option<Url>,
]);

form!(CreditV1 of Credit { name: String, } [
    role: Option<String>,
    url: Option<Url>,
]);

form!(SourceV1 of Source {} [
    title: Option<String>,
    url: Option<Url>,
    id: Option<String>,
    site: Option<Url>,
    updated: Option<Timestamp>,
    authors: Vec<Person>,
    rights: Option<String>,
]);

form!(NamedCopyV1 of NamedCopy { url: Url, } [
    feed: Option<String>,
    title: Option<String>,
    published: Option<Timestamp>,
]);

form!(TranscriptV1 of Transcript { url: Url, } [
    #[serde(rename = "type")]
    media_type: Option<String>,
    language: Option<String>,
]);

form!(PodcastV1 of Podcast {} [
    duration_seconds: Option<u64>,
    image: Option<Url>,
    episode: Option<u64>,
    season: Option<u64>,
    explicit: Option<bool>,
    episode_type: Option<EpisodeType>,
    transcripts: Vec<Transcript>,
    chapters: Option<Transcript>,
]);

form!(EntryV1 of Entry { guid: Guid, title: String, } [
    link: Option<Url>,
    original: Option<Url>,
    summary_html: Option<String>,
    content_html: Option<String>,
    published: Option<Timestamp>,
    updated: Option<Timestamp>,
    authors: Vec<Person>,
    contributors: Vec<Person>,
    categories: Vec<Category>,
    enclosures: Vec<Enclosure>,
    image: Option<Url>,
    comments: Option<Url>,
    language: Option<String>,
    rights: Option<String>,
    license: Option<Url>,
    in_reply_to: Vec<InReplyTo>,
    credits: Vec<Credit>,
    source: Option<Source>,
    podcast: Option<Podcast>,
    copies: Vec<NamedCopy>,
]);

form!(ShownCopyV1 of ShownCopy { feed: FeedId, title: String, published: Timestamp, lead: bool, } [
    url: Option<Url>,
]);

form!(ShownStoryV1 of ShownStory {
    id: String,
    slug: String,
    sort_at: Timestamp,
    published: Timestamp,
    updated: Timestamp,
    entry: Entry,
    byline: String,
    source: Source,
} [
    categories: Vec<Category>,
    via: Vec<Person>,
    copies: Vec<ShownCopy>,
]);

form!(FeedInfoV1 of FeedInfo {} [
    title: Option<String>,
    site: Option<Url>,
    id: Option<String>,
    description: Option<String>,
    language: Option<String>,
    rights: Option<String>,
    license: Option<Url>,
    updated: Option<Timestamp>,
    authors: Vec<Person>,
    image: Option<Url>,
    self_link: Option<Url>,
    hubs: Vec<Url>,
    cloud: Option<Url>,
    next: Option<Url>,
    prev_archive: Option<Url>,
]);

form!(PollHintsV1 of PollHints {} [
    ttl: Option<Duration>,
    period: Option<Duration>,
    skip_hours: Vec<u8>,
    skip_days: Vec<u8>,
]);

#[cfg(test)]
mod tests {
    use super::*;

    /// Version 1 of the form. Schema versions up to 3 wrote the same fields in another order.
    const ENTRY: &str = r#"{"guid":{"value":"7","kind":"guid"},"title":"A & \"B\"","link":"https://a.example/7",
        "original":"https://b.example/7","summary_html":"<p>S</p>","content_html":"<p>C</p>","published":"2018-01-01T00:00:00Z",
        "updated":"2018-01-02T00:00:00Z","authors":[{"name":"A","email":"a@a.example","url":"https://a.example/"}],
        "contributors":[{"name":"B"}],"categories":[{"term":"t","scheme":"s","label":"l"}],
        "enclosures":[{"url":"https://a.example/1.mp3","type":"audio/mpeg","bytes":7,"duration_seconds":8,"title":"E"}],
        "image":"https://a.example/i.png","comments":"https://a.example/c","language":"en","rights":"R",
        "license":"https://a.example/l","in_reply_to":[{"id":"6","url":"https://a.example/6"}],
        "credits":[{"name":"C","role":"guest","url":"https://c.example/"}],
        "source":{"title":"S","url":"https://s.example/feed","id":"s","site":"https://s.example/",
          "updated":"2018-01-03T00:00:00Z","authors":[{"name":"D"}],"rights":"SR"},
        "podcast":{"duration_seconds":9,"image":"https://a.example/p.png","episode":1,"season":2,"explicit":true,
          "transcripts":[{"url":"https://a.example/t","type":"text/vtt","language":"en"}],"chapters":{"url":"https://a.example/ch"}},
        "copies":[{"url":"https://c.example/7","feed":"c","title":"C","published":"2018-01-04T00:00:00Z"}]}"#;

    const INFO: &str = r#"{"title":"T","site":"https://a.example/","id":"i","description":"D","language":"en","rights":"R",
        "license":"https://a.example/l","updated":"2018-01-01T00:00:00Z","authors":[{"name":"A"}],
        "image":"https://a.example/i.png","self_link":"https://a.example/feed","hubs":["https://h.example/"],
        "cloud":"https://c.example/","next":"https://a.example/2","prev_archive":"https://a.example/1"}"#;

    /// A story as an archive document contains it. Each document is a list of such stories.
    const STORY: &str = r#"{"id":"urn:a","slug":"a-1","sort_at":"2018-01-01T00:00:00Z","published":"2018-01-01T00:00:00Z",
        "updated":"2018-01-02T00:00:00Z","entry":{"guid":{"value":"7","kind":"guid"},"title":"A"},"byline":"by A",
        "source":{"title":"S"},"categories":[{"term":"t"}],"via":[{"name":"B"}],"copies":[{"feed":"a","title":"The A",
        "published":"2018-01-01T00:00:00Z","lead":true,"url":"https://a.example/7"}]}"#;

    fn compact(json: &str) -> String {
        json.lines().map(str::trim).collect()
    }

    #[test]
    fn stored_form_of_entries_is_unchanged() {
        let entry = decode_entry(ENTRY).unwrap();
        assert_eq!(*encode_entry(&entry), compact(ENTRY));
        assert_eq!(decode_entry(&compact(ENTRY)).unwrap(), entry);
        assert_eq!((entry.podcast.as_ref().unwrap().episode, entry.enclosures[0].bytes), (Some(1), Some(7)));
        let bare = r#"{"guid":{"value":"x","kind":"link"},"title":""}"#;
        assert_eq!(*encode_entry(&decode_entry(bare).unwrap()), *bare);
        assert!(decode_entry("{}").is_err());
    }

    #[test]
    fn stored_form_of_archived_stories_is_unchanged() {
        let json = format!("[{}]", compact(STORY));
        let stories = decode_stories(json.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(encode_stories(&stories)).unwrap(), json);
        assert_eq!((stories[0].copies[0].feed.as_str(), stories[0].copies[0].lead), ("a", true));
        // Schema versions up to 3 wrote `null` for a missing link.
        let null = json.replace(",\"url\":\"https://a.example/7\"", ",\"url\":null");
        assert_eq!(decode_stories(null.as_bytes()).unwrap()[0].copies[0].url, None);
    }

    #[test]
    fn stored_form_of_feed_infos_is_unchanged() {
        let info = decode_info(INFO);
        assert_eq!(encode_info(&info), compact(INFO));
        assert_eq!(info.hubs.len(), 1);
        assert_eq!(decode_info("{}"), FeedInfo::default());
        assert_eq!(decode_info("not JSON"), FeedInfo::default());
    }

    #[test]
    fn stored_form_of_public_terms_is_unchanged() {
        let json = r#"{"sections":["all","quiet"],"feeds":{"a":"6f9180609e1497d3","b":"054eeca4cae081f4"}}"#;
        let terms = decode_terms(json).unwrap();
        assert_eq!(encode_terms(&terms), json);
        assert_eq!(terms.feeds["a"], feed_terms_hash("full", ["all"]));
        let before = r#"{"sections":[["all",["a","b"]],["quiet",[]]],"republish":{"a":"full","b":"link"}}"#;
        assert_eq!(decode_terms(before), Some(terms));
        assert_eq!(decode_terms(r#"{"sections":[],"republish":{}}"#), Some(PublicTerms::default()));
        assert_eq!(decode_terms("not JSON"), None);
    }

    #[test]
    fn hints_of_every_version_are_read() {
        let check = |json: &str, expected: &PollHints| {
            let read = serde_json::from_str(json).map(PollHints::take).unwrap();
            assert_eq!(read, *expected, "{json}");
            assert_eq!(serde_json::from_str(&encode_hints(&read)).map(PollHints::take).unwrap(), read);
        };
        check(r#"{"skip_hours":[],"skip_days":[]}"#, &PollHints::default());
        check("{}", &PollHints::default());
        let hints = PollHints { ttl: Some(Duration::from_secs(3600)), skip_hours: vec![1, 2], ..PollHints::default() };
        check(r#"{"ttl":{"secs":3600,"nanos":0},"period":null,"skip_hours":[1,2],"skip_days":[]}"#, &hints);
        check(r#"{"ttl":{"secs":3600,"nanos":0},"skip_hours":[1,2]}"#, &hints);
    }
}
