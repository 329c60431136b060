//! Checks values against a JSON Schema (2020-12), as far as `fixtures/json_feed.schema.json` needs that.

use regex::Regex;
use serde_json::Value;

/// Returns every violation of `schema` by `value`, each with its position; `root` contains the targets of `$ref`.
pub fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (keyword, rule) in schema.as_object().expect("a schema is an object") {
        match keyword.as_str() {
            "$ref" => {
                let pointer = rule.as_str().and_then(|reference| reference.strip_prefix('#'));
                let target = root.pointer(pointer.expect("references are local")).expect("references lead somewhere");
                found.extend(faults(root, target, value, place));
            }
            "properties" => found.extend(member_faults(root, rule, value, place)),
            "additionalProperties" => found.extend(unknown_members(schema, value, place)),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(faults(root, rule, item, &format!("{place}[{index}]")));
                }
            }
            "anyOf" => {
                let fits = |option| faults(root, option, value, place).is_empty();
                if !rule.as_array().into_iter().flatten().any(fits) {
                    found.push(format!("{place}: fits none of {rule}"));
                }
            }
            _ if holds(keyword, rule, value) => {}
            _ => found.push(format!("{place}: {value} breaks {keyword} {rule}")),
        }
    }
    found
}

fn holds(keyword: &str, rule: &Value, value: &Value) -> bool {
    match keyword {
        "type" => match rule.as_str() {
            Some("object") => value.is_object(),
            Some("array") => value.is_array(),
            Some("string") => value.is_string(),
            Some("boolean") => value.is_boolean(),
            Some("integer") => value.is_u64() || value.is_i64(),
            _ => false,
        },
        "const" => rule == value,
        "pattern" => {
            let pattern = Regex::new(rule.as_str().expect("a pattern is text")).expect("patterns are regular");
            value.as_str().is_none_or(|text| pattern.is_match(text))
        }
        "minimum" => value.as_i64() >= rule.as_i64(),
        "minItems" => value.as_array().map(Vec::len) >= rule.as_u64().map(|count| count as usize),
        "minProperties" => value.as_object().map(serde_json::Map::len) >= rule.as_u64().map(|count| count as usize),
        "required" => {
            rule.as_array().into_iter().flatten().all(|name| value.get(name.as_str().unwrap_or_default()).is_some())
        }
        "$schema" | "$comment" | "$defs" | "patternProperties" => true,
        unknown => panic!("the schema uses {unknown}, which is not known here"),
    }
}

fn member_faults(root: &Value, rules: &Value, value: &Value, place: &str) -> Vec<String> {
    let rules = rules.as_object().expect("properties are an object");
    let present = rules.iter().filter_map(|(name, rule)| Some((name, rule, value.get(name)?)));
    present.flat_map(|(name, rule, member)| faults(root, rule, member, &format!("{place}.{name}"))).collect()
}

fn unknown_members(schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let is_extension = |name: &str| schema.get("patternProperties").is_some() && name.starts_with('_');
    let is_known = |name: &str| schema["properties"].get(name).is_some() || is_extension(name);
    let members = value.as_object().into_iter().flat_map(|members| members.keys());
    members.filter(|name| !is_known(name)).map(|name| format!("{place}: {name} is unknown")).collect()
}
