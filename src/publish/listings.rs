//! Renders the pages and feeds of sources, tags and terms of facets, on request and for the folder.
//!
//! They contain only stories that public sections show now. A tag has a page if several stories have the tag. A source
//! always has a page, and so does a term of a facet that a story has. The folder has no tags, because there may be very
//! many.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::edition::{Edition, FEED_FORMATS, PageSet, Rendered, made_now};
use super::editions::Editions;
use super::queue::{self, RequestTurn};
use super::section::{feed, view};
use super::shown_row::ShownRow;
use super::{PublishError, Publisher};
use crate::config::Config;
use crate::feed::FeedId;
use crate::render::{self, Format, LEAST_TAGGED, ListingKind, Pages, RenderError, SectionView, TAGS};
use crate::section::{ShownFeed, ShownStory};
use crate::shown::{self, Infos};
use crate::store::StoreError;
use crate::story;
use crate::time::Timestamp;

/// The most stories of a listing.
const LISTED: usize = 50;

/// The most tags to which the pages of stories link.
const LISTED_TAGS: usize = 500;

/// The stories of each listing, by its path.
pub(super) type ListedStories<'e> = BTreeMap<&'e str, Vec<&'e ShownRow>>;

impl Editions {
    fn public_rows(&self) -> impl Iterator<Item = &ShownRow> {
        self.sections.iter().flatten().filter(|section| section.is_public()).flat_map(|section| &section.rows)
    }

    /// Returns the stories of the listings whose path `is_wanted` accepts, each story once, newest first.
    pub(super) fn listed(&self, is_wanted: impl Fn(&str) -> bool) -> ListedStories<'_> {
        let mut listed = ListedStories::new();
        for row in self.public_rows() {
            for path in row.listings.iter().filter(|path| is_wanted(path)) {
                listed.entry(path).or_default().push(row);
            }
        }
        for rows in listed.values_mut() {
            rows.sort_by(|one, other| (other.sort_at, &other.slug).cmp(&(one.sort_at, &one.slug)));
            rows.dedup_by(|one, other| one.slug == other.slug);
        }
        listed
    }

    /// Returns the paths of the tags that have a page; of very many, only those with the most stories.
    pub(super) fn tags(&self) -> &BTreeSet<String> {
        self.tags.get_or_init(|| {
            let listed = self.listed(|path| path.starts_with(TAGS));
            let mut tags: Vec<_> = listed.into_iter().filter(|(_, rows)| rows.len() >= LEAST_TAGGED).collect();
            // The sort is stable: of tags with equally many stories, the first in the alphabet are kept.
            tags.sort_by_key(|(_, rows)| Reverse(rows.len()));
            tags.into_iter().take(LISTED_TAGS).map(|(path, _)| path.to_owned()).collect()
        })
    }
}

/// A listing that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ListingSubject {
    Source(FeedId),
    Tag,
    Term { facet: String },
}

/// Returns what the listing at a path is about. The path has no final slash and no extension. Returns `None` if it is
/// not the path of a listing.
fn subject(config: &Config, path: &str) -> Option<ListingSubject> {
    if let Some(id) = path.strip_prefix("feeds/") {
        let id = FeedId::from(id);
        let is_taken = || config.sections.iter().any(|section| section.is_public() && section.takes(&id));
        return (config.feed(&id).is_some() && is_taken()).then_some(ListingSubject::Source(id));
    }
    let has_tags = config.sections.iter().all(|section| section.id.as_str() != TAGS);
    let name = path.strip_prefix(TAGS)?.strip_prefix('/').filter(|_| has_tags)?;
    match name.split_once('/') {
        None => Some(ListingSubject::Tag),
        Some((facet, _)) => {
            let is_facet = config.site.facets.iter().any(|known| known == facet);
            is_facet.then(|| ListingSubject::Term { facet: facet.to_owned() })
        }
    }
}

/// Splits the address of a listing into its percent-decoded path and its format. The format is `None` if it is the
/// address of the page. Returns `None` if it is not the address of a listing.
pub(super) fn listing_of(address: &str) -> Option<(String, Option<Format>)> {
    let is_of_listing =
        address.starts_with("feeds/") || address.strip_prefix(TAGS).is_some_and(|rest| rest.starts_with('/'));
    let decoded = percent_encoding::percent_decode_str(address).decode_utf8().ok().filter(|_| is_of_listing)?;
    let of_format =
        |format: Format| decoded.strip_suffix(format.extension())?.strip_suffix('.').map(|path| (path, format));
    let document = FEED_FORMATS.into_iter().find_map(of_format).map(|(path, format)| (path, Some(format)));
    let (path, format) = document.unwrap_or((decoded.strip_suffix('/').unwrap_or(&decoded), None));
    let is_whole = (2..=3).contains(&path.split('/').count()) && path.split('/').all(|part| !part.is_empty());
    is_whole.then(|| (path.to_owned(), format))
}

/// The stories of a listing, its title, its source and its date.
struct ListingContent {
    title: String,
    source: Option<ShownFeed>,
    stories: Vec<ShownStory>,
    /// When one of the stories last changed. Without stories, when the store first saw the first public section that
    /// takes the source.
    updated: Timestamp,
}

/// The documents of a listing.
pub(super) struct ListingDocuments {
    pub page: Edition,
    /// One document for each of [`FEED_FORMATS`].
    pub feeds: Vec<Edition>,
}

impl Publisher {
    /// Returns a document of a listing for a request; `None` if there is no such listing.
    pub(super) async fn requested_listing(
        &self,
        config: &Arc<Config>,
        current: &Editions,
        path: &str,
        format: Option<Format>,
        turn: RequestTurn,
    ) -> Result<Option<Edition>, PublishError> {
        let is_tag = matches!(subject(config, path), Some(ListingSubject::Tag));
        let rows = current.listed(|listing| listing == path).remove(path).unwrap_or_default();
        if is_tag && rows.len() < LEAST_TAGGED {
            return Ok(None);
        }
        let Some(documents) = self.listing(config, path, &rows, Some(turn)).await? else { return Ok(None) };
        let ListingDocuments { page, feeds } = documents;
        let at = format.and_then(|format| FEED_FORMATS.iter().position(|known| *known == format));
        Ok(at.map_or(Some(page), |at| feeds.into_iter().nth(at)))
    }

    /// Renders the page and the feed of a listing; `None` if there is none at this path. With a `turn`, renders it for the
    /// server, else for a folder.
    pub(super) async fn listing(
        &self,
        config: &Arc<Config>,
        path: &str,
        rows: &[&ShownRow],
        turn: Option<RequestTurn>,
    ) -> Result<Option<ListingDocuments>, PublishError> {
        let Some(subject) = subject(config, path) else { return Ok(None) };
        if rows.is_empty() && !matches!(subject, ListingSubject::Source(_)) {
            return Ok(None);
        }
        let numbers: Vec<_> = rows.iter().take(LISTED).filter_map(|row| story::slug_number(&row.slug)).collect();
        let (of_config, infos, at, of) = (config.clone(), self.infos.clone(), path.to_owned(), subject.clone());
        let read_limits = queue::read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            let infos = Infos::sharing(reader, &infos);
            let mut stories = Vec::new();
            for number in numbers {
                stories.extend(shown::public_story(reader, &of_config, number, &infos)?.map(|story| story.shown));
            }
            let feed = if let ListingSubject::Source(feed) = &of { Some(feed) } else { None };
            let source = shown::shown_feeds(&of_config, feed.into_iter(), &infos)?.pop();
            let name = || stories.iter().find_map(|story| render::tag_name(&of_config.site, story, &at));
            let title = source.as_ref().map(|feed| feed.title.clone()).or_else(name);
            let updated = match (stories.iter().map(|story| story.updated).max(), feed) {
                (Some(updated), _) => Some(updated),
                (None, Some(feed)) => shown::known_since(reader, &of_config, feed)?,
                (None, None) => None,
            };
            // If the stories of a tag have left their sections meanwhile, there is no listing, so `updated` is `None`.
            let title = title.unwrap_or_else(|| at.clone());
            Ok(updated.map(|updated| ListingContent { title, source, stories, updated }))
        });
        let Some(content) = reading.await? else { return Ok(None) };
        let PageSet { served, for_folder } = self.pages(config);
        let pages = if turn.is_some() { served } else { for_folder.unwrap_or(served) };
        let (of_config, path) = (config.clone(), path.to_owned());
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            documents(&of_config, &path, &subject, &content, &pages)
        });
        rendering.await.map_err(StoreError::from)?.map(Some)
    }
}

/// Renders the page and the feed of a listing.
fn documents(
    config: &Config,
    path: &str,
    subject: &ListingSubject,
    content: &ListingContent,
    pages: &Pages,
) -> Result<ListingDocuments, PublishError> {
    let section = render::listing_section(path, content.title.clone());
    let id = render::under(&config.site, &format!("{path}/")).to_string();
    let view = SectionView { hubs: &[], updated: content.updated, ..view(config, &section, &id, &content.stories) };
    let prepared = view.prepare();
    let listed = match (subject, &content.source) {
        (ListingSubject::Source(_), Some(source)) => ListingKind::Source(source),
        (ListingSubject::Term { facet }, _) => ListingKind::Tag(Some(facet)),
        _ => ListingKind::Tag(None),
    };
    let failed = |source: RenderError| PublishError::Render { section: path.to_owned(), source };
    let page = made_now(pages.listing(&prepared, listed).map_err(failed)?);
    let mut feeds = Vec::new();
    for format in FEED_FORMATS {
        let rendered: Rendered = feed(&prepared, format!("{path}.{}", format.extension()), format)?;
        feeds.push(rendered.coded(None));
    }
    Ok(ListingDocuments { page, feeds })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listing_has_one_page_and_a_feed_in_each_format() {
        let check = |address: &str, expected: Option<(&str, Option<Format>)>| {
            let expected = expected.map(|(path, format)| (path.to_owned(), format));
            assert_eq!(listing_of(address), expected, "{address}");
        };
        check("feeds/press/", Some(("feeds/press", None)));
        check("feeds/press.atom", Some(("feeds/press", Some(Format::Atom))));
        check("feeds/press.rss", Some(("feeds/press", Some(Format::Rss))));
        check("tags/region/north.json", Some(("tags/region/north", Some(Format::Json))));
        check("tags/caf%C3%A9/", Some(("tags/café", None)));
        check("tags/region/north.atom", Some(("tags/region/north", Some(Format::Atom))));
        for other in ["tags//", "tags/a/b/c/", "tags", "tagse/a/", "story/a/", "tags/%FF/", "feeds//x/"] {
            check(other, None);
        }
    }
}
