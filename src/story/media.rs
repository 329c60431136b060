//! The recordings that come with an entry: two entries with different ones are two episodes.

use foldhash::HashSet;
use url::Url;
use xxhash_rust::xxh3::xxh3_64;

use crate::entry::Enclosure;
use crate::link;

/// Endings of recordings whose type nobody declares.
const ENDINGS: [&str; 10] = [".mp3", ".m4a", ".m4b", ".aac", ".ogg", ".oga", ".opus", ".mp4", ".m4v", ".webm"];

/// The recordings of an entry, each known by its address, and by its name and length. Pictures and documents do not count:
/// copies of one article may come with different ones.
#[derive(Clone, Debug, Default)]
pub struct Media {
    signs: HashSet<u64>,
}

impl Media {
    pub fn of(enclosures: &[Enclosure]) -> Media {
        let recordings = enclosures.iter().filter(|enclosure| is_recording(enclosure));
        Media { signs: recordings.flat_map(signs).collect() }
    }

    /// Whether both have recordings, and none in common.
    pub fn contradicts(&self, other: &Media) -> bool {
        !self.signs.is_empty() && !other.signs.is_empty() && self.signs.is_disjoint(&other.signs)
    }
}

fn is_recording(enclosure: &Enclosure) -> bool {
    let path = enclosure.url.path().to_ascii_lowercase();
    let has_ending = || ENDINGS.iter().any(|ending| path.ends_with(ending));
    match enclosure.media_type.as_deref() {
        Some(media_type) if media_type.starts_with("audio/") || media_type.starts_with("video/") => true,
        Some(media_type) if media_type.starts_with("image/") || media_type.starts_with("text/") => false,
        _ => has_ending(),
    }
}

fn signs(enclosure: &Enclosure) -> Vec<u64> {
    let url = behind_counters(&enclosure.url);
    let address = link::key(&url).unwrap_or_else(|| url.to_string());
    let name = url.path().rsplit('/').next().unwrap_or_default();
    let file = enclosure.bytes.map(|bytes| format!("{bytes} {name}"));
    [Some(address), file].into_iter().flatten().map(|sign| xxh3_64(sign.as_bytes())).collect()
}

/// The address that a counter of downloads passes on to: `counter.example/redirect.mp3/host.example/1.mp3`.
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
}
