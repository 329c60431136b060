//! Removes the publication that another newswire added to an entry, so that the entry is as its source wrote it.
//!
//! `render` adds the publication for readers that show only the title of the merged feed, and marks what it added.

use std::borrow::Cow;

use crate::entry::SourcePlace;
use crate::normalize::text;
use crate::parse::{ParsedAddition, ParsedEntry, ParsedPerson};

/// Returns the authors of an entry without an added publication.
pub(super) fn authors(parsed: &ParsedEntry) -> Cow<'_, [ParsedPerson]> {
    let Some(added) = at(SourcePlace::Author, parsed) else { return Cow::Borrowed(&parsed.authors) };
    // In RSS, all authors are one element with the publication.
    let of_entry = parsed.authors.iter().cloned().chain(std::iter::repeat_with(ParsedPerson::default));
    let named = added.authors.iter().zip(of_entry);
    named.map(|(name, author)| ParsedPerson { name: Some(name.clone()), ..author }).collect()
}

/// Returns a clean title without an added publication.
pub(super) fn title(title: String, parsed: &ParsedEntry) -> String {
    let rest = at(SourcePlace::Title, parsed).and_then(|added| {
        title.strip_prefix(&*text::single_spaced(&added.publication))?.strip_prefix(": ").map(str::to_owned)
    });
    rest.unwrap_or(title)
}

/// Returns a clean text without an added paragraph that names the publication.
pub(super) fn html(html: String, parsed: &ParsedEntry) -> Option<String> {
    let rest = at(SourcePlace::Content, parsed).and_then(|added| {
        let (first, rest) = html.strip_prefix("<p>")?.split_once("</p>")?;
        let is_publication = text::single_spaced(&text::plain_text(first)) == text::single_spaced(&added.publication);
        is_publication.then(|| rest.trim_start().to_owned())
    });
    Some(rest.unwrap_or(html)).filter(|html| !html.is_empty())
}

fn at(place: SourcePlace, parsed: &ParsedEntry) -> Option<&ParsedAddition> {
    parsed.added.as_deref().filter(|added| added.place == Some(place))
}
