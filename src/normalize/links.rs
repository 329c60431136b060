//! URLs as feeds write them → absolute `http` and `https` URLs without tracking parameters.

use std::borrow::Cow;

use url::Url;

use crate::link;

/// Longer addresses are no addresses.
const MAX_BYTES: usize = 8 << 10;

/// A link: resolved against `base`, without tracking parameters; `None` where it is not `http` or `https`.
pub fn clean(raw: &str, base: Option<&Url>) -> Option<Url> {
    let mut url = resolve(raw, base)?;
    link::strip_tracking(&mut url, &[]);
    Some(url)
}

/// The address of a file: like [`clean`], but its parameters are kept, since podcast hosts count by them.
pub(super) fn resolve(raw: &str, base: Option<&Url>) -> Option<Url> {
    let raw = raw.trim();
    if raw.is_empty() || raw.len() > MAX_BYTES {
        return None;
    }
    // The parser drops tabs and line ends; other control characters have no place in a URL.
    let mut written = Cow::Borrowed(raw);
    if raw.contains(char::is_control) {
        written.to_mut().retain(|character| !character.is_control());
    }
    // Escaped once too often; no address means this.
    if written.contains("&amp;") {
        written = Cow::Owned(written.replace("&amp;", "&"));
    }
    let url = match base {
        Some(base) => base.join(&written),
        None => Url::parse(&written),
    };
    url.ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty()))
}
