//! Prepares a story for every format: text that XML allows, addresses that every reader accepts, no empty values.
//!
//! Atom, RSS, JSON Feed and the pages only decide where each field goes; all values are decided here, so that the formats agree.

use serde::Serialize;
use url::Url;

use crate::config::Site;
use crate::entry::{self, Category, Podcast, SourcePlace};
use crate::normalize;
use crate::render::media_type::type_of;
use crate::render::{SectionView, address, picture, text};
use crate::section::ShownStory;
use crate::story;
use crate::time::Timestamp;

/// The longest title made from the text: about one line.
const TITLE_CHARS: usize = 80;

/// A story as editions contain it. Texts hold only characters that XML allows and are never empty; addresses are
/// absolute URIs.
#[derive(Clone, Debug)]
pub struct EditionEntry<'a> {
    pub id: String,
    /// The title as plain text on one line; made from the text if the entry has no title.
    pub title: String,
    /// The address of the original; of the story's own page if the entry has no link; of the site if the story has no
    /// page either.
    pub link: String,
    /// The story's own page.
    pub page: Option<String>,
    pub published: Timestamp,
    pub updated: Timestamp,
    /// The summary as plain text on one line.
    pub summary: String,
    /// The entry's own summary, as HTML.
    pub summary_html: Option<String>,
    pub content_html: Option<String>,
    pub authors: Vec<EditionPerson>,
    pub contributors: Vec<EditionPerson>,
    /// The categories; schemes are absolute IRIs or plain words.
    pub categories: Vec<Category>,
    pub enclosures: Vec<EditionEnclosure>,
    /// The picture, at the address that the feed wrote.
    pub image: Option<String>,
    pub comments: Option<String>,
    pub language: Option<String>,
    pub rights: Option<String>,
    pub license: Option<String>,
    pub source: EditionSource,
    /// The links of the other copies, without repeats.
    pub copies: Vec<String>,
    /// The links of the pages that the lead names as its sources (`rel="via"`); none is in `copies`.
    pub sources: Vec<String>,
    /// The pages that the lead names and that no configured feed has; their links are in `copies` or `sources` too.
    pub named_copies: Vec<EditionCopy>,
    pub in_reply_to: Vec<Reply>,
    pub credits: Vec<EditionCredit>,
    pub podcast: Option<Podcast>,
    /// The publication that was added to the authors, title or text; never on pages.
    pub added: Option<AddedSource>,
    pub story: &'a ShownStory,
}

/// A person with a name; without a name, the address is used.
#[derive(Clone, Debug)]
pub struct EditionPerson {
    pub name: String,
    pub email: Option<String>,
    pub url: Option<String>,
}

/// Another copy that the entry names. Without a feed or title, the host is used; without a date, the story's.
#[derive(Clone, Debug)]
pub struct EditionCopy {
    pub url: String,
    pub feed: String,
    pub title: String,
    pub published: Timestamp,
    /// Whether the lead names the page as its source.
    pub is_source: bool,
}

/// The entry or page that this entry replies to.
#[derive(Clone, Debug, Serialize)]
pub struct Reply {
    pub id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A contributor with a role.
#[derive(Clone, Debug, Serialize)]
pub struct EditionCredit {
    pub name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

#[derive(Clone, Debug)]
pub struct EditionEnclosure {
    pub url: String,
    pub media_type: String,
    pub bytes: Option<u64>,
    pub duration_seconds: Option<u64>,
    pub title: Option<String>,
    /// Whether podcast clients can play the file.
    pub is_playable: bool,
}

/// The publication that was added to an entry.
#[derive(Clone, Debug)]
pub struct AddedSource {
    pub place: SourcePlace,
    pub publication: String,
    /// The authors without the publication.
    pub authors: Vec<EditionPerson>,
}

/// The feed that the story comes from.
#[derive(Clone, Debug)]
pub struct EditionSource {
    pub id: String,
    pub title: String,
    /// The address of the feed document.
    pub url: Option<String>,
    /// The address of the site's page.
    pub site: Option<String>,
    pub updated: Timestamp,
    pub authors: Vec<EditionPerson>,
    pub rights: Option<String>,
}

/// A section with its stories prepared for all formats.
#[derive(Debug)]
pub struct PreparedSection<'v> {
    /// The content that was prepared.
    pub view: &'v SectionView<'v>,
    /// The prepared stories, in the order of the view.
    pub entries: Vec<EditionEntry<'v>>,
}

impl SectionView<'_> {
    /// Prepares the stories for all formats.
    pub fn prepare(&self) -> PreparedSection<'_> {
        let has_pages = self.section.access.is_none();
        let entries =
            self.stories.iter().map(|story| edition_entry(self.site, story, self.stories, has_pages)).collect();
        PreparedSection { view: self, entries }
    }
}

/// Prepares a story. The source's `updated` is the newest among the stories in `shown_with` from the same source. Only a story
/// in a public section certainly has a page.
pub(super) fn edition_entry<'a>(
    site: &Site,
    story: &'a ShownStory,
    shown_with: &[ShownStory],
    has_page: bool,
) -> EditionEntry<'a> {
    let entry = &story.entry;
    let page = has_page.then(|| address::uri(&address::story_page(site, &story.slug)));
    let link = entry.link.as_ref().map(address::uri).or_else(|| page.clone());
    let link = link.unwrap_or_else(|| address::uri(&site.url));
    let summary_html = entry.summary_html.as_deref().and_then(text::html);
    let content_html = entry.content_html.as_deref().and_then(text::html);
    let words = summary_html.as_deref().map(text::plain).filter(|words| !words.is_empty());
    let content = || content_html.as_deref().map(text::plain).filter(|words| !normalize::says_nothing(words));
    let words = words.or_else(content);
    let source = source(story, shown_with);
    let OtherPages { copies, sources, named: named_copies } = other_pages(story, &link);
    EditionEntry {
        id: text::legal(&story.id),
        title: title(&entry.title, words.as_deref(), &source),
        copies,
        sources,
        named_copies,
        summary: match (&words, &summary_html) {
            (Some(words), Some(_)) => words.clone(),
            (Some(words), None) => text::excerpt(words),
            (None, _) => text::where_to_read(entry.link.as_ref()),
        },
        link,
        page,
        published: story.published.whole_second(),
        updated: story.updated.whole_second(),
        summary_html,
        content_html,
        authors: people(&entry.authors),
        contributors: people(&story.via),
        categories: categories(story),
        enclosures: enclosures(entry),
        image: picture::of(entry),
        comments: address::public(entry.comments.as_ref()),
        language: entry.language.as_deref().and_then(text::language),
        rights: entry.rights.as_deref().and_then(text::line),
        license: address::public(entry.license.as_ref()),
        source,
        in_reply_to: entry.in_reply_to.iter().filter_map(reply).collect(),
        credits: entry.credits.iter().filter_map(credit).collect(),
        podcast: entry.podcast.clone().map(podcast),
        added: None,
        story,
    }
}

fn title(title: &str, words: Option<&str>, source: &EditionSource) -> String {
    text::line(title)
        .or_else(|| words.map(|words| normalize::cut_text(words.to_owned(), TITLE_CHARS)))
        .unwrap_or_else(|| source.title.clone())
}

/// The other pages with a story.
#[derive(Default)]
struct OtherPages {
    copies: Vec<String>,
    sources: Vec<String>,
    named: Vec<EditionCopy>,
}

fn other_pages(story: &ShownStory, link: &str) -> OtherPages {
    let mut pages = OtherPages::default();
    for url in story.copies.iter().filter(|copy| !copy.lead).filter_map(|copy| address::public(copy.url.as_ref())) {
        if url != link && !pages.copies.contains(&url) {
            pages.copies.push(url);
        }
    }
    for copy in &story.entry.copies {
        let Some(url) = address::public(Some(&copy.url)) else { continue };
        if url != link && !pages.copies.contains(&url) && !pages.sources.contains(&url) {
            let is_source = copy.feed.is_none();
            if is_source { &mut pages.sources } else { &mut pages.copies }.push(url.clone());
            let host = text::host(&copy.url).unwrap_or_default();
            let line = |text: &Option<String>| text.as_deref().and_then(text::line).unwrap_or_else(|| host.clone());
            let published = copy.published.unwrap_or(story.published).whole_second();
            let (feed, title) = (line(&copy.feed), line(&copy.title));
            pages.named.push(EditionCopy { url, feed, title, published, is_source });
        }
    }
    pages
}

fn people(people: &[entry::Person]) -> Vec<EditionPerson> {
    people.iter().filter_map(person).collect()
}

fn person(person: &entry::Person) -> Option<EditionPerson> {
    Some(EditionPerson {
        name: text::name(person.display())?,
        email: person.email.as_deref().and_then(text::line).filter(|email| is_email(email)),
        url: address::public(person.url.as_ref()),
    })
}

fn reply(reply: &entry::InReplyTo) -> Option<Reply> {
    Some(Reply { id: text::line(&reply.id)?, url: address::public(reply.url.as_ref()) })
}

fn credit(credit: &entry::Credit) -> Option<EditionCredit> {
    let role = credit.role.as_deref().and_then(text::line);
    Some(EditionCredit { name: text::line(&credit.name)?, role, url: address::public(credit.url.as_ref()) })
}

/// Removes the addresses that may not be published.
fn podcast(mut podcast: Podcast) -> Podcast {
    podcast.image = podcast.image.filter(address::is_public);
    podcast.chapters = podcast.chapters.filter(|chapters| address::is_public(&chapters.url));
    podcast.transcripts.retain(|transcript| address::is_public(&transcript.url));
    podcast
}

/// Whether readers accept the text as an e-mail address (RFC 5322 `addr-spec`, without quoting).
pub(super) fn is_email(email: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+'".contains(&byte);
    match email.split_once('@') {
        Some((user, host)) => {
            let is_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
            !user.is_empty() && user.bytes().all(is_word) && host.contains('.') && host.bytes().all(is_host)
        }
        None => false,
    }
}

/// Returns the categories of a story as editions have them.
pub(super) fn categories(story: &ShownStory) -> Vec<Category> {
    story.categories.iter().filter_map(category).collect()
}

fn category(category: &Category) -> Option<Category> {
    Some(Category {
        term: text::name(&category.term)?,
        scheme: category.scheme.as_deref().and_then(scheme),
        label: category.label.as_deref().and_then(text::name),
    })
}

/// Returns the scheme of a category if it is a plain word, or a URL that cannot run code.
fn scheme(scheme: &str) -> Option<String> {
    match Url::parse(scheme.trim()) {
        Ok(url) => matches!(url.scheme(), "http" | "https" | "tag" | "urn").then(|| address::uri(&url)),
        Err(_) => text::line(scheme).filter(|scheme| !scheme.contains(':')),
    }
}

/// Returns the enclosures over HTTP, as readers require, that are not on localhost. The first one gets the duration of the
/// episode.
fn enclosures(entry: &entry::Entry) -> Vec<EditionEnclosure> {
    let can_be_fetched = |enclosure: &&entry::Enclosure| {
        matches!(enclosure.url.scheme(), "http" | "https") && enclosure.url.host_str() != Some("localhost")
    };
    let mut enclosures: Vec<EditionEnclosure> = entry.files().filter(can_be_fetched).map(enclosure).collect();
    if let (Some(first), Some(podcast)) = (enclosures.first_mut(), &entry.podcast) {
        first.duration_seconds = first.duration_seconds.or(podcast.duration_seconds);
    }
    enclosures
}

fn enclosure(enclosure: &entry::Enclosure) -> EditionEnclosure {
    EditionEnclosure {
        url: address::uri(&enclosure.url),
        media_type: type_of(enclosure.media_type.as_deref(), &enclosure.url),
        bytes: enclosure.bytes,
        duration_seconds: enclosure.duration_seconds,
        title: enclosure.title.as_deref().and_then(text::line),
        is_playable: enclosure.is_playable(),
    }
}

fn source(shown: &ShownStory, shown_with: &[ShownStory]) -> EditionSource {
    let source = &shown.source;
    let site = address::public(source.site.as_ref());
    let title = source.title.as_deref().and_then(text::line);
    let host = source.site.as_ref().or(source.url.as_ref()).and_then(Url::host_str);
    let title = title.or_else(|| host.map(str::to_owned)).unwrap_or_else(|| entry::UNKNOWN_SOURCE.to_owned());
    let id = source.id.clone().filter(|id| story::is_id(id));
    let id = id.or_else(|| source.url.as_ref().or(source.site.as_ref()).map(address::uri));
    let is_same = |other: &&ShownStory| match &source.id {
        Some(id) => other.source.id.as_ref() == Some(id),
        None => {
            (&other.source.id, &other.source.url, &other.source.site, &other.source.title)
                == (&source.id, &source.url, &source.site, &source.title)
        }
    };
    let newest = || shown_with.iter().filter(is_same).map(|other| other.updated).max();
    EditionSource {
        id: id.unwrap_or_else(|| story::source_id(&title)),
        title,
        url: address::public(source.url.as_ref()),
        site,
        updated: source.updated.or_else(newest).unwrap_or(shown.updated).whole_second(),
        authors: people(&source.authors),
        rights: source.rights.as_deref().and_then(text::line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_that_could_run_are_dropped() {
        let check = |text: &str, expected: Option<&str>| assert_eq!(scheme(text).as_deref(), expected);
        check("https://news.example.org/region", Some("https://news.example.org/region"));
        check("tag:news.example.org,2017:topic", Some("tag:news.example.org,2017:topic"));
        check("Syndic8", Some("Syndic8"));
        check("javascript:alert(1)", None);
        check(" java\nscript:alert(1)", None);
        check("data:text/html,x", None);
    }

    #[test]
    fn only_whole_addresses_count_as_email() {
        let check = |text: &str, expected: bool| assert_eq!(is_email(text), expected, "{text}");
        check("gail@news.example", true);
        check("gail at news.example", false);
        check("gail@localhost", false);
        check("a@b@c.example", false);
    }
}
