//! The checked configuration that the rest of the program uses. Every reference in it is valid.

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

use crate::entry::{Category, SourcePlace};
use crate::feed::{FeedId, SectionId};
use crate::hook::{HookEvent, HookId};
use crate::rows::DigestKind;
use crate::rule::Rule;
use crate::schedule::Schedule;

/// A whole configuration: the main file and its includes.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[site]`.
    pub site: Site,
    /// `[server]`.
    pub server: Server,
    /// `[store]`.
    pub store: StoreConfig,
    /// `[publish]`.
    pub publish: Publish,
    /// `[stories]`.
    pub stories: Stories,
    /// `[poll]`.
    pub poll: Poll,
    /// `[commands]`.
    pub commands: Commands,
    /// The hooks in the order of the file; ids are unique.
    pub hooks: Vec<Arc<Hook>>,
    /// The feeds in the order of the files; ids are unique.
    pub feeds: Vec<Arc<Feed>>,
    /// The sections in the order of the files; ids are unique.
    pub sections: Vec<Arc<Section>>,
    /// The index of each feed in `feeds`.
    pub(super) feed_index: HashMap<FeedId, usize>,
}

impl Config {
    /// Returns the feed with this id, in constant time.
    pub fn feed(&self, id: &FeedId) -> Option<&Arc<Feed>> {
        self.feed_index.get(id).map(|index| &self.feeds[*index])
    }

    /// Returns the section with this id.
    pub fn section(&self, id: &SectionId) -> Option<&Arc<Section>> {
        self.sections.iter().find(|section| section.id == *id)
    }
}

/// `[site]`: what every edition and page says about the whole site.
#[derive(Clone, Debug)]
pub struct Site {
    /// The title of the site. Default: `Newswire`.
    pub title: String,
    /// The public base of every link; its path ends with a slash. Default: `http://` and `server.listen`.
    pub url: Url,
    /// A sentence about the site, as plain text.
    pub description: Option<String>,
    /// The language of the site as a BCP 47 tag. Default: `en`.
    pub language: String,
    /// The time zone of cron schedules and pages. Default: UTC.
    pub timezone: Tz,
    /// The rights of the site as a whole, as plain text.
    pub rights: Option<String>,
    /// The person or group behind the site.
    pub owner: Option<Owner>,
    /// The names of the parts of a classification, in order: `["region", "topic", "type"]`.
    pub facets: Vec<String>,
    /// The pattern of a byline, with `{author}`, `{via}` and `{source}`.
    pub byline: String,
    /// What the front page shows. Default: bands.
    pub front: Front,
    /// The colour of links and marks on pages, if it is not the built-in one.
    pub accent: Option<Colour>,
    /// The picture that pages show instead of the title. Pages load it over `https` only.
    pub logo: Option<Url>,
    /// Whether pages show the pictures of stories, which readers load from other sites. Default: true.
    pub pictures: bool,
    /// What operators of AI services are asked not to do; `None` to ask for nothing.
    pub ai: Option<AiRefusal>,
}

/// What operators of AI services are asked not to do with the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AiRefusal {
    /// To train models with it.
    Training,
    /// To train models with it, or to fetch it for answers to their users.
    Everything,
}

/// What the front page shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Front {
    /// A band for each section, with its newest stories.
    #[default]
    Bands,
    /// The newest posts of all sections with their full text, as planets do.
    River,
}

/// A colour in sRGB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour {
    /// The red part.
    pub red: u8,
    /// The green part.
    pub green: u8,
    /// The blue part.
    pub blue: u8,
}

/// `owner` of `[site]`.
#[derive(Clone, Debug)]
pub struct Owner {
    /// The name.
    pub name: String,
    /// The e-mail address.
    pub email: Option<String>,
}

/// `[server]`: the addresses to listen on.
#[derive(Clone, Debug)]
pub struct Server {
    /// The address for readers: editions and pages.
    pub listen: Listen,
    /// The private address: status, health, metrics and the status feed.
    pub admin: Listen,
    /// Further host names, in lower case, for which the admin address answers requests.
    pub admin_hosts: Vec<String>,
}

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listen {
    /// An IP address and port.
    Address(SocketAddr),
    /// A Unix socket, for a reverse proxy on the same machine: `unix:/run/newswire/site.sock`.
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

/// `[store]`: where the store is, and how much it keeps.
#[derive(Clone, Debug)]
pub struct StoreConfig {
    /// The path of the database: absolute, or relative to the working directory. The config's folder is already joined to it.
    pub path: PathBuf,
    /// How long to keep the text of entries after they left their feed's document. Default: 365 days.
    pub keep: Duration,
    /// The most entries that keep their text. Entries that a document still lists always keep it.
    pub max_entries: Option<u64>,
    /// How large the store may grow, in bytes, before the oldest texts are deleted. Entries that a document still lists
    /// always keep their text.
    pub max_bytes: Option<u64>,
}

/// `[publish]`: where newswire writes or announces editions, in addition to serving them.
#[derive(Clone, Debug)]
pub struct Publish {
    /// The folder to write the site to as files.
    pub directory: Option<PathBuf>,
    /// The WebSub hubs to notify of changes, without repeats.
    pub hubs: Vec<Url>,
    /// The folder with the user's own page templates.
    pub templates: Option<PathBuf>,
}

/// `[stories]`: how newswire recognises entries as copies of one story.
#[derive(Clone, Debug)]
pub struct Stories {
    /// The tests that may join copies. Default: text.
    pub dedup: Dedup,
    /// How far apart two copies of one text may be in time, by `sort_at`. Default: 3 days.
    pub window: Duration,
    /// The share of their text that long copies with the same title must have in common, 0 to 1. Default: 0.6.
    pub likeness: f64,
    /// Further query parameters that only track readers, in lower case; `*` at the end matches any rest of the name.
    pub tracking: Vec<String>,
}

/// The tests that may join copies into one story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dedup {
    /// Links and text.
    Text,
    /// Links only.
    Links,
    /// No tests: every entry is a separate story.
    Off,
}

/// `[poll]`, except the keys that only set defaults of feeds.
#[derive(Clone, Debug)]
pub struct Poll {
    /// How many feeds may be polled at the same time. Default: 256.
    pub concurrency: usize,
    /// The address in the User-Agent that tells publishers who polls them. Default: the site's about page, if `[site] url`
    /// is set to a public address. Otherwise `None`, because no one could be reached at a made-up address.
    pub contact: Option<Url>,
    /// Private addresses that may be fetched: by feeds without an `allow` of their own, and for the WebSub hubs.
    pub allow: Vec<Allow>,
}

/// `[[feed]]`, with the defaults of `[poll]` filled in.
#[derive(Clone, Debug)]
pub struct Feed {
    /// The id: written, or generated from the URL.
    pub id: FeedId,
    /// The address to poll.
    pub url: FeedUrl,
    /// The title, which overrides the document's; plain text.
    pub title: Option<String>,
    /// The tags, which sections and rules can refer to.
    pub tags: Vec<String>,
    /// The categories to add to every entry, with facets resolved: `region:international` has the facet's scheme.
    pub categories: Vec<Category>,
    /// When to poll the feed.
    pub schedule: Schedule,
    /// Whether neither the feed nor `[poll]` sets a `schedule`.
    pub schedule_is_default: bool,
    /// The priority of the feed's copies. If neither host nor credit decides which copy of a story leads (has its text
    /// shown), the copy with the highest priority leads. Default: 0.
    pub priority: i64,
    /// Whether to poll the feed. The stories of a disabled feed stay.
    pub enabled: bool,
    /// Further request headers; the values may be secret.
    pub headers: Vec<(String, SecretString)>,
    /// The credentials for HTTP Basic authentication (RFC 7617).
    pub basic_auth: Option<BasicAuth>,
    /// A portrait or logo to show with the feed.
    pub image: Option<Url>,
    /// How long a whole poll may take.
    pub timeout: Duration,
    /// The largest document to read, in bytes.
    pub max_body_bytes: u64,
    /// Private addresses that this feed may fetch.
    pub allow: Vec<Allow>,
    /// How much of an entry's text may be published.
    pub republish: Republish,
    /// The tests that may join this feed's entries to stories.
    pub dedup: Dedup,
    /// A User-Agent instead of newswire's own.
    pub user_agent: Option<String>,
    /// The Accept-Language header to send.
    pub accept_language: Option<String>,
    /// The URL of the proxy to fetch through; may contain credentials.
    pub proxy: Option<SecretString>,
    /// A file with the certificate authorities to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether HTTP/2 may be used. Default: true.
    pub http2: bool,
    /// The site that the feed belongs to. Without this key, the entries of a `file:` feed never count as originals of a
    /// site.
    pub site: Option<Url>,
}

impl Feed {
    /// Returns the page for which the feed *speaks*, that is, at whose host its entries count as originals: the feed's
    /// own address, or the `site` of a `file:` feed.
    pub fn speaks_for(&self) -> Option<&Url> {
        if self.url.is_file() { self.site.as_ref() } else { Some(&self.url.secret) }
    }
}

/// The address of a feed, and its form for display.
#[derive(Clone)]
pub struct FeedUrl {
    /// The address to fetch: `http`, `https`, or `file` with an absolute path. May contain userinfo and tokens; never show it.
    pub secret: Url,
    /// The address without userinfo and with secret parameters masked; only the host if the whole URL is secret.
    pub shown: Url,
}

impl FeedUrl {
    /// Whether the feed is a local file.
    pub fn is_file(&self) -> bool {
        self.secret.scheme() == "file"
    }

    /// Whether the address is secret as a whole, so that only its origin may be shown.
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

/// Credentials for HTTP Basic authentication (RFC 7617).
#[derive(Clone, Debug)]
pub struct BasicAuth {
    /// The user name, without a colon.
    pub user: String,
    /// The password.
    pub password: SecretString,
}

/// A private address that may be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allow {
    /// Every address of a network, on all ports.
    Network(IpNet),
    /// One address and port.
    Address(SocketAddr),
    /// A host name in lower case, with a port or for all ports.
    Host(String, Option<u16>),
}

/// How much of an entry's text may be published.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Republish {
    /// Title and link only.
    Link,
    /// The summary.
    Summary,
    /// The whole content.
    Full,
}

/// `[[section]]`: a selection of stories that is published as editions and pages of its own.
#[derive(Clone, Debug)]
pub struct Section {
    /// The id, which is part of its addresses.
    pub id: SectionId,
    /// The title. Default: the id in words.
    pub title: String,
    /// A sentence about the section, as plain text.
    pub description: Option<String>,
    /// The feeds that the section takes, resolved from ids, tags and `"*"`, in the config's order.
    pub feeds: FeedList,
    /// A story is in the section only if one of these rules matches, or if there are none.
    pub keep: Vec<Rule>,
    /// A story is not in the section if one of these rules matches.
    pub drop: Vec<Rule>,
    /// How many stories the section shows, 1 to 500. Default: 50.
    pub limit: usize,
    /// How old a story may be; `None` for no limit.
    pub max_age: Option<Duration>,
    /// How many stories of one feed the section shows; `None` for no limit.
    pub per_feed: Option<usize>,
    /// What happens to an entry that changes. Default: apply.
    pub edits: Edits,
    /// Where the editions name the publication of a story, besides the fields for it. Default: after the last author.
    pub source_in: Option<SourcePlace>,
    /// The picture of the section: a logo, or the cover of a podcast.
    pub image: Option<Url>,
    /// How old the stories of the section's ranking may be (`/{section}/top/`); `None` if the section has no ranking.
    pub top: Option<Duration>,
    /// Which digests the section has.
    pub digest: Vec<DigestKind>,
    /// Former ids, whose addresses redirect to this section.
    pub formerly: Vec<SectionId>,
    /// Further addresses of the section's documents.
    pub aliases: Vec<Alias>,
    /// The podcast metadata, if the section is a podcast.
    pub podcast: Option<PodcastChannel>,
    /// What readers must present; `None` if the section is public.
    pub access: Option<Access>,
    /// The hash of everything that decides which stories are in the section (feeds, rules, `max_age`). If it changes,
    /// newswire applies the rules of the section to the stories again. The same definition has the same hash at every
    /// start.
    pub definition_hash: u64,
    /// The hash of the same definition in an older form. If the store has this hash, the definition has not changed
    /// either.
    pub former_hash: u64,
}

impl Section {
    /// Whether anyone may read the section.
    pub fn is_public(&self) -> bool {
        self.access.is_none()
    }

    /// Returns the token of a private section; `None` if it is public or uses a password.
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

/// An ordered list of feeds without repeats. [`FeedList::contains`] takes constant time, because it is called for every story
/// and section. Clones share the list: most sections of a large config take all feeds.
#[derive(Clone, Debug, Default)]
pub struct FeedList {
    in_order: Arc<[FeedId]>,
    all: Arc<HashSet<FeedId>>,
}

impl FeedList {
    /// Returns the feeds in order.
    pub fn iter(&self) -> impl Iterator<Item = &FeedId> {
        self.in_order.iter()
    }

    /// Returns how many feeds there are.
    pub fn len(&self) -> usize {
        self.in_order.len()
    }

    /// Whether there is no feed.
    pub fn is_empty(&self) -> bool {
        self.in_order.is_empty()
    }

    /// Whether it shares its memory with the other list, so that it has the same feeds.
    pub fn is_shared_with(&self, other: &FeedList) -> bool {
        Arc::ptr_eq(&self.all, &other.all)
    }

    /// Returns these lists without those that share the memory of an earlier one.
    pub fn distinct<'l>(lists: impl Iterator<Item = &'l FeedList>) -> Vec<&'l FeedList> {
        let mut distinct: Vec<&FeedList> = Vec::new();
        for list in lists {
            if !distinct.iter().any(|other| other.is_shared_with(list)) {
                distinct.push(list);
            }
        }
        distinct
    }

    /// Whether the feed is in the list.
    pub fn contains(&self, feed: &FeedId) -> bool {
        self.all.contains(feed)
    }
}

impl FromIterator<FeedId> for FeedList {
    fn from_iter<I: IntoIterator<Item = FeedId>>(feeds: I) -> Self {
        let mut all = HashSet::new();
        let in_order = feeds.into_iter().filter(|feed| all.insert(feed.clone())).collect();
        FeedList { in_order, all: Arc::new(all) }
    }
}

/// `[commands]`: which programs may be run, and how many at the same time.
#[derive(Clone, Debug)]
pub struct Commands {
    /// The folders that programs may be run from; absolute paths.
    pub allow: Vec<PathBuf>,
    /// The most memory that a program may use, in bytes. Default: 512 MiB.
    pub memory_bytes: u64,
    /// How many programs may run at the same time. Default: 2.
    pub concurrency: usize,
}

/// `[[hook]]`: an address or a program that is notified of new stories and of failures of feeds.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The id.
    pub id: HookId,
    /// Where its messages go.
    pub target: HookTarget,
    /// The sections whose stories and feeds concern the hook; empty for all public ones.
    pub sections: Vec<SectionId>,
    /// The hook is notified of a story only if one of these rules matches, or if there are none.
    pub keep: Vec<Rule>,
    /// The events that the hook is notified of; at least one.
    pub events: Vec<HookEvent>,
    /// How old a story, and how old a message, may be. Default: 1 day.
    pub max_age: Duration,
}

impl Hook {
    /// Whether the hook is notified of stories of the section.
    pub fn hears_of(&self, section: &Section) -> bool {
        if self.sections.is_empty() { section.is_public() } else { self.sections.contains(&section.id) }
    }
}

/// Where the messages of a hook go.
#[derive(Clone)]
pub enum HookTarget {
    /// They are posted to an address.
    Url {
        /// The address. It is often a secret as a whole; never show it.
        url: Url,
        /// The key of the signatures; `None` if messages are not signed.
        secret: Option<SecretString>,
        /// Private addresses that may be posted to.
        allow: Vec<Allow>,
    },
    /// A program gets them on its standard input.
    Command(HookCommand),
}

/// Shows nothing secret of an address.
impl fmt::Debug for HookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HookTarget::Url { url, .. } => f.write_str(&url.origin().ascii_serialization()),
            HookTarget::Command(command) => command.fmt(f),
        }
    }
}

/// `command` of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookCommand {
    /// The absolute paths at which the program is looked for, in this order.
    pub candidates: Vec<PathBuf>,
    /// The arguments as written.
    pub arguments: Vec<String>,
    /// The file that names the program. Only its owner may be able to change it.
    pub config_file: PathBuf,
}

/// A further address of a document of a section, such as the address that the feed had in another program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alias {
    /// The path under the site's URL, without the leading slash: letters, digits and `-._~+` in parts between slashes. No part
    /// begins with a dot, and only the last may be empty.
    pub path: String,
    /// The extension of the document's own address: `atom`, `rss`, `json` or `opml`.
    pub extension: &'static str,
}

/// What a section does with an entry that changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edits {
    /// Shows the new text at the same place.
    Apply,
    /// Keeps showing the old text.
    Ignore,
    /// Shows the new text and moves the story to the top.
    Bump,
}

/// `podcast` of a section: metadata for podcast directories.
#[derive(Clone, Debug)]
pub struct PodcastChannel {
    /// The iTunes category, such as `News`.
    pub category: String,
    /// Whether the podcast has explicit content.
    pub explicit: bool,
    /// Whether other podcast hosts must not import the feed (`podcast:locked`). Default: true, because the episodes belong to
    /// others.
    pub locked: bool,
    /// Whether podcast directories must not list the podcast (`itunes:block`). Default: true, for the same reason.
    pub block: bool,
}

/// What a reader of a private section must present.
#[derive(Clone, Debug)]
pub enum Access {
    /// A token: `?token=…` in the URL, or a Bearer header.
    Token(SecretString),
    /// A user name and password.
    Basic(BasicAuth),
}
