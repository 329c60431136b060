//! Renders the selections of a section, its ranking and its digests: the same formats as the section, and a page.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::edition::{Edition, FEED_FORMATS, HTML_TYPE, PageSet, Rendered, SelectedDocuments, path};
use super::editions::SectionEditions;
use super::section::{feed, private, view};
use super::{PublishError, Publisher};
use crate::commit;
use crate::config::{Config, Section};
use crate::render::{self, Pages, PreparedSection, RenderError, SectionView, Selection};
use crate::rows::{Digest, DigestKind};
use crate::shown::{self, Infos, TopContent};
use crate::store::StoreError;
use crate::time::Timestamp;

impl Publisher {
    /// Renders the selections of a section whose permanent id is `id`.
    pub(super) async fn render_selected(
        &self,
        config: &Arc<Config>,
        section: &Arc<Section>,
        id: &str,
        now: Timestamp,
    ) -> Result<SelectedDocuments, PublishError> {
        let mut selected = SelectedDocuments::default();
        if let Some(span) = section.top {
            let (of_config, of_section, infos) = (config.clone(), section.clone(), self.infos.clone());
            let reading = self.store.read(move |reader| {
                shown::top_content(reader, &of_config, &of_section, span, &Infos::sharing(reader, &infos), now)
            });
            let content = reading.await?;
            selected.next_change = content.next_change;
            let (config, section, pages) = (config.clone(), section.clone(), self.pages(config));
            let id = format!("{id}/{}", Selection::Top.name());
            let rendering = tokio::task::spawn_blocking(move || top(&config, &section, &id, &content, span, &pages));
            selected.documents.extend(rendering.await.map_err(StoreError::from)??);
        }
        let next_digest = commit::make_digests(&self.store, config, section, now).await?;
        selected.next_change = [selected.next_change, next_digest].into_iter().flatten().min();
        for kind in section.digest.iter().copied() {
            let (of_config, of_section) = (config.clone(), section.clone());
            let reading = self.store.read(move |reader| {
                let first_seen = reader.section(&of_section.id)?.first_seen;
                Ok((shown::digests(reader, &of_config, &of_section, kind)?, first_seen))
            });
            let (made, first_seen) = reading.await?;
            let (config, section, pages, id) = (config.clone(), section.clone(), self.pages(config), id.to_owned());
            let rendering =
                tokio::task::spawn_blocking(move || digests(&config, &section, (&id, kind), &made, first_seen, &pages));
            selected.documents.extend(rendering.await.map_err(StoreError::from)??);
        }
        Ok(selected)
    }

    /// Adds validators to the documents of a section's selections. Keeps those of its last editions that have the same
    /// content.
    pub(super) async fn finish_selected(
        &self,
        selected: SelectedDocuments,
        before: Option<&SectionEditions>,
        now: Timestamp,
    ) -> Result<Vec<(String, Arc<Edition>)>, StoreError> {
        let known = |path: &str| {
            let mut known = before.into_iter().flat_map(|before| &before.selected);
            known.find(|(known, _)| known == path).map(|(_, edition)| edition.clone())
        };
        let paths: Vec<String> = selected.documents.iter().map(|document| document.path.clone()).collect();
        let documents = selected.documents.into_iter().zip(&paths).map(|(document, path)| (document, known(path)));
        let finished = self.finish(documents.collect(), None, now).await?.into_iter().map(|(edition, _)| edition);
        Ok(paths.into_iter().zip(finished).collect())
    }
}

/// Renders the documents of a ranking.
fn top(
    config: &Config,
    of: &Section,
    id: &str,
    content: &TopContent,
    span: Duration,
    pages: &PageSet,
) -> Result<Vec<Rendered>, PublishError> {
    let section = render::selection_section(of, Selection::Top);
    let view = SectionView { hubs: &[], updated: content.updated, ..view(config, &section, id, &content.stories) };
    documents(&view.prepare(), pages, |pages, ranking| pages.top(ranking, of, span))
}

/// Renders the documents of the digests of one kind. `id` is the permanent id of the section `of`.
fn digests(
    config: &Config,
    of: &Section,
    (id, kind): (&str, DigestKind),
    digests: &[Digest],
    first_seen: Timestamp,
    pages: &PageSet,
) -> Result<Vec<Rendered>, PublishError> {
    let selection = Selection::Digests(kind);
    let section = Section { source_in: None, ..render::selection_section(of, selection) };
    let stories = render::digest_entries(&config.site, of, id, digests);
    let updated = digests.iter().map(|digest| digest.ends).max().unwrap_or(first_seen);
    let id = format!("{id}/{}", selection.name());
    let view = SectionView { hubs: &[], updated, ..view(config, &section, &id, &stories) };
    documents(&view.prepare_digests(), pages, |pages, digests| pages.digests(digests, of))
}

/// Renders a selection in each format, and its page.
fn documents(
    selection: &PreparedSection,
    pages: &PageSet,
    page: impl Fn(&Pages, &PreparedSection) -> Result<String, RenderError>,
) -> Result<Vec<Rendered>, PublishError> {
    let section = selection.view.section;
    let mut documents = Vec::new();
    for format in FEED_FORMATS {
        documents.push(feed(selection, path(&section.id, format), format)?);
    }
    let failed = |source| PublishError::Render { section: section.id.to_string(), source };
    let served = page(&pages.served, selection).map_err(failed)?;
    let in_folder = pages.for_folder.as_deref().map(|pages| page(pages, selection)).transpose().map_err(failed)?;
    documents.push(Rendered {
        in_folder: in_folder.map(Bytes::from),
        ..Rendered::public(format!("{}/", section.id), HTML_TYPE, served.into_bytes())
    });
    // Readers need the same credentials as for the section, whose id comes before the slash.
    let private = private(section).and_then(|id| id.as_str().split('/').next().map(Into::into));
    Ok(documents.into_iter().map(|document| Rendered { private: private.clone(), ..document }).collect())
}
