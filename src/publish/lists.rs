//! The lists of feeds: their pages, and the OPML documents. They are rendered on request, because they name every feed
//! of a site.
//!
//! Only one list is rendered at a time. An OPML document is kept until the config changes, or until a feed changes what
//! it says about itself, such as its title. A page shows the states of feeds as they were at most [`STATES_AGE`] ago.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use super::edition::{Edition, PageSet, Rendered, feed_type, made_now, path};
use super::queue::{RequestTurn, read_limits};
use super::{PublishError, Publisher};
use crate::clock;
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{self, FeedPage, Format, ListedFeed, Pages};
use crate::section::ShownFeed;
use crate::shown::{self, Infos, ListedState};
use crate::status::FeedCondition;
use crate::store::StoreError;

/// The path of the OPML document of all feeds.
pub(super) const ALL_FEEDS: &str = "feeds.opml";

/// How many feeds a page of the list names.
const PAGE_FEEDS: usize = 120;

/// How old the states of feeds on a page may be. Reading them all takes a tenth of a second for 100,000 feeds.
const STATES_AGE: Duration = Duration::from_secs(5);

/// The most pages of the list that are kept. They are dropped together with the states that they show.
const KEPT_PAGES: usize = 64;

/// The lists that were rendered, and what they depend on.
#[derive(Debug, Default)]
pub(super) struct Lists {
    opml: Mutex<HashMap<String, KeptOpml>>,
    revisions: Mutex<Revisions>,
    states: Mutex<Option<Arc<KeptStates>>>,
}

/// Counts how often feeds changed what they say about themselves.
#[derive(Debug, Default)]
struct Revisions {
    all: u64,
    sections: HashMap<SectionId, u64>,
    /// The value of `all` when all documents were last forgotten.
    forgotten: u64,
}

#[derive(Debug)]
struct KeptOpml {
    config: Arc<Config>,
    revision: u64,
    edition: Arc<Edition>,
}

/// The states of all public feeds at some time, and the pages that show them.
#[derive(Debug)]
struct KeptStates {
    config: Arc<Config>,
    pages: Arc<Pages>,
    read: Instant,
    states: Arc<[ListedState]>,
    editions: Mutex<HashMap<ListRequest, Arc<Edition>>>,
}

/// A page of the list of feeds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ListRequest {
    /// The number of the page, from 1.
    pub number: usize,
    pub state: Option<FeedCondition>,
    /// The public section whose feeds are listed; `None` for all feeds.
    pub section: Option<SectionId>,
}

impl ListRequest {
    /// Parses the filters of a request for a page. As elsewhere on the site, a parameter with an unknown value has no
    /// effect. The id of a private section counts as unknown.
    pub(super) fn new(config: &Config, number: usize, parameter: impl Fn(&str) -> Option<String>) -> ListRequest {
        let state = parameter("state");
        let state = FeedCondition::ALL.into_iter().find(|known| state.as_deref() == Some(known.as_str()));
        let section = parameter("section").map(|id| SectionId::from(&*id));
        let section = section.filter(|id| config.section(id).is_some_and(|section| section.is_public()));
        ListRequest { number, state, section }
    }
}

/// Returns the number of the list's page at a path; `None` if the path is not one of these pages.
pub fn list_number(path: &str) -> Option<usize> {
    let rest = path.strip_prefix("feeds/")?;
    if rest.is_empty() {
        return Some(1);
    }
    // A page has only one address, so `feeds/1/` and `feeds/02/` are not pages of the list.
    let digits = rest.strip_suffix('/')?;
    digits.parse().ok().filter(|number: &usize| *number > 1 && number.to_string() == digits)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no code panics while it holds the lock")
}

impl Lists {
    /// Records that a feed of these sections changed what it says about itself.
    pub(super) fn note_new_info<'s>(&self, sections: impl Iterator<Item = &'s SectionId>) {
        let mut revisions = lock(&self.revisions);
        revisions.all += 1;
        let now = revisions.all;
        revisions.sections.extend(sections.map(|section| (section.clone(), now)));
    }

    /// Forgets all OPML documents, because the store follows another config.
    pub(super) fn forget(&self) {
        let mut revisions = lock(&self.revisions);
        revisions.all += 1;
        (revisions.forgotten, revisions.sections) = (revisions.all, HashMap::new());
        lock(&self.opml).clear();
    }

    fn revision(&self, section: Option<&Section>) -> u64 {
        let revisions = lock(&self.revisions);
        match section {
            Some(section) => revisions.sections.get(&section.id).copied().unwrap_or(revisions.forgotten),
            None => revisions.all,
        }
    }

    fn kept_opml(&self, path: &str, config: &Arc<Config>, revision: u64) -> Option<Arc<Edition>> {
        let opml = lock(&self.opml);
        let is_current = |kept: &&KeptOpml| kept.revision == revision && Arc::ptr_eq(&kept.config, config);
        opml.get(path).filter(is_current).map(|kept| kept.edition.clone())
    }

    /// Keeps a document. If the kept document has the same bytes, returns that one, because it may be compressed
    /// already.
    fn keep_opml(&self, path: String, config: Arc<Config>, revision: u64, edition: Edition) -> Arc<Edition> {
        let mut opml = lock(&self.opml);
        let before = opml.get(&path).map(|kept| &kept.edition);
        let same = before.filter(|before| before.etag == edition.etag && before.private == edition.private);
        let edition = same.cloned().unwrap_or_else(|| Arc::new(edition));
        opml.insert(path, KeptOpml { config, revision, edition: edition.clone() });
        edition
    }

    fn kept_states(&self, config: &Arc<Config>, pages: &Arc<Pages>) -> Option<Arc<KeptStates>> {
        let states = lock(&self.states).clone()?;
        let is_current = Arc::ptr_eq(&states.config, config) && Arc::ptr_eq(&states.pages, pages);
        (is_current && states.read.elapsed() < STATES_AGE).then_some(states)
    }
}

impl Publisher {
    /// Records that a feed of these sections changed what it says about itself. The OPML documents that name the feed
    /// are rendered again at the next request.
    pub fn note_new_info<'s>(&self, sections: impl Iterator<Item = &'s SectionId>) {
        self.lists.note_new_info(sections);
    }

    /// Returns the OPML document of a section, or of all public feeds, for a request.
    pub(super) async fn requested_opml(
        &self,
        config: &Arc<Config>,
        section: Option<&Arc<Section>>,
    ) -> Result<Arc<Edition>, PublishError> {
        let (path, revision) = (opml_path(section), self.lists.revision(section.map(|section| &**section)));
        if let Some(kept) = self.lists.kept_opml(&path, config, revision) {
            return Ok(kept);
        }
        let turn = self.listing.enter().await.ok_or(PublishError::Busy)?;
        self.opml(config, section, Some(turn)).await
    }

    /// Returns the OPML document of a section, or of all public feeds.
    pub(super) async fn opml(
        &self,
        config: &Arc<Config>,
        section: Option<&Arc<Section>>,
        turn: Option<RequestTurn>,
    ) -> Result<Arc<Edition>, PublishError> {
        let (path, revision) = (opml_path(section), self.lists.revision(section.map(|section| &**section)));
        // Another request may have rendered the document in the meantime.
        if let Some(kept) = self.lists.kept_opml(&path, config, revision) {
            return Ok(kept);
        }
        let (of_config, of_section) = (config.clone(), section.cloned());
        let read_limits = read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            shown::opml_content(reader, &of_config, of_section.as_deref())
        });
        let (content, of_config, of_section, to) = (reading.await?, config.clone(), section.cloned(), path.clone());
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let (site, section) = (&of_config.site, of_section.as_deref());
            let title = section.map_or(&site.title, |section| &section.title);
            let body = render::opml(site, title, &content.feeds, content.created)?;
            let private = section.filter(|section| !section.is_public()).map(|section| section.id.clone());
            Ok(Rendered { is_feed: true, private, ..Rendered::public(to, feed_type(Format::Opml), body) })
        });
        let rendered = rendering.await.map_err(StoreError::from)?;
        let rendered = rendered.map_err(|source| PublishError::Render { section: path.clone(), source })?;
        let (edition, now) = ((path.clone(), rendered.hash()), clock::now());
        let notes = self.store.note_editions(vec![edition], None, now).await?;
        let changed = notes.first().map_or(now, |note| note.changed);
        Ok(self.lists.keep_opml(path, config.clone(), revision, rendered.coded(Some(changed))))
    }

    /// Returns a page of the list of feeds, for a request; `None` if the list has fewer pages.
    pub(super) async fn requested_list(
        &self,
        config: &Arc<Config>,
        request: ListRequest,
    ) -> Result<Option<Arc<Edition>>, PublishError> {
        let PageSet { served, .. } = self.pages(config);
        let kept = |states: &KeptStates| lock(&states.editions).get(&request).cloned();
        if let Some(edition) = self.lists.kept_states(config, &served).as_deref().and_then(kept) {
            return Ok(Some(edition));
        }
        let turn = self.listing.enter().await.ok_or(PublishError::Busy)?;
        let states = match self.lists.kept_states(config, &served) {
            Some(states) => states,
            None => {
                let states = self.feed_states(config, Some(turn.clone())).await?.into();
                let (config, read, editions) = (config.clone(), Instant::now(), Mutex::default());
                let states = Arc::new(KeptStates { config, pages: served.clone(), read, states, editions });
                *lock(&self.lists.states) = Some(states.clone());
                states
            }
        };
        let Some(page) = self.list_page(config, states.states.clone(), &request, served, Some(turn)).await? else {
            return Ok(None);
        };
        let mut editions = lock(&states.editions);
        if editions.len() >= KEPT_PAGES {
            editions.clear();
        }
        Ok(Some(editions.entry(request).or_insert_with(|| Arc::new(page)).clone()))
    }

    /// Reads the states of all public feeds.
    pub(super) async fn feed_states(
        &self,
        config: &Arc<Config>,
        turn: Option<RequestTurn>,
    ) -> Result<Vec<ListedState>, StoreError> {
        let (config, now) = (config.clone(), clock::now());
        let read_limits = read_limits(turn.as_ref());
        let reading =
            self.store.read_for(&read_limits, turn, move |reader| shown::public_feed_states(reader, &config, now));
        reading.await
    }

    /// Renders a page of the list; `None` if the list has fewer pages.
    pub(super) async fn list_page(
        &self,
        config: &Arc<Config>,
        states: Arc<[ListedState]>,
        request: &ListRequest,
        pages: Arc<Pages>,
        turn: Option<RequestTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let section = request.section.as_ref().and_then(|id| config.section(id)).cloned();
        let (of_config, of_section, request) = (config.clone(), section.clone(), request.clone());
        let read_limits = read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            let mut part = list_part(&of_config, &states, &request, of_section.as_deref());
            let feeds = part.listed.iter().map(|listed| &of_config.feeds[listed.position].id);
            part.feeds = shown::shown_feeds(&of_config, feeds, &Infos::of(reader))?;
            Ok((part, request))
        });
        let (ListPart { counts, total, listed, feeds }, request) = reading.await?;
        let (number, page_count) = (request.number, total.div_ceil(PAGE_FEEDS).max(1));
        if number > page_count {
            return Ok(None);
        }
        let (config, state) = (config.clone(), request.state.map(FeedCondition::as_str));
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let row = |(feed, listed): (_, ListedState)| ListedFeed {
                feed,
                state: listed.state.as_str().to_owned(),
                newest: listed.newest,
            };
            let feeds: Vec<ListedFeed> = feeds.into_iter().zip(listed).map(row).collect();
            let section = section.as_deref();
            let page = FeedPage { feeds: &feeds, number, pages: page_count, states: &counts, state, section };
            pages.feeds(&config.site, page).map(made_now)
        });
        let page = rendering.await.map_err(StoreError::from)?;
        page.map(Some).map_err(|source| PublishError::Render { section: "feeds".to_owned(), source })
    }
}

/// The part of the list that a page shows.
struct ListPart {
    /// How many feeds are in each state; states without feeds are left out.
    counts: Vec<(&'static str, usize)>,
    /// How many feeds there are on all pages together.
    total: usize,
    listed: Vec<ListedState>,
    /// The feeds of the page, with what their documents say about them.
    feeds: Vec<ShownFeed>,
}

/// Chooses the feeds of a page, in one pass over the feeds.
fn list_part(config: &Config, states: &[ListedState], request: &ListRequest, section: Option<&Section>) -> ListPart {
    let mut counts = FeedCondition::ALL.map(|state| (state, 0));
    let skipped = request.number.saturating_sub(1).saturating_mul(PAGE_FEEDS);
    let (mut total, mut listed) = (0, Vec::new());
    for each in states {
        if section.is_some_and(|section| !section.takes(&config.feeds[each.position].id)) {
            continue;
        }
        counts.iter_mut().filter(|(state, _)| *state == each.state).for_each(|(_, count)| *count += 1);
        if request.state.is_none_or(|state| state == each.state) {
            if total >= skipped && listed.len() < PAGE_FEEDS {
                listed.push(*each);
            }
            total += 1;
        }
    }
    let counts = counts.into_iter().filter(|(_, count)| *count > 0).map(|(state, count)| (state.as_str(), count));
    ListPart { counts: counts.collect(), total, listed, feeds: Vec::new() }
}

/// Returns the path of the OPML document of a section, or of all feeds.
fn opml_path(section: Option<&Arc<Section>>) -> String {
    section.map_or_else(|| ALL_FEEDS.to_owned(), |section| path(&section.id, Format::Opml))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_of_the_list_has_only_one_address() {
        let check = |path: &str, expected: Option<usize>| assert_eq!(list_number(path), expected, "{path}");
        check("feeds/", Some(1));
        check("feeds/2/", Some(2));
        for other in
            ["feeds", "feeds/1/", "feeds/0/", "feeds/02/", "feeds/+2/", "feeds/2", "feeds/2/3/", "feeds//", "feeds/x/"]
        {
            check(other, None);
        }
    }
}
