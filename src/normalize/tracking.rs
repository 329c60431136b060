//! Removes query parameters that the config declares as tracking parameters, in addition to the well-known ones.

use std::sync::LazyLock;

use regex::{Captures, Regex};
use url::Url;

use crate::entry::Entry;
use crate::link;

/// Matches a link in sanitized HTML. Its value is quoted and absolute, and contains few references.
static HREF: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#" href="(https?:[^"]*\?[^"]*)""#).expect("the pattern is constant"));

/// Removes the parameters that `own` names (in the form of [`link::strip_tracking`]) from an entry's links and from the
/// links in its text.
pub fn strip_own_tracking(entry: &mut Entry, own: &[String]) {
    if own.is_empty() {
        return;
    }
    let links = [&mut entry.link, &mut entry.original, &mut entry.comments];
    links.into_iter().flatten().for_each(|url| link::strip_tracking(url, own));
    for html in [&mut entry.summary_html, &mut entry.content_html].into_iter().flatten() {
        *html =
            HREF.replace_all(html, |found: &Captures| format!(" href=\"{}\"", stripped(&found[1], own))).into_owned();
    }
}

/// Removes the parameters from a link in HTML. If nothing is removed, the link stays the same, byte for byte.
fn stripped(written: &str, own: &[String]) -> String {
    let Ok(before) = Url::parse(&html_escape::decode_html_entities(written)) else { return written.to_owned() };
    let mut after = before.clone();
    link::strip_tracking(&mut after, own);
    if after == before { written.to_owned() } else { after.as_str().replace('&', "&amp;") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_named_by_the_editor_are_removed_from_every_link_of_an_entry() {
        let mut entry: Entry = serde_json::from_value(serde_json::json!({
            "guid": { "value": "1", "kind": "guid" }, "title": "", "link": "https://a.example/1?partner=9",
            "content_html": "<a href=\"https://a.example/2?a=1&amp;partner=9&amp;b=2\">t</a> partner=9 <a href=\"https://a.example/3?a=1&amp;b=2\">u</a>"
        }))
        .unwrap();
        strip_own_tracking(&mut entry, &["partner".to_owned()]);
        assert_eq!(entry.link.unwrap().as_str(), "https://a.example/1");
        assert_eq!(
            entry.content_html.unwrap(),
            "<a href=\"https://a.example/2?a=1&amp;b=2\">t</a> partner=9 <a href=\"https://a.example/3?a=1&amp;b=2\">u</a>"
        );
    }
}
