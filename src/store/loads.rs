//! Loads the rows that the newsroom needs to decide about polled entries and their stories.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Row, params};
use url::Url;

use super::failure_form::failure;
use super::feed_words::{notes, repairs};
use super::forms::{decode_entry, hints, info};
use super::sql::{optional_text, optional_time, text, time};
use super::why::why;
use super::{StoreError, View};
use crate::entry::{GuidKind, SharedKeys};
use crate::feed::{FeedId, FeedState, HoldReason, Validators};
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::rows::{
    DocumentRow, FeedRecord, FeedRow, FormerRow, KnownEntry, LinkRow, OtherRow, PlacementRow, PollRow, SignatureKey,
    SignatureRow, StandingStory, StoryRow,
};

impl View {
    /// Loads the state of a feed; `None` if the store does not know the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed(&self, id: &FeedId) -> Result<Option<FeedRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number, had_validators, entries, newest, news_at, news, failure, failure_detail, moved_to, moved_since,
               moved_polls, note, noted, state, next_poll, last_poll, hold_until, hold_why, failures, per_day, etag,
               last_modified, validators_url
             FROM feed JOIN poll ON poll.feed = feed.number WHERE id = ?1",
        )?;
        Ok(statement.query_row([id.as_str()], feed_row).optional()?)
    }

    /// Loads what a feed's documents say about the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn feed_document(&self, feed: FeedNumber) -> Result<DocumentRow, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT info, repairs, hints, guids_repaired FROM feed WHERE number = ?1")?;
        Ok(statement.query_row([feed], |row| {
            let guids_repaired = SharedKeys::from_bits(row.get(3)?);
            Ok(DocumentRow { info: info(row, 0)?, repairs: repairs(row, 1)?, hints: hints(row, 2)?, guids_repaired })
        })?)
    }

    /// Loads the numbers of the entries that the feed's last document listed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn listed(&self, feed: FeedNumber) -> Result<HashSet<EntryNumber>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM entry WHERE feed = ?1 AND unlisted IS NULL")?;
        let numbers = statement.query_map([feed], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Loads the guids of the entries that the feed's last document listed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn listed_guids(&self, feed: FeedNumber) -> Result<Vec<String>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT guid FROM entry WHERE feed = ?1 AND unlisted IS NULL")?;
        let guids = statement.query_map([feed], |row| row.get(0))?;
        Ok(guids.collect::<Result<_, _>>()?)
    }

    /// Returns whether the feed ever had an entry.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn has_entries(&self, feed: FeedNumber) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT 1 FROM entry WHERE feed = ?1 LIMIT 1")?;
        Ok(statement.exists([feed])?)
    }

    /// Loads the feed's entries with these guids. For each guid, returns the entry that has it now, otherwise the entry
    /// that has it as an alias, such as a former guid.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn known<'g>(
        &self,
        feed: FeedNumber,
        guids: impl Iterator<Item = &'g str>,
    ) -> Result<HashMap<String, KnownEntry>, StoreError> {
        const COLUMNS: &str = "SELECT number, story, raw_hash, fingerprint, revisions, purged FROM entry";
        let mut by_guid = self.connection.prepare_cached(&format!("{COLUMNS} WHERE feed = ?1 AND guid = ?2"))?;
        let mut by_alias = self.connection.prepare_cached(&format!(
            "{COLUMNS} WHERE number = (SELECT entry FROM entry_alias WHERE feed = ?1 AND guid = ?2)"
        ))?;
        let mut known = HashMap::new();
        for guid in guids {
            let key = params![feed, guid];
            let row = match by_guid.query_row(key, |row| known_entry(row, false)).optional()? {
                Some(row) => Some(row),
                None => by_alias.query_row(key, |row| known_entry(row, true)).optional()?,
            };
            if let Some(row) = row {
                known.insert(guid.to_owned(), row);
            }
        }
        Ok(known)
    }

    /// Loads the numbers of a feed's newest entries, at most `limit`, newest first.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn newest_entries(&self, feed: FeedNumber, limit: usize) -> Result<Vec<EntryNumber>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM entry WHERE feed = ?1 ORDER BY number DESC LIMIT ?2")?;
        let numbers = statement.query_map(params![feed, limit.cast_signed()], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    /// Loads, for each of these guids, the numbers of the feed's entries that have the guid or have it as an alias.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn entries_by_guid<'g>(
        &self,
        feed: FeedNumber,
        guids: impl Iterator<Item = &'g str>,
    ) -> Result<HashMap<String, Vec<EntryNumber>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT number FROM entry WHERE feed = ?1 AND guid = ?2
             UNION ALL SELECT entry FROM entry_alias WHERE feed = ?1 AND guid = ?2",
        )?;
        let mut found = HashMap::new();
        for guid in guids {
            let numbers = statement.query_map(params![feed, guid], |row| row.get(0))?;
            let numbers = numbers.collect::<Result<Vec<_>, _>>()?;
            if !numbers.is_empty() {
                found.insert(guid.to_owned(), numbers);
            }
        }
        Ok(found)
    }

    /// Loads the numbers of those entries of a feed that have one of these links as a specific link. A link is specific
    /// to an entry if no entry of another story of the feed has the link. Returns at most `limit` numbers per link.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn entries_by_link<'k>(
        &self,
        feed: FeedNumber,
        keys: impl Iterator<Item = &'k str>,
        limit: usize,
    ) -> Result<Vec<EntryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT link.entry FROM link CROSS JOIN entry ON entry.number = link.entry
             WHERE link.key = ?1 AND link.specific AND entry.feed = ?2 LIMIT ?3",
        )?;
        let mut numbers = Vec::new();
        for key in keys {
            let found = statement.query_map(params![key, feed, limit.cast_signed()], |row| row.get(0))?;
            numbers.extend(found.collect::<Result<Vec<EntryNumber>, _>>()?);
        }
        Ok(numbers)
    }

    /// Loads an entry with its content, and the size of the content in bytes.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn former(&self, number: EntryNumber) -> Result<(FormerRow, usize), StoreError> {
        let mut keys =
            self.connection.prepare_cached("SELECT key, specific FROM link WHERE entry = ?1 ORDER BY key")?;
        let links = keys.query_map([number], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.story, entry.guid, entry.guid_kind, entry.fingerprint, entry.revisions, body.value, entry.first_seen
             FROM entry LEFT JOIN body ON body.entry = entry.number WHERE entry.number = ?1",
        )?;
        let mut rows = statement.query([number])?;
        let row = rows.next()?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
        let body = row.get_ref(5)?.as_str_or_null().map_err(rusqlite::Error::from)?;
        let former = FormerRow {
            number,
            story: row.get(0)?,
            guid: row.get(1)?,
            guid_kind: GuidKind::from_name(text(row, 2)?),
            fingerprint: row.get::<_, i64>(3)?.cast_unsigned(),
            revisions: row.get(4)?,
            first_seen: time(row, 6)?,
            links,
            entry: body.map(decode_entry).transpose()?,
        };
        Ok((former, body.map_or(0, str::len)))
    }

    /// Loads, for each of these links, at most `limit` entries that have it as a specific link. A link is specific to
    /// an entry if no entry of another story of the same feed has the link.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn linked<'k>(
        &self,
        keys: impl Iterator<Item = &'k String>,
        limit: usize,
    ) -> Result<HashMap<String, Vec<LinkRow>>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT entry, original FROM link WHERE key = ?1 AND specific ORDER BY entry LIMIT ?2")?;
        let mut found = HashMap::new();
        for key in keys {
            let rows = statement.query_map(params![key, limit.cast_signed()], |row| {
                Ok(LinkRow { entry: row.get(0)?, original: row.get(1)? })
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            if !rows.is_empty() {
                found.insert(key.clone(), rows);
            }
        }
        Ok(found)
    }

    /// Loads, for each of these ids, at most `limit` entries of the stories that have the id. A story may have an id
    /// that it does not publish.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn with_ids<'i>(
        &self,
        ids: impl Iterator<Item = &'i String>,
        limit: usize,
    ) -> Result<HashMap<String, Vec<EntryNumber>>, StoreError> {
        let mut story = self.connection.prepare_cached(
            "SELECT coalesce(joined_into, number) FROM story WHERE public_id = ?1
             UNION ALL
             SELECT coalesce(joined_into, number) FROM story WHERE number = (SELECT story FROM kept_id WHERE id = ?1)",
        )?;
        let mut entries =
            self.connection.prepare_cached("SELECT number FROM entry WHERE story = ?1 ORDER BY number LIMIT ?2")?;
        let mut found = HashMap::new();
        for id in ids {
            let stories = story.query_map([id], |row| row.get(0))?.collect::<Result<Vec<StoryNumber>, _>>()?;
            let mut numbers = Vec::new();
            for story in stories {
                let rows = entries.query_map(params![story, limit.cast_signed()], |row| row.get(0))?;
                numbers.extend(rows.collect::<Result<Vec<EntryNumber>, _>>()?);
            }
            if !numbers.is_empty() {
                numbers.sort_unstable();
                numbers.dedup();
                numbers.truncate(limit);
                found.insert(id.clone(), numbers);
            }
        }
        Ok(found)
    }

    /// Loads, for each of these keys, at most `limit` entries whose text has the key.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn with_signatures<'k>(
        &self,
        keys: impl Iterator<Item = &'k SignatureKey>,
        limit: usize,
    ) -> Result<HashMap<SignatureKey, Vec<SignatureRow>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT signature.entry, entry.feed FROM signature CROSS JOIN entry ON entry.number = signature.entry
             WHERE signature.key = ?1 LIMIT ?2",
        )?;
        let mut found = HashMap::new();
        for key in keys {
            let rows = statement.query_map(params![key, limit.cast_signed()], |row| {
                Ok(SignatureRow { entry: row.get(0)?, feed: row.get(1)? })
            })?;
            let rows = rows.collect::<Result<Vec<_>, _>>()?;
            if !rows.is_empty() {
                found.insert(*key, rows);
            }
        }
        Ok(found)
    }

    /// Loads entries in the given order, each with the value that `accept` returned for its feed. Skips entries without
    /// content, and entries whose feed is not configured or not accepted by `accept`. Also skips an entry whose content
    /// would make the size of all loaded content exceed `bytes`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite, and an error if a stored entry cannot be read.
    pub fn others<T>(
        &self,
        numbers: &[EntryNumber],
        bytes: usize,
        accept: impl Fn(&FeedId) -> Option<T>,
    ) -> Result<Vec<(OtherRow, T)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.story, entry.feed, entry.first_seen, feed.id, body.value, entry.fingerprint
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.number = ?1 AND feed.removed IS NULL",
        )?;
        let (mut others, mut left) = (Vec::new(), bytes);
        for number in numbers {
            let mut rows = statement.query([number])?;
            let Some(row) = rows.next()? else { continue };
            let Some(accepted) = accept(&FeedId::from(text(row, 3)?)) else { continue };
            let body = text(row, 4)?;
            let Some(rest) = left.checked_sub(body.len()) else { continue };
            left = rest;
            let row = OtherRow {
                number: *number,
                story: row.get(0)?,
                feed: row.get(1)?,
                fingerprint: row.get::<_, i64>(5)?.cast_unsigned(),
                first_seen: time(row, 2)?,
                entry: decode_entry(body)?,
            };
            others.push((row, accepted));
        }
        Ok(others)
    }

    /// Loads, for each link, at most two stories that have an entry of the feed with this link.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn stories_linked<'k>(
        &self,
        feed: FeedNumber,
        keys: impl Iterator<Item = &'k String>,
    ) -> Result<HashMap<String, Vec<StoryNumber>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT DISTINCT entry.story FROM link CROSS JOIN entry ON entry.number = link.entry
             WHERE link.key = ?1 AND entry.feed = ?2 LIMIT 2",
        )?;
        let mut found = HashMap::new();
        for key in keys {
            let stories = statement.query_map(params![key, feed], |row| row.get(0))?;
            let stories = stories.collect::<Result<Vec<StoryNumber>, _>>()?;
            if !stories.is_empty() {
                found.insert(key.clone(), stories);
            }
        }
        Ok(found)
    }

    /// Loads a story and its placements, even if it was merged into another story; `None` if there is no story with
    /// this number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn story(&self, number: StoryNumber) -> Result<Option<StandingStory>, StoreError> {
        let Some(row) = self.story_row(number)? else { return Ok(None) };
        let kept = if row.shown.is_none() { self.kept_ids(number)? } else { Vec::new() };
        Ok(Some(StandingStory { row, kept, placements: self.placements(number)? }))
    }

    /// Loads the stories that were merged into this one, ordered by number.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn absorbed(&self, story: StoryNumber) -> Result<Vec<StandingStory>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM story WHERE joined_into = ?1 ORDER BY number")?;
        let numbers = statement.query_map([story], |row| row.get(0))?.collect::<Result<Vec<StoryNumber>, _>>()?;
        let mut absorbed = Vec::new();
        for number in numbers {
            let Some(row) = self.story_row(number)? else { continue };
            let (kept, placements) = (self.kept_ids(number)?, self.placements(number)?);
            absorbed.push(StandingStory { row, kept, placements });
        }
        Ok(absorbed)
    }

    fn story_row(&self, number: StoryNumber) -> Result<Option<StoryRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT public_id, slug, sort_at, shown, EXISTS (SELECT 1 FROM unchecked WHERE story = ?1)
             FROM story WHERE number = ?1",
        )?;
        let row = statement.query_row([number], |row| {
            let (sort_at, shown) = (time(row, 2)?, optional_time(row, 3)?);
            let (public_id, slug, is_unchecked) = (row.get(0)?, row.get(1)?, row.get(4)?);
            Ok(StoryRow { number, public_id, slug, sort_at, shown, is_unchecked })
        });
        Ok(row.optional()?)
    }

    /// Loads the ids that a story has but does not publish. The `bool` says whether another story publishes the id.
    fn kept_ids(&self, story: StoryNumber) -> Result<Vec<(String, bool)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, EXISTS (SELECT 1 FROM story WHERE public_id = kept_id.id AND number <> ?1)
             FROM kept_id WHERE story = ?1 ORDER BY id",
        )?;
        let kept = statement.query_map([story], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(kept.collect::<Result<_, _>>()?)
    }

    pub(super) fn placements(&self, story: StoryNumber) -> Result<Vec<(SectionNumber, PlacementRow)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section, lead, sort_at, entered, left_at, next_change, changed, published_as, rule, why, detail
             FROM placement WHERE story = ?1",
        )?;
        let placements = statement.query_map([story], |row| Ok((row.get(0)?, placement_row(row)?)))?;
        Ok(placements.collect::<Result<_, _>>()?)
    }
}

fn placement_row(row: &Row) -> rusqlite::Result<PlacementRow> {
    Ok(PlacementRow {
        lead: row.get(1)?,
        sort_at: time(row, 2)?,
        entered: optional_time(row, 3)?,
        left: optional_time(row, 4)?,
        next_change: optional_time(row, 5)?,
        changed: optional_time(row, 6)?,
        published_as: row.get(7)?,
        why: why(row, 8)?,
    })
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

fn feed_row(row: &Row) -> rusqlite::Result<FeedRow> {
    let url = row.get::<_, Option<String>>(22)?.and_then(|url| Url::parse(&url).ok());
    let record = FeedRecord {
        had_validators: row.get(1)?,
        entries: row.get::<_, i64>(2)?.cast_unsigned(),
        newest: optional_time(row, 3)?,
        news: optional_time(row, 4)?.zip(row.get::<_, Option<i64>>(5)?.map(i64::cast_unsigned)),
        failure: failure(row, 6)?,
        moved_to: row.get(8)?,
        moved_since: optional_time(row, 9)?,
        moved_polls: row.get(10)?,
        note: notes(row, 11)?.zip(optional_time(row, 12)?),
    };
    let poll = PollRow {
        state: FeedState::from_code(text(row, 13)?),
        next_poll: time(row, 14)?,
        last_poll: optional_time(row, 15)?,
        hold_until: optional_time(row, 16)?,
        hold_why: optional_text(row, 17)?.map(HoldReason::from_code),
        failures: row.get(18)?,
        per_day: row.get(19)?,
        validators: Validators { etag: row.get(20)?, last_modified: row.get(21)?, url },
    };
    Ok(FeedRow { number: row.get(0)?, poll, record })
}
