//! Every table of the TOML with its keys and the kinds of their values. The reader, its suggestions, `newswire schema`,
//! `newswire set` and the test of `config/reference.toml` share this list.

/// A table of the TOML with its keys.
#[derive(Debug)]
pub struct Shape {
    /// The table as written in the TOML: `[site]`, `[[feed]]`, `owner = { … }`.
    pub name: &'static str,
    /// The names of the keys.
    pub keys: &'static [&'static str],
    /// The kinds of the keys' values, in the same order.
    pub kinds: &'static [Kind],
}

/// The type of a key's value. The reader checks the value further.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A string.
    Text,
    /// A string, or `{ env = "…" }` or `{ file = "…" }`.
    Secret,
    /// `true` or `false`.
    Boolean,
    /// A whole number from the first to the second, inclusive.
    Integer(i64, i64),
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// A list of strings.
    Texts,
    /// A string or a list of strings.
    TextOrTexts,
    /// A table.
    Table(&'static Shape),
    /// A list of tables.
    Tables(&'static Shape),
    /// A table of secrets with any keys.
    Secrets,
    /// A table with any keys, whose values are one of these strings.
    TableOf(&'static [&'static str]),
}

impl Shape {
    /// Returns the kind of the key's value; `None` if the table has no such key.
    pub fn kind(&self, key: &str) -> Option<Kind> {
        self.keys.iter().zip(self.kinds).find(|(name, _)| **name == key).map(|(_, kind)| *kind)
    }
}

macro_rules! shape {
    ($id:ident, $name:literal, { $($key:ident: $kind:expr),* $(,)? }) => {
        pub(super) static $id: Shape = Shape { name: $name, keys: &[$(stringify!($key)),*], kinds: &[$($kind),*] };
    };
}

const DEDUP: Kind = Kind::OneOf(&["text", "links", "off"]);
const REPUBLISH: Kind = Kind::OneOf(&["full", "summary", "link"]);
const EDITS: Kind = Kind::OneOf(&["apply", "ignore", "bump"]);
const SOURCE_IN: Kind = Kind::OneOf(&["author", "title", "content", "none"]);
const AI: Kind = Kind::OneOf(&["no-training", "none"]);
/// The documents of a section that an alias may lead to: the extensions of their addresses.
pub(super) const ALIAS_FORMATS: [&str; 4] = ["atom", "rss", "json", "opml"];
const FRONT: Kind = Kind::OneOf(&["bands", "river"]);

shape!(MAIN, "the main file", {
    include: Kind::Texts,
    site: Kind::Table(&SITE),
    server: Kind::Table(&SERVER),
    store: Kind::Table(&STORE),
    publish: Kind::Table(&PUBLISH),
    stories: Kind::Table(&STORIES),
    poll: Kind::Table(&POLL),
    commands: Kind::Table(&COMMANDS),
    feed: Kind::Tables(&FEED),
    section: Kind::Tables(&SECTION),
    hook: Kind::Tables(&HOOK),
});
shape!(INCLUDED, "an included file", { feed: Kind::Tables(&FEED), section: Kind::Tables(&SECTION) });
shape!(RULE_LINE, "a rule", { rule: Kind::Table(&RULE) });
shape!(SITE, "[site]", {
    title: Kind::Text,
    url: Kind::Text,
    description: Kind::Text,
    language: Kind::Text,
    timezone: Kind::Text,
    rights: Kind::Text,
    owner: Kind::Table(&OWNER),
    facets: Kind::Texts,
    byline: Kind::Text,
    front: FRONT,
    accent: Kind::Text,
    logo: Kind::Text,
    pictures: Kind::Boolean,
    ai: AI,
});
shape!(OWNER, "owner = { … }", { name: Kind::Text, email: Kind::Text });
shape!(SERVER, "[server]", { listen: Kind::Text, admin: Kind::Text, admin_hosts: Kind::Texts });
shape!(STORE, "[store]", { path: Kind::Text, keep: Kind::Text, max_entries: Kind::Integer(1_000, 1_000_000_000), max_size: Kind::Text });
shape!(PUBLISH, "[publish]", { directory: Kind::Text, hub: Kind::TextOrTexts, templates: Kind::Text });
shape!(STORIES, "[stories]", { dedup: DEDUP, window: Kind::Text, likeness: Kind::Integer(50, 100), tracking: Kind::Texts });
shape!(POLL, "[poll]", {
    schedule: Kind::Text,
    timeout: Kind::Text,
    max_size: Kind::Text,
    concurrency: Kind::Integer(1, 10_000),
    contact: Kind::Text,
    allow: Kind::Texts,
    republish: REPUBLISH,
});
shape!(COMMANDS, "[commands]", { allow: Kind::Texts, memory: Kind::Text, concurrency: Kind::Integer(1, 100) });
shape!(FEED, "[[feed]]", {
    url: Kind::Secret,
    id: Kind::Text,
    title: Kind::Text,
    tags: Kind::Texts,
    categories: Kind::Texts,
    sections: Kind::Texts,
    schedule: Kind::Text,
    priority: Kind::Integer(-1_000_000, 1_000_000),
    headers: Kind::Secrets,
    basic_auth: Kind::Table(&BASIC_AUTH),
    image: Kind::Text,
    timeout: Kind::Text,
    max_size: Kind::Text,
    allow: Kind::Texts,
    republish: REPUBLISH,
    dedup: DEDUP,
    user_agent: Kind::Text,
    accept_language: Kind::Text,
    proxy: Kind::Secret,
    ca_file: Kind::Text,
    http2: Kind::Boolean,
    site: Kind::Text,
    enabled: Kind::Boolean,
});
shape!(BASIC_AUTH, "basic_auth = { … }", { user: Kind::Text, password: Kind::Secret });
shape!(SECRET, "a secret", { env: Kind::Text, file: Kind::Text });
shape!(SECTION, "[[section]]", {
    id: Kind::Text,
    title: Kind::Text,
    description: Kind::Text,
    feeds: Kind::Texts,
    keep: Kind::Tables(&RULE),
    drop: Kind::Tables(&RULE),
    limit: Kind::Integer(1, 500),
    max_age: Kind::Text,
    per_feed: Kind::Integer(1, 500),
    edits: EDITS,
    source_in: SOURCE_IN,
    image: Kind::Text,
    top: Kind::Text,
    digest: Kind::Texts,
    formerly: Kind::Texts,
    aliases: Kind::TableOf(&ALIAS_FORMATS),
    podcast: Kind::Table(&PODCAST),
    token: Kind::Secret,
    basic_auth: Kind::Table(&BASIC_AUTH),
});
shape!(PODCAST, "podcast = { … }", {
    category: Kind::Text,
    explicit: Kind::Boolean,
    locked: Kind::Boolean,
    block: Kind::Boolean,
});
shape!(RULE, "a rule", {
    title: Kind::TextOrTexts,
    text: Kind::TextOrTexts,
    author: Kind::TextOrTexts,
    category: Kind::TextOrTexts,
    link: Kind::TextOrTexts,
    host: Kind::TextOrTexts,
    feed: Kind::TextOrTexts,
    tag: Kind::TextOrTexts,
    language: Kind::TextOrTexts,
    has: Kind::TextOrTexts,
    words: Kind::TextOrTexts,
    age: Kind::TextOrTexts,
    not: Kind::Table(&RULE),
});

shape!(HOOK, "[[hook]]", {
    id: Kind::Text,
    url: Kind::Secret,
    command: Kind::Texts,
    sections: Kind::Texts,
    keep: Kind::Tables(&RULE),
    secret: Kind::Secret,
    allow: Kind::Texts,
    events: Kind::TextOrTexts,
    max_age: Kind::Text,
});

/// Every table of the TOML, the main file first.
pub static SHAPES: [&Shape; 16] = [
    &MAIN,
    &SITE,
    &OWNER,
    &SERVER,
    &STORE,
    &PUBLISH,
    &STORIES,
    &POLL,
    &COMMANDS,
    &FEED,
    &BASIC_AUTH,
    &SECRET,
    &SECTION,
    &PODCAST,
    &RULE,
    &HOOK,
];

/// Names of keys in other programs, and their names here.
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

/// Returns the hint for a key that `shape` does not have: the nearest name, else newswire's name for the key of another
/// program, else the tables that have the key, else the keys of `shape`.
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

/// The longest key that a message shows: a longer one may be a secret in the place of a key.
const MAX_NAME_LENGTH: usize = 40;

/// Whether a key looks like a name, so that a message may show it.
pub(super) fn is_name(key: &str) -> bool {
    let is_mark = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=MAX_NAME_LENGTH).contains(&key.len()) && key.bytes().all(is_mark)
}

/// Whether a message about `shape` may show a key. Where a secret is expected, only a key that resembles a known one
/// may be shown.
pub(super) fn may_be_named(key: &str, shape: &Shape) -> bool {
    is_name(key) && (shape.name != SECRET.name || nearest(key, shape.keys.iter().copied()).is_some())
}

/// Whether a word is the name of any key, or a misspelling of one.
pub(super) fn is_like_a_key(word: &str) -> bool {
    nearest(word, SHAPES.iter().flat_map(|shape| shape.keys.iter().copied())).is_some()
}

/// Whether the text is a valid name of an environment variable. Any other text may be the secret itself.
pub fn is_variable(name: &str) -> bool {
    let is_mark = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.bytes().all(is_mark)
}

/// Returns the candidate most similar to `word`, ignoring case; `None` if none is similar.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    let length = word.chars().count();
    let most_edits = ((length + 1) / 3).max(1);
    candidates
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= most_edits)
        .map(|candidate| (strsim::damerau_levenshtein(&word, &candidate.to_lowercase()), candidate))
        .filter(|(edits, _)| *edits <= most_edits)
        // With equal edit distance, the longer candidate has more in common with the word.
        .min_by_key(|(edits, candidate)| (*edits, usize::MAX - candidate.chars().count()))
        .map(|(_, candidate)| candidate)
}
