//! Which stories a section holds, why, and in what words it shows them.
//!
//! Pure: values in, values out. The policy held here: everything is stored and sections choose; a section sees of a story
//! only the copies of the feeds that it takes, and its lead, rules, categories and byline come from those alone.

mod archives;
mod byline;
#[cfg(test)]
mod sample;
mod weight;
mod window;

use std::borrow::Cow;
use std::collections::HashSet;

use url::Url;

use crate::config::{self, Config, Feed, Republish, Section, Site};
use crate::entry::{Category, Entry, Person, Source};
use crate::feed::{FeedId, FeedInfo};
use crate::link;
use crate::normalize;
use crate::number::EntryNumber;
use crate::reason::{RuleList, RulePlace, Why};
use crate::rows::PlacedRow;
use crate::rule::{Rule, RuleCopy, Subject};
use crate::story::{self, JoinReason, LeadCandidate, LeadRule};
use crate::text::PlainText;
use crate::time::Timestamp;

pub use crate::rows::{ShownCopy, ShownStory};
pub use archives::{
    DOCUMENT_BYTES, LONG_STORY_BYTES, Leaving, as_archived, documents, fitting, is_archived, is_led_by_a_feed_of,
    pushed_out, shortened,
};
pub use weight::weight;
pub use window::Window;

/// How long a summary is that newswire makes where the feed gave none: some three sentences.
const SUMMARY_CHARS: usize = 300;

/// How many copies of a story a section judges by and shows. A reader learns nothing from more, and each is read again
/// whenever the story changes.
pub const MAX_COPIES: usize = 64;

/// What the list of a story's copies may take: some 500 bytes for each. A copy with a longer address is left out.
const COPIES_BYTES: usize = 32 * 1024;

/// How many categories a story gets from copies that do not lead: some few for each of some ten copies.
const MAX_ADDED_CATEGORIES: usize = 64;

/// What a name, a right or a category of another copy may take to be shown with the lead's words: two long paragraphs.
const ADDED_BYTES: usize = 1024;

/// How long a title may be in a shortened story: twice the longest headlines.
const SHORT_TITLE_CHARS: usize = 500;

/// What each list of a shortened story may take: some ten categories, or three enclosures.
const SHORT_LIST_BYTES: usize = 1024;

/// A copy as a section sees it: an entry beside the feed that it came from.
#[derive(Clone, Debug)]
pub struct SeenCopy<'a> {
    /// The entry's number in the store.
    pub number: EntryNumber,
    pub feed: &'a Feed,
    pub entry: Cow<'a, Entry>,
    pub text: Cow<'a, PlainText>,
    /// The entry's own categories and those given by the feed, facets with their scheme.
    pub categories: Vec<Category>,
    pub first_seen: Timestamp,
    /// When its lasting content last changed.
    pub revised: Option<Timestamp>,
    pub reason: JoinReason,
}

/// Whether a story is in a section, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub is_in: bool,
    /// Index of the leading copy among those that the section sees.
    pub lead: usize,
    pub lead_rule: LeadRule,
    pub why: Why,
    /// When time alone will make another judgement necessary.
    pub next_change: Option<Timestamp>,
}

/// An entry's categories and those that its feed is configured to give, facets with their scheme, without repeats.
pub fn categories_of(entry: &Entry, feed: &Feed, site: &Site) -> Vec<Category> {
    let mut categories = config::classify(&entry.categories, &site.facets, &site.url);
    merge_categories(&mut categories, &feed.categories);
    categories
}

fn merge_categories<'c>(into: &mut Vec<Category>, from: impl IntoIterator<Item = &'c Category>) {
    for category in from {
        if !into.iter().any(|known| known.term == category.term && known.scheme == category.scheme) {
            into.push(category.clone());
        }
    }
}

/// The copies whose feeds the section takes, in the given order.
pub fn visible<'c, 'a>(section: &Section, copies: &'c [SeenCopy<'a>]) -> Vec<&'c SeenCopy<'a>> {
    copies.iter().filter(|copy| section.takes(&copy.feed.id)).collect()
}

/// Whether judging for a section takes the plain text of copies or the number of its words.
pub fn reads_text(section: &Section) -> bool {
    section.keep.iter().chain(&section.drop).any(Rule::reads_text)
}

/// Judges a story for a section by the copies that it sees; `None` if it sees none of them.
pub fn judge(section: &Section, copies: &[&SeenCopy], sort_at: Timestamp, now: Timestamp) -> Option<Verdict> {
    if copies.is_empty() {
        return None;
    }
    let (lead, lead_rule) = lead(copies);
    let candidates: Vec<_> = copies.iter().map(|copy| candidate(copy)).collect();
    let subject = Subject { copies: &candidates, lead, sort_at, now };
    let next_change = next_change(section, &subject);
    let verdict = |is_in, why: Why| Some(Verdict { is_in, lead, lead_rule, why, next_change });
    let by_rule = |list, index, matched| Why::Rule { place: RulePlace { list, index }, matched };

    if let Some(max_age) = section.max_age
        && sort_at + max_age <= now
    {
        return verdict(false, Why::TooOld);
    }
    for (at, rule) in section.drop.iter().enumerate() {
        if let Some(matched) = rule.drop_matches(&subject) {
            return verdict(false, by_rule(RuleList::Drop, at, matched));
        }
    }
    if section.keep.is_empty() {
        return verdict(true, Why::TakesAll { lead: copies[lead].feed.id.clone() });
    }
    for (at, rule) in section.keep.iter().enumerate() {
        if let Some(matched) = rule.keep_matches(&subject) {
            return verdict(true, by_rule(RuleList::Keep, at, matched));
        }
    }
    verdict(false, Why::NoKeep)
}

/// A copy as rules see it.
pub fn candidate<'a>(copy: &'a SeenCopy) -> RuleCopy<'a> {
    RuleCopy {
        entry: &copy.entry,
        feed: &copy.feed.id,
        tags: &copy.feed.tags,
        categories: &copy.categories,
        text: &copy.text,
    }
}

fn next_change(section: &Section, subject: &Subject) -> Option<Timestamp> {
    let ages_out = section.max_age.map(|max_age| subject.sort_at + max_age);
    let by_rules = section.keep.iter().chain(&section.drop).filter_map(|rule| rule.next_change(subject));
    ages_out.into_iter().chain(by_rules).filter(|at| *at > subject.now).min()
}

/// Which of the copies leads, and by which rule. There must be at least one.
pub fn lead(copies: &[&SeenCopy]) -> (usize, LeadRule) {
    let candidates: Vec<_> = copies.iter().map(|copy| lead_candidate(copy)).collect();
    story::lead(&candidates)
}

/// Which of the copies leads in a section whose placement names this lead. There must be at least one.
pub fn leading(placed: EntryNumber, copies: &[&SeenCopy]) -> usize {
    copies.iter().position(|copy| copy.number == placed).unwrap_or_else(|| lead(copies).0)
}

fn lead_candidate<'a>(copy: &'a SeenCopy) -> LeadCandidate<'a> {
    let feed = copy.feed;
    let speaks_for = if feed.url.is_file() { feed.site.as_ref() } else { Some(&feed.url.secret) };
    let is_first = copy.reason == JoinReason::First;
    LeadCandidate {
        entry: &copy.entry,
        speaks_for,
        title: feed.title.as_deref(),
        priority: feed.priority,
        is_first,
        first_seen: copy.first_seen,
    }
}

/// A feed as pages and OPML name it.
#[derive(Clone, Debug)]
pub struct ShownFeed {
    pub id: FeedId,
    pub title: String,
    /// Where it is polled, secrets taken off.
    pub url: Url,
    pub site: Option<Url>,
    pub image: Option<Url>,
    pub description: Option<String>,
    pub tags: Vec<String>,
    /// Whether it is polled.
    pub enabled: bool,
}

/// A configured feed with what its document says of it.
pub fn show_feed(feed: &Feed, info: &FeedInfo) -> ShownFeed {
    ShownFeed {
        id: feed.id.clone(),
        title: title_of(feed, info),
        url: public_url(feed, info),
        site: feed.site.clone().or_else(|| info.site.clone()),
        image: feed.image.clone().or_else(|| info.image.clone()),
        description: info.description.clone(),
        tags: feed.tags.clone(),
        enabled: feed.enabled,
    }
}

/// The feed's title: as configured, else as its document says, else its id.
pub fn title_of(feed: &Feed, info: &FeedInfo) -> String {
    let title = feed.title.as_ref().or(info.title.as_ref()).filter(|title| !title.is_empty());
    title.cloned().unwrap_or_else(|| feed.id.to_string())
}

/// The feed's address for readers: of a `file:` feed what its document calls itself, for a path is nobody's business.
fn public_url(feed: &Feed, info: &FeedInfo) -> Url {
    if !feed.url.is_file() {
        return feed.url.shown.clone();
    }
    let public = info.self_link.as_ref().or(feed.site.as_ref()).or(info.site.as_ref());
    public.cloned().unwrap_or_else(|| {
        let name = format!("urn:newswire:feed:{}", feed.id);
        Url::parse(&name).expect("a feed's id has only characters that a urn may hold")
    })
}

/// Returns a story as one section shows it, with all that the store has: what an archive keeps, since rights may change
/// later. [`restrict`] cuts it to what may be published.
///
/// `frozen` are the words that the section keeps for it, if any; `copies` are those that the section sees, at least one, in
/// the order in which they joined; `info` gives what a feed's document says of it.
pub fn show(
    config: &Config,
    placed: PlacedRow,
    frozen: Option<&Entry>,
    copies: &[&SeenCopy],
    info: &dyn Fn(&FeedId) -> FeedInfo,
) -> ShownStory {
    let at = leading(placed.lead, copies);
    let lead = copies[at];
    let words = frozen.unwrap_or(&lead.entry);
    let lead_info = info(&lead.feed.id);
    let published = published_of(words, lead.first_seen);
    let revised = lead.revised.filter(|_| frozen.is_none());
    let claimed = words.updated.filter(|updated| *updated <= lead.first_seen);
    let updated = [claimed, revised, placed.changed].into_iter().flatten().fold(published, Timestamp::max);

    let categories = shown_categories(lead, copies);
    let via = if words.contributors.is_empty() { added_via(copies) } else { words.contributors.clone() };
    let source = source_of(words, lead.feed, &lead_info);

    let mut entry = words.clone();
    entry.link = story::page(words).cloned();
    if entry.rights.is_none() {
        entry.rights = added_rights(copies, info);
    }
    let plain = |html: &String| normalize::plain_text(html);
    entry.summary_html = entry.summary_html.filter(|html| !normalize::says_nothing(&plain(html)));
    ShownStory {
        id: placed.id,
        slug: placed.slug,
        sort_at: placed.sort_at,
        published,
        updated,
        byline: byline::of(&config.site.byline, &words.authors, &via, source.title.as_deref().unwrap_or_default()),
        entry,
        categories,
        via,
        source,
        copies: shown_copies(copies, at, info),
    }
}

/// Cuts a story to what its lead's feed allows to be published: rights are policy here, whatever is stored.
pub fn restrict(story: &mut ShownStory, config: &Config) {
    let lead = story.copies.iter().find(|copy| copy.lead).and_then(|copy| config.feed(&copy.feed));
    // If the lead's feed is no longer configured, only the link may be published.
    let republish = lead.map_or(Republish::Link, |feed| feed.republish);
    story.entry = republished(&story.entry, republish);
}

/// Cuts a story that is too long for a document of many to its summary, and its lists to their beginnings.
pub fn shorten(story: &mut ShownStory) {
    story.entry = republished(&story.entry, Republish::Summary);
    let ShownStory { entry, categories, via, byline, source, .. } = story;
    for text in [Some(&mut entry.title), Some(byline), source.title.as_mut()].into_iter().flatten() {
        if let Some((end, _)) = text.char_indices().nth(SHORT_TITLE_CHARS) {
            text.truncate(end);
            text.push('…');
        }
    }
    keep_within(categories, SHORT_LIST_BYTES, |category| category.term.len());
    for people in [via, &mut entry.authors, &mut entry.contributors, &mut source.authors] {
        keep_within(people, SHORT_LIST_BYTES, |person| person.display().len());
    }
    keep_within(&mut entry.enclosures, SHORT_LIST_BYTES, |enclosure| enclosure.url.as_str().len());
    keep_within(&mut entry.credits, SHORT_LIST_BYTES, |credit| credit.name.len());
    keep_within(&mut entry.copies, SHORT_LIST_BYTES, |copy| copy.url.as_str().len());
    keep_within(&mut entry.in_reply_to, SHORT_LIST_BYTES, |reply| reply.id.len());
    if let Some(podcast) = &mut entry.podcast {
        keep_within(&mut podcast.transcripts, SHORT_LIST_BYTES, |transcript| transcript.url.as_str().len());
    }
}

/// Keeps the items, in their order, that together take so many bytes; leaves out those that do not fit.
fn keep_within<T>(items: &mut Vec<T>, bytes: usize, size: impl Fn(&T) -> usize) {
    let mut left = bytes;
    items.retain(|item| {
        let rest = left.checked_sub(size(item));
        left = rest.unwrap_or(left);
        rest.is_some()
    });
}

/// The lead's categories, then those of the other copies.
fn shown_categories(lead: &SeenCopy, copies: &[&SeenCopy]) -> Vec<Category> {
    let mut categories = lead.categories.clone();
    let most = categories.len() + MAX_ADDED_CATEGORIES;
    for copy in copies.iter().filter(|copy| copy.number != lead.number) {
        let added = copy.categories.iter().filter(|category| category.term.len() <= ADDED_BYTES);
        merge_categories(&mut categories, added.take(MAX_ADDED_CATEGORIES));
        categories.truncate(most);
    }
    without_repeats(categories)
}

/// Leaves out what readers see as a repeat: a term in other capitals, and one without a scheme beside the same with one.
fn without_repeats(categories: Vec<Category>) -> Vec<Category> {
    let fold = |term: &str| term.to_lowercase();
    let mut seen = HashSet::new();
    let schemed = categories.iter().filter(|category| category.scheme.is_some());
    let names = schemed.flat_map(|category| [Some(&category.term), category.label.as_ref()]).flatten();
    let named: HashSet<String> = names.map(|name| fold(name)).collect();
    let mut kept = categories;
    kept.retain(|category| {
        let term = fold(&category.term);
        let is_plain_repeat = category.scheme.is_none() && named.contains(&term);
        !is_plain_repeat && seen.insert((term, category.scheme.clone()))
    });
    kept
}

/// The rights by the first copy that has some. What a feed says of all that it carries is not said of another's words.
fn added_rights(copies: &[&SeenCopy], info: &dyn Fn(&FeedId) -> FeedInfo) -> Option<String> {
    let own = copies.iter().filter_map(|copy| Some((copy, copy.entry.rights.as_ref()?)));
    let mut own = own.filter(|(_, rights)| rights.len() <= ADDED_BYTES);
    let found = own.find(|(copy, rights)| info(&copy.feed.id).rights.as_ref() != Some(*rights));
    found.map(|(_, rights)| rights.clone())
}

/// Who brought the story by the first copy that says so.
fn added_via(copies: &[&SeenCopy]) -> Vec<Person> {
    let via = copies.iter().find(|copy| !copy.entry.contributors.is_empty());
    let mut via = via.map(|copy| copy.entry.contributors.clone()).unwrap_or_default();
    keep_within(&mut via, ADDED_BYTES, |person| person.display().len());
    via
}

fn shown_copies(copies: &[&SeenCopy], lead: usize, info: &dyn Fn(&FeedId) -> FeedInfo) -> Vec<ShownCopy> {
    let mut shown: Vec<_> = copies
        .iter()
        .enumerate()
        .map(|(at, copy)| ShownCopy {
            feed: copy.feed.id.clone(),
            title: title_of(copy.feed, &info(&copy.feed.id)),
            url: story::page(&copy.entry).cloned(),
            published: published_of(&copy.entry, copy.first_seen),
            lead: at == lead,
        })
        .collect();
    shown.sort_by_key(|copy| !copy.lead);
    let size = |copy: &ShownCopy| copy.title.len() + copy.url.as_ref().map_or(0, |url| url.as_str().len());
    keep_within(&mut shown, COPIES_BYTES, |copy| if copy.lead { 0 } else { size(copy) });
    shown.truncate(MAX_COPIES);
    shown
}

/// The claimed date, or `first_seen` where the feed claims none that can be, or one in the future.
pub fn published_of(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().filter(|claimed| *claimed <= first_seen).unwrap_or(first_seen)
}

/// The source that the entry names, else the feed. What an entry does not say of its source, nobody says: the feed that
/// carries it is another.
fn source_of(entry: &Entry, feed: &Feed, info: &FeedInfo) -> Source {
    if let Some(named) = &entry.source {
        return Source { title: named.title.clone().or_else(|| host_of(named)), ..named.clone() };
    }
    let url = public_url(feed, info);
    Source {
        title: Some(title_of(feed, info)),
        id: info.id.clone().filter(|id| Url::parse(id).is_ok()).or_else(|| Some(url.to_string())),
        url: Some(url),
        site: feed.site.clone().or_else(|| info.site.clone()),
        updated: None,
        authors: info.authors.clone(),
        rights: info.rights.clone(),
    }
}

/// The host that a source without a title is at: by its page, its feed's address, its id (an address, or a `tag:`).
fn host_of(source: &Source) -> Option<String> {
    let id = source.id.as_deref().and_then(|id| Url::parse(id).ok());
    let of_tag = id.as_ref().filter(|id| id.scheme() == "tag").and_then(|id| id.path().split(',').next());
    let hosts = [source.site.as_ref(), source.url.as_ref(), id.as_ref()].into_iter().flatten().find_map(link::host);
    let host = hosts.or_else(|| of_tag.map(str::to_owned)).filter(|host| !host.is_empty())?;
    Some(host.strip_prefix("www.").unwrap_or(&host).to_owned())
}

/// The entry as far as it may be published.
fn republished(entry: &Entry, republish: Republish) -> Entry {
    let mut entry = entry.clone();
    let made_summary = || {
        let html = entry.summary_html.as_ref().or(entry.content_html.as_ref());
        html.map(|html| normalize::cut_summary(html, SUMMARY_CHARS)).filter(|text| !normalize::says_nothing(text))
    };
    match republish {
        Republish::Full if entry.summary_html.is_none() => entry.summary_html = made_summary().as_deref().map(escape),
        Republish::Full => {}
        Republish::Summary => {
            entry.summary_html = made_summary().as_deref().map(escape);
            entry.content_html = None;
        }
        Republish::Link => {
            let host = entry.link.as_ref().and_then(link::host).unwrap_or_else(|| "its source".to_owned());
            entry.summary_html = Some(escape(&format!("Read it at {host}.")));
            entry.content_html = None;
            entry.enclosures.clear();
            entry.credits.clear();
            (entry.image, entry.podcast) = (None, None);
        }
    }
    entry
}

/// Plain text as HTML.
fn escape(text: &str) -> String {
    html_escape::encode_text(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_without_a_title_is_named_by_its_own_host() {
        let check = |source: serde_json::Value, expected: Option<&str>| {
            let source: Source = serde_json::from_value(source).unwrap();
            assert_eq!(host_of(&source).as_deref(), expected);
        };
        check(serde_json::json!({ "id": "tag:blog.example,2018:feed" }), Some("blog.example"));
        check(serde_json::json!({ "id": "urn:uuid:1", "site": "https://www.blog.example/" }), Some("blog.example"));
        check(serde_json::json!({ "rights": "(c) Blog" }), None);
    }
}
