//! Splits and joins of stories by an editor: finds the stories and the copy that an edit names, and performs the edit
//! or a dry run.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::commit::{self, Mode};
use crate::config::Config;
use crate::feed::SectionId;
use crate::link;
use crate::newsroom::Moves;
use crate::rows::{StoredCopy, StoredStory};
use crate::shown::{self, Candidate};
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

/// An edit of stories. A story is named by its id, slug, number or page, or by a link in any spelling, but not by words
/// of its title.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edit {
    /// Makes a copy a separate story.
    Split {
        /// The story that has the copy.
        story: String,
        /// The link, guid or feed id of the copy.
        copy: String,
    },
    /// Merges two stories; the older one stays.
    Join {
        /// One story.
        one: String,
        /// The other story.
        other: String,
    },
}

/// The outcome of an edit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EditOutcome {
    /// The published id of the story that was split off, or of the merged story.
    pub id: String,
    /// The title of the copy that was split off; `None` for a join.
    pub copy: Option<String>,
    /// The sections to publish again, with how many stories entered and left.
    pub sections: BTreeMap<SectionId, Moves>,
}

/// Words that do not identify exactly one story, and the stories that they may mean.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{wanted:?} may mean {}", advice(.candidates))]
pub struct Unclear {
    /// The words as typed.
    pub wanted: String,
    /// The matching stories, the best match first; at most [`CANDIDATES`](shown::CANDIDATES) + 1, and at least one.
    pub candidates: Vec<Candidate>,
}

fn advice(candidates: &[Candidate]) -> &'static str {
    match candidates {
        [_] => "this story; give its id, slug, number or link",
        _ => "more than one story; give the id, slug, number or link of the one that you mean",
    }
}

/// Why an edit was not made.
#[derive(Debug, thiserror::Error)]
pub enum StoryEditError {
    /// The words do not identify exactly one story, but some stories match them.
    #[error(transparent)]
    Unclear(Unclear),
    /// No story matches these words.
    #[error("no story has {0:?} as its id, slug, number or link, or in its title; `newswire search` finds stories")]
    NoStory(String),
    /// The story has no copy with this link, guid or feed.
    #[error("the story has no copy {0:?}; `newswire explain` lists its copies")]
    NoCopy(String),
    /// Several copies have this link, guid or feed.
    #[error("several copies match {0:?}; give the guid, which `newswire explain` shows")]
    SeveralCopies(String),
    /// The copy is the only one of the story with text.
    #[error("the story has no other copy with text, so there is nothing to split")]
    OnlyCopy,
    /// Both names mean the story with this id.
    #[error("both arguments name the same story: {0}")]
    OneAlready(String),
    /// The store could not be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Performs an edit, or with [`Mode::DryRun`] returns its outcome and changes nothing.
///
/// # Errors
///
/// If the edit does not identify exactly one story or copy, makes no sense, or the store fails. Then nothing has
/// changed.
pub async fn perform(
    store: &Store,
    config: Arc<Config>,
    edit: &Edit,
    mode: Mode,
    now: Timestamp,
) -> Result<EditOutcome, StoryEditError> {
    match edit {
        Edit::Split { story, copy } => {
            let story = named_story(store, &config, story).await?;
            let copy = named_copy(store, &story, copy).await?;
            let edited = commit::split(store, config, (story.number, copy.number), mode, now).await?;
            Ok(outcome(edited.ok_or(StoryEditError::OnlyCopy)?, Some(copy.title)))
        }
        Edit::Join { one, other } => {
            let (one, other) = (named_story(store, &config, one).await?, named_story(store, &config, other).await?);
            if one.number == other.number {
                return Err(StoryEditError::OneAlready(one.id));
            }
            let edited = commit::join(store, config, (one.number, other.number), mode, now).await?;
            Ok(outcome(edited, None))
        }
    }
}

fn outcome(edited: commit::Edited, copy: Option<String>) -> EditOutcome {
    EditOutcome { id: edited.story.id, copy, sections: edited.sections.into_iter().collect() }
}

/// Returns the story whose id, slug, number or link is `wanted`. Fails if there is none, or more than one.
async fn named_story(store: &Store, config: &Arc<Config>, wanted: &str) -> Result<StoredStory, StoryEditError> {
    let (config, words) = (config.clone(), wanted.to_owned());
    let (mut named, candidates) = store
        .read(move |reader| {
            let named = shown::named(reader, Some(&config.site.url), &words)?;
            let candidates = match named.len() {
                0 => shown::meant(reader, &config, &words)?,
                1 => Vec::new(),
                _ => named
                    .iter()
                    .map(|story| shown::candidate(reader, &config, story.clone()))
                    .collect::<Result<_, _>>()?,
            };
            Ok((named, candidates))
        })
        .await?;
    match named.pop() {
        Some(story) if candidates.is_empty() => Ok(story),
        None if candidates.is_empty() => Err(StoryEditError::NoStory(wanted.to_owned())),
        _ => Err(StoryEditError::Unclear(Unclear { wanted: wanted.to_owned(), candidates })),
    }
}

/// Returns the copy of the story whose link, guid or feed is `wanted`. Fails if there is none, or more than one.
async fn named_copy(store: &Store, story: &StoredStory, wanted: &str) -> Result<StoredCopy, StoryEditError> {
    let number = story.number;
    let copies = store.read(move |reader| reader.stored_copies(number)).await?;
    let key = Url::parse(wanted).ok().as_ref().and_then(link::key);
    let is_wanted = |copy: &StoredCopy| {
        let has_link = key.is_some() && copy.link.as_ref().and_then(link::key) == key;
        has_link || copy.guid == wanted || copy.feed.as_str() == wanted
    };
    let mut wanted_copies = copies.into_iter().filter(is_wanted);
    match (wanted_copies.next(), wanted_copies.next()) {
        (Some(copy), None) => Ok(copy),
        (Some(_), Some(_)) => Err(StoryEditError::SeveralCopies(wanted.to_owned())),
        (None, _) => Err(StoryEditError::NoCopy(wanted.to_owned())),
    }
}
