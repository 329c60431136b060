//! Reads the rules of a section.

use std::time::Duration;

use super::feed::Feeds;
use super::reader::{Fault, Node, Table};
use super::{keys, value};
use crate::duration;
use crate::feed::FeedId;
use crate::rule::{Bound, Field, Has, Pattern, Rule, Test};

const FIELDS: [Field; 9] = [
    Field::Title,
    Field::Text,
    Field::Author,
    Field::Category,
    Field::Link,
    Field::Host,
    Field::Feed,
    Field::Tag,
    Field::Language,
];

/// Reads a rule. It is a table, and every test in the table must match.
pub(super) fn read(node: Node, feeds: &Feeds) -> Result<Rule, Fault> {
    let table = node.table(&keys::RULE)?;
    if table.is_empty() {
        return Err(Fault::new("an empty rule would match every story", "remove it"));
    }
    let mut tests: Vec<Test> = FIELDS.iter().filter_map(|field| field_test(&table, *field, feeds)).collect();
    tests.extend(table.get("has", |node| node.one_or_more(has)).map(Test::Has));
    tests.extend(table.get("words", |node| node.one_or_more(words)).map(Test::Words));
    tests.extend(table.get("age", |node| node.one_or_more(age)).map(Test::Age));
    tests.extend(table.get("not", |node| read(node, feeds)).map(|rule| Test::Not(Box::new(rule))));
    Ok(Rule::new(tests))
}

fn field_test(table: &Table, field: Field, feeds: &Feeds) -> Option<Test> {
    let patterns = table.get(field.key(), |node| node.one_or_more(|node| pattern(node, field, feeds)))?;
    Some(Test::Field(field, patterns))
}

fn pattern(node: Node, field: Field, feeds: &Feeds) -> Result<Pattern, Fault> {
    let text = value::words(node)?;
    let pattern = Pattern::parse(&text, field)?;
    if pattern.matches_everything() {
        let hint = "remove it, or write what it should match";
        node.reading.warn(&node.place(), Fault::new("this matches everything", hint));
    }
    match field {
        Field::Feed if !pattern.is_regex() => check_feed(node, &text, feeds)?,
        Field::Tag if !pattern.is_regex() => warn_of_unknown_tag(node, &text, feeds),
        _ => {}
    }
    Ok(pattern)
}

/// Checks that a named feed exists.
pub(super) fn check_feed(node: Node, name: &str, feeds: &Feeds) -> Result<(), Fault> {
    if feeds.ids.contains(&FeedId::from(name)) || node.reading.is_broken() {
        return Ok(());
    }
    let as_tag = feeds.tags.contains(name).then(|| format!("there is a tag of this name: write \"tag:{name}\""));
    let suggestion = || node.reading.suggest(name, feeds.ids.iter().map(FeedId::as_str));
    Err(Fault { message: format!("there is no feed `{name}`"), hint: as_tag.or_else(suggestion) })
}

/// Warns of a tag that no feed has. It is probably a mistake, but the feed may be added later.
pub(super) fn warn_of_unknown_tag(node: Node, tag: &str, feeds: &Feeds) {
    if !feeds.tags.contains(tag) && !node.reading.is_broken() {
        let hint = node.reading.suggest(tag, feeds.tags.iter().map(String::as_str));
        node.reading.warn(&node.place(), Fault { message: format!("no feed has the tag `{tag}`"), hint });
    }
}

fn has(node: Node) -> Result<Has, Fault> {
    value::choice(node, &Has::NAMES)
}

fn words(node: Node) -> Result<Bound<usize>, Fault> {
    let wanted = || Fault::from("expected a number of words such as \"<50\" or \">300\"".to_owned());
    Bound::parse(node.text()?, |number| number.parse().ok()).ok_or_else(wanted)
}

fn age(node: Node) -> Result<Bound<Duration>, Fault> {
    let wanted = || Fault::from("expected an age such as \"<2 hours\" or \">7 days\"".to_owned());
    Bound::parse(node.text()?, |age| duration::parse(age).ok()).ok_or_else(wanted)
}
