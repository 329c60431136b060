//! Known entries under new guids: a feed that changed its ids, its software or its domain tells nothing new by that.
//!
//! A new guid is matched to an entry of the same feed that the document does not list, by the surest sign first, and only
//! where the sign fits one on each side. "A new guid with a known link is the same entry if the words are the same, another
//! if they are not."

use std::collections::{HashMap, HashSet};

use url::Url;

use super::{Cleaned, FormerEntry, Known, PolledEntry};
use crate::link;
use crate::story::Wording;
use crate::time::Timestamp;

/// Fewer new guids are no flood, whatever share of the document they are.
const FLOOD: usize = 3;

/// Whether so many of a document's guids are new that its feed seems to have changed them all.
pub fn is_flood(unknown: usize, listed: usize) -> bool {
    unknown >= FLOOD && unknown * 2 >= listed
}

/// For new guids the entries that had others before.
pub(super) fn matched<'k>(entries: &[PolledEntry], known: &'k Known) -> HashMap<String, &'k FormerEntry> {
    let unknown: Vec<_> = entries.iter().filter(|entry| !known.entries.contains_key(&entry.guid)).collect();
    let mut matching = Matching { free: unknown, former: known.former.iter().collect(), matched: HashMap::new() };
    if matching.free.is_empty() || matching.former.is_empty() {
        return HashMap::new();
    }
    let is_flood = is_flood(matching.free.len(), entries.len());
    matching.pass(|cleaned| page_of(&cleaned.entry.guid.value), |former| page_of(&former.guid), keeps_title);
    matching.pass(links, |former| former.link_keys.clone(), keeps_words);
    if is_flood {
        matching.pass(|cleaned| paths(&links(cleaned)), |former| paths(&former.link_keys), keeps_title);
    }
    matching.pass(dated_title, former_dated_title, keeps_words);
    if is_flood {
        matching.pass(|cleaned| title(Some(&cleaned.wording)), |former| title(former.wording.as_ref()), keeps_words);
    }
    matching.matched
}

struct Matching<'e, 'k> {
    free: Vec<&'e PolledEntry>,
    former: Vec<&'k FormerEntry>,
    matched: HashMap<String, &'k FormerEntry>,
}

impl<'k> Matching<'_, 'k> {
    /// Matches those that are still free, where a sign occurs once on both sides and `keeps` agrees.
    fn pass(
        &mut self,
        signs: impl Fn(&Cleaned) -> Vec<String>,
        former_signs: impl Fn(&FormerEntry) -> Vec<String>,
        keeps: impl Fn(&Cleaned, &FormerEntry) -> bool,
    ) {
        let formers = once(self.former.iter().map(|former| former_signs(former)));
        let frees =
            once(self.free.iter().map(|entry| entry.cleaned.as_ref().map_or(Vec::new(), |cleaned| signs(cleaned))));
        let mut taken = HashSet::new();
        let mut frees: Vec<_> = frees.into_iter().collect();
        frees.sort_unstable_by(|(sign, at), (other_sign, other)| at.cmp(other).then(sign.cmp(other_sign)));
        for (sign, at) in frees {
            let Some(&former) = formers.get(&sign) else { continue };
            let (entry, former) = (self.free[at], self.former[former]);
            let keeps = entry.cleaned.as_ref().is_some_and(|cleaned| keeps(cleaned, former));
            if keeps && !self.matched.contains_key(&entry.guid) && taken.insert(former.number) {
                self.matched.insert(entry.guid.clone(), former);
            }
        }
        self.free.retain(|entry| !self.matched.contains_key(&entry.guid));
        self.former.retain(|former| !taken.contains(&former.number));
    }
}

/// The signs that occur once, and where.
fn once(signs: impl Iterator<Item = Vec<String>>) -> HashMap<String, usize> {
    let mut places = HashMap::<String, Option<usize>>::new();
    for (at, signs) in signs.enumerate() {
        for sign in signs {
            places.entry(sign).and_modify(|place| *place = None).or_insert(Some(at));
        }
    }
    places.into_iter().filter_map(|(sign, place)| Some((sign, place?))).collect()
}

/// A guid that is an address, in whatever spelling.
fn page_of(guid: &str) -> Vec<String> {
    Url::parse(guid).ok().as_ref().and_then(link::key).into_iter().collect()
}

fn links(cleaned: &Cleaned) -> Vec<String> {
    cleaned.link_keys.iter().map(|key| key.key.clone()).collect()
}

/// What is left of link keys when a feed moves to another domain.
fn paths(keys: &[String]) -> Vec<String> {
    keys.iter().filter_map(|key| key.find(['/', '?']).map(|at| key[at..].to_owned())).collect()
}

fn title(wording: Option<&Wording>) -> Vec<String> {
    wording.and_then(Wording::title_key).map(|key| key.to_string()).into_iter().collect()
}

fn dated_title(cleaned: &Cleaned) -> Vec<String> {
    dated(title(Some(&cleaned.wording)), cleaned.entry.published)
}

fn former_dated_title(former: &FormerEntry) -> Vec<String> {
    dated(title(former.wording.as_ref()), former.published)
}

fn dated(titles: Vec<String>, published: Option<Timestamp>) -> Vec<String> {
    let Some(published) = published else { return Vec::new() };
    titles.into_iter().map(|title| format!("{title} {published}")).collect()
}

fn keeps_words(cleaned: &Cleaned, former: &FormerEntry) -> bool {
    former.wording.as_ref().is_none_or(|wording| cleaned.wording.is_kept_by(wording))
}

/// Where the page is the same, its title is enough.
fn keeps_title(cleaned: &Cleaned, former: &FormerEntry) -> bool {
    former
        .wording
        .as_ref()
        .is_none_or(|wording| cleaned.wording.title_key() == wording.title_key() || cleaned.wording.is_kept_by(wording))
}
