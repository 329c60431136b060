//! The parts of an entry that are set aside while its fields are read, because the canonical Atom document cannot hold
//! them.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::atom::AtomWriter;
use super::constructs::{self, DefaultKind};
use super::model::{ParsedEnclosure, ParsedEntry, ParsedText};
use super::parts::{Dated, Target, TextAside};
use super::pictures::{self, Picture};
use super::tree::Element;

/// The most enclosures that are read from one entry.
const MAX_ENCLOSURES: usize = 500;

/// The most pictures of one entry that are compared with each other. Further pictures are treated like other files.
const MAX_PICTURES: usize = 64;

/// The parts of an entry that the canonical document cannot hold, or that depend on all of the entry's fields.
pub(super) struct EntryAside {
    /// The fields that are set aside. `read` adds the fields that come through the canonical document.
    pub entry: ParsedEntry,
    /// Whether the guid is also a URL. It is, unless the document denies it (`isPermaLink="false"`).
    pub permalink: bool,
    pub guid: Option<String>,
    /// The base of the entry's relative URLs if there is no `xml:base`.
    pub default_base: Option<Arc<Url>>,
    /// Whether the link is a relative URL, or there is no link.
    pub depends_on_site: bool,
    pub summary: TextAside,
    pub content: TextAside,
    /// Texts from media and itunes elements, used if the entry has no title or summary.
    pub other_title: Option<ParsedText>,
    pub other_summary: Option<ParsedText>,
    /// The text of an RSS `summary`. If an entry has both this text and a description, but no content, the description
    /// counts as the content.
    pub short_summary: Option<ParsedText>,
    about: Option<String>,
    /// The rare parts. They are boxed because few entries have any.
    pub rare: Option<Box<RareAside>>,
    /// The addresses where the entry says that it was first published, each with its rank. A lower rank is more
    /// reliable.
    pub originals: Vec<(u8, String)>,
    /// The index of each enclosure in `entry.enclosures`, by its URL.
    enclosures_at: HashMap<String, usize>,
    pub seen: SeenEntryFields,
    pub published: Dated,
    pub updated: Dated,
}

/// The parts that few entries have.
#[derive(Default)]
pub(super) struct RareAside {
    /// The `xml:lang` of the summary. That of the content takes precedence.
    pub summary_language: Option<String>,
    /// The address of the file itself, if the enclosure's address belongs to a service that counts downloads.
    pub original_enclosure: Option<String>,
    pub thumbnail: Option<String>,
    pictures: Vec<Picture>,
    /// The number of media groups so far.
    groups: usize,
}

/// Which fields were read already. If a field occurs several times, the first counts.
#[derive(Default)]
pub(super) struct SeenEntryFields {
    pub title: bool,
    pub summary: bool,
    pub content: bool,
    pub rights: bool,
}

impl EntryAside {
    /// Creates the parts of an entry that begins with `element`. `default_base` is the base URL of the entry if it has
    /// no `xml:base`.
    pub(super) fn new(element: &Element, default_base: Option<Arc<Url>>) -> Self {
        let about = element.prefixed_attribute("about").or(element.attribute("about"));
        let language = element.language.as_deref().map(str::to_owned);
        EntryAside {
            entry: ParsedEntry { language, ..ParsedEntry::default() },
            permalink: true,
            guid: None,
            default_base,
            depends_on_site: true,
            summary: TextAside::default(),
            content: TextAside::default(),
            other_title: None,
            other_summary: None,
            short_summary: None,
            about: about.map(str::to_owned),
            rare: None,
            originals: Vec::new(),
            enclosures_at: HashMap::new(),
            seen: SeenEntryFields::default(),
            published: Dated::default(),
            updated: Dated::default(),
        }
    }

    /// Finishes the entry: sets what depends on several of its fields.
    pub(super) fn finish(&mut self, out: &mut AtomWriter) {
        if let Some(published) = self.published.timestamp() {
            out.date("published", published);
        }
        if let Some(updated) = self.updated.timestamp() {
            out.date("updated", updated);
        }
        let rare = self.rare.take().unwrap_or_default();
        if !self.seen.content && rare.summary_language.is_some() {
            self.entry.language = rare.summary_language;
        }
        if let Some(original) = rare.original_enclosure {
            self.restore_enclosure(original);
        }
        let has_image = self.entry.image.is_some();
        let (image, pictures) = pictures::one_of_each(rare.pictures, has_image);
        self.entry.image = self.entry.image.take().or(image).or(rare.thumbnail);
        pictures.into_iter().for_each(|picture| self.push_enclosure(picture));
        if self.guid.is_none() {
            self.guid = self.about.take();
        }
        self.originals.sort_by_key(|&(rank, _)| rank);
        self.entry.originals = self.originals.drain(..).map(|(_, original)| original).collect();
    }

    /// Returns a new number, for a media group that begins.
    pub(super) fn next_group(&mut self) -> usize {
        let groups = &mut self.rare.get_or_insert_default().groups;
        *groups += 1;
        *groups
    }

    pub(super) fn push_picture(&mut self, picture: Picture) {
        let pictures = &mut self.rare.get_or_insert_default().pictures;
        if pictures.len() < MAX_PICTURES {
            pictures.push(picture);
        } else {
            self.push_enclosure(picture.file);
        }
    }

    /// Replaces an address that counts downloads with the original address of the file. Changes the enclosure with the
    /// same file name, or the only enclosure.
    fn restore_enclosure(&mut self, original: String) {
        let file_name =
            |url: &str| url.split(['?', '#']).next().and_then(|path| path.rsplit('/').next()).map(str::to_owned);
        let enclosures = &mut self.entry.enclosures;
        if enclosures.iter().any(|enclosure| enclosure.url == original) {
            return;
        }
        let same = enclosures.iter().position(|enclosure| file_name(&enclosure.url) == file_name(&original));
        match (same, enclosures.as_mut_slice()) {
            (Some(at), enclosures) => enclosures[at].url = original,
            (None, [only]) => only.url = original,
            _ => {}
        }
    }

    /// Sets the licence, unless there is one.
    pub(super) fn set_license(&mut self, license: Option<String>) {
        self.entry.license = self.entry.license.take().or(license);
    }

    /// Adds a file. If a file with this URL was added before, adds only the details that the earlier one lacks. An
    /// enclosure and a media element often name the same file.
    pub(super) fn push_enclosure(&mut self, enclosure: ParsedEnclosure) {
        let enclosures = &mut self.entry.enclosures;
        let Some(&at) = self.enclosures_at.get(&enclosure.url) else {
            if enclosures.len() < MAX_ENCLOSURES {
                self.enclosures_at.insert(enclosure.url.clone(), enclosures.len());
                enclosures.push(enclosure);
            }
            return;
        };
        let known = &mut enclosures[at];
        known.media_type = known.media_type.take().or(enclosure.media_type);
        known.bytes = known.bytes.or(enclosure.bytes);
        known.duration_seconds = known.duration_seconds.or(enclosure.duration_seconds);
        known.title = known.title.take().or(enclosure.title);
        known.repeats_picture &= enclosure.repeats_picture;
    }
}

/// Reads the text of an element into `place`, unless `place` holds a text already.
pub(super) fn set_text(place: &mut Option<ParsedText>, element: &Element, target: &mut Target) {
    if place.is_none() {
        *place = constructs::read(element, DefaultKind::Guess, target.repairs);
    }
}
