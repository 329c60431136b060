//! Decides what an imported list adds to a configuration: only what the configuration lacks, so that importing twice
//! changes nothing.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::Hash;

use url::Url;

use super::{Filter, Folder, Imported, ImportedFeed, MAX_TAGS, Skipped};
use crate::config::{self, Config, FeedUrl, edit, feed_url, id};
use crate::feed::SectionId;

/// The tables to write, and what to report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportPlan {
    /// `[[feed]]` tables as TOML; empty if there are no new feeds.
    pub feeds: String,
    /// `[[section]]` tables as TOML that the new feeds need and the config lacks.
    pub sections: String,
    /// How many feeds are new.
    pub taken: usize,
    /// Addresses that the list repeats, in any spelling.
    pub merged: Vec<SameAddress>,
    /// How many feeds the config has already; they stay as they are.
    pub known: usize,
    /// The known feeds whose address the config spells differently.
    pub known_as: Vec<SameAddress>,
    /// Everything in the list that is not imported.
    pub skipped: Vec<Skipped>,
}

/// An address in the list that is another spelling of an address that stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SameAddress {
    /// The address that is dropped.
    pub url: String,
    /// The address that stays, with secrets masked if it comes from the config.
    pub kept: String,
}

impl SameAddress {
    /// Returns a clause that says how the two spellings differ; `None` if they are equal.
    pub fn rule(&self) -> Option<String> {
        let (url, kept) = (Url::parse(&self.url).ok()?, Url::parse(&self.kept).ok()?);
        let host = |url: &Url| url.host_str().unwrap_or_default().to_owned();
        let differs = [
            (url.scheme() != kept.scheme(), "the scheme (http or https)"),
            (host(&url) != host(&kept), "www."),
            (url.path() != kept.path(), "a slash at the end"),
            (url.fragment() != kept.fragment(), "the part after #"),
        ];
        let differs: Vec<_> = differs.into_iter().filter(|(differs, _)| *differs).map(|(_, what)| what).collect();
        let words = if differs.len() == 1 { "the only difference is" } else { "the only differences are" };
        (!differs.is_empty()).then(|| format!("{words} {}", differs.join(" and ")))
    }
}

impl ImportPlan {
    /// If no section would show the new feeds because the config has none, adds a section with all feeds. Returns
    /// whether it added one.
    pub fn ensure_section(&mut self, config: &Config) -> bool {
        let is_shown = !config.sections.is_empty() || !self.sections.is_empty();
        if is_shown || self.taken == 0 {
            return false;
        }
        self.sections = "[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]\n".to_owned();
        true
    }
}

/// Plans what the list adds to the configuration. Feeds in no folder go into `section`.
pub fn plan(imported: Imported, config: &Config, section: Option<&SectionId>) -> ImportPlan {
    let mut plan = ImportPlan { skipped: imported.skipped, ..ImportPlan::default() };
    let feeds = merged(imported.feeds, &mut plan.merged);
    let there = config.feeds.iter().map(|feed| (config::spelling(&feed.url.secret), &feed.url));
    let there: HashMap<String, &FeedUrl> = there.collect();
    let (known, new): (Vec<_>, Vec<_>) = feeds.into_iter().partition(|feed| there.contains_key(&spelled(&feed.url)));
    (plan.known, plan.taken) = (known.len(), new.len());
    let others = known.into_iter().filter_map(|feed| {
        let kept = there.get(&spelled(&feed.url))?;
        let is_same = Url::parse(&feed.url).is_ok_and(|url| url == kept.secret);
        (!is_same).then(|| SameAddress { url: feed.url, kept: kept.shown.to_string() })
    });
    plan.known_as = others.collect();
    let mut sections = Sections::new(config);
    let ids = ids_of(&new, &imported.drops, config, &mut plan.skipped);
    for feed in &new {
        let mut of_feed: Vec<String> = feed.folders.iter().map(|folder| sections.id_of(folder)).collect();
        of_feed.extend(section.filter(|_| of_feed.is_empty()).map(SectionId::to_string));
        push(&mut plan.feeds, &feed_table(feed, ids.get(&spelled(&feed.url)), &of_feed));
    }
    for (folder, id) in &sections.new {
        let rules = drop_rules(&imported.drops, &ids);
        push(&mut plan.sections, &section_table(&folder.title, id, imported.limit, &rules));
    }
    let has_new_section = !sections.new.is_empty();
    plan.skipped.extend(imported.drops.iter().filter_map(|filter| lost(filter, has_new_section, &ids)));
    plan
}

/// Returns a note for a filter that no new section contains; `None` for a filter that a new section contains.
fn lost(filter: &Filter, has_new_section: bool, ids: &BTreeMap<String, String>) -> Option<Skipped> {
    let is_of_known = filter.feed.as_deref().is_some_and(|url| !ids.contains_key(&spelled(url)));
    let why = match (has_new_section, is_of_known) {
        (_, true) => "the config already has the feed; add this as a `drop` rule of its section",
        (false, _) => "the config already has the section; add this to the section as a `drop` rule",
        (true, false) => return None,
    };
    let of = filter.feed.as_ref().map(|url| format!(" of {url}")).unwrap_or_default();
    Some(Skipped { what: format!("the filter /{}/{of}", filter.pattern), why: why.to_owned() })
}

/// Merges feeds with the same address; the merged feed belongs to all their folders. Keeps the first spelling, but prefers
/// https to http.
fn merged(feeds: Vec<ImportedFeed>, repeated: &mut Vec<SameAddress>) -> Vec<ImportedFeed> {
    let mut at: HashMap<String, usize> = HashMap::new();
    let mut unique: Vec<ImportedFeed> = Vec::new();
    let mut others: Vec<(String, usize)> = Vec::new();
    for mut feed in feeds {
        let spelling = spelled(&feed.url);
        let Some(position) = at.get(&spelling).copied() else {
            at.insert(spelling, unique.len());
            unique.push(feed);
            continue;
        };
        let first = &mut unique[position];
        if is_https(&feed.url) && !is_https(&first.url) {
            std::mem::swap(&mut first.url, &mut feed.url);
        }
        others.push((feed.url, position));
        first.id = first.id.take().or(feed.id);
        first.title = first.title.take().or(feed.title);
        first.site = first.site.take().or(feed.site);
        first.folders.extend(feed.folders);
        first.tags.extend(feed.tags);
    }
    repeated.extend(others.into_iter().map(|(url, position)| SameAddress { url, kept: unique[position].url.clone() }));
    for feed in &mut unique {
        keep_first_of_each(&mut feed.folders);
        keep_first_of_each(&mut feed.tags);
        feed.tags.truncate(MAX_TAGS);
    }
    unique
}

fn is_https(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.scheme() == "https")
}

fn keep_first_of_each<T: Clone + Eq + Hash>(values: &mut Vec<T>) {
    let mut seen = HashSet::new();
    values.retain(|value| seen.insert(value.clone()));
}

fn spelled(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| config::spelling(&url))
}

/// The sections that the list's folders become.
struct Sections {
    /// The ids of the config's sections, by title in lower case.
    by_title: HashMap<String, String>,
    /// Every id in use.
    taken: HashSet<String>,
    /// The ids of the config's sections.
    there: HashSet<String>,
    made: HashMap<Folder, String>,
    /// The next number to try for each id that needs a number at its end.
    numbers: HashMap<String, usize>,
    /// The new sections: folder and id, in order of first use.
    new: Vec<(Folder, String)>,
}

impl Sections {
    fn new(config: &Config) -> Self {
        let there: HashSet<String> = config.sections.iter().map(|section| section.id.to_string()).collect();
        // If sections share a title, the first one wins.
        let by_title =
            config.sections.iter().rev().map(|section| (section.title.to_lowercase(), section.id.to_string()));
        Sections {
            by_title: by_title.collect(),
            taken: there.clone(),
            there,
            made: HashMap::new(),
            numbers: HashMap::new(),
            new: Vec::new(),
        }
    }

    /// Returns the id of the section with the folder's id or title; adds a new section if there is none.
    fn id_of(&mut self, folder: &Folder) -> String {
        if let Some(id) = self.made.get(folder) {
            return id.clone();
        }
        let given = folder.id.as_ref().filter(|id| id::is_of_section(id));
        let slug = given.cloned().unwrap_or_else(|| id::slug_of_words(&folder.title));
        // Earlier versions used `id::slug`, which gives other ids for titles that are not ASCII.
        let by_id = self.there.get(&slug).or_else(|| self.there.get(&id::slug(&folder.title)));
        let known = by_id.or_else(|| self.by_title.get(&folder.title.to_lowercase())).cloned();
        let id = known.unwrap_or_else(|| {
            let id = self.free_id(slug);
            self.new.push((folder.clone(), id.clone()));
            id
        });
        self.made.insert(folder.clone(), id.clone());
        id
    }

    /// Returns an unused id, as close to the slug as possible.
    fn free_id(&mut self, slug: String) -> String {
        let base = if slug.is_empty() { "section".to_owned() } else { slug };
        let base = if id::is_reserved(&base) { format!("{base}-news") } else { base };
        let cut = |length: usize| base.chars().take(length).collect::<String>();
        let whole = cut(id::MAX_LENGTH);
        if self.taken.insert(whole.clone()) {
            return whole;
        }
        let head = cut(id::MAX_LENGTH - 6);
        let number = self.numbers.entry(head.clone()).or_insert(2);
        loop {
            let id = format!("{head}-{number}");
            *number += 1;
            if self.taken.insert(id.clone()) {
                return id;
            }
        }
    }
}

/// Returns the ids to write for new feeds, by normalized address: the ids in the list, and generated ids for feeds to
/// which rules refer. Adds ids that cannot be used to `skipped`.
fn ids_of(
    new: &[ImportedFeed],
    filters: &[Filter],
    config: &Config,
    skipped: &mut Vec<Skipped>,
) -> BTreeMap<String, String> {
    let named: HashSet<String> = filters.iter().filter_map(|filter| filter.feed.as_deref()).map(spelled).collect();
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut taken: HashSet<String> = config.feeds.iter().map(|feed| feed.id.to_string()).collect();
    for feed in new {
        let spelling = spelled(&feed.url);
        let id = match &feed.id {
            Some(id) if id::is_of_feed(id) && taken.insert(id.clone()) => Some(id.clone()),
            Some(id) => {
                let why = "this is not a valid feed id, or another feed has the same id".to_owned();
                skipped.push(Skipped { what: format!("the id {id} of {}", feed.url), why });
                None
            }
            None if named.contains(&spelling) => made_id(&feed.url, &mut taken),
            None => None,
        };
        ids.extend(id.map(|id| (spelling, id)));
    }
    ids
}

/// Generates the id that the config would give the feed.
fn made_id(url: &str, taken: &mut HashSet<String>) -> Option<String> {
    let secret = Url::parse(url).ok()?;
    let url = FeedUrl { shown: config::shown(&secret), secret };
    let id = feed_url::default_id(&url);
    Some(if taken.insert(id.clone()) { id } else { feed_url::other_id(&id, &url) })
}

fn feed_table(feed: &ImportedFeed, id: Option<&String>, sections: &[String]) -> String {
    let mut table = format!("[[feed]]\nurl = {}\n", edit::quoted(&feed.url));
    let mut line = |key: &str, value: String| table.push_str(&format!("{key} = {value}\n"));
    let texts = [
        ("id", id),
        ("title", feed.title.as_ref()),
        ("site", feed.site.as_ref()),
        ("image", feed.image.as_ref()),
        ("user_agent", feed.user_agent.as_ref()),
    ];
    for (key, value) in texts {
        value.into_iter().for_each(|value| line(key, edit::quoted(value)));
    }
    for (key, values) in [("sections", sections), ("tags", feed.tags.as_slice())] {
        if !values.is_empty() {
            line(key, edit::list(values.iter().map(String::as_str)));
        }
    }
    if feed.is_disabled {
        line("enabled", "false".to_owned());
    }
    table
}

fn section_table(title: &str, id: &str, limit: Option<i64>, drops: &[String]) -> String {
    let mut table = format!("[[section]]\nid = {}\ntitle = {}\n", edit::quoted(id), edit::quoted(title));
    table.extend(limit.map(|limit| format!("limit = {limit}\n")));
    if !drops.is_empty() {
        let rules: String = drops.iter().map(|rule| format!("    {rule},\n")).collect();
        table.push_str(&format!("drop = [\n{rules}]\n"));
    }
    table
}

fn drop_rules(filters: &[Filter], ids: &BTreeMap<String, String>) -> Vec<String> {
    let rule = |filter: &Filter| {
        let feed = match &filter.feed {
            Some(url) => format!("feed = {}, ", edit::quoted(ids.get(&spelled(url))?)),
            None => String::new(),
        };
        let pattern = format!("text = {}", edit::quoted(&format!("/{}/", filter.pattern)));
        let test = if filter.drops_matches { pattern } else { format!("not = {{ {pattern} }}") };
        Some(format!("{{ {feed}{test} }}"))
    };
    filters.iter().filter_map(rule).collect()
}

fn push(tables: &mut String, table: &str) {
    if !tables.is_empty() {
        tables.push('\n');
    }
    tables.push_str(table);
}
