//! Removes the secrets of a feed from what its server sends, before any of it is stored or shown.
//!
//! Servers often repeat a secret that they know: in links to the feed itself, guids and redirects. Relative links
//! resolve against [`Secrets::base`], which has no secrets. In every text, a secret becomes `***`. These are secrets:
//! user name and password in the address, the password of `basic_auth`, the values of secret query parameters, and
//! credentials in headers. In an address that is secret as a whole, the parts that look like a token are secrets. If
//! neither its file name nor its query looks like a token, the path and its folder are secrets too.
//!
//! A short secret is masked only after the text that precedes it in the address, such as `token=`, so that no
//! common word disappears from a text. A parameter of an entry's own link stays if it merely has the name of a secret
//! parameter.

use std::borrow::Cow;

use secrecy::ExposeSecret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::mask;
use super::model::Feed;
use super::shown_url::{MASK, is_secret_parameter, shown};

/// A secret of at least this many bytes does not occur in other text by chance.
const LONG: usize = 10;

/// Like [`LONG`], for a secret that mixes letters with digits, or upper with lower case.
const LONG_IF_MIXED: usize = 6;

/// Like [`LONG`], for a part of an address that is secret as a whole; many such parts are words.
const LONG_IN_PATH: usize = 16;

/// The most secrets to search a text for. Only redirects that try to waste time can cause more. The secrets of the
/// configuration come first.
const MAX_NEEDLES: usize = 100;

/// The characters that may follow the value of a parameter.
const VALUE_ENDS: &str = "&#\"'<>;, \t\r\n)%";
const PATH_ENDS: &str = "/?#\"'<>;, \t\r\n)%";

/// The secrets of a feed. Most feeds have none.
#[derive(Clone, Debug, Default)]
pub struct Secrets {
    /// The secrets, longest first.
    needles: Vec<Needle>,
    is_whole: bool,
}

/// A secret with its context.
#[derive(Clone, PartialEq, Eq)]
struct Needle {
    /// The text that must come before the secret, followed by the secret.
    text: String,
    /// The start of the secret in the text.
    start: usize,
    /// The characters that may follow the secret; empty for all.
    ends: &'static str,
}

impl std::fmt::Debug for Needle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(MASK)
    }
}

impl Secrets {
    /// Returns the secrets in the configuration of a feed.
    pub fn of(feed: &Feed) -> Secrets {
        let mut secrets = Secrets { needles: Vec::new(), is_whole: feed.url.is_wholly_secret() };
        if !feed.url.is_file() {
            secrets.add_url(&feed.url.secret);
        }
        if let Some(basic) = &feed.basic_auth {
            secrets.add_distinct(basic.password.expose_secret());
        }
        for (name, value) in &feed.headers {
            let words = value.expose_secret().split([' ', ';']);
            for word in words.flat_map(|word| [word, word.split_once('=').map_or("", |(_, value)| value)]) {
                if mask::sounds_secret(name) || is_mixed(word) && !word.contains('/') {
                    secrets.add_distinct(word);
                }
            }
        }
        secrets.sorted()
    }

    /// Adds the secrets in the addresses to which the feed redirected.
    pub fn with_hops<'u>(mut self, hops: impl IntoIterator<Item = &'u Url>) -> Secrets {
        hops.into_iter().for_each(|hop| self.add_url(hop));
        self.sorted()
    }

    /// Whether the feed has no secrets.
    pub fn is_empty(&self) -> bool {
        self.needles.is_empty() && !self.is_whole
    }

    /// Returns the base for relative links in a document at `url`: the address without userinfo, fragment and secret
    /// parameters; for an address that is secret as a whole, its origin.
    pub fn base(&self, url: &Url) -> Url {
        let mut base = shown(url);
        let parameters = url.query().map(|query| query.split('&').filter(|parameter| !is_secret(parameter)));
        let parameters = parameters.map(|parameters| parameters.collect::<Vec<_>>().join("&"));
        base.set_query(parameters.as_deref().filter(|query| !query.is_empty()));
        self.storable(base)
    }

    /// Returns the form of an address that may be stored for comparison: as it is shown; for an address that is secret as a
    /// whole, its origin.
    pub fn kept(&self, url: &Url) -> Url {
        self.storable(shown(url))
    }

    fn storable(&self, mut url: Url) -> Url {
        if self.is_empty() {
            return url;
        }
        let scrubbed = Url::parse(&self.scrub(url.as_str())).ok();
        if let Some(scrubbed) = scrubbed.filter(|_| !self.is_whole) {
            return scrubbed;
        }
        url.set_path("");
        url.set_query(None);
        url
    }

    /// Returns the text with each secret replaced by `***`.
    pub fn scrub<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut scrubbed = Cow::Borrowed(text);
        for needle in &self.needles {
            if let Some(without) = needle.taken_out(&scrubbed) {
                scrubbed = Cow::Owned(without);
            }
        }
        scrubbed
    }

    /// Returns the value with all its texts scrubbed; `None` if the scrubbed texts do not form a valid value.
    pub fn scrubbed<T: Serialize + DeserializeOwned>(&self, value: T) -> Option<T> {
        if self.needles.is_empty() {
            return Some(value);
        }
        let mut json = serde_json::to_value(&value).ok()?;
        if self.scrub_json(&mut json) { serde_json::from_value(json).ok() } else { Some(value) }
    }

    /// Returns the texts that [`Secrets::scrub`] would turn into this one, each with one secret in place of every
    /// `***`.
    pub fn unscrubbed<'s>(&'s self, text: &'s str) -> impl Iterator<Item = String> + 's {
        let secrets = self.needles.iter().filter(|_| text.contains(MASK)).map(|needle| &needle.text[needle.start..]);
        let before = secrets.map(|secret| text.replace(MASK, secret));
        before.filter(move |before| self.scrub(before) == text)
    }

    /// Scrubs all strings in the value. Returns whether there was a secret.
    fn scrub_json(&self, value: &mut Value) -> bool {
        match value {
            Value::String(text) => {
                let Cow::Owned(scrubbed) = self.scrub(text) else { return false };
                *text = scrubbed;
                true
            }
            Value::Array(items) => items.iter_mut().fold(false, |found, item| self.scrub_json(item) | found),
            Value::Object(fields) => fields.values_mut().fold(false, |found, item| self.scrub_json(item) | found),
            Value::Null | Value::Bool(_) | Value::Number(_) => false,
        }
    }

    fn add_url(&mut self, url: &Url) {
        let (user, password) = (url.username(), url.password().unwrap_or_default());
        if !password.is_empty() {
            self.add(password, &[format!("//{user}:")], "@");
        }
        self.add(user, &["//".to_owned()], "@:");
        for parameter in url.query().into_iter().flat_map(|query| query.split('&')) {
            let (name, value) = parameter.split_once('=').unwrap_or(("", parameter));
            let places = ["?", "&", ";"].map(|mark| format!("{mark}{}", &parameter[..parameter.len() - value.len()]));
            if is_secret_parameter(name) || self.is_whole && looks_secret(value) {
                self.add(value, &places, VALUE_ENDS);
            } else if self.is_whole && !value.is_empty() {
                places.iter().for_each(|place| self.push_at(place, value, VALUE_ENDS));
            }
        }
        if self.is_whole {
            self.add_path(url);
        }
    }

    /// Adds the secret parts of the path of an address that is secret as a whole.
    fn add_path(&mut self, url: &Url) {
        let path = url.path().trim_start_matches('/');
        let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        folder.split('/').chain([stem]).filter(|part| looks_secret(part)).for_each(|part| self.add_distinct(part));
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        // If neither the file name nor the query looks secret, the folder and everything in it may be secret.
        let query = url.query().unwrap_or_default();
        if looks_secret(stem) || query.split(['=', '&']).any(looks_secret) {
            return;
        }
        for part in [path, folder].into_iter().filter(|part| !part.is_empty()) {
            self.push_at(&format!("//{authority}/"), part, PATH_ENDS);
        }
    }

    /// Adds a secret. A secret that does not occur by chance is masked anywhere; any other only after one of `places`
    /// and before one of `ends`.
    fn add(&mut self, secret: &str, places: &[String], ends: &'static str) {
        if is_distinct(secret) {
            self.add_distinct(secret);
        } else if !secret.is_empty() {
            places.iter().for_each(|place| self.push_at(place, secret, ends));
        }
    }

    /// Adds a secret in all its encodings, unless it could be a common word.
    fn add_distinct(&mut self, secret: &str) {
        if !is_distinct(secret) {
            return;
        }
        let as_value = format!("v={}", secret.replace('&', "%26"));
        let decoded = url::form_urlencoded::parse(as_value.as_bytes()).next();
        let decoded = decoded.map(|(_, decoded)| decoded.into_owned()).unwrap_or_default();
        let encoded = encoded(&decoded);
        let escaped = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
        for spelling in [secret, &decoded, &encoded, &encoded.replace('+', "%20"), &escaped] {
            if is_distinct(spelling) {
                self.push(String::new(), spelling, "");
            }
        }
    }

    /// Adds a secret with the text before it: as it is, and percent-encoded, as in an address within a parameter of
    /// another address.
    fn push_at(&mut self, place: &str, secret: &str, ends: &'static str) {
        self.push(place.to_owned(), secret, ends);
        self.push(encoded(place), &encoded(secret), ends);
    }

    fn push(&mut self, before: String, secret: &str, ends: &'static str) {
        let needle = Needle { start: before.len(), text: before + secret, ends };
        if self.needles.len() < MAX_NEEDLES && !self.needles.contains(&needle) {
            self.needles.push(needle);
        }
    }

    fn sorted(mut self) -> Secrets {
        self.needles.sort_by_key(|needle| std::cmp::Reverse(needle.text.len() - needle.start));
        self
    }
}

impl Needle {
    /// Returns the text with the secret masked; `None` if the text does not contain it.
    fn taken_out(&self, text: &str) -> Option<String> {
        let mut without = String::new();
        let mut copied = 0;
        for (at, found) in text.match_indices(&self.text) {
            let end = at + found.len();
            let next = text[end..].chars().next();
            let is_end = self.ends.is_empty() || next.map_or(!self.ends.contains('@'), |next| self.ends.contains(next));
            if is_end {
                without.push_str(&text[copied..at + self.start]);
                without.push_str(MASK);
                copied = end;
            }
        }
        (copied > 0).then(|| without + &text[copied..])
    }
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn is_secret(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, _)| is_secret_parameter(name))
}

/// Whether a text is so long or so mixed that it does not occur in another text by chance.
fn is_distinct(text: &str) -> bool {
    text.len() >= LONG || is_mixed(text)
}

/// Whether a part looks like a token, and not like words joined by hyphens. The part comes from an address that is
/// secret as a whole.
fn looks_secret(part: &str) -> bool {
    part.len() >= LONG_IN_PATH || is_mixed(part)
}

fn is_mixed(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.bytes().any(|byte| is(&byte));
    let (digit, lower, upper) = (has(u8::is_ascii_digit), has(u8::is_ascii_lowercase), has(u8::is_ascii_uppercase));
    text.len() >= LONG_IF_MIXED && [digit, lower, upper].into_iter().filter(|has| *has).count() > 1
}

#[cfg(test)]
mod tests {
    use super::super::model::FeedUrl;
    use super::*;

    fn secrets(url: &str, is_whole: bool) -> Secrets {
        let url = Url::parse(url).unwrap();
        let mut secrets = Secrets { is_whole, ..Secrets::default() };
        secrets.add_url(&url);
        secrets.sorted()
    }

    #[test]
    fn base_of_links_holds_no_secret() {
        let check = |url: &str, is_whole, expected: &str| {
            let url = Url::parse(url).unwrap();
            let base = Secrets { is_whole, ..Secrets::default() }.base(&url);
            assert_eq!(base.as_str(), expected);
        };
        check("https://u:p@a.example/f/feed?x=1&token=t#top", false, "https://a.example/f/feed?x=1");
        check("https://a.example/f/feed?token=t", false, "https://a.example/f/feed");
        check("https://a.example/f/feed?page=2", false, "https://a.example/f/feed?page=2");
        check("https://a.example:8443/private/feed?page=2", true, "https://a.example:8443/");
    }

    #[test]
    fn secret_is_taken_out_wherever_it_stands_and_common_words_stay() {
        let check = |url: &str, is_whole, text: &str, expected: &str| {
            assert_eq!(secrets(url, is_whole).scrub(text), expected, "{url}");
        };
        let token = "https://a.example/feed?token=c4n4ry-77";
        check(token, false, "see https://a.example/p/c4n4ry-77/x", "see https://a.example/p/***/x");
        check(token, false, "https://a.example/feed?token=other", "https://a.example/feed?token=other");
        let short = "https://a.example/feed?token=news";
        check(short, false, "the news at ?x=1&token=news&y", "the news at ?x=1&token=***&y");
        check(short, false, "?token=newspaper", "?token=newspaper");
        check(
            short,
            false,
            "?u=https%3A%2F%2Fa.example%2F%3Ftoken%3Dnews",
            "?u=https%3A%2F%2Fa.example%2F%3Ftoken%3D***",
        );
        check("https://a.example/blog?Ab12Cd34", true, "https://a.example/blog/1", "https://a.example/blog/1");
        check("https://a.example/blog/Ab12Cd34", true, "https://a.example/blog/1", "https://a.example/blog/1");
        check("https://me:pw@a.example/", false, "https://me:pw@a.example/ pw me", "https://***:***@a.example/ pw me");
        check("https://www@a.example/", false, "https://www.b.example/", "https://www.b.example/");
        let path = "https://a.example/private/Ab12Cd34/feed.xml";
        check(path, true, "https://a.example/private/Ab12Cd34/1 private", "https://a.example/***/1 private");
        let words = "https://a.example/club/feed";
        check(
            words,
            true,
            "https://a.example/club/1 https://a.example/clubs",
            "https://a.example/***/1 https://a.example/clubs",
        );
        check("https://a.example/feed?token=a%2Fb%2Fc%2Fd%2F1", false, "a/b/c/d/1 a%2Fb%2Fc%2Fd%2F1", "*** ***");
    }

    #[test]
    fn scrubbed_text_leads_back_to_what_it_was() {
        let secrets = secrets("https://a.example/feed?token=news", false);
        let before: Vec<String> = secrets.unscrubbed("https://a.example/?id=1&token=***").collect();
        assert!(before.contains(&"https://a.example/?id=1&token=news".to_owned()), "{before:?}");
        assert_eq!(secrets.unscrubbed("https://a.example/?id=1").count(), 0);
    }

    #[test]
    fn address_is_wholly_secret_also_where_only_its_query_is() {
        let url =
            |secret: &str, shown: &str| FeedUrl { secret: secret.parse().unwrap(), shown: shown.parse().unwrap() };
        assert!(url("https://a.example/?abc", "https://a.example/").is_wholly_secret());
        assert!(url("https://a.example/abc", "https://a.example/").is_wholly_secret());
        assert!(!url("https://a.example/abc?token=1", "https://a.example/abc?token=***").is_wholly_secret());
    }
}
