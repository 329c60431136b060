//! The canonical form of rules: bytes that are the same at every start, whatever the code's own types look like.

use std::time::Duration;

use super::{Bound, Rule, Test};

/// Bytes of a canonical form; see [`config`](crate::config)'s definition of sections for what they stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CanonicalForm {
    bytes: Vec<u8>,
}

impl CanonicalForm {
    pub fn of_text(text: &str) -> CanonicalForm {
        let mut form = CanonicalForm::default();
        form.text(text);
        form
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub fn number(&mut self, number: u64) {
        self.bytes.extend_from_slice(&number.to_le_bytes());
    }

    pub fn duration(&mut self, duration: Duration) {
        self.number(duration.as_secs());
        self.number(duration.subsec_nanos().into());
    }

    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut CanonicalForm, T)) {
        self.bytes.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    /// Items in their order.
    pub fn list(&mut self, items: impl IntoIterator<Item = CanonicalForm>) {
        let items: Vec<CanonicalForm> = items.into_iter().collect();
        self.number(items.len() as u64);
        items.iter().for_each(|item| self.bytes.extend_from_slice(&item.bytes));
    }

    /// Items whose order says nothing.
    pub fn set(&mut self, items: impl IntoIterator<Item = CanonicalForm>) {
        let mut items: Vec<CanonicalForm> = items.into_iter().collect();
        items.sort_unstable();
        self.list(items);
    }
}

impl Rule {
    /// Returns the canonical form of the rule: the set of its keys, each with the set of its values, as all keys must hold and
    /// any value of each. A pattern is its text, as in the TOML; a bound is the text `<` or `>` and a number or a duration; a
    /// `not` has a rule in the place of values.
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
