//! Reads the member `_newswire` of the JSON feeds that newswire publishes. It holds everything for which JSON Feed has
//! no member.
//!
//! `render` writes it. If the feed is read back, each story keeps its source, rights, licence, "via", categories and
//! copies (the same news in other feeds). `_newswire` is trusted as little as the same elements of Atom.

use super::{Author, MAX_PARTS, number, people, plain};
use crate::entry::{Category, EpisodeType, SourcePlace};
use crate::parse::dates;
use crate::parse::lenient::{Flag, List, OfText, Rare, Text, object};
use crate::parse::model::{
    ParsedAddition, ParsedCopy, ParsedCredit, ParsedEntry, ParsedInReplyTo, ParsedInfo, ParsedPerson, ParsedPodcast,
    ParsedSource, ParsedTranscript,
};
use crate::parse::person;

object! {
    pub(super) struct OurDocument {
        id: Text,
        updated: Text,
        rights: Text,
    }
}

object! {
    #[derive(Hash)]
    pub(super) struct OurItem {
        authors: List<Author, MAX_PARTS>,
        via: List<Author, MAX_PARTS>,
        categories: List<Term, MAX_PARTS>,
        comments: Text,
        rights: Text,
        license: Text,
        in_reply_to: List<Reply, MAX_PARTS>,
        credits: List<OurCredit, MAX_PARTS>,
        source: Rare<OurSource>,
        copies: List<OtherCopy, MAX_PARTS>,
        podcast: Rare<OurPodcast>,
        source_in: Rare<OurAddition>,
    }
}

object! {
    #[derive(Hash)]
    struct OurAddition {
        place: Text,
        publication: Text,
    }
}

/// An e-mail address. JSON Feed has no member for it.
#[derive(Hash)]
pub(super) struct Email(Text);

impl<'de> serde::Deserialize<'de> for Email {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Text::deserialize(deserializer).map(Email)
    }
}

impl OfText for Email {
    fn of_text(text: Text) -> Option<Self> {
        Some(Email(text))
    }
}

object! {
    #[derive(Hash)]
    struct Term {
        term: Text,
        scheme: Text,
        label: Text,
    }
}

object! {
    #[derive(Hash)]
    struct Reply {
        id: Text,
        url: Text,
    }
}

object! {
    #[derive(Hash)]
    struct OurCredit {
        name: Text,
        role: Text,
        url: Text,
    }
}

object! {
    #[derive(Hash)]
    struct OurSource {
        id: Text,
        title: Text,
        url: Text,
        site: Text,
        updated: Text,
        authors: List<Author, MAX_PARTS>,
        rights: Text,
    }
}

object! {
    #[derive(Hash)]
    struct OtherCopy {
        feed: Text,
        title: Text,
        url: Text,
        published: Text,
        lead: Flag,
        source: Flag,
    }
}

object! {
    #[derive(Hash)]
    struct OurPodcast {
        duration_seconds: Text,
        image: Text,
        episode: Text,
        season: Text,
        explicit: Flag,
        episode_type: Text,
        transcripts: List<File, MAX_PARTS>,
        chapters: Rare<File>,
    }
}

object! {
    #[derive(Hash)]
    struct File {
        url: Text,
        r#type: Text,
        language: Text,
    }
}

/// Implements [`OfText`] for objects that cannot be written as a plain string.
macro_rules! never_a_text {
    ($($name:ident),*) => {
        $(impl OfText for $name {
            fn of_text(_: Text) -> Option<Self> {
                None
            }
        })*
    };
}

never_a_text!(OurAddition, OurDocument, OurItem, Term, Reply, OurCredit, OurSource, OtherCopy, OurPodcast, File);

/// Returns what `_newswire` says about the feed itself.
pub(super) fn info(ours: OurDocument) -> ParsedInfo {
    ParsedInfo {
        id: ours.id.0,
        rights: plain(ours.rights),
        updated: ours.updated.0.as_deref().and_then(dates::parse),
        ..ParsedInfo::default()
    }
}

/// Adds to an entry what `_newswire` says about it. A category in `_newswire` replaces the tag with the same term,
/// because only the category can have a scheme.
pub(super) fn add(ours: OurItem, entry: &mut ParsedEntry) {
    let categories: Vec<Category> = ours.categories.kept.into_iter().filter_map(category).collect();
    entry.categories.retain(|tag| categories.iter().all(|category| category.term != tag.term));
    entry.categories.splice(0..0, categories);
    let authors = people(ours.authors);
    entry.added = ours.source_in.0.map(|added| Box::new(self::added(*added, &authors)));
    // With the publication as the only author, there is no plain author.
    let is_added = |added: &ParsedAddition| added.place == Some(SourcePlace::Author);
    if !authors.is_empty() || entry.added.as_deref().is_some_and(is_added) {
        entry.authors = authors;
    }
    entry.contributors = people(ours.via);
    entry.comments = ours.comments.0;
    entry.rights = plain(ours.rights);
    entry.license = ours.license.0;
    entry.in_reply_to = ours.in_reply_to.kept.into_iter().filter_map(reply).collect();
    entry.credits = ours.credits.kept.into_iter().filter_map(credit).collect();
    entry.source = ours.source.0.map(|source| Box::new(self::source(*source)));
    entry.source = entry.source.take().filter(|source| **source != ParsedSource::default());
    let others = ours.copies.kept.into_iter().filter(|copy| copy.lead.0 != Some(true));
    entry.copies = others.filter_map(copy).collect();
    entry.originals.extend(entry.copies.iter().map(|copy| copy.url.clone()));
    entry.podcast = ours.podcast.0.map(|podcast| Box::new(self::podcast(*podcast)));
}

pub(super) fn email(email: Email) -> Option<String> {
    email.0.0.as_deref().and_then(person::email)
}

fn added(added: OurAddition, authors: &[ParsedPerson]) -> ParsedAddition {
    ParsedAddition {
        place: added.place.0.as_deref().and_then(SourcePlace::named),
        publication: added.publication.0.unwrap_or_default(),
        authors: authors.iter().map(|author| author.name.clone().unwrap_or_default()).collect(),
    }
}

fn category(term: Term) -> Option<Category> {
    Some(Category { term: term.term.0?, scheme: term.scheme.0, label: term.label.0 })
}

fn reply(reply: Reply) -> Option<ParsedInReplyTo> {
    Some(ParsedInReplyTo { id: reply.id.0?, url: reply.url.0 })
}

fn credit(credit: OurCredit) -> Option<ParsedCredit> {
    Some(ParsedCredit { name: credit.name.0?, role: credit.role.0, url: credit.url.0 })
}

fn source(source: OurSource) -> ParsedSource {
    ParsedSource {
        title: plain(source.title),
        url: source.url.0,
        id: source.id.0,
        site: source.site.0,
        updated: source.updated.0.as_deref().and_then(dates::parse),
        authors: people(source.authors),
        rights: plain(source.rights),
    }
}

fn copy(copy: OtherCopy) -> Option<ParsedCopy> {
    let published = copy.published.0.as_deref().and_then(dates::parse);
    // The feed that a link of the relation `via` leads to is unknown.
    let feed = copy.feed.0.filter(|_| copy.source.0 != Some(true));
    Some(ParsedCopy { url: copy.url.0?, feed, title: copy.title.0, published })
}

fn podcast(podcast: OurPodcast) -> ParsedPodcast {
    ParsedPodcast {
        duration_seconds: number(podcast.duration_seconds),
        image: podcast.image.0,
        episode: number(podcast.episode),
        season: number(podcast.season),
        explicit: podcast.explicit.0,
        episode_type: podcast.episode_type.0.as_deref().and_then(EpisodeType::named),
        transcripts: podcast.transcripts.kept.into_iter().filter_map(file).collect(),
        chapters: podcast.chapters.0.and_then(|chapters| file(*chapters)),
    }
}

fn file(file: File) -> Option<ParsedTranscript> {
    Some(ParsedTranscript { url: file.url.0?, media_type: file.r#type.0, language: file.language.0 })
}
