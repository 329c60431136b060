//! Everything that is served. Editions that did not change are shared with the previous publication.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, OnceLock};

use bytes::Bytes;

use super::edition::{Edition, FEED_FORMATS, path};
use super::shown_row::ShownRow;
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{self, Pages};
use crate::section::{ShownFeed, ShownStory};
use crate::time::Timestamp;

/// Everything that is served.
#[derive(Debug, Default)]
pub struct Editions {
    /// What depends only on the config and the templates.
    pub setting: Arc<SiteSetting>,
    /// The editions of each section, in the config's order; `None` for a section that was never rendered successfully.
    pub(super) sections: Vec<Option<Arc<SectionEditions>>>,
    pub(super) index: Option<Arc<Edition>>,
    /// Pages and archive documents that were requested since this publication, by path.
    pub(super) made: Mutex<HashMap<String, Arc<Edition>>>,
    /// The paths of the tags that have a page. They are computed at first use.
    pub(super) tags: OnceLock<BTreeSet<String>>,
}

/// What depends only on the config and the templates.
#[derive(Debug, Default)]
pub struct SiteSetting {
    /// The current id of each former section id.
    pub formerly: HashMap<String, SectionId>,
    /// The path of the document that each alias leads to.
    pub aliases: HashMap<String, String>,
    /// The ids of removed sections.
    pub gone: BTreeSet<String>,
    /// The sections by id. Readers of a private section need credentials.
    pub sections: HashMap<SectionId, Arc<Section>>,
    /// The key that signs the session cookies of readers.
    pub session_key: Vec<u8>,
    /// The pages that ask for credentials.
    pub private_pages: PrivatePages,
    /// The position of each section in the config.
    pub(super) positions: HashMap<String, usize>,
    /// The documents without stories, by path, such as the "about" page and the styles.
    pub(super) documents: HashMap<String, Arc<Edition>>,
    /// The config and the templates; `None` before the first publication.
    pub(super) made_for: Option<(Arc<Config>, Arc<Pages>)>,
}

/// The pages that ask for the credentials of a private section. They say nothing about the section.
#[derive(Clone, Debug, Default)]
pub struct PrivatePages {
    /// The page with the form for a token.
    pub asks_for_token: Bytes,
    /// The page with the form, after a wrong token.
    pub token_is_wrong: Bytes,
    /// The page for sections with a password. The browser itself asks for the password.
    pub asks_for_password: Bytes,
}

/// The editions of a section, and what the index shows of it.
#[derive(Clone, Debug)]
pub(super) struct SectionEditions {
    /// The documents: one for each of [`FEED_FORMATS`], then the page.
    pub documents: [Arc<Edition>; 4],
    /// The pages that continue the section's page, by number.
    pub continued: Vec<(u32, Arc<Edition>)>,
    /// The documents of its selections, such as the ranking, by path.
    pub selected: Vec<(String, Arc<Edition>)>,
    /// The first stories, for the index.
    pub first: Vec<ShownStory>,
    /// The feeds of these stories that have an image, for a front page with full posts (`front = "river"`).
    pub faces: Vec<ShownFeed>,
    /// All stories that the section shows.
    pub rows: Vec<ShownRow>,
    /// When one of its stories last changed.
    pub updated: Timestamp,
    pub archive_setting: ArchiveSetting,
    /// When a selection changes merely because time passes; `None` if no selection does.
    pub next_change: Option<Timestamp>,
}

/// What the archive documents of a section depend on besides their stories, such as its title and the rights of its
/// feeds.
#[derive(Clone, Debug)]
pub(super) struct ArchiveSetting {
    /// The hash of these values; empty if they come from a previous config.
    pub hash: Vec<u8>,
    pub changed: Timestamp,
}

impl Editions {
    /// Returns the edition at a path without the leading slash: `international.atom`, `international/`, or an empty
    /// path for the index.
    pub fn edition(&self, path: &str) -> Option<&Arc<Edition>> {
        match path {
            "" => self.index.as_ref(),
            _ => self.setting.documents.get(path).or_else(|| self.of_section(path)),
        }
    }

    fn of_section(&self, path: &str) -> Option<&Arc<Edition>> {
        let (id, rest) = path.split_at(path.find(['.', '/'])?);
        let document = match rest.strip_prefix('.') {
            Some(extension) => FEED_FORMATS.iter().position(|format| format.extension() == extension)?,
            None => FEED_FORMATS.len(),
        };
        let section = self.sections.get(*self.setting.positions.get(id)?)?.as_ref()?;
        if let Some(number) = rest.strip_prefix("/archive/") {
            let number = number.strip_suffix('/')?;
            let continued = section.continued.iter().find(|(known, _)| known.to_string() == number);
            return continued.map(|(_, page)| page);
        }
        if let Some((_, selected)) = section.selected.iter().find(|(known, _)| known == path) {
            return Some(selected);
        }
        section.documents.get(document).filter(|_| rest.starts_with('.') || rest == "/")
    }

    /// Returns all editions with their paths, in no particular order.
    pub fn all(&self) -> impl Iterator<Item = (String, &Arc<Edition>)> {
        let of_site = self.index.iter().map(|index| (String::new(), index));
        let unchanging = self.setting.documents.iter().map(|(path, edition)| (path.clone(), edition));
        let of_sections = self.setting.positions.iter().filter_map(|(id, position)| {
            let id = SectionId::from(&**id);
            let paths: Vec<_> =
                FEED_FORMATS.map(|format| path(&id, format)).into_iter().chain([format!("{id}/")]).collect();
            let section = self.sections.get(*position)?.as_ref()?;
            let continued = section.continued.iter();
            let continued = continued.map(move |(number, page)| (render::older_path(&id, *number), page));
            let selected = section.selected.iter().map(|(path, document)| (path.clone(), document));
            Some(paths.into_iter().zip(&section.documents).chain(continued).chain(selected))
        });
        of_site.chain(unchanging).chain(of_sections.flatten())
    }

    /// Returns the slugs of the stories that public sections show. A slug occurs once for each section that shows its
    /// story.
    pub fn shown(&self) -> impl Iterator<Item = &String> {
        self.sections.iter().flatten().filter(|section| section.is_public()).flat_map(|section| section.slugs())
    }

    /// Returns the sections that have a selection which changes until `now` merely because time passes.
    pub(super) fn aged(&self, now: Timestamp) -> impl Iterator<Item = SectionId> {
        let sections = self.setting.positions.iter().map(|(id, position)| (id, self.sections.get(*position)));
        let has_aged = move |section: &SectionEditions| section.next_change.is_some_and(|at| at <= now);
        let aged = sections.filter(move |(_, section)| section.and_then(Option::as_deref).is_some_and(has_aged));
        aged.map(|(id, _)| SectionId::from(&**id))
    }

    pub(super) fn section(&self, id: &SectionId) -> Option<&Arc<SectionEditions>> {
        self.sections.get(*self.setting.positions.get(id.as_str())?)?.as_ref()
    }

    /// Returns the current editions of a section, for use with a new config. If the new config makes the section
    /// private or public, the editions become so too. Returns `None` if the section has no editions.
    pub(super) fn kept(&self, section: &Section) -> Option<Arc<SectionEditions>> {
        let kept = self.section(&section.id)?;
        if kept.is_public() == section.is_public() {
            return Some(kept.clone());
        }
        let private = || section.access.is_some().then(|| section.id.clone());
        let changed = |edition: &Arc<Edition>| Arc::new(Edition { private: private(), ..(**edition).clone() });
        let documents = kept.documents.each_ref().map(changed);
        let continued = kept.continued.iter().map(|(number, page)| (*number, changed(page))).collect();
        let selected = kept.selected.iter().map(|(path, document)| (path.clone(), changed(document))).collect();
        Some(Arc::new(SectionEditions { documents, continued, selected, ..(**kept).clone() }))
    }
}

impl SectionEditions {
    /// Returns these editions for use with a new config, until the section is rendered for that config. The archive
    /// setting is then computed again.
    pub(super) fn of_former_config(&self) -> Arc<SectionEditions> {
        let archive_setting = ArchiveSetting { hash: Vec::new(), ..self.archive_setting.clone() };
        Arc::new(SectionEditions { archive_setting, ..self.clone() })
    }

    /// Returns the slugs of all stories that the section shows.
    pub(super) fn slugs(&self) -> impl Iterator<Item = &String> {
        self.rows.iter().map(|row| &row.slug)
    }

    pub(super) fn is_public(&self) -> bool {
        self.documents.iter().all(|edition| edition.private.is_none())
    }
}
