//! Makes bylines such as `by A via B - S`: the authors of a story, the contributors, and the source.

use crate::entry::Person;

/// Returns the byline of a story, made with the site's pattern. Each name occurs only once, even if an author is also a
/// contributor or the source.
pub(super) fn of(pattern: &str, authors: &[Person], via: &[Person], source: &str) -> String {
    let (has_author, has_source) = (pattern.contains("{author}"), pattern.contains("{source}"));
    let names = |people: &[Person], others: &[&str]| -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for name in people.iter().map(Person::display) {
            let name = if has_source { without_source(name, source) } else { name };
            let is_new = names.iter().all(|known| !is_same_name(known, name));
            if is_new && others.iter().all(|other| !is_same_name(other, name)) {
                names.push(name.to_owned());
            }
        }
        names
    };
    let source_or_none = if has_source { source } else { "" };
    let mut author = names(authors, &[source_or_none]);
    let mut source = source;
    if author.is_empty() && !authors.is_empty() && has_author {
        author = names(authors, &[]);
        source = "";
    }
    let shown = if has_author { &author[..] } else { &[] };
    let others: Vec<&str> = shown.iter().map(String::as_str).chain([source_or_none]).collect();
    byline(pattern, &author.join(", "), &names(via, &others).join(", "), source)
}

fn is_same_name(one: &str, other: &str) -> bool {
    let folded = |name: &str| name.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>();
    !one.is_empty() && folded(one) == folded(other)
}

/// Returns a name without the source after it: `Jane Doe - The Gazette` and `Jane Doe | The Gazette` become `Jane Doe`.
fn without_source<'n>(name: &'n str, source: &str) -> &'n str {
    let separator = |character: char| matches!(character, '-' | '–' | '—' | '|' | '·' | ',' | '/');
    let at = name.char_indices().rev().find(|(at, character)| {
        let is_separate = matches!(character, ',' | '|') || name[..*at].ends_with(char::is_whitespace);
        separator(*character) && is_separate && is_same_name(&name[at + character.len_utf8()..], source)
    });
    let before = at.map(|(at, _)| name[..at].trim_end_matches(|c: char| c.is_whitespace() || separator(c)));
    before.filter(|before| !before.is_empty()).unwrap_or(name)
}

/// Fills a byline pattern such as `by {author} via {via} - {source}`. If a part is empty, omits the words before it
/// too.
///
/// Returns plain text, which is empty if all parts are.
fn byline(pattern: &str, author: &str, via: &str, source: &str) -> String {
    let parts = [("{author}", author), ("{via}", via), ("{source}", source)];
    let mut byline = String::new();
    let mut rest = pattern;
    while let Some((at, name, value)) =
        parts.iter().filter_map(|(name, value)| Some((rest.find(name)?, *name, *value))).min_by_key(|(at, ..)| *at)
    {
        let words_before = &rest[..at];
        if !value.is_empty() {
            if byline.is_empty() && rest.len() != pattern.len() {
                byline.push_str(words_before.trim_start_matches(|c: char| !c.is_alphanumeric()));
            } else {
                byline.push_str(words_before);
            }
            byline.push_str(value);
        }
        rest = &rest[at + name.len()..];
    }
    if !byline.is_empty() {
        byline.push_str(rest);
    }
    byline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(parts: (&str, &str, &str), expected: &str) {
        assert_eq!(byline("by {author} via {via} - {source}", parts.0, parts.1, parts.2), expected);
    }

    #[test]
    fn empty_parts_of_a_byline_are_omitted_with_their_separator() {
        check(("Darius", "gail", "Anti-Media"), "by Darius via gail - Anti-Media");
        check(("Darius", "", "Anti-Media"), "by Darius - Anti-Media");
        check(("", "gail", "Anti-Media"), "via gail - Anti-Media");
        check(("", "", "Anti-Media"), "Anti-Media");
        check(("Darius", "", ""), "by Darius");
        check(("", "", ""), "");
    }

    #[test]
    fn byline_repeats_no_name() {
        let people = |names: &[&str]| names.iter().map(|name| Person::named(*name)).collect::<Vec<_>>();
        let check = |authors: &[&str], via: &[&str], source: &str, expected: &str| {
            let pattern = "by {author} via {via} - {source}";
            assert_eq!(of(pattern, &people(authors), &people(via), source), expected);
        };
        check(&["Low Water"], &[], "Low Water", "by Low Water");
        check(&["Ann", "LOW  water"], &[], "Low Water", "by Ann - Low Water");
        check(&["Ann", "Ann"], &["Ann", "gail"], "Low Water", "by Ann via gail - Low Water");
        check(&["Ann"], &["Low Water"], "Low Water", "by Ann - Low Water");
        check(&["Ann | Low Water"], &[], "Low Water", "by Ann - Low Water");
        check(&["Jean-Luc"], &[], "Luc", "by Jean-Luc - Luc");
        check(&["Ann"], &["gail"], "Low Water", "by Ann via gail - Low Water");
        assert_eq!(of("by {author}", &people(&["Low Water"]), &[], "Low Water"), "by Low Water");
        assert_eq!(of("from {source}", &people(&["Low Water"]), &[], "Low Water"), "from Low Water");
    }

    #[test]
    fn values_of_a_byline_are_not_patterns() {
        check(("{via}", "gail", ""), "by {via} via gail");
    }
}
