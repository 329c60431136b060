//! Every table of the TOML and the keys that it takes: the one list that the reader, its suggestions and the test of
//! `config/reference.toml` share.

/// A table of the TOML and the keys that it may have.
#[derive(Debug)]
pub struct Shape {
    /// As an editor writes it: `[site]`, `[[feed]]`, `owner = { … }`.
    pub name: &'static str,
    pub keys: &'static [&'static str],
}

macro_rules! shape {
    ($id:ident, $name:literal, [$($key:literal),* $(,)?]) => {
        pub(super) static $id: Shape = Shape { name: $name, keys: &[$($key),*] };
    };
}

shape!(MAIN, "the main file", ["include", "site", "server", "store", "publish", "stories", "poll", "feed", "section"]);
shape!(INCLUDED, "an included file", ["feed", "section"]);
shape!(SITE, "[site]", ["title", "url", "description", "language", "timezone", "rights", "owner", "facets", "byline"]);
shape!(OWNER, "owner = { … }", ["name", "email"]);
shape!(SERVER, "[server]", ["listen", "admin"]);
shape!(STORE, "[store]", ["path", "keep"]);
shape!(PUBLISH, "[publish]", ["directory", "hub", "templates"]);
shape!(STORIES, "[stories]", ["dedup", "window"]);
shape!(POLL, "[poll]", ["schedule", "timeout", "max_size", "concurrency", "contact", "allow", "republish"]);
shape!(
    FEED,
    "[[feed]]",
    [
        "url",
        "id",
        "title",
        "tags",
        "categories",
        "sections",
        "schedule",
        "priority",
        "headers",
        "basic_auth",
        "image",
        "timeout",
        "max_size",
        "allow",
        "republish",
        "dedup",
        "user_agent",
        "accept_language",
        "proxy",
        "ca_file",
        "http2",
        "site",
        "enabled",
    ]
);
shape!(BASIC_AUTH, "basic_auth = { … }", ["user", "password"]);
shape!(SECRET, "a secret", ["env", "file"]);
shape!(
    SECTION,
    "[[section]]",
    [
        "id",
        "title",
        "description",
        "feeds",
        "keep",
        "drop",
        "limit",
        "max_age",
        "per_feed",
        "edits",
        "formerly",
        "podcast",
        "token",
        "basic_auth",
    ]
);
shape!(PODCAST, "podcast = { … }", ["category", "explicit"]);
shape!(
    RULE,
    "a rule",
    ["title", "text", "author", "category", "link", "host", "feed", "tag", "language", "has", "words", "age", "not"]
);

/// Every table that an editor may write, the main file first.
pub static SHAPES: [&Shape; 14] = [
    &MAIN,
    &SITE,
    &OWNER,
    &SERVER,
    &STORE,
    &PUBLISH,
    &STORIES,
    &POLL,
    &FEED,
    &BASIC_AUTH,
    &SECRET,
    &SECTION,
    &PODCAST,
    &RULE,
];

/// What people write who come from other programs, and what it is called here.
const OTHER_NAMES: [(&str, &str); 14] = [
    ("cron", "schedule"),
    ("interval", "schedule"),
    ("every", "schedule"),
    ("name", "title"),
    ("label", "title"),
    ("link", "url"),
    ("xmlurl", "url"),
    ("xml_url", "url"),
    ("html_url", "site"),
    ("exclude", "drop"),
    ("max_items", "limit"),
    ("face", "image"),
    ("logo", "image"),
    ("lang", "language"),
];

/// What to do about a key that `shape` does not take: the nearest name, else where the key belongs, else what it takes.
pub(super) fn advice(key: &str, shape: &Shape) -> String {
    if let Some(nearest) = nearest(key, shape.keys.iter().copied()) {
        return format!("did you mean `{nearest}`?");
    }
    let other_name =
        OTHER_NAMES.iter().find(|(other, ours)| key.eq_ignore_ascii_case(other) && shape.keys.contains(ours));
    if let Some((_, ours)) = other_name {
        return format!("it is called `{ours}` here");
    }
    let homes: Vec<&str> = SHAPES.iter().filter(|home| home.keys.contains(&key)).map(|home| home.name).collect();
    if !homes.is_empty() {
        return format!("`{key}` belongs in {}", homes.join(" or "));
    }
    format!("{} takes {}", shape.name, shape.keys.join(", "))
}

/// The candidate that `word` was most likely meant to be; `None` where none is like it.
pub(super) fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let most_edits = ((length + 1) / 3).max(1);
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most_edits)
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= most_edits)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}
