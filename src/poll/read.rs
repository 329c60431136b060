//! Reading a document on the blocking pool: bytes → entries, clean where they are new.

use std::collections::HashSet;

use crate::config::Feed;
use crate::fetch::Document;
use crate::normalize;
use crate::parse::{self, ParsedFeed};
use crate::update::{Cleaned, Outcome, PolledDocument, PolledEntry};

/// Parses and cleans a document; what is known by its raw hash is not cleaned again. `tracking` are the editor's own
/// parameters to take off links.
pub fn read_document(
    feed: &Feed,
    tracking: &[String],
    document: &Document,
    known: &HashSet<(String, u64)>,
    guids_repaired: bool,
) -> Outcome {
    // A path on this machine is no base for anybody's links; the site that the file speaks for is.
    let own = if feed.url.is_file() { feed.site.as_ref() } else { Some(&document.final_url) };
    let base = document.content_location.as_ref().or(own);
    let hints = parse::Hints { content_type: document.content_type.as_deref(), base };
    let mut parsed = match parse::parse(&document.body, &hints) {
        Ok(parsed) => parsed,
        Err(error) => return Outcome::Failed { kind: error.kind(), error: error.to_string() },
    };
    if guids_repaired && !parsed.guids_repaired {
        parse::reidentify(&mut parsed);
    }
    let entries = clean(&parsed, known, tracking);
    let listed: HashSet<_> = known.iter().map(|(guid, _)| guid.as_str()).collect();
    let fresh = entries.iter().filter(|entry| !listed.contains(entry.guid.as_str())).count();
    let has_gap = !listed.is_empty() && fresh > 0 && fresh == entries.len();
    let mut repairs = std::mem::take(&mut parsed.repairs);
    repairs.extend(has_gap.then(|| GAP.to_owned()));
    Outcome::Document(Box::new(PolledDocument {
        validators: (!parsed.truncated).then(|| document.validators.clone()),
        info: normalize::info(&parsed),
        entries,
        fresh,
        has_gap,
        guids_repaired: parsed.guids_repaired,
        hints: parsed.hints,
        repairs,
    }))
}

/// What an editor is told when a feed publishes faster than it is polled.
pub const GAP: &str = "nothing of this document was known before: entries may have been missed";

/// The entries of a document, the first of each guid.
fn clean(parsed: &ParsedFeed, known: &HashSet<(String, u64)>, tracking: &[String]) -> Vec<PolledEntry> {
    let mut seen = HashSet::new();
    let firsts = parsed.entries.iter().filter(|entry| seen.insert(entry.guid.value.as_str()));
    let polled = firsts.map(|entry| {
        let key = (entry.guid.value.clone(), entry.raw_hash);
        let cleaned = (!known.contains(&key)).then(|| {
            let mut entry = normalize::entry(entry, parsed);
            normalize::strip_own_tracking(&mut entry, tracking);
            Box::new(Cleaned::new(entry))
        });
        PolledEntry { guid: key.0, raw_hash: key.1, cleaned }
    });
    polled.collect()
}
