//! `newswire inspect FILE-OR-URL…`: how newswire reads a document: its format, the repairs made, the feed, the entries.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::Serialize;
use url::Url;

use crate::entry::{Category, Enclosure, Entry, GuidKind, Person};
use crate::feed::FeedInfo;
use crate::normalize;
use crate::parse::{self, Hints, ParsedFeed};
use crate::time::Timestamp;

/// What `inspect` takes.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Feed documents: files, or http(s) URLs
    #[arg(required = true, value_name = "FILE-OR-URL")]
    pub documents: Vec<String>,
    /// Print one JSON object for each document
    #[arg(long)]
    pub json: bool,
    /// What relative URLs in the documents are relative to
    #[arg(long, value_name = "URL")]
    pub base_url: Option<Url>,
    /// The documents' HTTP Content-Type, with its charset
    #[arg(long, value_name = "TYPE")]
    pub content_type: Option<String>,
}

/// How a document was read, in the shape that `--json` prints.
#[derive(Clone, Debug, Serialize)]
pub struct Inspection {
    /// `ok` or `refused`.
    pub status: &'static str,
    pub error: Option<String>,
    pub format: Option<String>,
    pub encoding: Option<String>,
    pub repairs: Vec<String>,
    pub feed: Option<FeedReport>,
    pub entries: Vec<EntryReport>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FeedReport {
    pub title: Option<String>,
    pub site: Option<Url>,
    pub id: Option<String>,
    pub description: Option<String>,
    pub language: Option<String>,
    pub rights: Option<String>,
    pub updated: Option<Timestamp>,
    pub authors: Vec<PersonReport>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EntryReport {
    pub guid: String,
    pub guid_kind: GuidKind,
    pub link: Option<Url>,
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
    pub language: Option<String>,
    pub rights: Option<String>,
    pub source: Option<SourceReport>,
    pub original: Option<Url>,
}

#[derive(Clone, Debug, Serialize)]
pub struct PersonReport {
    pub name: Option<String>,
    pub email: Option<String>,
    pub url: Option<Url>,
}

#[derive(Clone, Debug, Serialize)]
pub struct CategoryReport {
    pub term: String,
    pub scheme: Option<String>,
    pub label: Option<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct EnclosureReport {
    pub url: Url,
    #[serde(rename = "type")]
    pub media_type: Option<String>,
    pub bytes: Option<u64>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    pub title: Option<String>,
    pub url: Option<Url>,
    pub id: Option<String>,
}

/// Reads a document and reports on it; a refused document is a report too.
pub fn report(bytes: &[u8], hints: &Hints) -> Inspection {
    match parse::parse(bytes, hints) {
        Ok(feed) => of_feed(&feed),
        Err(error) => refused(error.to_string()),
    }
}

/// The report on a document that could not be read or fetched.
pub fn refused(error: String) -> Inspection {
    Inspection {
        status: "refused",
        error: Some(error),
        format: None,
        encoding: None,
        repairs: Vec::new(),
        feed: None,
        entries: Vec::new(),
    }
}

fn of_feed(feed: &ParsedFeed) -> Inspection {
    Inspection {
        status: "ok",
        error: None,
        format: Some(feed.format.to_string()),
        encoding: Some(feed.encoding.clone()),
        repairs: feed.repairs.clone(),
        feed: Some(feed_report(normalize::info(feed))),
        entries: feed.entries.iter().map(|entry| entry_report(normalize::entry(entry, feed))).collect(),
    }
}

fn feed_report(info: FeedInfo) -> FeedReport {
    FeedReport {
        title: info.title,
        site: info.site,
        id: info.id,
        description: info.description,
        language: info.language,
        rights: info.rights,
        updated: info.updated,
        authors: info.authors.into_iter().map(person_report).collect(),
    }
}

fn entry_report(entry: Entry) -> EntryReport {
    EntryReport {
        guid: entry.guid.value,
        guid_kind: entry.guid.kind,
        link: entry.link,
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
        language: entry.language,
        rights: entry.rights,
        source: entry.source.map(|source| SourceReport { title: source.title, url: source.url, id: source.id }),
        original: entry.original,
    }
}

fn person_report(person: Person) -> PersonReport {
    PersonReport { name: person.name, email: person.email, url: person.url }
}

fn category_report(category: Category) -> CategoryReport {
    CategoryReport { term: category.term, scheme: category.scheme, label: category.label }
}

fn enclosure_report(enclosure: Enclosure) -> EnclosureReport {
    EnclosureReport { url: enclosure.url, media_type: enclosure.media_type, bytes: enclosure.bytes }
}

/// Inspects files; ends with 1 if one of them was refused.
///
/// # Errors
/// Where a document is a URL (whoever can fetch gives its bytes to [`report`]), or the output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut all_read = true;
    let mut out = io::stdout().lock();
    for document in &args.documents {
        if document.starts_with("http://") || document.starts_with("https://") {
            bail!("{document} is not a file");
        }
        let hints = Hints { content_type: args.content_type.as_deref(), base: args.base_url.as_ref() };
        let inspection =
            match std::fs::read(document).with_context(|| format!("cannot read {}", Path::new(document).display())) {
                Ok(bytes) => report(&bytes, &hints),
                Err(error) => refused(format!("{error:#}")),
            };
        all_read &= inspection.status == "ok";
        print(&mut out, document, &inspection, args.json)?;
    }
    Ok(if all_read { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Prints a report: as one line of JSON, or for people.
///
/// # Errors
/// Where `out` takes no more.
pub fn print(out: &mut impl Write, document: &str, inspection: &Inspection, json: bool) -> io::Result<()> {
    if json {
        serde_json::to_writer(&mut *out, inspection)?;
        return writeln!(out);
    }
    print_for_people(out, document, inspection)
}

fn print_for_people(out: &mut impl Write, document: &str, inspection: &Inspection) -> io::Result<()> {
    let Some(feed) = &inspection.feed else {
        return writeln!(out, "{document}: {}", inspection.error.as_deref().unwrap_or("it was refused"));
    };
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "(none)".to_owned());
    writeln!(out, "{document}: {}, {}", or_none(&inspection.format), or_none(&inspection.encoding))?;
    for repair in &inspection.repairs {
        writeln!(out, "  repair   {repair}")?;
    }
    writeln!(out, "  title    {}", or_none(&feed.title))?;
    writeln!(out, "  site     {}", feed.site.as_ref().map_or("(none)", Url::as_str))?;
    writeln!(out, "  entries  {}", inspection.entries.len())?;
    for entry in &inspection.entries {
        let date =
            entry.published.or(entry.updated).map_or_else(|| "no date             ".to_owned(), Timestamp::rfc3339);
        writeln!(out, "  {date}  {}", entry.title)?;
        writeln!(out, "    {}", entry.link.as_ref().map_or(entry.guid.as_str(), Url::as_str))?;
    }
    Ok(())
}
