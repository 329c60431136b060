//! Reads the `[[feed]]` tables: first the ids, so that everything else can refer to them, then the other keys.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use url::{Host, Url};

use super::feed_url;
use super::id::{self, Ids, SectionIds};
use super::model::{Config, Feed, FeedList, FeedUrl, Section};
use super::problem::Place;
use super::reader::{Fault, Node, Table};
use super::settings::{self, Settings};
use super::{classify, mask, shown_url, value};
use crate::entry::Category;
use crate::feed::{FeedId, SectionId};

/// Headers that newswire sets itself. Setting them by hand would break the request.
const RESERVED_HEADERS: [&str; 10] = [
    "host",
    "content-length",
    "content-encoding",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "accept-encoding",
    "if-none-match",
    "if-modified-since",
];

/// All feeds of a configuration, with what the sections need to know about them.
#[derive(Default)]
pub(super) struct Feeds {
    /// The feeds without errors, in the order of the files.
    pub good: Vec<Arc<Feed>>,
    /// The ids of all feeds, including those with errors.
    pub ids: HashSet<FeedId>,
    /// The tags of all feeds.
    pub tags: HashSet<String>,
    /// For each section that at least one feed names in its `sections`: the ids of these feeds. The list is empty if
    /// none of them has a valid id.
    pub named: HashMap<SectionId, Vec<FeedId>>,
}

impl Feeds {
    /// Returns the feeds of a checked configuration.
    pub(super) fn of(config: &Config) -> Feeds {
        Feeds {
            good: config.feeds.clone(),
            ids: config.feeds.iter().map(|feed| feed.id.clone()).collect(),
            tags: config.feeds.iter().flat_map(|feed| feed.tags.iter().cloned()).collect(),
            named: HashMap::new(),
        }
    }
}

/// A feed's table with the two values that identify it.
struct FeedHead<'a> {
    table: Table<'a>,
    id: Option<FeedId>,
    url: Option<FeedUrl>,
}

/// Reads all feeds and reports every problem in them.
pub(super) fn read_all(tables: &[Table], settings: &Settings, sections: &SectionIds) -> Feeds {
    let mut feeds = Feeds::default();
    for head in heads(tables) {
        for section in section_names(&head.table, sections) {
            feeds.named.entry(section).or_default().extend(head.id.clone());
        }
        let tags = head.table.get("tags", |node| node.list(value::words)).unwrap_or_default();
        feeds.tags.extend(tags.iter().cloned());
        feeds.ids.extend(head.id.clone());
        feeds.good.extend(read(head, tags, settings).map(Arc::new));
    }
    feeds
}

/// Reads the ids and URLs. Assigns ids from the TOML before generated ones. A second feed with the same id is an error.
fn heads<'a>(tables: &[Table<'a>]) -> Vec<FeedHead<'a>> {
    let mut ids = Ids::default();
    let head = |table: &Table<'a>| {
        let id = table.get("id", id::feed).filter(|id| ids.claim(id, table));
        FeedHead { table: table.clone(), id, url: table.need("url", feed_url::read) }
    };
    let mut heads: Vec<FeedHead> = tables.iter().map(head).collect();
    warn_of_equal_urls(&heads);
    for head in heads.iter_mut().filter(|head| !head.table.has("id")) {
        head.id = head.url.as_ref().map(|url| made_id(url, &head.table, &mut ids));
    }
    heads
}

fn made_id(url: &FeedUrl, table: &Table, ids: &mut Ids<FeedId>) -> FeedId {
    let id = feed_url::default_id(url);
    let other = feed_url::other_id(&id, url);
    let numbered = (2..).map(|number| format!("{other}-{number}"));
    let mut candidates = [id, other.clone()].into_iter().chain(numbered).map(|id| FeedId::from(id.as_str()));
    candidates.find(|id| ids.take(id, table).is_none()).expect("numbers do not end")
}

fn warn_of_equal_urls(heads: &[FeedHead]) {
    let mut first: HashMap<String, (&Url, Place)> = HashMap::new();
    for head in heads {
        let Some(url) = &head.url else { continue };
        let place = head.table.place_of("url");
        let reading = head.table.reading;
        if let Some((other, first)) = first.get(&shown_url::spelling(&url.secret)) {
            let spelling = if **other == url.secret { "" } else { " in another spelling" };
            let hint = format!("see {}", reading.location(first, &place));
            reading.warn(
                &place,
                Fault::new(
                    format!(
                        "another feed has the same URL{spelling}, which is polled twice; remove one of the two feeds"
                    ),
                    hint,
                ),
            );
        } else {
            first.insert(shown_url::spelling(&url.secret), (&url.secret, place));
        }
    }
}

/// Warns of feeds that no section takes. newswire would poll them, but no reader would see their entries.
pub(super) fn warn_of_unused_feeds(tables: &[Table], feeds: &Feeds, sections: &[Arc<Section>]) {
    let Some(reading) = tables.first().map(|table| table.reading) else { return };
    let lists = FeedList::distinct(sections.iter().map(|section| &section.feeds));
    let taken: HashSet<&FeedId> = lists.into_iter().flat_map(FeedList::iter).collect();
    if sections.is_empty() || reading.has_errors() {
        return;
    }
    for (feed, table) in feeds.good.iter().zip(tables).filter(|(feed, _)| !taken.contains(&feed.id) && feed.enabled) {
        let hint = "add it to the `feeds` of a section, or write sections = [\"…\"] here";
        reading.warn(&table.place, Fault::new(format!("no section takes the feed `{}`", feed.id), hint));
    }
}

fn section_names(table: &Table, sections: &SectionIds) -> Vec<SectionId> {
    let read = |node: Node| {
        let name = node.text()?;
        match sections.find(name) {
            None if !node.reading.is_broken() => {
                let hint = node.reading.suggest(name, sections.names());
                Err(Fault { message: format!("there is no section `{name}`"), hint })
            }
            found => Ok(found),
        }
    };
    table.get("sections", |node| node.list(read)).unwrap_or_default().into_iter().flatten().collect()
}

/// Reads all keys of a feed; `None` if it has no id or no URL.
fn read(head: FeedHead, tags: Vec<String>, settings: &Settings) -> Option<Feed> {
    let table = &head.table;
    let defaults = &settings.defaults;
    let timezone = settings.site.timezone;
    let is_file = head.url.as_ref().is_some_and(FeedUrl::is_file);
    let schedule = table.get("schedule", |node| settings::schedule(node, timezone, is_file));
    let categories = table.get("categories", |node| node.list(category)).unwrap_or_default();
    let allow = table.get("allow", |node| node.list(value::allow));
    let (headers, has_secret_header) = table.get("headers", headers).unwrap_or_default();
    let secret_key = if table.has("basic_auth") { Some("basic_auth") } else { has_secret_header.then_some("headers") };
    if let Some(url) = &head.url {
        warn_of_plain_http(table, url, secret_key);
    }
    Some(Feed {
        title: table.get("title", value::words),
        tags,
        categories: classify(&categories, &settings.site.facets, &settings.site.url),
        schedule_is_default: schedule.is_none() && defaults.schedule_is_default,
        schedule: schedule.unwrap_or_else(|| defaults.schedule.clone()),
        priority: table.get("priority", |node| node.integer(-1_000_000..=1_000_000)).unwrap_or(0),
        enabled: table.get("enabled", Node::boolean).unwrap_or(true),
        headers,
        basic_auth: value::basic_auth(table, value::header_secret),
        image: table.get("image", value::web_url),
        timeout: table.get("timeout", settings::timeout).unwrap_or(defaults.timeout),
        max_body_bytes: table.get("max_size", value::size).unwrap_or(defaults.max_body_bytes),
        allow: allow.unwrap_or_else(|| defaults.allow.clone()),
        republish: table.get("republish", value::republish).unwrap_or(defaults.republish),
        dedup: table.get("dedup", value::dedup).unwrap_or(settings.stories.dedup),
        user_agent: table.get("user_agent", value::header_words),
        accept_language: table.get("accept_language", value::header_words),
        proxy: table.get("proxy", proxy),
        ca_file: table.get("ca_file", value::path),
        http2: table.get("http2", Node::boolean).unwrap_or(true),
        site: table.get("site", value::web_url),
        // These come last because `?` returns at once: the problems of all other keys are reported before that.
        id: head.id?,
        url: head.url?,
    })
}

fn category(node: Node) -> Result<Category, Fault> {
    Ok(Category { term: value::words(node)?, ..Category::default() })
}

/// Reads the headers, and whether one of them is secret. A header is secret by its name, or if its value is in the
/// environment or a file.
fn headers(node: Node) -> Result<(Vec<(String, SecretString)>, bool), Fault> {
    let mut headers = Vec::new();
    let mut has_secret = false;
    for (name, place, node) in node.pairs()? {
        let reserved = RESERVED_HEADERS.iter().any(|reserved| name.eq_ignore_ascii_case(reserved));
        let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if reserved {
            node.reading.fail(&place, Fault::from(format!("newswire sets the header `{name}` itself")));
        } else if name.is_empty() || !name.bytes().all(token) {
            node.reading.fail(&place, Fault::from("expected a header name".to_owned()));
        }
        has_secret |= mask::sounds_secret(name) || node.is_table();
        match value::header_secret(node) {
            Ok(secret) => headers.push((name.to_owned(), secret)),
            Err(fault) => node.reading.fail(&node.place(), fault),
        }
    }
    Ok((headers, has_secret))
}

/// The URL schemes of the proxies that newswire supports.
pub const PROXY_SCHEMES: [&str; 6] = ["http", "https", "socks4", "socks4a", "socks5", "socks5h"];

/// Warns of credentials that are sent over http, where anyone on the network path can read them. `key` is the key other
/// than `url` that holds credentials, if there is one.
fn warn_of_plain_http(table: &Table, url: &FeedUrl, key: Option<&'static str>) {
    let FeedUrl { secret: url, shown } = url;
    let is_on_this_machine = match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => true,
    };
    let has_userinfo = !url.username().is_empty() || url.password().is_some();
    let is_secret = has_userinfo || (url.path(), url.query()) != (shown.path(), shown.query());
    if let Some(key) = key.or(is_secret.then_some("url")).filter(|_| url.scheme() == "http" && !is_on_this_machine) {
        let fault = Fault::new("this is sent unencrypted over http", "use https:// in `url` if the server supports it");
        table.reading.warn(&table.place_of(key), fault);
    }
}

fn proxy(node: Node) -> Result<SecretString, Fault> {
    let proxy = value::secret(node)?;
    let url = Url::parse(proxy.expose_secret()).ok();
    let good = url.is_some_and(|url| PROXY_SCHEMES.contains(&url.scheme()) && url.has_host());
    let wanted =
        || Fault::new("expected the URL of a proxy", "such as \"http://proxy:3128\" or \"socks5h://127.0.0.1:9050\"");
    if good { Ok(proxy) } else { Err(wanted()) }
}
