//! Adapts sanitized HTML for our own pages: adds `nofollow` to links, and allows media over `https` only.
//!
//! Editions keep the HTML as it is. The Content-Security-Policy of pages forbids media over plain `http`, so their addresses are
//! upgraded to `https`, as browsers do for *mixed content*; media whose address cannot be upgraded become links.

/// The `rel` of links in feed content: the site does not endorse them.
const REL: &str = " rel=\"noopener noreferrer nofollow ugc\"";

/// Returns the HTML for a page. The input must be sanitized: values in double quotes, and `<` only in tags.
pub(super) fn html(sanitized: &str) -> String {
    let mut out = String::with_capacity(sanitized.len() + sanitized.len() / 8);
    let mut open_links = 0usize;
    let mut rest = sanitized;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        out.push_str(before);
        let (tag, after) = tag.split_at(tag_length(tag));
        rest = after;
        let name = &tag[1..];
        let name = &name[..name.find([' ', '>']).unwrap_or(name.len())];
        match name {
            "a" => {
                open_links += 1;
                push_link(&mut out, tag);
            }
            "/a" => {
                open_links = open_links.saturating_sub(1);
                out.push_str(tag);
            }
            "img" | "source" | "video" | "audio" if tag.contains("http://") => {
                push_media(&mut out, name, tag, open_links > 0)
            }
            _ => out.push_str(tag),
        }
    }
    out.push_str(rest);
    out
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
fn tag_length(tag: &str) -> usize {
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
fn attributes_of(tag: &str) -> impl Iterator<Item = (&str, &str)> {
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
        assert_eq!(html(sanitized), expected, "{sanitized}");
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
        check("<img src=\"http://a.example/i.png\" alt=\"\">", "<img src=\"https://a.example/i.png\" alt=\"\">");
        check("<img src=\"http://a.example:80\" alt=\"\">", "<img src=\"https://a.example\" alt=\"\">");
        check("<img src=\"https://a.example/?u=http://b\">", "<img src=\"https://a.example/?u=http://b\">");
        check(
            "<img src=\"https://a.example/1\" srcset=\"http://a.example/1 1x, http://a.example:81/2 2x\">",
            "<img src=\"https://a.example/1\" srcset=\"https://a.example/1 1x\">",
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
            "<a href=\"https://b.example/\" rel=\"noopener noreferrer nofollow ugc\">http://10.0.0.1/i.png</a>",
        );
        check(
            "<audio src=\"http://nas/a.mp3\"></audio><picture><source srcset=\"http://nas/a\"></picture>",
            "<a href=\"http://nas/a.mp3\" rel=\"noopener noreferrer nofollow ugc\">http://nas/a.mp3</a><audio></audio><picture></picture>",
        );
    }
}
