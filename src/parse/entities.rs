//! Expands entities that a document declares in the internal subset of its document type declaration (XML 1.0 §4.4).
//!
//! An entity is expanded only if its text is short and has no markup. The text may contain other entities, but those
//! may contain no further ones. The total size of all expansions is limited. So an entity cannot make a document huge.
//! External entities and parameter entities are never read.

use std::borrow::Cow;

use super::references;
use super::repairs::Repairs;
use crate::feed::RepairKind;

/// Entities beyond this number are not expanded.
const MAX_ENTITIES: usize = 64;
/// Replacement texts longer than this are not expanded.
const MAX_ENTITY_BYTES: usize = 1 << 10;
/// All expansions together may have as many bytes as the document, or this many if the document is smaller.
const LEAST_EXPANSION_BYTES: usize = 64 << 10;

/// The entities of a document.
pub(super) struct Entities {
    /// Each entity's name and replacement text.
    declared: Vec<(String, String)>,
    /// How many bytes expansions may still add.
    left: usize,
}

impl Entities {
    /// Creates an empty set for a document of `bytes` bytes.
    pub(super) fn for_document(bytes: usize) -> Self {
        Entities { declared: Vec::new(), left: bytes.max(LEAST_EXPANSION_BYTES) }
    }

    /// Takes the entities from a declaration, and returns whether any of them is usable. Only the first document type
    /// declaration with a usable entity counts.
    pub(super) fn declare(&mut self, declaration: &str, repairs: &mut Repairs) -> bool {
        let is_doctype =
            declaration.get(.."<!DOCTYPE".len()).is_some_and(|start| start.eq_ignore_ascii_case("<!DOCTYPE"));
        if !is_doctype || !self.declared.is_empty() {
            return false;
        }
        let Some((_, subset)) = declaration.split_once('[') else { return false };
        let written = entity_declarations(subset);
        let is_usable = |(_, value): &&(&str, Option<&str>)| value.is_some_and(|value| value.len() <= MAX_ENTITY_BYTES);
        let mut refused = written.len();
        // The first round expands entities that contain no other entity, the second round those that contain such
        // entities.
        for _ in 0..2 {
            let known = std::mem::take(&mut self.declared);
            for (name, value) in written.iter().filter(is_usable).take(MAX_ENTITIES) {
                let Some(text) = value.and_then(|value| expanded(value, &known)) else { continue };
                if self.get(name).is_none() {
                    self.declared.push(((*name).to_owned(), text));
                }
            }
            refused = written.len() - self.declared.len();
        }
        if refused > 0 {
            repairs.note(RepairKind::Entities);
        }
        !self.declared.is_empty()
    }

    fn get(&self, name: &str) -> Option<&str> {
        find(&self.declared, name)
    }

    /// Appends the text of an entity. Returns false and appends nothing if the entity is undeclared, or if the
    /// expansion would exceed the limit.
    pub(super) fn expand(&mut self, name: &str, out: &mut String) -> bool {
        let Some(text) = find(&self.declared, name).filter(|text| text.len() <= self.left) else { return false };
        self.left -= text.len();
        out.push_str(text);
        true
    }
}

fn find<'e>(entities: &'e [(String, String)], name: &str) -> Option<&'e str> {
    entities.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// Returns the names of the declared entities, each with its replacement text. The text is `None` for external and
/// parameter entities.
fn entity_declarations(subset: &str) -> Vec<(&str, Option<&str>)> {
    let mut declarations = Vec::new();
    let mut rest = subset;
    while let Some(at) = rest.find(['<', ']']) {
        rest = &rest[at..];
        if rest.starts_with(']') {
            break;
        }
        let length = if rest.starts_with("<!--") {
            rest.find("-->").map(|end| end + "-->".len())
        } else if rest.starts_with("<?") {
            rest.find("?>").map(|end| end + "?>".len())
        } else {
            let length = declaration_length(rest);
            declarations.extend(length.and_then(|length| entity_declaration(&rest[..length])));
            length
        };
        let Some(length) = length else { break };
        rest = &rest[length..];
    }
    declarations
}

/// Returns the length in bytes of the declaration at the start of the text. Returns `None` if the declaration has no
/// end.
fn declaration_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (_, Some(open)) => quote = Some(open).filter(|open| *open != byte),
            (b'"' | b'\'', None) => quote = Some(byte),
            (b'>', None) => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn entity_declaration(declaration: &str) -> Option<(&str, Option<&str>)> {
    let inside = declaration.strip_prefix("<!ENTITY")?.strip_suffix('>')?;
    let (name, definition) = inside.trim_start().split_once(char::is_whitespace)?;
    let definition = definition.trim();
    let quoted = |quote| definition.strip_prefix(quote)?.strip_suffix(quote);
    Some((name, quoted('"').or_else(|| quoted('\''))))
}

/// Returns the expanded replacement text. Returns `None` if the text is too long, or contains markup or an entity that
/// is not in `known`.
fn expanded(value: &str, known: &[(String, String)]) -> Option<String> {
    if value.contains('<') {
        return None;
    }
    let mut parts = value.split('&');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, after) = part.split_once(';')?;
        let meant = match name {
            "amp" | "lt" | "gt" | "quot" | "apos" => references::plain(name),
            // An entity with a number that means `<` or `&` is not expanded, because the character would be read again
            // as markup.
            _ if name.starts_with('#') => references::plain(name).filter(|meant| !meant.contains(['<', '&'])),
            _ => find(known, name).map(Cow::Borrowed).or_else(|| references::plain(name)),
        };
        text.push_str(&meant?);
        text.push_str(after);
    }
    (text.len() <= MAX_ENTITY_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(subset: &str, name: &str, expected: Option<&str>) {
        let mut entities = Entities::for_document(0);
        entities.declare(&format!("<!DOCTYPE feed [{subset}]>"), &mut Repairs::default());
        let mut text = String::new();
        let is_expanded = entities.expand(name, &mut text);
        assert_eq!(is_expanded.then_some(text.as_str()), expected, "{subset}");
    }

    #[test]
    fn short_texts_are_expanded() {
        check("<!ENTITY me \"Chris\">", "me", Some("Chris"));
        check("<!ENTITY  me\n'Chris &amp; &#x43;o&eacute;' >", "me", Some("Chris & Coé"));
        check("<!-- don't <!ENTITY me 'x'> --><?pi '?><!ELEMENT a (b)><!ENTITY me 'Chris'>", "me", Some("Chris"));
        check("<!ENTITY me 'first'><!ENTITY me 'second'>", "me", Some("first"));
        check("<!ENTITY a '&b;/x'><!ENTITY b 'https://b.example'>", "a", Some("https://b.example/x"));
        check("<!ENTITY nbsp '&#160;'>", "nbsp", Some("\u{a0}"));
    }

    #[test]
    fn other_entities_are_left_as_written() {
        check("<!ENTITY a '<b>x</b>'>", "a", None);
        check("<!ENTITY a '&#60;b>'>", "a", None);
        check("<!ENTITY a '&b;'><!ENTITY b '&c;'><!ENTITY c 'x'>", "a", None);
        check("<!ENTITY a '&a;'>", "a", None);
        check("<!ENTITY a SYSTEM 'file:///etc/passwd'>", "a", None);
        check("<!ENTITY a PUBLIC 'x' 'http://a.example/'>", "a", None);
        check("<!ENTITY % a 'x'>%a;", "a", None);
        check(&format!("<!ENTITY a '{}'>", "x".repeat(MAX_ENTITY_BYTES + 1)), "a", None);
        check(&format!("<!ENTITY b '{}'><!ENTITY a '&b;&b;'>", "x".repeat(600)), "a", None);
        let many: String = (0..=MAX_ENTITIES).map(|n| format!("<!ENTITY a{n} 'x'>")).collect();
        check(&many, "a63", Some("x"));
        check(&many, "a64", None);
    }

    #[test]
    fn expansion_is_bounded() {
        let mut entities = Entities::for_document(0);
        entities.declare(&format!("<!DOCTYPE a [<!ENTITY a '{}'>]>", "x".repeat(1024)), &mut Repairs::default());
        let mut text = String::new();
        assert_eq!((0..1000).filter(|_| entities.expand("a", &mut text)).count(), 64);
        assert_eq!(text.len(), LEAST_EXPANSION_BYTES);
    }
}
