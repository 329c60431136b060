//! The text of an entry as a person reads it. It is extracted once, and then used by rules, the comparison of stories,
//! the count of words and the search.

pub mod columns;
pub mod scripts;

use std::ops::Range;

use crate::entry::Entry;
use crate::normalize;

/// The title, summary and content of an entry as plain text.
#[derive(Clone, Debug, Default)]
pub struct PlainText {
    all: String,
    summary: Range<usize>,
    content: Range<usize>,
}

impl PlainText {
    /// Extracts the plain text of an entry.
    pub fn of(entry: &Entry) -> PlainText {
        let htmls = [&entry.summary_html, &entry.content_html].map(|html| html.as_deref().map_or(0, str::len));
        let mut all = String::with_capacity(entry.title.len() + 2 + htmls.iter().sum::<usize>());
        all.push_str(&entry.title);
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

    /// Frees spare memory.
    pub fn shrink(&mut self) {
        self.all.shrink_to_fit();
    }

    /// Returns title, summary and content as one text, in which each begins on a new line.
    pub fn all(&self) -> &str {
        &self.all
    }

    /// Returns the summary.
    pub fn summary(&self) -> &str {
        &self.all[self.summary.clone()]
    }

    /// Returns the content.
    pub fn content(&self) -> &str {
        &self.all[self.content.clone()]
    }

    /// Counts the words of the longer of summary and content. Each call counts again.
    pub fn words(&self) -> usize {
        normalize::word_count(self.summary()).max(normalize::word_count(self.content()))
    }
}
