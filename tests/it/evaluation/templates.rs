//! What site templates add to a story or change in it: site names, excerpts, buttons, bylines, pictures, typography and
//! addresses.

use crate::evaluation::copies::{beginning, copy, original, teaser};
use crate::evaluation::{Class, Pair, Sign, Story};
use newswire::entry::Entry;

/// A function that changes a story as templates do. It gets the story and the number of the pair, and returns both
/// copies. It returns `None` if the story cannot be changed in this way.
type Way = fn(&Story, usize) -> Option<(Entry, Entry)>;

pub fn classes(stories: &[Story]) -> Vec<Class> {
    let ways: [(&str, Sign, Way); 18] = [
        ("site's name in the title", Sign::Text, named),
        ("excerpt with a footer", Sign::Text, excerpted),
        ("buttons around it", Sign::Text, buttoned),
        ("other typography", Sign::Text, typeset),
        ("other pictures", Sign::Text, illustrated),
        ("other case", Sign::Text, capitalised),
        ("date and byline", Sign::Text, bylined),
        ("about the company", Sign::Text, boilerplated),
        ("editor's note", Sign::Text, noted),
        ("an update at the end", Sign::Text, updated),
        ("misspelt", Sign::Text, misspelt),
        ("related links", Sign::Text, related),
        ("title repeated above", Sign::Text, repeated),
        ("summary and full text", Sign::Text, doubled),
        ("a short note", Sign::Text, brief),
        ("title of first words", Sign::Text, untitled),
        ("no title at all", Sign::Text, nameless),
        ("spellings of one link", Sign::Link, respelt),
    ];
    let class = |(name, sign, way): (&'static str, Sign, Way)| {
        let pairs = stories.iter().enumerate().filter_map(|(at, story)| {
            let (one, other) = way(story, at)?;
            Some(Pair { name: story.id.clone(), language: story.language.clone(), one, other })
        });
        Class { name, sign, shares_texts: false, pairs: pairs.collect() }
    };
    ways.into_iter().map(class).collect()
}

/// Pairs the original with a copy that has this HTML before and after the text.
fn framed(story: &Story, at: usize, before: &str, after: &str) -> Option<(Entry, Entry)> {
    let html = format!("{before}<p>{}</p>{after}", story.text);
    Some((original(story, at), copy(story, at, &story.title, &html)))
}

fn named(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let title = &story.title;
    let title = match at % 5 {
        0 => format!("The Other Post: {title}"),
        1 => format!("[Other Post] {title}"),
        2 => format!("{title} (Other Post)"),
        3 => format!("{title} « Other Post"),
        _ => format!("{title} | News | Other Post"),
    };
    Some((original(story, at), copy(story, at, &title, &format!("<p>{}</p>", story.text))))
}

fn excerpted(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let footer = format!("<p>The post <a href=\"#\">{}</a> appeared first on Other Post.</p>", story.title);
    let mut other = copy(story, at, &story.title, "");
    other.summary_html = Some(format!("<p>{} […]</p>{footer}", beginning(&story.text, 300)));
    other.content_html = None;
    Some((original(story, at), other))
}

fn buttoned(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let before = "<div>Tweet Share Pin 12 Shares</div>";
    let after = "<p>Share this: Facebook Twitter WhatsApp Email Print</p><p>Like this: Like Loading...</p>";
    framed(story, at, before, after)
}

fn typeset(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let set = |text: &str| {
        text.replace('\'', "’")
            .replace(" \"", " “")
            .replace('"', "”")
            .replace(" – ", " — ")
            .replace("...", "…")
            .replace("  ", " ")
    };
    let html = format!("<p>{}</p>", set(&story.text).replace('’', "&#8217;").replace(", ", ",&nbsp;"));
    Some((original(story, at), copy(story, at, &set(&story.title), &html)))
}

fn illustrated(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let mut one = original(story, at);
    one.content_html = Some(format!("<img src=\"https://one.example/{at}.jpg\"><p>{}</p>", story.text));
    let figure = "<figure><img src=\"https://cdn.example/x.png\"><figcaption>The scene this week. Photo: P. Grant</figcaption></figure>";
    let other = copy(story, at, &story.title, &format!("{figure}<p>{}</p>", story.text));
    Some((one, other))
}

fn capitalised(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let start = beginning(&story.text, 30);
    let html = format!("<p>{}{}</p>", start.to_uppercase(), &story.text[start.len()..]);
    Some((original(story, at), copy(story, at, &story.title.to_uppercase(), &html)))
}

fn bylined(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let mut one = original(story, at);
    one.content_html = Some(format!("<p>By Jane Doe | January 3, 2018 | 4 Comments</p><p>{}</p>", story.text));
    let html = format!("<p>Posted 03.01.2018, 09:15 by Staff</p><p>{}</p>", story.text);
    Some((one, copy(story, at, &story.title, &html)))
}

fn boilerplated(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let about = "<p>About the Northern Trust: The Northern Trust was founded in 1911 and looks after buildings, gardens and \
                 collections in nine counties. It has four thousand members and is supported by gifts and legacies. Contact: press office, \
                 telephone 0100 555 0199.</p>";
    framed(story, at, "", about)
}

fn noted(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    framed(story, at, "<p><em>Editor's note: This story comes from our partner, The One Gazette.</em></p>", "")
}

fn updated(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    framed(story, at, "", "<p>Update, 14:30: Nobody was available for comment when we asked this afternoon.</p>")
}

/// Pairs the original with a copy in which three long words lack a letter.
fn misspelt(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let mut words: Vec<String> = story.text.split(' ').map(str::to_owned).collect();
    for place in [words.len() / 4, words.len() / 2, words.len() * 3 / 4] {
        let word = words[place..].iter_mut().find(|word| word.chars().count() >= 7)?;
        let letter = word.char_indices().nth(2)?.0;
        word.remove(letter);
    }
    Some((original(story, at), copy(story, at, &story.title, &format!("<p>{}</p>", words.join(" ")))))
}

fn related(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let mut one = original(story, at);
    one.content_html = Some(format!(
        "<p>{}</p><p>Read also:</p><ul><li>Market hall gets a new roof</li><li>Ten walks for autumn</li></ul>",
        story.text
    ));
    let more = "<h4>Related</h4><ul><li>Buses will run later</li><li>What the mayor eats</li></ul>";
    Some((one, framed(story, at, "", more)?.1))
}

fn repeated(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    framed(story, at, &format!("<h1>{}</h1><p>By our correspondent</p>", story.title), "")
}

fn doubled(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let (one, mut other) = framed(story, at, "", "<p>Source: One Gazette</p>")?;
    other.summary_html = Some(format!("{} […]", beginning(&story.text, 140)));
    Some((one, other))
}

/// Pairs two copies that have only the first sentence.
fn brief(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let end = story.text.find(['.', '。', '।'])?;
    let text = &story.text[..end];
    let mut one = original(story, at);
    one.content_html = Some(format!("<p>{text}.</p>"));
    Some((one, copy(story, at, &story.title, &format!("<div>{text}.</div>"))))
}

/// Pairs two copies whose titles are the first words of the text. Some services give such titles to posts without a
/// title.
fn untitled(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let title = format!("{}…", beginning(&story.text, 60));
    let mut one = original(story, at);
    one.title = title.clone();
    Some((one, copy(story, at, &format!("{title} - Other Post"), &format!("<p>{}</p>", story.text))))
}

fn nameless(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let mut one = original(story, at);
    one.title = String::new();
    Some((one, copy(story, at, "", &format!("<p>{}</p>", story.text))))
}

fn respelt(story: &Story, at: usize) -> Option<(Entry, Entry)> {
    let (host, path) = (format!("one-{at}.example"), format!("2018/{}", story.id));
    let link = match at % 16 {
        0 => format!("https://{host}/{path}?amp=1"),
        1 => format!("https://{host}/{path}?amp"),
        2 => format!("https://amp.{host}/{path}"),
        3 => format!("https://{host}/{path}.amp"),
        4 => format!("https://{host}/{path}?outputType=amp"),
        5 => format!("https://mobile.{host}/{path}/"),
        6 => format!("http://WWW.{}/{path}#comments", host.to_uppercase()),
        7 => format!("https://{host}:443/{path}?utm_source=rss&utm_medium=feed"),
        8 => format!("http://{host}:80/{path}/index.html"),
        9 => format!("https://{host}/{path}?m=1"),
        10 => format!("https://{host}//{path}"),
        11 => format!("https://{host}/%32018/{}", story.id),
        12 => format!("https://m.{host}/{path}?from=rss"),
        13 => format!("https://touch.{host}/{path}"),
        14 => format!("https://{host}/{path}?ref=twitter&cmpid=x"),
        _ => format!("https://{host}/{path}/?fbclid=1&gclid=2"),
    };
    Some((original(story, at), teaser(story, at, &link)))
}
