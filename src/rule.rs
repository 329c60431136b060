//! The rules of sections: how `keep` and `drop` rules match a story, and the reasons that they give.
//!
//! A rule matches if all its keys match, and a key matches if any of its values does. The key `age` looks at the story.
//! In a `keep` rule, `category`, `feed`, `tag` and `host` look at all copies that the section sees, and match if one of
//! the copies matches. In all other cases, a key looks only at the lead: the copy whose content is shown.
//!
//! This module does no I/O, and the caller passes `now`. With any pattern, the time of a match is linear in the length
//! of the text. No text is searched beyond [`MAX_SEARCHED_BYTES`].

mod canonical;

use std::fmt;
use std::time::Duration;

use regex::{Regex, RegexBuilder};

use crate::duration;
use crate::entry::{Category, Entry};
use crate::feed::FeedId;
use crate::reason::Matched;
use crate::text::PlainText;
use crate::text::scripts::breaks_words;
use crate::time::Timestamp;

pub use canonical::CanonicalForm;

/// The most bytes of a text that a rule searches: ten times a long article.
pub const MAX_SEARCHED_BYTES: usize = 64 * 1024;

/// The most characters of the matched text that a reason contains, because a pattern such as `/.*/` matches the whole
/// text.
const MAX_MATCHED_CHARS: usize = 100;

/// The most memory of one compiled pattern. A pattern such as `(\w{1000}){1000}` needs more, and is an error.
const MAX_COMPILED_BYTES: usize = 1024 * 1024;

/// A copy of a story, as rules see it.
#[derive(Clone, Copy, Debug)]
pub struct RuleCopy<'a> {
    /// The entry.
    pub entry: &'a Entry,
    /// The feed of the copy.
    pub feed: &'a FeedId,
    /// The tags of the feed.
    pub tags: &'a [String],
    /// The entry's own categories, and those that the config gives to entries of the feed. A category with a facet,
    /// such as `region:international`, has the facet in its scheme.
    pub categories: &'a [Category],
    /// The plain text of the entry.
    pub text: &'a PlainText,
}

/// A story that rules are applied to.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The copies that the section sees; never empty.
    pub copies: &'a [RuleCopy<'a>],
    /// The index of the lead, the copy whose content is shown.
    pub lead: usize,
    /// The time by which the story is sorted.
    pub sort_at: Timestamp,
    /// The time at which the rules are applied.
    pub now: Timestamp,
}

/// A rule of a section, checked for errors. Displayed as TOML.
#[derive(Clone, Debug)]
pub struct Rule {
    tests: Vec<Test>,
}

/// One key of a rule with its values. The key matches if any value does.
#[derive(Clone, Debug)]
pub enum Test {
    /// Patterns for a field.
    Field(Field, Vec<Pattern>),
    /// Parts. The entry must have at least one of them.
    Has(Vec<Has>),
    /// Bounds for the number of words.
    Words(Vec<Bound<usize>>),
    /// Bounds for the age of the story: the time since its `sort_at`.
    Age(Vec<Bound<Duration>>),
    /// A rule that must not match.
    Not(Box<Rule>),
}

/// A key whose values are patterns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// The title.
    Title,
    /// Title, summary and content as plain text.
    Text,
    /// The names and mail addresses of the authors.
    Author,
    /// A category: its term, its label, or its facet and term as in `region:international`.
    Category,
    /// The link.
    Link,
    /// The host of the link.
    Host,
    /// The id of the feed.
    Feed,
    /// A tag of the feed.
    Tag,
    /// The language. `en` also matches `en-GB`.
    Language,
}

/// A part that an entry may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Has {
    /// An enclosure: an attached file.
    Enclosure,
    /// A picture.
    Image,
    /// Content or a summary.
    Content,
    /// An author.
    Author,
    /// A date that the feed gave.
    Date,
}

/// A bound for a value: `<` or `>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound<T> {
    /// `<`: less than the value.
    Below(T),
    /// `>`: more than the value.
    Above(T),
}

/// A value of a [`Field`], checked for errors.
#[derive(Clone, Debug)]
pub struct Pattern {
    /// The value as the TOML has it.
    source: String,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// A text in lower case that must equal the whole value in lower case.
    Whole(String),
    /// A word or phrase, as a regular expression. A match must not begin or end inside a word.
    Phrase(Regex),
    Regex(Regex),
}

/// The copies that a rule looks at. For some keys of a `keep` rule these are all copies, for a `drop` rule only the
/// lead.
#[derive(Clone, Copy, PartialEq, Eq)]
enum CountedCopies {
    AnyCopy,
    Lead,
}

impl Rule {
    /// Creates a rule that matches if all tests do.
    pub fn new(tests: Vec<Test>) -> Rule {
        Rule { tests }
    }

    /// Returns why the rule matches as a `keep` rule, one reason per key; `None` if the rule does not match.
    pub fn keep_matches(&self, subject: &Subject) -> Option<Vec<Matched>> {
        self.matches(subject, CountedCopies::AnyCopy)
    }

    /// Returns why the rule matches as a `drop` rule, one reason per key; `None` if the rule does not match.
    pub fn drop_matches(&self, subject: &Subject) -> Option<Vec<Matched>> {
        self.matches(subject, CountedCopies::Lead)
    }

    /// Returns the next time after `subject.now` at which an `age` of the rule begins or ceases to match; `None` if
    /// there is no such time.
    pub fn next_change(&self, subject: &Subject) -> Option<Timestamp> {
        self.tests.iter().filter_map(|test| test.next_change(subject)).min()
    }

    /// Returns whether the rule needs the plain text or the number of words of a copy.
    pub fn reads_text(&self) -> bool {
        self.tests.iter().any(|test| match test {
            Test::Field(field, _) => *field == Field::Text,
            Test::Words(_) => true,
            Test::Not(rule) => rule.reads_text(),
            Test::Has(_) | Test::Age(_) => false,
        })
    }

    fn matches(&self, subject: &Subject, counted: CountedCopies) -> Option<Vec<Matched>> {
        self.tests.iter().map(|test| test.matches(subject, counted)).collect()
    }
}

impl Test {
    fn matches(&self, subject: &Subject, counted: CountedCopies) -> Option<Matched> {
        let lead = &subject.copies[subject.lead];
        let matched = |words: String| Matched { key: self.key().to_owned(), words, feed: None };
        let by_lead = |words: String| Matched { feed: Some(lead.feed.clone()), ..matched(words) };
        match self {
            Test::Field(field, patterns) => field_matches(*field, patterns, subject, counted),
            Test::Has(any) => any.iter().find(|has| has.holds(lead.entry)).map(|has| by_lead(has.name().to_owned())),
            Test::Words(bounds) => {
                let words = lead.text.words();
                bounds.iter().find(|bound| bound.holds(&words)).map(|_| by_lead(words.to_string()))
            }
            Test::Age(bounds) => {
                let age = subject.now.since(subject.sort_at);
                bounds.iter().find(|bound| bound.holds(&age)).map(|bound| matched(bound.words(duration::words)))
            }
            Test::Not(rule) => rule.matches(subject, counted).is_none().then(|| matched(rule.to_string())),
        }
    }

    fn next_change(&self, subject: &Subject) -> Option<Timestamp> {
        match self {
            Test::Age(bounds) => {
                let turns = bounds.iter().map(|bound| match bound {
                    Bound::Below(age) => subject.sort_at + *age,
                    Bound::Above(age) => subject.sort_at + *age + Duration::from_millis(1),
                });
                turns.filter(|turn| *turn > subject.now).min()
            }
            Test::Not(rule) => rule.next_change(subject),
            Test::Field(..) | Test::Has(_) | Test::Words(_) => None,
        }
    }

    fn key(&self) -> &'static str {
        match self {
            Test::Field(field, _) => field.key(),
            Test::Has(_) => "has",
            Test::Words(_) => "words",
            Test::Age(_) => "age",
            Test::Not(_) => "not",
        }
    }
}

fn field_matches(field: Field, patterns: &[Pattern], subject: &Subject, counted: CountedCopies) -> Option<Matched> {
    let lead = &subject.copies[subject.lead];
    let others = subject.copies.iter().enumerate().filter(|(index, _)| *index != subject.lead).map(|(_, copy)| copy);
    let others_count = if counted == CountedCopies::AnyCopy && field.is_of_any_copy() { usize::MAX } else { 0 };
    std::iter::once(lead).chain(others.take(others_count)).find_map(|copy| {
        let words = field.find(patterns, copy)?;
        Some(Matched { key: field.key().to_owned(), words, feed: Some(copy.feed.clone()) })
    })
}

impl Field {
    /// Returns the key in the TOML.
    pub fn key(self) -> &'static str {
        match self {
            Field::Title => "title",
            Field::Text => "text",
            Field::Author => "author",
            Field::Category => "category",
            Field::Link => "link",
            Field::Host => "host",
            Field::Feed => "feed",
            Field::Tag => "tag",
            Field::Language => "language",
        }
    }

    /// Returns whether a pattern that is not a regular expression is a word or phrase to find in the field. In other
    /// fields, such a pattern must be equal to the whole value.
    fn is_prose(self) -> bool {
        matches!(self, Field::Title | Field::Text)
    }

    fn is_of_any_copy(self) -> bool {
        matches!(self, Field::Category | Field::Feed | Field::Tag | Field::Host)
    }

    /// Returns the part of the copy's field that one of the patterns matches, shortened; for a category, the whole
    /// category. Returns `None` if no pattern matches.
    fn find(self, patterns: &[Pattern], copy: &RuleCopy) -> Option<String> {
        let find = |value: &str| patterns.iter().find_map(|pattern| pattern.find(value)).map(shortened);
        let entry = copy.entry;
        match self {
            Field::Title => find(&entry.title),
            Field::Text => find(copy.text.all()),
            Field::Author => {
                let names = entry.authors.iter().flat_map(|author| [author.name.as_deref(), author.email.as_deref()]);
                names.flatten().find_map(find)
            }
            Field::Category => copy.categories.iter().find_map(|category| find_in_category(category, &find)),
            Field::Link => entry.link.as_ref().and_then(|link| find(link.as_str())),
            Field::Host => {
                let host = entry.link.as_ref()?.host_str()?;
                find(host).or_else(|| find(host.strip_prefix("www.")?))
            }
            Field::Feed => find(copy.feed.as_str()),
            Field::Tag => copy.tags.iter().find_map(|tag| find(tag)),
            Field::Language => entry.language.as_deref().and_then(|language| find_in_language(language, &find)),
        }
    }
}

/// Matches a category by `facet:term`, by its term or by its label. Returns it as `facet:term`, or as its term if it
/// has no facet.
fn find_in_category(category: &Category, find: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let facet = category.scheme_name();
    let written = facet.map(|facet| format!("{facet}:{}", category.term));
    let shown = || written.clone().unwrap_or_else(|| category.term.clone());
    let names = [written.as_deref(), Some(category.term.as_str()), category.label.as_deref()];
    names.into_iter().flatten().any(|name| find(name).is_some()).then(shown)
}

/// Matches a language tag: `en` also matches `en-GB`, by the basic filtering of RFC 4647 §3.3.1.
fn find_in_language(language: &str, find: &impl Fn(&str) -> Option<String>) -> Option<String> {
    let ends = language.match_indices('-').map(|(end, _)| end);
    std::iter::once(language.len()).chain(ends).find_map(|end| find(&language[..end]))
}

impl Has {
    /// All parts, each with its name in the TOML.
    pub const NAMES: [(&'static str, Has); 5] = [
        ("enclosure", Has::Enclosure),
        ("image", Has::Image),
        ("content", Has::Content),
        ("author", Has::Author),
        ("date", Has::Date),
    ];

    fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, has)| *has == self).map_or("", |(name, _)| name)
    }

    fn holds(self, entry: &Entry) -> bool {
        match self {
            Has::Enclosure => entry.files().next().is_some(),
            Has::Image => entry.image.is_some(),
            Has::Content => entry.content_html.is_some() || entry.summary_html.is_some(),
            Has::Author => !entry.authors.is_empty(),
            Has::Date => entry.published.is_some() || entry.updated.is_some(),
        }
    }
}

impl<T: Copy + PartialOrd> Bound<T> {
    /// Parses a bound: `<` or `>`, followed by a value that `read` parses; `None` if the text has another form.
    pub fn parse(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Bound<T>> {
        let text = text.trim();
        match (text.strip_prefix('<'), text.strip_prefix('>')) {
            (Some(value), _) => read(value.trim()).map(Bound::Below),
            (_, Some(value)) => read(value.trim()).map(Bound::Above),
            _ => None,
        }
    }

    fn holds(&self, value: &T) -> bool {
        match self {
            Bound::Below(bound) => value < bound,
            Bound::Above(bound) => value > bound,
        }
    }

    fn words(&self, words: impl Fn(T) -> String) -> String {
        match self {
            Bound::Below(bound) => format!("<{}", words(*bound)),
            Bound::Above(bound) => format!(">{}", words(*bound)),
        }
    }
}

impl Pattern {
    /// Parses a value of a rule. `/…/` is a regular expression. In the fields `title` and `text`, any other value is a
    /// word or phrase to find. In other fields, any other value must equal the whole field.
    ///
    /// # Errors
    ///
    /// Returns a message of one line if the regular expression is not valid or too big.
    pub fn parse(text: &str, field: Field) -> Result<Pattern, String> {
        let regex = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).filter(|regex| !regex.is_empty());
        let matcher = match regex {
            Some(regex) => Matcher::Regex(compile(regex)?),
            None if field.is_prose() => Matcher::Phrase(compile(&phrase_expression(text))?),
            None => Matcher::Whole(text.to_lowercase()),
        };
        Ok(Pattern { source: text.to_owned(), matcher })
    }

    /// Returns whether the pattern is a regular expression.
    pub fn is_regex(&self) -> bool {
        matches!(self.matcher, Matcher::Regex(_))
    }

    /// Returns whether the pattern is a regular expression that seems to match every non-empty text: it matches four
    /// very different ones.
    pub fn matches_everything(&self) -> bool {
        let is_match = |text: &str| matches!(&self.matcher, Matcher::Regex(regex) if regex.is_match(text));
        ["a", "7", "Ω", "%"].into_iter().all(is_match)
    }

    /// Returns the part of `value` that the pattern matches.
    fn find<'a>(&self, value: &'a str) -> Option<&'a str> {
        let value = &value[..value.floor_char_boundary(MAX_SEARCHED_BYTES)];
        match &self.matcher {
            Matcher::Whole(whole) => (value.to_lowercase() == *whole).then_some(value),
            Matcher::Phrase(regex) => find_phrase(regex, value),
            Matcher::Regex(regex) => regex.find(value).map(|found| found.as_str()),
        }
    }
}

fn shortened(matched: &str) -> String {
    match matched.char_indices().nth(MAX_MATCHED_CHARS) {
        Some((end, _)) => format!("{}…", &matched[..end]),
        None => matched.to_owned(),
    }
}

fn compile(expression: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(expression).case_insensitive(true).size_limit(MAX_COMPILED_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            "the regular expression is too big: use fewer or smaller repetitions".to_owned()
        }
        error => {
            let message = error.to_string();
            let reason = message.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
            format!("bad regular expression: {reason}")
        }
    })
}

/// Builds the regular expression that finds a phrase. Any white space matches between two words, and straight and
/// typographic apostrophes match each other.
fn phrase_expression(phrase: &str) -> String {
    let words: Vec<String> = phrase.split_whitespace().map(regex::escape).collect();
    words.join(r"\s+").replace(['\'', '’'], "['’]")
}

/// Returns the first occurrence of the phrase that begins and ends at the border of a word.
fn find_phrase<'a>(regex: &Regex, text: &'a str) -> Option<&'a str> {
    let mut start = 0;
    while let Some(found) = regex.find_at(text, start) {
        let before = text[..found.start()].chars().next_back();
        let after = text[found.end()..].chars().next();
        let first = found.as_str().chars().next()?;
        let last = found.as_str().chars().next_back();
        if is_word_end(before, Some(first)) && is_word_end(last, after) {
            return Some(found.as_str());
        }
        start = found.start() + first.len_utf8();
    }
    None
}

/// Returns whether the border between two characters is the border of a word: one of them is not part of a word, or
/// belongs to a script without spaces. `None` stands for the start or end of the text.
fn is_word_end(left: Option<char>, right: Option<char>) -> bool {
    let is_word = |c: Option<char>| c.is_some_and(|c| (c.is_alphanumeric() || c == '_') && !breaks_words(c));
    !(is_word(left) && is_word(right))
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tests: Vec<String> = self.tests.iter().map(Test::to_string).collect();
        write!(f, "{{ {} }}", tests.join(", "))
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<String> = match self {
            Test::Field(_, patterns) => patterns.iter().map(|pattern| pattern.source.clone()).collect(),
            Test::Has(any) => any.iter().map(|has| has.name().to_owned()).collect(),
            Test::Words(bounds) => bounds.iter().map(|bound| bound.words(|words| words.to_string())).collect(),
            Test::Age(bounds) => bounds.iter().map(|bound| bound.words(duration::words)).collect(),
            Test::Not(rule) => return write!(f, "not = {rule}"),
        };
        let quoted: Vec<String> = values.iter().map(|value| quoted(value)).collect();
        match quoted.as_slice() {
            [one] => write!(f, "{} = {one}", self.key()),
            several => write!(f, "{} = [{}]", self.key(), several.join(", ")),
        }
    }
}

/// Quotes a text for TOML. If the text has a backslash or a quote, uses a literal string where possible, because that
/// is easier to read.
fn quoted(text: &str) -> String {
    if text.contains(['\\', '"']) && !text.contains('\'') && !text.contains(char::is_control) {
        return format!("'{text}'");
    }
    let escaped = text.chars().map(|c| match c {
        '\\' | '"' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}
