//! Media RSS, itunes and podcast elements of an entry, all of them set aside.
//!
//! feed-rs knows a part of them, but recurses into nested groups without a bound and panics on long durations.

use super::atom::AtomWriter;
use super::constructs::{self, Unsaid};
use super::entry_fields::{EntryAside, number, push_category, resolved, set_other, text_or_person};
use super::model::{ParsedEnclosure, ParsedTranscript};
use super::namespaces::Namespace;
use super::repairs::Repairs;
use super::tree::Element;
use crate::entry::Category;

/// Groups may nest as deeply; nothing real nests more than once.
const MAX_GROUPS: usize = 8;

/// A `media:` element.
pub(super) fn media(element: &Element, aside: &mut EntryAside, out: &mut AtomWriter, repairs: &mut Repairs) {
    media_within(element, aside, out, repairs, 0);
}

fn media_within(element: &Element, aside: &mut EntryAside, out: &mut AtomWriter, repairs: &mut Repairs, depth: usize) {
    match &*element.name {
        "group" | "content" => {
            if element.name == "content" {
                content(element, aside);
            }
            if depth < MAX_GROUPS {
                let children = element.elements().filter(|child| child.namespace == Namespace::Media);
                children.for_each(|child| media_within(child, aside, out, repairs, depth + 1));
            }
        }
        "thumbnail" => {
            if let Some(url) = element.attribute("url") {
                aside.entry.image.get_or_insert_with(|| resolved(url, element));
            }
        }
        "title" => set_other(&mut aside.other_title, constructs::read(element, Unsaid::Guess, repairs)),
        "description" => set_other(&mut aside.other_summary, constructs::read(element, Unsaid::Guess, repairs)),
        "keywords" => keywords(element, out),
        "category" => push_category(super::entry_fields::category(element), out),
        "credit" if element.attribute("role").is_none_or(|role| role == "author") => {
            if let Some(person) = text_or_person(element) {
                out.person("author", &person);
            }
        }
        _ => {}
    }
}

fn content(element: &Element, aside: &mut EntryAside) {
    let player = element.elements().find(|child| child.name == "player").and_then(|player| player.attribute("url"));
    let Some(url) = element.attribute("url").or(player) else { return };
    aside.push_enclosure(ParsedEnclosure {
        url: resolved(url, element),
        media_type: element.attribute("type").or(element.attribute("medium")).map(str::to_owned),
        bytes: number(element.attribute("filesize")),
        duration_seconds: element.attribute("duration").and_then(duration_seconds),
        title: element.elements().find(|child| child.name == "title").map(|title| title.text().into_owned()),
    });
}

/// An `itunes:` element.
pub(super) fn itunes(element: &Element, aside: &mut EntryAside, out: &mut AtomWriter, repairs: &mut Repairs) {
    let podcast = aside.entry.podcast.get_or_insert_default();
    match &*element.name {
        "duration" => podcast.duration_seconds = duration_seconds(&element.text()).or(podcast.duration_seconds),
        "image" => {
            let url = element.attribute("href").or(element.attribute("url")).map(str::to_owned);
            let url = url.or_else(|| Some(element.text().into_owned())).filter(|url| !url.is_empty());
            podcast.image = url.map(|url| resolved(&url, element)).or(podcast.image.take());
        }
        "episode" => podcast.episode = number(Some(&element.text())).or(podcast.episode),
        "season" => podcast.season = number(Some(&element.text())).or(podcast.season),
        "explicit" => podcast.explicit = explicit(&element.text()).or(podcast.explicit),
        "title" => set_other(&mut aside.other_title, constructs::read(element, Unsaid::Guess, repairs)),
        "subtitle" => set_other(&mut aside.other_summary, constructs::read(element, Unsaid::Guess, repairs)),
        // It says more than the subtitle.
        "summary" => {
            aside.other_summary = constructs::read(element, Unsaid::Guess, repairs).or(aside.other_summary.take());
        }
        "keywords" => keywords(element, out),
        "category" => itunes_category(element, out),
        _ => {}
    }
}

/// `itunes:category` and the ones within it.
pub(super) fn itunes_category(element: &Element, out: &mut AtomWriter) {
    let subcategories = element.elements().filter(|child| child.name == "category");
    for category in std::iter::once(element).chain(subcategories) {
        let term = category.attribute("text").map(str::to_owned);
        push_category(term.map(|term| Category { term, ..Category::default() }), out);
    }
}

/// A `podcast:` element.
pub(super) fn podcast(element: &Element, aside: &mut EntryAside) {
    let podcast = aside.entry.podcast.get_or_insert_default();
    match &*element.name {
        "transcript" => podcast.transcripts.extend(transcript(element)),
        "chapters" => podcast.chapters = podcast.chapters.take().or_else(|| transcript(element)),
        "episode" => podcast.episode = podcast.episode.or_else(|| number(Some(&element.text()))),
        "season" => podcast.season = podcast.season.or_else(|| number(Some(&element.text()))),
        _ => {}
    }
}

fn transcript(element: &Element) -> Option<ParsedTranscript> {
    Some(ParsedTranscript {
        url: resolved(element.attribute("url")?, element),
        media_type: element.attribute("type").map(str::to_owned),
        language: element.attribute("language").map(str::to_owned),
    })
}

/// Categories in one text, between commas.
pub(super) fn keywords(element: &Element, out: &mut AtomWriter) {
    for term in element.text().split(',').map(str::trim).filter(|term| !term.is_empty()) {
        push_category(Some(Category { term: term.to_owned(), ..Category::default() }), out);
    }
}

fn explicit(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "explicit" => Some(true),
        "no" | "false" | "clean" => Some(false),
        _ => None,
    }
}

/// Seconds, or hours, minutes and seconds between colons; fractions are cut off. Longer than a year is nonsense.
pub(super) fn duration_seconds(text: &str) -> Option<u64> {
    const YEAR: u64 = 365 * 24 * 60 * 60;
    let mut seconds = 0u64;
    for part in text.trim().split(':') {
        let whole: u64 = part.split(['.', ',']).next()?.trim().parse().ok()?;
        seconds = seconds.checked_mul(60)?.checked_add(whole)?;
    }
    (0 < seconds && seconds <= YEAR).then_some(seconds)
}
