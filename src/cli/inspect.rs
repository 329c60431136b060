//! `newswire inspect FILE-OR-URL…`: shows how newswire reads a document: its format, the repairs, the feed, the entries.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use serde::Serialize;
use url::Url;

use super::add::draft;
use super::output::{self, count, safe};
use super::{CommandError, Done, load, runtime};
use crate::config::{self, Feed, Secrets, SourceFile, edit};
use crate::discover::{self, Looked};
use crate::entry::{Category, Credit, Enclosure, Entry, GuidKind, InReplyTo, Person, Podcast, Source};
use crate::feed::{FeedInfo, PollHints, RepairKind};
use crate::fetch::Fetcher;
use crate::files;
use crate::normalize;
use crate::parse::{self, Hints, ParseError, ParsedEntry, ParsedFeed};
use crate::time::Timestamp;

/// The largest document that `inspect` reads. A poll reads at most 10 MiB, unless `max_size` says otherwise.
const MAX_DOCUMENT_BYTES: u64 = 256 << 20;

/// The arguments of `newswire inspect`.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct Args {
    /// Feed documents: files, or http(s) URLs; - is standard input
    #[arg(required = true, value_name = "FILE-OR-URL")]
    pub documents: Vec<String>,
    /// Print one JSON object per document
    #[arg(long)]
    pub json: bool,
    /// The base of relative URLs in the documents
    #[arg(long, value_name = "URL")]
    pub base_url: Option<Url>,
    /// The HTTP Content-Type of the documents, with charset
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
}

/// The report on one document, in the shape that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Inspection {
    /// `ok` or `refused`.
    pub status: &'static str,
    /// Why the document was refused.
    pub error: Option<String>,
    /// The format with its version, such as `RSS 2.0`.
    pub format: Option<String>,
    /// The character encoding that the document was read in.
    pub encoding: Option<String>,
    /// The repairs made, as sentences.
    pub repairs: Vec<String>,
    /// The kinds of the same repairs, in the same order.
    pub repairs_code: Vec<RepairKind>,
    /// What the document says about its feed; `None` if the document was refused.
    pub feed: Option<FeedReport>,
    /// The entries in document order; empty if the document was refused.
    pub entries: Vec<EntryReport>,
}

/// What the document says about its feed.
#[derive(Clone, Debug, Serialize)]
pub(super) struct FeedReport {
    pub title: Option<String>,
    pub site: Option<Url>,
    pub id: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    pub rights: Option<String>,
    pub license: Option<Url>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<PersonReport>,
    pub image: Option<Url>,
    pub self_link: Option<Url>,
    pub hubs: Vec<Url>,
    pub cloud: Option<Url>,
    pub next: Option<Url>,
    pub prev_archive: Option<Url>,
    pub hints: HintsReport,
}

/// How often the document asks to be polled.
#[derive(Clone, Debug, Serialize)]
pub(super) struct HintsReport {
    pub ttl_seconds: Option<u64>,
    pub period_seconds: Option<u64>,
    /// Hours in GMT, 0 to 23.
    pub skip_hours: Vec<u8>,
    /// Days of the week; 0 is Monday.
    pub skip_days: Vec<u8>,
}

/// A cleaned entry.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EntryReport {
    pub guid: String,
    pub guid_kind: GuidKind,
    /// Whether the same entry occurs earlier in the document. newswire stores it only once.
    pub repeat: bool,
    /// An absolute URL; as written if it is relative and the document has no base.
    pub link: Option<String>,
    pub title: String,
    pub published: Option<Timestamp>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<PersonReport>,
    pub contributors: Vec<PersonReport>,
    pub summary_html: Option<String>,
    pub content_html: Option<String>,
    pub categories: Vec<CategoryReport>,
    pub enclosures: Vec<EnclosureReport>,
    pub image: Option<Url>,
    pub comments: Option<Url>,
    pub language: Option<String>,
    pub rights: Option<String>,
    pub license: Option<Url>,
    pub in_reply_to: Vec<InReplyTo>,
    pub credits: Vec<Credit>,
    pub source: Option<SourceReport>,
    pub original: Option<Url>,
    pub podcast: Option<Podcast>,
}

/// A person; unknown values are `null`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct PersonReport {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<Url>,
}

/// A category; unknown values are `null`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct CategoryReport {
    pub term: String,
    pub scheme: Option<String>,
    pub label: Option<String>,
}

/// An enclosure of an entry; unknown values are `null`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EnclosureReport {
    pub url: Url,
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    pub bytes: Option<u64>,
    pub duration_seconds: Option<u64>,
    pub title: Option<String>,
}

/// The feed that an entry names as its source.
#[derive(Clone, Debug, Serialize)]
pub(super) struct SourceReport {
    pub title: Option<String>,
    pub url: Option<Url>,
    pub id: Option<String>,
    pub site: Option<Url>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<PersonReport>,
    pub rights: Option<String>,
}

/// Returns the report on a document that could not be fetched or read.
fn refused(error: String) -> Inspection {
    Inspection {
        status: "refused",
        error: Some(error),
        format: None,
        encoding: None,
        repairs: Vec::new(),
        repairs_code: Vec::new(),
        feed: None,
        entries: Vec::new(),
    }
}

/// Returns the report on a document that was read. `secrets` are those of its address; the report does not contain
/// them.
fn of_feed(feed: &ParsedFeed, secrets: &Secrets) -> Inspection {
    let info = secrets.scrubbed(normalize::info(feed)).unwrap_or_default();
    let clean = |parsed| secrets.scrubbed(normalize::entry(parsed, feed));
    let entries = feed.entries.iter().filter_map(|parsed| Some(entry_report(parsed, clean(parsed)?)));
    Inspection {
        status: "ok",
        error: None,
        format: Some(feed.format.to_string()),
        encoding: Some(feed.encoding.clone()),
        repairs: feed.repairs.iter().map(ToString::to_string).collect(),
        repairs_code: feed.repairs.iter().map(|repair| repair.kind).collect(),
        feed: Some(feed_report(info, &feed.hints)),
        entries: entries.collect(),
    }
}

fn feed_report(info: FeedInfo, hints: &PollHints) -> FeedReport {
    let seconds = |duration: Option<Duration>| duration.map(|duration| duration.as_secs());
    FeedReport {
        title: info.title,
        site: info.site,
        id: info.id,
        description: info.description,
        language: info.language,
        rights: info.rights,
        license: info.license,
        updated: info.updated,
        authors: info.authors.into_iter().map(person_report).collect(),
        image: info.image,
        self_link: info.self_link,
        hubs: info.hubs,
        cloud: info.cloud,
        next: info.next,
        prev_archive: info.prev_archive,
        hints: HintsReport {
            ttl_seconds: seconds(hints.ttl),
            period_seconds: seconds(hints.period),
            skip_hours: hints.skip_hours.clone(),
            skip_days: hints.skip_days.clone(),
        },
    }
}

fn entry_report(parsed: &ParsedEntry, entry: Entry) -> EntryReport {
    EntryReport {
        guid: entry.guid.value,
        guid_kind: entry.guid.kind,
        repeat: parsed.is_repeat,
        link: entry.link.map(String::from).or_else(|| parsed.link.clone().filter(|link| is_relative(link))),
        title: entry.title,
        published: entry.published,
        updated: entry.updated,
        authors: entry.authors.into_iter().map(person_report).collect(),
        contributors: entry.contributors.into_iter().map(person_report).collect(),
        summary_html: entry.summary_html,
        content_html: entry.content_html,
        categories: entry.categories.into_iter().map(category_report).collect(),
        enclosures: entry.enclosures.into_iter().map(enclosure_report).collect(),
        image: entry.image,
        comments: entry.comments,
        language: entry.language,
        rights: entry.rights,
        license: entry.license,
        in_reply_to: entry.in_reply_to,
        credits: entry.credits,
        source: entry.source.map(source_report),
        original: entry.original,
        podcast: entry.podcast,
    }
}

fn is_relative(link: &str) -> bool {
    Url::parse(link) == Err(url::ParseError::RelativeUrlWithoutBase)
}

fn person_report(person: Person) -> PersonReport {
    PersonReport { name: person.name, email: person.email, url: person.url }
}

fn category_report(category: Category) -> CategoryReport {
    CategoryReport { term: category.term, scheme: category.scheme, label: category.label }
}

fn enclosure_report(enclosure: Enclosure) -> EnclosureReport {
    EnclosureReport {
        url: enclosure.url,
        media_type: enclosure.media_type,
        bytes: enclosure.bytes,
        duration_seconds: enclosure.duration_seconds,
        title: enclosure.title,
    }
}

fn source_report(source: Source) -> SourceReport {
    SourceReport {
        title: source.title,
        url: source.url,
        id: source.id,
        site: source.site,
        updated: source.updated,
        authors: source.authors.into_iter().map(person_report).collect(),
        rights: source.rights,
    }
}

/// Runs `newswire inspect`. Exits with 1 if a document was refused.
pub(super) fn run(config: Option<&Path>, args: &Args) -> Done {
    let mut all_read = true;
    for document in &args.documents {
        let inspection = match Url::parse(document).ok().filter(|url| matches!(url.scheme(), "http" | "https")) {
            Some(url) => fetched(config, args, &url)?,
            None => of_file(args, Path::new(document)),
        };
        all_read &= inspection.status == "ok";
        let text =
            if args.json { serde_json::to_string(&inspection)? + "\n" } else { for_people(document, &inspection) };
        output::print(&text)?;
    }
    Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of_file(args: &Args, path: &Path) -> Inspection {
    match files::read_named(path, MAX_DOCUMENT_BYTES) {
        Ok(bytes) => read(args, &bytes).unwrap_or_else(|error| refused(error.to_string())),
        Err(error) => refused(format!("cannot read {}: {error}", path.display())),
    }
}

/// Reads a document. Without `--base-url`, relative URLs in it are resolved against its own `self` link, but the links
/// of entries are shown as written.
fn read(args: &Args, bytes: &[u8]) -> Result<Inspection, ParseError> {
    let hints = Hints { content_type: args.content_type.as_deref(), base: args.base_url.as_ref() };
    let feed = parse::parse(bytes, &hints)?;
    let Some(base) = parse::own_address(&feed).filter(|_| args.base_url.is_none()) else {
        return Ok(of_feed(&feed, &Secrets::default()));
    };
    let mut inspection = of_feed(&parse::parse(bytes, &Hints { base: Some(&base), ..hints })?, &Secrets::default());
    for (entry, as_written) in inspection.entries.iter_mut().zip(of_feed(&feed, &Secrets::default()).entries) {
        entry.link = as_written.link;
    }
    Ok(inspection)
}

/// Fetches a document as a poll would, with the feed's own settings if the config has it.
fn fetched(config: Option<&Path>, args: &Args, url: &Url) -> Result<Inspection, CommandError> {
    let configured = load(config).ok();
    let feeds = configured.iter().flat_map(|loaded| &loaded.config.feeds);
    let feed = match (feeds.into_iter().find(|feed| feed.url.secret == *url), &configured) {
        (Some(feed), _) => feed.clone(),
        (None, Some(loaded)) => draft(loaded, 0, url.as_str()).or_else(|_| lone_feed(url))?,
        (None, None) => lone_feed(url)?,
    };
    let fetcher = Fetcher::new(configured.as_ref().and_then(|loaded| loaded.config.poll.contact.as_ref()));
    let hints = Hints { content_type: args.content_type.as_deref(), base: args.base_url.as_ref() };
    Ok(match runtime()?.block_on(discover::look(&fetcher, &feed, &hints)) {
        Looked::Feed(seen) => of_feed(&seen.parsed, &seen.secrets),
        Looked::Refused { error, .. } => refused(error.to_string()),
        Looked::Failed(why) => refused(why),
    })
}

/// Returns a feed at this URL with the default value of every other key.
fn lone_feed(url: &Url) -> Result<Arc<Feed>, CommandError> {
    let text = format!("[[feed]]\nid = \"inspected\"\nurl = {}\n", edit::quoted(url.as_str()));
    let file = SourceFile { path: PathBuf::from("inspect"), text };
    let (config, problems) = config::check(&[file], &|_| Err("no secret is needed".to_owned()));
    let feed = config.and_then(|config| config.feeds.first().cloned());
    feed.ok_or_else(|| {
        anyhow!(
            "{} cannot be polled: {}",
            config::shown(url),
            problems.iter().map(|p| p.message.as_str()).collect::<Vec<_>>().join("; ")
        )
        .into()
    })
}

fn for_people(document: &str, inspection: &Inspection) -> String {
    let document = config::masked_urls(document);
    let Some(feed) = &inspection.feed else {
        return format!("{document}: {}\n", safe(inspection.error.as_deref().unwrap_or("refused")));
    };
    let or_none = |text: &Option<String>| text.as_deref().map_or_else(|| "(none)".to_owned(), safe);
    let mut lines = vec![format!("{document}: {}, {}", or_none(&inspection.format), or_none(&inspection.encoding))];
    lines.extend(inspection.repairs.iter().map(|repair| format!("  repair   {}", safe(repair))));
    lines.push(format!("  title    {}", or_none(&feed.title)));
    lines.push(format!("  site     {}", feed.site.as_ref().map_or("(none)", Url::as_str)));
    let repeats = inspection.entries.iter().filter(|entry| entry.repeat).count();
    let kept = inspection.entries.len() - repeats;
    let repeats =
        if repeats > 0 { format!(" ({} left out)", count(repeats, "repeat", "repeats")) } else { String::new() };
    lines.push(format!("  entries  {kept}{repeats}"));
    for entry in inspection.entries.iter().filter(|entry| !entry.repeat) {
        let date = entry.published.or(entry.updated).map_or_else(|| format!("{:20}", "no date"), Timestamp::rfc3339);
        lines.push(format!("  {date}  {}", safe(&entry.title)));
        lines.push(format!("    {}", safe(entry.link.as_ref().unwrap_or(&entry.guid))));
    }
    lines.join("\n") + "\n"
}
