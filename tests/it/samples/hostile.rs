//! Stories in which every field contains text that tries to break a document. They are the same at every run.

use newswire::entry::{Category, Entry, Person};
use newswire::section::ShownStory;

use crate::samples::{entry, story, url};

/// Pieces of text that open, close or escape something in some format.
const FRAGMENTS: [&str; 40] = [
    "<",
    ">",
    "&",
    "\"",
    "'",
    "]]>",
    "<![CDATA[",
    "&amp;",
    "&lt;b&gt;",
    "&#0;",
    "&#39;",
    "</b>",
    "<b>",
    "<script>alert(1)</script>",
    "<!--",
    "-->",
    "<?xml?>",
    "\u{0}",
    "\u{b}",
    "\u{1b}[31m",
    "\u{fffe}",
    "\u{fffd}",
    "\u{85}",
    "\r\n",
    "\t",
    "👩🏽‍🚒",
    "שלום",
    "\u{202e}",
    "日本語。",
    "{{ 7777 * 7777 }}",
    "{% raw %}",
    "javascript:alert(1)",
    "\" onload=\"x",
    "</title>",
    "</entry>",
    "<entry>",
    "%",
    "é",
    "word",
    "another word. ",
];

/// A stream of random numbers (Xorshift) that needs no crate and is the same at every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % bound as u64) as usize
    }

    fn text(&mut self) -> String {
        let length = 1 + self.below(9);
        (0..length).map(|_| FRAGMENTS[self.below(FRAGMENTS.len())]).collect()
    }

    fn person(&mut self) -> Person {
        Person { name: Some(self.text()), email: Some(self.text()), url: Some(self.url()) }
    }

    fn url(&mut self) -> url::Url {
        let text = self.text();
        url(&format!("https://hostile.example/{}?{text}#{text}", self.below(1000)))
    }

    fn html(&mut self) -> String {
        let html = format!("<p>{}</p><a href=\"{}\">{}</a>", self.text(), self.url(), self.text());
        ammonia::Builder::new().url_relative(ammonia::UrlRelative::Deny).clean(&html).to_string()
    }

    fn maybe<T>(&mut self, make: impl Fn(&mut Self) -> T) -> Option<T> {
        (self.below(3) > 0).then(|| make(self))
    }
}

/// Returns one text. The same `batch` always gives the same text.
pub fn text(batch: u64) -> String {
    Numbers(0x9e37_79b9_7f4a_7c15 ^ batch).text()
}

/// Returns `count` stories with unique ids.
pub fn stories(batch: u64, count: usize) -> Vec<ShownStory> {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d ^ (batch + 1));
    (0..count).map(|index| hostile_story(&mut numbers, &format!("{batch}-{index}"))).collect()
}

fn hostile_story(numbers: &mut Numbers, slug: &str) -> ShownStory {
    let entry = Entry {
        link: numbers.maybe(Numbers::url),
        summary_html: numbers.maybe(Numbers::html),
        content_html: numbers.maybe(Numbers::html),
        authors: numbers.maybe(Numbers::person).into_iter().collect(),
        contributors: numbers.maybe(Numbers::person).into_iter().collect(),
        categories: (0..numbers.below(3))
            .map(|_| Category {
                term: numbers.text(),
                scheme: numbers.maybe(Numbers::text),
                label: numbers.maybe(Numbers::text),
            })
            .collect(),
        image: numbers.maybe(Numbers::url),
        comments: numbers.maybe(Numbers::url),
        language: numbers.maybe(Numbers::text),
        rights: numbers.maybe(Numbers::text),
        ..entry(&format!("tag:hostile.example,2020:{slug}"), &numbers.text())
    };
    let mut story = story(slug, "2020-02-29T12:00:00.5Z", entry);
    story.source.title = numbers.maybe(Numbers::text);
    story.byline = numbers.text();
    story.copies[0].title = numbers.text();
    story
}
