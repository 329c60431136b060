//! One answer: which edition, which coding, whole or 304 (RFC 9110 §13, §15.4.5).

use std::sync::Arc;

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::header::{self, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, StatusCode};
use secrecy::ExposeSecret;
use url::Url;

use super::session::{self, is_same};
use crate::config::{Access, Section};
use crate::feed::SectionId;
use crate::publish::{Edition, Editions, HTML_TYPE, MAX_AGE, NOT_FOUND, XML_TYPE};
use crate::render::Format;

/// What a page may load: its own style, images and media by https, and nothing that runs.
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self' https:; media-src https:; style-src 'self'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// What browsers send, and feed readers do not: what they want a document for (W3C Fetch Metadata).
const FETCH_DEST: &str = "sec-fetch-dest";

/// What the answer with such a feed depends on.
const STYLED_VARY: &str = "Accept-Encoding, Sec-Fetch-Dest";

/// How long a cache may go on with an old edition while we are down.
const STALE_IF_ERROR_SECONDS: u64 = 86_400;

/// When to come again for what cannot be had now.
const RETRY_SECONDS: &str = "60";

/// How long browsers remember what they may send.
const PREFLIGHT_SECONDS: &str = "86400";

/// The longest address that is answered, query and all.
const MAX_URI_BYTES: usize = 8 * 1024;

/// What a request asks for.
pub struct Asked<'r> {
    request: &'r Parts,
    /// Of the site's links; ends in a slash.
    base_path: &'r str,
    path: &'r str,
    /// Whether the site is reached by https.
    is_secure: bool,
}

impl<'r> Asked<'r> {
    /// A proxy in front may or may not have taken off the path of the site's URL.
    ///
    /// # Errors
    ///
    /// The answer to a request that asks for nothing: by a method that is not answered here, or by too long an address.
    #[expect(clippy::result_large_err, reason = "the answer is sent at once")]
    pub fn of(request: &'r Parts, site: &'r Url) -> Result<Asked<'r>, Response> {
        let base_path = site.path();
        if !matches!(request.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::POST) {
            return Err(not_allowed());
        }
        if request.uri.path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI_BYTES) {
            return Err(plain(StatusCode::URI_TOO_LONG, "no address here is so long\n"));
        }
        let path = request.uri.path();
        let is_base = path.len() + 1 == base_path.len() && base_path.starts_with(path);
        let path = if is_base { "" } else { path.strip_prefix(base_path).or(path.strip_prefix('/')).unwrap_or(path) };
        Ok(Asked { request, base_path, path, is_secure: site.scheme() == "https" })
    }

    /// Without the base path and the leading slash.
    pub fn path(&self) -> &str {
        self.path
    }

    /// Whether a browser asks what a script of another site may send.
    pub fn is_preflight(&self) -> bool {
        self.request.method == Method::OPTIONS
    }

    /// What a search asks for: `?q=`.
    pub fn words(&self) -> String {
        self.parameter("q").unwrap_or_default()
    }

    /// The path of the site's links; ends in a slash.
    pub fn base_path(&self) -> &'r str {
        self.base_path
    }

    /// The same address without the token of a private section.
    fn without_token(&self) -> String {
        let query = url::form_urlencoded::parse(self.request.uri.query().unwrap_or("").as_bytes());
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        rest.extend_pairs(query.filter(|(name, _)| name != "token"));
        let rest = rest.finish();
        let mark = if rest.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{rest}", self.base_path, self.path)
    }

    fn parameter(&self, name: &str) -> Option<String> {
        let query = url::form_urlencoded::parse(self.request.uri.query().unwrap_or("").as_bytes());
        query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The answer to HEAD has the headers of that to GET, and no body.
    fn finish(&self, mut response: Response) -> Response {
        if self.request.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// Lets scripts of other sites ask for public feeds under conditions (Fetch, CORS preflight). Never reads the store: archive
/// documents are known by the form of their path. All else gets one answer, whether it is private or absent.
pub fn preflight(editions: &Editions, asked: &Asked) -> Response {
    let (id, rest) = section_of(asked.path);
    // The address of a renamed section leads on only if the browser may ask it.
    let id = editions.formerly.get(id).cloned().unwrap_or_else(|| SectionId::from(id));
    let is_public = |section: &Arc<Section>| section.access.is_none();
    let is_archive = rest.starts_with("/archive/") && editions.sections.get(&id).is_some_and(is_public);
    let edition = editions.by_path.get(asked.path).or_else(|| editions.by_path.get(&format!("{id}{rest}")));
    if !is_archive && !edition.is_some_and(|edition| edition.is_feed && edition.private.is_none()) {
        return not_allowed();
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::ALLOW, "GET, HEAD, OPTIONS"),
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "If-None-Match, If-Modified-Since"),
        (header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    guard(headers);
    response
}

/// Asks for the key of a private section before anything is looked up for it. So the answer depends on the form of the address
/// alone, not on what is there, and nothing is made for a stranger.
pub fn locked(editions: &Editions, asked: &Asked) -> Option<Response> {
    let (id, rest) = section_of(asked.path);
    let section = editions.sections.get(&SectionId::from(id))?;
    let is_locked = is_of_section(rest) && !knows_key(editions, &section.id, asked);
    is_locked.then(|| asked.finish(unauthorized(editions, &section.id, asked, matches!(rest, "" | "/"))))
}

/// A path's first part, which may be a section's id, and what follows it.
fn section_of(path: &str) -> (&str, &str) {
    path.find(['.', '/']).map_or((path, ""), |at| path.split_at(at))
}

/// Answers with an edition, for whoever may read it.
pub fn edition(editions: &Editions, edition: &Edition, asked: &Asked) -> Response {
    let locked = edition.private.as_ref().filter(|section| !knows_key(editions, section, asked));
    asked.finish(match (locked, &edition.moved_to) {
        (Some(section), _) => unauthorized(editions, section, asked, edition.media_type == HTML_TYPE),
        (None, Some(to)) => moved(&format!("{}{to}", asked.base_path), asked.request),
        (None, None) => match opened(editions, edition, asked) {
            Some(section) => begin_session(editions, section, &asked.without_token(), asked),
            None => of_edition(edition, &asked.request.headers),
        },
    })
}

/// The private section whose page a browser opens by `?token=`. Feeds are read by the token each time.
fn opened<'e>(editions: &'e Editions, edition: &Edition, asked: &Asked) -> Option<&'e Section> {
    let section = editions.sections.get(edition.private.as_ref().filter(|_| edition.media_type == HTML_TYPE)?)?;
    let given = asked.parameter("token")?;
    section.token().is_some_and(|token| is_same(&given, token.expose_secret())).then_some(section)
}

/// Sends a reader on to `page` with a cookie, so that the token stays in no address.
pub fn begin_session(editions: &Editions, section: &Section, page: &str, asked: &Asked) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER, "this section is open to you\n");
    insert(response.headers_mut(), header::LOCATION, page);
    if let Some(token) = section.token() {
        let cookie = session::begin(&editions.session_key, &section.id, token, asked.base_path, asked.is_secure);
        insert(response.headers_mut(), header::SET_COOKIE, &cookie);
    }
    response
}

fn of_edition(edition: &Edition, request: &HeaderMap) -> Response {
    let (coding, body) = choose_coding(edition, request);
    let is_known = is_known(edition, request);
    let mut response = Response::new(if is_known { Body::empty() } else { Body::from(body.clone()) });
    *response.status_mut() = if is_known { StatusCode::NOT_MODIFIED } else { StatusCode::OK };
    let headers = response.headers_mut();
    headers.reserve(12);
    match coding {
        Some(coding) => insert(headers, header::ETAG, &format!("\"{}-{coding}\"", edition.etag)),
        None => insert(headers, header::ETAG, &format!("\"{}\"", edition.etag)),
    }
    if let Some(modified) = edition.last_modified {
        insert(headers, header::LAST_MODIFIED, &httpdate::fmt_http_date(modified.datetime().into()));
    }
    insert(headers, header::CACHE_CONTROL, &cache_control(edition));
    headers.insert(
        header::VARY,
        HeaderValue::from_static(if is_styled(edition) { STYLED_VARY } else { "Accept-Encoding" }),
    );
    if edition.is_feed && edition.private.is_none() {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("ETag"));
    }
    if let Some(links) = &edition.links {
        insert(headers, header::LINK, links);
    }
    guard(headers);
    if !is_known {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(edition, request)));
        headers.insert(header::CONTENT_LENGTH, body.len().into());
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
    }
    response
}

/// How long caches keep an edition. Readers of pages see every edit at once: a page and its style are asked for each time,
/// and mostly answered with 304. Feeds and all else keep their age.
fn cache_control(edition: &Edition) -> String {
    let scope = if edition.private.is_some() { "private" } else { "public" };
    if edition.media_type == HTML_TYPE || edition.media_type.starts_with("text/css") {
        return format!("{scope}, no-cache");
    }
    format!("{scope}, max-age={}, stale-if-error={STALE_IF_ERROR_SECONDS}", MAX_AGE.as_secs())
}

/// Who opens a feed in a browser is told by its style sheet what it is: of the same bytes, browsers show by that what they
/// get as XML, and the source text of what they get as a feed.
fn media_type(edition: &Edition, request: &HeaderMap) -> &'static str {
    let is_opened = request.get(FETCH_DEST).is_some_and(|destination| destination == "document");
    if is_opened && is_styled(edition) { XML_TYPE } else { edition.media_type }
}

/// Whether the edition names a style sheet that shows all of it.
fn is_styled(edition: &Edition) -> bool {
    [Format::Atom, Format::Rss].iter().any(|format| edition.media_type.starts_with(format.media_type()))
}

/// Whether the reader has this edition already. `If-None-Match` wins over `If-Modified-Since`; the tag of any coding counts.
fn is_known(edition: &Edition, request: &HeaderMap) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        return values.flat_map(|value| value.split(',')).any(|tag| is_tag_of(edition, tag.trim()));
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    let modified = edition.last_modified.map(|modified| modified.whole_second().datetime().into());
    since.zip(modified).is_some_and(|(since, modified)| since >= modified)
}

/// Weak comparison: `W/` is passed over.
fn is_tag_of(edition: &Edition, tag: &str) -> bool {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let Some(tag) = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')) else { return tag == "*" };
    tag.strip_prefix(&*edition.etag).is_some_and(|coding| matches!(coding, "" | "-gzip" | "-br" | "-zstd"))
}

/// The smallest body among those that the reader takes.
fn choose_coding<'e>(edition: &'e Edition, request: &HeaderMap) -> (Option<&'static str>, &'e bytes::Bytes) {
    if !request.contains_key(header::ACCEPT_ENCODING) {
        return (None, &edition.identity);
    }
    let codings = [("br", &edition.brotli), ("zstd", &edition.zstd), ("gzip", &edition.gzip)];
    let offered = codings.into_iter().filter_map(|(name, body)| Some((name, body.as_ref()?)));
    match offered.filter(|(name, _)| accepts(request, name)).min_by_key(|(_, body)| body.len()) {
        Some((name, body)) => (Some(name), body),
        None => (None, &edition.identity),
    }
}

/// Whether `Accept-Encoding` takes the coding, by its name or by `*`, with a weight other than 0 (RFC 9110 §12.5.3).
fn accepts(request: &HeaderMap, coding: &str) -> bool {
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let mut any = false;
    for offer in values.flat_map(|value| value.split(',')) {
        let (name, weight) = offer.split_once(';').unwrap_or((offer, ""));
        let is_refused = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse::<f32>().ok()) == Some(0.0);
        match name.trim() {
            name if name.eq_ignore_ascii_case(coding) => return !is_refused,
            "*" => any = !is_refused,
            _ => {}
        }
    }
    any
}

/// Whether the reader has the key of the section, if it has one.
fn knows_key(editions: &Editions, section: &SectionId, asked: &Asked) -> bool {
    let Some(section) = editions.sections.get(section) else { return false };
    let authorization = asked.request.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Schemes are written in any case (RFC 9110 §11.1).
    let (scheme, credentials) = authorization.and_then(|value| value.split_once(' ')).unwrap_or_default();
    let given = |wanted: &str| scheme.eq_ignore_ascii_case(wanted).then(|| credentials.trim().to_owned());
    match &section.access {
        None => true,
        Some(Access::Token(token)) => {
            let is_right = |given: Option<String>| given.is_some_and(|given| is_same(&given, token.expose_secret()));
            is_right(given("bearer"))
                || is_right(asked.parameter("token"))
                || session::is_open(&editions.session_key, &section.id, token, &asked.request.headers)
        }
        Some(Access::Basic(basic)) => {
            let pair = format!("{}:{}", basic.user, basic.password.expose_secret());
            given("basic").is_some_and(|given| is_same(&given, &STANDARD.encode(pair)))
        }
    }
}

/// Asks for the key of a private section: browsers ask their user for what goes by Basic, and a page asks for a token. Who
/// wants no page gets a line of text.
pub fn unauthorized(editions: &Editions, section: &SectionId, asked: &Asked, is_page: bool) -> Response {
    let access = editions.sections.get(section).and_then(|section| section.access.as_ref());
    let pages = &editions.private_pages;
    let (challenge, page) = match access {
        Some(Access::Basic(_)) => ("Basic realm=\"newswire\", charset=\"UTF-8\"", &pages.asks_for_password),
        _ if asked.request.method == Method::POST => ("Bearer realm=\"newswire\"", &pages.token_is_wrong),
        _ => ("Bearer realm=\"newswire\"", &pages.asks_for_token),
    };
    let accept = asked.request.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut response = plain(StatusCode::UNAUTHORIZED, "this section is private\n");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    if is_page || accept.is_some_and(|accept| accept.contains("text/html")) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML_TYPE));
        response.headers_mut().insert(header::CONTENT_LENGTH, page.len().into());
        *response.body_mut() = Body::from(page.clone());
    }
    response
}

/// The private section that a token opens whose document, or former document, has this path.
pub fn section_to_open<'e>(editions: &'e Editions, path: &str) -> Option<&'e Section> {
    let (id, rest) = section_of(path);
    let id = editions.formerly.get(id).cloned().unwrap_or_else(|| SectionId::from(id));
    let section = editions.sections.get(&id).filter(|_| is_of_section(rest))?;
    section.token().map(|_| &**section)
}

/// Where no edition is: a page without its slash, a section that was renamed or removed or is not published yet, or nothing.
pub fn elsewhere(editions: &Editions, asked: &Asked) -> Response {
    let &Asked { base_path, path, request, .. } = asked;
    if editions.by_path.contains_key(&format!("{path}/")) {
        return asked.finish(moved(&format!("{base_path}{path}/"), request));
    }
    let (id, rest) = section_of(path);
    let response = match editions.formerly.get(id) {
        Some(new) if is_of_section(rest) && knows_key(editions, new, asked) => {
            let mut response = moved(&format!("{base_path}{new}{rest}"), request);
            if editions.sections.get(new).is_some_and(|section| section.access.is_none()) {
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            response
        }
        Some(new) if is_of_section(rest) => unauthorized(editions, new, asked, rest == "/"),
        _ if is_of_section(rest) && editions.gone.contains(id) => absent(editions, StatusCode::GONE),
        _ if is_edition(rest) && editions.sections.contains_key(&SectionId::from(id)) => unavailable(),
        _ => absent(editions, StatusCode::NOT_FOUND),
    };
    asked.finish(response)
}

/// Whether a path that begins with a section's id goes on as its editions and pages do.
fn is_of_section(rest: &str) -> bool {
    is_edition(rest) || rest.starts_with("/archive/")
}

fn is_edition(rest: &str) -> bool {
    matches!(rest, "" | "/" | ".atom" | ".rss" | ".json" | ".opml")
}

/// The page that says that nothing is here, or no more.
fn absent(editions: &Editions, status: StatusCode) -> Response {
    match editions.by_path.get(NOT_FOUND) {
        Some(page) => {
            // What is not there has no validators, and is not asked for under conditions.
            let mut response = of_edition(page, &HeaderMap::new());
            *response.status_mut() = status;
            for name in [header::ETAG, header::LAST_MODIFIED, header::CACHE_CONTROL] {
                response.headers_mut().remove(name);
            }
            response
        }
        None => plain(status, "there is nothing here\n"),
    }
}

/// The query goes with it: it may hold the key of a private section.
fn moved(to: &str, request: &Parts) -> Response {
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "it has moved\n");
    let to = request.uri.query().map_or_else(|| to.to_owned(), |query| format!("{to}?{query}"));
    insert(response.headers_mut(), header::LOCATION, &to);
    response
}

/// Only documents are here, and nothing that a request could change.
pub fn not_allowed() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// What should be here cannot be had now.
pub fn unavailable() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "this cannot be had now; try again in a minute\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    response
}

/// A short answer in plain text, which no cache keeps.
pub fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    insert(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
    if status != StatusCode::PERMANENT_REDIRECT {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    guard(response.headers_mut());
    response
}

/// What every answer carries, so that nothing in it can run, be sniffed into something else, or be framed.
pub fn guard(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
}

/// Every value here is made of ids, numbers, dates and configured addresses; one that could not be a header is left out.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
