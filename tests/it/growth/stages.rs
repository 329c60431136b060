//! The cost of each stage after parsing: cleaning texts, fingerprints, comparing titles and texts, keys of links, and
//! importing lists of feeds.

use std::path::PathBuf;

use newswire::config::import::{self, Imported};
use newswire::config::{self, Config, SourceFile};
use newswire::entry::Entry;
use newswire::link;
use newswire::newsroom;
use newswire::normalize;
use newswire::story::Wording;
use newswire::text::PlainText;
use url::Url;

use super::check_growth;

const BYTES: usize = 32 << 10;

#[rustfmt::skip]
const UNITS: [&str; 34] = [
    "a ", "a", "a b ", "A ", "1 ", "1", "1.", "1, ", "日", "二", "é", "- ", " | ", "|", ": ", "[", "(", "“", "\n", "\u{ad}", "k views ", "1 view ",
    "views: 1", "advertisement\n", "href=\"a\" ", "src=\"a\" ", "<a ", "&amp;", "<b>a</b>", "<p>", "<pre>\n", "!--", "\u{a0}", ".",
];

fn entry(title: &str, content: &str) -> Entry {
    let guid = serde_json::json!({ "value": "1", "kind": "guid" });
    let link = "https://a.example/1";
    serde_json::from_value(serde_json::json!({ "guid": guid, "title": title, "link": link, "content_html": content }))
        .unwrap()
}

fn wording(title: &str, content: &str) -> Wording {
    Wording::of(title, &PlainText::of(&entry(title, content)))
}

fn repeated(unit: &str, bytes: usize) -> String {
    unit.repeat(bytes / unit.len())
}

#[test]
fn texts_are_cleaned_counted_and_cut_in_linear_time() {
    for unit in UNITS {
        let make = |bytes| repeated(unit, bytes);
        check_growth(&format!("sanitizing {unit:?}"), BYTES, make, |html| drop(normalize::sanitize(html, None)));
        check_growth(&format!("text of {unit:?}"), BYTES, make, |html| drop(normalize::plain_text(html)));
        check_growth(&format!("summary of {unit:?}"), BYTES, make, |html| drop(normalize::cut_summary(html, 300)));
    }
}

#[test]
fn fingerprint_of_a_text_is_made_in_linear_time() {
    for unit in UNITS {
        check_growth(
            &format!("fingerprint of {unit:?}"),
            BYTES,
            |bytes| entry("t", &repeated(unit, bytes)),
            |entry| {
                newsroom::fingerprint(entry, &PlainText::of(entry));
            },
        );
    }
}

#[test]
fn titles_and_texts_of_any_words_are_compared_in_linear_time() {
    for unit in UNITS {
        // The title can be cut into parts in many ways, and the text almost contains each part at every position.
        let title = |bytes: usize| format!("a - b | {} c :: d", repeated(unit, bytes.min(900)));
        check_growth(
            &format!("wording of {unit:?}"),
            BYTES / 2,
            |bytes| (title(bytes), repeated(unit, bytes)),
            |(title, text)| drop(wording(title, text)),
        );
    }
    let numbers = |from: usize, count: usize| (from..from + count).map(|n| format!("{n} ")).collect::<String>();
    let text = |own: String| format!("one and the same beginning {own} one and the same end");
    let title = "One title that tells all that is told below it";
    check_growth(
        "likeness of texts that part in all their numbers",
        2_000,
        |count| (wording(title, &text(numbers(1, count))), wording(title, &text(numbers(50_000, count)))),
        |(one, other)| drop((0..3).map(|_| one.same_text(other, 0.6)).collect::<Vec<_>>()),
    );
    let words = |first: char, count: usize| (0..count).map(|n| format!("{first}{n}x ")).collect::<String>();
    check_growth(
        "likeness of titles of other words",
        40,
        |count| (wording(&words('a', count), "x"), wording(&words('b', count), "x")),
        |(one, other)| drop((0..20).map(|_| one.contradicts(other)).collect::<Vec<_>>()),
    );
}

#[test]
fn phrase_of_a_title_is_removed_from_a_text_in_linear_time() {
    for (title, text) in
        [("a a a", "a "), ("a a a a a a a a a a a a a b", "a "), ("the quay now", "the quay now and the quay ")]
    {
        check_growth(
            &format!("{title} in {text}"),
            BYTES / 2,
            |bytes| repeated(text, bytes),
            |text| drop(wording(title, text)),
        );
    }
}

#[test]
fn keys_of_links_are_made_in_linear_time() {
    for unit in
        ["a", "/", "//", "%", "%41", "a&", "utm_a=1&", "a=1&", "/../", ".", "amp/", "é", "#", ";jsessionid=", "http://"]
    {
        for start in
            ["https://a.example/", "https://a.example/?", "https://www.google.com/url?url=", "https://a.example/#"]
        {
            let make = |bytes: usize| format!("{start}{}", repeated(unit, bytes));
            check_growth(&format!("{unit:?} behind {start}"), BYTES / 2, make, |url| {
                drop(Url::parse(url).ok().as_ref().and_then(link::key));
                drop(normalize::clean_url(url, None));
            });
        }
    }
}

fn config(text: &str) -> Config {
    let file = SourceFile { path: PathBuf::from("/srv/wire/newswire.toml"), text: text.to_owned() };
    config::check(&[file], &|_| Err(String::new())).0.unwrap()
}

#[track_caller]
fn check_list(name: &str, size: usize, list: impl Fn(usize) -> String) {
    let config = config("");
    check_growth(name, size, list, |list| {
        let imported = import::read(list)
            .unwrap_or_else(|error| Imported { format: error.to_string().leak(), ..Imported::default() });
        import::plan(imported, &config, None);
    });
}

#[test]
fn lists_of_feeds_are_imported_in_linear_time() {
    let each = |count: usize, part: fn(usize) -> String| (0..count).map(part).collect::<String>();
    let opml = |inside: String| format!("<opml version='2.0'><body>{inside}</body></opml>");
    check_list("folders of one slug", 1_000, |n| {
        opml(each(n, |n| {
            format!("<outline text='{}'><outline xmlUrl='http://a.example/{n}'/></outline>", "日".repeat(n % 900 + 1))
        }))
    });
    check_list("folders of one name", 1_000, |n| {
        opml(each(n, |n| {
            format!("<outline text='a' newswire:id='!{n}'><outline xmlUrl='http://a.example/{n}'/></outline>")
        }))
    });
    check_list("categories of one feed", 4_000, |n| {
        opml(format!("<outline xmlUrl='http://a.example/' category='{}'/>", each(n, |n| format!("c{n},"))))
    });
    check_list("one feed in many folders", 1_000, |n| {
        opml(each(n, |n| {
            format!("<outline text='f{n}'><outline xmlUrl='http://a.example/' category='c{n}'/></outline>")
        }))
    });
    check_list("tags of a line", 4_000, |n| format!("http://a.example/ {}\n", each(n, |n| format!("t{n} "))));
    check_list("words of a call", 8_000, |n| format!("feeds() {{\n feed {}\n}}", "a ".repeat(n)));
    check_list("sections of a planet", 1_000, |n| {
        format!("[Planet]\nname = a\n{}", each(n, |n| format!("[http://a.example/{n}]\nname = b\n")))
    });
    check_list("lines of a value", 4_000, |n| format!("[Planet]\nname = a\n{}", " b\n".repeat(n)));
    for unit in [
        "<!D[>",
        "<![CDATA[",
        "<!--",
        "<?",
        "<outline a='",
        "<outline ",
        "&",
        "<outline text='&amp;amp;'>",
        "</outline>",
    ] {
        check_list(unit, 32 << 10, |bytes| opml(repeated(unit, bytes)));
    }
}
