//! What is set aside of an entry while its fields are read.

use std::collections::HashMap;
use std::sync::Arc;

use url::Url;

use super::constructs::{self, Unsaid};
use super::model::{ParsedEnclosure, ParsedEntry, ParsedText};
use super::parts::{Dated, Target};
use super::tree::Element;

/// Files of one entry that are read.
const MAX_ENCLOSURES: usize = 500;

/// What of an entry has no place in the canonical document, or must be decided when all is read.
pub(super) struct EntryAside {
    /// Half of the entry; the other half comes through the canonical document.
    pub entry: ParsedEntry,
    /// Its guid is an address too, unless it says no.
    pub permalink: bool,
    pub guid: Option<String>,
    pub summary_base: Option<Arc<Url>>,
    pub content_base: Option<Arc<Url>>,
    /// What stands in where the entry has no title, or no summary: media and itunes elements.
    pub other_title: Option<ParsedText>,
    pub other_summary: Option<ParsedText>,
    /// What stands beside an RSS description, which then is the content.
    pub short_summary: Option<ParsedText>,
    about: Option<String>,
    /// With how sure each is; the lower the surer.
    pub originals: Vec<(u8, String)>,
    /// Where each enclosure is, by its address.
    enclosures_at: HashMap<String, usize>,
    pub seen: SeenEntryFields,
    pub published: Dated,
    pub updated: Dated,
}

/// Which fields were read already: the first of each counts.
#[derive(Default)]
pub(super) struct SeenEntryFields {
    pub title: bool,
    pub summary: bool,
    pub content: bool,
    pub rights: bool,
}

impl EntryAside {
    pub(super) fn new(element: &Element) -> Self {
        let about = element.prefixed_attribute("about").or(element.attribute("about"));
        let language = element.language.as_deref().map(str::to_owned);
        EntryAside {
            entry: ParsedEntry { language, ..ParsedEntry::default() },
            permalink: true,
            guid: None,
            summary_base: None,
            content_base: None,
            other_title: None,
            other_summary: None,
            short_summary: None,
            about: about.map(str::to_owned),
            originals: Vec::new(),
            enclosures_at: HashMap::new(),
            seen: SeenEntryFields::default(),
            published: Dated::default(),
            updated: Dated::default(),
        }
    }

    /// Decides what had to wait for the last field.
    pub(super) fn finish(&mut self, target: &mut Target) {
        if let Some(published) = self.published.timestamp() {
            target.out.date("published", published);
        }
        if let Some(updated) = self.updated.timestamp() {
            target.out.date("updated", updated);
        }
        if self.guid.is_none() {
            self.guid = self.about.take();
        }
        self.originals.sort_by_key(|&(rank, _)| rank);
        self.entry.originals = self.originals.drain(..).map(|(_, original)| original).collect();
    }

    /// The first licence counts.
    pub(super) fn set_license(&mut self, license: Option<String>) {
        self.entry.license = self.entry.license.take().or(license);
    }

    /// One file is told once, whether as enclosure or as media; what the later one knows more is taken over.
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
    }
}

/// Sets a text aside, the first time that it is there.
pub(super) fn set_text(place: &mut Option<ParsedText>, element: &Element, target: &mut Target) {
    if place.is_none() {
        *place = constructs::read(element, Unsaid::Guess, target.repairs);
    }
}
