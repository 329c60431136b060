//! Writing a document's entries: what is new, what is revised, and what came under another guid.

use std::borrow::Cow;
use std::collections::HashSet;

use rusqlite::{Connection, params};

use crate::config::{Config, Dedup, Feed};
use crate::entry::Entry;
use crate::newsroom::{self, Change, Cleaned, Join, Plan, PolledDocument, PolledEntry, Rewording, Terms};
use crate::section::{self, MAX_COPIES, SeenCopy};
use crate::story::JoinReason;
use crate::time::Timestamp;

use super::apply::{Applied, stable_info};
use super::join::{self, Uniting};
use super::known::wording;
use super::place::{Placer, time};
use super::{StoreError, names, signature};

const INSERT_SPECIFIC: &str =
    "INSERT INTO link (key, entry, original, specific) VALUES (?1, ?2, ?3, 1) ON CONFLICT DO NOTHING";

/// Once a hundred entries share a link, it is known that it says nothing of any: more rows would only be searched.
const INSERT_SHARED: &str = "INSERT INTO link (key, entry, original, specific) SELECT ?1, ?2, ?3, 0
  WHERE (SELECT count(*) FROM (SELECT 1 FROM link WHERE key = ?1 AND NOT specific LIMIT 100)) < 100
  ON CONFLICT DO NOTHING";

/// A document on its way into the store.
pub struct Document<'a> {
    pub connection: &'a Connection,
    pub config: &'a Config,
    pub feed: &'a Feed,
    pub number: i64,
    pub now: Timestamp,
}

impl Document<'_> {
    pub fn apply(&self, document: &mut PolledDocument) -> Result<Applied, StoreError> {
        self.scrub_guids(&document.entries)?;
        let listed = self.listed()?;
        self.keep_specific_guids(document)?;
        let mut known = self.known(&document.entries, &listed)?;
        if self.tell_reused_apart(document, &known)? {
            known = self.known(&document.entries, &listed)?;
        }
        let mut plan = Plan::new(&document.entries, &known);
        known.forget_matched();
        for key in plan.shared_keys() {
            self.mark_unspecific(key)?;
        }
        let mut placer = Placer::new(self.connection, self.config, self.now)?;
        let mut applied = Applied { listed: document.entries.len(), ..Applied::default() };
        let mut here = HashSet::new();
        // Documents list the newest first: told from the end, entries without a date come to stand in their order.
        for run in newsroom::runs(&document.entries) {
            self.load_others(run, &plan, &mut known)?;
            applied.compared += known.others.len();
            plan.begin_run();
            for entry in run.iter().rev() {
                let change = plan.change(entry, &known, &self.terms());
                here.extend(change.number());
                self.change(entry, &change, &mut plan, &mut placer, &mut applied)?;
            }
        }
        self.mark_listed(&here, &listed)?;
        applied.sections = placer.changed;
        if self.title_changes(document)? {
            for section in self.config.sections.iter().filter(|section| section.takes(&self.feed.id)) {
                applied.sections.entry(section.id.clone()).or_default();
            }
        }
        Ok(applied)
    }

    pub fn terms(&self) -> Terms {
        Terms {
            by_links: self.feed.dedup != Dedup::Off,
            by_text: self.feed.dedup == Dedup::Text,
            window: self.config.stories.window,
            likeness: self.config.stories.likeness,
            now: self.now,
        }
    }

    fn change(
        &self,
        entry: &PolledEntry,
        change: &Change,
        plan: &mut Plan,
        placer: &mut Placer,
        applied: &mut Applied,
    ) -> Result<(), StoreError> {
        match (change, &entry.cleaned) {
            (Change::Unchanged { .. }, _) | (_, None) => {}
            (Change::Touched { number }, _) => self.touch(*number, entry.raw_hash)?,
            (Change::Restless { number }, Some(cleaned)) => {
                self.touch(*number, entry.raw_hash)?;
                applied.restless.push(self.shown_name(entry, cleaned));
            }
            (Change::Aliased { number }, _) => self.add_alias(*number, &entry.guid)?,
            (Change::Rekeyed { number, story, rewording }, Some(cleaned)) => {
                self.rekey(*number, entry, cleaned)?;
                if *rewording != Rewording::Kept {
                    self.rewrite(*number, cleaned, plan)?;
                    let is_edited = *rewording == Rewording::Edited;
                    if is_edited {
                        self.count_revision(*number)?;
                        applied.revised += 1;
                    }
                    let story = join::standing(self.connection, *story)?;
                    placer.place(story, self.sort_at(story)?, is_edited.then_some(*number))?;
                    placer.touch(story)?;
                }
                applied.rekeyed += 1;
            }
            (Change::Revised { number, story, unites }, Some(cleaned)) => {
                self.revise(*number, entry.raw_hash, cleaned, plan)?;
                let story = join::standing(self.connection, *story)?;
                placer.place(story, self.sort_at(story)?, Some(*number))?;
                applied.revised += 1;
                applied.united += self.unite((story, *number), unites, plan, placer)?;
            }
            (Change::New { join: None, .. }, Some(cleaned)) => {
                self.insert_story(entry, cleaned, plan, placer)?;
                applied.new += 1;
            }
            (Change::New { join: Some(join), unites }, Some(cleaned)) => {
                let (story, number) = self.add_copy(entry, cleaned, join, plan, placer)?;
                applied.new += 1;
                applied.joined += 1;
                applied.united += self.unite((story, number), unites, plan, placer)?;
            }
        }
        Ok(())
    }

    /// Returns what the log calls an entry: its title, or its guid. Empty if no public section takes the feed: logs are read
    /// by more people than private sections.
    fn shown_name(&self, polled: &PolledEntry, cleaned: &Cleaned) -> String {
        let title = &cleaned.entry.title;
        let is_public = self.config.sections.iter().any(|section| section.is_public() && section.takes(&self.feed.id));
        match (is_public, title.is_empty()) {
            (false, _) => String::new(),
            (true, true) => polled.guid.clone(),
            (true, false) => title.clone(),
        }
    }

    /// Makes a story for an entry that belongs to none. Its names depend on whether a public section takes it: so it is
    /// judged before it is written.
    fn insert_story(
        &self,
        polled: &PolledEntry,
        cleaned: &Cleaned,
        plan: &Plan,
        placer: &mut Placer,
    ) -> Result<(), StoreError> {
        let sort_at = newsroom::sort_at(&cleaned.entry, self.now);
        let mut copies = [self.seen(0, cleaned, &first(0))];
        let judged = placer.judge(sort_at, &copies);
        let shown = judged.public_lead(&copies).map(|_| self.now);
        let story = names::insert_story(self.connection, &self.feed.url.shown, &cleaned.entry, sort_at, shown)?;
        copies[0].number = self.insert_entry(polled, cleaned, plan, &first(story))?;
        placer.place_new(story, &copies, &judged)
    }

    /// Adds a new entry to the story that it joins; returns the story and the entry's number.
    fn add_copy(
        &self,
        entry: &PolledEntry,
        cleaned: &Cleaned,
        join: &Join,
        plan: &Plan,
        placer: &mut Placer,
    ) -> Result<(i64, i64), StoreError> {
        let story = join::standing(self.connection, join.story)?;
        let mut copies = placer.copies(story)?;
        let number = self.insert_entry(entry, cleaned, plan, &Join { story, ..*join })?;
        if copies.len() < MAX_COPIES {
            copies.push(self.seen(number, cleaned, join));
        } else {
            copies = placer.copies(story)?;
        }
        placer.place_copies(story, self.sort_at(story)?, &copies, Some(number))?;
        Ok((story, number))
    }

    /// Joins the story of an entry with those that the entry seems to belong to as well; returns how many it joined.
    fn unite(
        &self,
        (story, entry): (i64, i64),
        unites: &[Join],
        plan: &mut Plan,
        placer: &mut Placer,
    ) -> Result<usize, StoreError> {
        let uniting = Uniting { connection: self.connection, config: self.config, entry };
        let mut united = 0;
        for join in unites {
            if uniting.unite(story, join, placer)? {
                plan.note_united(join.story);
                united += 1;
            }
        }
        Ok(united)
    }

    /// A new entry, as sections see it.
    fn seen<'c>(&'c self, number: i64, cleaned: &'c Cleaned, join: &Join) -> SeenCopy<'c> {
        SeenCopy {
            number,
            feed: self.feed,
            entry: Cow::Borrowed(&cleaned.entry),
            text: Cow::Borrowed(&cleaned.text),
            categories: section::categories_of(&cleaned.entry, self.feed, &self.config.site),
            first_seen: self.now,
            revised: None,
            reason: join.reason,
            score: join.score,
        }
    }

    /// The numbers of the entries that the feed's last document listed.
    fn listed(&self) -> Result<HashSet<i64>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number FROM entry WHERE feed = ?1 AND unlisted IS NULL")?;
        let numbers = statement.query_map([self.number], |row| row.get(0))?;
        Ok(numbers.collect::<Result<_, _>>()?)
    }

    fn insert_entry(
        &self,
        polled: &PolledEntry,
        cleaned: &Cleaned,
        plan: &Plan,
        join: &Join,
    ) -> Result<i64, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO entry (feed, guid, guid_kind, raw_hash, fingerprint, first_seen, story, reason, score)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?;
        let number = statement.insert(params![
            self.number,
            polled.guid,
            cleaned.entry.guid.kind.as_str(),
            polled.raw_hash.cast_signed(),
            cleaned.fingerprint.cast_signed(),
            self.now.millis(),
            join.story,
            join.reason.as_str(),
            join.score,
        ])?;
        self.write_words(number, self.now, cleaned, plan)?;
        Ok(number)
    }

    fn revise(&self, number: i64, raw_hash: u64, cleaned: &Cleaned, plan: &Plan) -> Result<(), StoreError> {
        let mut statement =
            self.connection.prepare_cached("UPDATE entry SET raw_hash = ?2, fingerprint = ?3 WHERE number = ?1")?;
        statement.execute(params![number, raw_hash.cast_signed(), cleaned.fingerprint.cast_signed()])?;
        self.count_revision(number)?;
        self.rewrite(number, cleaned, plan)
    }

    fn count_revision(&self, number: i64) -> Result<(), StoreError> {
        let mut statement = self
            .connection
            .prepare_cached("UPDATE entry SET revised = ?2, revisions = revisions + 1 WHERE number = ?1")?;
        statement.execute(params![number, self.now.millis()])?;
        Ok(())
    }

    /// Gives an entry its new guid; the old one leads to it for ever.
    fn rekey(&self, number: i64, polled: &PolledEntry, cleaned: &Cleaned) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO entry_alias (feed, guid, entry) SELECT feed, guid, number FROM entry WHERE number = ?1
             ON CONFLICT (feed, guid) DO UPDATE SET entry = excluded.entry",
        )?;
        statement.execute([number])?;
        let mut statement = self.connection.prepare_cached(
            "UPDATE entry SET guid = ?2, guid_kind = ?3, raw_hash = ?4, fingerprint = ?5 WHERE number = ?1",
        )?;
        statement.execute(params![
            number,
            polled.guid,
            cleaned.entry.guid.kind.as_str(),
            polled.raw_hash.cast_signed(),
            cleaned.fingerprint.cast_signed(),
        ])?;
        let mut statement = self.connection.prepare_cached("DELETE FROM entry_alias WHERE feed = ?1 AND guid = ?2")?;
        statement.execute(params![self.number, polled.guid])?;
        Ok(())
    }

    /// Lets a further guid lead to an entry.
    fn add_alias(&self, number: i64, guid: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO entry_alias (feed, guid, entry) VALUES (?1, ?2, ?3)
             ON CONFLICT (feed, guid) DO UPDATE SET entry = excluded.entry",
        )?;
        statement.execute(params![self.number, guid, number])?;
        Ok(())
    }

    fn rewrite(&self, number: i64, cleaned: &Cleaned, plan: &Plan) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM link WHERE entry = ?1")?.execute([number])?;
        let first_seen = self.forget_signature(number)?;
        self.write_words(number, first_seen, cleaned, plan)
    }

    /// Forgets the keys of the words that an entry had until now, and returns when it was first seen. Where retention let the
    /// words go, it did the same.
    fn forget_signature(&self, number: i64) -> Result<Timestamp, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.first_seen, body.value FROM entry LEFT JOIN body ON body.entry = entry.number WHERE entry.number = ?1",
        )?;
        let (first_seen, body): (_, Option<String>) =
            statement.query_row([number], |row| Ok((time(row, 0)?, row.get(1)?)))?;
        if let Some(body) = body {
            let former: Entry = serde_json::from_str(&body)?;
            signature::forget(self.connection, number, newsroom::sort_at(&former, first_seen), &wording(&former))?;
        }
        Ok(first_seen)
    }

    /// Writes an entry's words and all by which it is found.
    fn write_words(
        &self,
        number: i64,
        first_seen: Timestamp,
        cleaned: &Cleaned,
        plan: &Plan,
    ) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "INSERT INTO body (entry, value) VALUES (?1, ?2) ON CONFLICT (entry) DO UPDATE SET value = excluded.value",
        )?;
        statement.execute(params![number, cleaned.json])?;
        self.write_links(number, cleaned, plan)?;
        if self.feed.dedup == Dedup::Text {
            let sort_at = newsroom::sort_at(&cleaned.entry, first_seen);
            signature::write(self.connection, number, sort_at, &cleaned.wording)?;
        }
        let mut statement =
            self.connection.prepare_cached("INSERT INTO unindexed (entry) VALUES (?1) ON CONFLICT DO NOTHING")?;
        statement.execute([number])?;
        Ok(())
    }

    /// A key that an earlier entry of this feed has too is specific to neither, unless both are one story.
    fn write_links(&self, number: i64, cleaned: &Cleaned, plan: &Plan) -> Result<(), StoreError> {
        for key in &cleaned.link_keys {
            let is_shared = plan.shared_keys().contains(&key.key) || self.mark_shared(&key.key, number)?;
            let mut insert = self.connection.prepare_cached(if is_shared { INSERT_SHARED } else { INSERT_SPECIFIC })?;
            insert.execute(params![key.key, number, key.original])?;
        }
        Ok(())
    }

    /// Marks a link as specific to none of the entries of this feed that have it and tell another story; returns whether there
    /// are any. Most links are new: they are looked for before anything is updated.
    fn mark_shared(&self, key: &str, number: i64) -> Result<bool, StoreError> {
        let mut sharing = self.connection.prepare_cached(
            "SELECT link.entry, link.specific FROM link CROSS JOIN entry AS other ON other.number = link.entry
             WHERE link.key = ?1 AND other.feed = ?2 AND other.story <> (SELECT story FROM entry WHERE number = ?3)",
        )?;
        let sharing = sharing.query_map(params![key, self.number, number], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let sharing = sharing.collect::<Result<Vec<(i64, bool)>, _>>()?;
        for (entry, _) in sharing.iter().filter(|(_, is_specific)| *is_specific) {
            let mut statement =
                self.connection.prepare_cached("UPDATE link SET specific = 0 WHERE key = ?1 AND entry = ?2")?;
            statement.execute(params![key, entry])?;
        }
        Ok(!sharing.is_empty())
    }

    /// Marks a link that several entries of the document have as specific to none of this feed's entries.
    fn mark_unspecific(&self, key: &str) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached(
            "UPDATE link SET specific = 0 WHERE key = ?1 AND specific
               AND (SELECT feed FROM entry WHERE number = link.entry) = ?2",
        )?;
        statement.execute(params![key, self.number])?;
        Ok(())
    }

    fn touch(&self, number: i64, raw_hash: u64) -> Result<(), StoreError> {
        let mut statement = self.connection.prepare_cached("UPDATE entry SET raw_hash = ?2 WHERE number = ?1")?;
        statement.execute(params![number, raw_hash.cast_signed()])?;
        Ok(())
    }

    fn sort_at(&self, story: i64) -> Result<Timestamp, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT sort_at FROM story WHERE number = ?1")?;
        Ok(statement.query_row([story], |row| row.get(0)).map(Timestamp::from_millis)?)
    }

    /// Notes which entries left the document and which came back, for retention; writes nothing where neither happened.
    fn mark_listed(&self, here: &HashSet<i64>, listed: &HashSet<i64>) -> Result<(), StoreError> {
        let mut unlist = self.connection.prepare_cached("UPDATE entry SET unlisted = ?2 WHERE number = ?1")?;
        for number in listed.difference(here) {
            unlist.execute(params![number, self.now.millis()])?;
        }
        for number in here.difference(listed) {
            unlist.execute(params![number, None::<i64>])?;
        }
        Ok(())
    }

    /// Whether the feed's title or address, which its stories bear, are others than before.
    fn title_changes(&self, document: &PolledDocument) -> Result<bool, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT info <> ?2 FROM feed WHERE number = ?1")?;
        let info = serde_json::to_string(&stable_info(document))?;
        Ok(statement.query_row(params![self.number, info], |row| row.get(0))?)
    }
}

fn first(story: i64) -> Join {
    Join { story, reason: JoinReason::First, score: None }
}
