//! The ways in which sites copy a story. Each way gives a class of pairs; the two entries of a pair are one story.

use crate::evaluation::{Class, Pair, Sign, Story};
use newswire::entry::Entry;

/// A function that copies a story in one way. It gets the story and the number of the pair. It returns `None` if the
/// story cannot be copied in this way.
type Way = fn(&Story, usize) -> Option<Entry>;

pub fn classes(stories: &[Story]) -> Vec<Class> {
    let ways: [(&str, Sign, Way); 18] = [
        ("cross-posted", Sign::Text, cross_posted),
        ("truncated", Sign::Text, truncated),
        ("re-templated", Sign::Text, retemplated),
        ("reworded", Sign::Text, reworded),
        ("with another headline", Sign::Text, reheaded),
        ("truncated, another headline", Sign::Text, reheaded_summary),
        ("attributed on both sides", Sign::Text, footed),
        ("with a dateline", Sign::Text, datelined),
        ("a sentence cut out", Sign::Text, shortened),
        ("teaser with a footer", Sign::Text, teased),
        ("two summaries", Sign::Text, summarised),
        ("a beginning that recurs", Sign::Text, truncated),
        ("AMP and tracked link", Sign::Link, amp),
        ("feed proxy", Sign::Link, proxied),
        ("declared original", Sign::Link, declared),
        ("link of the body", Sign::Link, linked),
        ("remark on a link", Sign::Link, remarked),
        ("numbers in both headlines", Sign::Link, numbered),
    ];
    let class = |(name, sign, way): (&'static str, Sign, Way)| {
        let pairs = stories.iter().enumerate().filter_map(|(at, story)| {
            let original = match name {
                "attributed on both sides" => with_footer(story, at),
                "two summaries" => summarised_with(story, original(story, at), "Continue reading →"),
                "a beginning that recurs" => recurring(story, at),
                "numbers in both headlines" => {
                    Entry { title: format!("{}: 12 {at}", story.title), ..original(story, at) }
                }
                _ => original(story, at),
            };
            Some(Pair {
                name: story.id.clone(),
                language: story.language.clone(),
                one: original,
                other: way(story, at)?,
            })
        });
        Class { name, sign, shares_texts: false, pairs: pairs.collect() }
    };
    ways.into_iter().map(class).collect()
}

/// Returns the story as its own site publishes it.
pub fn original(story: &Story, at: usize) -> Entry {
    entry(
        &format!("https://one-{at}.example/2018/{}", story.id),
        &story.title,
        &format!("<p>{}</p>", story.text),
        &story.language,
    )
}

pub fn entry(link: &str, title: &str, html: &str, language: &str) -> Entry {
    let mut entry = crate::support::bed::entry(link, title, "");
    entry.content_html = Some(html.to_owned());
    entry.language = Some(language.to_owned());
    entry
}

pub fn copy(story: &Story, at: usize, title: &str, html: &str) -> Entry {
    entry(&format!("https://other-{at}.example/news/{at}"), title, html, &story.language)
}

fn cross_posted(story: &Story, at: usize) -> Option<Entry> {
    let html = format!("<p>{}</p><p>This article first appeared in The One Gazette.</p>", story.text);
    Some(copy(story, at, &story.title, &html))
}

fn truncated(story: &Story, at: usize) -> Option<Entry> {
    let mut cut = copy(story, at, &story.title, "");
    cut.content_html = None;
    cut.summary_html = Some(format!("{}… <a href=\"#\">Continue reading</a>", beginning(&story.text, 150)));
    Some(cut)
}

/// Returns the beginning of a text: about `chars` characters, or fewer in scripts that say more per character. Cuts
/// between words if the text has spaces.
pub fn beginning(text: &str, chars: usize) -> &str {
    let chars = if text.is_ascii() || text.contains(' ') { chars } else { chars / 3 };
    let end = text.char_indices().nth(chars).map_or(text.len(), |(at, _)| at);
    let end = text[..end].rfind(' ').unwrap_or(end);
    &text[..end]
}

fn retemplated(story: &Story, at: usize) -> Option<Entry> {
    let sentences: Vec<&str> = story.text.split_inclusive(['.', '。', '।']).collect();
    let body: String = sentences.iter().map(|sentence| format!("<div class=\"p\">{sentence}</div>")).collect();
    let html = format!("<div>Published 3 January 2018, 4 min</div>{body}<div>Share · Tweet · Print</div>");
    Some(copy(story, at, &format!("{} | The Other Post", story.title), &html))
}

fn reworded(story: &Story, at: usize) -> Option<Entry> {
    let text = story.reword.iter().fold(story.text.clone(), |text, (from, to)| text.replacen(from, to, 1));
    (text != story.text).then(|| copy(story, at, &story.title, &format!("<p>{text}</p>")))
}

/// Copies the story with a headline whose last words are cut off; the text is unchanged.
fn reheaded(story: &Story, at: usize) -> Option<Entry> {
    let words: Vec<&str> = story.title.split(' ').collect();
    let title = words[..words.len() - words.len() / 4].join(" ");
    (words.len() >= 8).then(|| copy(story, at, &title, &format!("<p>{}</p>", story.text)))
}

fn reheaded_summary(story: &Story, at: usize) -> Option<Entry> {
    let mut cut = reheaded(story, at)?;
    cut.content_html = None;
    cut.summary_html = Some(format!("{}…", beginning(&story.text, 240)));
    Some(cut)
}

/// Returns the original, with some of its first words repeated at the end.
fn recurring(story: &Story, at: usize) -> Entry {
    let html = format!("<p>{}</p><p>{}.</p>", story.text, beginning(&story.text, 36));
    Entry { content_html: Some(html), ..original(story, at) }
}

/// Copies the story as a teaser with the link of the original and a different headline. Both headlines contain numbers.
fn numbered(story: &Story, at: usize) -> Option<Entry> {
    let title = format!("Now 19 of {}", story.id);
    Some(Entry { title, ..teaser(story, at, &format!("https://one-{at}.example/2018/{}", story.id)) })
}

fn with_footer(story: &Story, at: usize) -> Entry {
    let mut entry = original(story, at);
    entry.content_html =
        Some(format!("<p>{}</p><p>The post {} appeared first on One Gazette.</p>", story.text, story.title));
    entry
}

fn footed(story: &Story, at: usize) -> Option<Entry> {
    let html = format!("<p>{}</p><p>Read more news in the Other Post every morning.</p>", story.text);
    Some(copy(story, at, &story.title, &html))
}

fn datelined(story: &Story, at: usize) -> Option<Entry> {
    let title = format!("{} – Other Post", story.title.replace('-', "‑").to_uppercase());
    Some(copy(story, at, &title, &format!("<p><b>PORT LINNET</b> (OP) – {}</p>", story.text)))
}

/// Copies the story without its second sentence.
fn shortened(story: &Story, at: usize) -> Option<Entry> {
    let mut sentences: Vec<&str> = story.text.split_inclusive(['.', '。', '।']).collect();
    if sentences.len() < 3 {
        return None;
    }
    sentences.remove(1);
    Some(copy(story, at, &story.title, &format!("<p>{}</p>", sentences.concat())))
}

fn teased(story: &Story, at: usize) -> Option<Entry> {
    let footer =
        format!("<p>The post <a href=\"#\">{}</a> appeared first on <a href=\"#\">Other Post</a>.</p>", story.title);
    Some(copy(story, at, &story.title, &format!("<p>{} […]</p>{footer}", beginning(&story.text, 180))))
}

/// Copies the story as a summary. The original is a summary too, of another length and with another end.
fn summarised(story: &Story, at: usize) -> Option<Entry> {
    let shorter = Story { text: beginning(&story.text, 130).to_owned(), ..story.clone() };
    Some(summarised_with(&shorter, copy(story, at, &story.title, ""), "[…] Read more at Other Post"))
}

fn summarised_with(story: &Story, mut entry: Entry, end: &str) -> Entry {
    entry.content_html = None;
    entry.summary_html = Some(format!("{} {end}", beginning(&story.text, 220)));
    entry
}

/// Copies the story as a teaser with other words, so that the teaser and the original have only the link in common.
pub fn teaser(story: &Story, at: usize, link: &str) -> Entry {
    let middle = beginning(&story.text[story.text.char_indices().nth(40).unwrap().0..], 60);
    let mut teaser =
        copy(story, at, &format!("{}: {}", story.id, beginning(&story.title, 24)), &format!("<p>{middle}</p>"));
    teaser.link = Some(link.parse().unwrap());
    teaser
}

fn amp(story: &Story, at: usize) -> Option<Entry> {
    let link = match at % 4 {
        0 => format!("https://www.one-{at}.example/2018/{}/amp/?utm_source=feed", story.id),
        1 => format!("http://m.one-{at}.example/2018/{}?fbclid=abc#top", story.id),
        2 => format!("https://one--{at}-example.cdn.ampproject.org/c/s/one-{at}.example/2018/{}", story.id),
        _ => format!("https://www.google.com/amp/s/one-{at}.example/2018/{}", story.id),
    };
    Some(teaser(story, at, &link))
}

fn proxied(story: &Story, at: usize) -> Option<Entry> {
    let mut proxied = teaser(story, at, &format!("http://feedproxy.google.com/~r/one/~3/{at}/"));
    proxied.original = Some(format!("https://one-{at}.example/2018/{}?utm_medium=feed", story.id).parse().unwrap());
    Some(proxied)
}

fn declared(story: &Story, at: usize) -> Option<Entry> {
    let mut declared = teaser(story, at, &format!("https://other-{at}.example/story-{at}.html"));
    declared.original = Some(format!("http://one-{at}.example/2018/{}/", story.id).parse().unwrap());
    Some(declared)
}

fn linked(story: &Story, at: usize) -> Option<Entry> {
    let mut linked = teaser(story, at, &format!("https://other-{at}.example/story-{at}.html"));
    let link = format!("<p><a href=\"https://one-{at}.example/2018/{}\">Source</a></p>", story.id);
    linked.content_html = linked.content_html.map(|html| html + &link);
    linked.source =
        Some(serde_json::from_value(serde_json::json!({ "site": format!("https://one-{at}.example/") })).unwrap());
    Some(linked)
}

fn remarked(story: &Story, at: usize) -> Option<Entry> {
    let mut remark = copy(story, at, "Worth your time", "<p>Found this on the way to work.</p>");
    remark.link = Some(format!("https://one-{at}.example/2018/{}", story.id).parse().unwrap());
    Some(remark)
}
