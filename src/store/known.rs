//! What the store knows that bears on a document: its feed's entries, and entries of any feed that may tell the same.

use std::collections::{HashMap, HashSet};
use std::ops::RangeInclusive;

use rusqlite::{OptionalExtension, Row, params};

use crate::config::Dedup;
use crate::entry::{Entry, GuidKind};
use crate::feed::FeedId;
use crate::link;
use crate::newsroom::{
    self, FormerEntry, Known, KnownEntry, Linked, MAX_REVISIONS, OtherEntry, Plan, PolledEntry, is_flood, sort_at,
};
use crate::story::Wording;
use crate::text::PlainText;
use crate::time::Timestamp;

use super::copies::has_copy_of;
use super::document::Document;
use super::{StoreError, signature};

/// How many entries with the same link are compared with a new one at most; a link that more have is a page of its own.
const LINKED_AT_MOST: i64 = 16;

/// How many of a feed's entries are looked through where it seems to have changed all its guids: twice those of its document,
/// but so many at least and at most.
const FORMER: RangeInclusive<usize> = 1_000..=5_000;

/// How many bytes of them are read: some thousand articles.
const FORMER_BYTES: usize = 8 * 1024 * 1024;

/// How many bytes are read of entries that may tell the same as those of one run.
const OTHERS_BYTES: usize = 8 * 1024 * 1024;

impl Document<'_> {
    /// What is known of the feed's own entries.
    pub(super) fn known(&self, entries: &[PolledEntry], listed: &HashSet<i64>) -> Result<Known, StoreError> {
        let mut known = Known { feed: self.number, ..Known::default() };
        if !listed.is_empty() || self.has_entries()? {
            known.entries = self.known_entries(entries)?;
            known.former = self.former(entries, &known.entries, listed)?;
        }
        Ok(known)
    }

    /// Loads the entries that may tell the same as one of this run, in place of those of the run before.
    pub(super) fn load_others(&self, run: &[PolledEntry], plan: &Plan, known: &mut Known) -> Result<(), StoreError> {
        known.others.clear();
        known.links.clear();
        known.alike.clear();
        known.published.clear();
        known.own_stories.clear();
        if !self.terms().by_links {
            return Ok(());
        }
        let finder = signature::Finder::new(self.connection, self.number);
        let mut others =
            Others { document: self, plan, known, finder, places: HashMap::new(), told: HashSet::new(), bytes: 0 };
        for entry in run {
            others.find(entry)?;
        }
        Ok(())
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

    /// The feed's entries that have just left the document, and those that have a plainer guid, or the link, of an unknown one;
    /// all of them where it seems to have changed its guids. Besides, those that the document lists under a guid that they had.
    /// Of more than [`FORMER_BYTES`] the newest.
    fn former(
        &self,
        entries: &[PolledEntry],
        known: &HashMap<String, KnownEntry>,
        listed: &HashSet<i64>,
    ) -> Result<Vec<FormerEntry>, StoreError> {
        let aliases = known.values().filter(|entry| entry.is_alias).map(|entry| entry.number);
        let unknown = entries.iter().filter(|entry| !known.contains_key(&entry.guid)).count();
        if unknown == 0 {
            return aliases.map(|number| self.former_entry(number).map(|(former, _)| former)).collect();
        }
        let here: HashSet<i64> = known.values().map(|entry| entry.number).collect();
        let mut numbers: Vec<i64> = if is_flood(unknown, entries.len()) {
            let mut statement = self
                .connection
                .prepare_cached("SELECT number FROM entry WHERE feed = ?1 ORDER BY number DESC LIMIT ?2")?;
            let most = (2 * entries.len()).clamp(*FORMER.start(), *FORMER.end()) as i64;
            let numbers = statement.query_map([self.number, most], |row| row.get(0))?;
            numbers.collect::<Result<_, _>>()?
        } else {
            listed.iter().copied().collect()
        };
        numbers.extend(self.former_elsewhere(entries, known)?);
        numbers.retain(|number| !here.contains(number));
        numbers.extend(aliases);
        numbers.sort_unstable_by_key(|number| std::cmp::Reverse(*number));
        numbers.dedup();
        let (mut former, mut bytes) = (Vec::new(), 0);
        for number in numbers {
            let (entry, size) = self.former_entry(number)?;
            bytes += size;
            if bytes > FORMER_BYTES {
                break;
            }
            former.push(entry);
        }
        former.reverse();
        Ok(former)
    }

    /// The feed's entries, listed or not, that unknown entries of the document may be.
    fn former_elsewhere(
        &self,
        entries: &[PolledEntry],
        known: &HashMap<String, KnownEntry>,
    ) -> Result<Vec<i64>, StoreError> {
        let mut by_guid = self.connection.prepare_cached(
            "SELECT number FROM entry WHERE feed = ?1 AND guid = ?2
             UNION ALL SELECT entry FROM entry_alias WHERE feed = ?1 AND guid = ?2",
        )?;
        let mut by_link = self.connection.prepare_cached(
            "SELECT link.entry FROM link CROSS JOIN entry ON entry.number = link.entry
             WHERE link.key = ?1 AND link.specific AND entry.feed = ?2 LIMIT ?3",
        )?;
        let (mut numbers, mut looked_up) = (Vec::new(), HashSet::new());
        for entry in entries.iter().filter(|entry| !known.contains_key(&entry.guid)) {
            for guid in &entry.other_guids.plainer {
                let found = by_guid.query_map(params![self.number, guid], |row| row.get(0))?;
                numbers.extend(found.collect::<Result<Vec<i64>, _>>()?);
            }
            let keys = entry.cleaned.iter().flat_map(|cleaned| &cleaned.link_keys);
            for key in keys.filter(|key| looked_up.insert(key.key.as_str())) {
                let found = by_link.query_map(params![key.key, self.number, LINKED_AT_MOST], |row| row.get(0))?;
                numbers.extend(found.collect::<Result<Vec<i64>, _>>()?);
            }
        }
        Ok(numbers)
    }

    /// An entry of the feed, and how many bytes its words take.
    pub(super) fn former_entry(&self, number: i64) -> Result<(FormerEntry, usize), StoreError> {
        let mut keys =
            self.connection.prepare_cached("SELECT key, specific FROM link WHERE entry = ?1 ORDER BY key")?;
        let keys = keys.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let keys: Vec<(String, bool)> = keys.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.story, entry.guid, entry.guid_kind, entry.fingerprint, entry.revisions, body.value
             FROM entry LEFT JOIN body ON body.entry = entry.number WHERE entry.number = ?1",
        )?;
        let mut rows = statement.query([number])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let body = row.get_ref(5)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let size = body.map_or(0, str::len);
        let entry: Option<Entry> = body.map(serde_json::from_str).transpose()?;
        let former = FormerEntry {
            number,
            story: row.get(0)?,
            guid: row.get(1)?,
            guid_kind: GuidKind::from_name(row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?),
            fingerprint: row.get::<_, i64>(3)?.cast_unsigned(),
            revisions: row.get(4)?,
            specific_keys: keys.iter().filter(|(_, is_specific)| *is_specific).map(|(key, _)| key.clone()).collect(),
            link_keys: all_keys(keys.into_iter().map(|(key, _)| key).collect(), entry.as_ref()),
            published: entry.as_ref().and_then(|entry| entry.published),
            authors: entry.iter().flat_map(|entry| &entry.authors).map(|author| author.display().to_owned()).collect(),
            wording: entry.as_ref().map(wording),
        };
        Ok((former, size))
    }
}

/// The stored link keys of an entry, and that of its own link: one that very many entries share has no row.
fn all_keys(mut stored: Vec<String>, entry: Option<&Entry>) -> Vec<String> {
    let own = entry.and_then(|entry| entry.link.as_ref()).and_then(link::key);
    stored.extend(own.filter(|own| !stored.contains(own)));
    stored
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
    Wording::of(&entry.title, &PlainText::of(entry)).with_media(&entry.enclosures)
}

/// The entries that may tell the same as one of a run, each read once.
struct Others<'a> {
    document: &'a Document<'a>,
    plan: &'a Plan,
    known: &'a mut Known,
    finder: signature::Finder<'a>,
    /// The stories of which it was looked up whether they have a copy of this feed.
    told: HashSet<i64>,
    /// How many bytes were read.
    bytes: usize,
    /// Where in [`Known::others`] an entry is; `None` where it takes no part.
    places: HashMap<i64, Option<usize>>,
}

impl Others<'_> {
    fn find(&mut self, polled: &PolledEntry) -> Result<(), StoreError> {
        let Some(cleaned) = polled.cleaned.as_ref().filter(|_| !self.plan.is_rekeyed(&polled.guid)) else {
            return Ok(());
        };
        let before = self.known.entries.get(&polled.guid).copied();
        if before.is_some_and(|before| before.fingerprint == cleaned.fingerprint || before.revisions >= MAX_REVISIONS) {
            return Ok(());
        }
        let own = before.map(|before| before.number);
        for key in cleaned.link_keys.iter().filter(|key| !self.plan.shared_keys().contains(&key.key)) {
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
            let sort_at = newsroom::sort_at(&cleaned.entry, terms.now);
            let times = (sort_at, terms.now);
            let alike = self.finder.candidates(times, terms.window, &cleaned.wording)?;
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
        let other = self.read(number)?;
        if let Some(story) = other.as_ref().map(|other| other.story).filter(|story| self.told.insert(*story))
            && has_copy_of(self.document.connection, story, self.document.number)?
        {
            self.known.own_stories.insert(story);
        }
        let place = other.map(|other| {
            self.known.others.push(other);
            self.known.others.len() - 1
        });
        self.places.insert(number, place);
        Ok(place)
    }

    /// `None` where the entry's words are gone, its feed takes no part, or enough was read for this run.
    fn read(&mut self, number: i64) -> Result<Option<OtherEntry>, StoreError> {
        let mut statement = self.document.connection.prepare_cached(
            "SELECT entry.story, entry.feed, entry.first_seen, feed.id, body.value, entry.fingerprint
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
        let body = row.get_ref(4)?.as_str().map_err(rusqlite::Error::from)?;
        if self.bytes + body.len() > OTHERS_BYTES {
            return Ok(None);
        }
        self.bytes += body.len();
        let entry: Entry = serde_json::from_str(body)?;
        Ok(Some(OtherEntry {
            number,
            story: row.get(0)?,
            feed: row.get(1)?,
            by_text: dedup == Dedup::Text,
            fingerprint: row.get::<_, i64>(5)?.cast_unsigned(),
            sort_at: sort_at(&entry, Timestamp::from_millis(row.get(2)?)),
            wording: wording(&entry),
            link: entry.link,
            language: entry.language,
        }))
    }
}
