//! Writes the headers of a request: who asks, for what, under which conditions, and with which secrets.
//!
//! Validators go byte for byte to the URL that gave them, and to no other. What the config sets for a feed (`headers`,
//! `basic_auth`, userinfo in the URL) goes only to the feed's own scheme, host and port. After a redirect to another
//! server, these secrets are not sent again, not even if the next redirect leads back. Otherwise the other server could
//! choose what newswire requests with the feed's secrets.

use reqwest::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_LANGUAGE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED, USER_AGENT,
};
use reqwest::{Client, RequestBuilder};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::decode;
use super::redirect::Trail;
use crate::config::{BasicAuth, Feed, Secrets, shown};
use crate::feed::{Failure, FeedKey, SettingFault, Validators};

const FEED_TYPES: &str = "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
     application/xml;q=0.8, text/xml;q=0.8, application/json;q=0.7, text/html;q=0.2, */*;q=0.1";

/// The longest validator that is sent back. Servers refuse requests with more than about 8 KiB of headers, so a longer
/// validator could make a server refuse all later requests.
const LONGEST_VALIDATOR_BYTES: usize = 4096;

/// Returns the User-Agent, such as `newswire/0.1.0 (+https://news.example.org/about/)`, or `newswire/0.1.0` without a
/// contact address.
pub(super) fn user_agent(contact: Option<&Url>) -> HeaderValue {
    let contact = contact.map(|contact| format!(" (+{})", shown(contact))).unwrap_or_default();
    let text = format!("newswire/{}{contact}", env!("CARGO_PKG_VERSION"));
    HeaderValue::try_from(text).expect("a URL is printable ASCII")
}

/// Builds the GET of one hop, to the current URL of the trail (the URLs requested so far).
///
/// # Errors
///
/// Fails if a configured header is not valid in HTTP.
pub(super) fn get(
    client: &Client,
    feed: &Feed,
    trail: &Trail,
    known: &Validators,
    user_agent: &HeaderValue,
) -> Result<RequestBuilder, Failure> {
    let url = trail.here();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static(FEED_TYPES));
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(decode::ACCEPT_ENCODING));
    headers.insert(USER_AGENT, user_agent.clone());
    if let Some(agent) = &feed.user_agent {
        headers.insert(USER_AGENT, value(FeedKey::UserAgent, agent)?);
    }
    if let Some(language) = &feed.accept_language {
        headers.insert(ACCEPT_LANGUAGE, value(FeedKey::AcceptLanguage, language)?);
    }
    if known.url.as_ref() == Some(&Secrets::of(feed).kept(url)) {
        add_conditions(&mut headers, known);
    }
    if !trail.never_left(&feed.url.secret) {
        return Ok(client.get(url.clone()).headers(headers));
    }
    add_secrets(&mut headers, &feed.headers)?;
    Ok(match &feed.basic_auth {
        Some(BasicAuth { user, password }) => {
            client.get(url.clone()).basic_auth(user, Some(password.expose_secret())).headers(headers)
        }
        None => client.get(with_userinfo(url, &feed.url.secret)).headers(headers),
    })
}

/// Returns the validators of a response. A validator that is missing, empty or too long is `None`. `url` is the URL in
/// the form that may be stored.
pub(super) fn validators(headers: &HeaderMap, url: Url) -> Validators {
    let is_fit = |bytes: &&[u8]| (1..=LONGEST_VALIDATOR_BYTES).contains(&bytes.len());
    let bytes = |name| headers.get(name).map(HeaderValue::as_bytes).filter(is_fit).map(<[u8]>::to_vec);
    Validators { etag: bytes(ETAG), last_modified: bytes(LAST_MODIFIED), url: Some(url) }
}

/// Adds userinfo to the URL. The client turns it into Basic credentials (RFC 7617).
fn with_userinfo(url: &Url, userinfo: &Url) -> Url {
    let mut url = url.clone();
    // Both calls fail only on URLs without a host, which the guard refuses.
    let _ = url.set_username(userinfo.username());
    let _ = url.set_password(userinfo.password());
    url
}

fn add_secrets(headers: &mut HeaderMap, configured: &[(String, SecretString)]) -> Result<(), Failure> {
    for (name, content) in configured {
        let unfit = |_| Failure::Setting {
            key: FeedKey::Headers,
            fault: SettingFault::HeaderName { name: name.as_str().into() },
        };
        let name = HeaderName::try_from(name.as_str()).map_err(unfit)?;
        let mut content = value(FeedKey::Headers, content.expose_secret())?;
        content.set_sensitive(true);
        headers.insert(name, content);
    }
    Ok(())
}

fn add_conditions(headers: &mut HeaderMap, known: &Validators) {
    let conditions = [(IF_NONE_MATCH, &known.etag), (IF_MODIFIED_SINCE, &known.last_modified)];
    for (name, validator) in conditions {
        if let Some(value) = validator.as_deref().and_then(|bytes| HeaderValue::from_bytes(bytes).ok()) {
            headers.insert(name, value);
        }
    }
}

/// Converts a configured value to a header value. Errors contain nothing of the text, because it may be a secret.
fn value(key: FeedKey, text: &str) -> Result<HeaderValue, Failure> {
    HeaderValue::from_str(text).map_err(|_| Failure::Setting { key, fault: SettingFault::HeaderValue })
}
