//! The recordings of an entry: two entries with different recordings are two episodes.

use foldhash::HashSet;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::entry::Enclosure;
use crate::link;

/// File extensions of recordings without a declared type.
const ENDINGS: [&str; 10] = [".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".mp4", ".m4v", ".webm"];

/// The least plausible length of a recording: feeds that do not know the length write less, mostly 0 or 1.
const LEAST_BYTES: u64 = 1000;

/// The recordings of an entry. Hashes of its address, and of its name and length, identify a recording. Pictures and
/// documents do not count: copies of one article may have different ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Media {
    signs: HashSet<u64>,
    /// The hashes that cannot match by chance; a name without a plausible length can.
    sure: HashSet<u64>,
    key: Option<u64>,
}

impl Media {
    /// Collects the recordings among enclosures.
    pub(super) fn of(enclosures: &[Enclosure]) -> Media {
        let mut media = Media::default();
        for (sign, is_sure) in enclosures.iter().filter(|enclosure| is_recording(enclosure)).flat_map(signs) {
            media.signs.insert(sign);
            if is_sure {
                media.sure.insert(sign);
            }
        }
        media.key = enclosures.iter().find(|enclosure| is_recording(enclosure)).map(key);
        media
    }

    /// Returns a key that copies of one episode nearly always have in common; `None` if there is no recording.
    pub(super) fn key(&self) -> Option<u64> {
        self.key
    }

    /// Returns whether the two have a recording in common.
    pub(super) fn shares(&self, other: &Media) -> bool {
        !self.sure.is_disjoint(&other.sure)
    }

    /// Returns whether both have recordings, and none in common.
    pub(super) fn contradicts(&self, other: &Media) -> bool {
        !self.signs.is_empty() && !other.signs.is_empty() && self.signs.is_disjoint(&other.signs)
    }
}

/// Returns the addresses of the recordings, without download counters.
pub(super) fn addresses(enclosures: &[Enclosure]) -> impl Iterator<Item = Url> {
    enclosures.iter().filter(|enclosure| is_recording(enclosure)).map(|enclosure| behind_counters(&enclosure.url))
}

/// Returns whether an address is that of a recording, by its ending.
pub(super) fn is_file(url: &Url) -> bool {
    let path = url.path().to_ascii_lowercase();
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

fn is_recording(enclosure: &Enclosure) -> bool {
    let has_ending = || is_file(&enclosure.url);
    match enclosure.media_type.as_deref() {
        Some(media_type) if media_type.starts_with("audio/") || media_type.starts_with("video/") => true,
        Some(media_type) if media_type.starts_with("image/") || media_type.starts_with("text/") => false,
        _ => has_ending(),
    }
}

/// Returns hashes that identify a recording (of its address, and of its name and length), and for each whether it is
/// certain proof.
fn signs(enclosure: &Enclosure) -> Vec<(u64, bool)> {
    let url = behind_counters(&enclosure.url);
    let address = link::key(&url).unwrap_or_else(|| url.to_string());
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let file = enclosure.bytes.map(|bytes| (format!("{bytes} {name}"), bytes >= LEAST_BYTES));
    let signs = [Some((address, true)), file].into_iter().flatten();
    signs.map(|(sign, is_sure)| (xxh3_64(sign.as_bytes()), is_sure)).collect()
}

/// Returns a hash of the recording's address, without the query that a counter added if the path itself names a file.
fn key(enclosure: &Enclosure) -> u64 {
    let mut url = behind_counters(&enclosure.url);
    if is_file(&url) {
        url.set_query(None);
    }
    xxh3_64(link::key(&url).unwrap_or_else(|| url.to_string()).as_bytes())
}

/// Returns the address to which a download counter redirects: `counter.example/redirect.mp3/host.example/1.mp3`.
fn behind_counters(url: &Url) -> Url {
    let is_file = |segment: &str| ENDINGS.iter().any(|ending| segment.to_ascii_lowercase().ends_with(ending));
    let segments: Vec<&str> = url.path().split('/').collect();
    let is_host = |segment: &&str| segment.contains('.') && !is_file(segment) && !segment.starts_with('.');
    let host = segments[..segments.len() - 1].iter().rposition(is_host);
    let query = url.query().map_or_else(String::new, |query| format!("?{query}"));
    let behind = host.and_then(|at| Url::parse(&format!("https://{}{query}", segments[at..].join("/"))).ok());
    behind.unwrap_or_else(|| url.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn media(url: &str, bytes: Option<u64>) -> Media {
        let enclosure = serde_json::json!({ "url": url, "bytes": bytes });
        Media::of(&[serde_json::from_value(enclosure).unwrap()])
    }

    #[test]
    fn one_recording_behind_a_counter_or_at_another_host_is_one() {
        let check = |one: (&str, Option<u64>), other: (&str, Option<u64>), expected: bool| {
            let (one, other) = (media(one.0, one.1), media(other.0, other.1));
            assert_eq!((one.contradicts(&other), other.contradicts(&one)), (expected, expected));
        };
        let own = "https://media.example/a/7.mp3";
        check((own, None), ("https://count.example/redirect.mp3/media.example/a/7.mp3", None), false);
        check((own, Some(7_000)), ("https://cdn.example/x/7.mp3", Some(7_000)), false);
        check((own, Some(7_000)), ("https://cdn.example/x/7.mp3", Some(8_000)), true);
        check((own, None), ("https://cdn.example/x/7.mp3", None), true);
        check((own, None), ("https://cdn.example/x/7.jpg", None), false);
    }

    #[test]
    fn recordings_are_one_by_their_address_or_by_name_and_length() {
        let check = |one: (&str, Option<u64>), other: (&str, Option<u64>), expected: bool| {
            let (one, other) = (media(one.0, one.1), media(other.0, other.1));
            assert_eq!((one.shares(&other), other.shares(&one)), (expected, expected));
        };
        let own = "https://media.example/a/7.mp3";
        check((own, None), (own, None), true);
        check((own, None), ("https://count.example/redirect.mp3/media.example/a/7.mp3", None), true);
        check((own, Some(7_000)), ("https://cdn.example/x/7.mp3?id=9", Some(7_000)), true);
        check((own, Some(0)), ("https://cdn.example/x/7.mp3", Some(0)), false);
        check((own, None), ("https://cdn.example/x/7.mp3", None), false);
        check(("https://media.example/a/7.jpg", None), ("https://media.example/a/7.jpg", None), false);
    }

    #[test]
    fn key_of_a_recording_leaves_out_what_counters_add() {
        let check = |one: &str, other: &str, expected: bool| {
            assert_eq!(media(one, None).key() == media(other, None).key(), expected, "{one} {other}");
        };
        let own = "https://media.example/a/7.mp3";
        check(own, "https://media.example/a/7.mp3?dest-id=9&utm_source=rss", true);
        check(own, "https://count.example/redirect.mp3/media.example/a/7.mp3", true);
        check(own, "https://media.example/a/8.mp3", false);
        let by_script = |query: &str| {
            let url = format!("https://media.example/play?{query}");
            let enclosure = serde_json::json!({ "url": url, "type": "audio/mpeg" });
            Media::of(&[serde_json::from_value(enclosure).unwrap()]).key()
        };
        assert_ne!(by_script("id=7"), by_script("id=8"));
        assert_eq!(media("https://media.example/a/7.jpg", None).key(), None);
    }
}
