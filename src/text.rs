//! An entry's text as a person reads it: made once, then judged, compared, counted and searched.

pub mod scripts;

use std::ops::Range;

use crate::entry::Entry;
use crate::normalize;

/// Title, summary and content of an entry as plain text.
#[derive(Clone, Debug, Default)]
pub struct PlainText {
    all: String,
    summary: Range<usize>,
    content: Range<usize>,
}

impl PlainText {
    pub fn of(entry: &Entry) -> PlainText {
        let mut all = entry.title.clone();
        let mut add = |html: Option<&str>| {
            all.push('\n');
            let start = all.len();
            all.push_str(&html.map(normalize::plain_text).unwrap_or_default());
            start..all.len()
        };
        let summary = add(entry.summary_html.as_deref());
        let content = add(entry.content_html.as_deref());
        PlainText { all, summary, content }
    }

    /// Title, summary and content, a line each.
    pub fn all(&self) -> &str {
        &self.all
    }

    pub fn summary(&self) -> &str {
        &self.all[self.summary.clone()]
    }

    pub fn content(&self) -> &str {
        &self.all[self.content.clone()]
    }

    /// The number of words of the longer of summary and content, counted anew.
    pub fn words(&self) -> usize {
        normalize::word_count(self.summary()).max(normalize::word_count(self.content()))
    }
}
