//! Decides which stories are in a section, why, and how the section shows them.
//!
//! The policy of sections: newswire stores all entries, and sections select stories from them. A section sees only the
//! copies of a story that come from its own feeds. Its lead (the copy whose content is shown), rules, categories and
//! byline depend only on these copies. This module does no I/O.

mod archives;
mod byline;
mod digest;
#[cfg(test)]
mod sample;
mod top;
mod weight;
mod window;

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use url::Url;

use crate::config::{self, Config, Feed, Republish, Section, Site};
use crate::entry::{Category, Enclosure, Entry, Person, Source};
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
pub use digest::{DIGEST_STORIES, DIGESTS, DigestStep, after_digest, digest_step, next_digest};
pub use top::{Ranking, domains};
pub use weight::weight;
pub use window::Window;

/// The most characters of a summary that newswire makes: about three sentences.
const SUMMARY_CHARS: usize = 300;

/// The most copies of a story that the rules of a section see and that the section shows. More copies do not help a
/// reader, and each must be read again whenever the story changes.
pub const MAX_COPIES: usize = 64;

/// The most bytes of a story's list of copies: about 500 bytes for each of [`MAX_COPIES`]. A copy that does not fit is
/// left out.
const COPIES_BYTES: usize = 32 * 1024;

/// The most categories that a story gets from copies other than the lead. This suffices for a few from each of about
/// ten copies.
const MAX_ADDED_CATEGORIES: usize = 64;

/// A story may show the contributors, the rights notice and the categories of copies that do not lead. The
/// contributors, the notice and each category may have at most this many bytes, about as many as two long paragraphs.
const ADDED_BYTES: usize = 1024;

/// The most characters of the title of a shortened story: twice as many as the longest headlines have.
const SHORT_TITLE_CHARS: usize = 500;

/// The most bytes of each list in a shortened story. They suffice for about ten categories, or three enclosures.
const SHORT_LIST_BYTES: usize = 1024;

/// A copy of a story as the rules of a section see it: an entry together with its feed.
#[derive(Clone, Debug)]
pub struct SeenCopy<'a> {
    /// The number of the entry.
    pub number: EntryNumber,
    /// The feed of the copy.
    pub feed: &'a Feed,
    /// The entry.
    pub entry: Cow<'a, Entry>,
    /// The plain text of the entry; empty if no rule needs it.
    pub text: Cow<'a, PlainText>,
    /// The entry's own categories, and those that the config gives to entries of the feed. A category with a facet,
    /// such as `region:international`, has the facet in its scheme.
    pub categories: Vec<Category>,
    /// When newswire first saw the entry.
    pub first_seen: Timestamp,
    /// When the entry last changed in a way that counts as a revision; `None` if never.
    pub revised: Option<Timestamp>,
    /// Why the copy belongs to the story.
    pub reason: JoinReason,
}

/// Whether a story is in a section, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether the story is in the section.
    pub is_in: bool,
    /// The index of the lead among the copies that the section sees.
    pub lead: usize,
    /// The reason why this copy leads.
    pub lead_rule: LeadRule,
    /// Why the story is in the section or not.
    pub why: Why,
    /// When the story may next enter or leave the section only because time passes; `None` if it cannot.
    pub next_change: Option<Timestamp>,
}

/// Returns an entry's own categories, and those that the config gives to entries of its feed, without duplicates. A
/// category with a facet has the facet in its scheme.
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

/// Returns the copies whose feeds the section has, in the given order.
pub fn visible<'c, 'a>(section: &Section, copies: &'c [SeenCopy<'a>]) -> Vec<&'c SeenCopy<'a>> {
    copies.iter().filter(|copy| section.takes(&copy.feed.id)).collect()
}

/// Returns whether the rules of a section need the plain text or the number of words of copies.
pub fn reads_text(section: &Section) -> bool {
    section.keep.iter().chain(&section.drop).any(Rule::reads_text)
}

/// Decides whether a story is in a section. `copies` are the copies that the section sees. Returns `None` if there are
/// none.
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
    if section.podcast.is_some() && !has_recording(copies[lead]) {
        return verdict(false, Why::NoRecording);
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

/// Returns whether the copy has a file that podcast clients can play and that may be published.
fn has_recording(copy: &SeenCopy) -> bool {
    copy.feed.republish != Republish::Link && copy.entry.files().any(Enclosure::is_playable)
}

/// Returns whether one of `rules` matches a story as a section sees it, or there are no rules. `lead` is the index of
/// the lead among `copies`, which must not be empty.
pub fn is_kept(rules: &[Rule], copies: &[&SeenCopy], lead: usize, sort_at: Timestamp, now: Timestamp) -> bool {
    let candidates: Vec<_> = copies.iter().map(|copy| candidate(copy)).collect();
    let subject = Subject { copies: &candidates, lead, sort_at, now };
    rules.is_empty() || rules.iter().any(|rule| rule.keep_matches(&subject).is_some())
}

/// Returns a copy as rules see it.
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

/// Returns the index of the copy that leads, and the reason. There must be at least one copy.
pub fn lead(copies: &[&SeenCopy]) -> (usize, LeadRule) {
    let candidates: Vec<_> = copies.iter().map(|copy| lead_candidate(copy)).collect();
    story::lead(&candidates)
}

/// Returns the index of the copy that leads in a section. There must be at least one copy. If `placed`, the lead in the
/// story's placement, is among `copies`, it leads. Otherwise [`lead`] decides.
pub fn leading(placed: EntryNumber, copies: &[&SeenCopy]) -> usize {
    copies.iter().position(|copy| copy.number == placed).unwrap_or_else(|| lead(copies).0)
}

fn lead_candidate<'a>(copy: &'a SeenCopy) -> LeadCandidate<'a> {
    let feed = copy.feed;
    let is_first = copy.reason == JoinReason::First;
    LeadCandidate {
        entry: &copy.entry,
        speaks_for: feed.speaks_for(),
        title: feed.title.as_deref(),
        priority: feed.priority,
        is_first,
        first_seen: copy.first_seen,
    }
}

/// A feed as pages and OPML show it.
#[derive(Clone, Debug)]
pub struct ShownFeed {
    /// The id of the feed.
    pub id: FeedId,
    /// The title of the feed.
    pub title: String,
    /// The address of the feed for readers, without secrets.
    pub url: Url,
    /// The address of the feed's site.
    pub site: Option<Url>,
    /// The image of the feed.
    pub image: Option<Url>,
    /// The description of the feed, as plain text.
    pub description: Option<String>,
    /// The tags of the feed.
    pub tags: Vec<String>,
    /// Whether the feed is enabled, so that newswire polls it.
    pub enabled: bool,
}

/// Returns a feed as pages and OPML show it, from its config and from what its document says about it.
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

/// Returns the title of a feed: from the config, otherwise from its document, otherwise its id.
pub fn title_of(feed: &Feed, info: &FeedInfo) -> String {
    let title = feed.title.as_ref().or(info.title.as_ref()).filter(|title| !title.is_empty());
    title.cloned().unwrap_or_else(|| feed.id.to_string())
}

/// Returns the address of a feed for readers. A path must stay private, so for a `file:` feed this is the address that
/// its document gives for itself or its site.
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

/// Returns a story as one section shows it, with all content of the lead. Archives store it in this form, because the
/// feed's `republish` setting may change later. [`restrict`] reduces it to the part that may be published.
///
/// `frozen` is the content that a section with `edits = "ignore"` stores for the story. `copies` are the copies that
/// the section sees, at least one, ordered by number. `info` returns what the document of a feed says about the feed.
pub fn show(
    config: &Config,
    placed: PlacedRow,
    frozen: Option<&Entry>,
    copies: &[&SeenCopy],
    info: &dyn Fn(&FeedId) -> Arc<FeedInfo>,
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

/// Reduces a story to the part that may be published. The current `republish` setting of the lead's feed decides this,
/// whatever content the store has.
pub fn restrict(story: &mut ShownStory, config: &Config) {
    let lead = story.copies.iter().find(|copy| copy.lead).and_then(|copy| config.feed(&copy.feed));
    // If the lead's feed was removed from the config, only the link may be published.
    let republish = lead.map_or(Republish::Link, |feed| feed.republish);
    story.entry = republished(&story.entry, republish);
}

/// Shortens a story that is too long for a document of many stories: keeps only its summary, and the beginnings of its
/// lists.
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

/// Keeps each item that fits into `bytes` together with the items kept before it, and removes the others. So a smaller
/// item may stay after one that was removed.
fn keep_within<T>(items: &mut Vec<T>, bytes: usize, size: impl Fn(&T) -> usize) {
    let mut left = bytes;
    items.retain(|item| {
        let rest = left.checked_sub(size(item));
        left = rest.unwrap_or(left);
        rest.is_some()
    });
}

/// Returns the lead's categories, then those of the other copies.
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

/// Removes categories that readers would see as duplicates. These are terms that differ only in case, and terms without
/// a scheme that are also the term or label of a category with a scheme.
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

/// Returns the rights of the first copy that has a notice of its own. A notice that a feed has for all its entries does
/// not apply to entries of another feed.
fn added_rights(copies: &[&SeenCopy], info: &dyn Fn(&FeedId) -> Arc<FeedInfo>) -> Option<String> {
    let own = copies.iter().filter_map(|copy| Some((copy, copy.entry.rights.as_ref()?)));
    let mut own = own.filter(|(_, rights)| rights.len() <= ADDED_BYTES);
    let found = own.find(|(copy, rights)| info(&copy.feed.id).rights.as_ref() != Some(*rights));
    found.map(|(_, rights)| rights.clone())
}

/// Returns the contributors of the first copy that names any.
fn added_via(copies: &[&SeenCopy]) -> Vec<Person> {
    let via = copies.iter().find(|copy| !copy.entry.contributors.is_empty());
    let mut via = via.map(|copy| copy.entry.contributors.clone()).unwrap_or_default();
    keep_within(&mut via, ADDED_BYTES, |person| person.display().len());
    via
}

fn shown_copies(copies: &[&SeenCopy], lead: usize, info: &dyn Fn(&FeedId) -> Arc<FeedInfo>) -> Vec<ShownCopy> {
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

/// Returns the date that the feed gives for an entry, or `first_seen` if the feed gives none, an impossible date, or
/// one later than `first_seen`.
pub fn published_of(entry: &Entry, first_seen: Timestamp) -> Timestamp {
    entry.claimed().filter(|claimed| *claimed <= first_seen).unwrap_or(first_seen)
}

/// Returns the source that the entry names, otherwise its feed. Details that a named source lacks stay absent, because
/// those of the feed belong to a different source.
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

/// Returns the host of a source that has no title. It is taken from the address of its site, from the address of its
/// feed, or from its id (an address or a `tag:`). Returns `None` if the source has none of them.
fn host_of(source: &Source) -> Option<String> {
    let id = source.id.as_deref().and_then(|id| Url::parse(id).ok());
    let of_tag = id.as_ref().filter(|id| id.scheme() == "tag").and_then(|id| id.path().split(',').next());
    let hosts = [source.site.as_ref(), source.url.as_ref(), id.as_ref()].into_iter().flatten().find_map(link::host);
    let host = hosts.or_else(|| of_tag.map(str::to_owned)).filter(|host| !host.is_empty())?;
    Some(host.strip_prefix("www.").unwrap_or(&host).to_owned())
}

/// Returns the part of the entry that a `republish` setting permits to publish.
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

/// Escapes plain text as HTML.
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
