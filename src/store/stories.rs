//! What the store knows of single stories: found by what somebody has of them, explained, and told as a section shows them.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::config::{Config, Section};
use crate::entry::Entry;
use crate::feed::{FeedId, SectionId};
use crate::number::{EntryNumber, StoryNumber};
use crate::reason::Why;
use crate::section::{self, SeenCopy, ShownPlacement, ShownStory};
use crate::story;
use crate::time::Timestamp;

use super::copies::{Viewer, copies_of};
use super::feeds::{Infos, feed_id};
use super::sql::{optional_time, time};
use super::why::why;
use super::{Reader, StoreError, names};

/// A story as the store has it.
#[derive(Clone, Debug)]
pub struct StoredStory {
    pub number: StoryNumber,
    pub id: String,
    pub slug: String,
    pub sort_at: Timestamp,
}

/// An entry of a story whose feed may have left the config.
#[derive(Clone, Debug)]
pub struct StoredCopy {
    /// The entry's number.
    pub number: EntryNumber,
    pub feed: FeedId,
    pub guid: String,
    pub reason: String,
    pub score: Option<f64>,
    pub title: String,
    pub link: Option<Url>,
}

/// How many stories are listed at most where words may mean several.
pub const CANDIDATES: usize = 10;

/// A story that somebody may mean.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    pub id: String,
    /// As readers see it, else that of its first copy with words; may be empty.
    pub title: String,
    pub sort_at: Timestamp,
    /// When it was published, as readers see it; `None` if no section holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<Timestamp>,
}

/// How a story came to stand in a section.
#[derive(Clone, Debug)]
pub struct StoredPlacement {
    pub entered: Option<Timestamp>,
    pub left: Option<Timestamp>,
    pub why: Why,
}

/// Everything that `explain` tells of a story.
pub struct Explained<'c> {
    pub story: StoredStory,
    /// The copies whose feeds are configured.
    pub copies: Vec<SeenCopy<'c>>,
    /// All the copies, of feeds that left the config too.
    pub all: Vec<StoredCopy>,
    pub placements: HashMap<SectionId, StoredPlacement>,
}

impl Reader {
    /// The stories that `wanted` names without doubt: by a public id, a number, a slug or the address of a page below `site`,
    /// or a link of one of their copies in any spelling. Several only if they share the link; at most [`CANDIDATES`] + 1.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn named(&self, site: Option<&Url>, wanted: &str) -> Result<Vec<StoredStory>, StoreError> {
        let wanted = wanted.trim();
        if let Some(story) = self.story_by_id(wanted)? {
            return Ok(vec![story]);
        }
        let of_site = site.and_then(|site| wanted.strip_prefix(site.as_str().trim_end_matches('/')));
        if let Some(page) = of_site.and_then(|path| path.trim_start_matches('/').strip_prefix("story/")) {
            return Ok(self.story_of_page(page)?.into_iter().collect());
        }
        let Some(key) = Url::parse(wanted).ok().as_ref().and_then(crate::link::key) else {
            let page = wanted.trim_start_matches('/');
            return Ok(self.story_of_page(page.strip_prefix("story/").unwrap_or(page))?.into_iter().collect());
        };
        // A copy's own link says more than what others call their original.
        for original in [false, true] {
            let stories = self.stories_where(
                "number IN (SELECT story FROM entry JOIN link ON link.entry = entry.number
                 WHERE link.key = ?1 AND link.original = ?2)",
                params![key, original],
            )?;
            if !stories.is_empty() {
                return Ok(stories);
            }
        }
        // The site may have been read under another address; a number alone would fit any site's pages.
        let page = wanted.rsplit_once("/story/").map(|(_, page)| page.trim_end_matches('/'));
        Ok(page
            .filter(|page| !is_number(page))
            .map(|slug| self.story_by_slug(slug))
            .transpose()?
            .flatten()
            .into_iter()
            .collect())
    }

    /// The story whose page this is, as in `harbour-news-12` or `12`.
    fn story_of_page(&self, page: &str) -> Result<Option<StoredStory>, StoreError> {
        let page = page.trim_end_matches('/');
        if is_number(page) { self.story_where("number = ?1", page) } else { self.story_by_slug(page) }
    }

    /// The stories that somebody may mean by these words: those of a guid, else those with the words in a title; the best
    /// first, at most [`CANDIDATES`] + 1.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn meant(&self, config: &Config, words: &str) -> Result<Vec<Candidate>, StoreError> {
        let words = words.trim();
        if words.is_empty() {
            return Ok(Vec::new());
        }
        let mut stories = self.stories_where("number IN (SELECT story FROM entry WHERE guid = ?1)", params![words])?;
        if stories.is_empty() {
            stories = self.stories_titled(words)?;
        }
        if stories.is_empty() {
            // The index follows in the background, and knows whole words only.
            let in_title = "number IN (SELECT story FROM entry JOIN body ON body.entry = entry.number
                            WHERE instr(lower(json_extract(body.value, '$.title')), lower(?1)))";
            stories = self.stories_where(in_title, params![words])?;
        }
        stories.into_iter().map(|story| self.candidate(config, story)).collect()
    }

    /// A story as a list shows it.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn candidate(&self, config: &Config, story: StoredStory) -> Result<Candidate, StoreError> {
        let shown = self.shown(config, &story, &self.infos())?.map(|(_, shown)| shown);
        let published = shown.as_ref().map(|shown| shown.published);
        let copies = self.stored_copies(story.number)?.into_iter().map(|copy| copy.title);
        let mut titles = shown.map(|shown| shown.entry.title).into_iter().chain(copies);
        let title = titles.find(|title| !title.is_empty()).unwrap_or_default();
        Ok(Candidate { title, id: story.id, sort_at: story.sort_at, published })
    }

    /// The story that is published under this id or keeps it to itself, or the older one that it joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn story_by_id(&self, id: &str) -> Result<Option<StoredStory>, StoreError> {
        match self.story_where("public_id = ?1", id)? {
            Some(story) => Ok(Some(story)),
            None => self.story_where("number = (SELECT story FROM kept_id WHERE id = ?1)", id),
        }
    }

    /// Returns the story that the address `/story/{slug}/` leads to: the one with the slug's number, or the older one that it
    /// joined. The words before the number may be others: nobody can find out by trying whether a story has had them.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn story_at(&self, slug: &str) -> Result<Option<StoredStory>, StoreError> {
        let Some(number) = story::slug_number(slug) else { return Ok(None) };
        let mut statement = self.connection.prepare_cached(&format!("{STORY} WHERE number = ?1)"))?;
        Ok(statement.query_row([number], stored_story).optional()?)
    }

    /// Returns the key that sessions of readers are made with.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn key(&self) -> Result<Vec<u8>, StoreError> {
        names::key(&self.connection)
    }

    /// The story with this number, or the older one that it joined.
    ///
    /// # Errors
    ///
    /// As of SQLite.
    pub fn story_by_number(&self, number: StoryNumber) -> Result<Option<StoredStory>, StoreError> {
        let mut statement = self.connection.prepare_cached(&format!("{STORY} WHERE number = ?1)"))?;
        Ok(statement.query_row([number], stored_story).optional()?)
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

    /// The stories that stand for those chosen, the newest first.
    fn stories_where(&self, condition: &str, values: &[&dyn ToSql]) -> Result<Vec<StoredStory>, StoreError> {
        let sql = format!(
            "SELECT number, public_id, slug, sort_at FROM story
             WHERE number IN (SELECT coalesce(joined_into, number) FROM story WHERE {condition})
             ORDER BY sort_at DESC, number DESC LIMIT {}",
            CANDIDATES + 1
        );
        let mut statement = self.connection.prepare_cached(&sql)?;
        let stories = statement.query_map(values, stored_story)?;
        Ok(stories.collect::<Result<_, _>>()?)
    }

    /// A story's copies and how it stands in every section.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn explain<'c>(&self, config: &'c Config, story: StoredStory) -> Result<Explained<'c>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT section.id, entered, left_at, rule, why, detail FROM placement JOIN section ON section.number = placement.section
             WHERE placement.story = ?1",
        )?;
        let placements = statement.query_map([story.number], |row| {
            let section = SectionId::from(row.get::<_, String>(0)?.as_str());
            let (entered, left) = (optional_time(row, 1)?, optional_time(row, 2)?);
            Ok((section, StoredPlacement { entered, left, why: why(row, 3)? }))
        })?;
        let placements = placements.collect::<Result<_, _>>()?;
        let copies = copies_of(&self.connection, config, story.number, Viewer::All, true)?;
        let all = self.stored_copies(story.number)?;
        Ok(Explained { story, copies, all, placements })
    }

    fn stored_copies(&self, story: StoryNumber) -> Result<Vec<StoredCopy>, StoreError> {
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
        infos: &Infos,
    ) -> Result<Option<ShownStory>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT left_at IS NULL FROM placement JOIN section ON section.number = placement.section
             WHERE section.id = ?1 AND placement.story = ?2",
        )?;
        let is_in = statement.query_row(params![section.id.as_str(), story.number], |row| row.get(0)).optional()?;
        let mut shown = match is_in {
            Some(true) => self.tell(config, section, story.number, infos)?,
            _ => None,
        };
        if let Some(shown) = &mut shown {
            section::restrict(shown, config);
        }
        Ok(shown)
    }

    /// A story as readers see it: as the first section that holds it shows it, public sections before private ones, and that
    /// section; `None` if no section holds it.
    ///
    /// # Errors
    ///
    /// As of SQLite, or that stored words cannot be read.
    pub fn shown<'c>(
        &self,
        config: &'c Config,
        story: &StoredStory,
        infos: &Infos,
    ) -> Result<Option<(&'c Section, ShownStory)>, StoreError> {
        let (public, private): (Vec<_>, Vec<_>) = config.sections.iter().partition(|section| section.is_public());
        for section in public.into_iter().chain(private) {
            if let Some(shown) = self.story_in(config, section, story, infos)? {
                return Ok(Some((section, shown)));
            }
        }
        Ok(None)
    }

    /// As [`tell`].
    pub(super) fn tell(
        &self,
        config: &Config,
        section: &Section,
        story: StoryNumber,
        infos: &Infos,
    ) -> Result<Option<ShownStory>, StoreError> {
        tell(&self.connection, config, section, story, infos)
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A story that a section has or had, with all that the store has of it; `None` if nobody has words of it any more.
pub(super) fn tell(
    connection: &Connection,
    config: &Config,
    section: &Section,
    story: StoryNumber,
    infos: &Infos,
) -> Result<Option<ShownStory>, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT story.number, coalesce(placement.published_as, story.public_id), story.slug, story.sort_at, placement.lead, placement.sort_at, placement.changed,
           placement.frozen
         FROM placement JOIN story ON story.number = placement.story JOIN section ON section.number = placement.section
         WHERE section.id = ?1 AND placement.story = ?2",
    )?;
    let row = statement.query_row(params![section.id.as_str(), story], |row| Ok((stored_story(row)?, standing(row))));
    let Some((story, standing)) = row.optional()? else { return Ok(None) };
    let copies = copies_of(connection, config, story.number, Viewer::Section(section), false)?;
    let visible = section::visible(section, &copies);
    if visible.is_empty() {
        return Ok(None);
    }
    for copy in &visible {
        infos.load(&copy.feed.id)?;
    }
    let named = (&*story.id, &*story.slug, story.sort_at);
    Ok(Some(section::tell(config, named, &standing?, &visible, &|feed| infos.get(feed))))
}

/// The story that stands for one that is chosen by what follows.
const STORY: &str = "SELECT number, public_id, slug, sort_at FROM story
  WHERE number = (SELECT coalesce(joined_into, number) FROM story";

pub(super) fn stored_story(row: &Row) -> rusqlite::Result<StoredStory> {
    Ok(StoredStory { number: row.get(0)?, id: row.get(1)?, slug: row.get(2)?, sort_at: time(row, 3)? })
}

pub(super) fn standing(row: &Row) -> Result<ShownPlacement, StoreError> {
    let frozen: Option<String> = row.get(7)?;
    Ok(ShownPlacement {
        lead: row.get(4)?,
        sort_at: Some(time(row, 5)?),
        changed: optional_time(row, 6)?,
        frozen: frozen.map(|frozen| serde_json::from_str(&frozen)).transpose()?,
    })
}
