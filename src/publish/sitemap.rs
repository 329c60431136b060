//! Renders the sitemaps on request, and for the folder: the site's own pages, the public sections, and the stories that have no
//! other address. The page of a story with an original names the original as canonical, so a sitemap must not list it.
//!
//! `sitemap.xml` lists all addresses if they fit into one sitemap. Otherwise it is the index of `sitemap-1.xml` and so on.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::edition::{Edition, Rendered, XML_TYPE};
use super::queue::{RequestTurn, read_limits};
use super::{PublishError, Publisher};
use crate::config::{Config, Site};
use crate::number::StoryNumber;
use crate::render::{self, RenderError};
use crate::time::Timestamp;

/// The path of the sitemap, or of the index of the sitemaps.
pub(super) const SITEMAP: &str = "sitemap.xml";

/// The most addresses of a sitemap (sitemaps.org).
const MAX_PAGES: usize = 50_000;

/// The most bytes of a sitemap: 50 MB, less its first and last lines.
const MAX_BYTES: usize = 49_000_000;

/// The most bytes that a sitemap has for a page, besides the address of the site: tags, the time of the last change, and a path
/// with the longest slug.
const PAGE_BYTES: usize = 500;

/// How many placements one read loads, so that the store is free for others in between.
const BATCH: usize = 20_000;

/// A page of the site: its path, and when its content last changed.
type SitemapPage = (String, Option<Timestamp>);

/// Returns the number of the sitemap at a path: 0 for the first or only document. `None` if it is no sitemap's path. A number
/// has only one spelling.
pub(super) fn sitemap_number(path: &str) -> Option<usize> {
    if path == SITEMAP {
        return Some(0);
    }
    let number = path.strip_prefix("sitemap-")?.strip_suffix(".xml")?;
    number.parse().ok().filter(|parsed: &usize| *parsed > 0 && parsed.to_string() == number)
}

/// Returns the path of a sitemap.
fn sitemap_path(number: usize) -> String {
    if number == 0 { SITEMAP.to_owned() } else { format!("sitemap-{number}.xml") }
}

/// Returns how many pages one sitemap of the site may list.
fn pages_of_one(site: &Site) -> usize {
    (MAX_BYTES / (site.url.as_str().len() + PAGE_BYTES)).clamp(1, MAX_PAGES)
}

/// Renders the sitemap with this number; `None` if the pages do not need so many.
fn document(site: &Site, pages: &[SitemapPage], of_one: usize, number: usize) -> Option<Result<Vec<u8>, RenderError>> {
    let mut parts = pages.chunks(of_one);
    let newest = |part: &[SitemapPage]| part.iter().filter_map(|(_, changed)| *changed).max();
    let part = match (number, parts.len()) {
        (0, 0 | 1) => pages,
        (0, _) => {
            let entries = (1..).zip(parts).map(|(number, part)| (sitemap_path(number), newest(part)));
            return Some(render::sitemap_index(site, entries));
        }
        (_, 0 | 1) => return None,
        _ => parts.nth(number - 1)?,
    };
    Some(render::sitemap(site, part.iter().map(|(path, changed)| (path.as_str(), *changed))))
}

impl Publisher {
    /// Renders a sitemap; `None` if there is none with this number. A `turn` means that somebody requested it.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read in time, or if rendering fails.
    pub(super) async fn sitemap(
        &self,
        config: &Arc<Config>,
        number: usize,
        turn: Option<RequestTurn>,
    ) -> Result<Option<Edition>, PublishError> {
        let pages = self.sitemap_pages(config, turn.as_ref()).await?;
        let rendered = document(&config.site, &pages, pages_of_one(&config.site), number);
        rendered.map(|rendered| edition(number, rendered)).transpose()
    }

    /// Renders all sitemaps, each with its path.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot be read, or if rendering fails.
    pub(super) async fn sitemaps(&self, config: &Arc<Config>) -> Result<Vec<(String, Edition)>, PublishError> {
        let pages = self.sitemap_pages(config, None).await?;
        let rendered = (0..).map_while(|number| {
            let document = document(&config.site, &pages, pages_of_one(&config.site), number)?;
            Some(edition(number, document).map(|edition| (sitemap_path(number), edition)))
        });
        rendered.collect()
    }

    /// Returns the pages that sitemaps list: those of the site, then the sections, then the stories without an original, in
    /// the order in which newswire first saw them. So a new story changes only the last sitemap.
    async fn sitemap_pages(
        &self,
        config: &Arc<Config>,
        turn: Option<&RequestTurn>,
    ) -> Result<Vec<SitemapPage>, PublishError> {
        let current = self.current();
        let public = || config.sections.iter().filter(|section| section.is_public());
        let shown = public().filter_map(|section| Some((section, current.section(&section.id)?.updated)));
        let sections: Vec<SitemapPage> =
            shown.map(|(section, updated)| (format!("{}/", section.id), Some(updated))).collect();
        let newest = sections.iter().filter_map(|(_, updated)| *updated).max();
        let mut pages = vec![(String::new(), newest), ("about/".to_owned(), None), ("feeds/".to_owned(), None)];
        pages.extend(sections);
        let mut stories: BTreeMap<StoryNumber, SitemapPage> = BTreeMap::new();
        for section in public() {
            let mut after = StoryNumber(0);
            loop {
                let id = section.id.clone();
                let limits = read_limits(turn);
                let reading =
                    self.store.read_for(&limits, turn.cloned(), move |reader| reader.story_pages(&id, after, BATCH));
                let rows = reading.await?;
                let Some(last) = rows.last() else { break };
                after = last.story;
                for row in rows.into_iter().filter(|row| !row.has_link) {
                    let (_, changed) = stories.entry(row.story).or_insert((format!("story/{}/", row.slug), None));
                    *changed = (*changed).max(Some(row.changed));
                }
            }
        }
        pages.extend(stories.into_values());
        Ok(pages)
    }
}

fn edition(number: usize, rendered: Result<Vec<u8>, RenderError>) -> Result<Edition, PublishError> {
    let path = sitemap_path(number);
    let body = rendered.map_err(|source| PublishError::Render { section: path.clone(), source })?;
    Ok(Rendered::public(path, XML_TYPE, body).coded(None))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{SourceFile, check};

    #[test]
    fn sitemap_becomes_an_index_when_its_pages_do_not_fit_into_one() {
        let main = SourceFile {
            path: "newswire.toml".into(),
            text: "[site]\nurl = \"https://news.example.org/\"\n".to_owned(),
        };
        let site = check(&[main], &|_| Err(String::new())).0.unwrap().site;
        let changed = Timestamp::from_millis(1_512_086_400_000);
        let pages: Vec<SitemapPage> = (0..5).map(|page| (format!("story/{page}/"), Some(changed))).collect();
        let rendered = |of_one: usize, number: usize| {
            document(&site, &pages, of_one, number).map(|document| String::from_utf8(document.unwrap()).unwrap())
        };
        let whole = rendered(5, 0).unwrap();
        assert!(whole.contains("<urlset") && whole.matches("<loc>").count() == 5, "{whole}");
        assert_eq!(rendered(5, 1), None);
        let index = rendered(2, 0).unwrap();
        assert!(
            index.contains("<sitemapindex") && index.contains("<lastmod>2017-12-01T00:00:00Z</lastmod>"),
            "{index}"
        );
        assert!(index.contains("<loc>https://news.example.org/sitemap-3.xml</loc>"), "{index}");
        let counts = [1, 2, 3].map(|number| rendered(2, number).unwrap().matches("<loc>").count());
        assert_eq!((counts, rendered(2, 4)), ([2, 2, 1], None));
    }

    #[test]
    fn path_of_a_sitemap_has_one_spelling() {
        let check = |path: &str, expected: Option<usize>| assert_eq!(sitemap_number(path), expected, "{path}");
        check("sitemap.xml", Some(0));
        check("sitemap-12.xml", Some(12));
        check("sitemap-0.xml", None);
        check("sitemap-01.xml", None);
        check("sitemap-1.xml.gz", None);
    }
}
