//! Lists of feeds from other programs → `[[feed]]` and `[[section]]` of our own.
//!
//! What is read is told apart by its content: OPML 1.0 and 2.0 (with the attributes of FreshRSS and Miniflux), the ini of
//! Planet and Planet Venus, newsboat's `urls`, sfeed's `sfeedrc`, or addresses one a line. A list is hostile until proved
//! otherwise: it is bounded in size, depth and number, and nothing that it names is ever fetched. Whatever cannot be taken
//! is told with its reason, never dropped silently.

mod list;
mod opml;
mod plan;
mod planet;
mod sfeed;

use std::collections::HashSet;

use url::Url;

use super::shown_url;

pub use self::plan::{ImportPlan, SameAddress, plan};

/// The longest list that is read.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The most feeds and folders that are read.
const MAX_OUTLINES: usize = 10_000;

/// The deepest nesting of folders that is read.
const MAX_DEPTH: usize = 32;

/// The most tags of one feed that are taken. An editor has a dozen.
const MAX_TAGS: usize = 500;

/// The most characters of a line that are shown.
const LINE_CHARS: usize = 120;

/// Why a list was not read at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("the list has more than 10 MiB; split it")]
    TooLong,
    #[error("the list has more than {MAX_OUTLINES} feeds and folders; split it")]
    TooMany,
    #[error("the list nests folders deeper than {MAX_DEPTH}")]
    TooDeep,
    #[error("this is no list of feeds: neither OPML, Planet's ini, newsboat's urls, sfeedrc, nor addresses one a line")]
    Unknown,
}

/// A list as read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// What kind of list it is, as people call it.
    pub format: &'static str,
    /// In the list's order; one address may occur several times.
    pub feeds: Vec<ImportedFeed>,
    /// Of a planet: how many stories its page shows.
    pub limit: Option<i64>,
    /// What a planet's section drops, in its order.
    pub drops: Vec<Filter>,
    pub left_out: Vec<LeftOut>,
}

/// A feed of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedFeed {
    /// Mended, and one that can be polled.
    pub url: String,
    pub title: Option<String>,
    pub site: Option<String>,
    pub image: Option<String>,
    pub user_agent: Option<String>,
    /// As an export of newswire names it.
    pub id: Option<String>,
    /// The sections that it belongs to.
    pub folders: Vec<Folder>,
    pub tags: Vec<String>,
    pub is_disabled: bool,
}

/// What becomes a section.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folder {
    pub title: String,
    /// As an export of newswire names it.
    pub id: Option<String>,
}

/// Stories that do not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// Only of the feed with this address.
    pub feed: Option<String>,
    /// A regular expression for title, summary and content.
    pub pattern: String,
    /// Whether it drops what matches, and not what does not.
    pub drops_matches: bool,
}

/// Something that a list holds and newswire does not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    pub what: String,
    pub why: String,
}

/// Reads a list of any known kind.
///
/// # Errors
///
/// If it is none, or beyond the bounds.
pub fn read(text: &str) -> Result<Imported, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLong);
    }
    let text = text.trim_start_matches('\u{feff}');
    let imported = if text.trim_start().starts_with('<') {
        opml::read(text)?
    } else if planet::is_planet(text) {
        planet::read(text)?
    } else if sfeed::is_sfeedrc(text) {
        sfeed::read(text)
    } else {
        list::read(text)
    };
    if imported.feeds.len() + imported.left_out.len() > MAX_OUTLINES {
        return Err(ImportError::TooMany);
    }
    if imported.feeds.is_empty() && !text.trim_start().starts_with('<') && !list::names_anything(text) {
        return Err(ImportError::Unknown);
    }
    Ok(imported)
}

impl Imported {
    /// Leaves out the feeds that are files of this machine: a list from elsewhere must not make newswire publish them.
    pub fn refuse_files(&mut self) {
        let feeds = std::mem::take(&mut self.feeds);
        let (files, feeds): (Vec<_>, Vec<_>) = feeds.into_iter().partition(|feed| is_file(&feed.url));
        self.feeds = feeds;
        for feed in files {
            self.leave_out(feed.url, "a file of this machine; --allow-files takes it");
        }
    }

    fn leave_out(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.left_out.push(LeftOut { what: what.into(), why: why.into() });
    }

    /// Takes the feed, if its address is one.
    fn take(&mut self, mut feed: ImportedFeed) {
        let (tags, is_cut) = distinct(std::mem::take(&mut feed.tags));
        feed.tags = tags;
        if is_cut {
            let named = feed.title.as_ref().unwrap_or(&feed.url).clone();
            self.leave_out(format!("some tags of {named}"), format!("a feed may have {MAX_TAGS} tags"));
        }
        match mended(&feed.url) {
            Some(url) => self.feeds.push(ImportedFeed { url, ..feed }),
            None => self.leave_out(feed.title.unwrap_or(feed.url), "not a usable feed address"),
        }
    }
}

fn is_file(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "file")
}

/// A line of a list, cut to what can be shown.
fn shown(line: &str) -> String {
    let end = line.char_indices().nth(LINE_CHARS);
    end.map_or_else(|| line.to_owned(), |(end, _)| format!("{}…", &line[..end]))
}

/// The first of each, in their order, and whether there were more than [`MAX_TAGS`].
fn distinct(tags: impl IntoIterator<Item = String>) -> (Vec<String>, bool) {
    let mut seen = HashSet::new();
    let mut distinct: Vec<String> =
        tags.into_iter().filter(|tag| seen.insert(tag.clone())).take(MAX_TAGS + 1).collect();
    let is_cut = distinct.len() > MAX_TAGS;
    distinct.truncate(MAX_TAGS);
    (distinct, is_cut)
}

/// The address as it was meant; `None` if it cannot be polled.
fn mended(url: &str) -> Option<String> {
    let url = shown_url::without_feed_scheme(url).replace("&amp;", "&");
    let url = if url.starts_with("//") {
        format!("https:{url}")
    } else if !url.contains(':') && url.split('/').next().is_some_and(|host| host.contains('.')) {
        format!("https://{url}")
    } else {
        url
    };
    let url = without_blanks(&url);
    let parsed = Url::parse(&url).ok()?;
    let is_pollable = match parsed.scheme() {
        "http" | "https" => parsed.has_host(),
        "file" => parsed.path().len() > 1,
        _ => false,
    };
    is_pollable.then_some(url)
}

/// Encodes the blanks of path and query, which are part of the address. No scheme and no host has any, and line breaks are none.
fn without_blanks(url: &str) -> String {
    let url: String = url.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
    let host = url.find("//").map_or(0, |slashes| slashes + 2);
    let path = url[host..].find(['/', '?']).map_or(url.len(), |path| host + path);
    let (head, tail) = url.split_at(path);
    let head: String = head.chars().filter(|c| !c.is_whitespace()).collect();
    let encoded = |c: char| if c == ' ' { "%20".to_owned() } else { c.to_string() };
    head + &tail.chars().map(encoded).collect::<String>()
}

/// An absolute web address.
fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let has_secret =
        !url.username().is_empty() || url.password().is_some() || shown_url::secret_parameter(&url).is_some();
    (!has_secret).then(|| text.trim().to_owned())
}
