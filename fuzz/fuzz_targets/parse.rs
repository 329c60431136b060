//! Any bytes are read and cleaned, or refused; the result is clean.
#![no_main]

use libfuzzer_sys::fuzz_target;
use newswire::normalize;
use newswire::parse::{Hints, parse};
use url::Url;

fuzz_target!(|bytes: &[u8]| {
    let base = Url::parse("https://example.org/feed").expect("it is a URL");
    let Ok(feed) = parse(bytes, &Hints { content_type: None, base: Some(&base) }) else { return };
    normalize::info(&feed);
    for parsed in &feed.entries {
        let entry = normalize::entry(parsed, &feed);
        assert!(!entry.guid.value.is_empty());
        for html in [&entry.summary_html, &entry.content_html].into_iter().flatten() {
            assert_eq!(&normalize::sanitize(html, None), html);
        }
    }
});
