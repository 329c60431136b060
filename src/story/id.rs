//! The ids and addresses under which stories are published: minted once, and from nothing that may change.

use sha2::{Digest, Sha256};
use url::Url;
use uuid::{Builder, Uuid};

use super::permanent::is_id;
use crate::entry::{Guid, GuidKind};
use crate::latin;
use crate::number::StoryNumber;

/// The most characters of the title in a slug, so that a URL can be read at a glance.
const SLUG_CHARS: usize = 60;

/// Returns the id that an entry's guid gives by itself: the guid, byte for byte, if it [can be an id](is_id). Applies
/// to stories that get their names from now on: an id that was published under other rules stays.
pub fn own_id(guid: &Guid) -> Option<&str> {
    let value = guid.value.as_str();
    (guid.kind == GuidKind::Guid && is_id(value)).then_some(value)
}

/// Returns the id minted if the guid gives none, or if another story has it: `urn:uuid:`, version 5 of the feed's
/// address and the guid, so that any newswire mints the same id.
pub fn minted_id(feed_url: &Url, guid: &Guid) -> String {
    let name = format!("{feed_url}\n{}", guid.value);
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).urn().to_string()
}

/// Returns the id of a story that no public section shows when it is first seen: a `urn:uuid:` made from the store's
/// key, the feed's address and the guid.
///
/// The story may become public later. Without the key, no one can find out by guessing which private guid the id was
/// made from; with the key, the same entry gets the same id again after a restore. The id has the form of version 5, so
/// that it looks like any other minted id.
pub fn private_id(key: &[u8], feed_url: &Url, guid: &Guid) -> String {
    keyed_uuid(key, &format!("{feed_url}\n{}", guid.value))
}

/// Returns a new id for a story whose former id reveals content of a private feed.
pub fn replaced_id(key: &[u8], former: &str) -> String {
    keyed_uuid(key, former)
}

fn keyed_uuid(key: &[u8], name: &str) -> String {
    let hash = Sha256::new_with_prefix(key).chain_update(name).finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    Builder::from_sha1_bytes(bytes).into_uuid().urn().to_string()
}

/// Returns an id for a source with neither id nor address, made from its title alone: any newswire makes the same id.
pub fn source_id(title: &str) -> String {
    let name = format!("urn:newswire:source:{title}");
    Uuid::new_v5(&Uuid::NAMESPACE_URL, name.as_bytes()).urn().to_string()
}

/// Returns the last part of a story's own address, such as `us-war-on-isis-3061`: words of the title, then the story's
/// number, which makes it unique. Words in other scripts and letters are transliterated: `gran-sasso-ungluck-7`.
pub fn slug(title: &str, number: StoryNumber) -> String {
    let mut slug = String::new();
    let transliterated = latin::words(title);
    for word in transliterated.split(' ').filter(|word| !word.is_empty()) {
        // Scripts without spaces give words that are longer than a slug.
        let word = if slug.is_empty() { &word[..word.len().min(SLUG_CHARS)] } else { word };
        if slug.len() + word.len() > SLUG_CHARS {
            break;
        }
        slug.push_str(word);
        slug.push('-');
    }
    slug.push_str(&number.to_string());
    slug
}

/// Returns the slug that version 1 of the store made, which left out all but ASCII.
pub(super) fn slug_of_version_1(title: &str, number: StoryNumber) -> String {
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
pub fn unnamed(number: StoryNumber) -> String {
    number.to_string()
}

/// Returns the number in a [`slug`], whatever the words before it.
pub fn slug_number(slug: &str) -> Option<StoryNumber> {
    let number = slug.rsplit('-').next()?.parse().ok().filter(|number| *number > 0)?;
    Some(StoryNumber(number))
}

/// The namespace of `podcast:guid`, as the podcast namespace defines it.
const PODCAST_NAMESPACE: Uuid = Uuid::from_u128(0xead4_c236_bf58_58c6_a2c6_a6b2_8d12_8cb6);

/// Returns the `podcast:guid` for the address of a feed: its UUIDv5, made without the scheme and final slashes.
pub fn podcast_guid(address: &str) -> String {
    let name = address.split_once("://").map_or(address, |(_, rest)| rest);
    Uuid::new_v5(&PODCAST_NAMESPACE, name.trim_end_matches('/').as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_that_atom_may_not_carry_gives_no_id() {
        let own = |value: &str, kind: GuidKind| {
            let guid = Guid { value: value.to_owned(), kind };
            own_id(&guid).map(str::to_owned)
        };
        assert_eq!(own("tag:a.example,2017:7", GuidKind::Guid).as_deref(), Some("tag:a.example,2017:7"));
        assert_eq!(own("urn:uuid:not-a-uuid", GuidKind::Guid), None);
        assert_eq!(own("http://a.example/?q=a[0]", GuidKind::Guid), None);
        assert_eq!(own("http://a.example/", GuidKind::Link), None);
    }

    #[test]
    fn a_slug_has_the_words_of_the_title_in_ascii() {
        let check = |title: &str, expected: &str| assert_eq!(slug(title, StoryNumber(7)), expected, "{title}");
        check("US war on ISIS", "us-war-on-isis-7");
        check("Gran-Sasso-Unglück", "gran-sasso-ungluck-7");
        check("Ça va? L’été à Łódź", "ca-va-l-ete-a-lodz-7");
        check("u\u{308}ber", "uber-7");
        check("Война и мир", "voina-i-mir-7");
        check("日本語", "ri-ben-yu-7");
        check("Launch 🚀!", "launch-7");
        check("", "7");
        check("?!", "7");
        check(&"word ".repeat(40), &format!("{}7", "word-".repeat(12)));
        check(&"x".repeat(100), &format!("{}-7", "x".repeat(60)));
    }

    /// The address and guid are the example of the podcast namespace.
    #[test]
    fn guid_of_a_podcast_is_the_one_that_the_podcast_namespace_defines() {
        let check = |address: &str| assert_eq!(podcast_guid(address), "917393e3-1b1e-5cef-ace4-edaa54e1f810");
        check("https://mp3s.nashownotes.com/pc20rss.xml");
        check("http://mp3s.nashownotes.com/pc20rss.xml/");
    }
}
