//! The ids and addresses that stories are published under: minted once, and from nothing that may change.

use sha2::{Digest, Sha256};
use url::Url;
use uuid::{Builder, Uuid};

use crate::entry::{Guid, GuidKind};

/// How many characters of the title a slug may hold, so that a URL can be read at a glance.
const SLUG_CHARS: usize = 60;

/// The id that an entry's guid gives by itself: the guid, byte for byte, if it [can be one](is_id).
pub fn own_id(guid: &Guid) -> Option<&str> {
    let value = guid.value.as_str();
    (guid.kind == GuidKind::Guid && is_id(value)).then_some(value)
}

/// Whether readers take the text for a permanent id: an absolute IRI of a kind that they know (RFC 4287 §4.2.6), with a path
/// and in lower case up to it where it is an address, as `HTTP://A.example` and `http://a.example/` name one thing.
pub fn is_id(value: &str) -> bool {
    let is_legal = |c: char| !c.is_whitespace() && !c.is_control() && !"<>\"{}|\\^`".contains(c);
    let Some((scheme, rest)) = value.split_once(':') else { return false };
    let has_shape = match scheme {
        "http" | "https" => {
            let host = rest.trim_start_matches('/').split_once('/').map(|(host, _)| host);
            host.is_some_and(|host| !host.bytes().any(|byte| byte.is_ascii_uppercase()))
        }
        "tag" => is_tag(rest),
        "urn" => true,
        _ => false,
    };
    has_shape && value.len() <= 1024 && value.chars().all(is_legal) && Url::parse(value).is_ok()
}

/// Whether a tag URI goes on like this (RFC 4151 §2.1): an authority, a day on which the name was its, and a name.
fn is_tag(rest: &str) -> bool {
    let Some((entity, _)) = rest.split_once(':') else { return false };
    let Some((authority, date)) = entity.split_once(',') else { return false };
    let is_digits = |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    !authority.is_empty()
        && parts.next().is_some_and(|year| is_digits(year, 4))
        && parts.all(|part| is_digits(part, 2))
        && date.len() <= "2017-12-20".len()
}

/// The id minted where the guid gives none, or another story owns it: `urn:uuid:`, version 5 of the feed's address and the
/// guid, so that any newswire mints the same.
pub fn minted_id(feed_url: &Url, guid: &Guid) -> String {
    let name = format!("{feed_url}\n{}", guid.value);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).urn().to_string()
}

/// Returns the id of a story that no public section takes when it is first seen: a `urn:uuid:` made from the store's key, the
/// feed's address and the guid.
///
/// It may get public later. Without the key, nobody can find out by guessing which private guid it was made from; with the
/// key, the same entry gets the same id again after a restore. It has the form of version 5, so that it looks like any
/// other minted id.
pub fn private_id(key: &[u8], feed_url: &Url, guid: &Guid) -> String {
    keyed_uuid(key, &format!("{feed_url}\n{}", guid.value))
}

/// Returns the id of a story in the place of one that tells what a private feed says.
pub fn replaced_id(key: &[u8], former: &str) -> String {
    keyed_uuid(key, former)
}

fn keyed_uuid(key: &[u8], name: &str) -> String {
    let hash = Sha256::new_with_prefix(key).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid().urn().to_string()
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

/// Returns the slug of a story that no public section has shown: its number alone.
pub fn unnamed(number: i64) -> String {
    number.to_string()
}

/// The number in a [`slug`], whatever the words before it.
pub fn slug_number(slug: &str) -> Option<i64> {
    slug.rsplit('-').next()?.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_names_one_thing_for_ever_is_an_id() {
        let check = |value: &str, expected: bool| assert_eq!(is_id(value), expected, "{value}");
        check("http://a.example/?p=1", true);
        check("http://a.example/", true);
        check("http://a.example", false);
        check("http://A.example/7", false);
        check("http://a.example/A", true);
        check("urn:uuid:1225c695-cfb8-4ebb-aaaa-80da344efa6a", true);
        check("tag:a.example,2017:7", true);
        check("tag:me@a.example,2017-12-20:/7?x", true);
        check("tag:a.example", false);
        check("tag:a.example:7", false);
        check("tag:a.example,17:7", false);
        check("yt:video:x", false);
        check("post 7", false);
        check("7", false);
    }
}
