//! What others ask of the store: due feeds, what sections show, states, and how a story stands.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Serialize;
use url::Url;

use crate::config::{Config, Section};
use crate::entry::Entry;
use crate::feed::{FeedId, FeedInfo, PollHints, SectionId, Validators};
use crate::render;
use crate::section::{self, SeenCopy, ShownFeed, ShownStory, Standing};
use crate::story;
use crate::time::Timestamp;

use super::archive::{DOCUMENT_BYTES, LONG_STORY_BYTES};
use super::place::{copies_of, optional_time, time};
use super::{StoreError, schema};

/// A connection that reads, beside whoever writes.
pub struct Reader {
    pub(super) connection: Connection,
}

/// How many polls in a row, and for how long, a permanent redirect must lead to one place until it is believed: captive
/// portals and broken deployments have wiped whole lists of feeds.
pub(super) const MOVE_POLLS: u32 = 3;
const MOVE_TIME: Duration = Duration::from_secs(48 * 3600);

/// A feed whose time has come, with all that polling it needs.
#[derive(Clone, Debug)]
pub struct DueFeed {
    pub feed: FeedId,
    pub validators: Validators,
    pub failures: u32,
    pub state: String,
    pub next_poll: Timestamp,
    pub last_poll: Option<Timestamp>,
    pub hold_until: Option<Timestamp>,
    pub hold_why: Option<String>,
    pub guids_repaired: bool,
    /// Whether it ever gave a validator.
    pub had_validators: bool,
    /// Where it is asked instead of its own address, as it has moved for good: permanent redirects have led there for
    /// [`MOVE_POLLS`] polls in [`MOVE_TIME`].
    pub start: Option<Url>,
    /// Of the last document that could be read.
    pub hints: PollHints,
    /// Entries a day that it publishes, as far as is known.
    pub per_day: Option<f64>,
}

/// How a feed is doing.
#[derive(Clone, Debug)]
pub struct FeedStatus {
    pub feed: FeedId,
    pub info: FeedInfo,
    /// As stored: new, ok, failing or gone.
    pub state: String,
    pub last_poll: Option<Timestamp>,
    pub next_poll: Timestamp,
    pub hold_until: Option<Timestamp>,
    pub hold_why: Option<String>,
    pub failures: u32,
    pub error_kind: Option<String>,
    pub last_error: Option<String>,
    pub repairs: Vec<String>,
    pub entries: u64,
    /// When its newest entry was first seen.
    pub newest: Option<Timestamp>,
    /// Where permanent redirects lead, since when, and at how many polls in a row.
    pub moved: Option<(String, Timestamp, u32)>,
    /// Entries a day that it publishes, as far as is known.
    pub per_day: Option<f64>,
    /// The last thing that an editor should know of what it did: that it re-keyed its entries, that one of them never rests.
    pub note: Option<(String, Timestamp)>,
}

/// How a section is doing.
#[derive(Clone, Debug, Serialize)]
pub struct SectionStatus {
    pub section: SectionId,
    /// All the stories in it, shown or beyond its limit.
    pub stories: u64,
    /// `sort_at` of the newest.
    pub newest: Option<Timestamp>,
}

/// What a section shows.
#[derive(Clone, Debug)]
pub struct SectionContent {
    /// Newest first, at most the section's `limit`.
    pub stories: Vec<ShownStory>,
    pub feeds: Vec<ShownFeed>,
    /// The newest change among the stories; of an empty section, when the store first saw it.
    pub updated: Timestamp,
    /// The section's permanent id.
    pub atom_id: String,
}

/// A story as the store has it.
#[derive(Clone, Debug)]
pub struct StoredStory {
    pub number: i64,
    pub id: String,
    pub slug: String,
    pub sort_at: Timestamp,
}

/// An entry of a story whose feed may have left the config.
#[derive(Clone, Debug)]
pub struct StoredCopy {
    /// The entry's number.
    pub number: i64,
    pub feed: FeedId,
    pub guid: String,
    pub reason: String,
    pub score: Option<f64>,
    pub title: String,
    pub link: Option<Url>,
}

/// How a story came to stand in a section.
#[derive(Clone, Debug)]
pub struct PlacementRow {
    pub entered: Option<Timestamp>,
    pub left: Option<Timestamp>,
    pub rule: Option<String>,
    pub why: String,
}

/// Everything that `explain` tells of a story.
pub struct Explained<'c> {
    pub story: StoredStory,
    /// The copies whose feeds are configured.
    pub copies: Vec<SeenCopy<'c>>,
    /// All the copies, of feeds that left the config too.
    pub all: Vec<StoredCopy>,
    pub placements: HashMap<SectionId, PlacementRow>,
}

impl Reader {
    /// Opens the store at `path` for reading only.
    ///
    /// # Errors
    ///
    /// [`StoreError::Missing`] if there is none yet; [`StoreError::Foreign`] and [`StoreError::Newer`] as for writing.
    pub fn open(path: &Path) -> Result<Reader, StoreError> {
        let connection = super::open_readonly(path)?;
        if schema::version(&connection)? == 0 {
            return Err(StoreError::Missing(path.to_owned()));
        }
        connection.pragma_update(None, "query_only", "on")?;
        Ok(Reader { connection })
    }

    /// Reads several things from one state of the store.
    pub(super) fn in_one_state<T>(&self, work: impl FnOnce(&Reader) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let _transaction = self.connection.unchecked_transaction()?;
        work(self)
    }

    /// The feeds to be polled at `now`, the longest overdue first, at most `limit`. Feeds that are gone or whose host asked
    /// to be left alone are not among them; disabled ones are the caller's to leave out.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn due(&self, now: Timestamp, limit: usize) -> Result<Vec<DueFeed>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE removed IS NULL AND next_poll <= ?1 AND state <> 'gone' ORDER BY next_poll LIMIT ?2"
        ))?;
        let feeds = statement.query_map(params![now.millis(), limit.cast_signed()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// The feeds that were polled before and are overdue at `now`, the longest first, and those whose next poll lies after
    /// `farthest`.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn unpunctual(&self, now: Timestamp, farthest: Timestamp) -> Result<Vec<DueFeed>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!(
            "{DUE_COLUMNS} WHERE removed IS NULL AND last_poll IS NOT NULL AND state <> 'gone' AND (next_poll < ?1 OR next_poll > ?2)
             ORDER BY next_poll"
        ))?;
        let feeds = statement.query_map(params![now.millis(), farthest.millis()], due_feed)?;
        Ok(feeds.collect::<Result<_, _>>()?)
    }

    /// What polling a feed needs, due or not; `None` if the store does not know it.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn poll_state(&self, feed: &FeedId) -> Result<Option<DueFeed>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{DUE_COLUMNS} WHERE id = ?1"))?;
        Ok(statement.query_row([feed.as_str()], due_feed).optional()?)
    }

    /// The origins that asked to be left alone, and until when.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn host_holds(&self, now: Timestamp) -> Result<HashMap<String, Timestamp>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT origin, hold_until FROM host WHERE hold_until > ?1")?;
        let holds = statement.query_map([now.millis()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(holds.collect::<Result<_, _>>()?)
    }

    /// The guids and raw hashes of a feed's listed entries: what need not be cleaned again.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn raw_hashes(&self, feed: &FeedId) -> Result<HashSet<(String, u64)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT guid, raw_hash FROM entry WHERE feed = (SELECT number FROM feed WHERE id = ?1) AND unlisted IS NULL",
        )?;
        let hashes =
            statement.query_map([feed.as_str()], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?;
        Ok(hashes.collect::<Result<_, _>>()?)
    }

    /// How the configured feeds are doing, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn feed_statuses(&self) -> Result<HashMap<FeedId, FeedStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, info, state, last_poll, next_poll, hold_until, hold_why, failures, error_kind, last_error, repairs,
               (SELECT count(*) FROM entry WHERE entry.feed = feed.number),
               (SELECT max(first_seen) FROM entry WHERE entry.feed = feed.number), moved_to, moved_since, moved_polls, per_day,
               note, noted
             FROM feed WHERE removed IS NULL",
        )?;
        let statuses = statement.query_map([], |row| {
            let status = FeedStatus {
                feed: feed_id(row, 0)?,
                info: serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default(),
                state: row.get(2)?,
                last_poll: optional_time(row, 3)?,
                next_poll: time(row, 4)?,
                hold_until: optional_time(row, 5)?,
                hold_why: row.get(6)?,
                failures: row.get(7)?,
                error_kind: row.get(8)?,
                last_error: row.get(9)?,
                repairs: serde_json::from_str(&row.get::<_, String>(10)?).unwrap_or_default(),
                entries: row.get::<_, i64>(11)?.cast_unsigned(),
                newest: optional_time(row, 12)?,
                moved: match (row.get(13)?, optional_time(row, 14)?) {
                    (Some(to), Some(since)) => Some((to, since, row.get(15)?)),
                    _ => None,
                },
                per_day: row.get(16)?,
                note: row.get::<_, Option<String>>(17)?.zip(optional_time(row, 18)?),
            };
            Ok((status.feed.clone(), status))
        })?;
        Ok(statuses.collect::<Result<_, _>>()?)
    }

    /// How the configured sections are doing, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn section_statuses(&self) -> Result<HashMap<SectionId, SectionStatus>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, count(placement.story), max(placement.sort_at)
             FROM section LEFT JOIN placement ON placement.section = section.number AND placement.left IS NULL
             WHERE section.gone IS NULL GROUP BY section.number",
        )?;
        let statuses = statement.query_map([], |row| {
            let section = SectionId::from(row.get::<_, String>(0)?.as_str());
            let stories = row.get::<_, i64>(1)?.cast_unsigned();
            Ok((section.clone(), SectionStatus { section, stories, newest: optional_time(row, 2)? }))
        })?;
        Ok(statuses.collect::<Result<_, _>>()?)
    }

    /// What the documents say of the configured feeds, by id.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn feed_infos(&self) -> Result<HashMap<FeedId, FeedInfo>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT id, info FROM feed WHERE removed IS NULL")?;
        let infos = statement.query_map([], |row| {
            Ok((feed_id(row, 0)?, serde_json::from_str(&row.get::<_, String>(1)?).unwrap_or_default()))
        })?;
        Ok(infos.collect::<Result<_, _>>()?)
    }

    /// What a section shows: its newest stories, at most `limit` of them, at most `per_feed` led by one feed, and as many as
    /// a document of 1 MiB holds.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn section_content(&self, config: &Config, section: &Section) -> Result<SectionContent, StoreError> {
        let infos = self.feed_infos()?;
        let info = |feed: &FeedId| infos.get(feed).cloned().unwrap_or_default();
        let (number, first_seen, atom_id) = self.section_row(config, &section.id)?;
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, coalesce(placement.published_as, story.public_id), story.slug, story.sort_at, placement.lead, placement.sort_at, placement.changed,
               placement.frozen, placement.lead_feed
             FROM placement JOIN story ON story.number = placement.story
             WHERE placement.section = ?1 AND placement.left IS NULL ORDER BY placement.sort_at DESC, placement.story DESC",
        )?;
        let mut rows = statement.query([number])?;
        let mut stories = Vec::new();
        let mut by_feed = BTreeMap::<i64, usize>::new();
        let mut bytes = 0;
        while stories.len() < section.limit {
            let Some(row) = rows.next()? else { break };
            let of_feed = by_feed.entry(row.get(8)?).or_default();
            if section.per_feed.is_some_and(|per_feed| *of_feed >= per_feed) {
                continue;
            }
            let (story, standing) = (stored_story(row)?, standing(row)?);
            let copies = copies_of(&self.connection, config, story.number)?;
            let visible = section::visible(section, &copies);
            if visible.is_empty() {
                continue;
            }
            let mut shown = section::show(config, (&story.id, &story.slug, story.sort_at), &standing, &visible, &info);
            if render::weight(&shown) > LONG_STORY_BYTES {
                section::shorten(&mut shown);
            }
            bytes += render::weight(&shown);
            if bytes > DOCUMENT_BYTES && !stories.is_empty() {
                break;
            }
            *of_feed += 1;
            stories.push(shown);
        }
        let updated = stories.iter().map(|story| story.updated).max().unwrap_or(first_seen);
        let feeds = section.feeds.iter().filter_map(|id| config.feed(id));
        let feeds = feeds.map(|feed| section::show_feed(feed, &info(&feed.id))).collect();
        Ok(SectionContent { stories, feeds, updated, atom_id })
    }

    /// The section's number, when it was first seen, and its permanent id: until one is minted, its present address.
    fn section_row(&self, config: &Config, id: &SectionId) -> Result<(i64, Timestamp, String), StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT number, first_seen, atom_id FROM section WHERE id = ?1")?;
        let (number, first_seen, atom_id) = statement
            .query_row([id.as_str()], |row| Ok((row.get(0)?, time(row, 1)?, row.get::<_, Option<String>>(2)?)))?;
        Ok((number, first_seen, atom_id.unwrap_or_else(|| format!("{}{id}", config.site.url))))
    }

    /// The permanent id of a section.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn atom_id(&self, config: &Config, id: &SectionId) -> Result<String, StoreError> {
        self.section_row(config, id).map(|(.., atom_id)| atom_id)
    }

    /// The sections that were here once and are not now.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn gone_sections(&self) -> Result<Vec<SectionId>, StoreError> {
        let mut statement =
            self.connection.prepare_cached("SELECT id FROM section WHERE gone IS NOT NULL ORDER BY id")?;
        let ids = statement.query_map([], |row| Ok(SectionId::from(row.get::<_, String>(0)?.as_str())))?;
        Ok(ids.collect::<Result<_, _>>()?)
    }

    /// Finds a story by its public id, its slug, a link of one of its copies in any spelling, or words of its title;
    /// the newest where several fit.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn find_story(&self, wanted: &str) -> Result<Option<StoredStory>, StoreError> {
        let wanted = wanted.trim();
        if let Some(story) = self.story_by_id(wanted)? {
            return Ok(Some(story));
        }
        if let Some(key) = Url::parse(wanted).ok().as_ref().and_then(crate::link::key) {
            let by_link =
                "number IN (SELECT story FROM entry JOIN link ON link.entry = entry.number WHERE link.key = ?1)";
            if let Some(story) = self.story_where(by_link, &key)? {
                return Ok(Some(story));
            }
        }
        let slug = wanted.trim_end_matches('/').rsplit('/').next().unwrap_or(wanted);
        if let Some(story) = self.story_by_slug(slug)? {
            return Ok(Some(story));
        }
        if let Some(story) = self.story_where("number IN (SELECT story FROM entry WHERE guid = ?1)", wanted)? {
            return Ok(Some(story));
        }
        let words = "number IN (SELECT story FROM entry JOIN body ON body.entry = entry.number
                     WHERE instr(lower(json_extract(body.value, '$.title')), lower(?1)))";
        self.story_where(words, wanted)
    }

    /// The story that is published under this id, or the older one that it joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn story_by_id(&self, id: &str) -> Result<Option<StoredStory>, StoreError> {
        self.story_where("public_id = ?1", id)
    }

    /// The story whose own page has this slug, or the older one that it joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn story_by_slug(&self, slug: &str) -> Result<Option<StoredStory>, StoreError> {
        let Some(number) = story::slug_number(slug) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(&format!("{STORY} WHERE number = ?1 AND slug = ?2)"))?;
        Ok(statement.query_row(params![number, slug], stored_story).optional()?)
    }

    fn story_where(&self, condition: &str, value: &str) -> Result<Option<StoredStory>, StoreError> {
        let sql = format!("{STORY} WHERE {condition} ORDER BY sort_at DESC, number DESC LIMIT 1)");
        let mut statement = self.connection.prepare_cached(&sql)?;
        Ok(statement.query_row([value], stored_story).optional()?)
    }

    /// A story's copies and how it stands in every section.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn explain<'c>(&self, config: &'c Config, story: StoredStory) -> Result<Explained<'c>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, entered, left, rule, why FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1",
        )?;
        let placements = statement.query_map([story.number], |row| {
            let section = SectionId::from(row.get::<_, String>(0)?.as_str());
            let (entered, left) = (optional_time(row, 1)?, optional_time(row, 2)?);
            Ok((section, PlacementRow { entered, left, rule: row.get(3)?, why: row.get(4)? }))
        })?;
        let placements = placements.collect::<Result<_, _>>()?;
        let copies = copies_of(&self.connection, config, story.number)?;
        let all = self.stored_copies(story.number)?;
        Ok(Explained { story, copies, all, placements })
    }

    fn stored_copies(&self, story: i64) -> Result<Vec<StoredCopy>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT feed.id, entry.guid, entry.reason, entry.score, body.value, entry.number
             FROM entry JOIN feed ON feed.number = entry.feed LEFT JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let copies = statement.query_map([story], |row| {
            let entry: Option<Entry> =
                row.get::<_, Option<String>>(4)?.and_then(|body| serde_json::from_str(&body).ok());
            let (title, link) = entry.map(|entry| (entry.title, entry.link)).unwrap_or_default();
            Ok(StoredCopy {
                number: row.get(5)?,
                feed: feed_id(row, 0)?,
                guid: row.get(1)?,
                reason: row.get(2)?,
                score: row.get(3)?,
                title,
                link,
            })
        })?;
        Ok(copies.collect::<Result<_, _>>()?)
    }

    /// One story as a section shows it, limits aside; `None` if it is not in that section.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn story_in(
        &self,
        config: &Config,
        section: &Section,
        story: &StoredStory,
    ) -> Result<Option<ShownStory>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT left IS NULL FROM placement JOIN section ON section.number = placement.section
             WHERE section.id = ?1 AND placement.story = ?2",
        )?;
        let is_in = statement.query_row(params![section.id.as_str(), story.number], |row| row.get(0)).optional()?;
        let mut shown = match is_in {
            Some(true) => self.tell(config, section, story.number, &self.feed_infos()?)?,
            _ => None,
        };
        if let Some(shown) = &mut shown {
            section::restrict(shown, config);
        }
        Ok(shown)
    }

    /// A story that a section has or had, with all that the store has of it; `None` if nobody has words of it any more.
    pub(super) fn tell(
        &self,
        config: &Config,
        section: &Section,
        story: i64,
        infos: &HashMap<FeedId, FeedInfo>,
    ) -> Result<Option<ShownStory>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story.number, coalesce(placement.published_as, story.public_id), story.slug, story.sort_at, placement.lead, placement.sort_at, placement.changed,
               placement.frozen
             FROM placement JOIN story ON story.number = placement.story JOIN section ON section.number = placement.section
             WHERE section.id = ?1 AND placement.story = ?2",
        )?;
        let row =
            statement.query_row(params![section.id.as_str(), story], |row| Ok((stored_story(row)?, standing(row))));
        let Some((story, standing)) = row.optional()? else { return Ok(None) };
        let copies = copies_of(&self.connection, config, story.number)?;
        let visible = section::visible(section, &copies);
        if visible.is_empty() {
            return Ok(None);
        }
        let info = |feed: &FeedId| infos.get(feed).cloned().unwrap_or_default();
        let named = (&*story.id, &*story.slug, story.sort_at);
        Ok(Some(section::tell(config, named, &standing?, &visible, &info)))
    }

    /// What was last published at a path: its hash and the time of its last change.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn edition(&self, path: &str) -> Result<Option<(Vec<u8>, Timestamp)>, StoreError> {
        let mut statement = self.connection.prepare_cached("SELECT hash, changed FROM edition WHERE path = ?1")?;
        Ok(statement.query_row([path], |row| Ok((row.get(0)?, time(row, 1)?))).optional()?)
    }

    /// Copies the store into `file`, which is replaced only when the copy is whole; writers go on meanwhile.
    ///
    /// # Errors
    ///
    /// If the copy cannot be made or put in its place.
    pub fn backup(&self, file: &Path) -> Result<(), StoreError> {
        let failed = |source| StoreError::File { path: file.to_owned(), source };
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let temporary = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
        self.connection.backup("main", temporary.path(), None::<fn(rusqlite::backup::Progress)>)?;
        temporary.as_file().sync_all().map_err(failed)?;
        temporary.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    /// Whether the store is sound.
    ///
    /// # Errors
    ///
    /// As of SQLite; what is wrong comes as text, empty if nothing is.
    pub fn verify(&self) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check")?;
        let found = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let mut found: Vec<_> = found.into_iter().filter(|line| line != "ok").collect();
        let mut statement = self.connection.prepare("PRAGMA foreign_key_check")?;
        let orphans = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        found.extend(orphans.into_iter().map(|table| format!("a row of {table} names one that is not there")));
        Ok(found)
    }
}

/// The story that stands for one that is chosen by what follows.
const STORY: &str = "SELECT number, public_id, slug, sort_at FROM story
  WHERE number = (SELECT coalesce(joined_into, number) FROM story";

const DUE_COLUMNS: &str =
    "SELECT id, etag, last_modified, validators_url, failures, state, next_poll, last_poll, hold_until, hold_why,
  guids_repaired, had_validators, moved_to, moved_since, moved_polls, hints, per_day FROM feed";

fn due_feed(row: &Row) -> rusqlite::Result<DueFeed> {
    let url = row.get::<_, Option<String>>(3)?.and_then(|url| Url::parse(&url).ok());
    Ok(DueFeed {
        feed: feed_id(row, 0)?,
        validators: Validators { etag: row.get(1)?, last_modified: row.get(2)?, url },
        failures: row.get(4)?,
        state: row.get(5)?,
        next_poll: time(row, 6)?,
        last_poll: optional_time(row, 7)?,
        hold_until: optional_time(row, 8)?,
        hold_why: row.get(9)?,
        guids_repaired: row.get(10)?,
        had_validators: row.get(11)?,
        start: move_believed(row)?,
        hints: serde_json::from_str(row.get_ref(15)?.as_str()?).unwrap_or_default(),
        per_day: row.get(16)?,
    })
}

fn move_believed(row: &Row) -> rusqlite::Result<Option<Url>> {
    let (last_poll, since) = (optional_time(row, 7)?, optional_time(row, 13)?);
    let lasted = last_poll.zip(since).map(|(last_poll, since)| last_poll.since(since)).unwrap_or_default();
    let is_believed = row.get::<_, u32>(14)? >= MOVE_POLLS && lasted >= MOVE_TIME;
    let to = row.get::<_, Option<String>>(12)?.filter(|_| is_believed);
    Ok(to.and_then(|to| Url::parse(&to).ok()))
}

fn feed_id(row: &Row, column: usize) -> rusqlite::Result<FeedId> {
    Ok(FeedId::from(row.get_ref(column)?.as_str()?))
}

pub fn stored_story(row: &Row) -> rusqlite::Result<StoredStory> {
    Ok(StoredStory { number: row.get(0)?, id: row.get(1)?, slug: row.get(2)?, sort_at: time(row, 3)? })
}

fn standing(row: &Row) -> Result<Standing, StoreError> {
    let frozen: Option<String> = row.get(7)?;
    Ok(Standing {
        lead: row.get(4)?,
        sort_at: Some(time(row, 5)?),
        changed: optional_time(row, 6)?,
        frozen: frozen.map(|frozen| serde_json::from_str(&frozen)).transpose()?,
    })
}
