//! URLs as feeds write them → absolute `http` and `https` URLs without tracking parameters; of enclosures, those of streams too.

use std::borrow::Cow;

use memchr::memchr;
use url::Url;

use crate::link;

/// Longer addresses are no addresses.
const MAX_BYTES: usize = 8 << 10;

const WEB: [&str; 2] = ["http", "https"];
const MEDIA: [&str; 8] = ["http", "https", "ftp", "ftps", "mms", "rtmp", "rtsp", "rtsps"];

/// What the URLs of a text are relative to.
#[derive(Clone, Copy, Default)]
pub(super) struct Bases<'a> {
    pub base: Option<&'a Url>,
    /// What an empty `href` leads to.
    pub itself: Option<&'a Url>,
    /// What a bare fragment is a place of.
    pub fragment: Option<&'a Url>,
}

impl<'a> Bases<'a> {
    /// The same base for all URLs.
    pub(super) fn of(base: Option<&'a Url>) -> Self {
        Bases { base, itself: base, fragment: base }
    }

    /// The address of an `href`, as [`clean`] gives it.
    pub(super) fn href(self, raw: &str) -> Option<Url> {
        match raw.trim() {
            "" => self.itself.and_then(|itself| clean(itself.as_str(), None)),
            raw if raw.starts_with('#') => clean(raw, self.fragment),
            raw => clean(raw, self.base),
        }
    }
}

/// A link: resolved against `base`, without tracking parameters; `None` where it is not `http` or `https`.
pub fn clean(raw: &str, base: Option<&Url>) -> Option<Url> {
    let mut url = file(raw, base)?;
    link::strip_tracking(&mut url, &[]);
    Some(url)
}

/// The address of a file: like [`clean`], but its parameters are kept, since podcast hosts count by them.
pub(super) fn file(raw: &str, base: Option<&Url>) -> Option<Url> {
    resolve(raw, base, &WEB)
}

/// The address of an enclosure: a file, or a stream that a player opens and no browser runs.
pub(super) fn media(raw: &str, base: Option<&Url>) -> Option<Url> {
    resolve(raw, base, &MEDIA)
}

fn resolve(raw: &str, base: Option<&Url>, schemes: &[&str]) -> Option<Url> {
    let raw = raw.trim();
    if raw.is_empty() || raw.len() > MAX_BYTES {
        return None;
    }
    // The parser drops tabs and line ends; other control characters have no place in a URL.
    let mut written = Cow::Borrowed(raw);
    if may_hold_control(raw) {
        written.to_mut().retain(|character| !character.is_control());
    }
    // Escaped once too often; no address means this.
    if memchr(b'&', written.as_bytes()).is_some() && written.contains("&amp;") {
        written = Cow::Owned(written.replace("&amp;", "&"));
    }
    let url = match base {
        Some(base) => base.join(&written),
        None => Url::parse(&written),
    };
    url.ok().filter(|url| schemes.contains(&url.scheme()) && url.host_str().is_some_and(|host| !host.is_empty()))
}

/// Whether a control character may be in a text: those beyond ASCII begin with the byte 0xC2.
fn may_hold_control(text: &str) -> bool {
    text.bytes().any(|byte| byte < b' ' || byte == 0x7F || byte == 0xC2)
}
