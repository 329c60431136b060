//! `config/reference.toml` contains every key with its default.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use newswire::config::{self, Config, Feed, Problem, SHAPES, SecretRef, SourceFile};
use secrecy::SecretString;
use toml::de::{DeTable, DeValue};

fn check(text: &str) -> (Option<Config>, Vec<Problem>) {
    let source = SourceFile { path: PathBuf::from("/srv/wire/newswire.toml"), text: text.to_owned() };
    config::check(&[source], &|_: &SecretRef| Ok(SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")))
}

fn good(text: &str) -> Config {
    let (config, problems) = check(text);
    config.unwrap_or_else(|| panic!("{problems:#?}"))
}

/// Returns the keys of each kind of table, such as `[[feed]]`.
fn keys_of(text: &str) -> BTreeMap<&'static str, BTreeSet<String>> {
    let document = DeTable::parse(text).unwrap();
    let mut keys: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    collect_keys("the main file", document.get_ref(), &mut keys);
    keys
}

fn collect_keys(shape: &'static str, table: &DeTable, keys: &mut BTreeMap<&'static str, BTreeSet<String>>) {
    for (key, value) in table {
        keys.entry(shape).or_default().insert(key.get_ref().to_string());
        let tables: Vec<&DeTable> = match value.get_ref() {
            DeValue::Table(table) => vec![table],
            DeValue::Array(items) => items.iter().filter_map(|item| item.get_ref().as_table()).collect(),
            _ => Vec::new(),
        };
        let inner = match &**key.get_ref() {
            "keep" | "drop" | "not" => Some("a rule"),
            "password" | "token" => Some("a secret"),
            "headers" => None,
            name => SHAPES.iter().map(|shape| shape.name).find(|shape| {
                [format!("[{name}]"), format!("[[{name}]]"), format!("{name} = {{ … }}")].contains(&(*shape).to_owned())
            }),
        };
        for (inner, table) in inner.iter().flat_map(|inner| tables.iter().map(move |table| (*inner, *table))) {
            collect_keys(inner, table, keys);
        }
    }
}

const REFERENCE: &str = include_str!("../../config/reference.toml");

/// Returns the reference with the commented-out keys active.
fn whole_reference() -> String {
    let is_key = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let line = |line: &str| line.strip_prefix("# ").filter(|rest| is_key(rest)).unwrap_or(line).to_owned();
    REFERENCE.lines().map(line).collect::<Vec<_>>().join("\n")
}

#[test]
fn reference_contains_every_key() {
    let text = whole_reference();
    // A hook has an address or a program, so the reference can have only one of them active.
    good(&text.lines().filter(|line| !line.starts_with("command = ")).collect::<Vec<_>>().join("\n"));
    let keys = keys_of(&text);
    for shape in SHAPES {
        let expected: BTreeSet<String> = shape.keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(keys.get(shape.name), Some(&expected), "{}", shape.name);
    }
}

#[test]
fn reference_loads_unchanged_and_its_values_are_the_defaults() {
    let reference = good(REFERENCE);
    let example = "[[feed]]\nurl = \"https://example.org/feed.xml\"\n[[section]]\nid = \"news\"\nfeeds = [\"*\"]\n";
    let minimal = good(example);
    assert_eq!(format!("{:?}", reference.site), format!("{:?}", minimal.site));
    assert_eq!(format!("{:?}", reference.server), format!("{:?}", minimal.server));
    assert_eq!(format!("{:?}", reference.store), format!("{:?}", minimal.store));
    assert_eq!(format!("{:?}", reference.publish), format!("{:?}", minimal.publish));
    assert_eq!(format!("{:?}", reference.stories), format!("{:?}", minimal.stories));
    assert_eq!(format!("{:?}", reference.poll), format!("{:?}", minimal.poll));
    // The reference writes the default schedule, and the minimal config does not. Only the field `schedule_is_default`
    // shows this, so it is ignored.
    let unwritten = |feed: &Feed| format!("{:?}", Feed { schedule_is_default: true, ..feed.clone() });
    assert_eq!(unwritten(&reference.feeds[0]), unwritten(&minimal.feeds[0]));
    assert_eq!(format!("{:?}", reference.sections[0]), format!("{:?}", minimal.sections[0]));
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(300))]

    #[test]
    fn damaged_config_never_causes_a_panic(start in 0usize..8000, length in 0usize..200, inserted in "[\\[\\]{}=\"'\n#.a-z é/*-]{0,6}") {
        let mut text = whole_reference();
        let start = text.floor_char_boundary(start);
        let end = text.floor_char_boundary(start + length);
        text.replace_range(start..end, &inserted);
        let (_, problems) = check(&text);
        let source = SourceFile { path: PathBuf::from("/srv/wire/newswire.toml"), text };
        config::render_problems(&problems, &[source], false);
    }
}
