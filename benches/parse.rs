//! Measures how fast documents are read and cleaned, compared with feedparser: `cargo bench --bench parse`.
//!
//! `-- JSON` measures only the documents with `JSON` in their name. The documents are generated here and have some
//! megabytes each. feedparser runs in `python3` if both are installed (`pip install feedparser`).
#![allow(
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a benchmark prints its figures, and ends where something is wrong"
)]

use std::fmt::Write;
use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use newswire::normalize;
use newswire::parse::{Hints, ParsedFeed, ParsedText, parse};
use url::Url;

const RUNS: usize = 5;
const DOCUMENT_BYTES: usize = 8 << 20;

fn main() {
    println!("MB/s, and how many times feedparser takes; \"bare\" is without sanitizing, on both sides");
    println!(
        "{:20} {:>5} {:>6} {:>6} {:>9} {:>6} {:>16} {:>6} {:>15} {:>6}",
        "document", "MB", "read", "bare", "sanitize", "whole", "feedparser bare", "times", "feedparser all", "times"
    );
    let documents = [
        ("RSS 2.0, full texts", rss(400)),
        ("RSS 2.0, summaries", rss(2)),
        ("Atom 1.0, xhtml", atom()),
        ("JSON Feed 1.1", json()),
    ];
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with('-')).unwrap_or_default();
    for (name, document) in documents.iter().filter(|(name, _)| name.contains(&wanted)) {
        measure(name, document);
    }
}

fn measure(name: &str, document: &str) {
    let base = Url::parse("https://example.org/feed").expect("it is a URL");
    let hints = Hints { content_type: Some("application/xml; charset=utf-8"), base: Some(&base) };
    let feed = parse(document.as_bytes(), &hints).expect("it is a feed");
    let html: Vec<&ParsedText> =
        feed.entries.iter().flat_map(|entry| entry.summary.iter().chain(&entry.content)).collect();
    let read = best(|| drop(black_box(parse(black_box(document.as_bytes()), &hints))));
    let cleaned = best(|| clean(black_box(&feed)));
    let sanitized =
        best(|| html.iter().for_each(|text| drop(black_box(normalize::sanitize(&text.value, Some(&base))))));
    let (bare, whole) = (read + cleaned.saturating_sub(sanitized), read + cleaned);
    let megabytes = document.len() as f64 / 1e6;
    let speed = |time: Duration| megabytes / time.as_secs_f64();
    print!(
        "{name:20} {megabytes:5.1} {:6.0} {:6.0} {:9.0} {:6.0}",
        speed(read),
        speed(bare),
        speed(sanitized),
        speed(whole)
    );
    for (ours, sanitizing, width) in [(bare, false, 16), (whole, true, 15)] {
        match feedparser(document, sanitizing) {
            Ok(time) => print!(" {:width$.1} {:6.0}", speed(time), time.as_secs_f64() / ours.as_secs_f64()),
            Err(why) => print!("  {why}"),
        }
    }
    println!();
}

fn clean(feed: &ParsedFeed) {
    for entry in &feed.entries {
        black_box(normalize::entry(entry, feed));
    }
}

fn best(mut run: impl FnMut()) -> Duration {
    let time = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        run();
        start.elapsed()
    };
    (0..RUNS).map(|_| time(&mut run)).min().unwrap_or_default()
}

/// Returns how long feedparser takes for a document, with or without sanitizing and resolving URLs.
fn feedparser(document: &str, sanitizing: bool) -> Result<Duration, String> {
    const SCRIPT: &str = "import sys, time, feedparser\ndata = open(sys.argv[1], 'rb').read()\nall = sys.argv[2] == 'true'\n\
        start = time.perf_counter()\nfeedparser.parse(data, sanitize_html=all, resolve_relative_uris=all)\nprint(time.perf_counter() - start)";
    let mut file = tempfile::NamedTempFile::new().map_err(|error| error.to_string())?;
    std::io::Write::write_all(&mut file, document.as_bytes()).map_err(|error| error.to_string())?;
    let output = Command::new("python3")
        .arg("-c")
        .arg(SCRIPT)
        .arg(file.path())
        .arg(sanitizing.to_string())
        .output()
        .map_err(|_| "no python3".to_owned())?;
    if !output.status.success() {
        return Err("no feedparser, or it failed".to_owned());
    }
    let seconds =
        String::from_utf8_lossy(&output.stdout).trim().parse().map_err(|_| "feedparser gave no time".to_owned())?;
    Ok(Duration::from_secs_f64(seconds))
}

/// Returns some paragraphs of a blog's HTML.
fn paragraphs(count: usize) -> String {
    let mut html = String::new();
    for n in 0..count {
        writeln!(
            html,
            "<p>It was paragraph {n} of a <a href=\"https://example.org/{n}?utm_source=feed\" class=\"x\">story</a> about caf\u{e9}s &amp; <em>newswires</em>, \
             with an image: <img src=\"/images/{n}.jpg\" width=\"640\" height=\"480\" alt=\"\">, and enough words to be worth the reading of it by somebody.</p>"
        )
        .expect("a String takes all that is written to it");
    }
    html
}

fn rss(paragraphs_each: usize) -> String {
    let mut document = String::from(
        r#"<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>A feed</title><link>https://example.org/</link>"#,
    );
    let content = paragraphs(paragraphs_each);
    let mut n = 0;
    while document.len() < DOCUMENT_BYTES && n < 5_000 {
        writeln!(
            document,
            "<item><title>Story {n} &amp; more</title><link>https://example.org/story/{n}</link><guid isPermaLink=\"false\">https://example.org/?p={n}</guid>\
             <dc:creator><![CDATA[A. Author]]></dc:creator><pubDate>Wed, 20 Dec 2017 06:18:00 +0000</pubDate><category>World</category><category>News</category>\
             <description>&lt;p&gt;A summary of story {n}, &lt;b&gt;not long&lt;/b&gt;.&lt;/p&gt;</description><content:encoded><![CDATA[{content}]]></content:encoded></item>"
        )
        .expect("a String takes all that is written to it");
        n += 1;
    }
    document + "</channel></rss>"
}

fn atom() -> String {
    let content = paragraphs(40).replace("alt=\"\">", "alt=\"\"/>");
    let mut document = String::from(
        r#"<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>A feed</title><id>urn:a</id>"#,
    );
    let mut n = 0;
    while document.len() < DOCUMENT_BYTES {
        writeln!(
            document,
            "<entry><id>tag:example.org,2017:{n}</id><title>Story {n} &amp; more</title><link rel=\"alternate\" href=\"https://example.org/story/{n}\"/>\
             <updated>2017-12-20T06:18:00Z</updated><author><name>A. Author</name></author><category term=\"World\"/>\
             <content type=\"xhtml\"><div xmlns=\"http://www.w3.org/1999/xhtml\">{content}</div></content></entry>"
        )
        .expect("a String takes all that is written to it");
        n += 1;
    }
    document + "</feed>"
}

fn json() -> String {
    let items: Vec<serde_json::Value> = (0..800)
        .map(|n| {
            serde_json::json!({"id": n, "url": format!("https://example.org/story/{n}"), "title": format!("Story {n}"), "content_html": paragraphs(40),
                "date_published": "2017-12-20T06:18:00Z", "authors": [{"name": "A. Author"}], "tags": ["World", "News"]})
        })
        .collect();
    serde_json::json!({"version": "https://jsonfeed.org/version/1.1", "title": "A feed", "items": items}).to_string()
}
