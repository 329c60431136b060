//! Loads and writes hooks, and the queue of messages that wait to be sent to them.

use rusqlite::{OptionalExtension, Row, params};

use super::feed_words::{event, event_json};
use super::sql::{optional_text, optional_time, text, time};
use super::{StoreError, Turn, View};
use crate::feed::{FailureKind, FeedId, SectionId};
use crate::hook::{HookEvent, HookId};
use crate::number::{FeedNumber, HookNumber, MessageNumber, SectionNumber, StoryNumber};
use crate::rows::{HookRecord, HookRow, HookStanding, MessageRow, MessageSubject, NewMessage, NewSubject};
use crate::time::Timestamp;

const RECORD: &str = "gone, tried, failures, failing_since, failure, failure_status, given_up";

impl View {
    /// Loads all hooks.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn hooks(&self) -> Result<Vec<HookRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {RECORD}, number, id, target_hash, first_seen FROM hook ORDER BY number"
        ))?;
        let hooks = statement.query_map([], hook_row)?;
        Ok(hooks.collect::<Result<_, _>>()?)
    }

    /// Loads a hook; `None` if the store does not know it.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn hook(&self, id: &HookId) -> Result<Option<HookRow>, StoreError> {
        let mut statement = self
            .connection
            .prepare_cached(&format!("SELECT {RECORD}, number, id, target_hash, first_seen FROM hook WHERE id = ?1"))?;
        Ok(statement.query_row([id.as_str()], hook_row).optional()?)
    }

    /// Loads all hooks with the number of their messages that wait.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn hook_standings(&self) -> Result<Vec<HookStanding>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT {RECORD}, id, (SELECT count(*) FROM hook_queue WHERE hook = hook.number),
               (SELECT min(at) FROM hook_queue WHERE hook = hook.number)
             FROM hook ORDER BY number"
        ))?;
        let standings = statement.query_map([], |row| {
            Ok(HookStanding {
                record: record(row)?,
                hook: HookId::from(text(row, 7)?),
                waiting: row.get::<_, i64>(8)?.unsigned_abs(),
                oldest: optional_time(row, 9)?,
            })
        })?;
        Ok(standings.collect::<Result<_, _>>()?)
    }

    /// Loads the message of a hook that is due first, if it is due at `now`.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn due_message(&self, hook: HookNumber, now: Timestamp) -> Result<Option<MessageRow>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT hook_queue.number, event, at, attempts, section.id, story, feed.id, kind, detail FROM hook_queue
               LEFT JOIN section ON section.number = section LEFT JOIN feed ON feed.number = feed
             WHERE hook = ?1 AND due <= ?2 ORDER BY due, hook_queue.number LIMIT 1",
        )?;
        Ok(statement.query_row(params![hook, now.millis()], message).optional()?)
    }

    /// Returns when the next message of a hook is due; `None` if no message waits.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn next_due(&self, hook: HookNumber) -> Result<Option<Timestamp>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT min(due) FROM hook_queue WHERE hook = ?1")?;
        Ok(statement.query_row([hook], |row| optional_time(row, 0))?)
    }

    /// Returns the number of the newest message that was ever written; `None` if there was none.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn newest_message(&self) -> Result<Option<MessageNumber>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT seq FROM sqlite_sequence WHERE name = 'hook_queue'")?;
        Ok(statement.query_row([], |row| row.get(0)).optional()?)
    }
}

fn record(row: &Row) -> rusqlite::Result<HookRecord> {
    Ok(HookRecord {
        gone: optional_time(row, 0)?,
        tried: optional_time(row, 1)?,
        failures: row.get(2)?,
        failing_since: optional_time(row, 3)?,
        failure: optional_text(row, 4)?.map(FailureKind::from_code),
        failure_status: row.get(5)?,
        given_up: row.get::<_, i64>(6)?.unsigned_abs(),
    })
}

fn hook_row(row: &Row) -> rusqlite::Result<HookRow> {
    Ok(HookRow {
        record: record(row)?,
        number: row.get(7)?,
        id: HookId::from(text(row, 8)?),
        target_hash: row.get(9)?,
        first_seen: time(row, 10)?,
    })
}

/// Reads a message. An event that this version does not know counts as [`HookEvent::Revised`].
fn message(row: &Row) -> rusqlite::Result<MessageRow> {
    let subject = match (optional_text(row, 4)?, optional_text(row, 6)?) {
        (Some(section), _) => MessageSubject::Story(SectionId::from(section), row.get(5)?),
        (None, feed) => {
            let (kind, detail) = (optional_text(row, 7)?, optional_text(row, 8)?);
            let event = event(kind.unwrap_or_default(), detail.unwrap_or_default());
            MessageSubject::Feed(FeedId::from(feed.unwrap_or_default()), event)
        }
    };
    Ok(MessageRow {
        number: row.get(0)?,
        event: HookEvent::from_name(text(row, 1)?).unwrap_or(HookEvent::Revised),
        at: time(row, 2)?,
        attempts: row.get(3)?,
        subject,
    })
}

impl Turn<'_> {
    /// Adds a hook.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn insert_hook(&self, id: &HookId, target_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let mut insert =
            self.connection.prepare_cached("INSERT INTO hook (id, target_hash, first_seen) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![id.as_str(), target_hash, now.millis()])?;
        Ok(())
    }

    /// Writes another address or command of a hook, and forgets how the former one answered.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn retarget_hook(&self, hook: HookNumber, target_hash: &[u8], now: Timestamp) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached("UPDATE hook SET target_hash = ?2 WHERE number = ?1")?;
        update.execute(params![hook, target_hash])?;
        self.write_hook_record(hook, &HookRecord::default())?;
        let mut due = self.connection.prepare_cached("UPDATE hook_queue SET due = ?2 WHERE hook = ?1 AND due > ?2")?;
        due.execute(params![hook, now.millis()])?;
        Ok(())
    }

    /// Deletes a hook with its messages.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn remove_hook(&self, hook: HookNumber) -> Result<(), StoreError> {
        self.forget_messages(hook)?;
        self.connection.prepare_cached("DELETE FROM hook WHERE number = ?1")?.execute([hook])?;
        Ok(())
    }

    /// Writes how the attempts to send messages to a hook ended.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn write_hook_record(&self, hook: HookNumber, record: &HookRecord) -> Result<(), StoreError> {
        let mut update = self.connection.prepare_cached(
            "UPDATE hook SET gone = ?2, tried = ?3, failures = ?4, failing_since = ?5, failure = ?6, failure_status = ?7,
               given_up = ?8
             WHERE number = ?1",
        )?;
        update.execute(params![
            hook,
            record.gone.map(Timestamp::millis),
            record.tried.map(Timestamp::millis),
            record.failures,
            record.failing_since.map(Timestamp::millis),
            record.failure.map(FailureKind::code),
            record.failure_status,
            record.given_up.cast_signed(),
        ])?;
        Ok(())
    }

    /// Adds messages, which are due at once. A story that already waits to be sent as published is not added again.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn enqueue(&self, messages: &[NewMessage]) -> Result<(), StoreError> {
        let mut insert = self.connection.prepare_cached(
            "INSERT INTO hook_queue (hook, event, at, due, section, story, feed, kind, detail)
             VALUES (?1, ?2, ?3, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        )?;
        for NewMessage { hook, event, at, subject } in messages {
            let (story, feed) = match subject {
                NewSubject::Story(section, story) => (Some((*section, *story)), None),
                NewSubject::Feed(feed, event) => (None, Some((*feed, event))),
            };
            let (section, story): (Option<SectionNumber>, Option<StoryNumber>) = story.unzip();
            let kind = feed.map(|(_, event)| event.code());
            let detail = feed.map(|(_, event)| event_json(event));
            let feed = feed.map(|(feed, _)| feed);
            insert.execute(params![hook, event.name(), at.millis(), section, story, feed, kind, detail])?;
        }
        Ok(())
    }

    /// Makes the messages about a story in a section those of another story, which took its place there.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub(super) fn move_messages(
        &self,
        section: SectionNumber,
        from: StoryNumber,
        to: StoryNumber,
    ) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE OR IGNORE hook_queue SET story = ?3 WHERE section = ?1 AND story = ?2")?;
        update.execute(params![section, from, to])?;
        Ok(())
    }

    /// Deletes a message.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn forget_message(&self, message: MessageNumber) -> Result<(), StoreError> {
        self.connection.prepare_cached("DELETE FROM hook_queue WHERE number = ?1")?.execute([message])?;
        Ok(())
    }

    /// Deletes all messages of a hook, and returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn forget_messages(&self, hook: HookNumber) -> Result<u64, StoreError> {
        let deleted = self.connection.prepare_cached("DELETE FROM hook_queue WHERE hook = ?1")?.execute([hook])?;
        Ok(deleted as u64)
    }

    /// Deletes the messages of a hook about events before `at`, and returns how many there were.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn forget_messages_before(&self, hook: HookNumber, at: Timestamp) -> Result<u64, StoreError> {
        let mut delete = self.connection.prepare_cached("DELETE FROM hook_queue WHERE hook = ?1 AND at < ?2")?;
        Ok(delete.execute(params![hook, at.millis()])? as u64)
    }

    /// Records that an attempt to send a message failed, and when to try next.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn postpone_message(&self, message: MessageNumber, due: Timestamp) -> Result<(), StoreError> {
        let mut update = self
            .connection
            .prepare_cached("UPDATE hook_queue SET attempts = attempts + 1, due = ?2 WHERE number = ?1")?;
        update.execute(params![message, due.millis()])?;
        Ok(())
    }

    /// Records that a document of a feed was read. Returns whether it is the first one.
    ///
    /// # Errors
    ///
    /// Returns the errors of SQLite.
    pub fn note_read(&self, feed: FeedNumber) -> Result<bool, StoreError> {
        let mut delete = self.connection.prepare_cached("DELETE FROM unread_feed WHERE feed = ?1")?;
        Ok(delete.execute([feed])? > 0)
    }
}

/// Makes the copy of a store silent: after it is restored, no message that waited in it is sent, and each feed's next
/// document counts as its first. What the copy takes for new then was already sent.
///
/// # Errors
///
/// Returns the errors of SQLite.
pub(super) fn silence(copy: &rusqlite::Connection) -> Result<(), StoreError> {
    let has_hooks = "SELECT 1 FROM sqlite_schema WHERE name = 'unread_feed'";
    if copy.prepare(has_hooks)?.exists([])? {
        copy.execute_batch(
            "BEGIN; DELETE FROM hook_queue; INSERT INTO unread_feed SELECT number FROM feed WHERE true
               ON CONFLICT DO NOTHING; COMMIT",
        )?;
    }
    Ok(())
}
