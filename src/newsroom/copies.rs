//! Chooses which copies of a story are read: all copies of an ordinary story, but only the most relevant ones of a
//! story with very many copies.
//!
//! The policy of copies: the cost of one story is limited, however many feeds have it. If a story has more than
//! [`MAX_COPIES`] copies, sections judge and show it by its best copies. The best are those whose links are on their
//! feed's own site, then those of feeds with the highest priority, then the first copy. A feed can have only a few of
//! the selected copies, so it cannot push out other feeds. Each section selects among the copies that it sees. This
//! module does no I/O.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use url::Url;

use crate::config::{Config, Feed, Section};
use crate::feed::FeedId;
use crate::link;
use crate::number::EntryNumber;
use crate::reason::JoinReason;
use crate::rows::{CopyHead, CopyRow};
use crate::section::{self, MAX_COPIES, SeenCopy};
use crate::text::PlainText;

/// The most bytes of entries that are read for one story: as many as one document may have. The best copy is read even
/// if it is larger.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The most copies of one feed that are considered. newswire itself puts at most one copy of a feed into a story, and
/// only an editor can add more. Stories from older versions of newswire may have any number.
const MAX_OF_ONE_FEED: usize = 4;

/// The sections for which copies are selected.
#[derive(Clone, Copy)]
pub enum Viewer<'s> {
    /// All sections. Also used to compare stories.
    All,
    /// One section.
    Section(&'s Section),
}

impl Viewer<'_> {
    /// Returns whether the viewer sees copies of this feed: the feed must be configured, and a section as viewer must
    /// take it.
    pub fn sees(self, config: &Config, feed: &FeedId) -> bool {
        let takes = match self {
            Viewer::All => true,
            Viewer::Section(section) => section.takes(feed),
        };
        takes && config.feed(feed).is_some()
    }
}

/// The copies of a story by which the story is judged. To judge a story is to decide whether a section has it.
#[derive(Debug, Default)]
pub struct SeenStory<'a> {
    /// The copies, ordered by number.
    pub copies: Vec<SeenCopy<'a>>,
    /// The size of these copies in the store, in bytes.
    pub bytes: usize,
    /// Whether these are all copies of the story that have content.
    pub is_whole: bool,
}

impl<'a> SeenStory<'a> {
    /// Makes copies from rows. Skips copies of feeds that are not configured. Without `with_text`, leaves their plain
    /// text empty, which is faster.
    pub fn of(config: &'a Config, rows: Vec<CopyRow>, is_whole: bool, with_text: bool) -> SeenStory<'a> {
        let bytes = rows.iter().map(|row| row.bytes).sum();
        let copies = rows.into_iter().filter_map(|row| seen(config, row, with_text)).collect();
        SeenStory { copies, bytes, is_whole }
    }
}

/// Makes from a stored entry the copy by which sections judge its story; `None` if its feed is not configured.
pub(super) fn seen(config: &Config, row: CopyRow, with_text: bool) -> Option<SeenCopy<'_>> {
    let feed = config.feed(&row.feed)?;
    Some(SeenCopy {
        number: row.number,
        feed,
        text: Cow::Owned(if with_text { PlainText::of(&row.entry) } else { PlainText::default() }),
        categories: section::categories_of(&row.entry, feed, &config.site),
        entry: Cow::Owned(row.entry),
        first_seen: row.first_seen,
        revised: row.revised,
        reason: row.reason,
    })
}

/// Selects the best copies among `heads`. For [`Viewer::All`], adds the best copies that each section sees.
pub fn choose(config: &Config, heads: &[CopyHead], viewer: Viewer) -> BTreeSet<EntryNumber> {
    let mut of_feed = HashMap::<&FeedId, usize>::new();
    let mut heads: Vec<_> = heads
        .iter()
        .filter_map(|head| {
            let feed = config.feed(&head.feed)?;
            let count = of_feed.entry(&feed.id).or_default();
            *count += 1;
            (*count <= MAX_OF_ONE_FEED).then_some((head, &**feed))
        })
        .collect();
    heads.sort_by_cached_key(|(head, feed)| {
        let is_first = head.reason == JoinReason::First;
        (home(head, feed), Reverse(feed.priority), !is_first, head.first_seen, head.number)
    });
    let mut chosen = best(&heads, |_| true);
    if let Viewer::All = viewer {
        for section in &config.sections {
            chosen.append(&mut best(&heads, |feed| section.takes(feed)));
        }
    }
    chosen
}

/// Returns the numbers of the first copies for whose feed `takes` returns `true`, as many as may be read.
fn best(heads: &[(&CopyHead, &Feed)], takes: impl Fn(&FeedId) -> bool) -> BTreeSet<EntryNumber> {
    let mut chosen = BTreeSet::new();
    let mut bytes = 0;
    for (head, _) in heads.iter().filter(|(_, feed)| takes(&feed.id)) {
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

/// Whether all, some or none of a copy's links lead to its feed's own site.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Home {
    All,
    Some,
    None,
}

fn home(head: &CopyHead, feed: &Feed) -> Home {
    let Some(own) = feed.speaks_for().and_then(link::registrable_domain) else { return Home::None };
    let is_own = |key: &&String| {
        let page = Url::parse(&format!("http://{key}")).ok();
        page.as_ref().and_then(link::registrable_domain).as_ref() == Some(&own)
    };
    match head.links.iter().filter(is_own).count() {
        0 => Home::None,
        at_home if at_home == head.links.len() => Home::All,
        _ => Home::Some,
    }
}
