//! Digests as entries: the headlines of a day or week, each with its summary, its credit and its rights.

use minijinja::context;

use crate::config::{Section, Site};
use crate::entry::{Entry, Source};
use crate::render::address::{self, Format};
use crate::render::entry::{EditionEntry, PreparedSection, edition_entry};
use crate::render::page::{Pages, value};
use crate::render::shown::Look;
use crate::render::{RenderError, SectionView, shown, text};
use crate::rows::{Digest, DigestKind};
use crate::section::ShownStory;

/// The most bytes of a digest's HTML after escaping. Ten digests in a document then have less than 1 MiB, which every
/// feed reader accepts.
const DIGEST_BYTES: usize = 96 * 1024;

/// The target size of a page, as for a section's page.
const PAGE_BYTES: usize = 56_000;

/// The longest byline of a story, in characters.
const BYLINE_CHARS: usize = 200;

/// How many headlines the summary of a digest names.
const NAMED: usize = 3;

/// Returns digests as stories, each with the content of one entry. `id` is the permanent id of the section.
pub fn digest_entries(site: &Site, section: &Section, id: &str, digests: &[Digest]) -> Vec<ShownStory> {
    digests.iter().map(|digest| digest_entry(site, section, id, digest)).collect()
}

fn digest_entry(site: &Site, section: &Section, id: &str, digest: &Digest) -> ShownStory {
    let kind = digest.kind.name();
    let own_id = format!("{id}/{kind}/{}", digest.day);
    let page = address::under(site, &format!("{}/{kind}/", section.id));
    let has_pages = section.is_public();
    let entries: Vec<_> = digest.stories.iter().map(|story| edition_entry(site, story, &[], has_pages)).collect();
    let mut link = page.clone();
    link.set_fragment(Some(&anchor(digest)));
    let json = serde_json::json!({ "guid": { "value": own_id, "kind": "guid" }, "title": title(section, digest) });
    let entry: Entry = serde_json::from_value(json).expect("an entry needs only a guid and a title");
    ShownStory {
        id: own_id,
        slug: anchor(digest),
        sort_at: digest.ends,
        published: digest.ends,
        updated: digest.ends,
        entry: Entry {
            link: Some(link),
            summary_html: Some(text::escape(&summary(digest, &entries))),
            content_html: Some(content(site, section, digest, &entries)),
            ..entry
        },
        categories: Vec::new(),
        via: Vec::new(),
        byline: String::new(),
        source: Source {
            title: Some(section.title.clone()),
            url: Some(address::edition(site, &section.id, Format::Atom)),
            id: Some(id.to_owned()),
            site: Some(address::section_page(site, &section.id)),
            ..Source::default()
        },
        copies: Vec::new(),
    }
}

/// Returns the name of a digest within its page.
fn anchor(digest: &Digest) -> String {
    format!("day-{}", digest.day)
}

fn title(section: &Section, digest: &Digest) -> String {
    let title = text::line(&section.title).unwrap_or_else(|| section.id.to_string());
    let of = match digest.kind {
        DigestKind::Daily => "",
        DigestKind::Weekly => "week of ",
    };
    format!("{title}: {of}{}", digest.day.format("%-d %B %Y"))
}

fn summary(digest: &Digest, entries: &[EditionEntry]) -> String {
    let titles: Vec<&str> = entries.iter().take(NAMED).map(|entry| &*entry.title).collect();
    let more = if entries.len() > NAMED { " …" } else { "" };
    format!("{}: {}{more}", count(entries.len() + digest.more), titles.join("; "))
}

fn count(stories: usize) -> String {
    format!("{} {}", text::grouped(stories), if stories == 1 { "story" } else { "stories" })
}

/// Returns the HTML of a digest, with as many of its stories as fit into [`DIGEST_BYTES`].
fn content(site: &Site, section: &Section, digest: &Digest, entries: &[EditionEntry]) -> String {
    let mut items = String::new();
    let mut listed = 0;
    for entry in entries {
        let item = item(entry);
        if listed > 0 && escaped(&items) + escaped(&item) > DIGEST_BYTES {
            break;
        }
        items.push_str(&item);
        listed += 1;
    }
    let left = entries.len() - listed + digest.more;
    let mut html = format!("<ul>\n{items}</ul>");
    if left > 0 {
        let page = text::escape(&address::uri(&address::section_page(site, &section.id)));
        let title = text::escape(&text::line(&section.title).unwrap_or_else(|| section.id.to_string()));
        html.push_str(&format!("\n<p>And {} more in <a href=\"{page}\">{title}</a>.</p>", count(left)));
    }
    html
}

/// Returns the HTML of a story: the headline, the credit, the summary and the rights.
fn item(entry: &EditionEntry) -> String {
    let (link, title) = (text::escape(&entry.link), text::escape(&entry.title));
    let credit = text::escape(&credit(entry));
    let summary = text::escape(&entry.summary);
    let rights = entry.rights.as_ref().map(|rights| format!("<br><small>{}</small>", text::escape(rights)));
    let rights = rights.unwrap_or_default();
    format!("<li><p><a href=\"{link}\"><strong>{title}</strong></a><br>{credit}</p>\n<p>{summary}{rights}</p></li>\n")
}

/// Returns the story's byline, and its source if the byline does not name it.
fn credit(entry: &EditionEntry) -> String {
    let byline: String = text::line(&entry.story.byline).unwrap_or_default().chars().take(BYLINE_CHARS).collect();
    let source = &entry.source.title;
    match (byline.is_empty(), byline.contains(source.as_str())) {
        (true, _) => source.clone(),
        (false, true) => byline,
        (false, false) => format!("{byline} – {source}"),
    }
}

/// Returns the size of HTML that is escaped in a document.
fn escaped(html: &str) -> usize {
    html.bytes().map(|byte| if matches!(byte, b'<' | b'>' | b'&' | b'"') { 6 } else { 1 }).sum()
}

impl SectionView<'_> {
    /// Prepares digests. Unlike other stories, each has its page where its link leads.
    pub fn prepare_digests(&self) -> PreparedSection<'_> {
        let mut prepared = self.prepare();
        prepared.entries.iter_mut().for_each(|entry| entry.page = Some(entry.link.clone()));
        prepared
    }
}

impl Pages {
    /// Renders `/{section}/daily/` or `/{section}/weekly/`: the newest digests, as many as a page has room for. `of` is the
    /// section itself.
    ///
    /// # Errors
    ///
    /// If a user's template fails.
    pub fn digests(&self, digests: &PreparedSection, of: &Section) -> Result<String, RenderError> {
        let look = Look { level: 2, pictures: false };
        let digest = |entry: &EditionEntry| {
            let content_html = entry.content_html.as_deref().map(|html| shown::html(html, look));
            context! { id => &entry.story.slug, title => &entry.title, content_html }
        };
        let all: Vec<_> = digests.entries.iter().map(digest).collect();
        let mut page = String::new();
        for count in (1..=all.len().max(1)).rev() {
            let rest = context! { digests => value(&all[..count.min(all.len())]) };
            page = self.selection_page("digests.html", digests, of, rest)?;
            if page.len() <= PAGE_BYTES {
                break;
            }
        }
        Ok(page)
    }
}
