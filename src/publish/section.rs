//! Renders the documents of a section: its editions, its page, and its archive documents.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use sha2::{Digest, Sha256};
use url::Url;

use super::edition::{
    Edition, FEED_FORMATS, HTML_TYPE, PageSet, Rendered, SelectedDocuments, feed_type, made_now, path,
};
use super::editions::{ArchiveSetting, SectionEditions};
use super::queue::{RequestTurn, read_limits};
use super::shown_row::ShownRow;
use super::site::{BAND_SECTIONS, BAND_STORIES, RIVER_STORIES};
use super::{MAX_AGE, PublishError, Publisher};
use crate::commit;
use crate::config::{Config, Front, Section};
use crate::feed::{FeedId, SectionId};
use crate::parse;
use crate::render::{self, Format, PreparedSection, RenderError, SectionView};
use crate::section::{ShownFeed, ShownStory};
use crate::shown::{self, Infos, PushedOut, Readiness, SectionContent};
use crate::store::StoreError;
use crate::time::Timestamp;

pub(super) fn archive_path(id: &SectionId, number: u32, format: Format) -> String {
    format!("{id}/archive/{number}.{}", format.extension())
}

/// The rendered documents of a section.
pub(super) struct RenderedSection {
    /// The documents: one for each of [`FEED_FORMATS`], then the page.
    documents: [Rendered; 4],
    /// The pages that continue the section's page, by number.
    continued: Vec<(u32, Rendered)>,
    first: Vec<ShownStory>,
    faces: Vec<ShownFeed>,
    rows: Vec<ShownRow>,
    updated: Timestamp,
    archive_setting: ArchiveSetting,
    selected: SelectedDocuments,
    /// Whether all stories that had to be archived are archived.
    pub is_finished: bool,
}

/// How a section's new documents differ from the last ones.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EditionChange {
    /// Whether the Atom document was never published before, even by an earlier run of the daemon.
    pub is_new: bool,
    /// Whether any of the documents differs.
    pub is_visible: bool,
}

/// A section's editions and page, and the pages that continue it, by number.
type Documents = ([Rendered; 4], Vec<(u32, Rendered)>);

/// Renders the editions and the page of a section.
fn render(
    config: &Config,
    section: &Section,
    content: &SectionContent,
    newest_archive: Option<u32>,
    pages: &PageSet,
) -> Result<Documents, PublishError> {
    let view = SectionView {
        feeds: &content.feeds,
        updated: content.updated,
        prev_archive: newest_archive,
        podcast_guid: content.podcast_guid.as_deref(),
        ..view(config, section, &content.atom_id, &content.stories)
    };
    let failed = |source| PublishError::Render { section: section.id.to_string(), source };
    let prepared = view.prepare();
    let [atom, rss, json] = FEED_FORMATS.map(|format| feed(&prepared, path(&section.id, format), format));
    let served = pages.served.section_pages(&prepared).map_err(failed)?;
    let in_folder =
        pages.for_folder.as_deref().map(|pages| pages.section_pages(&prepared)).transpose().map_err(failed)?;
    let page = |path: String, served: String, in_folder: Option<String>| Rendered {
        private: private(section),
        in_folder: in_folder.map(Bytes::from),
        ..Rendered::public(path, HTML_TYPE, served.into_bytes())
    };
    let (newest_in_folder, continued_in_folder) =
        in_folder.map_or((None, Vec::new()), |pages| (Some(pages.newest), pages.continued));
    let mut continued_in_folder: BTreeMap<u32, String> = continued_in_folder.into_iter().collect();
    let newest = page(format!("{}/", section.id), served.newest, newest_in_folder);
    let continued = served.continued.into_iter().map(|(number, served)| {
        let in_folder = continued_in_folder.remove(&number);
        (number, page(render::older_path(&section.id, number), served, in_folder))
    });
    let continued = continued.collect();
    Ok(([atom?, rss?, json?, newest], continued))
}

/// Returns what the front page may show of a section. If the front page is a river of posts, returns full posts, and
/// the feeds of these posts that have an image. Otherwise returns only the beginnings of stories.
fn first(config: &Config, position: usize, content: &SectionContent) -> (Vec<ShownStory>, Vec<ShownFeed>) {
    if config.site.front == Front::River {
        let posts: Vec<ShownStory> = content.stories.iter().take(RIVER_STORIES).cloned().collect();
        let leads: BTreeSet<&FeedId> =
            posts.iter().flat_map(|story| &story.copies).filter(|copy| copy.lead).map(|copy| &copy.feed).collect();
        let faces = content.feeds.iter().filter(|feed| feed.image.is_some() && leads.contains(&feed.id));
        let faces = faces.cloned().collect();
        return (posts, faces);
    }
    let count = if position < BAND_SECTIONS { BAND_STORIES } else { 0 };
    (content.stories.iter().take(count).map(render::beginning).collect(), Vec::new())
}

/// Renders one document with a section's stories, in one format.
pub(super) fn feed(prepared: &PreparedSection, path: String, format: Format) -> Result<Rendered, PublishError> {
    let view = prepared.view;
    let body = write(prepared, format)
        .map_err(|source| PublishError::Render { section: view.section.id.to_string(), source })?;
    if !says_the_same(&body, view.stories) {
        return Err(PublishError::Unfaithful { path });
    }
    let links = (!view.hubs.is_empty()).then(|| {
        let own_address = render::under(view.site, &path);
        let hubs = view.hubs.iter().map(|hub| format!(", <{hub}>; rel=\"hub\""));
        format!("<{own_address}>; rel=\"self\"{}", hubs.collect::<String>())
    });
    let private = private(view.section);
    Ok(Rendered { is_feed: true, private, links, ..Rendered::public(path, feed_type(format), body) })
}

fn write(prepared: &PreparedSection, format: Format) -> Result<Vec<u8>, RenderError> {
    let view = prepared.view;
    match format {
        Format::Atom => render::atom(prepared),
        Format::Rss => render::rss(prepared),
        Format::Json => render::json(prepared),
        Format::Opml => render::opml(view.site, &view.section.title, view.feeds, view.updated),
    }
}

/// Returns whether the document parses to the stories it was rendered from, with their ids and in their order.
/// Otherwise the document is not published.
fn says_the_same(body: &[u8], stories: &[ShownStory]) -> bool {
    let Ok(read) = parse::parse(body, &parse::Hints::default()) else { return false };
    let ids = read.entries.iter().map(|entry| entry.guid.value.as_str());
    !read.truncated && ids.eq(stories.iter().map(|story| story.id.as_str()))
}

/// Returns the part of a view that all documents of the section share.
pub(super) fn view<'a>(
    config: &'a Config,
    section: &'a Section,
    id: &'a str,
    stories: &'a [ShownStory],
) -> SectionView<'a> {
    SectionView {
        site: &config.site,
        section,
        id,
        // The hubs must not learn of private sections.
        hubs: if section.is_public() { &config.publish.hubs } else { &[] },
        stories,
        feeds: &[],
        updated: Timestamp::from_millis(0),
        max_age: MAX_AGE,
        archive: None,
        prev_archive: None,
        podcast_guid: None,
    }
}

pub(super) fn private(section: &Section) -> Option<SectionId> {
    section.access.is_some().then(|| section.id.clone())
}

impl Publisher {
    /// Archives the stories that a section no longer shows, then renders the section. `known` are its editions under
    /// the same config. Archives nothing until the section's definition was applied to all stories. Returns `None`
    /// until it was applied to all stories that the section shows.
    pub(super) async fn render_section(
        &self,
        config: &Arc<Config>,
        position: usize,
        known: Option<&SectionEditions>,
        now: Timestamp,
    ) -> Result<Option<RenderedSection>, PublishError> {
        let section = &config.sections[position];
        let (of_config, of_section, infos) = (config.clone(), section.clone(), self.infos.clone());
        let reading = self.store.read(move |reader| {
            let infos = Infos::sharing(reader, &infos);
            let content = shown::section_content(reader, &of_config, &of_section, &infos)?;
            let pushed_out = match shown::readiness(reader, &of_section, &content, now)? {
                Readiness::NotYet => return Ok(None),
                Readiness::Shown => PushedOut { is_all: true, ..PushedOut::default() },
                Readiness::All => shown::pushed_out(reader, &of_config, &of_section, &content.stories, &infos)?,
            };
            Ok(Some((content, pushed_out, reader.newest_archive(&of_section.id)?)))
        });
        let Some((content, pushed_out, mut newest_archive)) = reading.await? else { return Ok(None) };
        let is_finished = pushed_out.is_all;
        if !pushed_out.is_empty() {
            newest_archive = commit::archive(&self.store, section.id.clone(), pushed_out, now).await?;
        }
        let archive_setting = match known {
            Some(known) if !known.archive_setting.hash.is_empty() => known.archive_setting.clone(),
            _ => self.archive_setting(config, section, &content.atom_id, now).await?,
        };
        let selected = self.render_selected(config, section, &content.atom_id, now).await?;
        let (config, section, pages) = (config.clone(), section.clone(), self.pages(config));
        let rendering = tokio::task::spawn_blocking(move || {
            let (documents, continued) = render(&config, &section, &content, newest_archive, &pages)?;
            let (first, faces) = first(&config, position, &content);
            let rows = content.stories.iter().map(|story| ShownRow::of(&config.site, story)).collect();
            let updated = content.updated;
            Ok(Some(RenderedSection {
                documents,
                continued,
                first,
                faces,
                rows,
                updated,
                archive_setting,
                selected,
                is_finished,
            }))
        });
        rendering.await.map_err(StoreError::from)?
    }

    /// Adds validators to the documents of a section. Keeps the documents of its last editions that have the same
    /// content.
    pub(super) async fn finish_section(
        &self,
        rendered: RenderedSection,
        before: Option<&SectionEditions>,
        announced: Option<(SectionId, Vec<Url>)>,
        now: Timestamp,
    ) -> Result<(SectionEditions, EditionChange), StoreError> {
        let RenderedSection {
            documents: [atom, rss, json, page],
            first,
            faces,
            rows,
            updated,
            archive_setting,
            selected,
            ..
        } = rendered;
        let known = |at: usize| before.map(|before| before.documents[at].clone());
        let known_page = |wanted: u32| {
            let mut pages = before.into_iter().flat_map(|before| &before.continued);
            pages.find(|(number, _)| *number == wanted).map(|(_, page)| page.clone())
        };
        let documents = [atom, rss, json, page].into_iter().zip(0..).map(|(document, at)| (document, known(at)));
        let (numbers, pages): (Vec<u32>, Vec<Rendered>) = rendered.continued.into_iter().unzip();
        let pages = pages.into_iter().zip(&numbers).map(|(page, number)| (page, known_page(*number)));
        let mut finished = self.finish(documents.chain(pages).collect(), announced, now).await?.into_iter();
        let mut next = || finished.next().expect("each document is finished");
        let (atom, is_new) = next();
        let documents = [atom, next().0, next().0, next().0];
        let continued = numbers.into_iter().map(|number| (number, next().0)).collect();
        let is_same = |at: usize| known(at).is_some_and(|known| Arc::ptr_eq(&known, &documents[at]));
        let change = EditionChange { is_new, is_visible: !(0..documents.len()).all(is_same) };
        let next_change = selected.next_change;
        let selected = self.finish_selected(selected, before, now).await?;
        let editions = SectionEditions {
            documents,
            continued,
            selected,
            first,
            faces,
            rows,
            updated,
            archive_setting,
            next_change,
        };
        Ok((editions, change))
    }

    /// Renders an archive document; `None` if there is none with this number. A `turn` means that a reader requested
    /// the document.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read in time, or if rendering fails.
    pub(super) async fn archive(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
        number: u32,
        format: Format,
        turn: Option<RequestTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let (wanted, of_section, infos) = (config.clone(), section.clone(), self.infos.clone());
        let read_limits = read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            let archive = shown::archive(reader, &wanted, &of_section, number, &Infos::sharing(reader, &infos))?;
            let guid = shown::podcast_guid(reader, &wanted, &of_section)?;
            Ok((archive, (shown::permanent_id(reader, &wanted, &of_section.id)?, guid)))
        });
        let (Some(archive), (id, podcast_guid)) = reading.await? else { return Ok(None) };
        let current = self.current();
        let set = current.section(&section.id).map_or(archive.changed, |known| known.archive_setting.changed);
        let (config, section) = (config.clone(), section.clone());
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let view = SectionView {
                updated: archive.stories.iter().map(|story| story.updated).max().unwrap_or(archive.changed),
                hubs: &[],
                archive: Some(number),
                podcast_guid: podcast_guid.as_deref(),
                prev_archive: number.checked_sub(1).filter(|number| *number > 0),
                ..view(&config, &section, &id, &archive.stories)
            };
            let rendered = feed(&view.prepare(), archive_path(&section.id, number, format), format)?;
            Ok(Some(rendered.coded(Some(archive.changed.max(set)))))
        });
        rendering.await.map_err(StoreError::from)?
    }

    /// Renders a page of a section's older stories; `None` if there is none with this number. With a `turn`, renders it for
    /// the server, else for a folder.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read in time, or if rendering fails.
    pub(super) async fn older_page(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
        number: u32,
        turn: Option<RequestTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let (of_config, of_section, infos) = (config.clone(), section.clone(), self.infos.clone());
        let read_limits = read_limits(turn.as_ref());
        let reading = self.store.read_for(&read_limits, turn.clone(), move |reader| {
            shown::archive(reader, &of_config, &of_section, number, &Infos::sharing(reader, &infos))
        });
        let Some(archive) = reading.await? else { return Ok(None) };
        let PageSet { served, for_folder } = self.pages(config);
        let pages = if turn.is_some() { served } else { for_folder.unwrap_or(served) };
        let (config, section) = (config.clone(), section.clone());
        let rendering = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let view =
                SectionView { hubs: &[], archive: Some(number), ..view(&config, &section, "", &archive.stories) };
            let page = pages.archive(&view.prepare());
            let page = page.map_err(|source| PublishError::Render { section: section.id.to_string(), source })?;
            Ok(Some(Edition { private: private(&section), ..made_now(page) }))
        });
        rendering.await.map_err(StoreError::from)?
    }

    /// Returns what a section's archive documents depend on besides their stories, and when that last changed.
    async fn archive_setting(
        &self,
        config: &Config,
        section: &Section,
        id: &str,
        now: Timestamp,
    ) -> Result<ArchiveSetting, PublishError> {
        let empty = SectionView { hubs: &[], archive: Some(1), ..view(config, section, id, &[]) };
        let failed = |source| PublishError::Render { section: section.id.to_string(), source };
        let mut hasher = Sha256::new_with_prefix(render::atom(&empty.prepare()).map_err(failed)?);
        for feed in section.feeds.iter().filter_map(|id| config.feed(id)) {
            hasher.update(format!("{} {:?}\n", feed.id, feed.republish));
        }
        let hash = hasher.finalize().to_vec();
        let before = self.current();
        let before = before.section(&section.id).map(|known| &known.archive_setting);
        match before.filter(|before| before.hash == hash) {
            Some(before) => Ok(before.clone()),
            None => {
                let edition = (format!("{}/archive/", section.id), hash.clone());
                let notes = self.store.note_editions(vec![edition], None, now).await?;
                Ok(ArchiveSetting { changed: notes.first().map_or(now, |note| note.changed), hash })
            }
        }
    }
}
