//! Damaged documents: fixtures with random damage are read and cleaned, or refused, without a panic.

use newswire::normalize;
use newswire::parse::{Hints, parse};
use proptest::prelude::*;
use url::Url;

/// The number of cases if `NEWSWIRE_FUZZ_CASES` is not set.
const CASES: u32 = 25_000;

fn cases() -> u32 {
    std::env::var("NEWSWIRE_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES)
}

fn fixtures() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        std::fs::read_dir("tests/fixtures/parse").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

/// A kind of damage. Its first number is the place, as a share of the document's length.
#[derive(Clone, Debug)]
enum Damage {
    Cut(f64),
    Delete(f64, usize),
    Insert(f64, Vec<u8>),
    Flip(f64, u8),
    Repeat(f64, usize, usize),
}

fn damage() -> impl Strategy<Value = Damage> {
    let tokens: Vec<&[u8]> = vec![
        b"<",
        b">",
        b"&",
        b"\"",
        b"'",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"<?xml encoding='utf-16'?>",
        b"<!DOCTYPE x [",
        b"</item>",
        b"<item>",
        b"</channel>",
        b"<entry>",
        b"<title>",
        b"</title>",
        b"<source>",
        b"<media:group>",
        b" type='xhtml'",
        b" xml:base='//x'",
        b" xmlns=''",
        b"&#0;",
        b"&#x80;",
        b"\0",
        b"\xFF\xFE",
        b"\xEF\xBB\xBF",
        b"\xC3",
        "é（日".as_bytes(),
        b"{",
        b"}",
        b"[",
        b"null",
        b"/>",
        b"=",
    ];
    let token = prop::sample::select(tokens).prop_map(<[u8]>::to_vec);
    let place = 0.0..1.0f64;
    prop_oneof![
        place.clone().prop_map(Damage::Cut),
        (place.clone(), 1usize..60).prop_map(|(place, length)| Damage::Delete(place, length)),
        (place.clone(), prop_oneof![token, prop::collection::vec(any::<u8>(), 1..6)])
            .prop_map(|(place, bytes)| Damage::Insert(place, bytes)),
        (place.clone(), any::<u8>()).prop_map(|(place, byte)| Damage::Flip(place, byte)),
        (place, 1usize..80, 2usize..6).prop_map(|(place, length, times)| Damage::Repeat(place, length, times)),
    ]
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a small document"
)]
fn at(document: &[u8], place: f64) -> usize {
    (document.len() as f64 * place) as usize
}

fn apply(document: &mut Vec<u8>, damage: &Damage) {
    match damage {
        Damage::Cut(place) => document.truncate(at(document, *place)),
        Damage::Delete(place, length) => {
            let start = at(document, *place);
            let end = (start + length).min(document.len());
            document.drain(start..end);
        }
        Damage::Insert(place, bytes) => {
            let start = at(document, *place);
            document.splice(start..start, bytes.iter().copied());
        }
        Damage::Flip(place, byte) => {
            let start = at(document, *place);
            if let Some(flipped) = document.get_mut(start) {
                *flipped ^= byte;
            }
        }
        Damage::Repeat(place, length, times) => {
            let start = at(document, *place);
            let end = (start + length).min(document.len());
            let repeated = document[start..end].repeat(*times);
            document.splice(start..start, repeated);
        }
    }
}

/// Reads and cleans a document. Asserts that its entries are clean if it is not refused.
fn read_and_clean(document: &[u8]) -> Result<(), TestCaseError> {
    let base = Url::parse("https://example.org/feed").unwrap();
    let Ok(feed) = parse(document, &Hints { content_type: None, base: Some(&base) }) else { return Ok(()) };
    normalize::info(&feed);
    for parsed in &feed.entries {
        let entry = normalize::entry(parsed, &feed);
        prop_assert!(!entry.guid.value.is_empty());
        prop_assert!(!entry.title.contains(['\n', '\0']));
        for html in [&entry.summary_html, &entry.content_html].into_iter().flatten() {
            prop_assert_eq!(&normalize::sanitize(html, None), html);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_document_is_read_or_refused(document in prop::sample::select(fixtures()), damages in prop::collection::vec(damage(), 1..5)) {
        let mut document = document;
        damages.iter().for_each(|damage| apply(&mut document, damage));
        read_and_clean(&document)?;
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200), head in prop::sample::select(vec!["", "<rss><channel><item>", "<feed><entry>", "{\"items\":["])) {
        read_and_clean(&[head.as_bytes(), &bytes].concat())?;
    }
}
