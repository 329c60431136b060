//! Manages sessions on the pages of private sections. A reader enters the token once, and then follows links without
//! it.
//!
//! The server keeps no list of sessions: the cookie's value is derived from the store's key and the section's token.
//! Changing the token ends all sessions. The cookie is sent only to the section's own pages, scripts cannot read it,
//! and it does not reveal the token.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use http::header;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::feed::SectionId;

/// The name of the cookie. Each section has its own cookie, because the paths differ.
const NAME: &str = "newswire";

/// Returns the `Set-Cookie` header that begins a session (RFC 6265). `base_path` ends with a slash; `is_secure` says whether
/// the site's URL is https.
pub(super) fn begin(key: &[u8], section: &SectionId, token: &SecretString, base_path: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let value = value(key, section, token);
    format!("{NAME}={value}; Path={base_path}{section}/; HttpOnly; SameSite=Lax{secure}")
}

/// Returns whether a request belongs to a session of the section.
pub(super) fn is_open(key: &[u8], section: &SectionId, token: &SecretString, request: &HeaderMap) -> bool {
    let headers = request.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = headers.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let expected = value(key, section, token);
    cookies.filter(|(name, _)| *name == NAME).any(|(_, value)| is_same(value, &expected))
}

/// Compares two secrets by their hashes, so that the time does not reveal where they differ.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

/// Returns the HMAC (RFC 2104) of a section and its token, as 64 hexadecimal digits.
fn value(key: &[u8], section: &SectionId, token: &SecretString) -> String {
    let hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    let code = hmac.chain_update(format!("session\n{section}\n{}", token.expose_secret())).finalize();
    base16ct::lower::encode_string(&code.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cookie_opens_its_own_section_as_long_as_the_token_is_the_same() {
        let token = |text: &str| SecretString::from(text);
        let (key, other_key, inner) = ([7; 32], [8; 32], SectionId::from("inner"));
        let set = begin(&key, &inner, &token("a-token"), "/wire/", true);
        let (cookie, attributes) = set.split_once(';').unwrap();
        assert_eq!(attributes, " Path=/wire/inner/; HttpOnly; SameSite=Lax; Secure");
        assert!(!cookie.contains("a-token"));
        let mut request = HeaderMap::new();
        request.insert(header::COOKIE, format!("theme=dark; {cookie}; newswire=x").parse().unwrap());
        assert!(is_open(&key, &inner, &token("a-token"), &request));
        assert!(!is_open(&key, &inner, &token("another"), &request));
        assert!(!is_open(&other_key, &inner, &token("a-token"), &request));
        assert!(!is_open(&key, &"outer".into(), &token("a-token"), &request));
        assert!(!is_open(&key, &inner, &token("a-token"), &HeaderMap::new()));
    }
}
