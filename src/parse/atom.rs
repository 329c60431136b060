//! Writes the canonical document: a plain Atom 1.0 document without empty elements, so that feed-rs reads it without
//! errors.

use memchr::memmem;

use super::model::{ParsedPerson, ParsedText};
use crate::entry::Category;
use crate::time::Timestamp;

/// Writes a canonical document, that is, the Atom document that feed-rs will read.
pub(super) struct AtomWriter {
    out: String,
}

impl AtomWriter {
    /// Creates a writer. `capacity` is the approximate size of the document in bytes.
    pub(super) fn new(capacity: usize) -> Self {
        let mut out = String::with_capacity(capacity);
        out.push_str(r#"<feed xmlns="http://www.w3.org/2005/Atom">"#);
        AtomWriter { out }
    }

    pub(super) fn finish(mut self) -> String {
        self.out.push_str("</feed>");
        self.out
    }

    /// Returns the length in bytes of what has been written, for [`AtomWriter::truncate`].
    pub(super) fn length(&self) -> usize {
        self.out.len()
    }

    /// Removes everything written since [`AtomWriter::length`] returned `length`.
    pub(super) fn truncate(&mut self, length: usize) {
        self.out.truncate(length);
    }

    /// Begins an entry. `number` becomes the id of the entry. With this id, `read` finds what was set aside for the
    /// entry.
    pub(super) fn begin_entry(&mut self, number: usize) {
        self.out.push_str("<entry>");
        self.element("id", &number.to_string());
    }

    pub(super) fn end_entry(&mut self) {
        self.out.push_str("</entry>");
    }

    /// Writes an element that contains only text. Writes nothing if the text is blank.
    pub(super) fn element(&mut self, name: &str, text: &str) {
        self.written(name, "", text);
    }

    pub(super) fn text(&mut self, name: &str, text: &ParsedText) {
        self.written(name, if text.html { r#" type="html""# } else { "" }, &text.value);
    }

    /// Writes a date as milliseconds since 1970. `read` gives feed-rs a parser for this form, which is many times
    /// faster than the date parser of feed-rs.
    pub(super) fn date(&mut self, name: &str, timestamp: Timestamp) {
        self.element(name, &timestamp.millis().to_string());
    }

    pub(super) fn person(&mut self, role: &str, person: &ParsedPerson) {
        let start = self.out.len();
        self.out.extend(["<", role, ">"]);
        let inside = self.out.len();
        // feed-rs refuses a person without a name and an email address. So the URL of such a person is also written as
        // the name.
        let name =
            if person.email.is_none() { person.name.as_ref().or(person.url.as_ref()) } else { person.name.as_ref() };
        for (name, value) in [("name", name), ("email", person.email.as_ref()), ("uri", person.url.as_ref())] {
            if let Some(value) = value {
                self.element(name, value);
            }
        }
        if self.out.len() == inside {
            self.out.truncate(start);
        } else {
            self.out.extend(["</", role, ">"]);
        }
    }

    pub(super) fn link(&mut self, rel: &str, href: &str, media_type: Option<&str>) {
        self.out.push_str("<link");
        self.attribute("rel", rel);
        self.attribute("href", href);
        if let Some(media_type) = media_type {
            self.attribute("type", media_type);
        }
        self.out.push_str("/>");
    }

    pub(super) fn category(&mut self, category: &Category) {
        self.out.push_str("<category");
        self.attribute("term", &category.term);
        if let Some(scheme) = &category.scheme {
            self.attribute("scheme", scheme);
        }
        if let Some(label) = &category.label {
            self.attribute("label", label);
        }
        self.out.push_str("/>");
    }

    fn written(&mut self, name: &str, attributes: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.out.extend(["<", name, attributes, ">"]);
        self.character_data(text);
        self.out.extend(["</", name, ">"]);
    }

    /// Writes text. Text with `&`, `<` or `>` becomes a CDATA section, which feed-rs reads as one event. It reads each
    /// escaped character as a separate event. Text that contains `]]>` cannot be in a section, so it is escaped.
    fn character_data(&mut self, text: &str) {
        if !text.contains(['&', '<', '>']) {
            self.out.push_str(text);
        } else if memmem::find(text.as_bytes(), b"]]>").is_some() {
            push_escaped(&mut self.out, text);
        } else {
            self.out.extend(["<![CDATA[", text, "]]>"]);
        }
    }

    fn attribute(&mut self, name: &str, value: &str) {
        self.out.extend([" ", name, "=\""]);
        push_escaped(&mut self.out, value);
        self.out.push('"');
    }
}

/// Appends text, escaped for the inside of an element or attribute.
pub(super) fn push_escaped(out: &mut String, text: &str) {
    html_escape::encode_double_quoted_attribute_to_string(text, out);
}
