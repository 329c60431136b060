//! The front page: which stories of which sections it shows.
//!
//! The policy held here: a band for each of the first sections that have stories, a story only once, few stories of one
//! source in a band. All depends on the stories alone, so that the page changes only when they do.

use std::collections::{HashMap, HashSet};

use url::Url;

use crate::config::{Section, Site};
use crate::entry::Entry;
use crate::normalize;
use crate::render::{picture, shown, text};
use crate::section::{ShownFeed, ShownStory};
use crate::time::Timestamp;

/// How many sections have a band. The others are links.
const BANDS: usize = 8;

/// How many stories a band has.
const STORIES: usize = 5;

/// How many stories of one source a band has, if others can take their place.
const PER_SOURCE: usize = 2;

/// How many posts a river has.
const POSTS: usize = 20;

/// A section as the index shows it.
#[derive(Clone, Copy, Debug)]
pub struct SectionSummary<'a> {
    /// The section.
    pub section: &'a Section,
    /// The first few stories, in the section's order.
    pub stories: &'a [ShownStory],
    /// The newest change among the section's stories.
    pub updated: Timestamp,
    /// How many stories the section shows.
    pub count: usize,
    /// Feeds whose images a river of posts shows.
    pub feeds: &'a [ShownFeed],
}

/// A section with the stories that the front page shows of it, the lead first.
pub(super) struct Band<'a> {
    pub summary: SectionSummary<'a>,
    pub stories: Vec<&'a ShownStory>,
}

/// Returns the bands, and the sections without one.
pub(super) fn bands<'a>(site: &Site, summaries: &[SectionSummary<'a>]) -> (Vec<Band<'a>>, Vec<SectionSummary<'a>>) {
    let (mut bands, mut others, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
    for summary in summaries {
        let stories = if bands.len() < BANDS { chosen(site, summary.stories, &seen) } else { Vec::new() };
        if stories.is_empty() {
            others.push(*summary);
        } else {
            seen.extend(stories.iter().map(|story| &*story.slug));
            bands.push(Band { summary: *summary, stories });
        }
    }
    (bands, others)
}

/// Chooses the stories of a band: the newest that no other band shows. The first of them that has a picture leads.
fn chosen<'a>(site: &Site, stories: &'a [ShownStory], seen: &HashSet<&str>) -> Vec<&'a ShownStory> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    let (mut kept, mut spare) = (Vec::new(), Vec::new());
    for (at, story) in stories.iter().enumerate().filter(|(_, story)| !seen.contains(&*story.slug)) {
        let count = counts.entry(story.source.title.as_deref().unwrap_or_default()).or_default();
        *count += 1;
        if *count <= PER_SOURCE { kept.push(at) } else { spare.push(at) }
    }
    kept.truncate(STORIES);
    kept.extend(spare.into_iter().take(STORIES - kept.len()));
    kept.sort_unstable();
    let has_picture = |at: &usize| {
        site.pictures && picture::of(&stories[*at].entry).is_some_and(|url| shown::over_https(&url).is_some())
    };
    if let Some(lead) = kept.iter().position(has_picture) {
        kept[..=lead].rotate_right(1);
    }
    kept.into_iter().map(|at| &stories[at]).collect()
}

/// Returns the newest stories of all sections, each once.
pub(super) fn river<'a>(summaries: &[SectionSummary<'a>]) -> Vec<&'a ShownStory> {
    let mut stories: Vec<&ShownStory> = summaries.iter().flat_map(|summary| summary.stories).collect();
    stories.sort_by(|one, other| (other.sort_at, &other.slug).cmp(&(one.sort_at, &one.slug)));
    stories.dedup_by(|one, other| one.slug == other.slug);
    stories.truncate(POSTS);
    stories
}

/// Returns the part of a story that a band shows, without its content: every section keeps some in memory.
pub fn beginning(story: &ShownStory) -> ShownStory {
    let entry = &story.entry;
    let html = entry.summary_html.as_ref().or(entry.content_html.as_ref());
    let summary = html.map(|html| text::excerpt(&text::plain(html))).filter(|words| !normalize::says_nothing(words));
    let entry = Entry {
        image: picture::of(entry).and_then(|picture| Url::parse(&picture).ok()),
        summary_html: summary.map(|words| text::escape(&words)),
        content_html: None,
        enclosures: Vec::new(),
        ..entry.clone()
    };
    ShownStory { entry, categories: Vec::new(), ..story.clone() }
}
