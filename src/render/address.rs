//! The addresses of the site's documents, and how to write an address so that every reader accepts it.

use percent_encoding::{AsciiSet, PercentEncode, utf8_percent_encode};
use secrecy::ExposeSecret;
use url::Url;

use crate::config::{Section, Site};
use crate::entry::COPY_RELATION_END;
use crate::feed::{FeedId, SectionId};

/// ASCII characters that RFC 3986 §2 allows nowhere after the authority. Whether a percent sign is allowed depends on what
/// follows it.
const NOT_IN_A_URI: &AsciiSet = &AsciiSet::EMPTY
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// The four documents of a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// Atom 1.0 (RFC 4287).
    Atom,
    /// RSS 2.0.
    Rss,
    /// JSON Feed 1.1.
    Json,
    /// OPML 2.0: the feeds of the section, not its stories.
    Opml,
}

impl Format {
    /// All formats.
    pub const ALL: [Format; 4] = [Format::Atom, Format::Rss, Format::Json, Format::Opml];

    /// Returns the extension of its path, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Format::Atom => "atom",
            Format::Rss => "rss",
            Format::Json => "json",
            Format::Opml => "opml",
        }
    }

    /// Returns the media type, without parameters.
    pub fn media_type(self) -> &'static str {
        match self {
            Format::Atom => "application/atom+xml",
            Format::Rss => "application/rss+xml",
            Format::Json => "application/feed+json",
            Format::Opml => "text/x-opml",
        }
    }

    /// Returns the name for people.
    pub fn name(self) -> &'static str {
        match self {
            Format::Atom => "Atom",
            Format::Rss => "RSS",
            Format::Json => "JSON Feed",
            Format::Opml => "OPML",
        }
    }
}

/// Returns the absolute address of `path`, which is relative to the site's base.
pub fn under(site: &Site, path: &str) -> Url {
    let mut url = site.url.clone();
    let full = format!("{}{path}", url.path());
    url.set_path(&full);
    url
}

/// Returns the address of `path` without scheme and host, so that pages work under any host name.
pub(super) fn path(site: &Site, path: &str) -> String {
    under(site, path).path().to_owned()
}

/// Returns the absolute address of a section's page.
pub(super) fn section_page(site: &Site, section: &SectionId) -> Url {
    under(site, &format!("{section}/"))
}

/// Returns the absolute address of the page about the site, where a reader finds the publisher.
pub(super) fn about(site: &Site) -> String {
    uri(&under(site, "about/"))
}

/// Returns the address of the text that explains what newswire adds to editions.
pub(super) fn about_extensions(site: &Site) -> String {
    about(site) + "#newswire"
}

/// Returns the relation of links to other copies of a story.
pub(super) fn copy_relation(site: &Site) -> String {
    uri(&site.url).trim_end_matches('/').to_owned() + COPY_RELATION_END
}

/// Returns the absolute address of the site's icon.
pub(super) fn icon(site: &Site) -> String {
    uri(&under(site, "favicon.svg"))
}

/// Returns the picture of a section: its own image, else the site's logo.
pub(super) fn logo(site: &Site, section: &Section) -> Option<String> {
    section.image.as_ref().or(site.logo.as_ref()).map(uri)
}

/// Returns the absolute address of a section's edition.
pub(super) fn edition(site: &Site, section: &SectionId, format: Format) -> Url {
    under(site, &format!("{section}.{}", format.extension()))
}

/// Returns the address that feed readers subscribe to. For a private section it contains the token, because feed readers cannot
/// enter one. Show it only to those who may read the section.
pub(super) fn subscription(site: &Site, section: &Section, format: Format) -> Url {
    let mut url = edition(site, &section.id, format);
    if let Some(token) = section.token() {
        url.query_pairs_mut().append_pair("token", token.expose_secret());
    }
    url
}

/// Returns the path, query and fragment of an address.
pub(super) fn without_host(url: &Url) -> String {
    url[url::Position::BeforePath..].to_owned()
}

/// Returns the absolute address of a story's page.
pub(super) fn story_page(site: &Site, slug: &str) -> Url {
    under(site, &format!("story/{slug}/"))
}

/// The folder of the pages of tags.
pub const TAGS: &str = "tags";

/// The longest name of a tag in an address, in bytes: file systems allow 255 in a name.
const TAG_BYTES: usize = 120;

/// Returns the path of the page of a source, relative to the site's base.
pub(super) fn source_path(feed: &FeedId) -> String {
    format!("feeds/{feed}/")
}

/// Returns the path of the listing of a tag, or of a term of a facet, without the slash: `tags/ships`, `tags/region/north`.
/// `None` if the name is too long for an address or has no letter.
pub(super) fn tag_path(facet: Option<&str>, name: &str) -> Option<String> {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        let is_kept = character.is_alphanumeric() || matches!(character, '+' | '#' | '.' | '_' | '&' | '\'');
        match character {
            _ if is_kept => slug.push(character),
            _ if !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    let slug = slug.trim_matches(['-', '.']);
    let is_named = slug.len() <= TAG_BYTES && slug.contains(char::is_alphanumeric);
    let facet = facet.map(|facet| format!("{facet}/")).unwrap_or_default();
    is_named.then(|| format!("{TAGS}/{facet}{slug}"))
}

/// Returns the path of a page of a section's older stories, relative to the site's base.
pub fn older_path(section: &SectionId, number: u32) -> String {
    format!("{section}/archive/{number}/")
}

/// Returns the path of a page of the list, relative to the site's base.
pub fn feed_list_path(number: usize) -> String {
    if number == 1 { "feeds/".to_owned() } else { format!("feeds/{number}/") }
}

/// Returns the path and query of a page of the list.
pub(super) fn feed_list(site: &Site, number: usize, state: Option<&str>, section: Option<&Section>) -> String {
    let mut url = under(site, &feed_list_path(number));
    let section = section.map(|section| ("section", section.id.as_str()));
    let filters: Vec<_> = state.map(|state| ("state", state)).into_iter().chain(section).collect();
    if !filters.is_empty() {
        url.query_pairs_mut().extend_pairs(filters);
    }
    without_host(&url)
}

/// Returns the path and query of the list of a section's feeds, which only a server answers.
pub(super) fn feeds_of(site: &Site, section: &Section) -> String {
    feed_list(site, 1, None, Some(section))
}

/// Returns the absolute address of a section's archive document.
pub(super) fn archive(site: &Site, section: &SectionId, number: u32, format: Format) -> String {
    uri(&under(site, &format!("{section}/archive/{number}.{}", format.extension())))
}

/// Returns the address if it may be published. The address of a local file may not.
pub(super) fn public(url: Option<&Url>) -> Option<String> {
    url.filter(|url| is_public(url)).map(uri)
}

/// Whether an address may be published.
pub(super) fn is_public(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https")
}

/// Returns the URL as a URI (RFC 3986). Escapes what only the URL standard allows: `|`, `^`, brackets and stray percent signs.
pub(super) fn uri(url: &Url) -> String {
    let (authority, rest) = url.as_str().split_at(url[..url::Position::BeforePath].len());
    let mut parts = rest.split('%');
    let mut uri = authority.to_owned();
    uri.extend(parts.next().into_iter().flat_map(escaped));
    for part in parts {
        uri.push_str(if begins_with_hex_digits(part) { "%" } else { "%25" });
        uri.extend(escaped(part));
    }
    uri
}

fn begins_with_hex_digits(text: &str) -> bool {
    matches!(text.as_bytes(), [first, second, ..] if first.is_ascii_hexdigit() && second.is_ascii_hexdigit())
}

fn escaped(text: &str) -> PercentEncode<'_> {
    utf8_percent_encode(text, NOT_IN_A_URI)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_rfc_3986_allows() {
        let check = |address: &str, expected: &str| assert_eq!(uri(&Url::parse(address).unwrap()), expected);
        check("http://a.example/x?y=1&z=%7E#f", "http://a.example/x?y=1&z=%7E#f");
        check("http://[2001:db8::1]:8080/a[1]", "http://[2001:db8::1]:8080/a%5B1%5D");
        check("http://a.example/?q=a|b^c`{d}\\", "http://a.example/?q=a%7Cb%5Ec%60%7Bd%7D%5C");
        check("http://a.example/100%?x=%zz", "http://a.example/100%25?x=%25zz");
        check("http://a.example/ü?ß#é", "http://a.example/%C3%BC?%C3%9F#%C3%A9");
    }
}
