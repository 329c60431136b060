//! The JSON Schema of the TOML, so that text editors can complete keys and mark mistakes.
//!
//! The schema is generated from the same list of keys that the reader uses. Descriptions and defaults come from
//! `config/reference.toml`.

use serde_json::{Map, Value, json};

use super::id;
use super::keys::{self, Kind, Shape};

const REFERENCE: &str = include_str!("../../config/reference.toml");

/// The required keys of each table.
const REQUIRED: [(&str, &[&str]); 6] = [
    ("[[feed]]", &["url"]),
    ("[[section]]", &["id"]),
    ("[[hook]]", &["id"]),
    ("owner = { … }", &["name"]),
    ("basic_auth = { … }", &["user", "password"]),
    ("podcast = { … }", &["category"]),
];

/// What `config/reference.toml` says about a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyReference {
    /// The description; empty if the reference has none.
    pub about: String,
    /// The default as TOML; `None` if the key has no default.
    pub default: Option<String>,
}

/// Returns the schema of a main file. Included files may have only some of its tables.
pub fn schema() -> Value {
    let mut definitions = Map::new();
    for shape in keys::SHAPES.iter().skip(1) {
        definitions.insert(name(shape), table(shape));
    }
    let mut schema = table(keys::SHAPES[0]);
    schema["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    schema["title"] = json!("newswire.toml");
    schema["$defs"] = Value::Object(definitions);
    schema
}

/// Returns a key's description and default from `config/reference.toml`.
pub(super) fn reference(shape: &Shape, key: &str) -> KeyReference {
    let header = if shape.name.starts_with('[') { Some(shape.name) } else { None };
    let mut is_here = header.is_none() && shape.name == keys::SHAPES[0].name;
    let mut about: Vec<&str> = Vec::new();
    for line in REFERENCE.lines() {
        if line.starts_with('[') {
            if is_here {
                break;
            }
            is_here = Some(line) == header;
        }
        let value_of = |line: &str| line.strip_prefix(key)?.strip_prefix(" = ").map(str::to_owned);
        let comment = line.strip_prefix("# ");
        match (value_of(line), comment.and_then(value_of)) {
            _ if !is_here => {}
            (None, None) => {}
            (default, _) => {
                return KeyReference { about: about.join(" "), default: default.filter(|default| default != "[") };
            }
        }
        match comment.filter(|comment| !is_assignment(comment)) {
            Some(comment) => about.push(comment),
            None => about.clear(),
        }
    }
    KeyReference::default()
}

fn is_assignment(comment: &str) -> bool {
    let key = comment.split(" = ").next().unwrap_or_default();
    comment.contains(" = ")
        && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit())
}

fn name(shape: &Shape) -> String {
    id::slug(shape.name)
}

fn table(shape: &Shape) -> Value {
    let mut properties = Map::new();
    for (key, kind) in shape.keys.iter().zip(shape.kinds) {
        let mut value = of_kind(kind);
        let KeyReference { about, default } = reference(shape, key);
        if !about.is_empty() {
            value["description"] = json!(about);
        }
        if let Some(default) = default.and_then(|default| as_json(&default)) {
            value["default"] = default;
        }
        properties.insert((*key).to_owned(), value);
    }
    let mut table = json!({ "type": "object", "additionalProperties": false, "properties": properties });
    if let Some((_, required)) = REQUIRED.iter().find(|(name, _)| *name == shape.name) {
        table["required"] = json!(required);
    }
    table
}

fn of_kind(kind: &Kind) -> Value {
    let text = json!({ "type": "string" });
    let secret = json!({ "anyOf": [text, to(&keys::SECRET)] });
    match kind {
        Kind::Text => text,
        Kind::Secret => secret,
        Kind::Boolean => json!({ "type": "boolean" }),
        Kind::Integer(least, most) => json!({ "type": "integer", "minimum": least, "maximum": most }),
        Kind::OneOf(words) => json!({ "enum": words }),
        Kind::Texts => json!({ "type": "array", "items": text }),
        Kind::TextOrTexts => json!({ "anyOf": [text, { "type": "array", "items": text, "minItems": 1 }] }),
        Kind::Table(shape) => to(shape),
        Kind::Tables(shape) => json!({ "type": "array", "items": to(shape) }),
        Kind::TableOf(words) => json!({ "type": "object", "additionalProperties": { "enum": words } }),
        Kind::Secrets => json!({ "type": "object", "additionalProperties": secret }),
    }
}

fn to(shape: &Shape) -> Value {
    json!({ "$ref": format!("#/$defs/{}", name(shape)) })
}

fn as_json(toml: &str) -> Option<Value> {
    let table: toml::Table = toml::from_str(&format!("value = {toml}")).ok()?;
    serde_json::to_value(table.get("value")?).ok()
}
