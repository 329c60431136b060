//! Real feed readers see the intended titles, links, dates, authors, enclosures and ids in every edition.
//!
//! The readers are newsboat and sfeed (Debian packages), feedparser (PyPI), and feedsmith and feedparser (npm, found
//! through `NODE_PATH`). A reader that is not installed is skipped; if `NEWSWIRE_VALIDATORS` is set, the test fails.

use crate::samples;
use crate::support::sql;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use newswire::render;
use samples::*;
use serde_json::Value;

/// What a feed reader reports of one story. A field is `None` if the reader does not report it.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    id: String,
    title: String,
    link: String,
    /// Seconds since 1970.
    published: i64,
    authors: Option<Vec<String>>,
    enclosures: Option<Vec<String>>,
}

/// Writes the editions of four sections as files. Returns each file with the stories that a reader must report from it.
fn editions(folder: &Path) -> Vec<(PathBuf, Vec<Seen>)> {
    let (site, feeds) = (site(), feeds());
    let sections = [
        (section("international", "International"), vec![hostile_title_story(), war_story(), bare_story()]),
        (podcast_section(), vec![episode()]),
        (section("mixed", "Mixed"), vec![episode(), war_story()]),
        (section("markup", "Markup"), vec![markup_title_story()]),
    ];
    let mut files = Vec::new();
    for (section, stories) in sections {
        let view = view(&site, &section, &stories, &feeds);
        let documents = [
            ("json", render::json(&view.prepare()).unwrap()),
            ("atom", render::atom(&view.prepare()).unwrap()),
            ("rss", render::rss(&view.prepare()).unwrap()),
        ];
        let json: Value = serde_json::from_slice(&documents[0].1).unwrap();
        let meant: Vec<Seen> = json["items"].as_array().unwrap().iter().map(meant).collect();
        for (ending, document) in documents {
            let file = folder.join(format!("{}.{ending}", section.id));
            std::fs::write(&file, document).unwrap();
            files.push((
                file,
                if ending == "rss" { meant.iter().map(with_one_author).collect() } else { meant.clone() },
            ));
        }
    }
    files
}

fn meant(item: &Value) -> Seen {
    let texts = |list: &Value, name: &str| -> Vec<String> {
        list.as_array().into_iter().flatten().map(|value| value[name].as_str().unwrap().to_owned()).collect()
    };
    let published = chrono::DateTime::parse_from_rfc3339(item["date_published"].as_str().unwrap()).unwrap();
    Seen {
        id: item["id"].as_str().unwrap().to_owned(),
        title: item["title"].as_str().unwrap().to_owned(),
        link: item["url"].as_str().unwrap().to_owned(),
        published: published.timestamp(),
        authors: Some(texts(&item["authors"], "name")),
        enclosures: Some(texts(&item["attachments"], "url")),
    }
}

/// Returns what a reader must report of the RSS edition, which has the authors and the publication in one element.
fn with_one_author(seen: &Seen) -> Seen {
    let authors = seen.authors.as_ref().map(|authors| vec![authors.join(", ")]);
    Seen { authors, ..seen.clone() }
}

/// Decodes character references, also nested ones, and replaces line breaks with spaces, because some readers report
/// HTML and others plain text.
fn plain(text: &str) -> String {
    let decoded = html_escape::decode_html_entities(text);
    if decoded == text { decoded.split_whitespace().collect::<Vec<_>>().join(" ") } else { plain(&decoded) }
}

/// Compares the stories that a reader reports with the intended ones, in any order. Ignores fields that the reader does
/// not report.
fn check(reader: &str, file: &Path, mut seen: Vec<Seen>, meant: &[Seen]) {
    let file = file.file_name().unwrap().to_string_lossy();
    let mut meant = meant.to_vec();
    meant.sort_by(|one, other| one.id.cmp(&other.id));
    seen.sort_by(|one, other| one.id.cmp(&other.id));
    for (seen, meant) in seen.iter_mut().zip(&mut meant) {
        (seen.title, meant.title) = (plain(&seen.title), plain(&meant.title));
        if seen.authors.is_none() {
            meant.authors = None;
        }
        if seen.enclosures.is_none() {
            meant.enclosures = None;
        }
    }
    assert_eq!(seen, meant, "{reader} in {file}");
}

/// Says that a program is missing. Fails if `NEWSWIRE_VALIDATORS` is set.
fn is_missing(program: &str, why: &str) {
    assert!(std::env::var_os("NEWSWIRE_VALIDATORS").is_none(), "{program}: {why}");
    eprintln!("{program} is not installed, so this reader is not tested ({why})");
}

/// Returns the output of a program, or `None` if the program or its library is not installed. A program reports a
/// missing library by exit code 77.
fn ask(program: &str, arguments: &[&str], input: Option<&Path>) -> Option<String> {
    let stdin = input.map_or_else(Stdio::null, |path| std::fs::File::open(path).unwrap().into());
    match Command::new(program).args(arguments).stdin(stdin).output() {
        Ok(output) if output.status.code() == Some(77) => {
            is_missing(program, &String::from_utf8_lossy(&output.stderr));
            None
        }
        Ok(output) => {
            assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
            Some(String::from_utf8(output.stdout).unwrap())
        }
        Err(error) => {
            is_missing(program, &error.to_string());
            None
        }
    }
}

/// Runs a script on a file and returns the stories that the script prints as a JSON array.
fn seen_by_script(program: &str, script: &str, file: &Path) -> Option<Vec<Seen>> {
    let flag = if program == "node" { "-e" } else { "-c" };
    let printed = ask(program, &[flag, script, file.to_str().unwrap()], None)?;
    let stories: Vec<Value> = serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{error}: {printed}"));
    let list = |value: &Value| -> Option<Vec<String>> {
        Some(value.as_array()?.iter().map(|text| text.as_str().unwrap().to_owned()).collect())
    };
    let seen = stories.iter().map(|story| Seen {
        id: story["id"].as_str().unwrap().to_owned(),
        title: story["title"].as_str().unwrap().to_owned(),
        link: story["link"].as_str().unwrap().to_owned(),
        published: story["published"].as_i64().unwrap(),
        authors: list(&story["authors"]),
        enclosures: list(&story["enclosures"]),
    });
    Some(seen.collect())
}

fn check_script(reader: &str, program: &str, script: &str, endings: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    for (file, meant) in editions(folder.path()) {
        if endings.iter().any(|ending| file.extension().is_some_and(|found| found == *ending)) {
            let Some(seen) = seen_by_script(program, script, &file) else { return };
            check(reader, &file, seen, &meant);
        }
    }
}

#[test]
fn python_feedparser_reads_editions_correctly() {
    let script = r#"
import sys, json, calendar
try:
    import feedparser
except ImportError as error:
    print(error, file=sys.stderr); sys.exit(77)
feed = feedparser.parse(sys.argv[1], sanitize_html=False)
assert not feed.bozo, feed.bozo_exception
print(json.dumps([{
    "id": entry.id, "title": entry.title, "link": entry.link,
    "published": calendar.timegm(entry.published_parsed),
    "authors": [author.name for author in entry.get("authors", []) if author.get("name")],
    "enclosures": list(dict.fromkeys(enclosure.href for enclosure in entry.get("enclosures", []))) if sys.argv[1].endswith("atom") else None,
} for entry in feed.entries]))
"#;
    check_script("feedparser (Python)", "python3", script, &["atom", "rss"]);
}

#[test]
fn node_feedparser_reads_editions_correctly() {
    let script = r#"
let FeedParser; try { FeedParser = require("feedparser") } catch (error) { console.error(error.message); process.exit(77) }
const stories = [];
require("fs").createReadStream(process.argv[1]).pipe(new FeedParser({ addmeta: false }))
  .on("error", error => { throw error })
  .on("readable", function () {
    for (let item; (item = this.read()); ) stories.push({
      id: item.guid, title: item.title, link: item.link, published: item.pubdate / 1000,
      authors: null, enclosures: process.argv[1].endsWith("atom") ? item.enclosures.map(enclosure => enclosure.url) : null,
    });
  })
  .on("end", () => console.log(JSON.stringify(stories)));
"#;
    check_script("feedparser (node)", "node", script, &["atom", "rss"]);
}

#[test]
fn node_feedsmith_reads_editions_correctly() {
    let script = r#"
let feedsmith; try { feedsmith = require("feedsmith") } catch (error) { console.error(error.message); process.exit(77) }
const { format, feed } = feedsmith.parseFeed(require("fs").readFileSync(process.argv[1], "utf8"));
const seconds = date => Date.parse(date) / 1000;
const link = (entry, rel) => (entry.links ?? []).filter(link => link.rel === rel).map(link => link.href);
const read = {
  atom: entry => ({
    id: entry.id, title: entry.title.value ?? entry.title, link: link(entry, "alternate")[0], published: seconds(entry.published),
    authors: (entry.authors ?? []).map(author => author.name), enclosures: link(entry, "enclosure"),
  }),
  rss: item => ({
    id: item.guid.value, title: item.title, link: item.link, published: seconds(item.pubDate),
    authors: item.dc?.creators ?? (item.dc?.creator ? [item.dc.creator] : []),
    enclosures: (item.media?.contents ?? []).map(content => content.url),
  }),
  json: item => ({
    id: item.id, title: item.title, link: item.url, published: seconds(item.date_published),
    authors: (item.authors ?? []).map(author => author.name), enclosures: (item.attachments ?? []).map(file => file.url),
  }),
}[format];
console.log(JSON.stringify((feed.entries ?? feed.items).map(read)));
"#;
    check_script("feedsmith (node)", "node", script, &["atom", "rss", "json"]);
}

#[test]
fn sfeed_reads_editions_correctly() {
    let folder = tempfile::tempdir().unwrap();
    for (file, meant) in editions(folder.path()) {
        if file.extension().is_some_and(|ending| ending == "json") {
            continue;
        }
        let Some(printed) = ask("sfeed", &[], Some(&file)) else { return };
        let seen = printed.lines().map(|line| {
            let fields: Vec<&str> = line.split('\t').collect();
            Seen {
                id: fields[5].to_owned(),
                title: fields[1].replace("\\\\", "\\"),
                link: fields[2].to_owned(),
                published: fields[0].parse().unwrap(),
                // sfeed reports only one author and one enclosure.
                authors: None,
                enclosures: None,
            }
        });
        check("sfeed", &file, seen.collect(), &meant);
    }
}

#[test]
fn newsboat_reads_editions_correctly() {
    let folder = tempfile::tempdir().unwrap();
    for (file, meant) in editions(folder.path()) {
        if file.extension().is_some_and(|ending| ending == "json") {
            continue;
        }
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name).to_str().unwrap().to_owned();
        let mut urls = std::fs::File::create(path("urls")).unwrap();
        writeln!(urls, "file://{}", file.display()).unwrap();
        std::fs::write(path("config"), "").unwrap();
        let arguments = ["-u", &path("urls"), "-c", &path("cache"), "-C", &path("config"), "-x", "reload"];
        if ask("newsboat", &arguments, None).is_none() {
            return;
        }
        let cache = sql::open(path("cache"));
        let mut statement = cache.prepare("SELECT guid, title, url, pubDate FROM rss_item").unwrap();
        let seen = statement.query_map([], |row| {
            Ok(Seen {
                id: row.get(0)?,
                title: row.get(1)?,
                link: row.get(2)?,
                published: row.get(3)?,
                // newsboat keeps only one author and one enclosure.
                authors: None,
                enclosures: None,
            })
        });
        check("newsboat", &file, seen.unwrap().map(Result::unwrap).collect(), &meant);
    }
}
