//! The addresses by which an entry is recognised.

use std::sync::LazyLock;

use regex::Regex;
use url::Url;

use crate::entry::{Entry, GuidKind};
use crate::link;

/// An address by which an entry can be recognised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkKey {
    /// The key of the address; see [`link::key`].
    pub key: String,
    /// Whether the address is the declared original, and not the entry's own link.
    pub original: bool,
}

/// Returns the keys of an entry's link, of its guid if that is another address of its page (`?p=123` in addition to the
/// permalink), and of its declared original, without duplicates; empty if none of them is the page of a single entry.
pub fn link_keys(entry: &Entry) -> Vec<LinkKey> {
    let own = [entry.link.clone(), page_of_guid(entry)].map(|url| (url, false));
    let mut keys: Vec<LinkKey> = Vec::new();
    for (url, original) in own.into_iter().chain([(original(entry), true)]) {
        let key = url.as_ref().and_then(link::key);
        if let Some(key) = key.filter(|key| keys.iter().all(|known| known.key != *key)) {
            keys.push(LinkKey { key, original });
        }
    }
    keys
}

/// Returns where an entry says that it was first published, if that is elsewhere: in an element for this, otherwise by
/// its only link to the source that it names. Both joining copies and choosing the lead use it.
pub fn original(entry: &Entry) -> Option<Url> {
    entry.original.clone().or_else(|| linked_original(entry))
}

/// Returns the entry's page for readers: its link, or the declared original if the link does not show where it leads.
pub fn page(entry: &Entry) -> Option<&Url> {
    entry.link.as_ref().map(|link| entry.original.as_ref().filter(|_| link::is_proxy(link)).unwrap_or(link))
}

/// Returns the guid, if it is an address at the entry's own site.
fn page_of_guid(entry: &Entry) -> Option<Url> {
    let page = Url::parse(&entry.guid.value).ok().filter(|_| entry.guid.kind == GuidKind::Guid)?;
    let own = entry.link.as_ref().map(link::registrable_domain);
    own.is_none_or(|own| own == link::registrable_domain(&page)).then_some(page)
}

static HREF: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"<a [^>]*?href="([^"]*)""#).expect("the pattern is constant"));

/// Returns the link of "Read the original": the only page that the text links to at the site that the entry names as
/// its source.
fn linked_original(entry: &Entry) -> Option<Url> {
    let source = entry.source.as_ref()?;
    let named = source.site.as_ref().or(source.url.as_ref()).and_then(link::registrable_domain);
    let named = named.or_else(|| source.title.as_deref().and_then(domain_in_title))?;
    if entry.link.as_ref().and_then(link::registrable_domain).as_ref() == Some(&named) {
        return None;
    }
    let html = entry.content_html.as_deref().or(entry.summary_html.as_deref())?;
    let addresses = HREF.captures_iter(html).filter_map(|link| {
        let address = html_escape::decode_html_entities(link.get(1)?.as_str()).into_owned();
        Url::parse(&address).ok()
    });
    let mut only: Option<(String, Url)> = None;
    for url in addresses.filter(|url| link::registrable_domain(url).as_ref() == Some(&named)) {
        match (link::key(&url), &only) {
            (Some(key), None) => only = Some((key, url)),
            // The text links to another page of that site too: then neither is the original.
            (Some(key), Some((known, _))) if key != *known => return None,
            _ => {}
        }
    }
    only.map(|(_, url)| url)
}

/// Returns the domain of a source that is named by its host, as in `example.org`.
fn domain_in_title(title: &str) -> Option<String> {
    let is_host = title.contains('.') && title.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    let url = Url::parse(&format!("https://{title}/")).ok().filter(|_| is_host)?;
    link::registrable_domain(&url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(entry: serde_json::Value, expected: &[(&str, bool)]) {
        let entry: Entry = serde_json::from_value(entry).unwrap();
        let keys = link_keys(&entry);
        let keys: Vec<_> = keys.iter().map(|key| (key.key.as_str(), key.original)).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn short_and_pretty_address_of_one_page_are_both_its_keys() {
        let guid = |guid: &str| serde_json::json!({ "guid": { "value": guid, "kind": "guid" }, "link": "https://origin.example/war/", "title": "" });
        check(guid("http://origin.example/?p=12"), &[("origin.example/war", false), ("origin.example?p=12", false)]);
        check(guid("http://victim.example/other"), &[("origin.example/war", false)]);
        check(guid("https://origin.example/war"), &[("origin.example/war", false)]);
    }

    #[test]
    fn only_link_to_the_named_source_is_the_original() {
        let entry = |body: &str| {
            serde_json::json!({ "guid": { "value": "1", "kind": "guid" }, "link": "https://wire.example/1", "title": "",
                "source": { "site": "https://origin.example/" }, "content_html": body })
        };
        let link = |href: &str| format!("<p>Read <a href=\"{href}\">it</a></p>");
        let (one, other) = (link("https://www.origin.example/war"), link("https://else.example/x"));
        check(entry(&format!("{one}{other}{one}")), &[("wire.example/1", false), ("origin.example/war", true)]);
        check(entry(&format!("{one}{}", link("https://origin.example/peace"))), &[("wire.example/1", false)]);
        check(entry(&link("https://origin.example/")), &[("wire.example/1", false)]);
    }
}
