//! Reads the `[[section]]` tables: first the ids, so that feeds can name the sections, and the other keys when all
//! feeds are known.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::definition::{DefinedFeeds, Definition};
use super::feed::Feeds;
use super::id::{self, Ids, SectionIds};
use super::model::{Access, Edits, FeedList, Section};
use super::reader::{Fault, Node, Table};
use super::settings::Settings;
use super::{alias, podcast, rule, value};
use crate::entry::SourcePlace;
use crate::feed::{FeedId, SectionId};

/// How many stories a section shows by default.
const DEFAULT_LIMIT: usize = 50;

/// The most stories that a section may show. Feed readers refuse larger documents, and every subscriber downloads them
/// at every poll.
const MAX_LIMIT: i64 = 500;

/// A section's table with its id.
pub(super) struct SectionHead<'a> {
    table: Table<'a>,
    id: Option<SectionId>,
}

/// Reads the ids. A second section with the same id is an error.
pub(super) fn heads<'a>(tables: &[Table<'a>]) -> (Vec<SectionHead<'a>>, SectionIds) {
    let mut ids = Ids::default();
    let head = |table: &Table<'a>| {
        let id = table.need("id", id::section).filter(|id| ids.claim(id, table));
        SectionHead { table: table.clone(), id }
    };
    let heads = tables.iter().map(head).collect();
    (heads, SectionIds(ids))
}

/// Reads all sections. Returns those without errors, in the order of the files.
pub(super) fn read_all(
    heads: &[SectionHead],
    ids: &SectionIds,
    feeds: &Feeds,
    settings: &Settings,
) -> Vec<Arc<Section>> {
    let takers = Takers::new(feeds);
    let (mut formerly, mut aliases) = (HashSet::new(), Vec::new());
    let mut sections = Vec::new();
    for SectionHead { table, id } in heads {
        let taken = takers.of(table, id.as_ref(), id.as_ref().and_then(|id| feeds.named.get(id)));
        let section = read(table, id.as_ref(), &taken, feeds, settings);
        let former = section.iter().flat_map(|section| &section.formerly);
        check_former_ids(table, former, ids, &mut formerly);
        let of_section = section.iter().flat_map(|section| &section.aliases);
        aliases.extend(of_section.map(|alias| (alias.path.clone(), table.place_of("aliases"), table.reading)));
        sections.extend(section.map(Arc::new));
    }
    alias::check(&aliases, ids, &formerly);
    sections
}

/// Reads all keys of a section; `None` if it has no id.
fn read(
    table: &Table,
    id: Option<&SectionId>,
    taken: &TakenFeeds,
    feeds: &Feeds,
    settings: &Settings,
) -> Option<Section> {
    let rules = |key| table.get(key, |node| node.list(|node| rule::read(node, feeds))).unwrap_or_default();
    let (keep, drop) = (rules("keep"), rules("drop"));
    let max_age = table.get("max_age", value::duration_from(Duration::from_secs(60)));
    let count = |key, max| table.get(key, |node| node.integer(1..=max)).and_then(|number| usize::try_from(number).ok());
    let image = table.get("image", value::web_url);
    let podcast = podcast::read(table, image.as_ref(), settings);
    let (facets, is_podcast) = (&*settings.site.facets, podcast.is_some());
    let definition = Definition { feeds: &taken.defined, keep: &keep, drop: &drop, max_age, facets, is_podcast };
    Some(Section {
        description: table.get("description", value::words),
        definition_hash: definition.hash(),
        former_hash: definition.former_hash(),
        feeds: taken.list.clone(),
        keep,
        drop,
        limit: count("limit", MAX_LIMIT).unwrap_or(DEFAULT_LIMIT),
        max_age,
        per_feed: count("per_feed", MAX_LIMIT),
        edits: table.get("edits", value::edits).unwrap_or(Edits::Apply),
        source_in: table.get("source_in", value::source_in).unwrap_or(Some(SourcePlace::Author)),
        image,
        top: table.get("top", value::top),
        digest: table.get("digest", |node| node.list(value::digest)).unwrap_or_default(),
        formerly: table.get("formerly", |node| node.list(id::section)).unwrap_or_default(),
        aliases: table.get("aliases", alias::read).unwrap_or_default(),
        podcast,
        access: access(table),
        title: table.get("title", value::words).unwrap_or_else(|| id.map(title_of).unwrap_or_default()),
        // This comes last because `?` returns at once: the problems of all other keys are reported before that.
        id: id?.clone(),
    })
}

fn title_of(id: &SectionId) -> String {
    let words = id.as_str().replace('-', " ");
    let mut chars = words.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn access(table: &Table) -> Option<Access> {
    let token = table.get("token", value::access_secret).map(Access::Token);
    let basic = value::basic_auth(table, value::access_secret).map(Access::Basic);
    if token.is_some() && basic.is_some() {
        let fault = Fault::new("a section cannot have both `token` and `basic_auth`", "remove one of them");
        table.reading.fail(&table.place_of("basic_auth"), fault);
    }
    token.or(basic)
}

/// Checks that each former id belongs to one section only and is not the id of a section.
fn check_former_ids<'a>(
    table: &Table,
    ids: impl Iterator<Item = &'a SectionId>,
    present: &SectionIds,
    seen: &mut HashSet<SectionId>,
) {
    for id in ids {
        if present.find(id.as_str()).is_some() {
            let fault = Fault::from(format!("there is a section `{id}`, so this id cannot be a former id too"));
            table.reading.fail(&table.place_of("formerly"), fault);
        } else if !seen.insert(id.clone()) {
            let fault = Fault::from(format!("`{id}` is in `formerly` twice"));
            table.reading.fail(&table.place_of("formerly"), fault);
        }
    }
}

/// The feeds that a section takes.
struct TakenFeeds {
    list: FeedList,
    defined: DefinedFeeds,
}

/// All feeds, with indexes by what a section's `feeds` can name: ids and tags.
struct Takers<'a> {
    feeds: &'a Feeds,
    /// The list of all feeds, set when a section first takes all feeds. Sections share it, because it may be very long.
    all: OnceCell<Rc<TakenFeeds>>,
    by_id: HashMap<&'a FeedId, usize>,
    by_tag: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Takers<'a> {
    fn new(feeds: &'a Feeds) -> Self {
        let mut by_tag: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, feed) in feeds.good.iter().enumerate() {
            for tag in &feed.tags {
                by_tag.entry(tag).or_default().push(index);
            }
        }
        let by_id = feeds.good.iter().enumerate().map(|(index, feed)| (&feed.id, index)).collect();
        Takers { feeds, all: OnceCell::new(), by_id, by_tag }
    }

    /// Returns the feeds that a section takes: those that it names and those that name it, in the order of the files.
    fn of(&self, table: &Table, id: Option<&SectionId>, named: Option<&Vec<FeedId>>) -> Rc<TakenFeeds> {
        let chosen = table.get("feeds", |node| node.list(|node| self.chosen(node)));
        if named.is_none() && !table.has_items("feeds") {
            let name = id.map_or_else(|| table.named(), |id| format!("section `{id}`"));
            let hint = "write feeds = [\"*\"] to take all feeds, or list some";
            let fault = Fault::new(format!("{name} has no feeds"), hint);
            table.reading.fail_missing(&table.place_of("feeds"), fault);
        }
        let mut indexes: Vec<usize> = chosen.into_iter().flatten().flatten().collect();
        indexes.extend(named.into_iter().flatten().filter_map(|id| self.by_id.get(id)));
        indexes.sort_unstable();
        indexes.dedup();
        if indexes.len() == self.feeds.good.len() {
            return self.all.get_or_init(|| Rc::new(self.taken(&indexes))).clone();
        }
        Rc::new(self.taken(&indexes))
    }

    fn taken(&self, indexes: &[usize]) -> TakenFeeds {
        let feeds: Vec<_> = indexes.iter().map(|index| &self.feeds.good[*index]).collect();
        TakenFeeds { list: feeds.iter().map(|feed| feed.id.clone()).collect(), defined: DefinedFeeds::of(&feeds) }
    }

    fn chosen(&self, node: Node) -> Result<Vec<usize>, Fault> {
        let name = node.text()?;
        if name == "*" {
            return Ok((0..self.feeds.good.len()).collect());
        }
        if let Some(tag) = name.strip_prefix("tag:") {
            rule::warn_of_unknown_tag(node, tag, self.feeds);
            return Ok(self.by_tag.get(tag).cloned().unwrap_or_default());
        }
        rule::check_feed(node, name, self.feeds)?;
        Ok(self.by_id.get(&FeedId::from(name)).copied().into_iter().collect())
    }
}
