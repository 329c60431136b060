//! Identity of entries. Whatever feeds do with guids, links, titles and dates, no entry is lost, stored twice, or taken
//! for an edit of another. `inspect` lists the entries that the store contains.

use crate::support;
use crate::support::sql;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use newswire::commit;
use newswire::config::{self, Config, SourceFile};
use newswire::fetch::Fetcher;
use newswire::poll::{Pass, Poller};
use newswire::store::Store;
use newswire::time::Timestamp;
use serde_json::Value;
use support::daemon::*;
use url::Url;

const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS: usize = 30;

/// A random number generator; one seed always gives the same numbers.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    fn word(&mut self) -> String {
        let letters = (0..7).map(|_| char::from(b'a' + self.below(26) as u8));
        letters.collect()
    }

    fn words(&mut self, count: usize) -> String {
        (0..count).map(|_| self.word()).collect::<Vec<_>>().join(" ")
    }
}

/// An item as its document writes it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Item {
    guid: Option<String>,
    link: Option<String>,
    title: String,
    day: Option<usize>,
    text: String,
}

fn document(items: &[Item]) -> String {
    let mut rss = "<rss version=\"2.0\"><channel><title>T</title><link>https://t.example/</link>".to_owned();
    for item in items {
        rss += "<item>";
        for (name, value) in [("link", &item.link), ("guid", &item.guid)] {
            let attribute = if name == "guid" { " isPermaLink=\"false\"" } else { "" };
            value.iter().for_each(|value| write!(rss, "<{name}{attribute}>{value}</{name}>").unwrap());
        }
        item.day
            .iter()
            .for_each(|day| write!(rss, "<pubDate>{}</pubDate>", (start() + DAY * *day as u32).rfc3339()).unwrap());
        write!(rss, "<title>{}</title><description>{}</description></item>", item.title, item.text).unwrap();
    }
    rss + "</channel></rss>"
}

fn start() -> Timestamp {
    Timestamp::from_millis(1_514_764_800_000)
}

/// Returns a config with one feed per file. Equal texts of these feeds are not joined.
fn feeds_of(files: &[PathBuf]) -> String {
    let mut config = "[site]\ntitle = \"Identity\"\n[stories]\ndedup = \"off\"\n".to_owned();
    for (number, file) in files.iter().enumerate() {
        write!(config, "[[feed]]\nid = \"feed-{number}\"\nurl = \"file:{}\"\n", file.display()).unwrap();
    }
    config + "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n"
}

/// Returns the guids in the store, by feed.
fn kept(store: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let connection = sql::open(store);
    let mut statement =
        connection.prepare("SELECT feed.id, guid FROM entry JOIN feed ON feed.number = entry.feed").unwrap();
    let mut kept = BTreeMap::<String, BTreeSet<String>>::new();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    for (feed, guid) in rows.map(|row: sql::Result<(String, String)>| row.unwrap()) {
        assert!(kept.entry(feed).or_default().insert(guid));
    }
    kept
}

/// Polls one feed per file. Asserts that `inspect` lists the entries that the store then has. Returns their number for
/// each file.
fn inspected_and_kept(files: &[PathBuf]) -> Vec<usize> {
    let workspace = Workspace::whole(&feeds_of(files));
    let polled = output(&workspace.config(), &["poll", "--force"]);
    assert!(polled.status.success(), "{}", text(&polled.stderr));
    let kept = kept(&workspace.folder.path().join("newswire.db"));
    let mut arguments = vec!["inspect", "--json"];
    arguments.extend(files.iter().map(|file| file.to_str().unwrap()));
    let inspected = output(&workspace.config(), &arguments);
    let reports: Vec<Value> = text(&inspected.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(reports.len(), files.len());
    let mut counts = Vec::new();
    for (number, (report, file)) in reports.iter().zip(files).enumerate() {
        let listed: Vec<&Value> =
            report["entries"].as_array().unwrap().iter().filter(|entry| entry["repeat"] == false).collect();
        let guids: BTreeSet<String> = listed.iter().map(|entry| entry["guid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(guids.len(), listed.len(), "{}: no guid is listed twice", file.display());
        let kept = kept.get(&format!("feed-{number}")).cloned().unwrap_or_default();
        assert_eq!(guids, kept, "{}", file.display());
        counts.push(listed.len());
    }
    counts
}

#[test]
fn inspect_lists_what_the_store_contains_for_documents_of_every_kind() {
    let folder = tempfile::tempdir().unwrap();
    let mut dice = Dice(7);
    let (mut files, mut expected) = (Vec::new(), Vec::new());
    for number in 0..2_000 {
        let guids: Vec<Option<String>> =
            vec![None, Some("N/A".into()), Some("7".into()), Some("https://t.example/a#0".into())];
        let links: Vec<Option<String>> =
            vec![None, Some("https://t.example".into()), Some("N/A".into()), Some("https://t.example/a".into())];
        let mut items = Vec::new();
        for item in 0..=dice.below(7) {
            let guid = if dice.below(2) == 0 {
                Some(format!("https://t.example/{item}#{}", dice.below(9)))
            } else {
                guids[dice.below(4)].clone()
            };
            let link = if dice.below(2) == 0 {
                Some(format!("https://t.example/{item}"))
            } else {
                links[dice.below(4)].clone()
            };
            let title = dice.one_of(&["", "Update", "Weather", "One", "Two"]).to_owned();
            let day = dice.one_of(&[None, Some(1), Some(2)]);
            items.push(Item { guid, link, title, day, text: dice.one_of(&["", "Words.", "Other words."]).to_owned() });
        }
        let file = folder.path().join(format!("{number}.xml"));
        std::fs::write(&file, document(&items)).unwrap();
        files.push(file);
        expected.push(items.into_iter().collect::<BTreeSet<_>>().len());
    }
    assert_eq!(inspected_and_kept(&files), expected, "every item that differs from the others is an entry");
}

/// The documents are read from the folder named by `NEWSWIRE_DOCUMENTS`.
#[test]
fn inspect_lists_what_the_store_contains_for_real_documents() {
    let Some(folder) = std::env::var_os("NEWSWIRE_DOCUMENTS").map(PathBuf::from) else {
        eprintln!("NEWSWIRE_DOCUMENTS names no folder of feed documents: none is inspected");
        return;
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path().canonicalize().unwrap());
    let is_read = |file: &PathBuf| {
        file.is_file() && newswire::parse::parse(&std::fs::read(file).unwrap(), &Default::default()).is_ok()
    };
    let mut files: Vec<PathBuf> = files.filter(is_read).collect();
    files.sort();
    inspected_and_kept(&files);
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Guids {
    Own,
    Missing,
    OneForAll,
    /// The link, followed by a counter of edits.
    CountedUp,
    /// New guids at each poll.
    Rotating,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Links {
    Own,
    Missing,
    Home,
    OneForAll,
}

/// A site that publishes, edits and lists its items in its own way.
struct Site {
    name: String,
    guids: Guids,
    links: Links,
    is_dated: bool,
    dice: Dice,
    items: Vec<(Item, usize)>,
}

impl Site {
    fn new(seed: usize) -> Site {
        let guids = [Guids::Own, Guids::Missing, Guids::OneForAll, Guids::CountedUp, Guids::Rotating][seed % 5];
        let links = [Links::Own, Links::Missing, Links::Home, Links::OneForAll][seed / 5 % 4];
        let (is_dated, dice) = ((seed / 20).is_multiple_of(2), Dice(seed as u64 * 7_919 + 1));
        Site { name: format!("site {seed}"), guids, links, is_dated, dice, items: Vec::new() }
    }

    fn publish(&mut self, day: usize) {
        let number = self.items.len();
        let link = match self.links {
            Links::Own => Some(format!("https://t.example/{number}-{}", self.dice.word())),
            Links::Missing => None,
            Links::Home => Some("https://t.example/".to_owned()),
            Links::OneForAll => Some("https://t.example/news".to_owned()),
        };
        let guid = match self.guids {
            Guids::Own => Some(self.dice.word()),
            Guids::Missing => None,
            Guids::OneForAll => Some("N/A".to_owned()),
            Guids::CountedUp => Some(format!("{}#0", link.clone().unwrap_or_else(|| format!("item-{number}")))),
            Guids::Rotating => Some(self.dice.word()),
        };
        // The first word of the text never changes, so the test recognises the item by it.
        let text = format!("token{number} {}", self.dice.words(30));
        let item = Item { guid, link, title: self.dice.words(6), day: self.is_dated.then_some(day), text };
        self.items.push((item, 0));
    }

    /// Changes the title, the text, the link or the guid of an item, or nothing. A counter in the guid counts these
    /// changes.
    fn edit(&mut self, at: usize) {
        let dice = &mut self.dice;
        let (item, edits) = &mut self.items[at];
        match dice.below(4) {
            0 => item.title = format!("{} {}", item.title.rsplit_once(' ').unwrap().0, dice.word()),
            1 => item.text = format!("{} {}", item.text, dice.words(4)),
            2 if self.links == Links::Own && self.guids != Guids::CountedUp => {
                item.link = Some(format!("https://t.example/moved-{}", dice.word()));
            }
            3 if self.guids == Guids::Own => item.guid = Some(dice.word()),
            _ => return,
        }
        *edits += 1;
        if let (Guids::CountedUp, Some(guid)) = (self.guids, &item.guid)
            && self.links == Links::Own
        {
            item.guid = Some(format!("{}#{edits}", guid.split('#').next().unwrap()));
        }
    }

    /// Returns the document of a day: up to ten items, newest first.
    fn document(&mut self, day: usize) -> String {
        let news = if day == 0 { 4 } else { self.dice.below(3) };
        (0..news).for_each(|_| self.publish(day));
        let first = self.items.len().saturating_sub(10);
        for at in first..self.items.len() - news {
            match self.guids {
                Guids::Rotating => self.items[at].0.guid = Some(self.dice.word()),
                _ if self.dice.below(6) == 0 => self.edit(at),
                _ => {}
            }
        }
        let items: Vec<Item> = self.items[first..].iter().rev().map(|(item, _)| item.clone()).collect();
        document(&items)
    }
}

fn config(text: &str) -> Arc<Config> {
    let file = SourceFile { path: "/test/newswire.toml".into(), text: text.to_owned() };
    let (config, problems) = config::check(&[file], &|_| Err("there are no secrets here".to_owned()));
    Arc::new(config.unwrap_or_else(|| panic!("{problems:?}")))
}

/// Returns the stored entries of each feed: their numbers, and for each number the item that the entry shows.
fn entries(store: &Path) -> BTreeMap<String, BTreeMap<i64, String>> {
    let connection = sql::open(store);
    let mut statement = connection
        .prepare(
            "SELECT feed.id, entry.number, body.value FROM entry
             JOIN feed ON feed.number = entry.feed JOIN body ON body.entry = entry.number",
        )
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    let mut entries = BTreeMap::<String, BTreeMap<i64, String>>::new();
    for (feed, number, body) in rows.map(|row: sql::Result<(String, i64, String)>| row.unwrap()) {
        let token = body.split("token").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        entries.entry(feed).or_default().insert(number, token);
    }
    entries
}

#[tokio::test(flavor = "multi_thread")]
async fn month_of_edits_loses_no_entry_stores_none_twice_and_confuses_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut sites: Vec<Site> = (0..200).map(Site::new).collect();
    let files: Vec<PathBuf> = (0..sites.len()).map(|number| folder.path().join(format!("{number}.xml"))).collect();
    let config = config(&feeds_of(&files));
    let path = folder.path().join("newswire.db");
    let store = Store::open(&path, "a test").unwrap();
    commit::sync(&store, config.clone(), start()).await.unwrap();
    let poller = Poller::new(store, Fetcher::new(&Url::parse("https://contact.example/").unwrap()), 16);
    let mut before = BTreeMap::<String, BTreeMap<i64, String>>::new();
    let mut faults = BTreeMap::<String, String>::new();
    for day in 0..DAYS {
        let known: Vec<usize> = sites.iter().map(|site| site.items.len()).collect();
        for (site, file) in sites.iter_mut().zip(&files) {
            std::fs::write(file, site.document(day)).unwrap();
        }
        let now = start() + DAY * (day as u32 + 1);
        let reports = poller.pass(&config, &Pass::Force(Vec::new()), now, |_, _| {}).await.unwrap();
        assert_eq!(reports.len(), sites.len());
        let entries = entries(&path);
        for (number, site) in sites.iter().enumerate() {
            let feed = format!("feed-{number}");
            let report = reports.iter().find(|report| report.feed.as_str() == feed).unwrap();
            let (had, has) = (before.get(&feed).cloned().unwrap_or_default(), &entries[&feed]);
            let is_confused = had.iter().any(|(number, token)| has.get(number) != Some(token));
            let tokens: HashSet<&String> = has.values().collect();
            if report.new != site.items.len() - known[number] || is_confused || tokens.len() != site.items.len() {
                let name = format!("{:?} {:?} dated {}", site.guids, site.links, site.is_dated);
                let fault = format!(
                    "{} on day {day}: {} new of {}, confused {is_confused}",
                    site.name,
                    report.new,
                    site.items.len() - known[number]
                );
                faults.entry(name).or_insert(fault);
            }
        }
        before = entries;
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

/// A store with one feed, from a file that the test writes.
struct Bed {
    folder: tempfile::TempDir,
    poller: Poller,
    config: Arc<Config>,
    day: usize,
}

impl Bed {
    async fn new() -> Bed {
        let folder = tempfile::tempdir().unwrap();
        let config = config(&feeds_of(&[folder.path().join("feed.xml")]));
        let store = Store::open(&folder.path().join("newswire.db"), "a test").unwrap();
        commit::sync(&store, config.clone(), start()).await.unwrap();
        let poller = Poller::new(store, Fetcher::new(&Url::parse("https://contact.example/").unwrap()), 1);
        Bed { folder, poller, config, day: 0 }
    }

    /// Polls a document of these items; returns how many entries were new and revised.
    async fn poll(&mut self, items: &[Item]) -> (usize, usize) {
        self.day += 1;
        std::fs::write(self.folder.path().join("feed.xml"), document(items)).unwrap();
        let now = start() + DAY * self.day as u32;
        let reports = self.poller.pass(&self.config, &Pass::Force(Vec::new()), now, |_, _| {}).await.unwrap();
        (reports[0].new, reports[0].revised)
    }
}

fn item(guid: Option<&str>, link: Option<&str>, title: &str, text: &str) -> Item {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Item { guid: owned(guid), link: owned(link), title: title.to_owned(), day: Some(0), text: text.to_owned() }
}

#[tokio::test]
async fn entries_under_one_guid_and_one_link_are_distinguished_and_edits_stay_edits() {
    for guid in [None, Some("N/A")] {
        let mut bed = Bed::new().await;
        let news = |title: &str, text: &str| item(guid, Some("https://shirts.example"), title, text);
        let items = [
            news("Alpha shirt of the day", "A shirt with an alpha."),
            news("Beta shirt with cats", "Cats all over it."),
            news("Gamma shirt in red", "Red as a gamma ray."),
        ];
        assert_eq!(bed.poll(&items).await, (3, 0));
        let next = news("Delta shirt on sale", "Half the price until Sunday.");
        assert_eq!(bed.poll(&[next.clone(), items[0].clone(), items[1].clone()]).await, (1, 0), "{guid:?}");
        let edited = news("Delta shirt on sale", "Half the price until Monday.");
        assert_eq!(bed.poll(&[edited]).await, (0, 1), "{guid:?}: the feed keeps its repair");
    }
}

#[tokio::test]
async fn entry_stored_before_other_entries_repeated_its_guid_is_not_new() {
    let mut bed = Bed::new().await;
    let news = |title: &str| item(Some("N/A"), Some("N/A"), title, &format!("What is to be said of {title} today."));
    assert_eq!(bed.poll(&[news("One")]).await, (1, 0));
    assert_eq!(
        bed.poll(&[news("Three"), news("Two"), news("One")]).await,
        (2, 0),
        "one entry was stored under the guid N/A"
    );
    assert_eq!(bed.poll(&[news("Three"), news("Two"), news("One")]).await, (0, 0));
}

#[tokio::test]
async fn guid_shared_by_two_entries_changes_no_other_guids() {
    let mut bed = Bed::new().await;
    let news = |guid: &str, number: usize| {
        let (link, title) = (format!("https://t.example/{number}"), format!("Report number {number}"));
        item(Some(guid), Some(&link), &title, &format!("All about what happened to number {number}."))
    };
    let mut items: Vec<Item> = (0..20).map(|number| news(&format!("guid-{number}"), number)).collect();
    items.push(news("guid-3", 20));
    assert_eq!(bed.poll(&items).await, (21, 0));
    let guids = kept(&bed.folder.path().join("newswire.db")).remove("feed-0").unwrap();
    assert_eq!(guids.iter().filter(|guid| guid.contains(' ')).count(), 2, "{guids:?}");
    items.remove(3);
    assert_eq!(bed.poll(&items).await, (0, 0), "the entry keeps its guid after the other one has left");
    assert_eq!(bed.poll(&items[..19]).await, (0, 0));
}

#[tokio::test]
async fn guid_with_an_incremented_counter_is_a_revision() {
    let mut bed = Bed::new().await;
    let storm = |count: usize, title: &str, text: &str| {
        item(Some(&format!("https://t.example/c1#{count}")), Some("https://t.example/c1"), title, text)
    };
    assert_eq!(bed.poll(&[storm(0, "Storm hits coast", "Thousands of homes are without power.")]).await, (1, 0));
    let edited = storm(1, "Two dead in storm", "Two people have died.");
    assert_eq!(bed.poll(&[edited]).await, (0, 1), "the counter changed, so the entry is revised");
    let connection = sql::open(bed.folder.path().join("newswire.db"));
    let revised: i64 = connection.query_row("SELECT revised FROM entry", [], |row| row.get(0)).unwrap();
    // The second poll is two days after the start. The time of the revision is the end of the fetch.
    let polled = (start() + DAY * 2).millis();
    assert!((polled..polled + 60_000).contains(&revised), "{revised} {polled}");
}

#[tokio::test]
async fn single_entry_of_a_document_is_not_an_edit_of_the_previous_one() {
    for (guid, link) in
        [(Some("N/A"), Some("N/A")), (None, Some("https://t.example/")), (Some("https://t.example/"), None)]
    {
        let mut bed = Bed::new().await;
        for day in 0..4 {
            let text: String = (0..12).map(|word| format!("day{day}word{word} ")).collect();
            let only = Item { day: Some(day), ..item(guid, link, &format!("Word{day} about thing{day}"), &text) };
            assert_eq!(bed.poll(std::slice::from_ref(&only)).await, (1, 0), "{guid:?} {link:?} on day {day}");
            let edited = Item { text: format!("{text} and more"), ..only };
            assert_eq!(bed.poll(&[edited]).await, (0, 1), "{guid:?} {link:?} on day {day}");
        }
    }
}

#[tokio::test]
async fn replies_on_one_page_are_separate_entries() {
    let mut bed = Bed::new().await;
    let reply = |count: usize, text: &str| Item {
        day: Some(count),
        ..item(Some(&format!("https://t.example/t/1#{count}")), Some("https://t.example/t/1"), "Re: Which boat", text)
    };
    let replies = [
        reply(4, "Take the blue one, it has the better sails and a kitchen."),
        reply(5, "Never go out with less than two anchors on board, I say."),
        reply(6, "We hired one last year from the old man by the pier."),
    ];
    assert_eq!(bed.poll(&replies[..1]).await, (1, 0));
    assert_eq!(bed.poll(&replies[1..2]).await, (1, 0), "this is a separate entry although the document lists only one");
    assert_eq!(bed.poll(&replies[1..]).await, (1, 0));
}

#[tokio::test]
async fn guids_that_are_positions_in_the_document_confuse_no_entries() {
    let mut bed = Bed::new().await;
    let news = |position: usize, number: usize| {
        let (link, title) = (format!("https://t.example/{number}"), format!("Word{number} about thing{number}"));
        let text: String = (0..12).map(|word| format!("item{number}word{word} ")).collect();
        Item { day: Some(number), ..item(Some(&position.to_string()), Some(&link), &title, &text) }
    };
    for newest in 5..15 {
        let items: Vec<Item> = (0..5).map(|position| news(position, newest - position)).collect();
        assert_eq!(bed.poll(&items).await, (if newest == 5 { 5 } else { 1 }, 0), "newest {newest}");
    }
}
