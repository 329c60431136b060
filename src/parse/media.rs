//! Reads the Media RSS, `itunes` and `podcast` elements of an entry. Only categories go into the canonical document;
//! the rest is set aside in `EntryAside`.
//!
//! feed-rs can read some of these elements, but it follows nested groups without a limit and panics on long durations.

use super::constructs::{self, DefaultKind};
use super::entry_aside::{EntryAside, set_text};
use super::model::{ParsedEnclosure, ParsedEntry, ParsedTranscript};
use super::namespaces::Namespace;
use super::parts::{self, Target, number, resolved};
use super::pictures::{Picture, is_picture};
use super::tree::Element;
use crate::entry::{CREDIT_ROLE_OF_PLACE, CREDIT_SCHEME_END, EpisodeType, SourcePlace};

/// How deep groups may nest. Real feeds nest them at most twice.
const MAX_GROUPS: usize = 8;

/// Reads a `media:` element.
pub(super) fn media(element: &Element, aside: &mut EntryAside, target: &mut Target) {
    within_groups(element, aside, target, (0, None));
}

/// Reads an element that is inside `depth` groups. `group` is the number of the innermost group, or `None` outside
/// groups.
fn within_groups(
    element: &Element,
    aside: &mut EntryAside,
    target: &mut Target,
    (depth, group): (usize, Option<usize>),
) {
    match &*element.name {
        "group" | "content" => {
            let group = if element.name == "group" { Some(aside.next_group()) } else { group };
            if element.name == "content" {
                content(element, aside, group);
            }
            if depth < MAX_GROUPS {
                let children = element.elements().filter(|child| child.namespace == Namespace::Media);
                children.for_each(|child| within_groups(child, aside, target, (depth + 1, group)));
            }
        }
        "thumbnail" => {
            if let Some(url) = element.attribute("url") {
                let thumbnail = &mut aside.rare.get_or_insert_default().thumbnail;
                thumbnail.get_or_insert_with(|| resolved(url, element));
            }
        }
        "title" => set_text(&mut aside.other_title, element, target),
        "description" => set_text(&mut aside.other_summary, element, target),
        "keywords" => target.keywords(element),
        "category" => target.category(element),
        "credit" if element.attribute("scheme").is_some_and(|scheme| scheme.ends_with(CREDIT_SCHEME_END)) => {
            added(element, &mut aside.entry)
        }
        // A credit names a person who had a part in the picture or recording. Even a credit with the role `author` does
        // not name the author of the entry.
        "credit" => aside.entry.credits.extend(parts::credit(element)),
        _ => {}
    }
}

/// Reads a mark of another newswire: the publication that it added to the entry, or the name of an author without it.
fn added(element: &Element, entry: &mut ParsedEntry) {
    let Some(role) = element.attribute("role") else { return };
    let added = entry.added.get_or_insert_default();
    let text = element.text().into_owned();
    match role.strip_prefix(CREDIT_ROLE_OF_PLACE) {
        Some(place) => (added.place, added.publication) = (SourcePlace::named(place), text),
        None => added.authors.push(text),
    }
}

fn content(element: &Element, aside: &mut EntryAside, group: Option<usize>) {
    let child = |name: &str| element.elements().find(|child| child.name == name);
    let Some(url) = element.attribute("url").or(child("player").and_then(|player| player.attribute("url"))) else {
        return;
    };
    let media_type = element.attribute("type");
    let file = ParsedEnclosure {
        url: resolved(url, element),
        media_type: media_type.map(str::to_owned),
        bytes: number(element.attribute("filesize")),
        duration_seconds: element.attribute("duration").and_then(duration_seconds),
        title: child("title").map(|title| title.text().into_owned()),
        repeats_picture: false,
    };
    if is_picture(element.attribute("medium"), media_type, &file.url) {
        let (width, height) = (number(element.attribute("width")), number(element.attribute("height")));
        aside.push_picture(Picture { file, width, height, group });
    } else {
        aside.push_enclosure(file);
    }
}

/// Reads an `itunes:` element.
pub(super) fn itunes(element: &Element, aside: &mut EntryAside, target: &mut Target) {
    let podcast = aside.entry.podcast.get_or_insert_default();
    let text = element.text();
    match &*element.name {
        "duration" => podcast.duration_seconds = duration_seconds(&text).or(podcast.duration_seconds),
        "image" => {
            let url = element.attribute("href").or(element.attribute("url")).unwrap_or(&text);
            if !url.is_empty() {
                podcast.image = Some(resolved(url, element));
            }
        }
        "episode" => podcast.episode = number(Some(&text)).or(podcast.episode),
        "season" => podcast.season = number(Some(&text)).or(podcast.season),
        "explicit" => podcast.explicit = explicit(&text).or(podcast.explicit),
        "episodetype" => podcast.episode_type = EpisodeType::named(&text).or(podcast.episode_type),
        "title" => set_text(&mut aside.other_title, element, target),
        "subtitle" => set_text(&mut aside.other_summary, element, target),
        "summary" => {
            // The summary says more than the subtitle.
            let summary = constructs::read(element, DefaultKind::Guess, target.repairs);
            aside.other_summary = summary.or(aside.other_summary.take());
        }
        "keywords" => target.keywords(element),
        "category" => target.itunes_category(element),
        _ => {}
    }
}

/// Reads a `podcast:` element.
pub(super) fn podcast(element: &Element, aside: &mut EntryAside) {
    if element.name == "alternateenclosure" {
        return alternate_enclosure(element, aside);
    }
    let podcast = aside.entry.podcast.get_or_insert_default();
    match &*element.name {
        "transcript" => podcast.transcripts.extend(transcript(element)),
        "chapters" => podcast.chapters = podcast.chapters.take().or_else(|| transcript(element)),
        "episode" => podcast.episode = podcast.episode.or_else(|| number(Some(&element.text()))),
        "season" => podcast.season = podcast.season.or_else(|| number(Some(&element.text()))),
        "person" => aside.entry.credits.extend(parts::credit(element)),
        _ => {}
    }
}

/// Reads a `podcast:alternateEnclosure`: another form of the episode's file. Its first source on the web counts.
fn alternate_enclosure(element: &Element, aside: &mut EntryAside) {
    let sources = element.elements().filter(|child| child.name == "source").filter_map(|child| child.attribute("uri"));
    let mut on_the_web = sources.filter(|uri| uri.starts_with("http://") || uri.starts_with("https://"));
    if let Some(url) = on_the_web.next() {
        aside.push_enclosure(ParsedEnclosure {
            url: url.to_owned(),
            media_type: element.attribute("type").map(str::to_owned),
            bytes: number(element.attribute("length")),
            title: element.attribute("title").map(str::to_owned),
            ..ParsedEnclosure::default()
        });
    }
}

fn transcript(element: &Element) -> Option<ParsedTranscript> {
    Some(ParsedTranscript {
        url: resolved(element.attribute("url")?, element),
        media_type: element.attribute("type").map(str::to_owned),
        language: element.attribute("language").map(str::to_owned),
    })
}

fn explicit(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "explicit" => Some(true),
        "no" | "false" | "clean" => Some(false),
        _ => None,
    }
}

/// Parses seconds, or hours, minutes and seconds separated by colons. Cuts off fractions. Returns `None` for zero, and
/// for more than a year, which is a mistake.
fn duration_seconds(text: &str) -> Option<u64> {
    const YEAR: u64 = 365 * 24 * 60 * 60;
    let mut seconds = 0u64;
    for part in text.trim().split(':') {
        let whole: u64 = part.split(['.', ',']).next()?.trim().parse().ok()?;
        seconds = seconds.checked_mul(60)?.checked_add(whole)?;
    }
    (0 < seconds && seconds <= YEAR).then_some(seconds)
}
