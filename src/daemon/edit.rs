//! An editor's splits and joins: finds the stories and the copy that they name, and does or rehearses the edit.

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

/// What is to be done. Stories are named by their id, slug, number or page, or by a link in any spelling; never by words.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Edit {
    /// The copy, named by its link, its guid or its feed, becomes a story of its own.
    Split { story: String, copy: String },
    /// The two become one.
    Join { one: String, other: String },
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EditOutcome {
    /// The published id of the story that was split off, or of the one that the two are now.
    pub id: String,
    /// The title of the copy that was split off.
    pub copy: Option<String>,
    /// The sections to publish again.
    pub sections: BTreeMap<SectionId, Moves>,
}

/// Words that name no single story, and the stories that may be meant: at most [`CANDIDATES`](shown::CANDIDATES) + 1, the
/// best first.
#[derive(Clone, Debug, Serialize, Deserialize, thiserror::Error)]
#[error("{wanted:?} names no single story; name one by its id, slug, number or link")]
pub struct Unclear {
    pub wanted: String,
    pub candidates: Vec<Candidate>,
}

/// Why it could not be done.
#[derive(Debug, thiserror::Error)]
pub enum StoryEditError {
    #[error(transparent)]
    Unclear(Unclear),
    #[error("no story has {0:?} as its id, slug, number or link, or in its title; `newswire search` finds stories")]
    NoStory(String),
    #[error("the story has no copy {0:?}; `newswire explain` lists its copies")]
    NoCopy(String),
    #[error("several copies fit {0:?}; name it by its guid, which `newswire explain` shows")]
    SeveralCopies(String),
    #[error("the story has no other copy with words; there is nothing to split")]
    OnlyCopy,
    #[error("the two are one story already: {0}")]
    OneAlready(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Does what an editor asks.
///
/// # Errors
///
/// Nothing is changed then.
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
            Ok(told(edited.ok_or(StoryEditError::OnlyCopy)?, Some(copy.title)))
        }
        Edit::Join { one, other } => {
            let (one, other) = (named_story(store, &config, one).await?, named_story(store, &config, other).await?);
            if one.number == other.number {
                return Err(StoryEditError::OneAlready(one.id));
            }
            let edited = commit::join(store, config, (one.number, other.number), mode, now).await?;
            Ok(told(edited, None))
        }
    }
}

fn told(edited: commit::Edited, copy: Option<String>) -> EditOutcome {
    EditOutcome { id: edited.story.id, copy, sections: edited.sections.into_iter().collect() }
}

/// The one story that somebody names without doubt.
async fn named_story(store: &Store, config: &Arc<Config>, wanted: &str) -> Result<StoredStory, StoryEditError> {
    let (config, asked) = (config.clone(), wanted.to_owned());
    let (mut named, candidates) = store
        .read(move |reader| {
            let named = shown::named(reader, Some(&config.site.url), &asked)?;
            let candidates = match named.len() {
                0 => shown::meant(reader, &config, &asked)?,
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

/// The one copy that somebody names.
async fn named_copy(store: &Store, story: &StoredStory, wanted: &str) -> Result<StoredCopy, StoryEditError> {
    let asked = story.number;
    let copies = store.read(move |reader| reader.stored_copies(asked)).await?;
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
