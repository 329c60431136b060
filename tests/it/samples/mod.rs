//! Sites, sections and stories for the tests of `render`.

pub mod hostile;
pub mod outside;
pub mod rules;
pub mod schema;

use std::collections::BTreeSet;
use std::time::Duration;

use newswire::config::{Edits, Owner, PodcastChannel, Section, Site};
use newswire::entry::{
    Category, Enclosure, Entry, EpisodeType, Guid, GuidKind, Person, Podcast, Source, SourcePlace, Transcript,
};
use newswire::render::{SectionView, StoryView};
use newswire::section::{ShownCopy, ShownFeed, ShownStory};
use newswire::time::Timestamp;
use url::Url;

pub fn url(text: &str) -> Url {
    Url::parse(text).expect("samples have valid addresses")
}

pub fn time(text: &str) -> Timestamp {
    let datetime = chrono::DateTime::parse_from_rfc3339(text).expect("samples have valid times");
    Timestamp::from_datetime(datetime.to_utc())
}

/// Returns a site at the root of its host.
pub fn site() -> Site {
    Site {
        title: "Jungle Drum".to_owned(),
        url: url("https://news.example.org/"),
        description: Some("News that travels".to_owned()),
        language: "en".to_owned(),
        timezone: chrono_tz::Pacific::Auckland,
        rights: Some("Each story belongs to its source.".to_owned()),
        owner: Some(Owner { name: "The Drummers".to_owned(), email: Some("drum@news.example.org".to_owned()) }),
        facets: ["region", "topic", "type"].map(str::to_owned).to_vec(),
        byline: "by {author} via {via} - {source}".to_owned(),
        front: Default::default(),
        accent: None,
        logo: None,
        pictures: true,
        ai: None,
    }
}

pub fn section(id: &str, title: &str) -> Section {
    Section {
        id: id.into(),
        title: title.to_owned(),
        description: Some(format!("All about {title}")),
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

pub fn podcast_section() -> Section {
    let podcast = PodcastChannel { category: "News".to_owned(), explicit: false, locked: true, block: true };
    Section { podcast: Some(podcast), ..section("listen", "Listen") }
}

/// Returns a view of `stories`. Its date is that of the newest change among them.
pub fn view<'a>(
    site: &'a Site,
    section: &'a Section,
    stories: &'a [ShownStory],
    feeds: &'a [ShownFeed],
) -> SectionView<'a> {
    let newest = stories.iter().map(|story| story.updated).max();
    SectionView {
        site,
        section,
        id: "https://news.example.org/section",
        hubs: &[],
        stories,
        feeds,
        updated: newest.unwrap_or_else(|| time("2017-01-01T00:00:00Z")),
        max_age: Duration::from_secs(600),
        archive: None,
        prev_archive: None,
        podcast_guid: None,
    }
}

pub fn entry(guid: &str, title: &str) -> Entry {
    Entry {
        guid: Guid { value: guid.to_owned(), kind: GuidKind::Guid },
        link: None,
        original: None,
        title: title.to_owned(),
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

/// Returns a story with one copy, from the feed of `source.example`.
pub fn story(slug: &str, published: &str, entry: Entry) -> ShownStory {
    let published = time(published);
    let source = Source {
        title: Some("The Source".to_owned()),
        url: Some(url("https://source.example/feed.xml")),
        id: Some("https://source.example/feed.xml".to_owned()),
        site: Some(url("https://source.example/")),
        ..Source::default()
    };
    let copy = ShownCopy {
        feed: "source".into(),
        title: "The Source".to_owned(),
        url: entry.link.clone(),
        published,
        lead: true,
    };
    ShownStory {
        id: entry.guid.value.clone(),
        slug: slug.to_owned(),
        sort_at: published,
        published,
        updated: published,
        categories: entry.categories.clone(),
        via: entry.contributors.clone(),
        byline: format!(
            "{}The Source",
            entry.authors.first().map(|by| format!("by {} - ", by.display())).unwrap_or_default()
        ),
        source,
        copies: vec![copy],
        entry,
    }
}

fn facet(facet: &str, term: &str) -> Category {
    Category {
        term: term.to_owned(),
        scheme: Some(format!("https://news.example.org/{facet}")),
        label: Some(term.to_owned()),
    }
}

/// Returns a real story with two copies: the original, and the copy of a community newswire.
pub fn war_story() -> ShownStory {
    let original = url("http://theantimedia.example/war-on-isis-biggest-lie-since-2003/");
    let copy_url = url("http://jungledrum.example/news/story-3061.html");
    let published = time("2017-12-20T06:18:00Z");
    let entry = Entry {
        link: Some(original.clone()),
        summary_html: Some("<p>The war is said to be over. Who won it, and against whom?</p>".to_owned()),
        content_html: Some(
            "<p>The war is said to be over. Who won it, and against whom?</p><h4>The first lie</h4><blockquote>A quote \
             &amp; more.</blockquote><p>* * *</p><p>As <a href=\"https://other.example/?a=1&amp;b=2\" rel=\"noopener \
             noreferrer nofollow\">others</a> wrote.</p>"
                .to_owned(),
        ),
        published: Some(published),
        authors: vec![Person::named("Darius Shahtahmasebi")],
        rights: Some("Copyright applies.".to_owned()),
        ..entry("http://theantimedia.example/?p=1", "US War on ISIS Is the Biggest Lie Since the 2003 Iraq Invasion")
    };
    let copy = |feed: &str, title: &str, url: Url, lead| ShownCopy {
        feed: feed.into(),
        title: title.to_owned(),
        url: Some(url),
        published,
        lead,
    };
    ShownStory {
        categories: vec![facet("region", "international"), facet("topic", "prose"), facet("type", "post")],
        via: vec![Person::named("gail")],
        byline: "by Darius Shahtahmasebi via gail - Anti-Media".to_owned(),
        source: Source {
            title: Some("Anti-Media".to_owned()),
            url: Some(url("http://theantimedia.example/feed/")),
            id: Some("http://theantimedia.example/feed/".to_owned()),
            site: Some(url("http://theantimedia.example/")),
            rights: Some("Copyright applies.".to_owned()),
            ..Source::default()
        },
        copies: vec![
            copy("anti-media", "Anti-Media", original, true),
            copy("jungle-drum", "Jungle Drum Prose/Poetry", copy_url, false),
        ],
        ..story("us-war-on-isis", "2017-12-20T06:18:00Z", entry)
    }
}

/// Returns a story with a title that no format may mistake for markup.
pub fn hostile_title_story() -> ShownStory {
    let entry = Entry {
        link: Some(url("https://source.example/?a=1&b=[2]|3")),
        summary_html: Some("<p>AT&amp;T &lt;b&gt; and ]]&gt; <b>bold</b></p>".to_owned()),
        content_html: Some("<p>5 &lt; 6 ]]&gt; 👩🏽‍🚒</p><p dir=\"rtl\">שלום \u{b}עולם\u{fffe}</p>".to_owned()),
        authors: vec![Person {
            name: Some("O'Brien & <Sons>".to_owned()),
            email: Some("obrien@source.example".to_owned()),
            url: Some(url("https://source.example/obrien")),
        }],
        categories: vec![
            Category { term: "R&D \"quoted\"".to_owned(), scheme: Some("javascript:alert(1)".to_owned()), label: None },
            Category { term: "plain".to_owned(), scheme: Some("Syndic8".to_owned()), label: None },
        ],
        comments: Some(url("https://source.example/comments?x=1&y=2")),
        image: Some(url("https://source.example/face.png?w=1&h=2")),
        language: Some("he".to_owned()),
        ..entry("urn:uuid:60a76c80-d399-51d9-b91c-0003939e0af6", "Fish & chips < 5 > 4 ]]> AT&T 😀 שלום עולם")
    };
    let story = story("fish-and-chips", "2017-12-20T07:00:00.750Z", entry);
    ShownStory { updated: time("2017-12-21T08:30:00.999Z"), ..story }
}

/// Returns a story whose title is about tags and character references, which would disappear if the title were read as
/// HTML.
pub fn markup_title_story() -> ShownStory {
    let entry = Entry {
        link: Some(url("https://source.example/markup")),
        summary_html: Some("<p>The tag &lt;/b&gt; ends it, and &amp;amp; is written so.</p>".to_owned()),
        rights: Some("&copy; <b>all</b>".to_owned()),
        ..entry("https://source.example/markup", "Why <b>bold</b> is written &lt;b&gt;")
    };
    story("markup", "2017-12-19T12:00:00Z", entry)
}

/// Returns a story with no details at all.
pub fn bare_story() -> ShownStory {
    ShownStory {
        byline: String::new(),
        ..story("bare", "2017-12-19T00:00:00Z", entry("tag:source.example,2017:bare", ""))
    }
}

pub fn episode() -> ShownStory {
    let file = |name: &str, media_type: &str| Transcript {
        url: url(&format!("https://cast.example/{name}?a=1&b=2")),
        media_type: Some(media_type.to_owned()),
        language: Some("en".to_owned()),
    };
    let entry = Entry {
        link: Some(url("https://cast.example/12")),
        summary_html: Some("<p>We talk.</p>".to_owned()),
        authors: vec![Person::named("Ann Hoy")],
        enclosures: vec![
            Enclosure {
                url: url("https://cast.example/12.mp3?a=1&b=2"),
                media_type: Some("audio/mpeg".to_owned()),
                bytes: Some(12_345_678),
                duration_seconds: None,
                title: None,
                repeats_picture: false,
            },
            Enclosure {
                url: url("https://cast.example/12.opus"),
                media_type: None,
                bytes: None,
                duration_seconds: Some(2096),
                title: Some("Small <file>".to_owned()),
                repeats_picture: false,
            },
        ],
        image: Some(url("https://cast.example/12.jpg")),
        podcast: Some(Podcast {
            duration_seconds: Some(2096),
            image: Some(url("https://cast.example/12-square.jpg")),
            episode: Some(12),
            season: Some(2),
            explicit: Some(false),
            episode_type: Some(EpisodeType::Bonus),
            transcripts: vec![file("12.vtt", "text/vtt"), file("12.json", "application/json")],
            chapters: Some(file("chapters.json", "application/json+chapters")),
        }),
        ..entry("https://cast.example/12", "Twelve")
    };
    story("twelve", "2018-01-02T03:04:05Z", entry)
}

/// Returns the view of a story on its own page. None of its tags has a page.
pub fn of_story(story: &ShownStory) -> StoryView<'_> {
    StoryView { shown: story, reasons: &[], tags: const { &BTreeSet::new() } }
}

pub fn feeds() -> Vec<ShownFeed> {
    let feed = |id: &str, title: &str, address: &str, site: Option<&str>| ShownFeed {
        id: id.into(),
        title: title.to_owned(),
        url: url(address),
        site: site.map(url),
        image: None,
        description: None,
        tags: Vec::new(),
        enabled: true,
    };
    vec![
        ShownFeed {
            tags: vec!["world".to_owned(), "long, reads".to_owned()],
            description: Some("War & peace".to_owned()),
            ..feed(
                "anti-media",
                "Anti-Media",
                "http://theantimedia.example/feed/",
                Some("http://theantimedia.example/"),
            )
        },
        feed("jungle-drum", "Jungle Drum \"Prose\" & <Poetry>", "http://jungledrum.example/feed?a=1&b=2", None),
    ]
}

/// Compares a whole document with its snapshot in `tests/it/snapshots`.
pub fn check_snapshot(name: &str, document: &[u8]) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path("../snapshots");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, std::str::from_utf8(document).unwrap()));
}
