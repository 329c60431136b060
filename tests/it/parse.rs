//! How newswire reads feed documents of every format, valid and broken.

use std::time::Duration;

use newswire::entry::{Category, Credit, Entry, GuidKind, InReplyTo, SharedKeys};
use newswire::feed::FeedInfo;
use newswire::normalize;
use newswire::parse::{Hints, ParsedFeed, parse, reidentify};
use url::Url;

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(format!("tests/fixtures/parse/{name}")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn read_bytes(bytes: &[u8]) -> ParsedFeed {
    let base = Url::parse("http://base.example/dir/feed").unwrap();
    parse(bytes, &Hints { content_type: None, base: Some(&base) }).unwrap()
}

fn read(name: &str) -> ParsedFeed {
    read_bytes(&fixture(name))
}

/// Returns the cleaned entries of a document.
fn entries(feed: &ParsedFeed) -> Vec<Entry> {
    feed.entries.iter().map(|entry| normalize::entry(entry, feed)).collect()
}

fn info(feed: &ParsedFeed) -> FeedInfo {
    normalize::info(feed)
}

fn rss_item(inside: &str) -> Entry {
    let document = format!("<rss version=\"2.0\"><channel><title>t</title><item>{inside}</item></channel></rss>");
    entries(&read_bytes(document.as_bytes())).remove(0)
}

fn titles(feed: &ParsedFeed) -> Vec<String> {
    entries(feed).into_iter().map(|entry| entry.title).collect()
}

fn url(text: &str) -> Option<Url> {
    Some(Url::parse(text).unwrap())
}

fn names(persons: &[newswire::entry::Person]) -> Vec<&str> {
    persons.iter().map(newswire::entry::Person::display).collect()
}

fn has_repair(feed: &ParsedFeed, part: &str) -> bool {
    feed.repairs.iter().any(|repair| repair.to_string().contains(part))
}

#[test]
fn rss_entry_is_read_completely() {
    let feed = read("rss_story.xml");
    assert_eq!((feed.format.to_string().as_str(), feed.encoding.as_str(), feed.truncated), ("RSS 2.0", "UTF-8", false));
    assert!(feed.repairs.is_empty(), "{:?}", feed.repairs);
    let entry = entries(&feed).remove(0);
    assert_eq!((entry.guid.value.as_str(), entry.guid.kind), ("http://theantimedia.example/?p=1", GuidKind::Guid));
    assert_eq!(entry.link, url("http://theantimedia.example/war-on-isis/"));
    assert_eq!(entry.title, "US War on ISIS & more");
    assert_eq!(names(&entry.authors), ["Darius Shahtahmasebi"]);
    assert_eq!(entry.published.unwrap().rfc3339(), "2017-12-20T06:18:00Z");
    assert_eq!(entry.summary_html.as_deref(), Some("<p>A summary.</p>"));
    assert_eq!(
        entry.content_html.as_deref(),
        Some(r#"<p>The <a href="http://theantimedia.example/about">whole</a> text.</p>"#)
    );
    assert_eq!(entry.comments, url("http://theantimedia.example/war-on-isis/#comments"));
    assert_eq!(entry.categories.len(), 2);
    assert_eq!(entry.categories[0].scheme.as_deref(), Some("https://news.example.org/region"));
    assert_eq!(
        (entry.enclosures[0].url.as_str(), entry.enclosures[0].bytes),
        ("http://theantimedia.example/a.mp3", Some(1234))
    );
    assert_eq!((entry.language.as_deref(), entry.rights.as_deref()), (Some("en-US"), Some("Copyright applies.")));
}

#[test]
fn feed_has_its_title_and_polling_hints() {
    let feed = read("rss_story.xml");
    let info = info(&feed);
    assert_eq!((info.title.as_deref(), info.description.as_deref()), (Some("Anti-Media"), Some("News & views")));
    assert_eq!(info.site, url("http://theantimedia.example/"));
    assert_eq!(info.self_link, url("http://theantimedia.example/feed/"));
    assert_eq!(info.hubs, [Url::parse("https://hub.example.org/").unwrap()]);
    assert_eq!(feed.hints.ttl, Some(Duration::from_secs(60 * 60)));
    assert_eq!(feed.hints.period, Some(Duration::from_secs(6 * 60 * 60)));
    assert_eq!((feed.hints.skip_hours, feed.hints.skip_days), (vec![0, 3], vec![6]));
}

#[test]
fn newswire_entry_keeps_author_via_source_and_original() {
    let feed = read("rdf_newswire.xml");
    assert_eq!(feed.format.to_string(), "RSS 1.0");
    let entry = entries(&feed).remove(0);
    assert_eq!(entry.guid.value, "http://jungledrum.example/news/story-3061.html");
    assert_eq!((names(&entry.authors), names(&entry.contributors)), (vec!["Darius Shahtahmasebi"], vec!["gail"]));
    assert_eq!(entry.source.unwrap().title.as_deref(), Some("Anti-Media"));
    assert_eq!(entry.original, url("http://theantimedia.example/war-on-isis/"));
    assert_eq!(entry.categories, [Category { term: "international / prose / post".into(), ..Category::default() }]);
    assert_eq!((entry.rights.as_deref(), entry.language.as_deref()), (Some("Copyright applies."), Some("en")));
    assert_eq!(entry.published.unwrap().rfc3339(), "2017-12-20T06:18:00Z");
}

#[test]
fn atom_entry_keeps_its_source_bases_and_languages() {
    let feed = read("atom_source.xml");
    assert_eq!(info(&feed).title.as_deref(), Some("A & B"));
    assert_eq!(info(&feed).self_link, url("http://planet.example/feeds/all.atom"));
    let entry = entries(&feed).remove(0);
    assert_eq!(entry.link, url("http://planet.example/feeds/1.html"));
    assert_eq!(entry.original, url("http://blog.example/1"));
    assert_eq!(entry.comments, url("http://planet.example/feeds/1.html#replies"));
    assert_eq!(entry.enclosures[0].url.as_str(), "http://planet.example/feeds/1.ogg");
    assert_eq!(entry.contributors[0].url, url("http://planet.example/gail"));
    assert_eq!(entry.categories[0].label.as_deref(), Some("The A"));
    assert_eq!(names(&entry.authors), ["Ada"], "an entry without author inherits its source's");
    let source = entry.source.unwrap();
    assert_eq!(
        (source.id.as_deref(), source.title.as_deref(), source.rights.as_deref()),
        (Some("urn:blog"), Some("Blog"), Some("All"))
    );
    assert_eq!((source.url, source.site), (url("http://blog.example/feed"), url("http://blog.example/")));
    assert_eq!(
        entry.content_html.as_deref(),
        Some(
            "before <b>bold</b> after<br>\n      <a href=\"http://blog.example/2017/x\">x</a><span><img src=\"http://blog.example/other/y.png\" alt=\"AT&amp;T\"></span>"
        )
    );
    let own = entries(&feed).remove(1);
    assert_eq!(
        names(&own.authors),
        ["The planet's keeper"],
        "an entry without a source inherits the author of the feed"
    );
    assert_eq!(own.summary_html.as_deref(), Some("1 &lt; 2 &amp; 3"));
    assert_eq!((entry.language.as_deref(), own.language.as_deref()), (Some("en"), Some("de")));
}

#[test]
fn podcast_episode_keeps_what_its_clients_need() {
    let entry = entries(&read("rss_podcast.xml")).remove(0);
    let podcast = entry.podcast.unwrap();
    assert_eq!(
        (podcast.duration_seconds, podcast.season, podcast.episode, podcast.explicit),
        (Some(3723), Some(2), Some(5), Some(false))
    );
    assert_eq!(podcast.transcripts[0].media_type.as_deref(), Some("text/vtt"));
    assert_eq!(podcast.chapters.unwrap().url.as_str(), "http://pod.example/1.json");
    assert_eq!((entry.enclosures[0].bytes, entry.enclosures[0].duration_seconds), (None, Some(3723)));
    assert_eq!((entry.image, entry.link), (url("http://pod.example/1.jpg"), url("http://pod.example/1")));
    assert_eq!(entry.summary_html.as_deref(), Some("Longer."));
    assert_eq!(entry.categories.len(), 2);
    assert_eq!(names(&entry.authors), ["Host"]);
}

#[test]
fn licences_and_credits_are_kept_and_inherited() {
    let feed = read("rss_credits.xml");
    let info = info(&feed);
    assert_eq!(info.license, url("https://creativecommons.org/licenses/by/4.0/"));
    assert_eq!(info.cloud, url("http://rpc.cast.example:5337/pleaseNotify"));
    assert_eq!(
        (info.next, info.prev_archive),
        (url("https://cast.example/feed?page=2"), url("https://cast.example/feed/2016"))
    );
    let [first, second] = entries(&feed).try_into().unwrap();
    assert_eq!(first.license, info.license);
    let credit =
        |name: &str, role: Option<&str>, url| Credit { name: name.to_owned(), role: role.map(str::to_owned), url };
    assert_eq!(first.credits, [credit("Ann Hoy", None, url("https://people.example/ann"))]);
    assert_eq!(second.license, url("https://creativecommons.org/licenses/by-nc/4.0/"));
    let credits = [("Bo & Cy", "guest"), ("Di", "producer"), ("Ed", "author")];
    assert_eq!(second.credits, credits.map(|(name, role)| credit(name, Some(role), None)));
}

#[test]
fn credit_of_a_picture_is_not_an_author() {
    let media = "<media:content url='https://a.example/1.jpg'>";
    let check = |inside: &str, authors: &[&str], credits: &[(&str, Option<&str>)]| {
        let document = format!(
            "<rss version='2.0' xmlns:media='http://search.yahoo.com/mrss/' xmlns:dc='http://purl.org/dc/elements/1.1/'>\
             <channel><title>t</title><item><title>x</title>{inside}</item></channel></rss>"
        );
        let entry = entries(&read_bytes(document.as_bytes())).remove(0);
        let credited: Vec<_> =
            entry.credits.iter().map(|credit| (credit.name.as_str(), credit.role.as_deref())).collect();
        assert_eq!((names(&entry.authors), credited), (authors.to_vec(), credits.to_vec()), "{inside}");
    };
    check("<media:credit>Photograph: Alex Wong</media:credit>", &[], &[("Photograph: Alex Wong", None)]);
    check(
        &format!("{media}<media:credit role='author'>Ed</media:credit></media:content>"),
        &[],
        &[("Ed", Some("author"))],
    );
    let both = "<media:group><media:credit>Di</media:credit></media:group><dc:creator>Ann</dc:creator>";
    check(both, &["Ann"], &[("Di", None)]);
    check("<author>bo@a.example (Bo)</author>", &["Bo"], &[]);
}

#[test]
fn entry_from_elsewhere_inherits_nothing_from_the_relaying_feed() {
    let document = |inside: &str| {
        format!(
            "<feed xmlns='http://www.w3.org/2005/Atom'><title>Planet</title><rights>(c) Planet</rights>\
             <author><name>Planet keeper</name></author><entry><id>urn:1</id><title>x</title>{inside}</entry></feed>"
        )
    };
    let rights = |inside: &str| {
        let entry = entries(&read_bytes(document(inside).as_bytes())).remove(0);
        (entry.rights, entry.authors.first().map(|author| author.display().to_owned()))
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(rights(""), (text("(c) Planet"), text("Planet keeper")));
    assert_eq!(rights("<source><id>tag:blog.example,2018:feed</id><title>Blog</title></source>"), (None, None));
    assert_eq!(rights("<source><title>Blog</title><rights>(c) Blog</rights></source>"), (text("(c) Blog"), None));
    assert_eq!(rights("<rights>(c) Ann</rights><source><title>Blog</title></source>"), (text("(c) Ann"), None));
    let byline = "<author><name>by Ann via gail - The Gazette</name></author>";
    assert_eq!(rights(byline), (None, text("Ann")), "a byline names a source, too");
}

#[test]
fn stream_is_an_enclosure_and_a_script_is_not() {
    let enclosures = entries(&read("rss_credits.xml")).remove(1).enclosures;
    let addresses: Vec<&str> = enclosures.iter().map(|enclosure| enclosure.url.as_str()).collect();
    assert_eq!(addresses, ["rtsp://stream.example/live"]);
}

#[test]
fn reply_keeps_the_entry_that_it_answers() {
    let entry = entries(&read("atom_thread.xml")).remove(0);
    let question = InReplyTo { id: "urn:questions:1".to_owned(), url: url("https://questions.example/1") };
    assert_eq!(entry.in_reply_to, [question]);
    assert_eq!(entry.comments, url("https://answers.example/1#replies"));
    assert_eq!(entry.license, url("https://creativecommons.org/publicdomain/zero/1.0/"));
}

#[test]
fn language_is_that_of_the_text_else_of_the_entry_else_of_the_feed() {
    let check = |inside: &str, expected: &str| {
        let document = format!("<rss><channel xml:lang='de'><item>{inside}</item></channel></rss>");
        assert_eq!(entries(&read_bytes(document.as_bytes()))[0].language.as_deref(), Some(expected), "{inside}");
    };
    check("<description>x</description>", "de");
    check("<description xml:lang='en'>x</description>", "en");
    check("<content:encoded xml:lang='fr'>x</content:encoded><description xml:lang='en'>x</description>", "fr");
    check("<dc:language>nl</dc:language><content:encoded>x</content:encoded>", "nl");
}

#[test]
fn last_of_repeated_json_members_counts() {
    let feed = read_bytes(br#"{"items": [{"id": 1}], "title": "a", "items": [{"id": 2, "title": "x", "title": "y"}, {"id": 3}], "title": "b"}"#);
    assert_eq!((info(&feed).title.as_deref(), feed.entries.len(), titles(&feed)[0].as_str()), (Some("b"), 2, "y"));
}

#[test]
fn unknown_encoding_is_guessed_and_reported() {
    let feed = read_bytes(b"<?xml version='1.0' encoding='cp850'?><rss><channel><title>t\x82t\x82</title><item><title>x</title></item></channel></rss>");
    assert_eq!(
        (titles(&feed), has_repair(&feed, "not known, and was guessed: \"cp850\"")),
        (vec!["x".to_owned()], true)
    );
}

#[test]
fn broken_markup_is_repaired_and_reported() {
    let feed = read("rss_broken.xml");
    assert_eq!(info(&feed).title.as_deref(), Some("Café & bar"));
    assert_eq!(titles(&feed), ["1 < 2 & 3 …", "Unclosed"]);
    let entries = entries(&feed);
    assert_eq!(entries[0].summary_html.as_deref(), Some("It’s <p>open<br> text</p>"));
    assert_eq!(entries[1].link, url("http://broken.example/2"));
    assert!(entries[1].published.is_some());
    for repair in [
        "before the feed",
        "bare & or <",
        "HTML entities",
        "unclosed elements",
        "stray end tags",
        "character references",
    ] {
        assert!(has_repair(&feed, repair), "{repair} is not in {:?}", feed.repairs);
    }
    assert!(!feed.truncated);
}

#[test]
fn truncated_document_gives_its_complete_entries() {
    let feed = read("rss_truncated.xml");
    assert_eq!(titles(&feed), ["Whole"]);
    assert!(feed.truncated && has_repair(&feed, "ends in mid-air"));
}

#[test]
fn unclosed_cdata_section_ends_with_its_element() {
    let feed = read("rss_section_unclosed.xml");
    let summaries: Vec<_> = entries(&feed).into_iter().map(|entry| entry.summary_html.unwrap()).collect();
    assert_eq!(summaries, ["First", "Second"]);
    assert!(!feed.truncated);
}

#[test]
fn old_and_rare_formats_are_read() {
    let atom = read("atom03.xml");
    let entry = entries(&atom).remove(0);
    assert_eq!((atom.format.to_string().as_str(), info(&atom).description.as_deref()), ("Atom 0.3", Some("Line")));
    assert_eq!((entry.title.as_str(), entry.content_html.as_deref()), ("A & B", Some("<p>Hello.</p>")));
    assert_eq!(
        (entry.published.unwrap().rfc3339(), entry.updated.unwrap().rfc3339()),
        ("2004-01-01T00:00:00Z".into(), "2004-01-02T00:00:00Z".into())
    );

    let cdf = read("cdf.xml");
    let entry = entries(&cdf).remove(0);
    assert_eq!((cdf.format.to_string().as_str(), info(&cdf).site), ("CDF", url("http://cdf.example/")));
    assert_eq!(
        (entry.title.as_str(), entry.link, entry.summary_html.as_deref()),
        ("One", url("http://cdf.example/1"), Some("First"))
    );
    assert_eq!(entry.published.unwrap().rfc3339(), "2004-04-07T04:05:43Z");

    let rss11 = read("rss11.xml");
    assert_eq!((rss11.format.to_string().as_str(), titles(&rss11)), ("RSS 1.1", vec!["One".to_owned()]));
    let rss090 = read("rdf_items_without_link.xml");
    assert_eq!(
        (rss090.format.to_string().as_str(), titles(&rss090)),
        ("RSS 0.90", vec!["Linked".to_owned(), "Bare".to_owned()])
    );
}

#[test]
fn namespaces_may_be_wrong_or_missing() {
    let entry = entries(&read("rss_undeclared_prefixes.xml")).remove(0);
    assert_eq!((names(&entry.authors), entry.content_html.as_deref()), (vec!["Ada"], Some("<p>Text</p>")));
    assert_eq!(entry.image, url("http://p.example/a.jpg"));
    assert_eq!(titles(&read("rss_default_namespace.xml")), ["One"]);
}

#[test]
fn entry_is_kept_whatever_its_content_type() {
    let feed = read("atom_content_types.xml");
    let contents: Vec<_> = entries(&feed).into_iter().map(|entry| entry.content_html).collect();
    let expected = [Some("Some *words*"), None, None, Some("a &lt;b&gt; c"), Some("<p>one</p>")];
    assert_eq!(contents, expected.map(|content| content.map(str::to_owned)));
    assert_eq!(entries(&feed)[2].link, url("http://types.example/3.html"));
    assert_eq!(titles(&feed)[3], "Plain");
    assert!(has_repair(&feed, "markdown"));
}

#[test]
fn entry_is_identified_by_guid_else_link_else_text() {
    let feed = read("rss_guid_missing.xml");
    let kinds: Vec<_> = feed.entries.iter().map(|entry| entry.guid.kind).collect();
    assert_eq!(kinds, [GuidKind::Link, GuidKind::Fingerprint, GuidKind::Guid]);
    assert_eq!(feed.entries[0].guid.value, "http://bare.example/1");
    assert_eq!(
        feed.entries[1].guid,
        read("rss_guid_missing.xml").entries[1].guid,
        "the fingerprint is the same each time"
    );
    assert_eq!(entries(&feed)[2].link, url("http://bare.example/3"), "a permanent link is a link");
}

#[test]
fn shared_guids_are_distinguished_by_link() {
    let mut feed = read("rss_guid_shared.xml");
    let guids: Vec<_> = feed.entries.iter().map(|entry| entry.guid.value.clone()).collect();
    assert_eq!(guids, ["same http://shared.example/1", "same http://shared.example/2"]);
    assert!(feed.guids_repaired.guids && has_repair(&feed, "the same guid"));
    reidentify(&mut feed, SharedKeys::default());
    assert_eq!(feed.entries[0].guid.value, guids[0], "doing it twice changes nothing");
    let mut single = read("rss_story.xml");
    assert_eq!(single.guids_repaired, SharedKeys::default());
    reidentify(&mut single, feed.guids_repaired);
    assert_eq!(
        single.entries[0].guid.value,
        "http://theantimedia.example/?p=1 http://theantimedia.example/war-on-isis/?utm_source=rss"
    );
}

#[test]
fn equal_entries_have_equal_hashes_at_any_position() {
    let item = |words: &str| format!("<item><title>{words}</title></item>");
    let document = |items: &[String]| format!("<rss><channel><title>t</title>{}</channel></rss>", items.concat());
    let first = read_bytes(document(&[item("a"), item("b")]).as_bytes());
    let second = read_bytes(document(&[item("new"), item("a"), item("b, revised")]).as_bytes());
    assert_eq!(first.entries[0].raw_hash, second.entries[1].raw_hash);
    assert_ne!(first.entries[1].raw_hash, second.entries[2].raw_hash);
    let elsewhere = parse(document(&[item("a")]).as_bytes(), &Hints::default()).unwrap();
    assert_ne!(first.entries[0].raw_hash, elsewhere.entries[0].raw_hash, "its relative URLs differ");
}

#[test]
fn json_feeds_of_both_versions_are_read() {
    let feed = read("feed_1_0.json");
    assert_eq!(feed.format.to_string(), "JSON Feed 1");
    let entry = entries(&feed).remove(0);
    assert_eq!((entry.guid.value.as_str(), entry.content_html.as_deref()), ("1", Some("<p>Hi</p>")));
    assert_eq!(names(&entry.authors), ["Ada"]);
    assert_eq!(entry.categories.iter().map(|category| category.term.as_str()).collect::<Vec<_>>(), ["a", "2"]);
    assert_eq!((entry.enclosures[0].bytes, entry.enclosures[0].duration_seconds), (Some(12), Some(60)));
}

#[test]
fn json_values_of_wrong_shapes_are_left_out() {
    let feed = read("feed_odd.json");
    assert_eq!(feed.entries.len(), 1);
    assert!(has_repair(&feed, "wrong shape"));
    let entry = entries(&feed).remove(0);
    assert_eq!((entry.title.as_str(), entry.content_html.as_deref()), ("", Some("1 &lt; 2")));
    assert_eq!((names(&entry.authors), entry.link), (vec!["nobody"], url("https://else.example/1")));
    assert_eq!(names(&info(&feed).authors), ["Only one"]);
}

#[test]
fn truncated_json_gives_its_complete_items() {
    let feed = read_bytes(br#"{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "tags": ["]}"]}, {"id": "2", "title": "cu"#);
    assert_eq!((feed.entries.len(), feed.entries[0].guid.value.as_str(), feed.truncated), (1, "1", true));
    assert!(parse(b"{\"items\": [{\"id\": ", &Hints::default()).is_err());
}

#[test]
fn feed_is_decoded_whatever_encoding_it_declares() {
    let document = |declared: &str| {
        format!(
            "<?xml version=\"1.0\"{declared}?><rss><channel><title>Größe „€“ été</title><item><title>x</title></item></channel></rss>"
        )
    };
    let check = |bytes: &[u8], content_type: Option<&str>, encoding: &str| {
        let feed = parse(bytes, &Hints { content_type, base: None }).unwrap();
        assert_eq!(
            (feed.info.title.unwrap().value.as_str(), feed.encoding.as_str(), feed.entries.len()),
            ("Größe „€“ été", encoding, 1)
        );
    };
    let legacy = |label: &str, text: &str| {
        encoding_rs::Encoding::for_label(label.as_bytes()).unwrap().encode(text).0.into_owned()
    };
    let utf16 = |text: &str, mark: bool| {
        let text = if mark { format!("\u{feff}{text}") } else { text.to_owned() };
        text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    let utf8 = document("");
    check(utf8.as_bytes(), None, "UTF-8");
    check(format!("\u{feff}{utf8}").as_bytes(), Some("text/xml; charset=iso-8859-1"), "UTF-8");
    check(document(" encoding='iso-8859-1'").as_bytes(), None, "UTF-8");
    check(&legacy("windows-1252", &document(" encoding=\"windows-1252\"")), None, "windows-1252");
    check(&legacy("windows-1252", &utf8), Some("application/rss+xml; Charset=\"cp1252\""), "windows-1252");
    check(&legacy("windows-1252", &document(" encoding='utf-8'")), None, "windows-1252");
    check(
        &legacy("windows-1252", &format!("<!-- {} -->{}", "x".repeat(900), document(" encoding='windows-1252'"))),
        None,
        "windows-1252",
    );
    check(&utf16(&utf8, true), None, "UTF-16LE");
    check(&utf16(&document(" encoding='utf-8'"), false), None, "UTF-16LE");
    check(
        &utf8.chars().flat_map(|character| u32::from(character).to_be_bytes()).collect::<Vec<u8>>(),
        None,
        "UTF-32BE",
    );
}

#[test]
fn utf8_declared_as_another_encoding_is_utf8() {
    let document =
        "<?xml version='1.0' encoding='gb2312'?><rss><channel><title>新华社北京十二月二十日电</title></channel></rss>";
    let feed = read_bytes(document.as_bytes());
    assert_eq!((info(&feed).title.as_deref(), feed.encoding.as_str()), (Some("新华社北京十二月二十日电"), "UTF-8"));
    assert!(has_repair(&feed, "encoding was wrong"));
}

#[test]
fn rss_entry_does_not_inherit_the_editor() {
    let document =
        b"<rss><channel><managingEditor>e@x.example (Ed)</managingEditor><item><title>t</title></item></channel></rss>";
    let feed = read_bytes(document);
    assert_eq!((names(&info(&feed).authors), entries(&feed)[0].authors.len()), (vec!["Ed"], 0));
}

#[test]
fn undecodable_bytes_are_replaced_and_reported() {
    let mut bytes = "<rss><channel><title>Größe, ëtwas länger</title>".as_bytes().to_vec();
    bytes.extend(b"<item><title>bad \xFF byte</title></item></channel></rss>");
    let feed = read_bytes(&bytes);
    assert_eq!(titles(&feed), ["bad \u{fffd} byte"]);
    assert!(has_repair(&feed, "undecodable"));
}

#[test]
fn unreadable_date_is_reported_and_loses_nothing_else() {
    let feed = read_bytes(b"<rss><channel><item><title>t</title><pubDate>next week</pubDate><dc:date>2017-12-20</dc:date></item></channel></rss>");
    assert_eq!(entries(&feed)[0].published.unwrap().rfc3339(), "2017-12-20T00:00:00Z");
    assert!(has_repair(&feed, "next week"));
}

#[test]
fn entries_may_be_anywhere_in_the_document() {
    let feed = read_bytes(b"<rss><item><title>before</title></item><channel><title>t</title></channel><item><title>after</title></item></rss>");
    assert_eq!(titles(&feed), ["before", "after"]);
    let single = read_bytes(b"<entry xmlns='http://www.w3.org/2005/Atom'><id>1</id><title>alone</title></entry>");
    assert_eq!(titles(&single), ["alone"]);
}

#[test]
fn person_is_read_from_one_string() {
    let check = |written: &str, name: Option<&str>, email: Option<&str>| {
        let authors = rss_item(&format!("<author>{written}</author>")).authors;
        assert_eq!((authors[0].name.as_deref(), authors[0].email.as_deref()), (name, email), "{written}");
    };
    check("a@b.example (A. Name)", Some("A. Name"), Some("a@b.example"));
    check("A. Name &lt;a@b.example&gt;", Some("A. Name"), Some("a@b.example"));
    check("foo@example.com（山田太郎）", Some("山田太郎"), Some("foo@example.com"));
    check("mailto:a@b.example", None, Some("a@b.example"));
    check("Just A. Name", Some("Just A. Name"), None);
    check("@handle", Some("@handle"), None);
}

#[test]
fn most_reliable_address_of_the_original_is_used() {
    let original =
        |inside: &str| rss_item(&format!("<link>http://a.example/1</link>{inside}")).original.map(String::from);
    let atom = "xmlns='http://www.w3.org/2005/Atom'";
    assert_eq!(
        original(
            "<feedburner:origLink>http://o.example/1</feedburner:origLink><dc:source>http://s.example/</dc:source>"
        )
        .unwrap(),
        "http://o.example/1"
    );
    assert_eq!(
        original(&format!(
            "<link {atom} rel='via' href='http://v.example/'/><link {atom} rel='canonical' href='http://c.example/'/>"
        ))
        .unwrap(),
        "http://c.example/"
    );
    assert_eq!(original("<dc:source>A newspaper</dc:source>"), None);
    assert_eq!(
        original("<feedburner:origLink>http://a.example/1</feedburner:origLink>"),
        None,
        "the link is not an original of itself"
    );
}

#[test]
fn rss_source_is_the_feed_that_it_names() {
    let source = rss_item("<source url='http://s.example/feed'>A &amp; B</source>").source.unwrap();
    assert_eq!((source.title.as_deref(), source.url), (Some("A & B"), url("http://s.example/feed")));
}

#[test]
fn atom_titles_of_every_type_become_plain_text_without_double_escaping() {
    let check = |element: &str, expected: &str| {
        let document = format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id>{element}</entry></feed>");
        assert_eq!(titles(&read_bytes(document.as_bytes())), [expected], "{element}");
    };
    check("<title>AT&amp;T</title>", "AT&T");
    check("<title type='text'>AT&amp;amp;T</title>", "AT&amp;T");
    check("<title type='text'>&lt;b&gt;</title>", "<b>");
    check("<title type='text'><![CDATA[<b>x</b>]]></title>", "<b>x</b>");
    check("<title type='html'>AT&amp;amp;T</title>", "AT&T");
    check("<title type='html'>AT&amp;T</title>", "AT&T");
    check("<title type='html'>&lt;b&gt;x&lt;/b&gt;</title>", "x");
    check("<title type='html'>&amp;lt;b&gt;</title>", "<b>");
    check("<title type='html'><![CDATA[1 < 2]]></title>", "1 < 2");
    check("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>AT&amp;T</div></title>", "AT&T");
    check("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'><b>x</b></div></title>", "x");
    check("<title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>&lt;b&gt;</div></title>", "<b>");
}

#[test]
fn rss_title_is_html_only_if_it_looks_like_html() {
    let check = |written: &str, expected: &str| {
        assert_eq!(rss_item(&format!("<title>{written}</title>")).title, expected, "{written}")
    };
    check("AT&amp;T", "AT&T");
    check("AT&amp;amp;T", "AT&T");
    check("I &lt;3 &amp; you", "I <3 & you");
    check("Vec&lt;u8&gt; in Rust", "Vec<u8> in Rust");
    check("&lt;b&gt;bold&lt;/b&gt;", "bold");
    check("<b>bold</b> move", "bold move");
    check("It&amp;#8217;s", "It’s");
    check("a\n  b\u{a0}c", "a b c");
    check("safe&lt;script&gt;alert(1)&lt;/script&gt;", "safe");
}

#[test]
fn fields_beyond_the_limit_are_reported_for_entries_and_for_the_feed() {
    let field = "<category>quay</category>".repeat(2_001);
    let (of_feed, of_entry) = (field.as_str(), "");
    for (of_feed, of_entry) in [(of_feed, of_entry), (of_entry, of_feed)] {
        let document = format!(
            "<rss version=\"2.0\"><channel><title>A</title>{of_feed}<item><guid>1</guid>{of_entry}</item></channel></rss>"
        );
        let feed = parse(document.as_bytes(), &Hints::default()).unwrap();
        let kinds: Vec<_> = feed.repairs.iter().map(|repair| repair.kind).collect();
        assert!(kinds.contains(&newswire::feed::RepairKind::TooManyFields), "{kinds:?}");
    }
}
