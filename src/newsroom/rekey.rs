//! Finds known entries that a document has under new guids. When a feed changes its ids, its software or its domain,
//! its entries get new guids, but they are not new entries.
//!
//! An entry with a new guid is matched to a stored entry of the same feed that the document does not list. They are
//! matched by a *sign*: a value that an entry may keep, such as its link or its guid without the version. The most
//! certain sign comes first, and it must fit exactly one entry on each side. An entry with a new guid and a known link
//! is the same entry only if the words are almost the same.

use std::collections::{HashMap, HashSet};

use url::Url;

use super::versions::{self, Versions, keeps_date};
use super::{Cleaned, FormerEntry, Known, PolledEntry};
use crate::entry::GuidKind;
use crate::link;
use crate::number::EntryNumber;
use crate::story::Wording;
use crate::time::Timestamp;

/// The most prefixes of a guid that are compared. One of them is the plain guid, before newswire extended it. The limit
/// is higher than the number of spaces in the guids of publishers.
const MAX_BEGINNINGS: usize = 16;

/// The length in bytes up to which a word may be a placeholder for a missing guid, such as `undefined`. Longer words
/// are guids.
const LONGEST_PLACEHOLDER: usize = 9;

/// The fewest new guids that can mean that a feed changed all its guids.
const FLOOD: usize = 3;

/// Returns whether so many of a document's guids are unknown that its feed seems to have changed all its guids.
pub fn is_flood(unknown: usize, listed: usize) -> bool {
    unknown >= FLOOD && unknown * 2 >= listed
}

/// Returns, for each new guid, the known entry that it belongs to. Leaves out a guid if there is no such entry. Skips
/// guids that [`Versions`] has decided.
pub(super) fn matched<'k>(
    entries: &[PolledEntry],
    known: &'k Known,
    versions: &Versions,
) -> HashMap<String, &'k FormerEntry> {
    let is_open = |guid: &str| {
        !known.entries.contains_key(guid) && !versions.is_earlier(guid) && !versions.known.contains_key(guid)
    };
    let unknown: Vec<_> = entries.iter().filter(|entry| is_open(&entry.guid)).collect();
    let here: HashSet<EntryNumber> = known.entries.values().map(|entry| entry.number).collect();
    let former = known.former.iter().filter(|former| !here.contains(&former.number)).collect();
    let mut matching = Matching { free: unknown, former, matched: HashMap::new() };
    if matching.free.is_empty() || matching.former.is_empty() {
        return HashMap::new();
    }
    let is_flood = is_flood(matching.free.len(), entries.len());
    matching.pass(|new| page_of(&new.cleaned.entry.guid.value), |former| page_of(&former.guid), keeps_title);
    matching.pass(
        |new| versions::signs(&new.cleaned.entry.guid.value, links(new)),
        |former| versions::signs(&former.guid, former.specific_keys.clone()),
        |new, former| versions::is_version(new.cleaned, former),
    );
    matching.pass(links, |former| former.link_keys.clone(), keeps_words);
    matching.pass(links, |former| former.specific_keys.clone(), keeps_date_and_words);
    if is_flood {
        matching.pass(|new| paths(&links(new)), |former| paths(&former.link_keys), keeps_title);
    }
    matching.pass(dated_title, former_dated_title, |new, former| {
        keeps_words(new, former) || has_link_of(new, former) || has_own_guid_of(new, former)
    });
    matching.pass(dated_text, former_dated_text, is_retitled);
    matching.pass(new_title, former_title, |new, former| {
        keeps_words(new, former) && (is_flood || has_link_of(new, former) && has_own_guid_of(new, former))
    });
    matching.pass(titled_text, former_titled_text, keeps_one_place);
    matching.pass(|new| new.polled.other_guids.plainer.clone(), plainer_guids, keeps_some);
    matching.matched
}

/// An entry of the document whose guid is unknown.
#[derive(Clone, Copy)]
struct New<'e> {
    polled: &'e PolledEntry,
    cleaned: &'e Cleaned,
}

struct Matching<'e, 'k> {
    free: Vec<&'e PolledEntry>,
    former: Vec<&'k FormerEntry>,
    matched: HashMap<String, &'k FormerEntry>,
}

impl<'e, 'k> Matching<'e, 'k> {
    /// Matches entries that are not matched yet if a sign occurs once on each side and `keeps` returns `true`.
    fn pass(
        &mut self,
        signs: impl Fn(New) -> Vec<String>,
        former_signs: impl Fn(&FormerEntry) -> Vec<String>,
        keeps: impl Fn(New, &FormerEntry) -> bool,
    ) {
        if self.free.is_empty() {
            return;
        }
        let formers = once(self.former.iter().map(|former| former_signs(former)));
        let new = |polled: &'e PolledEntry| polled.cleaned.as_deref().map(|cleaned| New { polled, cleaned });
        let frees = once(self.free.iter().map(|entry| new(entry).map_or(Vec::new(), &signs)));
        let mut taken = HashSet::new();
        let mut frees: Vec<_> = frees.into_iter().collect();
        frees.sort_unstable_by(|(sign, at), (other_sign, other)| at.cmp(other).then(sign.cmp(other_sign)));
        for (sign, at) in frees {
            let Some(&former) = formers.get(&sign) else { continue };
            let (entry, former) = (self.free[at], self.former[former]);
            let keeps = new(entry).is_some_and(|new| keeps(new, former));
            if keeps && !self.matched.contains_key(&entry.guid) && taken.insert(former.number) {
                self.matched.insert(entry.guid.clone(), former);
            }
        }
        self.free.retain(|entry| !self.matched.contains_key(&entry.guid));
        self.former.retain(|former| !taken.contains(&former.number));
    }
}

/// Returns the signs that only one entry has, each with the index of the entry.
fn once(signs: impl Iterator<Item = Vec<String>>) -> HashMap<String, usize> {
    let mut places = HashMap::<String, Option<usize>>::new();
    for (at, signs) in signs.enumerate() {
        for sign in signs {
            places.entry(sign).and_modify(|place| *place = None).or_insert(Some(at));
        }
    }
    places.into_iter().filter_map(|(sign, place)| Some((sign, place?))).collect()
}

/// Returns the normalised address if the guid is an address. Keeps the fragment, which may lead to a reply on the page.
fn page_of(guid: &str) -> Vec<String> {
    let url = Url::parse(guid).ok();
    let key = url.as_ref().and_then(link::key);
    let fragment = url.as_ref().and_then(Url::fragment).unwrap_or_default();
    key.map(|key| format!("{key}#{fragment}")).into_iter().collect()
}

fn links(new: New) -> Vec<String> {
    new.cleaned.link_keys.iter().map(|key| key.key.clone()).collect()
}

/// Returns the parts of link keys that stay the same when a feed moves to another domain.
fn paths(keys: &[String]) -> Vec<String> {
    keys.iter().filter_map(|key| key.find(['/', '?']).map(|at| key[at..].to_owned())).collect()
}

fn new_title(new: New) -> Vec<String> {
    sign(new.cleaned.text_keys.title)
}

fn former_title(former: &FormerEntry) -> Vec<String> {
    sign(former.wording.as_ref().and_then(Wording::title_key))
}

fn sign(key: Option<u64>) -> Vec<String> {
    key.map(|key| key.to_string()).into_iter().collect()
}

fn dated_title(new: New) -> Vec<String> {
    dated(new_title(new), new.cleaned.entry.published)
}

fn former_dated_title(former: &FormerEntry) -> Vec<String> {
    dated(former_title(former), former.published)
}

fn new_text(new: New) -> Vec<String> {
    sign(new.cleaned.text_keys.text)
}

fn former_text(former: &FormerEntry) -> Vec<String> {
    sign(former.wording.as_ref().and_then(Wording::text_key))
}

fn dated_text(new: New) -> Vec<String> {
    with_date(new_text(new), new.cleaned.entry.published)
}

fn former_dated_text(former: &FormerEntry) -> Vec<String> {
    with_date(former_text(former), former.published)
}

fn with_date(texts: Vec<String>, published: Option<Timestamp>) -> Vec<String> {
    texts.into_iter().map(|text| format!("{text} {published:?}")).collect()
}

fn titled_text(new: New) -> Vec<String> {
    titled(new_title(new), new_text(new))
}

fn former_titled_text(former: &FormerEntry) -> Vec<String> {
    titled(former_title(former), former_text(former))
}

fn titled(titles: Vec<String>, texts: Vec<String>) -> Vec<String> {
    titles.into_iter().zip(texts).map(|(title, text)| format!("{title} {text}")).collect()
}

fn dated(titles: Vec<String>, published: Option<Timestamp>) -> Vec<String> {
    let Some(published) = published else { return Vec::new() };
    titles.into_iter().map(|title| format!("{title} {published}")).collect()
}

/// Returns the guids of which the entry's guid may be an extended form: the whole guid, and each prefix up to a space.
fn plainer_guids(former: &FormerEntry) -> Vec<String> {
    let ends = former.guid.match_indices(' ').take(MAX_BEGINNINGS).map(|(at, _)| at).chain([former.guid.len()]);
    ends.map(|end| former.guid[..end].to_owned()).collect()
}

fn keeps_words(new: New, former: &FormerEntry) -> bool {
    former.wording.as_ref().is_none_or(|wording| new.cleaned.wording().is_kept_by(wording))
}

/// Returns whether the title or almost the whole text is the same. That suffices if both entries have the same page.
fn keeps_title(new: New, former: &FormerEntry) -> bool {
    let (own, title) = (new.cleaned, new.cleaned.text_keys.title);
    let former = former.wording.as_ref();
    former.is_none_or(|wording| title == wording.title_key() || own.wording().is_kept_by(wording))
}

/// Returns whether the date is the same, and the title is the same or one text may be an edit of the other.
fn keeps_date_and_words(new: New, former: &FormerEntry) -> bool {
    let (own, title) = (new.cleaned, new.cleaned.text_keys.title);
    let is_edit = |wording: &Wording| title == wording.title_key() || own.wording().shares_text_with(wording);
    keeps_date(new.cleaned, former) && former.wording.as_ref().is_none_or(is_edit)
}

/// Returns whether both entries link to the same page, or neither has a link.
fn has_link_of(new: New, former: &FormerEntry) -> bool {
    let links = &new.cleaned.link_keys;
    links.is_empty() && former.link_keys.is_empty() || links.iter().any(|link| former.link_keys.contains(&link.key))
}

/// Returns whether the feed gave both entries the same guid, or gave neither of them a guid.
fn has_own_guid_of(new: New, former: &FormerEntry) -> bool {
    let had_none = former.guid_kind != GuidKind::Guid;
    if new.cleaned.entry.guid.kind != GuidKind::Guid || had_none {
        return new.cleaned.entry.guid.kind != GuidKind::Guid && had_none;
    }
    let plainest = new.polled.other_guids.plainer.last().unwrap_or(&new.polled.guid);
    plainer_guids(former).contains(plainest)
}

/// Returns whether link and guid are the same. The caller has already checked that date and text are the same, so only
/// the title differs. Without a date, the titles must be similar.
fn is_retitled(new: New, former: &FormerEntry) -> bool {
    let is_alike = |wording: &Wording| new.cleaned.wording().has_title_like(wording);
    let is_dated = new.cleaned.entry.published.is_some();
    has_link_of(new, former)
        && has_own_guid_of(new, former)
        && (is_dated || former.wording.as_ref().is_some_and(is_alike))
}

/// Returns whether guid and link are the same. If only one of them is the same, the date must be the same too, unless
/// an entry has no date.
fn keeps_one_place(new: New, former: &FormerEntry) -> bool {
    let (link, guid) = (has_link_of(new, former), has_own_guid_of(new, former));
    let is_dated = new.cleaned.entry.published.is_some() && former.published.is_some();
    link && guid || (link || guid) && (!is_dated || keeps_date(new.cleaned, former))
}

/// Returns whether both are the same entry although several entries share the guid. Either a specific link must be the
/// same, or two of title, text and date.
fn keeps_some(new: New, former: &FormerEntry) -> bool {
    let Some(wording) = &former.wording else { return true };
    let own = &new.cleaned.text_keys;
    let has_link = new.cleaned.link_keys.iter().any(|link| former.specific_keys.contains(&link.key));
    let has_title = own.title.is_some() && own.title == wording.title_key();
    let has_text = own.text.is_some() && own.text == wording.text_key();
    has_link || [has_title, has_text, keeps_date(new.cleaned, former)].iter().filter(|is| **is).count() >= 2
}

/// Returns whether the feed has given the guid of a known entry to another entry: link, title, date and text all
/// differ. Some feeds have one guid, or one home page as the link, for all entries; others number their entries from
/// the newest.
pub(super) fn is_reused(cleaned: &Cleaned, former: &FormerEntry) -> bool {
    let Some(wording) = &former.wording else { return false };
    let links = &cleaned.link_keys;
    let has_other_link = match former.guid_kind {
        GuidKind::Guid if links.is_empty() && former.link_keys.is_empty() => names_nothing(&former.guid),
        GuidKind::Guid => {
            !links.is_empty()
                && !former.link_keys.is_empty()
                && links.iter().all(|link| !former.link_keys.contains(&link.key))
        }
        GuidKind::Link => links.is_empty() && former.link_keys.is_empty(),
        GuidKind::Fingerprint => false,
    };
    has_other_link
        && !keeps_date(cleaned, former)
        && cleaned.text_keys.title != wording.title_key()
        && !cleaned.wording().shares_text_with(wording)
}

/// Returns whether a guid identifies nothing: it is a placeholder such as `N/A`, or the address of a home page.
fn names_nothing(guid: &str) -> bool {
    let is_word = guid.len() <= LONGEST_PLACEHOLDER && !guid.contains(|c: char| c.is_ascii_digit());
    is_word || Url::parse(guid).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && link::key(&url).is_none())
}
