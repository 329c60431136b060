//! The canonical form of rules: bytes of which a hash is stored. The bytes must stay the same in later versions of
//! newswire, even if the Rust types change.

use std::time::Duration;

use super::{Bound, Rule, Test};

/// The bytes of a canonical form. `src/config/definition.rs` says what they mean.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanonicalForm {
    bytes: Vec<u8>,
}

impl CanonicalForm {
    /// Returns the form of a single text.
    pub fn of_text(text: &str) -> CanonicalForm {
        let mut form = CanonicalForm::default();
        form.text(text);
        form
    }

    /// Returns the bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Appends a text.
    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    /// Appends a number.
    pub fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    /// Appends a duration.
    pub fn duration(&mut self, duration: Duration) {
        self.number(duration.as_secs());
        self.number(duration.subsec_nanos().into());
    }

    /// Appends a byte that says whether there is a value. If there is one, then appends it with `write`.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut CanonicalForm, T)) {
        self.bytes.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Appends another form.
    pub fn append(&mut self, form: &CanonicalForm) {
        self.bytes.extend_from_slice(&form.bytes);
    }

    /// Appends items in the given order.
    pub fn list(&mut self, items: impl IntoIterator<Item = CanonicalForm>) {
        let items: Vec<CanonicalForm> = items.into_iter().collect();
        self.number(items.len() as u64);
        items.iter().for_each(|item| self.append(item));
    }

    /// Appends items in sorted order, because their order has no meaning.
    pub fn set(&mut self, items: impl IntoIterator<Item = CanonicalForm>) {
        let mut items: Vec<CanonicalForm> = items.into_iter().collect();
        items.sort_unstable();
        self.list(items);
    }
}

impl Rule {
    /// Returns the canonical form of the rule: the set of its keys, each with the set of its values. Their order has no
    /// meaning, because a rule matches if all its keys match, and a key matches if any of its values does. A pattern is
    /// written as its text in the TOML. A bound is written as the text `<` or `>`, and a number or a duration. A `not`
    /// has a rule instead of values.
    pub fn canonical(&self) -> CanonicalForm {
        let mut form = CanonicalForm::default();
        form.set(self.tests.iter().map(Test::canonical));
        form
    }
}

impl Test {
    fn canonical(&self) -> CanonicalForm {
        let mut form = CanonicalForm::of_text(self.key());
        match self {
            Test::Field(_, patterns) => {
                form.set(patterns.iter().map(|pattern| CanonicalForm::of_text(&pattern.source)))
            }
            Test::Has(any) => form.set(any.iter().map(|has| CanonicalForm::of_text(has.name()))),
            Test::Words(bounds) => form.set(bounds.iter().map(|bound| {
                let (mut form, words) = sign(bound);
                form.number(words as u64);
                form
            })),
            Test::Age(bounds) => form.set(bounds.iter().map(|bound| {
                let (mut form, age) = sign(bound);
                form.duration(age);
                form
            })),
            Test::Not(rule) => form.list([rule.canonical()]),
        }
        form
    }
}

fn sign<T: Copy>(bound: &Bound<T>) -> (CanonicalForm, T) {
    match bound {
        Bound::Below(value) => (CanonicalForm::of_text("<"), *value),
        Bound::Above(value) => (CanonicalForm::of_text(">"), *value),
    }
}
