//! The bodies of messages: JSON with a type, a time, and the data.

use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

use crate::config::{Config, Section};
use crate::feed::{FeedEvent, FeedId};
use crate::hook::HookEvent;
use crate::number::StoryNumber;
use crate::render::{self, SectionView};
use crate::rows::{MessageRow, MessageSubject};
use crate::section;
use crate::shown::{self, Infos};
use crate::store::{Reader, StoreError};
use crate::time::Timestamp;

#[derive(Serialize)]
struct Message<D> {
    #[serde(rename = "type")]
    event: HookEvent,
    timestamp: Timestamp,
    data: D,
}

#[derive(Serialize)]
struct StoryData<'a> {
    section: MessageSection<'a>,
    /// An item as in the section's JSON Feed.
    story: Value,
}

#[derive(Serialize)]
struct MessageSection<'a> {
    id: &'a str,
    title: &'a str,
    url: String,
}

#[derive(Serialize)]
struct FeedData<'a> {
    feed: MessageFeed<'a>,
    reason: String,
    since: Timestamp,
    /// The new address; only of a feed that has moved.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
}

#[derive(Serialize)]
struct MessageFeed<'a> {
    id: &'a FeedId,
    /// The address, with secrets masked.
    url: &'a str,
    title: String,
}

/// Returns the body of a message; `None` if there is nothing to tell any more, because the story has left the section,
/// or the section or feed is not configured any more.
///
/// # Errors
///
/// Returns the errors of the store.
pub(super) fn body(reader: &Reader, config: &Config, message: &MessageRow) -> Result<Option<Bytes>, StoreError> {
    match &message.subject {
        MessageSubject::Story(section, story) => match config.section(section) {
            Some(section) => of_story(reader, config, message, section, *story),
            None => Ok(None),
        },
        MessageSubject::Feed(feed, event) => of_feed(reader, config, message, feed, event),
    }
}

fn of_story(
    reader: &Reader,
    config: &Config,
    message: &MessageRow,
    section: &Section,
    story: StoryNumber,
) -> Result<Option<Bytes>, StoreError> {
    let Some(shown) = shown::story_in(reader, config, section, story, &Infos::of(reader))? else { return Ok(None) };
    let id = shown::permanent_id(reader, config, &section.id)?;
    let view = SectionView {
        site: &config.site,
        section,
        id: &id,
        hubs: &[],
        stories: std::slice::from_ref(&shown),
        feeds: &[],
        updated: shown.updated,
        max_age: std::time::Duration::ZERO,
        archive: None,
        prev_archive: None,
        podcast_guid: None,
    };
    let Some(story) = render::json_items(&view.prepare()).pop() else { return Ok(None) };
    let url = render::under(&config.site, &format!("{}/", section.id)).to_string();
    let section = MessageSection { id: section.id.as_str(), title: &section.title, url };
    Ok(Some(encoded(message, StoryData { section, story })))
}

fn of_feed(
    reader: &Reader,
    config: &Config,
    message: &MessageRow,
    feed: &FeedId,
    event: &FeedEvent,
) -> Result<Option<Bytes>, StoreError> {
    let Some(feed) = config.feed(feed) else { return Ok(None) };
    let title = section::title_of(feed, &reader.feed_info(&feed.id, None)?.info);
    let to = match event {
        FeedEvent::Moved { to } => Some(to.as_str()),
        _ => None,
    };
    let feed = MessageFeed { id: &feed.id, url: feed.url.shown.as_str(), title };
    Ok(Some(encoded(message, FeedData { feed, reason: event.to_string(), since: message.at, to })))
}

fn encoded(message: &MessageRow, data: impl Serialize) -> Bytes {
    let message = Message { event: message.event, timestamp: message.at, data };
    serde_json::to_vec(&message).expect("these are texts and numbers, which JSON can hold").into()
}
