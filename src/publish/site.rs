//! Renders the documents of the whole site. Some depend only on the config and the templates, such as the "about" page
//! and the styles. The other is the index, which shows the newest stories of the sections.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;

use super::edition::{CSS_TYPE, PageSet, Rendered, SVG_TYPE, TEXT_TYPE};
use super::editions::{Editions, PrivatePages, SectionEditions, SiteSetting};
use super::sitemap::SITEMAP;
use super::{GONE, NOT_FOUND, PublishError, Publisher};
use crate::config::{AiRefusal, Config, Section};
use crate::feed::SectionId;
use crate::render::{self, Pages, RenderError, SectionSummary};
use crate::store::StoreError;
use crate::time::Timestamp;

/// How many sections of the config may have a band (a row of stories) on the front page.
pub(super) const BAND_SECTIONS: usize = 64;

/// How many stories of a section are kept for its band. They are enough even if other bands show some of them, or if
/// many of them come from one source.
pub(super) const BAND_STORIES: usize = 20;

/// How many posts of a section are kept for a river.
pub(super) const RIVER_STORIES: usize = 20;

impl Publisher {
    /// Returns what depends only on the config and the templates. If neither was replaced, returns the setting of
    /// `before`. If a page cannot be rendered, its previous form stays, and the reason is added to `errors`.
    pub(super) async fn setting(
        &self,
        config: &Arc<Config>,
        before: &Editions,
        now: Timestamp,
        errors: &mut Vec<PublishError>,
    ) -> Result<Arc<SiteSetting>, StoreError> {
        let (pages, known) = (self.pages(config), &before.setting);
        let is_for = |(of_config, of_pages): &(Arc<Config>, Arc<Pages>)| {
            Arc::ptr_eq(of_config, config) && Arc::ptr_eq(of_pages, &pages.served)
        };
        if known.made_for.as_ref().is_some_and(is_for) {
            return Ok(known.clone());
        }
        self.lists.forget();
        let mut documents = HashMap::new();
        match fixed_documents(config, &pages) {
            Ok(rendered) => {
                let with_known = |rendered: Rendered| {
                    let known = known.documents.get(&rendered.path).cloned();
                    (rendered, known)
                };
                let paths: Vec<String> = rendered.iter().map(|rendered| rendered.path.clone()).collect();
                let finished = self.finish(rendered.into_iter().map(with_known).collect(), None, now).await?;
                documents.extend(paths.into_iter().zip(finished.into_iter().map(|(edition, _)| edition)));
            }
            Err(source) => {
                errors.push(PublishError::Render { section: "about".to_owned(), source });
                documents.clone_from(&known.documents);
            }
        }
        let private_pages = private_pages(config, &pages.served).unwrap_or_else(|source| {
            errors.push(PublishError::Render { section: "private".to_owned(), source });
            known.private_pages.clone()
        });
        let (gone, session_key) = self.store.read(|reader| Ok((reader.gone_sections()?, reader.key()?))).await?;
        let sections = &config.sections;
        Ok(Arc::new(SiteSetting {
            formerly: sections.iter().flat_map(|section| formerly(section)).collect(),
            aliases: sections.iter().flat_map(|section| aliases(section)).collect(),
            gone: gone.iter().map(SectionId::to_string).collect(),
            sections: sections.iter().map(|section| (section.id.clone(), section.clone())).collect(),
            session_key,
            private_pages,
            positions: sections.iter().zip(0..).map(|(section, position)| (section.id.to_string(), position)).collect(),
            documents,
            made_for: Some((config.clone(), pages.served)),
        }))
    }

    /// Renders the index from the stories that the sections show.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be written. The inner error means that the page cannot be rendered. Then the last index
    /// stays.
    pub(super) async fn publish_index(
        &self,
        config: &Arc<Config>,
        editions: &mut Editions,
        now: Timestamp,
    ) -> Result<Result<(), PublishError>, StoreError> {
        let (of_config, sections, pages) = (config.clone(), editions.sections.clone(), self.pages(config));
        let rendering = tokio::task::spawn_blocking(move || index(&of_config, &sections, &pages));
        let index = match rendering.await? {
            Ok(rendered) => rendered,
            Err(source) => return Ok(Err(PublishError::Render { section: "index".to_owned(), source })),
        };
        let finished = self.finish(vec![(index, editions.index.take())], None, now).await?;
        editions.index = finished.into_iter().next().map(|(edition, _)| edition);
        Ok(Ok(()))
    }
}

/// Renders the index.
fn index(config: &Config, sections: &[Option<Arc<SectionEditions>>], pages: &PageSet) -> Result<Rendered, RenderError> {
    let public = config.sections.iter().zip(sections).filter(|(section, _)| section.is_public());
    let shown: Vec<(&Section, &SectionEditions)> =
        public.filter_map(|(section, shown)| Some((&**section, shown.as_deref()?))).collect();
    let summaries = shown.iter().map(|(section, shown)| SectionSummary {
        section,
        stories: &shown.first,
        updated: shown.updated,
        count: shown.rows.len(),
        feeds: &shown.faces,
    });
    let summaries: Vec<_> = summaries.collect();
    Rendered::page("", pages, |pages| pages.index(&config.site, &summaries))
}

/// Renders the documents that depend only on the config and the templates.
fn fixed_documents(config: &Config, pages: &PageSet) -> Result<[Rendered; 7], RenderError> {
    let site = &config.site;
    let sections: Vec<&Section> =
        config.sections.iter().map(|section| &**section).filter(|section| section.is_public()).collect();
    Ok([
        Rendered::page("about/", pages, |pages| pages.about(site, &sections))?,
        Rendered::page(NOT_FOUND, pages, |pages| pages.not_found(site))?,
        Rendered::page(GONE, pages, |pages| pages.gone(site))?,
        Rendered::public("robots.txt", TEXT_TYPE, robots(config).into_bytes()),
        Rendered::public("style.css", CSS_TYPE, pages.served.style(site).into_bytes()),
        Rendered::public("feed.css", CSS_TYPE, render::FEED_CSS.as_bytes().to_vec()),
        Rendered::public("favicon.svg", SVG_TYPE, render::FAVICON_SVG.as_bytes().to_vec()),
    ])
}

fn private_pages(config: &Config, pages: &Pages) -> Result<PrivatePages, RenderError> {
    let page = |asks_for_token, is_wrong| pages.private(&config.site, asks_for_token, is_wrong).map(Bytes::from);
    Ok(PrivatePages {
        asks_for_token: page(true, false)?,
        token_is_wrong: page(true, true)?,
        asks_for_password: page(false, false)?,
    })
}

fn formerly(section: &Section) -> Vec<(String, SectionId)> {
    section.formerly.iter().map(|old| (old.to_string(), section.id.clone())).collect()
}

/// Returns the path of each alias of a section, and the path of the document that it leads to.
pub(super) fn aliases(section: &Section) -> impl Iterator<Item = (String, String)> {
    section.aliases.iter().map(|alias| (alias.path.clone(), format!("{}.{}", section.id, alias.extension)))
}

/// The crawlers that fetch pages to train models, by the names that their operators document.
const TRAINING_CRAWLERS: [&str; 10] = [
    "AI2Bot",
    "Amazonbot",
    "Applebot-Extended",
    "Bytespider",
    "CCBot",
    "ClaudeBot",
    "cohere-training-data-crawler",
    "Google-Extended",
    "GPTBot",
    "meta-externalagent",
];

/// The crawlers that fetch pages for the answers of AI services.
const ANSWER_CRAWLERS: [&str; 9] = [
    "ChatGPT-User",
    "Claude-SearchBot",
    "Claude-User",
    "DuckAssistBot",
    "meta-externalfetcher",
    "MistralAI-User",
    "OAI-SearchBot",
    "Perplexity-User",
    "PerplexityBot",
];

/// Returns a robots.txt (RFC 9309) that names the sitemap, and allows everything except what `ai` refuses.
fn robots(config: &Config) -> String {
    let refused: &[&[&str]] = match config.site.ai {
        None => &[],
        Some(AiRefusal::Training) => &[&TRAINING_CRAWLERS],
        Some(AiRefusal::Everything) => &[&TRAINING_CRAWLERS, &ANSWER_CRAWLERS],
    };
    let names: String = refused.iter().copied().flatten().map(|name| format!("User-agent: {name}\n")).collect();
    let refusal =
        if names.is_empty() { String::new() } else { format!("{names}Disallow: {}\n\n", config.site.url.path()) };
    format!("{refusal}User-agent: *\nDisallow:\nSitemap: {}\n", render::under(&config.site, SITEMAP))
}
