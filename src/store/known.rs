//! What the store knows that bears on a document: its feed's entries, and entries of any feed that may tell the same.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Row, params};

use crate::config::Dedup;
use crate::entry::Entry;
use crate::feed::FeedId;
use crate::story::Wording;
use crate::text::PlainText;
use crate::time::Timestamp;
use crate::update::{
    self, FormerEntry, Known, KnownEntry, Linked, MAX_REVISIONS, OtherEntry, PolledEntry, is_flood, sort_at,
};

use super::document::Document;
use super::{StoreError, signature};

/// How many entries with the same link are compared with a new one at most; a link that more have is a page of its own.
const LINKED_AT_MOST: i64 = 16;

/// How many of a feed's entries are looked through where it seems to have changed all its guids.
const FORMER_AT_MOST: i64 = 5_000;

impl Document<'_> {
    pub(super) fn known(&self, entries: &[PolledEntry], listed: &HashSet<i64>) -> Result<Known, StoreError> {
        let mut known = Known { feed: self.number, ..Known::default() };
        let has_entries = !listed.is_empty() || self.has_entries()?;
        if has_entries {
            known.entries = self.known_entries(entries)?;
            known.former = self.former(entries, &known.entries, listed)?;
        }
        let mut others = Others { document: self, known: &mut known, places: HashMap::new() };
        if self.terms().by_links {
            for entry in entries {
                others.find(entry)?;
            }
        }
        if !known.others.is_empty() {
            known.apart = self.apart()?;
        }
        Ok(known)
    }

    fn has_entries(&self) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM entry WHERE feed = ?1 LIMIT 1")?;
        Ok(statement.exists([self.number])?)
    }

    /// By the guids that they have, else by those that they had.
    fn known_entries(&self, entries: &[PolledEntry]) -> Result<HashMap<String, KnownEntry>, StoreError> {
        const COLUMNS: &str = "SELECT number, story, raw_hash, fingerprint, revisions, purged FROM entry";
        let mut by_guid = self.connection.prepare_cached(&format!("{COLUMNS} WHERE feed = ?1 AND guid = ?2"))?;
        let mut by_alias = self.connection.prepare_cached(&format!(
            "{COLUMNS} WHERE number = (SELECT entry FROM entry_alias WHERE feed = ?1 AND guid = ?2)"
        ))?;
        let mut known = HashMap::new();
        for entry in entries {
            let key = params![self.number, entry.guid];
            let row = match by_guid.query_row(key, |row| known_entry(row, false)).optional()? {
                Some(row) => Some(row),
                None => by_alias.query_row(key, |row| known_entry(row, true)).optional()?,
            };
            if let Some(row) = row {
                known.insert(entry.guid.clone(), row);
            }
        }
        Ok(known)
    }

    /// The feed's entries that have just left the document; all of them where it seems to have changed its guids.
    fn former(
        &self,
        entries: &[PolledEntry],
        known: &HashMap<String, KnownEntry>,
        listed: &HashSet<i64>,
    ) -> Result<Vec<FormerEntry>, StoreError> {
        let unknown = entries.iter().filter(|entry| !known.contains_key(&entry.guid)).count();
        if unknown == 0 {
            return Ok(Vec::new());
        }
        let here: HashSet<i64> = known.values().map(|entry| entry.number).collect();
        let mut numbers: Vec<i64> = if is_flood(unknown, entries.len()) {
            let mut statement = self
                .connection
                .prepare_cached("SELECT number FROM entry WHERE feed = ?1 ORDER BY number DESC LIMIT ?2")?;
            let numbers = statement.query_map([self.number, FORMER_AT_MOST], |row| row.get(0))?;
            numbers.collect::<Result<_, _>>()?
        } else {
            listed.iter().copied().collect()
        };
        numbers.retain(|number| !here.contains(number));
        numbers.sort_unstable();
        numbers.into_iter().map(|number| self.former_entry(number)).collect()
    }

    fn former_entry(&self, number: i64) -> Result<FormerEntry, StoreError> {
        let mut keys = self.connection.prepare_cached("SELECT key FROM link WHERE entry = ?1 ORDER BY key")?;
        let link_keys = keys.query_map([number], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.story, entry.guid, entry.fingerprint, body.value
             FROM entry LEFT JOIN body ON body.entry = entry.number WHERE entry.number = ?1",
        )?;
        let (story, guid, fingerprint, body) = statement.query_row([number], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, i64>(2)?.cast_unsigned(), row.get::<_, Option<String>>(3)?))
        })?;
        let entry: Option<Entry> = body.map(|body| serde_json::from_str(&body)).transpose()?;
        Ok(FormerEntry {
            number,
            story,
            guid,
            fingerprint,
            link_keys,
            published: entry.as_ref().and_then(|entry| entry.published),
            wording: entry.as_ref().map(wording),
        })
    }

    fn apart(&self) -> Result<HashSet<(i64, i64)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT a, b FROM verdict WHERE kind = 'split'")?;
        let pairs = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(pairs.collect::<Result<_, _>>()?)
    }
}

fn known_entry(row: &Row, is_alias: bool) -> rusqlite::Result<KnownEntry> {
    Ok(KnownEntry {
        number: row.get(0)?,
        story: row.get(1)?,
        raw_hash: row.get::<_, i64>(2)?.cast_unsigned(),
        fingerprint: row.get::<_, i64>(3)?.cast_unsigned(),
        revisions: row.get(4)?,
        is_alias,
        is_purged: row.get(5)?,
    })
}

pub fn wording(entry: &Entry) -> Wording {
    Wording::of(&entry.title, &PlainText::of(entry))
}

/// The entries that may tell the same as one of the document, each read once.
struct Others<'a> {
    document: &'a Document<'a>,
    known: &'a mut Known,
    /// Where in [`Known::others`] an entry is; `None` where it takes no part.
    places: HashMap<i64, Option<usize>>,
}

impl Others<'_> {
    fn find(&mut self, polled: &PolledEntry) -> Result<(), StoreError> {
        let Some(cleaned) = &polled.cleaned else { return Ok(()) };
        let before = self.known.entries.get(&polled.guid).copied();
        if before.is_some_and(|before| before.fingerprint == cleaned.fingerprint || before.revisions >= MAX_REVISIONS) {
            return Ok(());
        }
        let own = before.map(|before| before.number);
        for key in &cleaned.link_keys {
            let linked = self.linked(&key.key, own)?;
            if !linked.is_empty() {
                self.known.links.insert(key.key.clone(), linked);
            }
        }
        if before.is_none() {
            let bearers = self.published(&polled.guid)?;
            if !bearers.is_empty() {
                self.known.published.insert(polled.guid.clone(), bearers);
            }
        }
        let terms = self.document.terms();
        if terms.by_text {
            let sort_at = update::sort_at(&cleaned.entry, terms.now);
            let times = (sort_at, terms.now);
            let alike = signature::candidates(self.document.connection, times, terms.window, &cleaned.wording)?;
            let alike = self.places(alike.into_iter().filter(|number| Some(*number) != own))?;
            if !alike.is_empty() {
                self.known.alike.insert(polled.guid.clone(), alike);
            }
        }
        Ok(())
    }

    /// The entries that have a link as a specific one.
    fn linked(&mut self, key: &str, own: Option<i64>) -> Result<Vec<Linked>, StoreError> {
        let mut statement = self
            .document
            .connection
            .prepare_cached("SELECT entry, original FROM link WHERE key = ?1 AND specific ORDER BY entry LIMIT ?2")?;
        let rows = statement.query_map(params![key, LINKED_AT_MOST], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let mut linked = Vec::new();
        for (number, original) in rows.collect::<Result<Vec<(i64, bool)>, _>>()? {
            let place = if Some(number) == own { None } else { self.place(number)? };
            linked.extend(place.map(|at| Linked { at, original }));
        }
        Ok(linked)
    }

    /// The copies of the story that is published under an id, or keeps it to itself.
    fn published(&mut self, id: &str) -> Result<Vec<usize>, StoreError> {
        let mut statement = self.document.connection.prepare_cached(
            "SELECT entry.number FROM story JOIN entry ON entry.story = coalesce(story.joined_into, story.number)
             WHERE story.public_id = ?1 OR story.number = (SELECT kept_id.story FROM kept_id WHERE kept_id.id = ?1)
             ORDER BY entry.number LIMIT ?2",
        )?;
        let numbers = statement.query_map(params![id, LINKED_AT_MOST], |row| row.get(0))?;
        let numbers = numbers.collect::<Result<Vec<i64>, _>>()?;
        self.places(numbers.into_iter())
    }

    fn places(&mut self, numbers: impl Iterator<Item = i64>) -> Result<Vec<usize>, StoreError> {
        let mut places = Vec::new();
        for number in numbers {
            places.extend(self.place(number)?);
        }
        Ok(places)
    }

    fn place(&mut self, number: i64) -> Result<Option<usize>, StoreError> {
        if let Some(place) = self.places.get(&number) {
            return Ok(*place);
        }
        let place = self.read(number)?.map(|other| {
            self.known.others.push(other);
            self.known.others.len() - 1
        });
        self.places.insert(number, place);
        Ok(place)
    }

    /// `None` where the entry's words are gone, or its feed takes no part.
    fn read(&self, number: i64) -> Result<Option<OtherEntry>, StoreError> {
        let mut statement = self.document.connection.prepare_cached(
            "SELECT entry.story, entry.feed, entry.first_seen, feed.id, body.value
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.number = ?1 AND feed.removed IS NULL",
        )?;
        let mut rows = statement.query([number])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let feed = FeedId::from(row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?);
        let dedup = self.document.config.feed(&feed).map_or(Dedup::Off, |feed| feed.dedup);
        if dedup == Dedup::Off {
            return Ok(None);
        }
        let entry: Entry = serde_json::from_str(row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?)?;
        Ok(Some(OtherEntry {
            number,
            story: row.get(0)?,
            feed: row.get(1)?,
            by_text: dedup == Dedup::Text,
            sort_at: sort_at(&entry, Timestamp::from_millis(row.get(2)?)),
            wording: wording(&entry),
            link: entry.link,
            language: entry.language,
        }))
    }
}
