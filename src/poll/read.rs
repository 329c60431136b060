//! Reads a document on the blocking pool: turns its bytes into entries, and cleans the entries that are new or changed.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::config::{Feed, Secrets};
use crate::entry::SharedKeys;
use crate::feed::{Repair, RepairKind};
use crate::fetch::FetchedDocument;
use crate::newsroom::{Cleaned, Outcome, PolledDocument, PolledEntry};
use crate::normalize;
use crate::parse::{self, ParseError, ParsedFeed};
use crate::store;

/// If a document is larger, its entries are packed, that is, memory that they can do without is freed. Otherwise such
/// entries would take more memory than those of all other documents.
pub(super) const LARGE_BYTES: usize = 512 * 1024;

/// Parses and cleans a document. An entry is not cleaned again if its guid and its raw hash, that of the entry as
/// received, are known. `tracking` names the additional parameters that the config removes from links. `shared` says
/// which kinds of keys the feed's entries had in common in earlier documents.
pub(super) fn read_document(
    feed: &Feed,
    tracking: &[String],
    document: FetchedDocument,
    known: &HashSet<(String, u64)>,
    shared: SharedKeys,
) -> Outcome {
    let secrets = Secrets::of(feed).with_hops(document.hops.iter().chain(&document.content_location));
    // A path on this machine cannot be the base of links. For a file, the base is the feed's `site`.
    let address = document.content_location.as_ref().unwrap_or(&document.final_url);
    let base = if feed.url.is_file() { feed.site.clone() } else { Some(secrets.base(address)) };
    let hints = parse::Hints { content_type: document.content_type.as_deref(), base: base.as_ref() };
    let mut parsed = match parse::parse(&document.body, &hints) {
        Ok(parsed) => parsed,
        Err(error) => return Outcome::Failed(without_secrets(error, &secrets).into()),
    };
    let is_large = document.body.len() > LARGE_BYTES;
    // Other bodies wait for this memory.
    drop(document.body);
    if parsed.guids_repaired.with(shared) != parsed.guids_repaired {
        parse::reidentify(&mut parsed, shared);
    }
    scrub_guids(&mut parsed, &secrets);
    let known = &scrubbed(known, &secrets);
    let entries = clean(&mut parsed, known, tracking, &secrets, is_large);
    let listed: HashSet<_> = known.iter().map(|(guid, _)| guid.as_str()).collect();
    let is_listed = |entry: &&PolledEntry| {
        let mut guids = std::iter::once(&entry.guid).chain(&entry.other_guids.plainer);
        guids.any(|guid| listed.contains(guid.as_str()))
    };
    let fresh = entries.len() - entries.iter().filter(is_listed).count();
    let has_gap = !listed.is_empty() && fresh > 0 && fresh == entries.len();
    let mut repairs = std::mem::take(&mut parsed.repairs);
    for example in repairs.iter_mut().filter_map(|repair| repair.example.as_mut()) {
        if let Cow::Owned(scrubbed) = secrets.scrub(example) {
            *example = scrubbed;
        }
    }
    repairs.extend(has_gap.then(|| Repair::once(RepairKind::Gap)));
    Outcome::Document(Box::new(PolledDocument {
        validators: (!parsed.truncated).then_some(document.validators),
        info: secrets.scrubbed(normalize::info(&parsed)).unwrap_or_default(),
        entries,
        fresh,
        has_gap,
        guids_repaired: parsed.guids_repaired,
        hints: parsed.hints,
        repairs,
    }))
}

/// Removes the secrets of a feed from the guids of its document.
pub fn scrub_guids(parsed: &mut ParsedFeed, secrets: &Secrets) {
    for entry in &mut parsed.entries {
        let others = &mut entry.other_guids;
        for guid in [&mut entry.guid.value].into_iter().chain(&mut others.plainer).chain(&mut others.specific) {
            if let Cow::Owned(scrubbed) = secrets.scrub(guid) {
                *guid = scrubbed;
            }
        }
    }
}

/// Removes the secrets of a feed from the reason why its document is not a feed.
pub fn without_secrets(error: ParseError, secrets: &Secrets) -> ParseError {
    let scrub = |text: &str| secrets.scrub(text).into_owned();
    match error {
        ParseError::Page { feeds } => ParseError::Page { feeds: feeds.iter().map(|feed| scrub(feed)).collect() },
        ParseError::NotAFeed { found } => ParseError::NotAFeed { found: scrub(&found) },
        ParseError::Json(why) => ParseError::Json(scrub(&why)),
        ParseError::NoItems { says } => ParseError::NoItems { says: says.as_deref().map(scrub) },
        ParseError::Reader(why) => ParseError::Reader(scrub(&why)),
        ParseError::Empty | ParseError::ReaderPanic | ParseError::TooMuchWork => error,
    }
}

/// Returns the known guids and hashes, with the feed's secrets removed from the guids.
fn scrubbed<'k>(known: &'k HashSet<(String, u64)>, secrets: &Secrets) -> Cow<'k, HashSet<(String, u64)>> {
    if secrets.is_empty() {
        return Cow::Borrowed(known);
    }
    Cow::Owned(known.iter().map(|(guid, hash)| (secrets.scrub(guid).into_owned(), *hash)).collect())
}

/// Takes the entries out of a document, cleans those that are not `known`, and returns all of them. If several have the
/// same guid, returns only the first. Packs the entries of a large document.
fn clean(
    parsed: &mut ParsedFeed,
    known: &HashSet<(String, u64)>,
    tracking: &[String],
    secrets: &Secrets,
    is_large: bool,
) -> Vec<PolledEntry> {
    let mut seen = HashSet::new();
    // Each entry is freed before the next one is cleaned.
    let entries = std::mem::take(&mut parsed.entries).into_iter();
    let firsts = entries.filter(|entry| seen.insert(entry.guid.value.clone()));
    let polled = firsts.filter_map(|mut entry| {
        let other_guids = std::mem::take(&mut entry.other_guids);
        let key = (entry.guid.value.clone(), entry.raw_hash);
        let cleaned = if known.contains(&key) {
            None
        } else {
            let mut entry = normalize::entry(&entry, parsed);
            normalize::strip_own_tracking(&mut entry, tracking);
            let mut cleaned = Box::new(Cleaned::new(secrets.scrubbed(entry)?, store::encode_entry));
            if is_large {
                cleaned.pack();
            }
            Some(cleaned)
        };
        Some(PolledEntry { guid: key.0, other_guids, raw_hash: key.1, cleaned })
    });
    polled.collect()
}
