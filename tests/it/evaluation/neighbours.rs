//! Pairs of entries that must stay two stories although they have much in common: parts of a series, releases, forms
//! that are filled in twice, and quotations with different comments.

use crate::evaluation::copies::{beginning, entry, original};
use serde::Deserialize;

use crate::evaluation::{Class, Pair, Sign, Story};

pub fn classes(stories: &[Story]) -> Vec<Class> {
    let forms = forms();
    let of_class = |class: &str| number(forms.iter().filter(|form| form.class == class).map(Form::filled).collect());
    let classes = [
        ("series, weather, obituaries", false, of_class("series, weather, obituaries")),
        ("releases", false, of_class("releases")),
        ("bare titles", false, of_class("bare titles")),
        ("notices", false, of_class("notices")),
        ("notices, re-templated", false, of_class("notices").into_iter().map(retemplated).collect()),
        ("same title, other content", true, pairs(stories, same_title)),
        ("same release, other comment", true, pairs(stories, commented)),
        ("long release, short comment", true, pairs(stories, commented_briefly)),
        ("live page", true, pairs(stories, live)),
        ("series at one address", true, pairs(stories, dated)),
        ("translated", true, translated(stories)),
        ("another story", true, pairs(stories, another_story)),
    ];
    let class = |(name, shares_texts, pairs)| Class { name, sign: Sign::Nothing, shares_texts, pairs };
    classes.into_iter().map(class).collect()
}

/// A form of `forms.toml` or `notices.toml`: a title and a text with gaps, and two lists of words that fill the gaps.
#[derive(Deserialize)]
struct Form {
    class: String,
    language: String,
    title: String,
    text: String,
    fills: [Vec<String>; 2],
}

impl Form {
    fn filled(&self) -> Filled {
        let fill = |form: &str, words: &[String]| {
            let holes = words.iter().enumerate();
            holes.fold(form.to_owned(), |form, (at, word)| form.replace(&format!("{{{at}}}"), word))
        };
        Filled {
            language: self.language.clone(),
            titles: self.fills.each_ref().map(|words| fill(&self.title, words)),
            texts: self.fills.each_ref().map(|words| fill(&self.text, words)),
        }
    }
}

fn forms() -> Vec<Form> {
    #[derive(Deserialize)]
    struct Forms {
        form: Vec<Form>,
    }
    let files = [include_str!("forms.toml"), include_str!("notices.toml")];
    files.into_iter().flat_map(|file| toml::from_str::<Forms>(file).unwrap().form).collect()
}

/// Gives the second entry of a pair the template of its site: the title again, an advertisement and a footer.
fn retemplated(mut pair: Pair) -> Pair {
    let title = &pair.other.title;
    let html = pair.other.content_html.take().unwrap_or_default();
    pair.other.content_html = Some(format!(
        "<h2>{title}</h2><p>Advertisement</p>{html}<p>The post <a href=\"#\">{title}</a> appeared first on Other Post.</p>"
    ));
    pair
}

struct Filled {
    language: String,
    titles: [String; 2],
    texts: [String; 2],
}

fn number(forms: Vec<Filled>) -> Vec<Pair> {
    let pair = |(at, form): (usize, Filled)| {
        let [one, other] = ["one", "other"].map(|side| format!("https://{side}-{at}.example/issue/{side}"));
        Pair {
            name: form.titles.join(" and "),
            one: entry(&one, &form.titles[0], &format!("<p>{}</p>", form.texts[0]), &form.language),
            other: entry(&other, &form.titles[1], &format!("<p>{}</p>", form.texts[1]), &form.language),
            language: form.language,
        }
    };
    forms.into_iter().enumerate().map(pair).collect()
}

/// Makes a pair of every story and the story after it, if both are in one language.
fn pairs(stories: &[Story], pair: fn(&Story, &Story, usize) -> Pair) -> Vec<Pair> {
    let same_language = stories.iter().zip(&stories[1..]).filter(|(story, next)| story.language == next.language);
    same_language.enumerate().map(|(at, (story, next))| pair(story, next, at)).collect()
}

fn two(story: &Story, next: &Story, (one, other): (newswire::entry::Entry, newswire::entry::Entry)) -> Pair {
    Pair { name: format!("{} and {}", story.id, next.id), language: story.language.clone(), one, other }
}

fn same_title(story: &Story, next: &Story, at: usize) -> Pair {
    let other = entry(
        &format!("https://other-{at}.example/{at}"),
        &story.title,
        &format!("<p>{}</p>", next.text),
        &next.language,
    );
    two(story, next, (original(story, at), other))
}

fn another_story(story: &Story, next: &Story, at: usize) -> Pair {
    let own = original(story, at);
    let html = format!("<p>{}</p>", next.text);
    let other = entry(&format!("https://other-{at}.example/{at}"), &next.title, &html, &next.language);
    two(story, next, (own, other))
}

/// Makes a pair of two blog entries that quote one press release, each with its own comment.
fn commented(story: &Story, next: &Story, at: usize) -> Pair {
    let comments = if story.text.contains(' ') {
        let words: Vec<&str> = next.text.split(' ').collect();
        [words[..30].join(" "), words[words.len() - 30..].join(" ")]
    } else {
        let chars: Vec<char> = next.text.chars().collect();
        [chars[..60].iter().collect(), chars[chars.len() - 60..].iter().collect()]
    };
    let [one, other] = ["one", "other"].map(|side| format!("https://{side}-{at}.example/{at}"));
    let html = |comment: &str| format!("<blockquote>{}</blockquote><p>{comment}</p>", story.text);
    let one = entry(&one, &story.title, &html(&comments[0]), &story.language);
    let other = entry(&other, &story.title, &html(&comments[1]), &story.language);
    two(story, next, (one, other))
}

/// Makes a pair of two blog entries that quote a long press release, each with a short comment of its own.
fn commented_briefly(story: &Story, next: &Story, at: usize) -> Pair {
    let mut pair = commented(story, next, at);
    for entry in [&mut pair.one, &mut pair.other] {
        let more = (0..80).map(|n| format!("paragraph{n} goes on about point{n} and")).collect::<Vec<_>>().join(" ");
        let html = entry.content_html.take().unwrap_or_default();
        entry.content_html = Some(html.replace("</blockquote>", &format!(" {more}</blockquote>")));
    }
    pair
}

/// Makes a pair from one page on two days. The page keeps its address, but its text changes.
fn live(story: &Story, next: &Story, at: usize) -> Pair {
    let link = format!("https://one-{at}.example/live");
    let mut one = entry(&link, "Live: all developments", &format!("<p>{}</p>", story.text), &story.language);
    one.guid.value.push_str("#1");
    let mut other = entry(&link, "Live: all developments", &format!("<p>{}</p>", next.text), &story.language);
    other.guid.value.push_str("#2");
    two(story, next, (one, other))
}

/// Makes a pair of two days of a diary. Both entries have the address of the diary's page, and the number of the day is
/// in the title.
fn dated(story: &Story, next: &Story, at: usize) -> Pair {
    let of_day = |story: &Story, day: usize| {
        let title = format!("Diary, day {day}: {}", story.title);
        let html = format!("<p>{}</p>", beginning(&story.text, 120));
        let mut entry = entry(&format!("https://one-{at}.example/diary"), &title, &html, &story.language);
        entry.guid.value = format!("day-{day}-{at}");
        entry
    };
    two(story, next, (of_day(story, 5), of_day(next, 6)))
}

/// Makes pairs of a story and a translation that names the story as its original. Each translation is in two pairs:
/// once whole, and once as its first sentence.
fn translated(stories: &[Story]) -> Vec<Pair> {
    let pairs = stories.iter().filter_map(|story| {
        let original = stories.iter().find(|other| Some(&other.id) == story.translates.as_ref())?;
        Some((original, story))
    });
    let summaries = [false, true].into_iter();
    let pairs = pairs.flat_map(|pair| summaries.clone().map(move |summary| (pair, summary)));
    let pair = |(at, ((source, story), is_summary)): (usize, ((&Story, &Story), bool))| {
        let text = if is_summary { story.text.split_inclusive('.').next().unwrap() } else { &story.text };
        let mut other = entry(
            &format!("https://other-{at}.example/{at}"),
            &story.title,
            &format!("<p>{text}</p>"),
            &story.language,
        );
        let one = original(source, at);
        other.original = one.link.clone();
        two(source, story, (one, other))
    };
    pairs.enumerate().map(pair).collect()
}
