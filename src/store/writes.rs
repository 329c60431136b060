//! Writes the results of decisions and polls.

use std::collections::BTreeSet;

use rusqlite::params;

use super::StoreError;
use super::failure_form::failure_columns;
use super::feed_words::{event_json, notes_json, repairs_json};
use super::forms::{encode_entry, encode_hints, encode_info};
use super::turn::Turn;
use super::why::{WhyColumns, why_columns};
use crate::feed::HoldReason;
use crate::number::{EntryNumber, FeedNumber, StoryNumber};
use crate::rows::{
    DocumentRow, EntryWrite, EventRow, FeedRecord, Forget, LinkWrite, LogRow, MergeWrite, NamesWrite, NewEntry,
    NewStory, PollRow, Put, SignatureKey, WordsWrite, Writes,
};
use crate::time::Timestamp;

/// Selects a row if a link is stored for at least a hundred entries to which it is not specific. Such a link identifies
/// no story, so further rows for it would only slow down the search for links.
///
/// This is a separate statement, because SQLite uses a temporary table for an `INSERT` that reads the table to which it
/// writes.
const IS_COMMON_LINK: &str = "SELECT 1 FROM link WHERE key = ?1 AND NOT specific LIMIT 1 OFFSET 99";

impl Turn<'_> {
    /// Writes the rows and performs the operations of `writes`, in the order of its fields.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite. The whole transaction is then undone.
    pub fn write(&self, writes: &Writes) -> Result<(), StoreError> {
        writes.stories.iter().try_for_each(|story| self.insert_story(story))?;
        writes.kept_ids.iter().try_for_each(|(id, story)| self.keep_id(id, *story))?;
        writes.names.iter().try_for_each(|names| self.name(names))?;
        let mut changed = BTreeSet::new();
        writes.entries.iter().try_for_each(|entry| self.write_entry(entry, &mut changed))?;
        for (entry, story, reason) in &writes.transfers {
            let mut update = self
                .connection
                .prepare_cached("UPDATE entry SET story = ?2, reason = ?3, score = NULL WHERE number = ?1")?;
            update.execute(params![entry, story, reason.as_str()])?;
        }
        writes.merges.iter().try_for_each(|merge| self.merge(merge))?;
        for story in &writes.revived {
            self.connection
                .prepare_cached("UPDATE story SET joined_into = NULL WHERE number = ?1")?
                .execute([story])?;
        }
        writes.apart.iter().try_for_each(|pair| self.write_verdict(*pair, "split"))?;
        writes.joined.iter().try_for_each(|pair| self.write_verdict(*pair, "join"))?;
        self.enqueue(&writes.messages)?;
        self.write_placements(writes, &mut changed)?;
        changed.extend(writes.merges.iter().flat_map(|merge| [merge.stays, merge.leaves]));
        changed.extend(writes.apart.iter().flat_map(|(one, other)| [*one, *other]));
        self.mark_changed(&changed)
    }

    fn insert_story(&self, NewStory { row, other_ids }: &NewStory) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO story (number, public_id, slug, sort_at, shown) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (public_id) DO NOTHING",
        )?;
        for id in std::iter::once(&row.public_id).chain(other_ids) {
            let shown = row.shown.map(Timestamp::millis);
            if insert.execute(params![row.number, id, row.slug, row.sort_at.millis(), shown])? > 0 {
                break;
            }
        }
        Ok(())
    }

    pub(super) fn keep_id(&self, id: &str, story: StoryNumber) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO kept_id (id, story) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
        insert.execute(params![id, story])?;
        Ok(())
    }

    fn name(&self, NamesWrite { story, slug, shown, published }: &NamesWrite) -> Result<(), StoreError> {
        if let Some((before, id)) = published {
            self.connection
                .prepare_cached("UPDATE story SET public_id = ?2 WHERE number = ?1")?
                .execute(params![story, id])?;
            self.connection.prepare_cached("DELETE FROM kept_id WHERE id = ?1")?.execute([id])?;
            self.keep_id(before, *story)?;
        }
        let mut update = self.connection.prepare_cached("UPDATE story SET slug = ?2, shown = ?3 WHERE number = ?1")?;
        update.execute(params![story, slug, shown.millis()])?;
        Ok(())
    }

    fn write_entry(&self, write: &EntryWrite, changed: &mut BTreeSet<StoryNumber>) -> Result<(), StoreError> {
        match write {
            EntryWrite::New(entry) => self.insert_entry(entry)?,
            EntryWrite::Touched { number, raw_hash } => {
                self.connection
                    .prepare_cached("UPDATE entry SET raw_hash = ?2 WHERE number = ?1")?
                    .execute(params![number, raw_hash.cast_signed()])?;
            }
            EntryWrite::Revised { number, raw_hash, fingerprint } => {
                let mut update = self
                    .connection
                    .prepare_cached("UPDATE entry SET raw_hash = ?2, fingerprint = ?3 WHERE number = ?1")?;
                update.execute(params![number, raw_hash.cast_signed(), fingerprint.cast_signed()])?;
            }
            EntryWrite::Rekeyed { number, feed, guid, kind, raw_hash, fingerprint } => {
                self.leave_alias(*number)?;
                let mut update = self.connection.prepare_cached(
                    "UPDATE entry SET guid = ?2, guid_kind = ?3, raw_hash = ?4, fingerprint = ?5 WHERE number = ?1",
                )?;
                let (raw_hash, fingerprint) = (raw_hash.cast_signed(), fingerprint.cast_signed());
                update.execute(params![number, guid, kind.as_str(), raw_hash, fingerprint])?;
                let mut drop =
                    self.connection.prepare_cached("DELETE FROM entry_alias WHERE feed = ?1 AND guid = ?2")?;
                drop.execute(params![feed, guid])?;
            }
            EntryWrite::Alias { feed, guid, entry } => {
                let mut insert = self.connection.prepare_cached(
                    "INSERT INTO entry_alias (feed, guid, entry) VALUES (?1, ?2, ?3)
                     ON CONFLICT (feed, guid) DO UPDATE SET entry = excluded.entry",
                )?;
                insert.execute(params![feed, guid, entry])?;
            }
            EntryWrite::Counted { number, at } => {
                let mut update = self
                    .connection
                    .prepare_cached("UPDATE entry SET revised = ?2, revisions = revisions + 1 WHERE number = ?1")?;
                update.execute(params![number, at.millis()])?;
            }
            EntryWrite::Words(words) => {
                changed.insert(words.story);
                self.write_words(words)?;
            }
            EntryWrite::Reason { number, reason } => {
                let mut update =
                    self.connection.prepare_cached("UPDATE entry SET reason = ?2, score = NULL WHERE number = ?1")?;
                update.execute(params![number, reason.as_str()])?;
            }
            EntryWrite::Listed { number, unlisted } => {
                let mut update = self.connection.prepare_cached("UPDATE entry SET unlisted = ?2 WHERE number = ?1")?;
                update.execute(params![number, unlisted.map(Timestamp::millis)])?;
            }
            EntryWrite::Forgotten(forget) => {
                changed.insert(forget.story);
                self.forget(forget)?;
            }
        }
        Ok(())
    }

    fn insert_entry(&self, entry: &NewEntry) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO entry (number, feed, guid, guid_kind, raw_hash, fingerprint, first_seen, story, reason, score)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?;
        insert.execute(params![
            entry.number,
            entry.feed,
            entry.guid,
            entry.guid_kind.as_str(),
            entry.raw_hash.cast_signed(),
            entry.fingerprint.cast_signed(),
            entry.first_seen.millis(),
            entry.story,
            entry.reason.as_str(),
            entry.score,
        ])?;
        Ok(())
    }

    /// Makes the entry's current guid an alias, so that the guid leads to the entry for ever.
    fn leave_alias(&self, number: EntryNumber) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO entry_alias (feed, guid, entry) SELECT feed, guid, number FROM entry WHERE number = ?1
             ON CONFLICT (feed, guid) DO UPDATE SET entry = excluded.entry",
        )?;
        insert.execute([number])?;
        Ok(())
    }

    fn write_words(&self, words: &WordsWrite) -> Result<(), StoreError> {
        let number = words.number;
        if words.replaces {
            self.connection.prepare_cached("DELETE FROM link WHERE entry = ?1")?.execute([number])?;
            self.forget_signatures(number, &words.former_signatures)?;
            let mut body = self.connection.prepare_cached(
                "INSERT INTO body (entry, value) VALUES (?1, ?2) ON CONFLICT (entry) DO UPDATE SET value = excluded.value",
            )?;
            body.execute(params![number, words.json])?;
            self.connection
                .prepare_cached("INSERT INTO unindexed (entry) VALUES (?1) ON CONFLICT DO NOTHING")?
                .execute([number])?;
        } else {
            self.connection
                .prepare_cached("INSERT INTO body (entry, value) VALUES (?1, ?2)")?
                .execute(params![number, words.json])?;
            self.connection.prepare_cached("INSERT INTO unindexed (entry) VALUES (?1)")?.execute([number])?;
        }
        words.links.iter().try_for_each(|link| self.write_link(words, link))?;
        let mut insert = self
            .connection
            .prepare_cached("INSERT INTO signature (key, entry) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
        for key in &words.signatures {
            insert.execute(params![key, number])?;
        }
        Ok(())
    }

    fn write_link(&self, words: &WordsWrite, link: &LinkWrite) -> Result<(), StoreError> {
        if link.marks_others {
            let mut update = self.connection.prepare_cached(
                "UPDATE link SET specific = 0 WHERE key = ?1 AND specific
                   AND EXISTS (SELECT 1 FROM entry WHERE number = link.entry AND feed = ?2 AND story <> ?3)",
            )?;
            update.execute(params![link.key, words.feed, words.story])?;
        }
        if self.connection.prepare_cached(IS_COMMON_LINK)?.exists([&link.key])? {
            return Ok(());
        }
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO link (key, entry, original, specific) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
        )?;
        insert.execute(params![link.key, words.number, link.original, link.specific])?;
        Ok(())
    }

    fn forget_signatures(&self, number: EntryNumber, keys: &[SignatureKey]) -> Result<(), StoreError> {
        let mut delete = self.connection.prepare_cached("DELETE FROM signature WHERE key = ?1 AND entry = ?2")?;
        for key in keys {
            delete.execute(params![key, number])?;
        }
        Ok(())
    }

    fn forget(&self, Forget { number, signatures, .. }: &Forget) -> Result<(), StoreError> {
        self.forget_signatures(*number, signatures)?;
        self.connection.prepare_cached("DELETE FROM body WHERE entry = ?1")?.execute([number])?;
        self.connection.prepare_cached("DELETE FROM search WHERE rowid = ?1")?.execute([number])?;
        self.connection.prepare_cached("UPDATE entry SET purged = 1 WHERE number = ?1")?.execute([number])?;
        Ok(())
    }

    fn merge(&self, merge: &MergeWrite) -> Result<(), StoreError> {
        let MergeWrite { stays, leaves, reason, score } = merge;
        let mut update = self
            .connection
            .prepare_cached("UPDATE entry SET reason = ?2, score = ?3 WHERE story = ?1 AND reason = 'first'")?;
        update.execute(params![leaves, reason.as_str(), score])?;
        self.connection
            .prepare_cached("UPDATE entry SET story = ?2 WHERE story = ?1")?
            .execute(params![leaves, stays])?;
        let mut update = self
            .connection
            .prepare_cached("UPDATE story SET joined_into = ?2 WHERE number = ?1 OR joined_into = ?1")?;
        update.execute(params![leaves, stays])?;
        Ok(())
    }

    fn write_verdict(&self, (one, other): (StoryNumber, StoryNumber), kind: &str) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO verdict (a, b, kind) VALUES (?1, ?2, ?3) ON CONFLICT (a, b) DO UPDATE SET kind = excluded.kind",
        )?;
        insert.execute(params![one.min(other), one.max(other), kind])?;
        Ok(())
    }

    fn write_placements(&self, writes: &Writes, changed: &mut BTreeSet<StoryNumber>) -> Result<(), StoreError> {
        for (section, story) in &writes.drops {
            self.connection
                .prepare_cached("DELETE FROM placement WHERE section = ?1 AND story = ?2")?
                .execute(params![section, story])?;
            changed.insert(*story);
        }
        for ((section, from), (_, to)) in &writes.moves {
            self.connection
                .prepare_cached("UPDATE placement SET story = ?3 WHERE section = ?1 AND story = ?2")?
                .execute(params![section, from, to])?;
            self.move_messages(*section, *from, *to)?;
            changed.extend([*from, *to]);
        }
        for put in &writes.puts {
            self.put(put)?;
            changed.insert(put.key.1);
        }
        Ok(())
    }

    fn put(&self, Put { key: (section, story), is_known, row, frozen }: &Put) -> Result<(), StoreError> {
        let sql = if *is_known {
            "UPDATE placement SET lead = ?3, lead_feed = (SELECT feed FROM entry WHERE number = ?3), sort_at = ?4, entered = ?5,
               left_at = ?6, rule = ?7, why = ?8, detail = ?9, next_change = ?10, changed = ?11, published_as = ?12,
               frozen = coalesce(?13, frozen)
             WHERE section = ?1 AND story = ?2"
        } else {
            "INSERT INTO placement
               (section, story, lead, lead_feed, sort_at, entered, left_at, rule, why, detail, next_change, changed, published_as, frozen)
             VALUES (?1, ?2, ?3, (SELECT feed FROM entry WHERE number = ?3), ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
        };
        let WhyColumns { rule, code, detail } = why_columns(&row.why);
        self.connection.prepare_cached(sql)?.execute(params![
            section,
            story,
            row.lead,
            row.sort_at.millis(),
            row.entered.map(Timestamp::millis),
            row.left.map(Timestamp::millis),
            rule,
            code,
            detail,
            row.next_change.map(Timestamp::millis),
            row.changed.map(Timestamp::millis),
            row.published_as,
            frozen.as_ref().map(|entry| encode_entry(entry)),
        ])?;
        Ok(())
    }

    /// Marks stories that the public search index may have in an outdated form.
    fn mark_changed(&self, stories: &BTreeSet<StoryNumber>) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO public_waiting (story) VALUES (?1) ON CONFLICT DO NOTHING")?;
        for story in stories {
            insert.execute([story])?;
        }
        Ok(())
    }

    /// Replaces guids and aliases of a feed's entries. Each pair has the former and the new guid. The former guids do
    /// not become aliases.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn rename_guids(&self, feed: FeedNumber, renames: &[(String, String)]) -> Result<(), StoreError> {
        for (former, guid) in renames {
            for table in ["entry", "entry_alias"] {
                let mut rename = self
                    .connection
                    .prepare_cached(&format!("UPDATE OR IGNORE {table} SET guid = ?3 WHERE feed = ?1 AND guid = ?2"))?;
                rename.execute(params![feed, former, guid])?;
            }
        }
        Ok(())
    }

    /// Records that these links are not specific to any entry of the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn mark_unspecific<'k>(
        &self,
        feed: FeedNumber,
        keys: impl Iterator<Item = &'k String>,
    ) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE link SET specific = 0 WHERE key = ?1 AND specific
               AND (SELECT feed FROM entry WHERE number = link.entry) = ?2",
        )?;
        for key in keys {
            update.execute(params![key, feed])?;
        }
        Ok(())
    }

    /// Writes what a feed's documents say about the feed.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_feed_document(&self, feed: FeedNumber, row: &DocumentRow) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE feed SET info = ?2, repairs = ?3, hints = ?4, guids_repaired = ?5 WHERE number = ?1",
        )?;
        let (info, hints) = (encode_info(&row.info), encode_hints(&row.hints));
        update.execute(params![feed, info, repairs_json(&row.repairs), hints, row.guids_repaired.bits()])?;
        Ok(())
    }

    /// Writes the part of a feed's state that every poll changes.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_poll(&self, feed: FeedNumber, row: &PollRow) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE poll SET state = ?2, next_poll = ?3, last_poll = ?4, hold_until = ?5, hold_why = ?6, failures = ?7,
               per_day = ?8, etag = ?9, last_modified = ?10, validators_url = ?11
             WHERE feed = ?1",
        )?;
        update.execute(params![
            feed,
            row.state.code(),
            row.next_poll.millis(),
            row.last_poll.map(Timestamp::millis),
            row.hold_until.map(Timestamp::millis),
            row.hold_why.map(HoldReason::code),
            row.failures,
            row.per_day,
            row.validators.etag,
            row.validators.last_modified,
            row.validators.url.as_ref().map(url::Url::as_str),
        ])?;
        Ok(())
    }

    /// Writes the part of a feed's state that most polls do not change, such as the last failure.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_feed_record(&self, feed: FeedNumber, record: &FeedRecord) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE feed SET had_validators = ?2, entries = ?3, newest = ?4, news_at = ?5, news = ?6, failure = ?7,
               failure_detail = ?8, moved_to = ?9, moved_since = ?10, moved_polls = ?11, note = ?12, noted = ?13
             WHERE number = ?1",
        )?;
        let (failure, failure_detail) = failure_columns(record.failure.as_ref());
        update.execute(params![
            feed,
            record.had_validators,
            record.entries.cast_signed(),
            record.newest.map(Timestamp::millis),
            record.news.map(|(at, _)| at.millis()),
            record.news.map(|(_, new)| new.cast_signed()),
            failure,
            failure_detail,
            record.moved_to,
            record.moved_since.map(Timestamp::millis),
            record.moved_polls,
            record.note.as_ref().map(|(notes, _)| notes_json(notes)),
            record.note.as_ref().map(|(_, at)| at.millis()),
        ])?;
        Ok(())
    }

    /// Records that newswire must not send requests to an origin (scheme, host and port) before `until`. If a later
    /// time is already recorded, nothing changes.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_host_hold(&self, origin: &str, until: Timestamp) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO host (origin, hold_until) VALUES (?1, ?2)
             ON CONFLICT (origin) DO UPDATE SET hold_until = max(hold_until, excluded.hold_until)",
        )?;
        insert.execute(params![origin, until.millis()])?;
        Ok(())
    }

    /// Writes the record of a poll to the poll log.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_log(&self, row: &LogRow) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO poll_log (feed, at, duration_ms, outcome, status, new, revised, failure, failure_detail)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let (failure, failure_detail) = failure_columns(row.failure.as_ref());
        insert.execute(params![
            row.feed,
            row.at.millis(),
            row.duration_ms.cast_signed(),
            row.outcome,
            row.status,
            row.new.cast_signed(),
            row.revised.cast_signed(),
            failure,
            failure_detail,
        ])?;
        Ok(())
    }

    /// Writes events of feeds.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_events(&self, rows: &[EventRow]) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO event (feed, at, kind, detail) VALUES (?1, ?2, ?3, ?4)")?;
        for row in rows {
            insert.execute(params![row.feed, row.at.millis(), row.event.code(), event_json(&row.event)])?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::{View, schema};
    use super::*;
    use crate::number::SectionNumber;
    use crate::reason::{JoinReason, Why};
    use crate::rows::PlacementRow;

    fn store() -> View {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection, &mut |_| ()).unwrap();
        let fill = "INSERT INTO feed (id, url, url_hash, schedule, added) VALUES ('a', 'https://a.example/', x'00', '1h', 0);
            INSERT INTO section (id, definition_hash, first_seen) VALUES ('all', 0, 0);
            INSERT INTO story (public_id, slug, sort_at) VALUES ('urn:a', 'a-1', 0), ('urn:b', 'b-2', 0), ('urn:c', 'c-3', 0);
            INSERT INTO entry (feed, guid, guid_kind, raw_hash, fingerprint, first_seen, story, reason)
              VALUES (1, '1', 'guid', 0, 0, 0, 1, 'first'), (1, '2', 'guid', 0, 0, 0, 2, 'first');
            INSERT INTO body VALUES (1, '{}'), (2, '{}');";
        connection.execute_batch(fill).unwrap();
        View { connection }
    }

    fn put(story: i64, is_known: bool) -> Put {
        let row = PlacementRow {
            lead: EntryNumber(1),
            sort_at: Timestamp::from_millis(0),
            entered: None,
            left: None,
            why: Why::NoKeep,
            next_change: None,
            changed: None,
            published_as: None,
        };
        Put { key: (SectionNumber(1), StoryNumber(story)), is_known, row, frozen: None }
    }

    #[test]
    fn stories_are_marked_for_the_public_index_where_their_public_words_may_change() {
        let view = store();
        let check = |writes: Writes, expected: &[i64]| {
            Turn::new(&view).write(&writes).unwrap();
            let mut statement = view.connection.prepare("SELECT story FROM public_waiting ORDER BY story").unwrap();
            let waiting: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            view.connection.execute("DELETE FROM public_waiting", []).unwrap();
            assert_eq!(waiting, expected, "{writes:?}");
        };
        let number = EntryNumber(1);
        check(Writes { entries: vec![EntryWrite::Touched { number, raw_hash: 7 }], ..Writes::default() }, &[]);
        check(Writes { puts: vec![put(1, false)], ..Writes::default() }, &[1]);
        check(Writes { puts: vec![put(1, true)], ..Writes::default() }, &[1]);
        let (one, other) = ((SectionNumber(1), StoryNumber(1)), (SectionNumber(1), StoryNumber(2)));
        check(Writes { moves: vec![(one, other)], ..Writes::default() }, &[1, 2]);
        check(Writes { drops: vec![other], ..Writes::default() }, &[2]);
        let words = WordsWrite {
            number,
            feed: FeedNumber(1),
            story: StoryNumber(1),
            json: "[]".into(),
            replaces: true,
            links: Vec::new(),
            signatures: Vec::new(),
            former_signatures: Vec::new(),
        };
        check(Writes { entries: vec![EntryWrite::Words(Box::new(words))], ..Writes::default() }, &[1]);
        let forget = Forget { number: EntryNumber(2), story: StoryNumber(2), signatures: Vec::new() };
        check(Writes { entries: vec![EntryWrite::Forgotten(forget)], ..Writes::default() }, &[2]);
        let merge =
            MergeWrite { stays: StoryNumber(1), leaves: StoryNumber(3), reason: JoinReason::Editor, score: None };
        check(Writes { merges: vec![merge], ..Writes::default() }, &[1, 3]);
    }
}
