//! The picture of a story: the one that its feed declares, else the first fitting one in its text.
//!
//! The policy held here: a picture illustrates the story. A counting pixel, an avatar, an emoji, a badge or a share button
//! never does, even if a feed declares it. A picture in the text whose size is unknown counts only if it stands alone in its
//! paragraph or in a `figure`.

use url::Url;

use super::address;
use super::media_type::type_of;
use super::shown::{attributes_of, tag_length};
use crate::entry::Entry;

/// The least width and height in pixels. A smaller picture is an icon or a button.
const LEAST: (u32, u32) = (100, 60);

/// The most pixels in one direction. Cameras make smaller pictures, so a larger number is a mistake.
const MOST: u32 = 10_000;

/// How many times as wide as high a picture may be, and the other way round. A longer one is a banner or a ruler.
const LONGEST: u32 = 4;

/// Hosts of faces, emojis, badges, counters and advertisements.
const OTHER_HOSTS: [&str; 14] = [
    "gravatar.com",
    "s.w.org",
    "pixel.wp.com",
    "stats.wordpress.com",
    "feeds.feedburner.com",
    "feedads.g.doubleclick.net",
    "doubleclick.net",
    "feedsportal.com",
    "shields.io",
    "badge.fury.io",
    "scorecardresearch.com",
    "google-analytics.com",
    "addtoany.com",
    "addthis.com",
];

/// Names of folders and files whose pictures do not illustrate a story.
const OTHER_NAMES: [&str; 33] = [
    "1x1",
    "avatar",
    "avatars",
    "badge",
    "badges",
    "beacon",
    "blank",
    "btn",
    "button",
    "buttons",
    "clear",
    "counter",
    "emoji",
    "emojis",
    "emoticon",
    "emoticons",
    "favicon",
    "favicons",
    "gravatar",
    "icon",
    "icons",
    "latex",
    "pixel",
    "sharing",
    "smile",
    "smiley",
    "smileys",
    "smilies",
    "spacer",
    "tracker",
    "tracking",
    "transparent",
    "twemoji",
];

/// Returns the address of the picture; `None` if the entry has none.
pub(super) fn of(entry: &Entry) -> Option<String> {
    let text = [&entry.content_html, &entry.summary_html].into_iter().flatten();
    declared(entry).map(address::uri).or_else(|| text.filter_map(|html| inline(html)).next())
}

/// Returns the entry's own image, else the first picture among its files.
fn declared(entry: &Entry) -> Option<&Url> {
    let is_picture = |url: &Url, media_type: Option<&str>| {
        type_of(media_type, url).get(..6).is_some_and(|kind| kind.eq_ignore_ascii_case("image/"))
    };
    let files = entry.files().filter(|file| is_picture(&file.url, file.media_type.as_deref())).map(|file| &file.url);
    entry.image.iter().chain(files).find(|url| address::is_public(url) && is_fitting_address(url))
}

/// Returns the first fitting picture in sanitized HTML.
fn inline(html: &str) -> Option<String> {
    let mut rest = html;
    let mut paragraph = Paragraph::default();
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        paragraph.has_text |= has_words(text);
        let (tag, after) = tag.split_at(tag_length(tag));
        rest = after;
        let name = tag[1..].split([' ', '>']).next().unwrap_or_default();
        match name {
            "img" => match Sized::of(tag) {
                Some(Sized { url, is_known: true }) => return Some(address::uri(&url)),
                Some(Sized { url, .. }) if paragraph.figures > 0 => return Some(address::uri(&url)),
                Some(Sized { url, .. }) if paragraph.picture.is_none() => paragraph.picture = Some(url),
                _ => paragraph.has_text |= is_seen(tag),
            },
            "figure" => paragraph.figures += 1,
            "/figure" => paragraph.figures = paragraph.figures.saturating_sub(1),
            _ => {}
        }
        if is_edge(name)
            && let Some(picture) = paragraph.end()
        {
            return Some(address::uri(&picture));
        }
    }
    paragraph.has_text |= has_words(rest);
    paragraph.end().as_ref().map(address::uri)
}

/// What was read of a paragraph.
#[derive(Default)]
struct Paragraph {
    /// The first picture of unknown size.
    picture: Option<Url>,
    /// Whether there is anything to see beside that picture.
    has_text: bool,
    /// How many figures are open.
    figures: usize,
}

impl Paragraph {
    /// Begins the next paragraph. Returns the picture that was alone in this one.
    fn end(&mut self) -> Option<Url> {
        let is_alone = !std::mem::take(&mut self.has_text);
        self.picture.take().filter(|_| is_alone)
    }
}

/// A picture in the text that may illustrate it.
struct Sized {
    url: Url,
    /// Whether the text gives its size.
    is_known: bool,
}

impl Sized {
    /// Reads an `img`; `None` if it does not fit.
    fn of(tag: &str) -> Option<Sized> {
        let value = |wanted: &str| attributes_of(tag).find(|(name, _)| *name == wanted).map(|(_, value)| value);
        let url = Url::parse(&html_escape::decode_html_entities(value("src")?)).ok()?;
        let (width, height) = (value("width").and_then(pixels), value("height").and_then(pixels));
        let is_within = |size: Option<u32>, least| size.is_none_or(|size| (least..=MOST).contains(&size));
        let is_long = width.zip(height).is_some_and(|(width, height)| {
            width > height.saturating_mul(LONGEST) || height > width.saturating_mul(LONGEST)
        });
        let is_sign = value("alt").is_some_and(|alt| !alt.is_empty() && !alt.contains(char::is_alphanumeric));
        let is_drawing = url.path().to_ascii_lowercase().ends_with(".svg");
        let fits = is_within(width, LEAST.0) && is_within(height, LEAST.1) && !is_long && !is_sign && !is_drawing;
        let is_known = width.is_some() || height.is_some();
        (fits && address::is_public(&url) && is_fitting_address(&url)).then_some(Sized { url, is_known })
    }
}

/// Whether an `img` is visible. Then another picture next to it is not alone.
fn is_seen(tag: &str) -> bool {
    let is_tiny = |size: &str| pixels(size).is_some_and(|pixels| pixels < 2);
    !attributes_of(tag).any(|(name, value)| matches!(name, "width" | "height") && is_tiny(value))
}

/// Reads a size such as `640` or `640px`; `None` for other units, such as `100%`.
fn pixels(value: &str) -> Option<u32> {
    let value = value.trim();
    let digits = value.trim_end_matches("px").trim_end();
    let whole = digits.split('.').next().filter(|whole| !whole.is_empty())?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    // A number that is too long for a size is certainly too large.
    is_number.then(|| whole.parse().unwrap_or(u32::MAX))
}

fn has_words(text: &str) -> bool {
    text.contains('&') && !html_escape::decode_html_entities(text).trim().is_empty()
        || !text.contains('&') && !text.trim().is_empty()
}

/// Whether a tag begins or ends a paragraph.
fn is_edge(name: &str) -> bool {
    matches!(
        name.trim_start_matches('/'),
        "p" | "div"
            | "br"
            | "hr"
            | "figure"
            | "figcaption"
            | "blockquote"
            | "ul"
            | "ol"
            | "li"
            | "dl"
            | "dt"
            | "dd"
            | "table"
            | "tr"
            | "td"
            | "th"
            | "pre"
            | "section"
            | "article"
            | "header"
            | "footer"
            | "aside"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
    )
}

/// Whether the address can be that of a picture that illustrates a story.
fn is_fitting_address(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let is_under =
        |other: &str| host.strip_suffix(other).is_some_and(|before| before.is_empty() || before.ends_with('.'));
    !OTHER_HOSTS.into_iter().any(is_under) && !url.path().split('/').any(is_other_name)
}

/// Whether a folder or file has the name of something that does not illustrate a story.
fn is_other_name(segment: &str) -> bool {
    let name = segment.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let parts =
        ["gravatar", "feedburner", "share-button", "share_button", "sharebutton", "tracking-pixel", "like-button"];
    OTHER_NAMES.contains(&&*name)
        || parts.iter().any(|part| name.contains(part))
        || ["-icon", "_icon", "-button", "_button", "-avatar", "_avatar"].iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(html: &str, expected: Option<&str>) {
        assert_eq!(inline(html).as_deref(), expected, "{html}");
    }

    #[test]
    fn first_picture_of_a_seen_size_counts() {
        let quay = Some("https://a.example/quay.jpg");
        check("<p>Words <img src=\"https://a.example/quay.jpg\" width=\"640\" height=\"480\"> go on.</p>", quay);
        check("<p>Words <img src=\"https://a.example/quay.jpg\" width=\"640px\"> go on.</p>", quay);
        check(
            "<img src=\"https://a.example/dot.gif\" width=\"1\" height=\"1\"><p><img src=\"https://a.example/quay.jpg\" width=\"300\"></p>",
            quay,
        );
        check(
            "<img src=\"https://a.example/a.jpg?b=1&amp;c=2\" width=\"640\">",
            Some("https://a.example/a.jpg?b=1&c=2"),
        );
    }

    #[test]
    fn impossible_and_tiny_sizes_do_not_count() {
        for size in [
            "width=\"0\" height=\"0\"",
            "width=\"16\"",
            "height=\"20\"",
            "width=\"50000\" height=\"50000\"",
            "width=\"99999999999999999999\"",
            "width=\"728\" height=\"90\"",
            "width=\"100\" height=\"900\"",
        ] {
            check(&format!("<p><img src=\"https://a.example/quay.jpg\" {size}></p>"), None);
        }
    }

    #[test]
    fn picture_of_unknown_size_counts_only_alone_or_in_a_figure() {
        let quay = Some("https://a.example/quay.jpg");
        let img = "<img src=\"https://a.example/quay.jpg\" alt=\"\">";
        check(&format!("<p>{img}</p><p>Words.</p>"), quay);
        check(&format!("{img}<br>Words."), quay);
        check(&format!("<p><a href=\"https://a.example/\">{img}</a>&nbsp;</p>"), quay);
        check(&format!("<figure>{img} Words.</figure>"), quay);
        check("<p><img src=\"https://a.example/quay.jpg\" width=\"100%\"></p>", quay);
        check(&format!("<p>Words {img}</p>"), None);
        check(&format!("{img}Words."), None);
        check(&format!("<p>{img}{img}</p>"), None);
        check(img, quay);
    }

    #[test]
    fn what_does_not_illustrate_a_story_never_counts() {
        for address in [
            "https://secure.gravatar.com/avatar/0f9c?s=640",
            "https://a.example/avatars/ann.png",
            "https://s.w.org/images/core/emoji/14.0.0/72x72/1f642.png",
            "https://a.example/wp-content/plugins/smilies/wink.png",
            "https://feeds.feedburner.com/~ff/a?d=yIl2AUoC8zA",
            "https://img.shields.io/badge/build-passing.png",
            "https://a.example/images/share-button.png",
            "https://a.example/facebook-icon.png",
            "https://pixel.wp.com/b.gif?host=a.example",
            "https://a.example/pixel.gif",
            "https://a.example/logo.svg",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "file:///etc/quay.jpg",
        ] {
            check(&format!("<figure><img src=\"{address}\" width=\"640\" height=\"480\"></figure>"), None);
        }
        check("<p><img src=\"https://a.example/x.png\" alt=\"\u{1f642}\"></p>", None);
        check(
            "<p><img src=\"https://a.example/google-pixel-8.jpg\"></p>",
            Some("https://a.example/google-pixel-8.jpg"),
        );
    }
}
