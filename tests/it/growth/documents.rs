//! The cost of whole documents: awkward texts, repeated many times, in every place where a publisher can write.

use std::fmt::Write;

use newswire::parse::{Hints, ParseError, parse};
use proptest::prelude::*;

use super::{MOST_GROWTH, check_growth, on_worker, read_and_clean};

const BYTES: usize = 48 << 10;

/// Texts that begin or end a construct of XML, HTML or JSON, look as if they did, or are awkward in another way.
#[rustfmt::skip]
const UNITS: [&str; 74] = [
    "<", ">", "<!", "<!--", "<!-->", "-->", "<![CDATA[", "<![CDATA[]]>", "<![CDATA[<![CDATA[]]>", "]]>", "<!D", "<!D[>", "<!D'>",
    "<!DOCTYPE [", "<!ENTITY", "<!D[<!ENTITY a 'b'>]>", "<?", "<?x", "?>", "</", "</a>", "</title>", "<a", "<a ", "<a>", "<a/>", "<a b=",
    "<a b=\"", "<a b='", "<a b='>", "<a b=c/", "/", "=", "\"", "'", " b=c", "&", "&#", "&#x", "&amp;", "&amp;amp;", "amp;", "&a;", "&#0;",
    "\0", "\u{feff}", " ", "\n", "é", "日", "\u{fffd}", "<b>", "<b><i>", "<p>", "<table>", "<table><tr><td>", "<li>", "<a href=x>",
    "<img src=x>", "<pre>\n", "<script>", "<svg>", "<x:y xmlns:x='u'>", "<title>", "<item>", "<category>c</category>", "<media:group>",
    "1 ", "a ", "@", "\\", "{", "[", "href=\"a\" ",
];

/// A function that puts a text into one place of a document.
type Place = fn(&str) -> String;

const PLACES: [(&str, Place); 9] = [
    ("before the feed", |text| format!("{text}{}", item(""))),
    ("among the fields", item),
    ("a title", |text| item(&format!("<title>{text}</title>"))),
    ("an unclosed title", |text| format!("<rss><channel><item><title>{text}")),
    ("an escaped title", |text| item(&format!("<title>{}</title>", escaped(text)))),
    ("a description in a section", |text| item(&format!("<description><![CDATA[{text}]]></description>"))),
    ("content:encoded", |text| item(&format!("<content:encoded>{text}</content:encoded>"))),
    ("XHTML", |text| {
        let content = format!("<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>{text}</div></content>");
        format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry>{content}</entry></feed>")
    }),
    ("JSON", |text| {
        let text = serde_json::to_string(text).unwrap();
        format!(
            r#"{{"version":"https://jsonfeed.org/version/1.1","items":[{{"title":{text},"content_html":{text}}}]}}"#
        )
    }),
];

fn item(inside: &str) -> String {
    format!(
        "<rss version='2.0'><channel><title>t</title><item><link>http://example.org/1</link>{inside}</item></channel></rss>"
    )
}

fn items(head: &str, inside: &str, count: usize) -> String {
    let items = format!("<item>{inside}</item>").repeat(count);
    format!("<rss version='2.0'><channel>{head}{items}</channel></rss>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[track_caller]
fn check_document(name: &str, size: usize, document: impl Fn(usize) -> String) {
    let make = |size| document(size).into_bytes();
    check_growth(name, size, make, |document| drop(read_and_clean(document)));
}

#[track_caller]
fn check_unit(unit: &str, (place, document): (&str, Place)) {
    check_document(&format!("{unit:?} in {place}"), BYTES, |bytes| document(&unit.repeat(bytes / unit.len())));
}

#[test]
fn documents_of_one_repeated_awkward_text_take_linear_time() {
    on_worker(|| {
        for unit in UNITS {
            PLACES.into_iter().for_each(|place| check_unit(unit, place));
        }
    });
}

proptest! {
        // The seed is fixed, so that every run measures the same cases.
    #![proptest_config(ProptestConfig {
        cases: 60, failure_persistence: None, rng_seed: prop::test_runner::RngSeed::Fixed(1), ..ProptestConfig::default()
    })]

    #[test]
    fn documents_of_several_repeated_awkward_texts_take_linear_time(
        units in prop::collection::vec(prop::sample::select(&UNITS), 2..5), place in 0..PLACES.len()
    ) {
                // Even the shorter document is longer than a declaration may be (64 KiB). So an unclosed unit costs a
                // full search at both lengths.
        let (unit, (name, document)) = (units.concat(), PLACES[place]);
        let name = format!("{unit:?} in {name}");
        on_worker(move || check_document(&name, 2 * BYTES, |bytes| document(&unit.repeat(bytes / unit.len()))));
    }
}

#[test]
fn documents_with_incomplete_characters_take_linear_time() {
    let starts: [&[u8]; 5] = [b"\xFF\xFE", b"\xFE\xFF", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF", b"\xEF\xBB\xBF"];
    let units: [&[u8]; 6] = [b"\xD8\x00", b"\x00\xD8", b"<\0", b"\0<\xDC", b"\xE4\xB8", b"\xED\xA0\x80"];
    for (start, unit) in starts.iter().flat_map(|start| units.iter().map(move |unit| (start, unit))) {
        let make = |bytes: usize| [start.to_vec(), unit.repeat(bytes / unit.len()), vec![0xC3]].concat();
        check_growth(&format!("{unit:x?} behind {start:x?}"), BYTES, make, |document| drop(read_and_clean(document)));
    }
}

#[test]
fn many_parts_take_linear_time() {
    let each = |count: usize, part: fn(usize) -> String| (0..count).map(part).collect::<String>();
    check_document("attributes", 6_000, |n| item(&format!("<enclosure{}/>", each(n, |n| format!(" a{n}='v'")))));
    check_document("namespaces", 4_000, |n| item(&format!("<a{}/>", each(n, |n| format!(" xmlns:n{n}='urn:{n}'")))));
    check_document("namespaces in force", 6_000, |n| {
        let tags = (0..4).map(|t| format!("<a{t}{}>", each(64, |n| format!(" xmlns:n{n}='u'")))).collect::<String>();
        item(&(tags + &"<n1:b/>".repeat(n)))
    });
    check_document("nested bases", 2_000, |n| item(&format!("<description>{}", "<b xml:base='a/'>".repeat(n))));
    check_document("siblings of one name", 6_000, |n| {
        item(&format!("<source>{}</source>", "<author>a</author>".repeat(n)))
    });
    check_document("enclosures", 2_000, |n| {
        items("", &each(500, |n| format!("<enclosure url='http://a.example/{n}'/>")).repeat(2), n / 200)
    });
    check_document("persons", 500, |n| items("", &each(n / 10, |n| format!("<dc:creator>p{n}</dc:creator>")), 10));
    check_document("JSON that nests", 50_000, |n| {
        format!(r#"{{"version":"https://jsonfeed.org/version/1.1","items":{}"#, "[{\"a\":".repeat(n))
    });
    check_document("links to the source", 4_000, |n| {
        let links = each(n, |n| format!("<a href='https://origin.example/{n}'>x</a>"));
        item(&format!(
            "<source url='https://origin.example/feed'>o</source><description><![CDATA[{links}]]></description>"
        ))
    });
}

/// A value that the feed states once and every entry inherits must not cost as much as if every entry stated it.
#[test]
fn inherited_values_cost_little() {
    let entry = "<title>t</title>";
    let persons = |count: usize| {
        (0..count).map(|n| format!("<podcast:person>{n} {}</podcast:person>", "name ".repeat(100))).collect::<String>()
    };
    let cases = [
        ("rights", format!("<copyright>{}</copyright>", "&lt;b&gt;words ".repeat(8_000))),
        ("persons", persons(250)),
        ("language", format!("<language>{}</language>", "en-".repeat(40_000))),
    ];
    for (name, head) in cases {
        // The inherited values and the entries are doubled together, which doubles the document.
        check_document(name, 500, |count| items(&head.repeat(count / 500), entry, 2 * count));
        let (plain, heavy) = (items("", entry, 1_000).into_bytes(), items(&head, entry, 1_000).into_bytes());
        let time =
            |document: &Vec<u8>| (0..3).map(|_| super::time(document, |d| drop(read_and_clean(d)))).min().unwrap();
        let (plain, heavy) = (time(&plain), time(&heavy));
        assert!(heavy < plain * 30, "{name}: {heavy:?} instead of {plain:?}");
    }
}

/// A long base address (`xml:base`) would be written in full for each short relative link, and so fill the memory.
#[test]
fn document_whose_base_multiplies_its_length_is_refused() {
    let document = |base: usize| {
        let base = format!("http://a.example/{}/", "b".repeat(base));
        let links = items("", &"<link>c</link>".repeat(1_000), 20);
        links.replace("<rss ", &format!("<rss xml:base='{base}' "))
    };
    let read = |document: String| parse(document.as_bytes(), &Hints::default()).map(|feed| feed.entries.len());
    assert_eq!(read(document(20)), Ok(20));
    assert_eq!(read(document(400)), Err(ParseError::TooMuchWork));
    // A base as long as this one is ignored.
    assert_eq!(read(document(60_000)), Ok(20));
}

#[test]
fn relative_links_lengthen_a_text_only_up_to_a_limit() {
    let base = url::Url::parse(&format!("https://a.example/{}/", "b".repeat(4_000))).unwrap();
    let links = |count: usize| newswire::normalize::sanitize(&"<a href=x>c</a>".repeat(count), Some(&base));
    assert!(links(1).contains("/bbb"));
    assert!(links(10_000).len() < 15 * 10_000 * 8);
    assert_eq!(links(10_000).matches("<a").count(), 10_000);
}

/// Tests that the measurement detects quadratic work.
#[test]
#[should_panic(expected = "at twice as much")]
fn measurement_detects_quadratic_work() {
    let make = |bytes: usize| "a".repeat(bytes);
    check_growth("quadratic", 1 << 16, make, |text| {
        let searches = (0..text.len() / 4).filter(|&at| text[at..].find('b').is_some());
        assert!((searches.count() as f64) < MOST_GROWTH);
    });
}

#[test]
fn category_names_that_are_escaped_many_times_become_plain_in_linear_time() {
    let mut names = String::new();
    for escape in ["amp;", "#38;", "AMP;"] {
        write!(names, "<category>&{}lt;b&gt;x</category>", escape.repeat(200)).unwrap();
    }
    write!(names, "<category>{}{}</category>", "&lt;".repeat(200), "b&gt;".repeat(200)).unwrap();
    let document = item(&names);
    let feed = parse(document.as_bytes(), &Hints::default()).unwrap();
    let categories = newswire::normalize::entry(&feed.entries[0], &feed).categories;
    assert!(!categories.is_empty());
    assert!(categories.iter().all(|category| !category.term.contains(['&', '<', '>'])), "{categories:?}");
    check_document("names", 200, |n| items("", &names, n));
}
