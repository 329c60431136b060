//! The checked configuration, as the rest of the program sees it. Every reference in it holds.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use chrono_tz::Tz;
use ipnet::IpNet;
use secrecy::SecretString;
use url::Url;

use crate::entry::Category;
use crate::feed::{FeedId, SectionId};
use crate::rule::Rule;
use crate::schedule::Schedule;

/// A whole configuration: the main file and all that it includes.
#[derive(Clone, Debug)]
pub struct Config {
    pub site: Site,
    pub server: Server,
    pub store: StoreConfig,
    pub publish: Publish,
    pub stories: Stories,
    pub poll: Poll,
    /// In the order of the files; ids are unique.
    pub feeds: Vec<Arc<Feed>>,
    /// In the order of the files; ids are unique.
    pub sections: Vec<Arc<Section>>,
    /// Where in `feeds` each of them is.
    pub(super) feed_index: HashMap<FeedId, usize>,
}

impl Config {
    pub fn feed(&self, id: &FeedId) -> Option<&Arc<Feed>> {
        self.feed_index.get(id).map(|index| &self.feeds[*index])
    }

    pub fn section(&self, id: &SectionId) -> Option<&Arc<Section>> {
        self.sections.iter().find(|section| section.id == *id)
    }
}

/// `[site]`: what every edition and page says of the whole.
#[derive(Clone, Debug)]
pub struct Site {
    pub title: String,
    /// Public base of every link; its path ends with a slash. Default: `http://` and `server.listen`.
    pub url: Url,
    pub description: Option<String>,
    /// BCP 47.
    pub language: String,
    /// For cron schedules and for pages.
    pub timezone: Tz,
    pub rights: Option<String>,
    pub owner: Option<Owner>,
    /// Names of the parts of a classification, in their order: `["region", "topic", "type"]`.
    pub facets: Vec<String>,
    /// The pattern of a byline, with `{author}`, `{via}` and `{source}`.
    pub byline: String,
}

#[derive(Clone, Debug)]
pub struct Owner {
    pub name: String,
    pub email: Option<String>,
}

/// `[server]`: where it listens.
#[derive(Clone, Debug)]
pub struct Server {
    pub listen: Listen,
    pub admin: Listen,
    /// Host names in lower case under which the admin address answers, besides its own.
    pub admin_hosts: Vec<String>,
}

/// A place at which connections come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    Address(SocketAddr),
    /// A socket in the file system, for a reverse proxy on the same machine: `unix:/run/newswire/site.sock`.
    Unix(PathBuf),
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Listen::Address(address) => write!(f, "{address}"),
            Listen::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// `[store]`.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// Absolute, or relative to the working directory: the config's own folder is already joined to it.
    pub path: PathBuf,
    /// How long words are kept that no document lists any more.
    pub keep: Duration,
    /// How many entries keep their words at most; those that documents list are kept all the same.
    pub max_entries: Option<u64>,
    /// How large the store may grow before the oldest words are let go, those that documents list excepted.
    pub max_bytes: Option<u64>,
}

/// `[publish]`.
#[derive(Clone, Debug)]
pub struct Publish {
    pub directory: Option<PathBuf>,
    pub hub: Option<Url>,
    pub templates: Option<PathBuf>,
}

/// `[stories]`: how one story is recognised.
#[derive(Clone, Debug)]
pub struct Stories {
    pub dedup: Dedup,
    /// How far apart, by `sort_at`, copies of one text may be.
    pub window: Duration,
    /// How much of their text long copies under one title must have in common, 0 to 1.
    pub likeness: f64,
    /// Query parameters that only track readers, beside the known ones; in lower case, `*` at the end for all that begin so.
    pub tracking: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedup {
    Text,
    Links,
    Off,
}

/// `[poll]`, as far as it is not the default of each feed's own keys.
#[derive(Clone, Debug)]
pub struct Poll {
    pub concurrency: usize,
    /// Goes into the User-Agent.
    pub contact: Url,
    /// Private addresses that may be reached, by a feed that says nothing itself and for the WebSub hub.
    pub allow: Vec<Allow>,
}

/// `[[feed]]`, with the defaults of `[poll]` filled in.
#[derive(Clone, Debug)]
pub struct Feed {
    pub id: FeedId,
    pub url: FeedUrl,
    /// Overrides what the document says.
    pub title: Option<String>,
    pub tags: Vec<String>,
    /// Given to every entry, facets taken apart: `region:international` has the facet's scheme.
    pub categories: Vec<Category>,
    pub schedule: Schedule,
    /// Whether no `schedule` is written, neither for the feed nor in `[poll]`.
    pub schedule_is_default: bool,
    pub priority: i64,
    pub enabled: bool,
    pub headers: Vec<(String, SecretString)>,
    pub basic_auth: Option<BasicAuth>,
    pub image: Option<Url>,
    pub timeout: Duration,
    pub max_body_bytes: u64,
    pub allow: Vec<Allow>,
    pub republish: Republish,
    pub dedup: Dedup,
    pub user_agent: Option<String>,
    pub accept_language: Option<String>,
    pub proxy: Option<SecretString>,
    pub ca_file: Option<PathBuf>,
    pub http2: bool,
    /// The site that the feed speaks for; what a `file:` feed needs to lead a story.
    pub site: Option<Url>,
}

/// Where a feed is polled, and the form of that address which may be shown.
#[derive(Clone)]
pub struct FeedUrl {
    /// `http`, `https`, or `file` with an absolute path. May hold userinfo and tokens: never shown.
    pub secret: Url,
    /// Without userinfo, and with the values of secret parameters masked; of a wholly secret URL only the host.
    pub shown: Url,
}

impl FeedUrl {
    pub fn is_file(&self) -> bool {
        self.secret.scheme() == "file"
    }

    /// Whether the address as a whole is secret, so that no more than its origin may be shown.
    pub fn is_wholly_secret(&self) -> bool {
        let (secret, shown) = (&self.secret, &self.shown);
        secret.path() != shown.path() || secret.query().is_some() != shown.query().is_some()
    }
}

impl fmt::Debug for FeedUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.shown)
    }
}

#[derive(Clone, Debug)]
pub struct BasicAuth {
    pub user: String,
    pub password: SecretString,
}

/// One opening in the guard against private addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    Network(IpNet),
    Address(SocketAddr),
    /// A host name in lower case, with a port or for all ports.
    Host(String, Option<u16>),
}

/// How much of an entry's text may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Republish {
    Link,
    Summary,
    Full,
}

/// `[[section]]`.
#[derive(Clone, Debug)]
pub struct Section {
    pub id: SectionId,
    pub title: String,
    pub description: Option<String>,
    /// The feeds that it takes, resolved from ids, tags and `"*"`, in the config's order; removed feeds are not among them.
    pub feeds: FeedList,
    pub keep: Vec<Rule>,
    pub drop: Vec<Rule>,
    pub limit: usize,
    pub max_age: Option<Duration>,
    pub per_feed: Option<usize>,
    pub edits: Edits,
    /// Ids that it had before.
    pub formerly: Vec<SectionId>,
    pub podcast: Option<PodcastChannel>,
    /// Whoever reads it must know one of these; `None` where it is public.
    pub access: Option<Access>,
    /// The hash of all that decides which stories are in it (feeds, rules, `max_age`): if it changes, the section is judged
    /// again. Same text and same feeds give the same hash, at every start.
    pub definition_hash: u64,
    /// The hash that the version before made of the same. A section that has it in the store need not be judged again.
    pub former_hash: u64,
}

impl Section {
    /// Whether everybody may read the section.
    pub fn is_public(&self) -> bool {
        self.access.is_none()
    }

    /// The token by which a private section is read, if it is read by one.
    pub fn token(&self) -> Option<&SecretString> {
        match &self.access {
            Some(Access::Token(token)) => Some(token),
            Some(Access::Basic(_)) | None => None,
        }
    }

    /// Whether the section takes the feed's copies.
    pub fn takes(&self, feed: &FeedId) -> bool {
        self.feeds.contains(feed)
    }
}

/// Feeds in an order, each once. Asking whether one is among them does not take longer with their number: it is asked for
/// every story and section.
#[derive(Clone, Debug, Default)]
pub struct FeedList {
    in_order: Vec<FeedId>,
    all: HashSet<FeedId>,
}

impl FeedList {
    pub fn iter(&self) -> impl Iterator<Item = &FeedId> {
        self.in_order.iter()
    }

    pub fn contains(&self, feed: &FeedId) -> bool {
        self.all.contains(feed)
    }
}

impl FromIterator<FeedId> for FeedList {
    fn from_iter<I: IntoIterator<Item = FeedId>>(feeds: I) -> Self {
        let mut list = FeedList::default();
        for feed in feeds {
            if list.all.insert(feed.clone()) {
                list.in_order.push(feed);
            }
        }
        list
    }
}

/// What a section does with an entry that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    Apply,
    Ignore,
    Bump,
}

#[derive(Clone, Debug)]
pub struct PodcastChannel {
    pub category: String,
    pub explicit: bool,
}

#[derive(Clone, Debug)]
pub enum Access {
    Token(SecretString),
    Basic(BasicAuth),
}
