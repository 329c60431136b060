//! Converts lists of feeds from other programs to `[[feed]]` and `[[section]]` tables.
//!
//! The content decides the format: OPML 1.0 and 2.0 (with the attributes of FreshRSS and Miniflux), the ini of Planet and
//! Planet Venus, newsboat's `urls`, sfeed's `sfeedrc`, or one address per line. A list is untrusted input: its size, depth and
//! number of feeds are limited, and nothing in it is ever fetched. Everything that cannot be imported is reported with the
//! reason, never dropped silently.

mod list;
mod opml;
mod plan;
mod planet;
mod sfeed;

use std::collections::HashSet;

use url::Url;

use super::shown_url;

pub use self::plan::{ImportPlan, SameAddress, plan};

/// The longest list that newswire reads, in bytes.
pub const MAX_BYTES: usize = 10 * 1024 * 1024;

/// The most feeds and folders that a list may have.
const MAX_OUTLINES: usize = 10_000;

/// The deepest nesting of folders that a list may have.
const MAX_DEPTH: usize = 32;

/// The most tags that one feed may have. People use about a dozen.
const MAX_TAGS: usize = 500;

/// How many characters of a line a message shows.
const LINE_CHARS: usize = 120;

/// Why newswire refuses a whole list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// The list has more than [`MAX_BYTES`] bytes.
    #[error("the list is larger than 10 MiB; split it")]
    TooLong,
    /// The list has more than 10,000 feeds and folders.
    #[error("the list has more than {MAX_OUTLINES} feeds and folders; split it")]
    TooMany,
    /// The list has folders nested more than 32 deep.
    #[error("the list nests folders more than {MAX_DEPTH} deep; flatten it")]
    TooDeep,
    /// The text has no known format and no address.
    #[error("not a list of feeds; expected OPML, Planet's ini, newsboat's urls, sfeedrc, or one address per line")]
    Unknown,
}

/// The content of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The format of the list, in words.
    pub format: &'static str,
    /// The feeds in the list's order; an address may occur several times.
    pub feeds: Vec<ImportedFeed>,
    /// How many stories a planet's page shows; `None` for other formats.
    pub limit: Option<i64>,
    /// The filters of a planet, in the file's order.
    pub drops: Vec<Filter>,
    /// Everything in the list that was not imported.
    pub skipped: Vec<Skipped>,
}

/// A feed of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportedFeed {
    /// The repaired address, absolute: http, https or file.
    pub url: String,
    /// The title as plain text.
    pub title: Option<String>,
    /// The web address of the feed's site.
    pub site: Option<String>,
    /// The web address of a portrait or logo.
    pub image: Option<String>,
    /// The User-Agent to send to this feed.
    pub user_agent: Option<String>,
    /// The feed id in a list that newswire exported.
    pub id: Option<String>,
    /// The folders that contain the feed; each becomes a section.
    pub folders: Vec<Folder>,
    /// The tags in the list's order.
    pub tags: Vec<String>,
    /// Whether the feed is not polled.
    pub is_disabled: bool,
}

/// A folder of a list; becomes a section.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Folder {
    /// The title as plain text.
    pub title: String,
    /// The section id in a list that newswire exported.
    pub id: Option<String>,
}

/// A filter of a planet, which becomes a drop rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The address of the feed that the filter is for; `None` for all feeds.
    pub feed: Option<String>,
    /// A regular expression for title, summary and content.
    pub pattern: String,
    /// Whether to drop stories that match (`exclude`), or those that do not (`filter`).
    pub drops_matches: bool,
}

/// Something in a list that newswire does not import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// What was skipped, such as an address or a setting.
    pub what: String,
    /// The reason, and where possible what to do.
    pub why: String,
}

/// Reads a list of any known format.
///
/// # Errors
///
/// If the text has no known format, or exceeds a limit.
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
    if imported.feeds.len() + imported.skipped.len() > MAX_OUTLINES {
        return Err(ImportError::TooMany);
    }
    if imported.feeds.is_empty() && !text.trim_start().starts_with('<') && !list::names_anything(text) {
        return Err(ImportError::Unknown);
    }
    Ok(imported)
}

impl Imported {
    /// Skips feeds that are local files, because a list from elsewhere must not make newswire publish files of this
    /// machine.
    pub fn refuse_files(&mut self) {
        let feeds = std::mem::take(&mut self.feeds);
        let (files, feeds): (Vec<_>, Vec<_>) = feeds.into_iter().partition(|feed| is_file(&feed.url));
        self.feeds = feeds;
        for feed in files {
            self.skip(feed.url, "this is a local file; use --allow-files to import it");
        }
    }

    fn skip(&mut self, what: impl Into<String>, why: impl Into<String>) {
        self.skipped.push(Skipped { what: what.into(), why: why.into() });
    }

    /// Adds the feed. If its address cannot be polled, adds it to the skipped things instead.
    fn take(&mut self, mut feed: ImportedFeed) {
        let (tags, is_cut) = distinct(std::mem::take(&mut feed.tags));
        feed.tags = tags;
        if is_cut {
            let named = feed.title.as_ref().unwrap_or(&feed.url).clone();
            self.skip(format!("some tags of {named}"), format!("a feed may have at most {MAX_TAGS} tags"));
        }
        match repaired(&feed.url) {
            Some(url) => self.feeds.push(ImportedFeed { url, ..feed }),
            None => self.skip(feed.title.unwrap_or(feed.url), "not a usable feed address"),
        }
    }
}

fn is_file(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "file")
}

/// Shortens a line of a list for a message.
fn shown(line: &str) -> String {
    let end = line.char_indices().nth(LINE_CHARS);
    end.map_or_else(|| line.to_owned(), |(end, _)| format!("{}…", &line[..end]))
}

/// Removes repeated tags and keeps the order. Returns at most [`MAX_TAGS`], and whether there were more.
fn distinct(tags: impl IntoIterator<Item = String>) -> (Vec<String>, bool) {
    let mut seen = HashSet::new();
    let mut distinct: Vec<String> =
        tags.into_iter().filter(|tag| seen.insert(tag.clone())).take(MAX_TAGS + 1).collect();
    let is_cut = distinct.len() > MAX_TAGS;
    distinct.truncate(MAX_TAGS);
    (distinct, is_cut)
}

/// Repairs an address; `None` if it cannot be polled.
fn repaired(url: &str) -> Option<String> {
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

/// Encodes spaces in path and query, where they belong to the address. Removes spaces in scheme and host, and all line
/// breaks and tabs.
fn without_blanks(url: &str) -> String {
    let url: String = url.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).collect();
    let host = url.find("//").map_or(0, |slashes| slashes + 2);
    let path = url[host..].find(['/', '?']).map_or(url.len(), |path| host + path);
    let (head, tail) = url.split_at(path);
    let head: String = head.chars().filter(|c| !c.is_whitespace()).collect();
    let encoded = |c: char| if c == ' ' { "%20".to_owned() } else { c.to_string() };
    head + &tail.chars().map(encoded).collect::<String>()
}

/// Returns an absolute web address without secrets; `None` for anything else.
fn web_address(text: &str) -> Option<String> {
    let url = Url::parse(text.trim()).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let has_secret =
        !url.username().is_empty() || url.password().is_some() || shown_url::secret_parameter(&url).is_some();
    (!has_secret).then(|| text.trim().to_owned())
}
