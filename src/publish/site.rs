//! Renders the documents of the site as a whole: the index, the sitemap, the about page, and the styles.

use std::collections::{BTreeMap, BTreeSet};

use super::NOT_FOUND;
use super::edition::{CSS_TYPE, PageSet, Rendered, SVG_TYPE, TEXT_TYPE, XML_TYPE};
use crate::config::{Config, Section};
use crate::feed::SectionId;
use crate::render::{self, RenderError, SectionSummary};
use crate::shown::{self, Infos, SectionContent};
use crate::store::{Reader, StoreError};

/// How many stories of each section the index page shows.
const INDEX_STORIES: usize = 5;

/// The content of the site's documents.
pub(super) struct SiteContent {
    /// The first stories of each public section, in the config's order.
    sections: Vec<SectionContent>,
}

/// Reads the first stories of each public section.
pub(super) fn read(reader: &Reader, config: &Config, infos: &Infos) -> Result<SiteContent, StoreError> {
    let first = |section: &Section| Section { limit: INDEX_STORIES, ..section.clone() };
    let sections = public(config).map(|section| shown::section_content(reader, config, &first(section), infos));
    Ok(SiteContent { sections: sections.collect::<Result<_, _>>()? })
}

/// Renders everything that does not belong to a single section. `shown` has the slugs of the stories that each public section
/// shows.
pub(super) fn render(
    config: &Config,
    content: &SiteContent,
    shown: &BTreeMap<SectionId, Vec<String>>,
    pages: &PageSet,
) -> Result<Vec<Rendered>, RenderError> {
    let summaries: Vec<_> = public(config)
        .zip(&content.sections)
        .map(|(section, content)| SectionSummary {
            section,
            stories: &content.stories,
            updated: content.updated,
            count: shown.get(&section.id).map_or(0, Vec::len),
        })
        .collect();
    let slugs: BTreeSet<&str> = shown.values().flatten().map(String::as_str).collect();
    documents(config, &summaries, &slugs, pages)
}

fn public(config: &Config) -> impl Iterator<Item = &Section> {
    config.sections.iter().map(|section| &**section).filter(|section| section.access.is_none())
}

fn documents(
    config: &Config,
    summaries: &[SectionSummary],
    slugs: &BTreeSet<&str>,
    pages: &PageSet,
) -> Result<Vec<Rendered>, RenderError> {
    let site = &config.site;
    let sections: Vec<&Section> = summaries.iter().map(|summary| summary.section).collect();
    Ok(vec![
        Rendered::page("", pages, |pages| pages.index(site, summaries))?,
        Rendered::page("about/", pages, |pages| pages.about(site, &sections))?,
        Rendered::page(NOT_FOUND, pages, |pages| pages.not_found(site))?,
        Rendered::public("sitemap.xml", XML_TYPE, sitemap(config, summaries, slugs)?),
        Rendered::public("robots.txt", TEXT_TYPE, robots(config).into_bytes()),
        Rendered::public("style.css", CSS_TYPE, pages.served.style().as_bytes().to_vec()),
        Rendered::public("feed.css", CSS_TYPE, render::FEED_CSS.as_bytes().to_vec()),
        Rendered::public("favicon.svg", SVG_TYPE, render::FAVICON_SVG.as_bytes().to_vec()),
    ])
}

/// Returns a robots.txt (RFC 9309) that allows everything and names the sitemap.
fn robots(config: &Config) -> String {
    format!("User-agent: *\nDisallow:\nSitemap: {}\n", render::under(&config.site, "sitemap.xml"))
}

/// Renders the sitemap: the site's own pages, the sections, then the stories that they show.
fn sitemap(config: &Config, summaries: &[SectionSummary], slugs: &BTreeSet<&str>) -> Result<Vec<u8>, RenderError> {
    let newest = summaries.iter().map(|summary| summary.updated).max();
    let mut pages = vec![(String::new(), newest), ("about/".to_owned(), None), ("feeds/".to_owned(), None)];
    pages.extend(summaries.iter().map(|summary| (format!("{}/", summary.section.id), Some(summary.updated))));
    pages.extend(slugs.iter().map(|slug| (format!("story/{slug}/"), None)));
    render::sitemap(&config.site, pages.iter().map(|(path, changed)| (path.as_str(), *changed)))
}
