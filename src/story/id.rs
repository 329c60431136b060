//! The ids and addresses that stories are published under: minted once, and from nothing that may change.

use url::Url;
use uuid::Uuid;

use crate::entry::{Guid, GuidKind};

/// How many characters of the title a slug may hold, so that a URL can be read at a glance.
const SLUG_CHARS: usize = 60;

/// The id that an entry's guid gives by itself: the guid, byte for byte, if it is an absolute IRI of a kind that readers
/// take for an id (RFC 4287 §4.2.6).
pub fn own_id(guid: &Guid) -> Option<&str> {
    let value = guid.value.as_str();
    let scheme = value.split(':').next().unwrap_or_default().to_ascii_lowercase();
    let is_legal = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    let is_iri = matches!(scheme.as_str(), "http" | "https" | "tag" | "urn")
        && value.len() <= 1024
        && value.chars().all(is_legal)
        && Url::parse(value).is_ok();
    (guid.kind == GuidKind::Guid && is_iri).then_some(value)
}

/// The id minted where the guid gives none, or another story owns it: `urn:uuid:`, version 5 of the feed's address and the
/// guid, so that any newswire mints the same.
pub fn minted_id(feed_url: &Url, guid: &Guid) -> String {
    let name = format!("{feed_url}\n{}", guid.value);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).urn().to_string()
}

/// The last part of a story's own address, such as `us-war-on-isis-3061`: words of the title, then the story's number,
/// which makes it unique.
pub fn slug(title: &str, number: i64) -> String {
    let mut slug = String::new();
    for word in title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if slug.len() + word.len() > SLUG_CHARS {
            break;
        }
        slug.push_str(&word.to_ascii_lowercase());
        slug.push('-');
    }
    slug.push_str(&number.to_string());
    slug
}

/// The number in a [`slug`], whatever the words before it.
pub fn slug_number(slug: &str) -> Option<i64> {
    slug.rsplit('-').next()?.parse().ok().filter(|number| *number > 0)
}
