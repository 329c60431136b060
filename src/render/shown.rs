//! Adapts sanitized HTML for our own pages: links without weight, media over `https` only, headings below those of the page.
//!
//! Editions keep the HTML as it is. The Content-Security-Policy of pages forbids media over plain `http`, so their addresses are
//! upgraded to `https`, as browsers do for *mixed content*; media whose address cannot be upgraded become links. Pictures
//! load when they come into view, and what a screen reader could not name or reach gets a name and a place.

use std::borrow::Cow;

/// The `rel` of links in feed content: the site does not endorse them.
const REL: &str = " rel=\"noopener noreferrer nofollow ugc\"";

/// The name of a linked picture that its author did not name.
const UNNAMED: &str = "Picture";

/// How a page shows the content of a story.
#[derive(Clone, Copy, Debug)]
pub(super) struct Look {
    /// The level of the page's heading above the content.
    pub level: usize,
    /// Whether pictures are shown; if not, they become links.
    pub pictures: bool,
}

/// Returns the HTML for a page. The input must be sanitized: values in double quotes, and `<` only in tags.
pub(super) fn html(sanitized: &str, look: Look) -> String {
    let mut writer = ContentWriter {
        out: String::with_capacity(sanitized.len() + sanitized.len() / 8),
        look,
        open: OpenElements::default(),
    };
    let mut rest = sanitized;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        writer.out.push_str(before);
        let (tag, after) = tag.split_at(tag_length(tag));
        rest = after;
        writer.tag(tag, rest);
    }
    writer.out.push_str(rest);
    writer.out
}

/// The elements that have started and not yet ended where the writer is.
#[derive(Default)]
struct OpenElements {
    links: usize,
    /// Whether the open link has nothing that a screen reader could read.
    is_unnamed: bool,
    /// The levels, as written, of the headings whose sections contain this point.
    outline: Vec<u8>,
    /// The levels, as shown, of the open headings.
    headings: Vec<usize>,
}

struct ContentWriter {
    out: String,
    look: Look,
    open: OpenElements,
}

impl ContentWriter {
    /// Writes a tag; `after` is the rest of the content.
    fn tag(&mut self, tag: &str, after: &str) {
        let name = &tag[1..];
        let name = &name[..name.find([' ', '>']).unwrap_or(name.len())];
        match name {
            "a" => {
                self.open.links += 1;
                self.open.is_unnamed = !has_name(after);
                push_link(&mut self.out, tag);
            }
            "/a" => {
                self.open.links = self.open.links.saturating_sub(1);
                self.open.is_unnamed = false;
                self.out.push_str(tag);
            }
            "img" => self.picture(tag),
            "source" | "video" | "audio" if tag.contains("http://") => {
                push_media(&mut self.out, name, tag, self.open.links > 0);
            }
            // A keyboard must reach what scrolls.
            "pre" => self.out.extend(["<pre tabindex=\"0\"", &tag["<pre".len()..]]),
            _ => match heading_level(name.trim_start_matches('/')) {
                Some(written) => self.heading(written, tag, name.starts_with('/')),
                None => self.out.push_str(tag),
            },
        }
    }

    fn picture(&mut self, tag: &str) {
        let in_link = self.open.links > 0;
        if !self.look.pictures {
            return push_linked(&mut self.out, tag, in_link);
        }
        let is_named = attributes_of(tag).any(|(attribute, value)| attribute == "alt" && !value.is_empty());
        let alt = if self.open.is_unnamed && !is_named { UNNAMED } else { "" };
        let mut shown: Cow<str> = Cow::Borrowed(tag);
        if !is_named {
            let rest = tag["<img".len()..].replace(" alt=\"\"", "");
            shown = Cow::Owned(format!("<img alt=\"{alt}\"{rest}"));
        }
        let shown = format!("<img loading=\"lazy\" decoding=\"async\"{}", &shown["<img".len()..]);
        push_media(&mut self.out, "img", &shown, in_link);
    }

    /// Writes the tag of a heading one level below that of the heading that contains it in the outline, so that no level is
    /// left out.
    fn heading(&mut self, written: u8, tag: &str, is_end: bool) {
        if is_end {
            let level = self.open.headings.pop().unwrap_or(6);
            return self.out.push_str(&format!("</h{level}>"));
        }
        while self.open.outline.last().is_some_and(|level| *level >= written) {
            self.open.outline.pop();
        }
        self.open.outline.push(written);
        let level = (self.look.level + self.open.outline.len()).min(6);
        self.open.headings.push(level);
        self.out.push_str(&format!("<h{level}{}", &tag["<h1".len()..]));
    }
}

fn heading_level(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [b'h', level @ b'1'..=b'6'] => Some(level - b'0'),
        _ => None,
    }
}

/// Whether a link that begins here has text, or a picture with a description.
fn has_name(after: &str) -> bool {
    let mut rest = after.split("</a>").next().unwrap_or_default();
    while let Some(at) = rest.find('<') {
        let (text, tag) = rest.split_at(at);
        let (tag, next) = tag.split_at(tag_length(tag));
        let is_described = || attributes_of(tag).any(|(name, value)| name == "alt" && !value.trim().is_empty());
        if !text.trim().is_empty() || tag.starts_with("<img") && is_described() {
            return true;
        }
        rest = next;
    }
    !rest.trim().is_empty()
}

/// Writes a link to a picture, or its description if it is in a link.
fn push_linked(out: &mut String, tag: &str, in_link: bool) {
    let value = |wanted: &str| attributes_of(tag).find(|(name, value)| *name == wanted && !value.is_empty());
    let Some((_, address)) = value("src") else { return };
    let text = value("alt").map_or(UNNAMED, |(_, alt)| alt);
    if in_link {
        out.push_str(text);
    } else {
        out.extend(["<a href=\"", address, "\"", REL, ">", text, "</a>"]);
    }
}

/// Returns the address over `https`; `None` if there is probably no `https` server: with an explicit port, an IP address, or
/// a name in a local network.
pub(super) fn over_https(address: &str) -> Option<String> {
    let Some(rest) = address.strip_prefix("http://") else {
        return address.starts_with("https://").then(|| address.to_owned());
    };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.strip_suffix(":80").unwrap_or(authority);
    let last_label = host.rsplit_once('.')?.1;
    let is_public = last_label.starts_with(|c: char| c.is_ascii_alphabetic())
        && !matches!(last_label, "onion" | "local" | "internal" | "localhost" | "lan")
        && !host.contains([':', '@', '[']);
    is_public.then(|| format!("https://{host}{path}"))
}

/// Returns the length of the tag at the start, including `>`.
pub(super) fn tag_length(tag: &str) -> usize {
    let mut in_value = false;
    let end = tag.bytes().position(|byte| {
        in_value ^= byte == b'"';
        byte == b'>' && !in_value
    });
    end.map_or(tag.len(), |end| end + 1)
}

/// Writes the start tag of a link. Replaces a `rel`, which content cleaned by an earlier version may have.
fn push_link(out: &mut String, tag: &str) {
    out.push_str("<a");
    for (attribute, value) in attributes_of(tag).filter(|(attribute, _)| *attribute != "rel") {
        out.extend([" ", attribute, "=\"", value, "\""]);
    }
    out.push_str(if tag.contains(" href=") { REL } else { "" });
    out.push('>');
}

/// Writes a media element over `https`, or a link if that is not possible.
fn push_media(out: &mut String, name: &str, tag: &str, in_link: bool) {
    let mut attributes = String::new();
    let mut unreachable = None;
    for (attribute, value) in attributes_of(tag) {
        let shown = match attribute {
            "src" | "poster" => over_https(value),
            "srcset" => candidates_over_https(value),
            _ => Some(value.to_owned()),
        };
        match shown {
            Some(value) => attributes.extend([" ", attribute, "=\"", &value, "\""]),
            None if attribute == "src" => unreachable = Some(value),
            None => {}
        }
    }
    let is_void = matches!(name, "img" | "source");
    if let Some(address) = unreachable
        && name != "source"
    {
        let alt = attributes_of(tag).find(|(attribute, value)| *attribute == "alt" && !value.is_empty());
        let text = alt.map_or(address, |(_, alt)| alt);
        if in_link {
            out.push_str(text);
        } else {
            out.extend(["<a href=\"", address, "\"", REL, ">", text, "</a>"]);
        }
    }
    // Without an address, a picture or source shows nothing; a player may have other sources.
    if unreachable.is_none() && !attributes.is_empty() || !is_void {
        out.extend(["<", name, &attributes, ">"]);
    }
}

fn candidates_over_https(set: &str) -> Option<String> {
    let candidates = set.split(", ").filter_map(|candidate| {
        let (address, descriptors) = candidate.split_at(candidate.find(' ').unwrap_or(candidate.len()));
        Some(over_https(address)? + descriptors)
    });
    let kept = candidates.collect::<Vec<_>>().join(", ");
    (!kept.is_empty()).then_some(kept)
}

/// Returns the names and values of the attributes in a sanitized start tag.
pub(super) fn attributes_of(tag: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = tag.find(' ').map_or("", |at| &tag[at..]);
    std::iter::from_fn(move || {
        let (name, written) = rest.trim_start().split_once("=\"")?;
        let (value, after) = written.split_once('"')?;
        rest = after;
        Some((name, value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(sanitized: &str, expected: &str) {
        assert_eq!(html(sanitized, Look { level: 1, pictures: true }), expected, "{sanitized}");
    }

    #[test]
    fn links_of_others_lend_no_weight() {
        check(
            "<p><a href=\"https://a.example/?a=1&amp;b\" title=\"x &gt; y\">t</a> <a>u</a></p>",
            "<p><a href=\"https://a.example/?a=1&amp;b\" title=\"x &gt; y\" rel=\"noopener noreferrer nofollow ugc\">t</a> <a>u</a></p>",
        );
        check(
            "<abbr title=\"a\">b</abbr><article>c</article> 1 &lt; 2",
            "<abbr title=\"a\">b</abbr><article>c</article> 1 &lt; 2",
        );
        check(
            "<a title=\"a > b\" href=\"https://c.example/\">d</a>",
            "<a title=\"a > b\" href=\"https://c.example/\" rel=\"noopener noreferrer nofollow ugc\">d</a>",
        );
        check(
            "<a href=\"https://a.example/\" rel=\"noopener\" title=\"b\">c</a>",
            "<a href=\"https://a.example/\" title=\"b\" rel=\"noopener noreferrer nofollow ugc\">c</a>",
        );
        check("", "");
    }

    #[test]
    fn media_are_loaded_over_https() {
        let check_picture = |written: &str, shown: &str| {
            check(&format!("<img {written}>"), &format!("<img loading=\"lazy\" decoding=\"async\" {shown}>"));
        };
        check_picture("src=\"http://a.example/i.png\" alt=\"A\"", "src=\"https://a.example/i.png\" alt=\"A\"");
        check_picture("src=\"http://a.example:80\" alt=\"\"", "alt=\"\" src=\"https://a.example\"");
        check_picture("src=\"https://a.example/?u=http://b\"", "alt=\"\" src=\"https://a.example/?u=http://b\"");
        check_picture(
            "alt=\"A\" src=\"https://a.example/1\" srcset=\"http://a.example/1 1x, http://a.example:81/2 2x\"",
            "alt=\"A\" src=\"https://a.example/1\" srcset=\"https://a.example/1 1x\"",
        );
        check(
            "<video src=\"http://a.example/v\" poster=\"http://10.0.0.1/p\" controls=\"\"><source src=\"http://a.example/w\" type=\"video/mp4\"></video>",
            "<video src=\"https://a.example/v\" controls=\"\"><source src=\"https://a.example/w\" type=\"video/mp4\"></video>",
        );
    }

    #[test]
    fn media_that_have_no_https_are_linked() {
        check(
            "<img src=\"http://a.example:8080/i.png\" alt=\"A &quot;chart&quot;\">",
            "<a href=\"http://a.example:8080/i.png\" rel=\"noopener noreferrer nofollow ugc\">A &quot;chart&quot;</a>",
        );
        check(
            "<a href=\"https://b.example/\"><img src=\"http://10.0.0.1/i.png\"></a>",
            "<a href=\"https://b.example/\" rel=\"noopener noreferrer nofollow ugc\">Picture</a>",
        );
        check(
            "<audio src=\"http://nas/a.mp3\"></audio><picture><source srcset=\"http://nas/a\"></picture>",
            "<a href=\"http://nas/a.mp3\" rel=\"noopener noreferrer nofollow ugc\">http://nas/a.mp3</a><audio></audio><picture></picture>",
        );
    }

    #[test]
    fn linked_picture_without_a_description_has_a_name() {
        let lazy = "<img loading=\"lazy\" decoding=\"async\"";
        let link = |inside: &str| format!("<a href=\"https://a.example/\"{REL}>{inside}</a>");
        let check_link = |inside: &str, expected: &str| {
            check(&format!("<a href=\"https://a.example/\">{inside}</a>"), &link(expected));
        };
        let src = "src=\"https://a.example/1\"";
        check_link(&format!("<img {src} alt=\"\">"), &format!("{lazy} alt=\"Picture\" {src}>"));
        check_link(&format!("<img {src}> Words"), &format!("{lazy} alt=\"\" {src}> Words"));
        check_link(&format!("<img {src} alt=\"A quay\">"), &format!("{lazy} {src} alt=\"A quay\">"));
    }

    #[test]
    fn headings_follow_the_heading_of_the_page() {
        check("<h1>a</h1><h4>b</h4><h4>c</h4><h2>d</h2>", "<h2>a</h2><h3>b</h3><h3>c</h3><h3>d</h3>");
        check("<h4 lang=\"de\">a</h4><p>b</p><h3>c</h3>", "<h2 lang=\"de\">a</h2><p>b</p><h2>c</h2>");
        check("<hr><header>a</header>", "<hr><header>a</header>");
        let deep = html("<h1>a</h1><h2>b</h2>", Look { level: 5, pictures: true });
        assert_eq!(deep, "<h6>a</h6><h6>b</h6>");
    }

    #[test]
    fn pictures_become_links_if_the_site_shows_none() {
        let check = |written: &str, expected: &str| {
            assert_eq!(html(written, Look { level: 1, pictures: false }), expected, "{written}");
        };
        check(
            "<p><img src=\"https://a.example/1\" alt=\"A quay\"></p>",
            &format!("<p><a href=\"https://a.example/1\"{REL}>A quay</a></p>"),
        );
        check(
            "<a href=\"https://b.example/\"><img src=\"https://a.example/1\"></a>",
            &format!("<a href=\"https://b.example/\"{REL}>Picture</a>"),
        );
    }
}
