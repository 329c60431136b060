//! Estimates the size of a story in a document, so that the size of documents can be limited before they are written.

use url::Url;

use super::ShownStory;
use crate::entry::Person;

/// The size of the parts that every story has: element names, dates, and the addresses of its source and its page.
const FRAME_BYTES: usize = 2 * 1024;

/// Returns approximately how many bytes the story takes at most in a document of any format.
pub fn weight(story: &ShownStory) -> usize {
    let entry = &story.entry;
    // Some formats have the summary twice, as text and as HTML.
    let texts = [&entry.content_html, &entry.summary_html, &entry.summary_html];
    let html = texts.into_iter().flatten().map(|html| escaped(html));
    let people = entry.authors.iter().chain(&story.via).chain(&story.source.authors).map(person);
    let categories = story.categories.iter().map(|category| 2 * escaped(&category.term) + 128);
    let enclosures = entry.enclosures.iter().map(|enclosure| 2 * escaped(enclosure.url.as_str()) + 128);
    let copies = story.copies.iter().map(|copy| 2 * address(copy.url.as_ref()) + escaped(&copy.title) + 256);
    let text = |text: &Option<String>| text.as_deref().map_or(0, escaped);
    let named = entry.copies.iter();
    let named = named.map(|copy| 2 * escaped(copy.url.as_str()) + text(&copy.title) + text(&copy.feed) + 256);
    let credits = entry.credits.iter().map(|credit| escaped(&credit.name) + address(credit.url.as_ref()) + 128);
    let replies = entry.in_reply_to.iter().map(|reply| escaped(&reply.id) + address(reply.url.as_ref()) + 64);
    let transcripts = entry.podcast.iter().flat_map(|podcast| &podcast.transcripts);
    let transcripts = transcripts.map(|transcript| escaped(transcript.url.as_str()) + 64);
    let lists = people.chain(categories).chain(enclosures).chain(copies).chain(named).chain(credits).chain(replies);
    FRAME_BYTES + html.chain(lists).chain(transcripts).sum::<usize>() + fields(story)
}

/// Returns the size of the fields that occur once per story, most of them short.
fn fields(story: &ShownStory) -> usize {
    let (entry, source) = (&story.entry, &story.source);
    let texts = [&entry.rights, &source.title, &source.id, &source.rights].into_iter().flatten();
    // The ids and the link occur in several places in an entry.
    let own = [&entry.title, &story.id, &story.id, &entry.guid.value, &story.slug, &story.byline];
    let links = [&entry.link, &entry.link, &entry.original, &entry.image, &entry.comments, &entry.license];
    let addresses = links.into_iter().chain([&source.url, &source.site]);
    texts.chain(own).map(|text| escaped(text)).sum::<usize>()
        + addresses.map(|url| address(url.as_ref())).sum::<usize>()
}

fn person(person: &Person) -> usize {
    escaped(person.display()) + address(person.url.as_ref()) + 64
}

fn address(url: Option<&Url>) -> usize {
    url.map_or(0, |url| escaped(url.as_str()))
}

/// Returns the size of a text in XML. Its size in JSON is never larger.
fn escaped(text: &str) -> usize {
    let byte = |byte: u8| match byte {
        b'<' | b'>' => 4,
        b'&' => 5,
        b'"' | b'\'' => 6,
        _ => 1,
    };
    text.bytes().map(byte).sum()
}
