//! URLs as feeds write them → absolute `http` and `https` URLs without tracking parameters.

use std::borrow::Cow;

use url::Url;

/// Longer addresses are no addresses.
const MAX_BYTES: usize = 8 << 10;

/// A link: resolved against `base`, without tracking parameters; `None` where it is not `http` or `https`.
pub fn clean(raw: &str, base: Option<&Url>) -> Option<Url> {
    let mut url = resolve(raw, base)?;
    strip_tracking(&mut url);
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

/// Takes off what only says where a reader came from; the order and spelling of the other parameters stay as they are.
fn strip_tracking(url: &mut Url) {
    let Some(query) = url.query() else { return };
    if !query.split('&').any(is_tracking) {
        return;
    }
    let kept: Vec<&str> = query.split('&').filter(|parameter| !is_tracking(parameter)).collect();
    let kept = kept.join("&");
    url.set_query(Some(kept.as_str()).filter(|kept| !kept.is_empty()));
}

fn is_tracking(parameter: &str) -> bool {
    const NAMES: [&str; 20] = [
        "fbclid",
        "gclid",
        "dclid",
        "gbraid",
        "wbraid",
        "msclkid",
        "yclid",
        "twclid",
        "ttclid",
        "igshid",
        "mc_cid",
        "mc_eid",
        "mkt_tok",
        "_hsenc",
        "_hsmi",
        "vero_id",
        "oly_anon_id",
        "oly_enc_id",
        "_openstat",
        "wickedid",
    ];
    let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || NAMES.contains(&name.as_str())
}
