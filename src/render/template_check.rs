//! Checks templates by rendering every page of a made-up site, so that a template's mistake shows when it is loaded, not when a
//! reader opens the page.

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

use crate::config::{Edits, Front, Owner, Section, Site};
use crate::entry::{Category, Enclosure, Entry, Guid, GuidKind, Person, Source, SourcePlace};
use crate::query::Query;
use crate::reason::JoinReason;
use crate::render::feed_list::{FeedPage, ListedFeed};
use crate::render::front::SectionSummary;
use crate::render::listing::ListingKind;
use crate::render::page::{Pages, Search, SearchedStory, StoryView};
use crate::render::{RenderError, SectionView, TAGS};
use crate::section::{ShownCopy, ShownFeed, ShownStory};
use crate::text::PlainText;
use crate::time::Timestamp;

impl Pages {
    /// Parses the built-in templates and the `overrides` (name and text), which replace those of the same name. If there are
    /// overrides, renders every page once.
    ///
    /// # Errors
    ///
    /// If an override has an unknown name, does not parse, or uses a value that does not exist.
    pub fn new(overrides: &[(String, String)]) -> Result<Pages, RenderError> {
        let pages = Pages::parse(overrides)?;
        if !overrides.is_empty() {
            render_every_page(&pages)?;
        }
        Ok(pages)
    }
}

/// Renders each page with every optional value, and with none.
///
/// # Errors
///
/// The first error of a template.
fn render_every_page(pages: &Pages) -> Result<(), RenderError> {
    let (full, bare) = (story(full_entry(), true), story(bare_entry(), false));
    for (site, stories) in [(site(true), vec![full, bare.clone()]), (site(false), Vec::new())] {
        let (section, feeds) = (section(), [feed()]);
        let updated = now();
        let summary =
            SectionSummary { section: &section, stories: &stories, updated, count: stories.len(), feeds: &feeds };
        pages.index(&site, &[summary])?;
        pages.index(&Site { front: Front::River, ..site.clone() }, &[summary])?;
        let view = SectionView {
            site: &site,
            section: &section,
            id: "urn:example:section",
            hubs: &[],
            stories: &stories,
            feeds: &feeds,
            updated,
            max_age: Duration::from_secs(600),
            archive: None,
            prev_archive: None,
            podcast_guid: None,
        };
        pages.section(&view.prepare())?;
        pages.archive(&SectionView { archive: Some(2), prev_archive: Some(1), ..view }.prepare())?;
        pages.top(&view.prepare(), &section, Duration::from_secs(3600))?;
        pages.digests(&view.prepare(), &section)?;
        for listed in [ListingKind::Source(&feeds[0]), ListingKind::Tag(None), ListingKind::Tag(Some("topic"))] {
            pages.listing(&view.prepare(), listed)?;
        }
        for story in stories.iter().chain([&bare]) {
            let reasons = [("feed".into(), JoinReason::Link)];
            let tags = BTreeSet::from([format!("{TAGS}/term")]);
            pages.story(&site, &StoryView { shown: story, reasons: &reasons, tags: &tags }, &[&section])?;
        }
        let rows = feeds.map(|feed| ListedFeed { feed, state: "ok".to_owned(), newest: Some(updated) });
        let (is_full, rows) = (!stories.is_empty(), &rows[..stories.len().min(1)]);
        let whole = FeedPage { feeds: rows, number: 1, pages: 1, states: &[], state: None, section: None };
        let filtered = FeedPage { state: Some("ok"), section: Some(&section), states: &[("ok", 1)], ..whole };
        pages.feeds(&site, if is_full { FeedPage { number: 2, pages: 3, ..filtered } } else { whole })?;
        pages.about(&site, &[&section])?;
        let hit = |story: &ShownStory| {
            let text = PlainText::of(&story.entry);
            SearchedStory { story: story.clone(), text, sections: vec![&section] }
        };
        let hits: Vec<SearchedStory> = stories.iter().map(hit).collect();
        let (query, faults) = Query::parse("content after:never");
        let has_more = !hits.is_empty();
        let search = Search { words: "content", query: &query, faults: &faults, has_more, is_cut: has_more };
        pages.search(&site, search, &hits)?;
        pages.not_found(&site)?;
        pages.gone(&site)?;
        for (asks_for_token, is_wrong) in [(true, false), (true, true), (false, false)] {
            pages.private(&site, asks_for_token, is_wrong)?;
        }
    }
    Ok(())
}

fn now() -> Timestamp {
    Timestamp::from_millis(0)
}

fn address(path: &str) -> Url {
    Url::parse(&format!("https://newswire.invalid/{path}")).expect("the base is valid, and the paths are words")
}

fn site(is_full: bool) -> Site {
    Site {
        title: "Title".to_owned(),
        url: address(""),
        description: is_full.then(|| "Description".to_owned()),
        language: "en".to_owned(),
        timezone: chrono_tz::UTC,
        rights: is_full.then(|| "Rights".to_owned()),
        owner: is_full.then(|| Owner { name: "Owner".to_owned(), email: None }),
        facets: vec!["topic".to_owned()],
        byline: "{author}".to_owned(),
        front: Front::Bands,
        accent: None,
        logo: is_full.then(|| address("logo.svg")),
        pictures: true,
        ai: None,
    }
}

fn section() -> Section {
    Section {
        id: "section".into(),
        title: "Section".to_owned(),
        description: Some("Description".to_owned()),
        feeds: Default::default(),
        keep: Vec::new(),
        drop: Vec::new(),
        limit: 50,
        max_age: None,
        per_feed: None,
        edits: Edits::Apply,
        source_in: Some(SourcePlace::Author),
        top: None,
        digest: Vec::new(),
        image: None,
        formerly: Vec::new(),
        aliases: Vec::new(),
        podcast: None,
        access: None,
        definition_hash: 0,
        former_hash: 0,
    }
}

fn feed() -> ShownFeed {
    ShownFeed {
        id: "feed".into(),
        title: "Feed".to_owned(),
        url: address("feed"),
        site: Some(address("")),
        image: None,
        description: Some("Description".to_owned()),
        tags: Vec::new(),
        enabled: true,
    }
}

fn bare_entry() -> Entry {
    Entry {
        guid: Guid { value: "urn:newswire:example".to_owned(), kind: GuidKind::Guid },
        link: None,
        original: None,
        title: String::new(),
        summary_html: None,
        content_html: None,
        published: None,
        updated: None,
        authors: Vec::new(),
        contributors: Vec::new(),
        categories: Vec::new(),
        enclosures: Vec::new(),
        image: None,
        comments: None,
        language: None,
        rights: None,
        license: None,
        in_reply_to: Vec::new(),
        credits: Vec::new(),
        source: None,
        podcast: None,
        copies: Vec::new(),
    }
}

fn full_entry() -> Entry {
    let enclosure = Enclosure {
        url: address("file.mp3"),
        media_type: None,
        bytes: Some(1),
        duration_seconds: Some(1),
        title: Some("File".to_owned()),
        repeats_picture: false,
    };
    Entry {
        link: Some(address("story")),
        title: "Title".to_owned(),
        summary_html: Some("<p>Summary</p>".to_owned()),
        content_html: Some("<p>Content</p>".to_owned()),
        authors: vec![Person::named("Author")],
        enclosures: vec![enclosure],
        image: Some(address("image.png")),
        comments: Some(address("comments")),
        language: Some("en".to_owned()),
        rights: Some("Rights".to_owned()),
        ..bare_entry()
    }
}

fn story(entry: Entry, is_full: bool) -> ShownStory {
    let facet = Category { term: "term".to_owned(), scheme: Some(address("topic").to_string()), label: None };
    let category = Category { term: "term".to_owned(), ..Category::default() };
    let copy = |lead| ShownCopy {
        feed: "feed".into(),
        title: "Feed".to_owned(),
        url: is_full.then(|| address("copy")),
        published: now(),
        lead,
    };
    ShownStory {
        id: entry.guid.value.clone(),
        slug: "story".to_owned(),
        sort_at: now(),
        published: now(),
        updated: now() + Duration::from_secs(u64::from(is_full)),
        categories: if is_full { vec![facet, category] } else { Vec::new() },
        via: Vec::new(),
        byline: if is_full { "by Author".to_owned() } else { String::new() },
        source: Source { title: Some("Source".to_owned()), site: is_full.then(|| address("")), ..Source::default() },
        copies: if is_full { vec![copy(true), copy(false)] } else { vec![copy(true)] },
        entry,
    }
}
