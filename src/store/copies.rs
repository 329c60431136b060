//! Reads the copies of a story: all of an ordinary story, and of a story with very many copies only those that matter.
//!
//! The policy here: what one story costs is bounded, however many feeds carry its text. A story with more than
//! [`MAX_COPIES`] copies is judged and shown by the best of them, and no feed can push out another's: each feed has a few
//! places at most, each section chooses among the copies that it sees, and the copies that may lead come first (at the
//! original's own host, then by priority, then the first).

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use rusqlite::{Connection, OptionalExtension, Row};
use url::Url;

use crate::config::{Config, Feed, Section};
use crate::entry::Entry;
use crate::feed::FeedId;
use crate::link;
use crate::section::{self, MAX_COPIES, SeenCopy};
use crate::story::JoinReason;
use crate::text::PlainText;
use crate::time::Timestamp;

use super::StoreError;
use super::place::{optional_time, time};

/// How many bytes of entries are read for one story: as much as one document may bring. The best copy is always read.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How many copies of one feed are considered. Only an editor joins more than one; earlier versions joined any number.
const MAX_OF_ONE_FEED: usize = 4;

/// Who looks at the copies.
#[derive(Clone, Copy)]
pub enum Viewer<'s> {
    /// All sections, and whoever compares stories.
    All,
    Section(&'s Section),
}

impl Viewer<'_> {
    fn sees(self, feed: &FeedId) -> bool {
        match self {
            Viewer::All => true,
            Viewer::Section(section) => section.takes(feed),
        }
    }
}

/// The copies of a story that `viewer` sees, whose feeds are configured and whose words are kept, in the order in which they
/// joined; of very many copies the best. Without `with_text` their plain text is left empty, which is faster.
pub fn copies_of<'c>(
    connection: &Connection,
    config: &'c Config,
    story: i64,
    viewer: Viewer,
    with_text: bool,
) -> Result<Vec<SeenCopy<'c>>, StoreError> {
    let reading = Reading { connection, config, with_text };
    match reading.all(story, viewer)? {
        Some(copies) => Ok(copies),
        None => reading.best(story, viewer),
    }
}

struct Reading<'a, 'c> {
    connection: &'a Connection,
    config: &'c Config,
    with_text: bool,
}

/// What is known of a copy before its words are read.
struct Head<'c> {
    number: i64,
    feed: &'c Feed,
    is_first: bool,
    first_seen: Timestamp,
    bytes: usize,
    home: Home,
}

/// How far the addresses of a copy are at its feed's own site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    All,
    Some,
    None,
}

impl<'c> Reading<'_, 'c> {
    /// All copies; `None` if they are too many or too large to be read.
    fn all(&self, story: i64, viewer: Viewer) -> Result<Option<Vec<SeenCopy<'c>>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.revised, entry.reason, entry.score, body.value
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let mut rows = statement.query([story])?;
        let (mut copies, mut bytes) = (Vec::new(), 0);
        while let Some(row) = rows.next()? {
            let Some(feed) = self.feed(row)?.filter(|feed| viewer.sees(&feed.id)) else { continue };
            bytes += text(row, 6)?.len();
            if copies.len() == MAX_COPIES || bytes > MAX_BYTES && !copies.is_empty() {
                return Ok(None);
            }
            copies.push(self.copy(row, feed)?);
        }
        Ok(Some(copies))
    }

    /// The best copies for the viewer; for all sections, those of each.
    fn best(&self, story: i64, viewer: Viewer) -> Result<Vec<SeenCopy<'c>>, StoreError> {
        let mut heads = self.heads(story, viewer)?;
        heads
            .sort_by_key(|head| (head.home, Reverse(head.feed.priority), !head.is_first, head.first_seen, head.number));
        let mut chosen = choose(&heads, |_| true);
        if let Viewer::All = viewer {
            for section in &self.config.sections {
                chosen.append(&mut choose(&heads, |feed| section.takes(feed)));
            }
        }
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.revised, entry.reason, entry.score, body.value
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.number = ?1",
        )?;
        let mut copies = Vec::new();
        for number in chosen {
            let mut rows = statement.query([number])?;
            if let Some(row) = rows.next()?
                && let Some(feed) = self.feed(row)?
            {
                copies.push(self.copy(row, feed)?);
            }
        }
        Ok(copies)
    }

    fn heads(&self, story: i64, viewer: Viewer) -> Result<Vec<Head<'c>>, StoreError> {
        let mut statement = self.connection.prepare_cached(
            "SELECT entry.number, feed.id, entry.first_seen, entry.reason, octet_length(body.value)
             FROM entry JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number
             WHERE entry.story = ?1 ORDER BY entry.number",
        )?;
        let mut rows = statement.query([story])?;
        let mut of_feed = HashMap::<&FeedId, usize>::new();
        let mut heads = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(feed) = self.feed(row)?.filter(|feed| viewer.sees(&feed.id)) else { continue };
            let count = of_feed.entry(&feed.id).or_default();
            *count += 1;
            if *count <= MAX_OF_ONE_FEED {
                let number = row.get(0)?;
                let is_first = text(row, 3)? == JoinReason::First.as_str();
                let (first_seen, bytes) = (time(row, 2)?, row.get::<_, i64>(4)?.unsigned_abs() as usize);
                heads.push(Head { number, feed, is_first, first_seen, bytes, home: self.home(number, feed)? });
            }
        }
        Ok(heads)
    }

    fn home(&self, entry: i64, feed: &Feed) -> Result<Home, StoreError> {
        let speaks_for = if feed.url.is_file() { feed.site.as_ref() } else { Some(&feed.url.secret) };
        let Some(own) = speaks_for.and_then(link::registrable_domain) else { return Ok(Home::None) };
        let mut statement = self.connection.prepare_cached("SELECT key FROM link WHERE entry = ?1")?;
        let mut rows = statement.query([entry])?;
        let (mut links, mut at_home) = (0, 0);
        while let Some(row) = rows.next()? {
            let page = Url::parse(&format!("http://{}", text(row, 0)?)).ok();
            links += 1;
            at_home += usize::from(page.as_ref().and_then(link::registrable_domain).as_ref() == Some(&own));
        }
        Ok(match at_home {
            0 => Home::None,
            _ if at_home == links => Home::All,
            _ => Home::Some,
        })
    }

    /// The configured feed that a row names in its second column.
    fn feed(&self, row: &Row) -> Result<Option<&'c Feed>, StoreError> {
        Ok(self.config.feed(&FeedId::from(text(row, 1)?)).map(|feed| &**feed))
    }

    fn copy(&self, row: &Row, feed: &'c Feed) -> Result<SeenCopy<'c>, StoreError> {
        let entry: Entry = serde_json::from_str(text(row, 6)?)?;
        Ok(SeenCopy {
            number: row.get(0)?,
            feed,
            text: Cow::Owned(if self.with_text { PlainText::of(&entry) } else { PlainText::default() }),
            categories: section::categories_of(&entry, feed, &self.config.site),
            entry: Cow::Owned(entry),
            first_seen: time(row, 2)?,
            revised: optional_time(row, 3)?,
            reason: JoinReason::from_name(text(row, 4)?).unwrap_or(JoinReason::First),
            score: row.get(5)?,
        })
    }
}

/// The numbers of the first copies of the feeds that are taken, as many as may be read.
fn choose(heads: &[Head], takes: impl Fn(&FeedId) -> bool) -> BTreeSet<i64> {
    let mut chosen = BTreeSet::new();
    let mut bytes = 0;
    for head in heads.iter().filter(|head| takes(&head.feed.id)) {
        if chosen.len() == MAX_COPIES {
            break;
        }
        if chosen.is_empty() || bytes + head.bytes <= MAX_BYTES {
            bytes += head.bytes;
            chosen.insert(head.number);
        }
    }
    chosen
}

/// Whether one of the feed's entries is a copy of the story.
pub fn has_copy_of(connection: &Connection, story: i64, feed: i64) -> Result<bool, StoreError> {
    // The plus keeps SQLite from searching among all entries of the feed.
    let mut statement = connection.prepare_cached("SELECT 1 FROM entry WHERE story = ?1 AND +feed = ?2 LIMIT 1")?;
    Ok(statement.query_row([story, feed], |_| Ok(())).optional()?.is_some())
}

/// Whether some feed has a copy of both stories.
pub fn share_a_feed(connection: &Connection, one: i64, other: i64) -> Result<bool, StoreError> {
    let mut statement = connection.prepare_cached(
        "SELECT feed FROM entry WHERE story = ?1 INTERSECT SELECT feed FROM entry WHERE story = ?2 LIMIT 1",
    )?;
    Ok(statement.exists([one, other])?)
}

fn text<'r>(row: &'r Row, column: usize) -> Result<&'r str, StoreError> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}
