//! One answer: which edition, which coding, whole or 304 (RFC 9110 §13, §15.4.5).

use axum::body::Body;
use axum::response::Response;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};

use crate::config::Access;
use crate::publish::{Edition, Editions, MAX_AGE, NOT_FOUND};

/// What a page may load: its own style, images from anywhere by https, and nothing that runs.
const PAGE_POLICY: &str = "default-src 'none'; img-src https: http: data:; media-src https: http:; style-src 'self'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// How long a cache may go on with an old edition while we are down.
const STALE_IF_ERROR_SECONDS: u64 = 86_400;

/// What a request asks for.
pub struct Asked<'r> {
    request: &'r Parts,
    /// Of the site's links; ends in a slash.
    base_path: &'r str,
    path: &'r str,
}

impl<'r> Asked<'r> {
    /// `base_path` is the path of the site's URL; a proxy in front may or may not have taken it off.
    pub fn of(request: &'r Parts, base_path: &'r str) -> Asked<'r> {
        let path = request.uri.path();
        let path = path.strip_prefix(base_path).or_else(|| path.strip_prefix('/')).unwrap_or(path);
        Asked { request, base_path, path }
    }

    /// Without the base path and the leading slash.
    pub fn path(&self) -> &str {
        self.path
    }

    pub fn is_read(&self) -> bool {
        matches!(self.request.method, Method::GET | Method::HEAD)
    }

    /// What a search asks for: `?q=`.
    pub fn words(&self) -> String {
        self.parameter("q").unwrap_or_default()
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let query = url::form_urlencoded::parse(self.request.uri.query().unwrap_or("").as_bytes());
        query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// Answers a request for the public site; `made` is the page that was made for it, if any was.
pub fn answer(editions: &Editions, made: Option<&Edition>, asked: &Asked) -> Response {
    if !asked.is_read() {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
        response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let edition = made.or_else(|| editions.by_path.get(asked.path).map(|edition| &**edition));
    let mut response = match edition {
        Some(edition) if may_read(editions, edition, asked) => of_edition(edition, &asked.request.headers),
        Some(_) => unauthorized(),
        None => elsewhere(editions, asked),
    };
    if asked.request.method == Method::HEAD {
        *response.body_mut() = Body::empty();
    }
    response
}

fn of_edition(edition: &Edition, request: &HeaderMap) -> Response {
    let (coding, body) = choose_coding(edition, request);
    let etag = match coding {
        Some(coding) => format!("\"{}-{coding}\"", edition.etag),
        None => format!("\"{}\"", edition.etag),
    };
    let is_known = is_known(edition, request);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body.clone()) });
    *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = response.headers_mut();
    insert(headers, header::ETAG, &etag);
    insert(headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(edition.last_modified.datetime().into()));
    let scope = if edition.private.is_some() { "private" } else { "public" };
    let cache = format!("{scope}, max-age={}, stale-if-error={STALE_IF_ERROR_SECONDS}", MAX_AGE.as_secs());
    insert(headers, header::CACHE_CONTROL, &cache);
    headers.insert(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    if edition.is_feed && edition.private.is_none() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    guard(headers);
    if !is_known {
        insert(headers, header::CONTENT_TYPE, edition.media_type);
        insert(headers, header::CONTENT_LENGTH, &body.len().to_string());
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    response
}

/// Whether the reader has this edition already. `If-None-Match` wins over `If-Modified-Since`; the tag of any coding counts.
fn is_known(edition: &Edition, request: &HeaderMap) -> bool {
    let tags: Vec<_> = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
    if !tags.is_empty() {
        return tags.iter().flat_map(|value| value.split(',')).map(str::trim).any(|tag| is_tag_of(edition, tag));
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    since.is_some_and(|since| since >= edition.last_modified.whole_second().datetime().into())
}

fn is_tag_of(edition: &Edition, tag: &str) -> bool {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let Some(tag) = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) else { return tag == "*" };
    let of_coding = tag.strip_prefix(edition.etag.as_str());
    matches!(of_coding, Some("" | "-gzip" | "-br" | "-zstd"))
}

/// The smallest coding that the reader takes; the identity where it takes none.
fn choose_coding<'e>(edition: &'e Edition, request: &HeaderMap) -> (Option<&'static str>, &'e bytes::Bytes) {
    let accepted: Vec<_> =
        request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()).collect();
    let accepts = |coding: &str| {
        let mut any = false;
        for offer in accepted.iter().flat_map(|value| value.split(',')) {
            let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
            let is_refused = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
            match name.trim() {
                name if name.eq_ignore_ascii_case(coding) => return !is_refused,
                "*" => any = !is_refused,
                _ => {}
            }
        }
        any
    };
    let codings = [("br", &edition.brotli), ("zstd", &edition.zstd), ("gzip", &edition.gzip)];
    let chosen =
        codings.into_iter().filter_map(|(name, body)| Some((name, body.as_ref()?))).filter(|(name, _)| accepts(name));
    match chosen.min_by_key(|(_, body)| body.len()) {
        Some((name, body)) => (Some(name), body),
        None => (None, &edition.identity),
    }
}

/// Whether the reader knows the key of the section, if it has one.
fn may_read(editions: &Editions, edition: &Edition, asked: &Asked) -> bool {
    let Some(id) = &edition.private else { return true };
    let Some(access) = editions.sections.get(id).and_then(|section| section.access.as_ref()) else { return false };
    let authorization =
        asked.request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or("");
    match access {
        Access::Token(token) => {
            let given = asked.parameter("token").or_else(|| authorization.strip_prefix("Bearer ").map(str::to_owned));
            given.is_some_and(|given| is_same(&given, token.expose_secret()))
        }
        Access::Basic(basic) => {
            use base64::Engine;
            let expected = format!("{}:{}", basic.user, basic.password.expose_secret());
            let expected = base64::engine::general_purpose::STANDARD.encode(expected);
            authorization.strip_prefix("Basic ").is_some_and(|given| is_same(given, &expected))
        }
    }
}

/// Compares in a time that tells nothing of where two secrets differ: their hashes are compared.
fn is_same(one: &str, other: &str) -> bool {
    Sha256::digest(one) == Sha256::digest(other)
}

fn unauthorized() -> Response {
    let mut response = plain(StatusCode::UNAUTHORIZED, "this section is private\n");
    response
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"newswire\", charset=\"UTF-8\""));
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Where no edition is: a page without its slash, a section that was renamed or removed, or nothing.
fn elsewhere(editions: &Editions, asked: &Asked) -> Response {
    let &Asked { base_path, path, request } = asked;
    if editions.by_path.contains_key(&format!("{path}/")) {
        return moved(&format!("{base_path}{path}/"));
    }
    let (id, rest) = path.find(['.', '/']).map_or((path, ""), |at| path.split_at(at));
    if let Some(new) = editions.formerly.get(id) {
        return moved(&format!("{base_path}{new}{rest}"));
    }
    if editions.gone.contains(id) && matches!(rest, "" | "/" | ".atom" | ".rss" | ".json" | ".opml") {
        return plain(StatusCode::GONE, "this section is no more\n");
    }
    match editions.by_path.get(NOT_FOUND) {
        Some(page) => {
            let mut response = of_edition(page, &without_conditions(&request.headers));
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        None => plain(StatusCode::NOT_FOUND, "there is nothing here\n"),
    }
}

/// What is not there has no validators.
fn without_conditions(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    headers.remove(header::IF_NONE_MATCH);
    headers.remove(header::IF_MODIFIED_SINCE);
    headers
}

fn moved(to: &str) -> Response {
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "it has moved\n");
    insert(response.headers_mut(), header::LOCATION, to);
    response
}

/// A short answer in plain text.
pub fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    insert(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    guard(response.headers_mut());
    response
}

/// What every answer carries, so that nothing in it can run, be sniffed into something else, or be framed.
fn guard(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
}

/// Every value here is made of ids, numbers and dates; one that could not be a header is left out.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
