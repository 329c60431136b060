//! The ids of feeds and sections: which characters they may have, and that each is unique.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::hash::Hash;

use super::mask::masked_urls;
use super::problem::Place;
use super::reader::{Fault, Node, Table};
use crate::feed::{FeedId, SectionId};
use crate::hook::HookId;
use crate::latin;

/// The longest id. It becomes a file name and a URL segment, which should stay short.
pub(super) const MAX_LENGTH: usize = 64;

/// Ids that no section may have: paths of the site, and names that the site may need later.
const RESERVED: [&str; 25] = [
    "about", "admin", "api", "archive", "assets", "atom", "feed", "feeds", "healthz", "help", "hub", "index", "login",
    "metrics", "newswire", "opml", "readyz", "robots", "rss", "search", "static", "status", "stories", "story",
    "websub",
];

/// Paths that pages of newswire have, or will have, beside a section's own. A section may keep such an id.
const SHARED: [&str; 3] = ["desk", "submit", "tags"];

/// Reads the `id` of a feed.
pub(super) fn feed(node: Node) -> Result<FeedId, Fault> {
    Ok(FeedId::from(checked(node.text()?, "-_.")?))
}

/// Reads the `id` of a section, which is part of its URLs.
pub(super) fn section(node: Node) -> Result<SectionId, Fault> {
    let text = node.text()?;
    if is_reserved(text) {
        let message = format!("the id `{text}` is reserved for a path of the site");
        return Err(Fault::new(message, format!("write \"{text}-news\"")));
    }
    if SHARED.contains(&text) {
        let fault = Fault::new(
            format!("newswire has pages of its own under /{text}/, and a section with this id can hide them"),
            format!("write id = \"{text}-news\" and formerly = [\"{text}\"]"),
        );
        node.reading.warn(&node.place(), fault);
    }
    Ok(SectionId::from(checked(text, "-")?))
}

/// Whether the text is a valid feed id.
pub(super) fn is_of_feed(text: &str) -> bool {
    checked(text, "-_.").is_ok()
}

/// Whether the text is a valid section id.
pub(super) fn is_of_section(text: &str) -> bool {
    !is_reserved(text) && checked(text, "-").is_ok()
}

/// Whether the text is reserved for a path of the site, so that no section can have it as its id.
pub(super) fn is_reserved(text: &str) -> bool {
    RESERVED.contains(&text)
}

/// Reads the `id` of a hook.
pub(super) fn hook(node: Node) -> Result<HookId, Fault> {
    Ok(HookId::from(checked(node.text()?, "-_.")?))
}

fn checked<'a>(text: &'a str, marks: &str) -> Result<&'a str, Fault> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = text.starts_with(is_plain) && text.chars().all(|c| is_plain(c) || marks.contains(c));
    if good && text.len() <= MAX_LENGTH {
        return Ok(text);
    }
    let slug = slug_of_words(text);
    let is_harmless = masked_urls(text) == text;
    let hint = (is_harmless && (1..=MAX_LENGTH).contains(&slug.len())).then(|| format!("write \"{slug}\""));
    let message =
        format!("an id has at most {MAX_LENGTH} characters of a-z, 0-9 and {marks}, and begins with a letter or digit");
    Err(Fault { message, hint })
}

/// Returns the words of a title or name, transliterated, with hyphens: `actualites`.
pub(super) fn slug_of_words(text: &str) -> String {
    latin::words(text).replace(' ', "-")
}

/// Returns the lower-case ASCII letters and digits of a text, with one hyphen for each run of other characters. Generated feed
/// ids depend on this, so it must not change.
pub(super) fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// The ids in use, each with its position.
pub(super) struct Ids<Id>(HashMap<Id, Place>);

impl<Id> Default for Ids<Id> {
    fn default() -> Self {
        Ids(HashMap::new())
    }
}

impl<Id: Clone + Eq + Hash + fmt::Display> Ids<Id> {
    /// Assigns the id to the table. If another table has the id, reports that and returns false.
    pub(super) fn claim(&mut self, id: &Id, table: &Table) -> bool {
        let Some(first) = self.take(id, table) else { return true };
        let place = table.place_of("id");
        let hint = format!("first used in {}", table.reading.location(&first, &place));
        table.reading.fail(&place, Fault::new(format!("the id `{id}` is used twice"), hint));
        false
    }

    /// Assigns the id to the table, or returns the position of the table that has the id already.
    pub(super) fn take(&mut self, id: &Id, table: &Table) -> Option<Place> {
        match self.0.entry(id.clone()) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(vacant) => {
                vacant.insert(table.place_of("id"));
                None
            }
        }
    }

    pub(super) fn has(&self, id: &Id) -> bool {
        self.0.contains_key(id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Id> {
        self.0.keys()
    }
}

/// The ids of all sections, including those with errors.
#[derive(Default)]
pub(super) struct SectionIds(pub Ids<SectionId>);

impl SectionIds {
    pub(super) fn find(&self, name: &str) -> Option<SectionId> {
        Some(SectionId::from(name)).filter(|id| self.0.has(id))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(SectionId::as_str)
    }
}
