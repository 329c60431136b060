//! Parses a search as a person types it (words, phrases and fields), and finds where its words occur in a text.
//!
//! `ferr harbour` finds texts that have a word that begins with `ferr` and one that begins with `harbour`. Texts with
//! exactly these words come first. `"new shoes"` finds a phrase, and `-ads` excludes a word. Words of one or two
//! letters only match whole words, because half of all texts have a word that begins with them. `title:` searches only
//! titles, and `author:` only authors. `feed:` and `section:` are followed by ids, and `after:` and `before:` by days
//! (`2017`, `2017-12`, `2017-12-20`, in UTC). Case and accents do not matter. In scripts without spaces every character
//! is a word, and a search is a phrase of these words.
//!
//! This module is pure. The store translates a query for its index.

use std::borrow::Cow;
use std::ops::Range;

use chrono::{NaiveDate, NaiveTime};

use crate::entry::Person;
use crate::feed::{FeedId, SectionId};
use crate::foreign;
use crate::rows::{IndexedWords, SearchField, SearchTerm, SearchTerms};
use crate::text::PlainText;
use crate::text::scripts::is_searched_alone;
use crate::time::Timestamp;

/// The length of an excerpt in characters, which is two lines of a terminal.
const EXCERPT_CHARS: usize = 160;

/// How many characters of an excerpt come before the first match.
const LEAD_CHARS: usize = 50;

/// How many words, phrases and fields of a search are used; the rest is ignored. Each one more makes the search slower
/// by the same time, and few people type more than this.
const MAX_TERMS: usize = 8;

/// How many words all phrases of a search may have together. In scripts without spaces, each character is a word.
const MAX_WORDS: usize = 32;

/// How many letters a word of a search must have so that it also matches longer words that begin with it. With fewer
/// letters, so many words match that ranking the results takes a second for 100,000 stories.
const PREFIX_CHARS: usize = 3;

/// The base letters of U+00C0 to U+017F, without accents, as in SQLite's `unicode61 remove_diacritics 2`.
const LATIN: &str = "AAAAAAÆCEEEEIIIIÐNOOOOO×ØUUUUYÞßaaaaaaæceeeeiiiiðnooooo÷øuuuuyþy\
AaAaAaCcCcCcCcDdĐđEeEeEeEeEeGgGgGgGgHhĦħIiIiIiIiIıĲĳJjKkĸLlLlLlĿŀŁłNnNnNnŉŊŋOoOoOoŒœRrRrRrSsSsSsSsTtTtŦŧUuUuUuUuUuUuWwYyYZzZzZzſ";

/// A parsed search.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    wanted: Vec<SearchTerm>,
    unwanted: Vec<SearchTerm>,
    /// The feeds to search; empty for all.
    pub feeds: Vec<FeedId>,
    /// The sections to search; empty for all.
    pub sections: Vec<SectionId>,
    /// If set, only stories published at this time or later are found.
    pub after: Option<Timestamp>,
    /// If set, only stories published before this time are found.
    pub before: Option<Timestamp>,
}

/// The texts of a story, for [`Query::matches`].
#[derive(Clone, Copy, Debug)]
pub struct Searched<'a> {
    /// The title as plain text.
    pub title: &'a str,
    /// Title, summary and content as plain text.
    pub text: &'a str,
    /// The names of the authors.
    pub author: &'a str,
}

/// A few words around the first match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Excerpt {
    /// Plain text on one line.
    pub text: String,
    /// The ranges of `text` that match the search, in bytes.
    pub marks: Vec<Range<usize>>,
}

impl Query {
    /// Parses a search. Also returns a sentence about each part that the query leaves out, because it is invalid or
    /// exceeds a limit.
    pub fn parse(text: &str) -> (Query, Vec<String>) {
        let (mut query, mut faults) = (Query::default(), Vec::new());
        let mut words_left = MAX_WORDS;
        let mut tokens = tokens(text);
        if tokens.len() > MAX_TERMS {
            tokens.truncate(MAX_TERMS);
            faults.push(format!("only the first {MAX_TERMS} words, phrases and fields are used"));
        }
        for token in tokens {
            let value = token.text.as_str();
            match token.field.as_deref() {
                Some("feed") => query.feeds.push(FeedId::from(value)),
                Some("section") => query.sections.push(SectionId::from(value)),
                Some(field @ ("after" | "before")) => match day(value) {
                    Some(start) if field == "after" => query.after = Some(start),
                    Some(start) => query.before = Some(start),
                    None => faults.push(format!(
                        "{field}:{} is not a date; use one like 2017-12-20, 2017-12 or 2017",
                        foreign::part(value)
                    )),
                },
                field => {
                    let mut words: Vec<String> = words(value).map(|(_, word)| fold(word)).collect();
                    if words.len() > words_left {
                        words.truncate(words_left);
                        faults.push(format!("only the first {MAX_WORDS} words of all phrases are used"));
                    }
                    words_left -= words.len();
                    if words.is_empty() {
                        continue;
                    }
                    let field = match field {
                        Some("title") => Some(SearchField::Title),
                        Some("author") => Some(SearchField::Author),
                        _ => None,
                    };
                    let term = search_term(field, words, !token.is_quoted || token.has_star);
                    if token.is_unwanted { query.unwanted.push(term) } else { query.wanted.push(term) }
                }
            }
        }
        (query, faults)
    }

    /// Returns a query for titles that contain all of these words.
    pub fn of_title(text: &str) -> Query {
        let terms =
            words(text).take(MAX_TERMS).map(|(_, word)| search_term(Some(SearchField::Title), vec![fold(word)], true));
        Query { wanted: terms.collect(), ..Query::default() }
    }

    /// Returns whether the query has no wanted words or phrases, and no feeds, sections or days.
    pub fn is_empty(&self) -> bool {
        self.wanted.is_empty() && !self.is_narrowed()
    }

    /// Returns whether the query names feeds, sections or days.
    pub fn is_narrowed(&self) -> bool {
        let has_limits = self.after.is_some() || self.before.is_some();
        has_limits || !self.feeds.is_empty() || !self.sections.is_empty()
    }

    /// Returns the query in the form that the store takes.
    pub fn search(&self) -> SearchTerms {
        let Query { wanted, unwanted, feeds, sections, after, before } = self.clone();
        SearchTerms { wanted, unwanted, feeds, sections, after, before }
    }

    /// Returns whether a single entry matches the words of the query. Feeds, sections and days are not compared.
    pub fn matches(&self, searched: Searched) -> bool {
        let [title, text, author] = [searched.title, searched.text, searched.author].map(folded_words);
        let is_found = |term: &SearchTerm| {
            let texts = match term.field {
                Some(SearchField::Title) => [title.as_slice(), &[]],
                Some(SearchField::Author) => [author.as_slice(), &[]],
                None => [text.as_slice(), author.as_slice()],
            };
            texts.into_iter().any(|text| find(term, text).next().is_some())
        };
        self.wanted.iter().all(is_found) && !self.unwanted.iter().any(is_found)
    }

    /// Returns an excerpt of the content, or of the summary if only the summary contains the words. The title is not
    /// used, because it is shown anyway.
    pub fn excerpt_of(&self, text: &PlainText) -> Excerpt {
        let bodies = [text.content(), text.summary()].into_iter().filter(|body| !body.is_empty());
        let excerpts: Vec<Excerpt> = bodies.map(|body| self.excerpt(body)).collect();
        let found = excerpts.iter().find(|excerpt| !excerpt.marks.is_empty()).or(excerpts.first());
        found.cloned().unwrap_or_default()
    }

    /// Returns a few words around the first match, with all matches marked.
    pub fn excerpt(&self, text: &str) -> Excerpt {
        let Excerpt { text, marks } = self.marked(text);
        let first = marks.first().map_or(0, |mark| mark.start);
        let start = back(&text, first, LEAD_CHARS);
        let end = forth(&text, start, EXCERPT_CHARS);
        let before = if start > 0 { "… " } else { "" };
        let after = if end < text.len() { " …" } else { "" };
        let shifted = |mark: Range<usize>| {
            let inside = mark.start >= start && mark.end <= end;
            inside.then(|| mark.start - start + before.len()..mark.end - start + before.len())
        };
        Excerpt {
            text: format!("{before}{}{after}", text[start..end].trim_end()),
            marks: marks.into_iter().filter_map(shifted).collect(),
        }
    }

    /// Returns the whole text in one line, with all matches marked.
    pub fn marked(&self, text: &str) -> Excerpt {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Excerpt { marks: self.marks(&text), text }
    }

    /// Returns the ranges of the matches in order, without those that overlap an earlier one.
    fn marks(&self, text: &str) -> Vec<Range<usize>> {
        let words = folded_words(text);
        let of_text = self.wanted.iter().filter(|term| term.field != Some(SearchField::Author));
        let mut marks: Vec<Range<usize>> = of_text.flat_map(|term| find(term, &words).collect::<Vec<_>>()).collect();
        marks.sort_by_key(|mark| (mark.start, std::cmp::Reverse(mark.end)));
        let mut end = 0;
        marks.retain(|mark| {
            let is_free = mark.start >= end;
            end = end.max(mark.end);
            is_free
        });
        marks
    }
}

fn search_term(field: Option<SearchField>, words: Vec<String>, may_go_on: bool) -> SearchTerm {
    let is_long = words.last().is_some_and(|word| word.chars().count() >= PREFIX_CHARS);
    SearchTerm { field, words, is_prefix: may_go_on && is_long }
}

/// Returns the parts of the text that match a term.
fn find<'t>(term: &'t SearchTerm, text: &'t [(Range<usize>, String)]) -> impl Iterator<Item = Range<usize>> + 't {
    let last = term.words.len() - 1;
    let is_word = move |at: usize, wanted: &String, word: &String| {
        word == wanted || (at == last && term.is_prefix && word.starts_with(wanted.as_str()))
    };
    text.windows(term.words.len()).filter_map(move |window| {
        let fits = term.words.iter().zip(window).enumerate().all(|(at, (wanted, (_, word)))| is_word(at, wanted, word));
        fits.then(|| window[0].0.start..window[last].0.end)
    })
}

/// Returns the words that the index stores for a title, a text and its people, so that a [`Query`] finds them.
pub fn indexed<'p>(title: &str, text: &PlainText, people: impl Iterator<Item = &'p Person>) -> IndexedWords {
    let words = format!("{}\n{}", text.summary(), text.content());
    let people = people.map(Person::display).collect::<Vec<_>>().join(", ");
    let [title, text, author] = [title, &words, &people].map(|text| spaced(text).into_owned());
    IndexedWords { title, text, author }
}

/// Prepares a text for the index: characters of scripts without spaces become separate words.
fn spaced(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || !text.chars().any(is_searched_alone) {
        return Cow::Borrowed(text);
    }
    let mut spaced = String::with_capacity(text.len() * 2);
    for c in text.chars() {
        if is_searched_alone(c) {
            spaced.extend([' ', c, ' ']);
        } else {
            spaced.push(c);
        }
    }
    Cow::Owned(spaced)
}

/// One part of a typed search: a word, a phrase or a field.
struct QueryToken {
    field: Option<String>,
    text: String,
    is_quoted: bool,
    has_star: bool,
    is_unwanted: bool,
}

fn tokens(text: &str) -> Vec<QueryToken> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let unsigned = rest.strip_prefix('-').filter(|rest| rest.starts_with(|c: char| !c.is_whitespace()));
        let is_unwanted = unsigned.is_some();
        rest = unsigned.unwrap_or(rest);
        let field = FIELDS.iter().find_map(|field| Some((*field, rest.strip_prefix(field)?.strip_prefix(':')?)));
        let (field, value) = field.map_or((None, rest), |(field, value)| (Some(field.to_owned()), value));
        let quoted = value.strip_prefix('"');
        let (text, after) = match quoted {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => value.split_at(value.find(char::is_whitespace).unwrap_or(value.len())),
        };
        let has_star = after.starts_with('*');
        tokens.push(QueryToken { field, text: text.to_owned(), is_quoted: quoted.is_some(), has_star, is_unwanted });
        rest = after.trim_start_matches('*').trim_start();
    }
    tokens
}

const FIELDS: [&str; 6] = ["title", "author", "feed", "section", "after", "before"];

/// Returns the time at which a day, month or year begins, in UTC; `None` if the text is not a date.
fn day(text: &str) -> Option<Timestamp> {
    let parts = text.split('-').map(|part| part.parse().ok()).collect::<Option<Vec<u32>>>()?;
    let (year, month, day) = match *parts.as_slice() {
        [year] => (year, 1, 1),
        [year, month] => (year, month, 1),
        [year, month, day] => (year, month, day),
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, month, day)?;
    Some(Timestamp::from_datetime(date.and_time(NaiveTime::MIN).and_utc()))
}

/// Returns the words of a text with their positions. A word is a sequence of letters and digits, or a single character
/// of a script without spaces.
fn words(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let mut chars = text.char_indices().peekable();
    std::iter::from_fn(move || {
        let (start, first) = chars.find(|(_, c)| c.is_alphanumeric())?;
        let mut end = start + first.len_utf8();
        if !is_searched_alone(first) {
            let goes_on = |c: char| (c.is_alphanumeric() || is_mark(c)) && !is_searched_alone(c);
            while let Some((at, c)) = chars.next_if(|(_, c)| goes_on(*c)) {
                end = at + c.len_utf8();
            }
        }
        Some((start..end, &text[start..end]))
    })
}

fn folded_words(text: &str) -> Vec<(Range<usize>, String)> {
    words(text).map(|(range, word)| (range, fold(word))).collect()
}

/// Returns the word in lower case, without accents.
fn fold(word: &str) -> String {
    let base = |c: char| match u32::from(c) {
        code @ 0xC0..=0x17F => LATIN.chars().nth((code - 0xC0) as usize).unwrap_or(c),
        _ => c,
    };
    word.chars().filter(|c| !is_mark(*c)).map(base).flat_map(char::to_lowercase).collect()
}

/// Returns whether a character is a combining accent.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36F}')
}

/// Returns the position `chars` characters before `at`, moved forward to the start of a word.
fn back(text: &str, at: usize, chars: usize) -> usize {
    let Some((start, _)) = text[..at].char_indices().rev().nth(chars) else { return 0 };
    text[start..at].find(' ').map_or(start, |space| start + space + 1)
}

/// Returns the position `chars` characters after `at`, moved back to the end of a word, unless that word is very long.
fn forth(text: &str, at: usize, chars: usize) -> usize {
    let Some((end, _)) = text[at..].char_indices().nth(chars) else { return text.len() };
    text[at..at + end].rfind(' ').filter(|space| *space > end / 2).map_or(at + end, |space| at + space)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows each term as its field and words, with a star if the last word is a prefix.
    fn terms(terms: &[SearchTerm]) -> Vec<String> {
        let term = |term: &SearchTerm| {
            let field = term.field.map(|field| format!("{field:?}:").to_lowercase()).unwrap_or_default();
            format!("{field}{}{}", term.words.join(" "), if term.is_prefix { "*" } else { "" })
        };
        terms.iter().map(term).collect()
    }

    #[test]
    fn typed_search_becomes_terms() {
        let check = |text: &str, wanted: &[&str], unwanted: &[&str]| {
            let search = Query::parse(text).0.search();
            assert_eq!(terms(&search.wanted), wanted, "{text}");
            assert_eq!(terms(&search.unwanted), unwanted, "{text}");
        };
        check("ab abc", &["ab", "abc*"], &[]);
        check("\"New Shoes\" -ads", &["new shoes"], &["ads*"]);
        check("\"new sho\"*", &["new sho*"], &[]);
        check("title:Café author:\"Jane Doe\"", &["title:cafe*", "author:jane doe"], &[]);
        check("東京 x", &["東 京", "x"], &[]);
        check("\"a \"\" OR b* NEAR(c) {d} ^e", &["a", "or b near c d e"], &[]);
        check("--- \"\" *", &[], &[]);
        check("http://a", &["http a"], &[]);
    }

    #[test]
    fn fields_narrow_the_search() {
        let (query, faults) = Query::parse("feed:a section:\"b\" after:2017-12 before:2018 x");
        assert_eq!((query.feeds, query.sections), (vec![FeedId::from("a")], vec![SectionId::from("b")]));
        assert_eq!(query.after.unwrap().rfc3339(), "2017-12-01T00:00:00Z");
        assert_eq!(query.before.unwrap().rfc3339(), "2018-01-01T00:00:00Z");
        assert!(faults.is_empty());
        let (query, faults) = Query::parse("after:yesterday before:2017-02-30 x");
        assert_eq!((query.after, query.before, faults.len()), (None, None, 2));
        assert_eq!(faults[0], "after:yesterday is not a date; use one like 2017-12-20, 2017-12 or 2017");
    }

    #[test]
    fn further_words_are_ignored_and_reported() {
        let (query, faults) = Query::parse("a b c d e f g h");
        assert_eq!((query.wanted.len(), faults.len()), (8, 0));
        let (query, faults) = Query::parse(&"word ".repeat(40));
        assert_eq!(
            (query.wanted.len(), faults),
            (8, vec!["only the first 8 words, phrases and fields are used".to_owned()])
        );
        let (query, faults) = Query::parse(&format!("\"{}\" x", "京".repeat(40)));
        assert_eq!(query.wanted.iter().map(|term| term.words.len()).sum::<usize>(), 32);
        assert_eq!(faults[0], "only the first 32 words of all phrases are used");
    }

    #[test]
    fn excerpt_marks_the_matches() {
        let check = |words: &str, text: &str, expected: &str| {
            let excerpt = Query::parse(words).0.excerpt(text);
            let mut marked = excerpt.text.clone();
            for mark in excerpt.marks.iter().rev() {
                marked.insert(mark.end, ']');
                marked.insert(mark.start, '[');
            }
            assert_eq!(marked, expected, "{words}");
        };
        check("ferr", "The ferries\nand a Ferry", "The [ferries] and a [Ferry]");
        check("\"new shoes\"", "New shoes, new boots", "[New shoes], new boots");
        check("cafe", "Un café-bar", "Un [café]-bar");
        check("京都", "東京都の京都", "東[京都]の[京都]");
        check("nothing", "A text", "A text");
        let long = format!("{} harbour {}", "word ".repeat(100), "more ".repeat(100));
        let excerpt = Query::parse("harbour").0.excerpt(&long);
        assert!(excerpt.text.starts_with("… word") && excerpt.text.ends_with("more …"), "{}", excerpt.text);
        assert!(excerpt.text.chars().count() <= EXCERPT_CHARS + 4);
    }

    #[test]
    fn copy_matches_only_with_all_words() {
        let searched = Searched { title: "Ferries", text: "Ferries\nAre late again", author: "Jane Doe" };
        let check =
            |words: &str, expected: bool| assert_eq!(Query::parse(words).0.matches(searched), expected, "{words}");
        check("ferries late", true);
        check("title:late", false);
        check("author:jane late", true);
        check("\"late again\"", true);
        check("\"again late\"", false);
        check("ferries -late", false);
        check("jane", true);
    }

    #[test]
    fn table_of_accents_is_complete() {
        assert_eq!(LATIN.chars().count(), 0x180 - 0xC0);
        assert_eq!(fold("ÀÉÎÕÜçñÿŠŽąęłő"), "aeioucnyszaełő".replace('ő', "o"));
    }
}
