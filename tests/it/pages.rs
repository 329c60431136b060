//! The HTML pages: what they contain, what they never contain, and which parts an editor can replace.

use crate::samples;

use std::collections::BTreeSet;

use newswire::config::{Front, Site};
use newswire::query::Query;
use newswire::render::{
    FeedPage, ListedFeed, ListingKind, Pages, RenderError, Search, SearchedStory, SectionPages, SectionSummary,
    SectionView,
};
use newswire::section::{ShownFeed, ShownStory};
use newswire::text::PlainText;
use samples::*;

fn pages() -> Pages {
    pages_of(&site())
}

fn pages_of(site: &Site) -> Pages {
    let sections = [section("international", "International"), podcast_section()];
    Pages::new(&[]).unwrap().with_search().with_sections(site, sections.iter())
}

/// Returns a page of each kind, with its name.
fn all_pages(site: &Site) -> Vec<(&'static str, String)> {
    let (pages, feeds) = (pages_of(site), feeds());
    let (section, podcast, empty) =
        (section("international", "International"), podcast_section(), section("empty", "Empty"));
    let stories = [hostile_title_story(), war_story(), markup_title_story(), bare_story()];
    let summary = |section, stories: &'static [ShownStory]| SectionSummary {
        section,
        stories,
        updated: time("2018-01-02T03:04:05Z"),
        count: stories.len(),
        feeds: &[],
    };
    let (of_section, of_podcast) = (Vec::leak(stories.to_vec()), Vec::leak(vec![episode()]));
    let summaries = [summary(&section, of_section), summary(&podcast, of_podcast), summary(&empty, &[])];
    let row = |(state, feed): (&&str, &ShownFeed)| ListedFeed {
        feed: feed.clone(),
        state: (*state).to_owned(),
        newest: (*state == "ok").then(|| time("2017-12-20T06:18:00Z")),
    };
    let rows: Vec<ListedFeed> = ["ok", "failing"].iter().zip(&feeds).map(row).collect();
    let states = [("failing", 1), ("ok", 1)];
    let list = FeedPage { feeds: &rows, number: 1, pages: 1, states: &states, state: None, section: None };
    let many = [("failing", 1), ("ok", 9_999)];
    let of_section =
        FeedPage { number: 2, pages: 50, states: &many, state: Some("ok"), section: Some(&section), ..list };
    let hits = [war_story(), hostile_title_story()].map(|story| SearchedStory {
        text: PlainText::of(&story.entry),
        story,
        sections: vec![&section],
    });
    let words = "wa \"5 < 6\" before:soon";
    let (query, faults) = Query::parse(words);
    let search = Search { words, query: &query, faults: &faults, has_more: false, is_cut: false };
    let section_view = view(site, &section, &stories, &feeds);
    vec![
        ("index", pages.index(site, &summaries).unwrap()),
        ("section", pages.section(&view(site, &section, &stories, &feeds).prepare()).unwrap()),
        ("story", pages.story(site, &of_story(&war_story()), &[&section, &podcast]).unwrap()),
        ("story_of_episode", pages.story(site, &of_story(&episode()), &[&podcast]).unwrap()),
        ("story_right_to_left", pages.story(site, &of_story(&hostile_title_story()), &[&section]).unwrap()),
        ("feeds", pages.feeds(site, list).unwrap()),
        ("feeds_of_section", pages.feeds(site, of_section).unwrap()),
        ("about", pages.about(site, &[&section, &podcast]).unwrap()),
        ("search", pages.search(site, search, &hits).unwrap()),
        ("not_found", pages.not_found(site).unwrap()),
        ("gone", pages.gone(site).unwrap()),
        ("older", pages.archive(&SectionView { archive: Some(3), ..section_view }.prepare()).unwrap()),
        ("source", pages.listing(&section_view.prepare(), ListingKind::Source(&feeds[0])).unwrap()),
        ("term", pages.listing(&section_view.prepare(), ListingKind::Tag(Some("region"))).unwrap()),
        ("river", pages.index(&Site { front: Front::River, ..site.clone() }, &summaries).unwrap()),
        ("private", pages.private(site, true, true).unwrap()),
    ]
}

/// Returns the values of an attribute, wherever it occurs.
fn values<'a>(page: &'a str, attribute: &str) -> Vec<&'a str> {
    let start = format!(" {attribute}=\"");
    page.match_indices(&start).map(|(at, _)| page[at + start.len()..].split('"').next().unwrap()).collect()
}

#[test]
fn pages_match_the_golden_files() {
    for (name, page) in all_pages(&site()) {
        check_snapshot(&format!("page_{name}.html"), page.as_bytes());
    }
}

#[test]
fn pages_need_no_script_and_no_inline_style() {
    for (name, page) in all_pages(&site()) {
        for forbidden in ["<script", "<style", " style=\"", " onclick", "<iframe", "<base", "@import"] {
            assert!(!page.contains(forbidden), "{name} holds {forbidden}");
        }
    }
}

#[test]
fn pages_have_landmarks_one_main_heading_and_a_skip_link() {
    for (name, page) in all_pages(&site()) {
        let count = |text: &str| page.matches(text).count();
        let navs = if name == "feeds_of_section" { 2 } else { 1 };
        assert_eq!([count("<main "), count("<h1"), count("class=\"skip\""), count("<nav ")], [1, 1, 1, navs], "{name}");
        assert!(page.starts_with("<!doctype html>\n<html lang=\"en\" dir=\"ltr\">"), "{name}");
        let levels: Vec<u8> =
            page.match_indices("<h").filter_map(|(at, _)| page.as_bytes().get(at + 2)).copied().collect();
        let levels: Vec<u8> = levels.into_iter().filter(u8::is_ascii_digit).collect();
        let content_skips = name.starts_with("story");
        assert!(content_skips || levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
        let ids = values(&page, "id");
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{name}");
    }
}

#[test]
fn external_links_send_no_referrer_and_are_nofollow() {
    for (name, page) in all_pages(&site()) {
        for (at, _) in page.match_indices("<a ") {
            let tag = page[at..].split_inclusive('>').next().unwrap();
            let leaves = tag.contains("href=\"http") && !tag.contains("href=\"https://news.example.org");
            // Links in text that others wrote have `ugc` (user-generated content) too.
            let rels = ["rel=\"noopener noreferrer nofollow\"", "rel=\"noopener noreferrer nofollow ugc\""];
            assert!(!leaves || rels.iter().any(|rel| tag.contains(rel)), "{name}: {tag}");
        }
    }
}

#[test]
fn every_path_is_under_the_base_path_of_the_site() {
    let site = Site { url: url("https://example.org/wire/"), ..site() };
    for (name, page) in all_pages(&site) {
        for address in values(&page, "href").into_iter().chain(values(&page, "src")) {
            assert!(!address.starts_with('/') || address.starts_with("/wire/"), "{name}: {address}");
        }
        assert!(page.contains("href=\"/wire/style.css\""), "{name}");
    }
}

#[test]
fn index_and_section_name_every_format_for_autodiscovery() {
    let pages = all_pages(&site());
    let page = |wanted: &str| &pages.iter().find(|(name, _)| *name == wanted).unwrap().1;
    let check = |page: &str, media_type: &str, address: &str| {
        let link = format!(
            "<link rel=\"alternate\" type=\"{media_type}\" href=\"https://news.example.org/{address}\" title=\""
        );
        assert!(page.contains(&link), "{link}");
    };
    for section in ["international", "listen", "empty"] {
        check(page("index"), "application/atom+xml", &format!("{section}.atom"));
        check(page("index"), "application/rss+xml", &format!("{section}.rss"));
        check(page("index"), "application/feed+json", &format!("{section}.json"));
    }
    check(page("section"), "application/atom+xml", "international.atom");
    check(page("feeds"), "text/x-opml", "feeds.opml");
}

#[test]
fn story_page_shows_byline_source_rights_copies_and_classification() {
    let section = section("international", "International");
    let page = pages().story(&site(), &of_story(&war_story()), &[&section]).unwrap();
    for part in [
        "<bdi>by Darius Shahtahmasebi via gail - Anti-Media</bdi>",
        "<bdi><a href=\"/feeds/anti-media/\">Anti-Media</a></bdi>",
        "<time datetime=\"2017-12-20T06:18:00Z\">20 December 2017, 19:18</time>",
        "<link rel=\"canonical\" href=\"http://theantimedia.example/war-on-isis-biggest-lie-since-2003/\">",
        "href=\"http://jungledrum.example/news/story-3061.html\"",
        "<dt>Region</dt>\n<dd><bdi><a href=\"/tags/region/international/\">international</a></bdi></dd>",
        "<dt>Topic</dt>\n<dd><bdi><a href=\"/tags/topic/prose/\">prose</a></bdi></dd>",
        "<dt>Type</dt>\n<dd><bdi><a href=\"/tags/type/post/\">post</a></bdi></dd>",
        "<dd><bdi>Copyright applies.</bdi></dd>",
        "<h2>The first lie</h2>",
    ] {
        assert!(page.contains(part), "{part}\n{page}");
    }
}

/// An article can have another direction than the site. It has the direction of most of its letters. Its language and
/// its first word do not matter.
#[test]
fn story_has_the_direction_of_its_letters() {
    let check = |title: &str, language: &str, expected: bool| {
        let mut story = story("s", "2017-12-20T06:18:00Z", entry("urn:s", title));
        story.entry.language = Some(language.to_owned());
        let page = pages().story(&site(), &of_story(&story), &[]).unwrap();
        assert_eq!(page.contains(" dir=\"rtl\">"), expected, "{title}");
    };
    check("iPhone 17: مراجعة الهاتف الجديد", "en", true);
    check("The word שלום in a title", "he", false);
    let site = Site { language: "ar".to_owned(), ..site() };
    let page = pages().story(&site, &of_story(&war_story()), &[]).unwrap();
    assert!(page.contains("<html lang=\"ar\" dir=\"rtl\">") && page.contains("<article class=\"whole\" dir=\"ltr\">"));
}

#[test]
fn found_words_are_marked_in_title_and_text() {
    let words = "war who before:soon";
    let (query, faults) = Query::parse(words);
    let text = PlainText::of(&war_story().entry);
    let hits = [SearchedStory { story: war_story(), text, sections: vec![] }];
    let search = Search { words, query: &query, faults: &faults, has_more: true, is_cut: true };
    let page = pages().search(&site(), search, &hits).unwrap();
    for part in ["US <mark>War</mark> on ISIS", "The <mark>war</mark> is said to be over. <mark>Who</mark> won it"] {
        assert!(page.contains(part), "{part}\n{page}");
    }
    assert!(
        page.contains("Ignored: before:soon is not a date"),
        "a part of the query that is not understood is reported"
    );
    assert!(page.contains(">Showing the first 1 result for "), "the page says that there are more results: {page}");
    assert!(
        page.contains(">Searched only the newest stories"),
        "the page says that not everything was searched: {page}"
    );
}

#[test]
fn files_are_shown_with_readable_names_and_kinds() {
    let check = |address: &str, media_type: &str, expected: &str| {
        let enclosure = serde_json::json!({ "url": address, "type": media_type });
        let mut story = story("s", "2017-12-20T06:18:00Z", entry("urn:s", "Sea shanties"));
        story.entry.enclosures = vec![serde_json::from_value(enclosure).unwrap()];
        let page = pages().story(&site(), &of_story(&story), &[]).unwrap();
        assert!(page.contains(&format!("<bdi>{expected}")), "{address}: {page}");
    };
    let flash = "application/x-shockwave-flash";
    check("https://www.youtube.com/v/-QD1b35zl1g", flash, "Sea shanties</bdi></a> (Flash)");
    check("https://a.example/My%20talk+1.PDF?x=1", "application/pdf", "My talk+1.PDF</bdi></a> (PDF)");
    check("https://a.example/0f9c2e8b-77aa-4c51.mp3", "audio/mpeg", "Sea shanties</bdi></a> (audio)");
    check("https://a.example/x.bin", "application/octet-stream", "x.bin</bdi></a> (file)");
}

#[test]
fn category_is_shown_once() {
    let category = |term: &str, scheme: Option<&str>| newswire::entry::Category {
        term: term.to_owned(),
        scheme: scheme.map(str::to_owned),
        label: None,
    };
    let mut story = story("s", "2017-12-20T06:18:00Z", entry("urn:s", "s"));
    let region = Some("https://news.example.org/region");
    story.categories = vec![
        category("north", region),
        category("North", None),
        category("Ships", None),
        category("ships", Some("https://a.example/tags")),
    ];
    let page = pages().story(&site(), &of_story(&story), &[]).unwrap();
    assert!(page.contains("<dt>Region</dt>\n<dd><bdi><a href=\"/tags/region/north/\">north</a></bdi></dd>"), "{page}");
    assert_eq!(page.matches("<bdi class=\"tag\">").count(), 1, "{page}");
    assert!(page.contains("<bdi class=\"tag\">Ships</bdi>"), "{page}");
}

#[test]
fn audio_over_https_can_be_played_on_the_page() {
    let page = pages().story(&site(), &of_story(&episode()), &[]).unwrap();
    assert!(page.contains("<audio controls preload=\"none\" src=\"https://cast.example/12.mp3?a=1&amp;b=2\""));
    assert!(page.contains("(audio, 34:56, 12 MB)"), "{page}");
}

/// A page has a limited size. It first shows less of each story, and further stories are on the pages that follow.
#[test]
fn pages_of_a_section_are_short_and_together_show_every_story() {
    let stories: Vec<ShownStory> =
        (0..500).map(|number| ShownStory { slug: format!("story-{number}"), ..war_story() }).collect();
    let (site, section, feeds) = (site(), section("international", "International"), feeds());
    for count in [0, 1, 20, 80, 500] {
        let view = SectionView { prev_archive: Some(7), ..view(&site, &section, &stories[..count], &feeds) };
        let SectionPages { newest, continued } = pages().section_pages(&view.prepare()).unwrap();
        let numbers: Vec<u32> = continued.iter().map(|(number, _)| *number).collect();
        let newest_older = numbers.iter().max().copied().unwrap_or(7);
        assert!(
            newest.contains(&format!("<a href=\"/international/archive/{newest_older}/\">Older stories</a>")),
            "{newest}"
        );
        let mut shown = BTreeSet::new();
        for page in continued.iter().map(|(_, page)| page).chain([&newest]) {
            assert!(page.len() < 60_000, "{}", page.len());
            let links = values(page, "href").into_iter().filter(|link| link.starts_with("/story/"));
            shown.extend(links.map(str::to_owned));
        }
        assert_eq!(shown.len(), count);
        let (oldest, _) = continued.iter().min().map_or((7, ""), |(number, page)| (*number, page));
        assert!(continued.is_empty() || oldest == 8, "the pages of archive documents have the numbers up to 7");
    }
}

#[test]
fn section_of_fifty_long_stories_is_under_sixty_kilobytes() {
    let long = format!("<p>{}</p>", "A sentence of a summary that goes on for some time. ".repeat(20));
    let stories: Vec<ShownStory> = (0..50)
        .map(|number| {
            let mut story = war_story();
            story.id = format!("urn:story:{number}");
            story.entry.summary_html = Some(long.clone());
            story.entry.content_html = Some(long.repeat(10));
            story
        })
        .collect();
    let (site, section, feeds) = (site(), section("international", "International"), feeds());
    let page = pages().section(&view(&site, &section, &stories, &feeds).prepare()).unwrap();
    assert!(page.len() < 60_000, "{}", page.len());
}

#[test]
fn stories_are_grouped_by_the_day_of_the_sites_time_zone() {
    let stories = [
        story("late", "2017-12-20T12:30:00Z", entry("urn:late", "Late")),
        story("noon", "2017-12-20T10:59:00Z", entry("urn:noon", "Noon")),
        story("early", "2017-12-19T11:00:00Z", entry("urn:early", "Early")),
    ];
    let (site, section) = (site(), section("all", "All"));
    let page = pages().section(&view(&site, &section, &stories, &[]).prepare()).unwrap();
    let days: Vec<&str> = page.match_indices("<h2 id=\"day-").map(|(at, _)| &page[at..]).collect();
    let days: Vec<&str> = days.iter().map(|day| day.split(['<', '>']).nth(2).unwrap()).collect();
    assert_eq!(days, ["Thursday, 21 December 2017", "Wednesday, 20 December 2017"]);
}

#[test]
fn templates_and_the_style_can_be_replaced() {
    let named = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let overrides = [named("not_found.html", "{{ site.title }}: gone\n"), named("style.css", "body { color: red }")];
    let pages = Pages::new(&overrides).unwrap();
    assert_eq!(pages.not_found(&site()).unwrap(), "Jungle Drum: gone\n");
    assert_eq!(pages.style(&site()), "body { color: red }");
    assert!(pages.about(&site(), &[]).unwrap().starts_with("<!doctype html>"));
}

#[test]
fn invalid_template_is_an_error_when_it_is_loaded() {
    let check = |name: &str, text: &str, expected: &str| {
        let error = Pages::new(&[(name.to_owned(), text.to_owned())]).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("about.html", "\n{% if %}", "template about.html, line 2");
    check("story.html", "{{ story.titel }}", "template story.html, line 1");
    check("story_card.html", "\n\n{{ storey.title }}", "template story_card.html, line 3");
    check("abuot.html", "", "template abuot.html: no such template; use one of base.html");
    check(
        "index.html",
        "{% for a in range(100000) %}{% for b in range(100000) %}{{ b }}{% endfor %}{% endfor %}",
        "index.html",
    );
    let error = Pages::new(&[("abuot.html".to_owned(), String::new())]).unwrap_err();
    assert!(matches!(error, RenderError::UnknownTemplate(..)));
}

/// Returns the built-in templates of the previous version, which users have copied and changed.
fn former_templates() -> Vec<(String, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/former_templates");
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
    let named = |path: std::path::PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())
    };
    files.map(named).collect()
}

#[test]
fn templates_of_the_previous_version_still_render() {
    let all = former_templates();
    assert!(all.len() > 10);
    Pages::new(&all).unwrap();
    for one in &all {
        Pages::new(std::slice::from_ref(one)).unwrap_or_else(|error| panic!("{}: {error}", one.0));
    }
}

#[test]
fn accent_is_in_the_style_sheet_and_the_logo_in_the_header() {
    let accent = newswire::config::Colour { red: 0xff, green: 0xee, blue: 0 };
    let site = Site { accent: Some(accent), logo: Some(url("http://news.example.org/logo.svg")), ..site() };
    let pages = pages_of(&site);
    assert!(pages.style(&site).ends_with("--accent: #000; } }\n"), "print stays black");
    let page = pages.about(&site, &[]).unwrap();
    assert!(page.contains("src=\"https://news.example.org/logo.svg\" alt=\"Jungle Drum\""), "{page}");
}
