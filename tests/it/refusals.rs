//! Documents that are not feeds. The message says what the document is instead, and which feeds a page offers.

use newswire::feed::FailureKind;
use newswire::parse::{Hints, ParseError, parse};
use url::Url;

fn refusal(document: &[u8]) -> ParseError {
    let base = Url::parse("https://site.example/blog/").unwrap();
    parse(document, &Hints { content_type: Some("application/rss+xml"), base: Some(&base) }).unwrap_err()
}

#[track_caller]
fn check(document: impl AsRef<[u8]>, expected: &str) {
    assert_eq!(refusal(document.as_ref()).to_string(), expected);
}

#[test]
fn page_or_part_of_a_page_is_refused() {
    for page in [
        "<html><body>hello</body></html>",
        "<!DOCTYPE html>\n<title>Hello</title><p>hello",
        "<!doctype HTML><x-app></x-app>",
        "<head><title>Hello</title></head>",
        "<div class=error>Not found</div>",
        "Not found, <b>sorry</b>",
        "<?xml version=\"1.0\"?><!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Strict//EN\"><html xmlns=\"http://www.w3.org/1999/xhtml\"/>",
    ] {
        check(page, "this is an HTML page, not a feed");
    }
}

#[test]
fn page_says_which_feeds_it_offers() {
    let page = refusal(
        b"<!DOCTYPE html><html><head><title>A blog</title><link rel=alternate type='application/atom+xml' href='feed.atom'>\
          <link rel='stylesheet' href='x.css'></head><body><item>x</item></body></html>",
    );
    assert_eq!(page, ParseError::Page { feeds: vec!["https://site.example/blog/feed.atom".into()] });
    check(
        "<!doctype html><link rel=\"alternate\" type=\"application/rss+xml\" href=\"/rss\"><link rel=alternate type=application/feed+json href=j>",
        "this is an HTML page, not a feed; the page offers https://site.example/rss, https://site.example/blog/j",
    );
}

#[test]
fn other_xml_is_refused_with_the_name_of_its_root_element() {
    check("<?xml version=\"1.0\"?><data/>", "this is not a feed: its first element is <data>");
    check("<Error><Code>AccessDenied</Code></Error>", "this is not a feed: its first element is <error>");
    check("<opml><body/></opml>", "this is not a feed but a list of feeds; use `newswire import` to add them");
    check(
        "<urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\"><url/></urlset>",
        "this is not a feed but a sitemap, which lists pages and not news",
    );
}

#[test]
fn document_without_markup_is_refused() {
    check(" \n", "the document is empty");
    check("just words", "this is not a feed: it is plain text or an unknown format");
    check(b"\x89PNG\r\n\x1a\n\0\0", "this is not a feed: it is plain text or an unknown format");
    check(b"\x02<\xd8(\xd7rqf>\xf1", "this is not a feed: it is binary data");
    // `<?xml?><rss/>` in EBCDIC, which is not supported.
    check(
        b"\x4C\x6F\xA7\x94\x93\x6F\x6E\x4C\x99\xA2\xA2\x61\x6E",
        "this is not a feed: it is plain text or an unknown format",
    );
}

#[test]
fn json_without_items_is_refused_with_the_message_in_it() {
    check("{\"a\": 1}", "this JSON is not a JSON Feed: it has no items");
    check(
        "{\"error\": true, \"message\": \"Rate limit \\u001b[1m exceeded\"}",
        "this JSON is not a JSON Feed: it has no items, but the message \"Rate limit \\u{1b}[1m exceeded\"",
    );
    check("{\"error\": \"not found\"}", "this JSON is not a JSON Feed: it has no items, but the message \"not found\"");
    for shape in ["[1]", "{]", "{\"items\": [{\"id\": "] {
        assert_eq!(refusal(shape.as_bytes()).kind(), FailureKind::Json);
    }
}
