//! The feeds of the benchmark: RSS, Atom and RDF in turn, in invented words, and the same bytes at every run.
//!
//! An entry is about 1 KB of HTML with links, an image and a quotation. A tenth of the entries are cross-posts: feeds
//! with even numbers also carry posts of the next feed. Such an entry has the link of the other feed's entry, but a
//! guid of its own.

use std::ops::RangeInclusive;

use chrono::{DateTime, Duration, Utc};

/// How many entries a feed of the benchmark `wire` has.
pub const ENTRIES: usize = 25;

/// One entry in this many is a cross-post, in feeds with even numbers.
const CROSS_POSTED: u64 = 5;

/// The number of different words.
const WORDS: u64 = 4_000;

/// Returns the document of feed `number`, with `count` entries and `news` later ones, newest first.
pub fn document(count: usize, number: usize, news: usize) -> String {
    let entries = (0..count + news).rev().map(|index| Entry::new(number, index));
    match number % 3 {
        0 => rss(number, entries),
        1 => atom(number, entries),
        _ => rdf(number, entries),
    }
}

struct Entry {
    guid: String,
    link: String,
    title: String,
    author: String,
    category: String,
    html: String,
    date: DateTime<Utc>,
}

impl Entry {
    fn new(feed: usize, index: usize) -> Entry {
        let own = Dice::of(feed, index).roll();
        let teller = if feed.is_multiple_of(2) && own.is_multiple_of(CROSS_POSTED) { feed + 1 } else { feed };
        let mut dice = Dice::of(teller, index);
        dice.roll();
        let title = dice.words(5..=9);
        let newest = DateTime::from_timestamp_secs(1_767_225_600).expect("the time is a constant");
        Entry {
            guid: format!("tag:feed{feed}.example,2026:{index}"),
            link: format!("https://feed{teller}.example/{index}/{}", title.replace(' ', "-")),
            author: dice.words(2..=2),
            category: dice.words(1..=1),
            html: html(&mut dice, teller),
            date: newest - Duration::hours(7 * (ENTRIES as i64 - index as i64)) - Duration::seconds(teller as i64),
            title,
        }
    }
}

fn html(dice: &mut Dice, feed: usize) -> String {
    let (image, alt, quotation) = (dice.words(1..=1), dice.words(2..=4), dice.words(12..=22));
    format!(
        "{}{}<img src=\"https://feed{feed}.example/{image}.jpg\" alt=\"{alt}\" width=\"640\" height=\"360\">\n\
         <blockquote><p>{quotation} &amp; {alt}</p></blockquote>\n",
        paragraph(dice, feed),
        paragraph(dice, feed)
    )
}

fn paragraph(dice: &mut Dice, feed: usize) -> String {
    let (before, linked, page) = (dice.words(10..=18), dice.words(1..=3), dice.words(1..=1));
    let (stressed, after) = (dice.words(1..=2), dice.words(10..=18));
    format!(
        "<p>{before} <a href=\"https://feed{feed}.example/on/{page}\">{linked}</a>, <em>{stressed}</em> {after}.</p>\n"
    )
}

fn rss(number: usize, entries: impl Iterator<Item = Entry>) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel>\n<title>Feed {number}</title>\n\
         <link>https://feed{number}.example/</link>\n<description>What feed {number} tells</description>\n<language>en</language>\n"
    );
    for Entry { guid, link, title, author, category, html, date } in entries {
        let (summary, date) = (summary(&html), date.to_rfc2822());
        xml += &format!(
            "<item>\n<title>{title}</title>\n<link>{link}</link>\n<guid isPermaLink=\"false\">{guid}</guid>\n\
             <dc:creator>{author}</dc:creator>\n<category>{category}</category>\n<pubDate>{date}</pubDate>\n\
             <description>{summary}</description>\n<content:encoded><![CDATA[{html}]]></content:encoded>\n</item>\n"
        );
    }
    xml + "</channel>\n</rss>\n"
}

fn atom(number: usize, entries: impl Iterator<Item = Entry>) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n\
         <id>tag:feed{number}.example,2026:</id>\n<title>Feed {number}</title>\n<link href=\"https://feed{number}.example/\"/>\n\
         <updated>2026-01-01T00:00:00Z</updated>\n"
    );
    for Entry { guid, link, title, author, category, html, date } in entries {
        let (summary, html, date) = (summary(&html), escaped(&html), date.to_rfc3339());
        xml += &format!(
            "<entry>\n<id>{guid}</id>\n<title>{title}</title>\n<link rel=\"alternate\" type=\"text/html\" href=\"{link}\"/>\n\
             <author><name>{author}</name></author>\n<category term=\"{category}\"/>\n<published>{date}</published>\n\
             <updated>{date}</updated>\n<summary>{summary}</summary>\n<content type=\"html\">{html}</content>\n</entry>\n"
        );
    }
    xml + "</feed>\n"
}

fn rdf(number: usize, entries: impl Iterator<Item = Entry>) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rdf:RDF xmlns=\"http://purl.org/rss/1.0/\" \
         xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\" \
         xmlns:content=\"http://purl.org/rss/1.0/modules/content/\">\n<channel rdf:about=\"https://feed{number}.example/\">\n\
         <title>Feed {number}</title>\n<link>https://feed{number}.example/</link>\n\
         <description>What feed {number} tells</description>\n</channel>\n"
    );
    for Entry { guid, link, title, author, category, html, date } in entries {
        let (summary, html, date) = (summary(&html), escaped(&html), date.to_rfc3339());
        xml += &format!(
            "<item rdf:about=\"{guid}\">\n<title>{title}</title>\n<link>{link}</link>\n<dc:creator>{author}</dc:creator>\n\
             <dc:subject>{category}</dc:subject>\n<dc:date>{date}</dc:date>\n<description>{summary}</description>\n\
             <content:encoded>{html}</content:encoded>\n</item>\n"
        );
    }
    xml + "</rdf:RDF>\n"
}

/// Returns the text before the first link, without markup.
fn summary(html: &str) -> &str {
    let text = &html["<p>".len()..];
    &text[..text.find('<').unwrap_or(text.len())]
}

fn escaped(html: &str) -> String {
    html.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Random numbers that are the same at every run: SplitMix64.
struct Dice {
    state: u64,
}

impl Dice {
    fn of(feed: usize, index: usize) -> Dice {
        Dice { state: feed as u64 * 1_000 + index as u64 }
    }

    fn roll(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn words(&mut self, count: RangeInclusive<u64>) -> String {
        let count = count.start() + self.roll() % (count.end() - count.start() + 1);
        (0..count).map(|_| word(self.roll() % WORDS)).collect::<Vec<_>>().join(" ")
    }
}

/// Returns the word that stands for a number: one syllable for each digit of the number in base 14.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 14] =
        ["ba", "den", "fi", "gor", "hul", "ka", "lem", "mi", "nor", "pu", "ras", "sel", "ti", "vo"];
    let mut word = SYLLABLES[(number % 14) as usize].to_owned();
    let mut rest = number / 14;
    while rest > 0 {
        word += SYLLABLES[(rest % 14) as usize];
        rest /= 14;
    }
    word
}
