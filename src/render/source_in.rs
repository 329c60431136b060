//! Names the publication of a story where readers show it (`source_in` of a section): most readers show only the title of
//! the merged feed. An entry that names the publication at that place already stays as it is.
//!
//! What is added is also marked, so that another newswire reads the story without it.

use crate::entry::SourcePlace;
use crate::render::entry::{AddedSource, EditionEntry, EditionPerson, PreparedSection};
use crate::render::text;

impl<'v> PreparedSection<'v> {
    /// Returns the stories as Atom, RSS and JSON Feed contain them: with their publication at the place that the section wants.
    pub(super) fn entries_with_source(&self) -> Vec<EditionEntry<'v>> {
        let mut entries = self.entries.clone();
        if let Some(place) = self.view.section.source_in {
            entries.iter_mut().for_each(|entry| add(entry, place));
        }
        entries
    }
}

/// Adds the publication to an entry, unless that place names it already.
fn add(entry: &mut EditionEntry, place: SourcePlace) {
    let Some(publication) = text::name(&entry.source.title) else { return };
    let authors = entry.authors.clone();
    let is_added = match place {
        SourcePlace::Author => add_to_authors(&mut entry.authors, &publication),
        SourcePlace::Title => add_to_title(&mut entry.title, &publication),
        SourcePlace::Content => add_to_content(entry, &publication),
    };
    entry.added = is_added.then_some(AddedSource { place, publication, authors });
}

/// Adds the publication to the last author, because newsboat shows only the last. If it begins with the author's name, as
/// "BBC News" does with "BBC", it takes the place of the author. Without authors, the publication is the author: otherwise
/// readers show the owner of the site.
fn add_to_authors(authors: &mut Vec<EditionPerson>, publication: &str) -> bool {
    if authors.iter().any(|author| names(&author.name, publication)) {
        return false;
    }
    match authors.last_mut() {
        Some(last) if names(publication, &last.name) => last.name = publication.to_owned(),
        Some(last) => last.name = format!("{}, {publication}", last.name),
        None => authors.push(EditionPerson { name: publication.to_owned(), email: None, url: None }),
    }
    true
}

fn add_to_title(title: &mut String, publication: &str) -> bool {
    let is_named = names(title, publication);
    if !is_named {
        title.insert_str(0, &format!("{publication}: "));
    }
    !is_named
}

/// Adds a paragraph before the text that readers show: the content, or else the summary.
fn add_to_content(entry: &mut EditionEntry, publication: &str) -> bool {
    let name = html_escape::encode_text(publication);
    let site = entry.source.site.as_deref().or(entry.source.url.as_deref());
    let paragraph = match site {
        Some(site) => format!("<p><a href=\"{}\">{name}</a></p>\n", text::escape(site)),
        None => format!("<p>{name}</p>\n"),
    };
    match (&mut entry.content_html, &mut entry.summary_html) {
        (Some(html), _) | (None, Some(html)) => html.insert_str(0, &paragraph),
        (None, none) => *none = Some(format!("{paragraph}<p>{}</p>", html_escape::encode_text(&entry.summary))),
    }
    true
}

/// Whether a text contains a name as whole words, in any case.
fn names(text: &str, name: &str) -> bool {
    let (text, name) = (text.to_lowercase(), name.to_lowercase());
    let is_end = |character: Option<char>| character.is_none_or(|character| !character.is_alphanumeric());
    text.match_indices(&name)
        .any(|(at, _)| is_end(text[..at].chars().next_back()) && is_end(text[at + name.len()..].chars().next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn publication_follows_the_last_author_and_is_never_named_twice() {
        let check = |authors: &[&str], expected: &[&str]| {
            let person = |name: &&str| EditionPerson { name: (*name).to_owned(), email: None, url: None };
            let mut people: Vec<_> = authors.iter().map(person).collect();
            add_to_authors(&mut people, "The Gazette");
            assert_eq!(people.iter().map(|person| &*person.name).collect::<Vec<_>>(), expected);
        };
        check(&[], &["The Gazette"]);
        check(&["Jane Doe"], &["Jane Doe, The Gazette"]);
        check(&["Jane Doe", "Joe"], &["Jane Doe", "Joe, The Gazette"]);
        check(&["Gazette"], &["The Gazette"]);
        check(&["the gazette"], &["the gazette"]);
        check(&["Jane Doe (The Gazette)", "Joe"], &["Jane Doe (The Gazette)", "Joe"]);
        check(&["The Gazetteer"], &["The Gazetteer, The Gazette"]);
    }

    #[test]
    fn title_that_names_the_publication_stays_as_it_is() {
        let check = |title: &str, expected: &str| {
            let mut written = title.to_owned();
            add_to_title(&mut written, "İstanbul Post");
            assert_eq!(written, expected);
        };
        check("Ferry sails", "İstanbul Post: Ferry sails");
        check("Ferry sails | İSTANBUL POST", "Ferry sails | İSTANBUL POST");
        check("", "İstanbul Post: ");
    }
}
