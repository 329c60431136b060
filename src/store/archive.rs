//! Archives of sections (RFC 5005 §4): what no longer fits into a section's document, in documents that stay as they are.
//!
//! The policy held here: archive documents and section document together hold every story that a section ever told, and
//! none is in two archive documents. A story is written down when it is pushed out, as it was then; edits, new copies and new
//! leads change nothing in it. What changes a document is rights, which are applied when it is read; a story that left
//! the section by anything but its age; a feed that left it; and retention.
//!
//! A document is made of what was pushed out and of the older half of what the section document still shows, so that it
//! is worth a request: readers know a story by its id wherever they meet it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, params};

use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::number::{SectionNumber, StoryNumber};
use crate::reason::Why;
use crate::render;
use crate::section::{self, ShownStory};
use crate::story;
use crate::time::Timestamp;

use super::feeds::Infos;
use super::sql::{optional_time, time};
use super::{Reader, Store, StoreError};

/// How many stories a document holds at most.
const DOCUMENT_STORIES: usize = 100;

/// How large a document is at most, about: 1 MiB less its head.
pub(super) const DOCUMENT_BYTES: usize = 1020 * 1024;

/// A story that alone would take so much of a document is told by its summary there.
pub(super) const LONG_STORY_BYTES: usize = 256 * 1024;

/// How many stories are looked at in one step, so that a million of them keep nobody waiting.
const STEP: usize = 1000;

/// Archive documents are compressed once and read seldom.
const ZSTD_LEVEL: i32 = 9;

/// An archive document as it is now to be published.
#[derive(Clone, Debug)]
pub struct Archive {
    /// Newest first.
    pub stories: Vec<ShownStory>,
    /// When it was made, or a story of it last left or came back.
    pub changed: Timestamp,
}

/// Archive documents that are to be written.
#[derive(Clone, Debug, Default)]
pub struct PushedOut {
    /// The oldest first.
    documents: Vec<NewArchive>,
    /// Whether nothing more waits to be archived.
    pub is_all: bool,
}

#[derive(Clone, Debug)]
struct NewArchive {
    /// Numbers of all its stories, of those too whose words nobody has any more.
    stories: Vec<StoryNumber>,
    told: Vec<u8>,
}

impl PushedOut {
    pub fn is_empty(&self) -> bool {
        self.documents.is_empty()
    }
}

/// A story on its way into an archive.
struct Leaving {
    number: StoryNumber,
    told: Option<ShownStory>,
}

impl Store {
    /// Writes archive documents of a section; returns the number of its newest.
    ///
    /// # Errors
    ///
    /// As of SQLite; nothing is written then.
    pub async fn archive(
        &self,
        section: SectionId,
        pushed_out: PushedOut,
        now: Timestamp,
    ) -> Result<Option<u32>, StoreError> {
        self.write(move |connection| {
            for document in &pushed_out.documents {
                write(connection, &section, document, now)?;
            }
            newest(connection, &section)
        })
        .await
    }
}

fn write(
    connection: &Connection,
    section: &SectionId,
    document: &NewArchive,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut insert = connection.prepare_cached(
        "INSERT INTO archive (section, number, made, stories)
         SELECT section.number, 1 + coalesce((SELECT max(number) FROM archive WHERE section = section.number), 0), ?2, ?3
         FROM section WHERE id = ?1 RETURNING section, number",
    )?;
    let (section, number): (SectionNumber, u32) = insert
        .query_row(params![section.as_str(), now.millis(), document.told], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut update = connection
        .prepare_cached("UPDATE placement SET archive = ?3 WHERE section = ?1 AND story = ?2 AND archive IS NULL")?;
    for story in &document.stories {
        update.execute(params![section, story, number])?;
    }
    Ok(())
}

fn newest(connection: &Connection, section: &SectionId) -> Result<Option<u32>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT max(archive.number) FROM archive JOIN section ON section.number = archive.section WHERE section.id = ?1",
    )?;
    Ok(statement.query_row([section.as_str()], |row| row.get(0))?)
}

impl Reader {
    /// The number of a section's newest archive document; `None` if it has none.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn newest_archive(&self, section: &SectionId) -> Result<Option<u32>, StoreError> {
        newest(&self.connection, section)
    }

    /// What a section that shows these stories has pushed out since it was last asked, in steps.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn pushed_out(
        &self,
        config: &Config,
        section: &Section,
        shown: &[ShownStory],
    ) -> Result<PushedOut, StoreError> {
        let shown: BTreeSet<StoryNumber> = shown.iter().filter_map(|story| story::slug_number(&story.slug)).collect();
        let waiting = self.not_archived(section, STEP + shown.len())?;
        let is_all = waiting.len() < STEP + shown.len();
        let (still_shown, mut leaving): (Vec<StoryNumber>, Vec<StoryNumber>) =
            waiting.iter().partition(|number| shown.contains(number));
        if leaving.is_empty() {
            return Ok(PushedOut { documents: Vec::new(), is_all });
        }
        if is_all {
            // The list is in order of age, and has to stay so.
            let company: BTreeSet<StoryNumber> = still_shown.iter().take(still_shown.len() / 2).copied().collect();
            let leaves = |number: &StoryNumber| company.contains(number) || !shown.contains(number);
            leaving = waiting.into_iter().filter(leaves).collect();
        }
        let infos = self.infos();
        let leaving = leaving.into_iter().map(|number| self.leaving(config, section, number, &infos));
        let documents = documents(leaving.collect::<Result<_, _>>()?);
        Ok(PushedOut {
            documents: documents.iter().map(|document| encode_document(document)).collect::<Result<_, _>>()?,
            is_all,
        })
    }

    /// The stories that a section has told and that are in no archive document yet, the oldest first.
    fn not_archived(&self, section: &Section, limit: usize) -> Result<Vec<StoryNumber>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story FROM placement
             WHERE section = (SELECT number FROM section WHERE id = ?1)
               AND archive IS NULL AND entered IS NOT NULL AND (left_at IS NULL OR rule IS NULL)
               AND (left_at IS NULL OR why = ?2)
             ORDER BY sort_at, story LIMIT ?3",
        )?;
        let stories = statement.query_map(
            params![section.id.as_str(), Why::TooOld.code(), i64::try_from(limit).unwrap_or(i64::MAX)],
            |row| row.get(0),
        )?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    fn leaving(
        &self,
        config: &Config,
        section: &Section,
        number: StoryNumber,
        infos: &Infos,
    ) -> Result<Leaving, StoreError> {
        let told = self.tell(config, section, number, infos)?;
        Ok(Leaving { number, told: told.and_then(|story| fitting(story, LONG_STORY_BYTES)) })
    }

    /// An archive document of a section; `None` if there is no such one.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn archive(&self, config: &Config, section: &Section, number: u32) -> Result<Option<Archive>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT archive.section, archive.made, archive.stories FROM archive JOIN section ON section.number = archive.section
             WHERE section.id = ?1 AND archive.number = ?2",
        )?;
        let row = statement.query_row(params![section.id.as_str(), number], |row| {
            Ok((row.get::<_, SectionNumber>(0)?, time(row, 1)?, row.get::<_, Vec<u8>>(2)?))
        });
        let Some((section_number, made, told)) = row.optional()? else { return Ok(None) };
        let mut told: HashMap<StoryNumber, ShownStory> =
            decode(&told)?.into_iter().filter_map(|story| Some((story::slug_number(&story.slug)?, story))).collect();
        let infos = self.infos();
        let mut stories = BTreeMap::new();
        let (mut changed, mut bytes) = (made, 0);
        for standing in self.standings(section_number, number)? {
            changed = [standing.entered, standing.left].into_iter().flatten().fold(changed, Timestamp::max);
            if !standing.is_told {
                continue;
            }
            let written = told.remove(&standing.story).filter(|story| is_led_by_a_feed_of(section, story));
            let told = match written {
                Some(story) => Some(story),
                // What was written fits, what another copy says may not.
                None => {
                    let room = LONG_STORY_BYTES.min(DOCUMENT_BYTES.saturating_sub(bytes));
                    self.tell(config, section, standing.story, &infos)?.and_then(|story| fitting(story, room))
                }
            };
            if let Some(mut story) = told {
                story.copies.retain(|copy| section.takes(&copy.feed));
                (story.id, story.slug) = (standing.id, standing.slug);
                section::restrict(&mut story, config);
                bytes += render::weight(&story);
                stories.insert((story.sort_at, standing.story), story);
            }
        }
        Ok(Some(Archive { stories: stories.into_values().rev().collect(), changed }))
    }

    /// The slugs of all stories in a public section, shown or beyond its limit, and of those public ones that joined one of
    /// them.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn page_slugs(&self, section: &SectionId) -> Result<Vec<String>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "WITH placed AS (SELECT story FROM placement
               WHERE section = (SELECT number FROM section WHERE id = ?1) AND left_at IS NULL)
             SELECT slug FROM placed JOIN story ON story.number = placed.story
             UNION ALL SELECT slug FROM placed JOIN story ON story.joined_into = placed.story
               WHERE story.shown IS NOT NULL",
        )?;
        let slugs = statement.query_map([section.as_str()], |row| row.get(0))?;
        Ok(slugs.collect::<Result<_, _>>()?)
    }

    /// The archive documents of a section, the oldest first, each with the time of its last change.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn archives(&self, section: &SectionId) -> Result<Vec<(u32, Timestamp)>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT archive.number, max(archive.made, coalesce(max(entered), 0), coalesce(max(left_at), 0))
             FROM archive JOIN section ON section.number = archive.section
               LEFT JOIN placement ON placement.section = archive.section AND placement.archive = archive.number
             WHERE section.id = ?1 GROUP BY archive.number ORDER BY archive.number",
        )?;
        let archives = statement.query_map([section.as_str()], |row| Ok((row.get(0)?, time(row, 1)?)))?;
        Ok(archives.collect::<Result<_, _>>()?)
    }

    /// How the stories of an archive document stand in their section.
    fn standings(&self, section: SectionNumber, archive: u32) -> Result<Vec<ArchivedStanding>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT story, left_at IS NULL OR (rule IS NULL AND why = ?3), entered, left_at,
               coalesce(published_as, public_id), slug
             FROM placement JOIN story ON story.number = placement.story
             WHERE section = ?1 AND archive = ?2 AND archive IS NOT NULL",
        )?;
        let standings = statement.query_map(params![section, archive, Why::TooOld.code()], |row| {
            Ok(ArchivedStanding {
                story: row.get(0)?,
                is_told: row.get(1)?,
                entered: optional_time(row, 2)?,
                left: optional_time(row, 3)?,
                id: row.get(4)?,
                slug: row.get(5)?,
            })
        })?;
        Ok(standings.collect::<Result<_, _>>()?)
    }
}

struct ArchivedStanding {
    story: StoryNumber,
    /// Whether it is in the section, or left it by its age alone.
    is_told: bool,
    entered: Option<Timestamp>,
    left: Option<Timestamp>,
    /// The names that it has now: those of an older store may have been replaced since it was written down.
    id: String,
    slug: String,
}

/// Whether the words of the story are those of a feed that the section still takes.
fn is_led_by_a_feed_of(section: &Section, story: &ShownStory) -> bool {
    story.copies.iter().any(|copy| copy.lead && section.takes(&copy.feed))
}

/// The story, shortened if it takes more than `room` bytes; `None` if it takes more even then.
pub(super) fn fitting(story: ShownStory, room: usize) -> Option<ShownStory> {
    if render::weight(&story) <= room { Some(story) } else { short(story, room) }
}

/// The story, shortened; `None` if it takes more than `room` bytes even then.
pub(super) fn short(mut story: ShownStory, room: usize) -> Option<ShownStory> {
    section::shorten(&mut story);
    (render::weight(&story) <= room).then_some(story)
}

/// Stories in order of age → documents that are neither too long nor too large.
fn documents(leaving: Vec<Leaving>) -> Vec<Vec<Leaving>> {
    let mut documents: Vec<Vec<Leaving>> = Vec::new();
    let mut bytes = 0;
    for story in leaving {
        let weight = story.told.as_ref().map_or(0, render::weight);
        match documents.last_mut() {
            Some(document) if document.len() < DOCUMENT_STORIES && bytes + weight <= DOCUMENT_BYTES => {
                bytes += weight;
                document.push(story);
            }
            _ => {
                bytes = weight;
                documents.push(vec![story]);
            }
        }
    }
    documents
}

fn encode_document(document: &[Leaving]) -> Result<NewArchive, StoreError> {
    let told: Vec<_> = document.iter().filter_map(|story| story.told.as_ref()).collect();
    Ok(NewArchive { stories: document.iter().map(|story| story.number).collect(), told: encode(&told)? })
}

fn encode(stories: &[&ShownStory]) -> Result<Vec<u8>, StoreError> {
    Ok(zstd::encode_all(serde_json::to_vec(stories)?.as_slice(), ZSTD_LEVEL)?)
}

fn decode(told: &[u8]) -> Result<Vec<ShownStory>, StoreError> {
    Ok(serde_json::from_slice(&zstd::decode_all(told)?)?)
}
