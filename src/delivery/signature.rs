//! The id, the timestamp and the signature of a message, as Standard Webhooks says.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use sha2::Sha256;

use crate::config;
use crate::rows::MessageRow;
use crate::time::Timestamp;

/// How many bytes of a hash make an id.
const ID_BYTES: usize = 16;

/// Returns the id of a message, which is the same in all attempts. `key` is the store's secret key: stores number their
/// messages alike, and no two messages may have the same id.
pub(super) fn message_id(key: &[u8], message: &MessageRow) -> String {
    let text = format!("hook message {} {} {}", message.number, message.at.millis(), message.event.name());
    let hash = hash(key, text.as_bytes());
    format!("msg_{}", base16ct::lower::encode_string(&hash[..ID_BYTES]))
}

/// Returns the headers of a message. Without a key, the message is not signed.
pub(super) fn headers(
    id: &str,
    now: Timestamp,
    body: &[u8],
    secret: Option<&SecretString>,
) -> Vec<(&'static str, String)> {
    let timestamp = now.millis().div_euclid(1000).to_string();
    let key = secret.and_then(|secret| config::key_bytes(secret.expose_secret()));
    let signature = key.map(|key| ("webhook-signature", sign(&key, id, &timestamp, body)));
    let headers = [("webhook-id", id.to_owned()), ("webhook-timestamp", timestamp)];
    headers.into_iter().chain(signature).collect()
}

/// Returns the signature of version 1: HMAC-SHA256 of id, timestamp and body.
fn sign(key: &[u8], id: &str, timestamp: &str, body: &[u8]) -> String {
    let signed = [id.as_bytes(), timestamp.as_bytes(), body].join(&b'.');
    format!("v1,{}", BASE64_STANDARD.encode(hash(key, &signed)))
}

fn hash(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut hmac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    hmac.update(text);
    hmac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of Standard Webhooks, which its libraries test too.
    #[test]
    fn signature_is_that_of_the_specification() {
        let secret = SecretString::from("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let now = Timestamp::from_millis(1_614_265_330_999);
        let headers = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", now, b"{\"test\": 2432232314}", Some(&secret));
        let expected = [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        ];
        assert_eq!(headers, expected.map(|(name, value)| (name, value.to_owned())));
    }
}
