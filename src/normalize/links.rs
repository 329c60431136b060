//! Cleans URLs that feeds write. A clean URL is absolute, `http` or `https`, and without tracking parameters. An
//! enclosure may also be a stream, and keeps its parameters.

use std::borrow::Cow;

use memchr::memchr;
use url::Url;

use crate::link;

/// A longer URL counts as invalid.
const MAX_BYTES: usize = 8 << 10;

const WEB: [&str; 2] = ["http", "https"];
const MEDIA: [&str; 8] = ["http", "https", "ftp", "ftps", "mms", "rtmp", "rtsp", "rtsps"];

/// The base URLs of the relative URLs in a text.
#[derive(Clone, Copy, Default)]
pub(super) struct Bases<'a> {
    pub base: Option<&'a Url>,
    /// The URL that an empty `href` means.
    pub itself: Option<&'a Url>,
    /// The URL to which a fragment alone, such as `#notes`, belongs.
    pub fragment: Option<&'a Url>,
}

impl<'a> Bases<'a> {
    /// Uses the same base for all URLs.
    pub(super) fn of(base: Option<&'a Url>) -> Self {
        Bases { base, itself: base, fragment: base }
    }

    /// Resolves an `href`, and cleans it as [`clean`] does.
    pub(super) fn href(self, raw: &str) -> Option<Url> {
        match raw.trim() {
            "" => self.itself.and_then(|itself| clean(itself.as_str(), None)),
            raw if raw.starts_with('#') => clean(raw, self.fragment),
            raw => clean(raw, self.base),
        }
    }
}

/// Cleans a link: resolves it against `base` and removes tracking parameters. Returns `None` if the link is not `http`
/// or `https`.
pub fn clean(raw: &str, base: Option<&Url>) -> Option<Url> {
    let mut url = file(raw, base)?;
    link::strip_tracking(&mut url, &[]);
    Some(url)
}

/// Cleans the URL of a file like [`clean`], but keeps its parameters, because podcast hosts count downloads by them.
pub(super) fn file(raw: &str, base: Option<&Url>) -> Option<Url> {
    resolve(raw, base, &WEB)
}

/// Cleans the URL of an enclosure. It may also be a stream, which a player opens but no browser runs.
pub(super) fn media(raw: &str, base: Option<&Url>) -> Option<Url> {
    resolve(raw, base, &MEDIA)
}

fn resolve(raw: &str, base: Option<&Url>, schemes: &[&str]) -> Option<Url> {
    let raw = raw.trim();
    if raw.is_empty() || raw.len() > MAX_BYTES {
        return None;
    }
    // The parser drops tabs and line breaks; other control characters have no place in a URL.
    let mut written = Cow::Borrowed(raw);
    if may_hold_control(raw) {
        written.to_mut().retain(|character| !character.is_control());
    }
    // A URL that contains `&amp;` was escaped once too often.
    if memchr(b'&', written.as_bytes()).is_some() && written.contains("&amp;") {
        written = Cow::Owned(written.replace("&amp;", "&"));
    }
    let url = match base {
        Some(base) => base.join(&written),
        None => Url::parse(&written),
    };
    url.ok().filter(|url| schemes.contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty()))
}

/// Returns whether a text may contain a control character. Control characters outside ASCII begin with the byte 0xC2,
/// but some other characters do so too.
fn may_hold_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' || byte == 0x7F || byte == 0xC2)
}
