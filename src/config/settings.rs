//! Reads the tables that only the main file may have: `[site]`, `[server]`, `[store]`, `[publish]`, `[stories]`, `[poll]`,
//! `[commands]`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use chrono_tz::Tz;
use url::{Host, Url};

use super::keys;
use super::model::{
    Allow, Colour, Commands, Dedup, Listen, Owner, Poll, Publish, Republish, Server, Site, StoreConfig, Stories,
};
use super::reader::{Fault, Node, Table};
use super::value;
use crate::duration;
use crate::schedule::Schedule;
use crate::time::Timestamp;

const DAY: Duration = Duration::from_secs(86_400);

/// The shortest interval between polls that gets no warning.
const OFTEN: Duration = Duration::from_secs(600);

/// How many polls of a schedule are checked for the shortest interval. They cover two hours of polls every ten minutes,
/// and checking them takes little time even for a hundred thousand feeds.
const WATCHED_POLLS: usize = 12;

/// The default store of a config under `/etc`.
const INSTALLED_STORE: &str = "/var/lib/newswire/newswire.db";

/// The settings of the main file, apart from its feeds and sections.
pub(super) struct Settings {
    pub site: Site,
    pub server: Server,
    pub store: StoreConfig,
    pub publish: Publish,
    pub stories: Stories,
    pub poll: Poll,
    pub commands: Commands,
    pub defaults: FeedDefaults,
    /// Whether `[site]` names the language, so that it is not only the default.
    pub has_language: bool,
}

/// The defaults of keys that a feed does not set.
pub(super) struct FeedDefaults {
    pub schedule: Schedule,
    pub schedule_is_default: bool,
    pub timeout: Duration,
    pub max_body_bytes: u64,
    pub allow: Vec<Allow>,
    pub republish: Republish,
}

/// Reads the tables of the main file. Missing and invalid values get their defaults.
pub(super) fn read(main: &Table) -> Settings {
    let server_table = main.table("server", &keys::SERVER);
    let server = server(server_table.as_ref());
    let site_table = main.table("site", &keys::SITE);
    let site = site(site_table.as_ref(), &server);
    site_table.iter().for_each(|table| warn_of_base_path(table, &site));
    let has_language = site_table.as_ref().is_some_and(|table| table.has("language"));
    let is_public = site_table.is_some_and(|table| table.has("url"));
    if let Some(table) = server_table.filter(|_| !is_public) {
        require_url(&table, &server);
    }
    let (poll, defaults) = poll(main, &site, is_public);
    Settings {
        store: store(main),
        publish: publish(main),
        stories: stories(main),
        commands: commands(main),
        has_language,
        site,
        server,
        poll,
        defaults,
    }
}

fn site(table: Option<&Table>, server: &Server) -> Site {
    let get = |key, read: fn(Node) -> Result<String, Fault>| table.and_then(|table| table.get(key, read));
    Site {
        title: get("title", value::words).unwrap_or_else(|| "Newswire".to_owned()),
        url: table.and_then(|table| table.get("url", site_url)).unwrap_or_else(|| address_of(&server.listen)),
        description: get("description", value::words),
        language: get("language", value::language).unwrap_or_else(|| "en".to_owned()),
        timezone: table.and_then(|table| table.get("timezone", value::timezone)).unwrap_or(Tz::UTC),
        rights: get("rights", value::words),
        owner: table.and_then(owner),
        facets: table.and_then(|table| table.get("facets", |node| node.list(facet))).unwrap_or_default(),
        byline: get("byline", byline).unwrap_or_else(|| "by {author} via {via} - {source}".to_owned()),
        front: table.and_then(|table| table.get("front", value::front)).unwrap_or_default(),
        accent: table.and_then(|table| table.get("accent", colour)),
        logo: table.and_then(|table| table.get("logo", value::web_url)),
        pictures: table.and_then(|table| table.get("pictures", Node::boolean)).unwrap_or(true),
        ai: table.and_then(|table| table.get("ai", value::ai)),
    }
}

/// Warns if crawlers cannot find the site's robots.txt, because they look for it only at the root of the host.
fn warn_of_base_path(table: &Table, site: &Site) {
    if site.ai.is_some() && site.url.path() != "/" {
        let message = format!(
            "crawlers look for robots.txt at the root of {}, and newswire serves it under {}",
            site.url.host_str().unwrap_or("the host"),
            site.url.path()
        );
        let hint = "copy its lines into the robots.txt of the host; pages and feeds carry `tdm-reservation` anyway";
        table.reading.warn(&table.place_of("ai"), Fault::new(message, hint));
    }
}

fn owner(site: &Table) -> Option<Owner> {
    let owner = site.table("owner", &keys::OWNER)?;
    let email = owner.get("email", |node| {
        let email = value::words(node)?;
        let good = email.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if good { Ok(email) } else { Err("expected an e-mail address".to_owned().into()) }
    });
    Some(Owner { name: owner.need("name", value::words)?, email })
}

/// Reads the public base address, and makes its path end with a slash.
fn site_url(node: Node) -> Result<Url, Fault> {
    let mut url = value::web_url(node)?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("expected a URL without query and fragment".to_owned().into());
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Ok(url)
}

/// Reports a missing `url` if the server listens on a Unix socket, because the path does not say the site's public address.
fn require_url(table: &Table, server: &Server) {
    if matches!(server.listen, Listen::Unix(_)) {
        let fault = Fault::new("a site behind a socket needs a public address for its links", "set `url` under [site]");
        table.reading.fail_missing(&table.place_of("listen"), fault);
    }
}

/// Returns the base of links for readers on the same machine.
fn address_of(listen: &Listen) -> Url {
    let listen = match listen {
        Listen::Address(address) => *address,
        Listen::Unix(_) => SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 80),
    };
    let host = if listen.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { listen.ip() };
    let address = SocketAddr::new(host, listen.port());
    Url::parse(&format!("http://{address}/")).expect("an address and a port make a URL")
}

fn facet(node: Node) -> Result<String, Fault> {
    let text = node.text()?;
    let good = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
    if good { Ok(text.to_owned()) } else { Err("expected a name of letters, digits and hyphens".to_owned().into()) }
}

/// Reads a colour such as `#a3231f` or `#a32`.
fn colour(node: Node) -> Result<Colour, Fault> {
    let digits = node.text()?.strip_prefix('#').map(str::as_bytes).unwrap_or_default();
    let digit = |at: usize| digits.get(at).and_then(|digit| char::from(*digit).to_digit(16));
    let step = if digits.len() == 3 { 1 } else { 2 };
    let part = |number: usize| {
        let high = digit(number * step)?;
        u8::try_from(16 * high + digit(number * step + step - 1)?).ok()
    };
    match (digits.len(), part(0), part(1), part(2)) {
        (3 | 6, Some(red), Some(green), Some(blue)) => Ok(Colour { red, green, blue }),
        _ => Err("expected a colour such as \"#a3231f\"".to_owned().into()),
    }
}

fn byline(node: Node) -> Result<String, Fault> {
    let text = node.text()?;
    let fields = text.split('{').skip(1).map(|part| part.split_once('}').map(|(field, _)| field));
    let good = fields.into_iter().all(|field| matches!(field, Some("author" | "via" | "source")));
    let wanted = "a byline may have the fields {author}, {via} and {source}";
    if good { Ok(text.to_owned()) } else { Err(wanted.to_owned().into()) }
}

fn server(table: Option<&Table>) -> Server {
    let address = |key, port| {
        let given = table.and_then(|table| table.get(key, value::listen));
        given.unwrap_or(Listen::Address(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port)))
    };
    let admin_hosts = table.and_then(|table| table.get("admin_hosts", |node| node.list(value::host_name)));
    let server = Server {
        listen: address("listen", 8080),
        admin: address("admin", 8081),
        admin_hosts: admin_hosts.unwrap_or_default(),
    };
    let any_port = matches!(server.listen, Listen::Address(address) if address.port() == 0);
    if let Some(table) = table.filter(|_| server.listen == server.admin && !any_port) {
        let fault = Fault::new("`listen` and `admin` are the same address", "give one of them another port");
        table.reading.fail_missing(&table.place_of("admin"), fault);
    }
    server
}

fn store(main: &Table) -> StoreConfig {
    let table = main.table("store", &keys::STORE);
    let table = table.as_ref();
    let path = table.and_then(|table| table.get("path", value::path));
    let keep = table.and_then(|table| table.get("keep", value::duration_from(DAY)));
    let max_entries = table.and_then(|table| table.get("max_entries", |node| node.integer(1_000..=1_000_000_000)));
    StoreConfig {
        path: path.unwrap_or_else(|| default_store(main)),
        keep: keep.unwrap_or(365 * DAY),
        max_entries: max_entries.map(i64::unsigned_abs),
        max_bytes: table.and_then(|table| table.get("max_size", value::store_size)),
    }
}

/// Returns the default path of the store: next to the main file. A config under `/etc` belongs to an installed
/// newswire, which cannot write there; its store is in the system's folder for state.
fn default_store(main: &Table) -> PathBuf {
    let main_file = &main.reading.files[main.place.file].path;
    if main_file.starts_with("/etc") { INSTALLED_STORE.into() } else { main_file.with_file_name("newswire.db") }
}

fn publish(main: &Table) -> Publish {
    let table = main.table("publish", &keys::PUBLISH);
    let table = table.as_ref();
    Publish {
        directory: table.and_then(|table| table.get("directory", value::path)),
        hubs: table.and_then(|table| table.get("hub", hubs)).unwrap_or_default(),
        templates: table.and_then(|table| table.get("templates", value::path)),
    }
}

/// Reads the addresses of one or more hubs, and drops repeats.
fn hubs(node: Node) -> Result<Vec<Url>, Fault> {
    let mut hubs: Vec<Url> = Vec::new();
    for hub in node.one_or_more(value::web_url)? {
        if !hubs.contains(&hub) {
            hubs.push(hub);
        }
    }
    Ok(hubs)
}

fn stories(main: &Table) -> Stories {
    let table = main.table("stories", &keys::STORIES);
    let table = table.as_ref();
    let likeness = table.and_then(|table| table.get("likeness", |node| node.integer(50..=100)));
    Stories {
        dedup: table.and_then(|table| table.get("dedup", value::dedup)).unwrap_or(Dedup::Text),
        window: table.and_then(|table| table.get("window", value::duration)).unwrap_or(3 * DAY),
        likeness: likeness.unwrap_or(60) as f64 / 100.0,
        tracking: table.and_then(|table| table.get("tracking", |node| node.list(parameter))).unwrap_or_default(),
    }
}

/// Reads the name of a query parameter, or a prefix of names.
fn parameter(node: Node) -> Result<String, Fault> {
    let text = node.text()?;
    let name = text.strip_suffix('*').unwrap_or(text);
    let good = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.[]".contains(&byte));
    let wanted = "expected the name of a query parameter, or a prefix and `*`, such as \"partner\" or \"wire_*\"";
    if good { Ok(text.to_ascii_lowercase()) } else { Err(wanted.to_owned().into()) }
}

fn poll(main: &Table, site: &Site, is_public: bool) -> (Poll, FeedDefaults) {
    let table = main.table("poll", &keys::POLL);
    let table = table.as_ref();
    let concurrency = table.and_then(|table| table.get("concurrency", |node| node.integer(1..=10_000)));
    let contact = table.and_then(|table| table.get("contact", value::web_url));
    let allow = table.and_then(|table| table.get("allow", |node| node.list(value::allow))).unwrap_or_default();
    let poll = Poll {
        allow: allow.clone(),
        concurrency: concurrency.and_then(|number| usize::try_from(number).ok()).unwrap_or(256),
        contact: contact
            .or_else(|| site.url.join("about/").ok().filter(|_| is_public && !is_of_this_machine(&site.url))),
    };
    let schedule = table.and_then(|table| table.get("schedule", |node| schedule(node, site.timezone, false)));
    let defaults = FeedDefaults {
        schedule_is_default: schedule.is_none(),
        schedule: schedule.unwrap_or(Schedule::Every(Duration::from_secs(3600))),
        timeout: table.and_then(|table| table.get("timeout", timeout)).unwrap_or(Duration::from_secs(30)),
        max_body_bytes: table.and_then(|table| table.get("max_size", value::size)).unwrap_or(10 * 1024 * 1024),
        allow,
        republish: table.and_then(|table| table.get("republish", value::republish)).unwrap_or(Republish::Full),
    };
    (poll, defaults)
}

fn commands(main: &Table) -> Commands {
    let table = main.table("commands", &keys::COMMANDS);
    let table = table.as_ref();
    let concurrency = table.and_then(|table| table.get("concurrency", |node| node.integer(1..=100)));
    Commands {
        allow: table.and_then(|table| table.get("allow", |node| node.list(value::path))).unwrap_or_default(),
        memory_bytes: table.and_then(|table| table.get("memory", value::memory)).unwrap_or(512 * 1024 * 1024),
        concurrency: concurrency.and_then(|number| usize::try_from(number).ok()).unwrap_or(2),
    }
}

/// Whether the host of the address is this machine, so that no other machine can open the address.
fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// Reads a schedule, in the site's time zone. Warns of an interval so short that publishers may object, unless the feed is a
/// file.
pub(super) fn schedule(node: Node, timezone: Tz, is_file: bool) -> Result<Schedule, Fault> {
    let text = node.text()?;
    let schedule = Schedule::parse(text, timezone)
        .map_err(|message| Fault { message, hint: schedule_hint(text.trim(), timezone) })?;
    let shortest = shortest_gap(&schedule);
    if !is_file && shortest < OFTEN {
        let hint = "few feeds change so often, and publishers may block you; write \"every 15 minutes\" or more";
        node.reading.warn(&node.place(), Fault::new(format!("this polls every {}", duration::words(shortest)), hint));
    }
    Ok(schedule)
}

/// If the schedule is misspelt, returns a hint with the schedule that was probably meant.
fn schedule_hint(text: &str, timezone: Tz) -> Option<String> {
    let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let names = ["every", "adaptive", "@hourly", "@daily", "@weekly", "@monthly", "@yearly"];
    let first = keys::nearest(first, names.into_iter()).unwrap_or(first);
    let repaired = format!("{first} {}", rest.trim()).trim().to_owned();
    if repaired != text && Schedule::parse(&repaired, timezone).is_ok() {
        return Some(format!("did you mean \"{repaired}\"?"));
    }
    if first == "every" { value::unit_hint(rest) } else { None }
}

/// Returns the shortest time between two consecutive polls. Looks only at the first polls of 2026; any other start
/// would do.
fn shortest_gap(schedule: &Schedule) -> Duration {
    let mut shortest = Duration::MAX;
    let mut last = Timestamp::from_millis(1_767_225_600_000);
    for number in 0..=WATCHED_POLLS {
        let next = schedule.next(last, 0);
        if number > 0 {
            shortest = shortest.min(next.since(last));
        }
        last = next;
    }
    shortest
}

/// Reads the limit for the time that a whole poll of a feed may take.
pub(super) fn timeout(node: Node) -> Result<Duration, Fault> {
    let timeout = value::duration_from(Duration::from_secs(1))(node)?;
    if timeout > Duration::from_secs(600) { Err("expected at most 10 minutes".to_owned().into()) } else { Ok(timeout) }
}
