//! Editions of whole sections, compared with snapshots.

use crate::samples;

use newswire::config::Section;
use newswire::entry::{Credit, InReplyTo, SourcePlace};
use newswire::render::{self, Pages, SectionView};
use newswire::section::ShownStory;
use samples::*;

/// Returns a section in every format and as a page, each with the extension of its file.
fn documents(view: &SectionView) -> [(&'static str, Vec<u8>); 5] {
    let opml = render::opml(view.site, &view.section.title, view.feeds, view.updated);
    [
        ("atom", render::atom(&view.prepare()).unwrap()),
        ("rss", render::rss(&view.prepare()).unwrap()),
        ("json", render::json(&view.prepare()).unwrap()),
        ("opml", opml.unwrap()),
        ("html", Pages::new(&[]).unwrap().section(&view.prepare()).unwrap().into_bytes()),
    ]
}

fn check_section(section: &Section, stories: &[ShownStory]) {
    let (site, feeds) = (site(), feeds());
    let view = SectionView {
        hubs: &[url("https://hub.example.org/")],
        prev_archive: Some(3),
        ..view(&site, section, stories, &feeds)
    };
    for (ending, document) in documents(&view) {
        check_snapshot(&format!("{}.{ending}", section.id), &document);
    }
}

#[test]
fn newswire_section_matches_the_golden_files() {
    check_section(
        &section("international", "International"),
        &[hostile_title_story(), war_story(), markup_title_story(), bare_story()],
    );
}

#[test]
fn podcast_section_matches_the_golden_files() {
    check_section(&podcast_section(), &[episode()]);
}

#[test]
fn episode_in_an_ordinary_section_has_no_itunes_elements() {
    check_section(&section("mixed", "Mixed"), &[episode()]);
}

#[test]
fn empty_section_matches_the_golden_files() {
    check_section(&section("empty", "Empty"), &[]);
}

/// The channel says twice how long it may be cached: as `ttl`, and as `sy:updatePeriod` and `sy:updateFrequency`.
#[test]
fn rss_says_how_long_it_may_be_cached() {
    let check = |seconds: u64, ttl: &str, times_an_hour: &str| {
        let (site, section) = (site(), section("all", "All"));
        let view = SectionView { max_age: std::time::Duration::from_secs(seconds), ..view(&site, &section, &[], &[]) };
        let document = String::from_utf8(render::rss(&view.prepare()).unwrap()).unwrap();
        assert!(document.contains(&format!("<ttl>{ttl}</ttl>")), "{document}");
        let frequency = format!("<sy:updateFrequency>{times_an_hour}</sy:updateFrequency>");
        assert!(
            document.contains("<sy:updatePeriod>hourly</sy:updatePeriod>") && document.contains(&frequency),
            "{document}"
        );
    };
    check(300, "5", "12");
    check(600, "10", "6");
    check(3600, "60", "1");
}

/// If a story says when its source was updated, that date stays. Otherwise the source has the date of its newest story.
#[test]
fn source_has_the_date_of_its_newest_story_unless_it_has_its_own() {
    let mut stories = [
        story("old", "2020-01-01T00:00:00Z", entry("urn:old", "Old")),
        story("new", "2020-02-02T00:00:00Z", entry("urn:new", "New")),
    ];
    let sources = |stories: &[ShownStory]| -> Vec<String> {
        let (site, section) = (site(), section("all", "All"));
        let json: serde_json::Value =
            serde_json::from_slice(&render::json(&view(&site, &section, stories, &[]).prepare()).unwrap()).unwrap();
        let items = json["items"].as_array().unwrap().iter();
        items.map(|item| item["_newswire"]["source"]["updated"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(sources(&stories), ["2020-02-02T00:00:00Z", "2020-02-02T00:00:00Z"]);
    stories[0].source.updated = Some(time("2019-12-31T00:00:00Z"));
    assert_eq!(sources(&stories), ["2019-12-31T00:00:00Z", "2020-02-02T00:00:00Z"]);
}

/// An entry without author is attributed to its source, never to the site.
#[test]
fn entry_without_author_is_attributed_to_its_source() {
    let site = site();
    let stories = [story("one", "2020-01-01T00:00:00Z", entry("urn:one", "One"))];
    let check = |place: Option<SourcePlace>, parent: &str| {
        let section = Section { source_in: place, ..section("all", "All") };
        let prepared = view(&site, &section, &stories, &[]);
        let document = String::from_utf8(render::atom(&prepared.prepare()).unwrap()).unwrap();
        let entry = document.split("<entry>").nth(1).unwrap();
        let inside = entry.split(&format!("<{parent}>")).nth(1).unwrap().split(&format!("</{parent}>")).next().unwrap();
        assert!(inside.contains("<name>The Source</name>"), "{document}");
    };
    check(Some(SourcePlace::Author), "author");
    check(None, "source");
}

/// The places where a story names its publication, and what each format then has.
#[test]
fn publication_is_named_where_the_section_wants_it() {
    let site = site();
    let stories = [war_story()];
    let check = |place: Option<SourcePlace>, atom: &[&str], rss: &[&str], json: &[(&str, &str)]| {
        let section = Section { source_in: place, ..section("all", "All") };
        let view = view(&site, &section, &stories, &[]);
        let text = |document: Vec<u8>| String::from_utf8(document).unwrap();
        for (document, parts) in
            [(text(render::atom(&view.prepare()).unwrap()), atom), (text(render::rss(&view.prepare()).unwrap()), rss)]
        {
            parts.iter().for_each(|part| assert!(document.contains(part), "{place:?}: {part}\n{document}"));
        }
        let document: serde_json::Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
        for (pointer, expected) in json {
            let value = document.pointer(&format!("/items/0/{pointer}")).unwrap();
            assert!(value.as_str().unwrap().starts_with(expected), "{place:?}: {value}");
        }
    };
    check(
        Some(SourcePlace::Author),
        &["<name>Darius Shahtahmasebi, Anti-Media</name>"],
        &["<dc:creator>Darius Shahtahmasebi, Anti-Media</dc:creator>"],
        &[("authors/0/name", "Darius Shahtahmasebi, Anti-Media"), ("_newswire/authors/0/name", "Darius Shahtahmasebi")],
    );
    check(
        Some(SourcePlace::Title),
        &["<title>Anti-Media: US War", "<name>Darius Shahtahmasebi</name>"],
        &["<title>Anti-Media: US War"],
        &[("title", "Anti-Media: US War"), ("authors/0/name", "Darius Shahtahmasebi")],
    );
    check(
        Some(SourcePlace::Content),
        &["&gt;Anti-Media&lt;/a&gt;&lt;/p&gt;"],
        &["<content:encoded><![CDATA[<p><a href=\"http://theantimedia.example/\">Anti-Media</a></p>"],
        &[("content_html", "<p><a href=\"http://theantimedia.example/\">Anti-Media</a></p>"), ("title", "US War")],
    );
    check(None, &["<title>US War", "<name>Darius Shahtahmasebi</name>"], &["<title>US War"], &[("title", "US War")]);
}

/// A program that meets an extension finds its explanation at the address that the edition gives for it.
#[test]
fn about_page_explains_every_extension_of_the_editions() {
    let (site, section, stories) = (site(), section("all", "All"), [war_story()]);
    let about = Pages::new(&[]).unwrap().about(&site, &[]).unwrap();
    let page = "https://news.example.org/about/";
    let view = view(&site, &section, &stories, &[]);
    let json: serde_json::Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
    assert_eq!(json["_newswire"]["about"], format!("{page}#newswire"));
    assert!(about.contains("id=\"newswire\""));
    for document in [render::atom(&view.prepare()).unwrap(), render::rss(&view.prepare()).unwrap()] {
        assert!(String::from_utf8(document).unwrap().contains(&format!("rel=\"{page}#copy\"")));
    }
    assert!(about.contains("id=\"copy\""));
    let opml = String::from_utf8(render::opml(&site, "All", &[], view.updated).unwrap()).unwrap();
    let namespace = opml.split("xmlns:newswire=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(about.contains(&format!("<code>{namespace}</code>")), "{namespace}");
    let own = [&json["_newswire"], &json["items"][0]["_newswire"]];
    for name in own.iter().flat_map(|own| own.as_object().unwrap().keys()) {
        assert!(about.contains(&format!("<code>{name}</code>")), "the page explains {name}");
    }
}

/// newsboat shows the managing editor as the author of an item that has none, so the channel names one only if each item
/// names its source as the author.
#[test]
fn rss_names_the_contact_of_the_site_only_with_an_address_and_never_as_the_author_of_others() {
    let check = |email: Option<&str>, place: Option<SourcePlace>, expected: [bool; 2]| {
        let owner = newswire::config::Owner { name: "The (old) Drummers".to_owned(), email: email.map(str::to_owned) };
        let site = newswire::config::Site { owner: Some(owner), ..site() };
        let section = Section { source_in: place, ..section("all", "All") };
        let document = render::rss(&view(&site, &section, &[], &[]).prepare()).unwrap();
        let document = String::from_utf8(document).unwrap();
        let has = |name: &str| document.contains(&format!("<{name}>drum@news.example.org (The old Drummers)</{name}>"));
        assert_eq!([has("managingEditor"), has("webMaster")], expected, "{document}");
        assert_eq!(document.contains("Drummers)"), expected[1], "{document}");
    };
    check(Some("drum@news.example.org"), Some(SourcePlace::Author), [true, true]);
    check(Some("drum@news.example.org"), Some(SourcePlace::Title), [false, true]);
    check(Some("drum@news.example.org"), None, [false, true]);
    check(Some("drum at news"), Some(SourcePlace::Author), [false, false]);
    check(None, Some(SourcePlace::Author), [false, false]);
}

#[test]
fn readers_get_a_picture_of_the_section_else_that_of_the_site() {
    let check = |image: Option<&str>, logo: Option<&str>, rss: Option<&str>, icons: [Option<&str>; 4]| {
        let site = newswire::config::Site { logo: logo.map(url), ..site() };
        let section = Section { image: image.map(url), ..section("all", "All") };
        let view = view(&site, &section, &[], &[]);
        let text = |document: Vec<u8>| String::from_utf8(document).unwrap();
        let (of_rss, of_atom) =
            (text(render::rss(&view.prepare()).unwrap()), text(render::atom(&view.prepare()).unwrap()));
        let json: serde_json::Value = serde_json::from_slice(&render::json(&view.prepare()).unwrap()).unwrap();
        let inside = |document: &str, name: &str| -> Option<String> {
            let rest = document.split(&format!("<{name}>")).nth(1)?;
            Some(rest.split(&format!("</{name}>")).next()?.to_owned())
        };
        let picture = inside(&of_rss, "image").and_then(|image| inside(&image, "url"));
        assert_eq!(picture.as_deref(), rss, "{of_rss}");
        let (icon, logo) = (inside(&of_atom, "icon"), inside(&of_atom, "logo"));
        let found = [icon.as_deref(), logo.as_deref(), json["icon"].as_str(), json["favicon"].as_str()];
        assert_eq!(found, icons);
    };
    let (image, logo) = ("https://news.example.org/all.png", "https://news.example.org/logo.png");
    let favicon = "https://news.example.org/favicon.svg";
    check(Some(image), Some(logo), Some(image), [Some(image), Some(image), Some(image), Some(favicon)]);
    check(None, Some(logo), Some(logo), [Some(favicon), Some(logo), Some(logo), Some(favicon)]);
    check(None, None, None, [Some(favicon), None, None, Some(favicon)]);
    // An RSS channel may have only a GIF, JPEG or PNG.
    let drawn = "https://news.example.org/logo.svg?v=2";
    check(None, Some(drawn), None, [Some(favicon), Some(drawn), Some(drawn), Some(favicon)]);
}

#[test]
fn address_of_a_local_file_is_not_published_in_any_format() {
    let mut story = episode();
    let here = || Some(url("file:///home/editor/secret"));
    story.entry.image = here();
    story.entry.comments = here();
    story.entry.license = here();
    story.entry.in_reply_to = vec![InReplyTo { id: "urn:question".to_owned(), url: here() }];
    story.entry.credits = vec![Credit { name: "Ada".to_owned(), role: None, url: here() }];
    let podcast = story.entry.podcast.as_mut().unwrap();
    podcast.image = here();
    podcast.chapters.as_mut().unwrap().url = here().unwrap();
    podcast.transcripts[0].url = here().unwrap();
    let (site, feeds, section, stories) = (site(), feeds(), podcast_section(), [story]);
    for (format, document) in documents(&view(&site, &section, &stories, &feeds)) {
        assert!(!String::from_utf8(document).unwrap().contains("file:"), "{format}");
    }
    let json: serde_json::Value =
        serde_json::from_slice(&render::json(&view(&site, &section, &stories, &feeds).prepare()).unwrap()).unwrap();
    let own = &json["items"][0]["_newswire"];
    assert_eq!(own["in_reply_to"], serde_json::json!([{ "id": "urn:question" }]));
    assert_eq!(own["credits"], serde_json::json!([{ "name": "Ada" }]));
    assert_eq!(own["podcast"]["transcripts"].as_array().unwrap().len(), 1);
}
