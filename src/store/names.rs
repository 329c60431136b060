//! The names of stories: public id and slug, which are minted when a public section first shows the story.
//!
//! A story that only private sections take has an id that tells nothing, and its number in the place of a slug. The guid
//! that it does not publish is kept, so that entries and editors find the story by it.
//!
//! A store of version 1 has names that were minted from private entries. Each is checked once, at the first start with a
//! config: only the config tells which sections are private.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{Config, Section};
use crate::entry::Entry;
use crate::feed::FeedId;
use crate::number::{EntryNumber, FeedNumber, SectionNumber, StoryNumber};
use crate::reason::Why;
use crate::section::{self, SeenCopy};
use crate::story::{self, FormerCopy, FormerNames};
use crate::time::Timestamp;

use super::StoreError;
use super::copies::{Viewer, copies_of};
use super::turn::Turn;

/// How many stories of an older store one transaction checks: some tenths of a second.
const BATCH: i64 = 2000;

/// Returns the key that this store's ids and sessions are made with.
pub fn key(connection: &Connection) -> Result<Vec<u8>, StoreError> {
    Ok(connection.prepare_cached("SELECT key FROM store_key")?.query_row([], |row| row.get(0))?)
}

/// Keeps an id that a story does not publish. The first story that has it keeps it.
fn keep_id(connection: &Connection, story: StoryNumber, id: &str) -> Result<(), StoreError> {
    let mut statement =
        connection.prepare_cached("INSERT INTO kept_id (id, story) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?;
    statement.execute(params![id, story])?;
    Ok(())
}

/// Mints the names of a story that a public section shows from now on, with this title.
///
/// `public` are the entries that readers of public sections see. If one of them bears the id that the story kept to itself,
/// that becomes its public id; readers who know the story by another keep that one.
pub fn mint(
    connection: &Connection,
    story: StoryNumber,
    title: &str,
    public: &[&Entry],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM kept_id WHERE story = ?1 ORDER BY id")?;
    let kept = statement.query_map([story], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let is_borne = |id: &String| public.iter().any(|entry| story::own_id(&entry.guid) == Some(id.as_str()));
    if let Some(id) = kept.into_iter().find(is_borne) {
        publish_kept_id(connection, story, &id)?;
    }
    let mut statement = connection.prepare_cached("UPDATE story SET slug = ?2, shown = ?3 WHERE number = ?1")?;
    statement.execute(params![story, story::slug(title, story), now.millis()])?;
    Ok(())
}

fn publish_kept_id(connection: &Connection, story: StoryNumber, id: &str) -> Result<(), StoreError> {
    let before: String = connection
        .prepare_cached("SELECT public_id FROM story WHERE number = ?1")?
        .query_row([story], |row| row.get(0))?;
    let mut statement = connection.prepare_cached("UPDATE OR IGNORE story SET public_id = ?2 WHERE number = ?1")?;
    if statement.execute(params![story, id])? == 0 {
        // Another story has published it.
        return Ok(());
    }
    let mut statement = connection.prepare_cached(
        "UPDATE placement SET published_as = ?2 WHERE story = ?1 AND published_as IS NULL AND entered IS NOT NULL",
    )?;
    statement.execute(params![story, before])?;
    connection.prepare_cached("DELETE FROM kept_id WHERE id = ?1")?.execute([id])?;
    keep_id(connection, story, &before)
}

/// Mints the slugs of the stories in a section that was private until now. Its readers know their ids: those stay.
pub(super) fn name_stories_of(
    connection: &Connection,
    config: &Config,
    section: &Section,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT story.number FROM placement JOIN story ON story.number = placement.story
         WHERE placement.section = (SELECT number FROM section WHERE id = ?1) AND placement.entered IS NOT NULL
           AND (placement.left_at IS NULL OR placement.why = ?2) AND story.shown IS NULL
           AND NOT EXISTS (SELECT 1 FROM unchecked WHERE unchecked.story = story.number)",
    )?;
    let stories = statement.query_map([section.id.as_str(), Why::TooOld.code()], |row| row.get(0))?;
    for story in stories.collect::<Result<Vec<StoryNumber>, _>>()? {
        if let Some(title) = shown_title(connection, config, section, story)? {
            mint(connection, story, &title, &[], now)?;
        }
    }
    Ok(())
}

/// Returns the title under which a section shows a story; `None` if nobody has words of it any more.
fn shown_title(
    connection: &Connection,
    config: &Config,
    section: &Section,
    story: StoryNumber,
) -> Result<Option<String>, StoreError> {
    let copies = copies_of(connection, config, story, Viewer::Section(section), false)?;
    let visible = section::visible(section, &copies);
    if visible.is_empty() {
        return Ok(None);
    }
    let mut statement = connection.prepare_cached(
        "SELECT lead, frozen FROM placement WHERE story = ?1 AND section = (SELECT number FROM section WHERE id = ?2)",
    )?;
    let (lead, frozen): (EntryNumber, Option<String>) =
        statement.query_row(params![story, section.id.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
    if let Some(frozen) = frozen {
        return Ok(Some(serde_json::from_str::<Entry>(&frozen)?.title));
    }
    let lead = visible.iter().find(|copy| copy.number == lead).unwrap_or(&visible[section::lead(&visible).0]);
    Ok(Some(title_of(lead)))
}

fn title_of(copy: &SeenCopy) -> String {
    copy.entry.title.clone()
}

/// Checks the names of the next stories of an older store. Returns how many it checked, 0 when all are done, and how many
/// public ones it renamed.
pub(super) fn check_batch(
    connection: &Connection,
    config: &Config,
    now: Timestamp,
) -> Result<(usize, usize), StoreError> {
    let before = unchecked(connection)?;
    if let Some(last) = before.last() {
        pass_public_stories(connection, config, *last)?;
    }
    let mut renamed = 0;
    for story in unchecked(connection)?.into_iter().filter(|story| before.contains(story)) {
        renamed += usize::from(Check::of(connection, config, story)?.perform(now)?);
        connection.prepare_cached("DELETE FROM unchecked WHERE story = ?1")?.execute([story])?;
    }
    Ok((before.len(), renamed))
}

fn unchecked(connection: &Connection) -> Result<BTreeSet<StoryNumber>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT story FROM unchecked ORDER BY story LIMIT ?1")?;
    Ok(statement.query_map([BATCH], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

/// Lets the names stay of stories that a public section shows with all their copies: of most, without reading their words.
fn pass_public_stories(connection: &Connection, config: &Config, last: StoryNumber) -> Result<(), StoreError> {
    let mut pass = connection.prepare_cached(
        "UPDATE story SET shown = placement.entered
         FROM unchecked JOIN placement ON placement.story = unchecked.story
         WHERE story.number = unchecked.story AND unchecked.story <= ?3 AND story.joined_into IS NULL
           AND placement.section = (SELECT number FROM section WHERE id = ?1) AND placement.entered IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM entry WHERE entry.story = unchecked.story AND entry.feed NOT IN
             (SELECT number FROM feed WHERE id IN (SELECT value FROM json_each(?2))))
           AND NOT EXISTS (SELECT 1 FROM verdict WHERE kind = 'split' AND (a = unchecked.story OR b = unchecked.story))",
    )?;
    for section in config.sections.iter().filter(|section| section.is_public()) {
        let feeds = section.feeds.iter().map(FeedId::as_str).collect::<Vec<_>>();
        pass.execute(params![section.id.as_str(), serde_json::to_string(&feeds)?, last])?;
    }
    let mut done = connection.prepare_cached(
        "DELETE FROM unchecked WHERE story <= ?1 AND (SELECT shown FROM story WHERE number = unchecked.story) IS NOT NULL",
    )?;
    done.execute([last])?;
    Ok(())
}

/// The check of one story's names.
struct Check<'a> {
    connection: &'a Connection,
    config: &'a Config,
    /// The story that stands for it: itself, or the one that it joined.
    standing: StoryNumber,
    places: Vec<Place<'a>>,
    names: FormerNames,
}

/// A public section that shows the story, or did.
struct Place<'a> {
    section: &'a Section,
    number: SectionNumber,
    lead_feed: FeedNumber,
    entered: Timestamp,
}

impl<'a> Check<'a> {
    fn of(connection: &'a Connection, config: &'a Config, number: StoryNumber) -> Result<Self, StoreError> {
        let mut statement = connection
            .prepare_cached("SELECT public_id, slug, coalesce(joined_into, number) FROM story WHERE number = ?1")?;
        let (id, slug, standing) = statement.query_row([number], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let places = public_places(connection, config, standing)?;
        let copies = former_copies(connection, config, (number, standing), &places)?;
        Ok(Check { connection, config, standing, places, names: FormerNames { number, id, slug, copies } })
    }

    /// Returns whether the story is named otherwise now.
    fn perform(&self, now: Timestamp) -> Result<bool, StoreError> {
        let is_private = self.places.is_empty();
        let (new_id, new_slug) = (is_private || self.names.id_is_private(), is_private || self.names.slug_is_private());
        if new_id {
            self.replace_id()?;
        }
        if new_slug {
            self.replace_slug(now)?;
        } else {
            let shown = self.places.iter().map(|place| place.entered).min().unwrap_or(now);
            let mut statement = self.connection.prepare_cached("UPDATE story SET shown = ?2 WHERE number = ?1")?;
            statement.execute(params![self.names.number, shown.millis()])?;
        }
        Ok(!is_private && (new_id || new_slug))
    }

    /// Readers of private sections go on with the id that they know.
    fn replace_id(&self) -> Result<(), StoreError> {
        let (FormerNames { number, id, .. }, connection) = (&self.names, self.connection);
        let new = story::replaced_id(&key(connection)?, id);
        keep_id(connection, *number, id)?;
        connection
            .prepare_cached("UPDATE story SET public_id = ?2 WHERE number = ?1")?
            .execute(params![number, new])?;
        let public = self.places.iter().map(|place| place.number).collect::<BTreeSet<_>>();
        let public = serde_json::to_string(&public)?;
        if *number == self.standing {
            let mut statement = connection.prepare_cached(
                "UPDATE placement SET published_as = ?2 WHERE story = ?1 AND published_as IS NULL AND entered IS NOT NULL
                   AND section NOT IN (SELECT value FROM json_each(?3))",
            )?;
            statement.execute(params![number, id, public])?;
        } else {
            let mut statement = connection.prepare_cached(
                "UPDATE placement SET published_as = ?3 WHERE story = ?1 AND published_as = ?2
                   AND section IN (SELECT value FROM json_each(?4))",
            )?;
            statement.execute(params![self.standing, id, new, public])?;
        }
        Ok(())
    }

    /// The number alone, or words that the first public section shows. The old address leads on by its number.
    fn replace_slug(&self, now: Timestamp) -> Result<(), StoreError> {
        let FormerNames { number, .. } = self.names;
        let first = self.places.first().filter(|_| number == self.standing);
        let title = first.map(|place| shown_title(self.connection, self.config, place.section, number));
        let title = title.transpose()?.flatten();
        let slug = title.as_ref().map_or_else(|| story::unnamed(number), |title| story::slug(title, number));
        let mut statement =
            self.connection.prepare_cached("UPDATE story SET slug = ?2, shown = ?3 WHERE number = ?1")?;
        statement.execute(params![number, slug, title.map(|_| now.millis())])?;
        Ok(())
    }
}

/// The public sections of the config that show a story or did, in the config's order.
fn public_places<'a>(
    connection: &Connection,
    config: &'a Config,
    story: StoryNumber,
) -> Result<Vec<Place<'a>>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT section.number, placement.lead_feed, placement.entered FROM placement JOIN section ON section.number = placement.section
         WHERE placement.story = ?1 AND section.id = ?2 AND placement.entered IS NOT NULL",
    )?;
    let mut places = Vec::new();
    for section in config.sections.iter().filter(|section| section.is_public()) {
        let place = statement.query_row(params![story, section.id.as_str()], |row| {
            let entered = Timestamp::from_millis(row.get(2)?);
            Ok(Place { section, number: row.get(0)?, lead_feed: row.get(1)?, entered })
        });
        places.extend(place.optional()?);
    }
    Ok(places)
}

/// The copies of the standing story, and those that an editor split from the story.
fn former_copies(
    connection: &Connection,
    config: &Config,
    (number, standing): (StoryNumber, StoryNumber),
    places: &[Place],
) -> Result<Vec<FormerCopy>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT entry.number, entry.feed, feed.id, entry.guid, entry.story = ?2, entry.reason = 'first', body.value
         FROM entry JOIN feed ON feed.number = entry.feed LEFT JOIN body ON body.entry = entry.number
         WHERE entry.story = ?2
           OR entry.story IN (SELECT a + b - ?1 FROM verdict WHERE kind = 'split' AND (a = ?1 OR b = ?1))
         ORDER BY entry.number",
    )?;
    let mut aliases = connection.prepare_cached("SELECT guid FROM entry_alias WHERE entry = ?1")?;
    let mut rows = statement.query([number, standing])?;
    let mut copies = Vec::new();
    let mut is_oldest = true;
    while let Some(row) = rows.next()? {
        let (entry, feed): (EntryNumber, FeedNumber) = (row.get(0)?, row.get(1)?);
        let (feed_id, is_own) = (row.get::<_, String>(2)?, row.get::<_, bool>(4)?);
        let mut guids = vec![row.get(3)?];
        guids.extend(aliases.query_map([entry], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?);
        let body: Option<String> = row.get(6)?;
        let title = body.map(|body| serde_json::from_str::<Entry>(&body)).transpose()?.map(|entry| entry.title);
        let is_known = config.feed(&feed_id.as_str().into()).is_some();
        let is_public = places
            .iter()
            .any(|place| place.lead_feed == feed || is_known && place.section.takes(&feed_id.as_str().into()));
        // Of a story that joined another, nothing tells which copy was its first.
        let may_be_first = number != standing || row.get(5)? && is_own || is_oldest;
        is_oldest = false;
        copies.push(FormerCopy { is_public, may_be_first, guids, title });
    }
    Ok(copies)
}

impl Turn<'_> {
    /// Mints the slugs of the stories in a section that was private until now. Its readers know their ids: those stay.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn name_stories_of(&self, config: &Config, section: &Section, now: Timestamp) -> Result<(), StoreError> {
        name_stories_of(self.connection, config, section, now)
    }

    /// Checks the names of the next stories of an older store. Returns how many it checked, 0 when all are done, and how many
    /// public ones it renamed.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn check_names(&self, config: &Config, now: Timestamp) -> Result<(usize, usize), StoreError> {
        check_batch(self.connection, config, now)
    }
}
