//! Sessions on the pages of private sections: who gave the token once goes from link to link without it.
//!
//! The server keeps no list of sessions: the cookie's value is made from the store's key and the section's token. Another
//! token ends all sessions. The policy held here: the cookie goes to the section's own pages alone, no script reads it, and
//! nothing in it tells the token.

use http::HeaderMap;
use http::header;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

use crate::feed::SectionId;

/// The cookie's name. Each section has one of its own, as each has its own path.
const NAME: &str = "newswire";

/// Returns the header `Set-Cookie` that begins a session. `base_path` ends in a slash; `is_secure` where the site is reached
/// by https.
pub fn begin(key: &[u8], section: &SectionId, token: &SecretString, base_path: &str, is_secure: bool) -> String {
    let secure = if is_secure { "; Secure" } else { "" };
    let value = value(key, section, token);
    format!("{NAME}={value}; Path={base_path}{section}/; HttpOnly; SameSite=Lax{secure}")
}

/// Returns whether a request belongs to a session of the section.
pub fn is_open(key: &[u8], section: &SectionId, token: &SecretString, request: &HeaderMap) -> bool {
    let headers = request.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = headers.flat_map(|value| value.split(';')).filter_map(|cookie| cookie.trim().split_once('='));
    let expected = value(key, section, token);
    cookies.filter(|(name, _)| *name == NAME).any(|(_, value)| is_same(value, &expected))
}

/// Compares in a time that tells nothing of where two secrets differ: their hashes are compared.
pub fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

/// A keyed hash, 64 hexadecimal digits. The outer hash keeps anybody from lengthening what was hashed.
fn value(key: &[u8], section: &SectionId, token: &SecretString) -> String {
    let inner = Sha256::new_with_prefix(key).chain_update(format!("session\n{section}\n{}", token.expose_secret()));
    let outer = Sha256::new_with_prefix(key).chain_update(inner.finalize());
    outer.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
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
