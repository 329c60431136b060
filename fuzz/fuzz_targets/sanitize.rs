//! Any HTML is sanitized; doing it again changes nothing, and its text can be extracted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use newswire::normalize::{cut_summary, plain_text, sanitize, word_count};
use url::Url;

fuzz_target!(|html: &str| {
    let base = Url::parse("https://example.org/feed").expect("it is a URL");
    let clean = sanitize(html, Some(&base));
    assert_eq!(sanitize(&clean, None), clean);
    let text = plain_text(&clean);
    assert!(word_count(&text) <= text.chars().count());
    assert!(cut_summary(&clean, 80).chars().count() <= 80);
});
