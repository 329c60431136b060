//! Answers a request: chooses the edition and its content coding, and whether to send it or 304 (RFC 9110 §13, §15.4.5).

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
use crate::config::{Access, Section, Site};
use crate::feed::SectionId;
use crate::publish::{ContentCoding, Edition, Editions, GONE, HTML_TYPE, MAX_AGE, NOT_FOUND, XML_TYPE, list_number};
use crate::render::{Format, Selection, TAGS};

/// The Content-Security-Policy of every answer. A page may load its own style, and images and media over https, but no
/// scripts.
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self' https:; media-src https:; style-src 'self'; base-uri 'none'; \
                           form-action 'self'; frame-ancestors 'none'";

/// The header that says what a browser wants a document for (W3C Fetch Metadata). Feed readers do not send it.
const FETCH_DEST: &str = "sec-fetch-dest";

/// The request headers that an answer with a styled feed depends on.
const STYLED_VARY: &str = "Accept-Encoding, Sec-Fetch-Dest";

/// How long a cache may use an old edition while newswire is down.
const STALE_IF_ERROR_SECONDS: u64 = 86_400;

/// When to try again after a temporary failure.
const RETRY_SECONDS: &str = "60";

/// How long browsers may cache the answer to a preflight request.
const PREFLIGHT_SECONDS: &str = "86400";

/// The longest path and query that is answered.
const MAX_URI_BYTES: usize = 8 * 1024;

/// A request to the public site.
pub(super) struct SiteRequest<'r> {
    parts: &'r Parts,
    /// The path of the site's URL; ends with a slash.
    base_path: &'r str,
    path: &'r str,
    /// Whether the site's URL is https.
    is_secure: bool,
}

impl<'r> SiteRequest<'r> {
    /// Reads a request. A proxy in front may or may not have removed the path of the site's URL.
    ///
    /// # Errors
    ///
    /// Returns the answer to a request with an unsupported method or too long an address.
    #[expect(clippy::result_large_err, reason = "the answer is sent at once")]
    pub(super) fn of(parts: &'r Parts, site: &'r Url) -> Result<SiteRequest<'r>, Response> {
        let base_path = site.path();
        if !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS | Method::POST) {
            return Err(not_allowed());
        }
        if parts.uri.path_and_query().is_some_and(|uri| uri.as_str().len() > MAX_URI_BYTES) {
            return Err(plain(StatusCode::URI_TOO_LONG, "URL too long\n"));
        }
        let path = parts.uri.path();
        let is_base = path.len() + 1 == base_path.len() && base_path.starts_with(path);
        let path = if is_base { "" } else { path.strip_prefix(base_path).or(path.strip_prefix('/')).unwrap_or(path) };
        Ok(SiteRequest { parts, base_path, path, is_secure: site.scheme() == "https" })
    }

    /// Returns the same request for another path without the base path and the leading slash.
    pub(super) fn at(self, path: &'r str) -> SiteRequest<'r> {
        SiteRequest { path, ..self }
    }

    /// Returns the path without the base path and the leading slash.
    pub(super) fn path(&self) -> &str {
        self.path
    }

    /// Returns whether this is a CORS preflight request (Fetch §4.8).
    pub(super) fn is_preflight(&self) -> bool {
        self.parts.method == Method::OPTIONS
    }

    /// Returns the path of the site's URL; ends with a slash.
    pub(super) fn base_path(&self) -> &'r str {
        self.base_path
    }

    /// Returns the requested address without the token of a private section.
    fn without_token(&self) -> String {
        let query = url::form_urlencoded::parse(self.parts.uri.query().unwrap_or("").as_bytes());
        let mut rest = url::form_urlencoded::Serializer::new(String::new());
        rest.extend_pairs(query.filter(|(name, _)| name != "token"));
        let rest = rest.finish();
        let mark = if rest.is_empty() { "" } else { "?" };
        format!("{}{}{mark}{rest}", self.base_path, self.path)
    }

    /// Returns the value of a parameter of the query, the first if there are several.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        let query = url::form_urlencoded::parse(self.parts.uri.query().unwrap_or("").as_bytes());
        query.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// Removes the body of the answer to a HEAD request and keeps its headers.
    fn finish(&self, mut response: Response) -> Response {
        if self.parts.method == Method::HEAD {
            *response.body_mut() = Body::empty();
        }
        response
    }
}

/// Answers a CORS preflight request. Scripts of other sites may make conditional requests for public feeds. Never reads
/// the store: archive documents and OPML are recognised by the form of their path. A private path gets the same answer
/// as one that does not exist.
pub(super) fn preflight(editions: &Editions, request: &SiteRequest) -> Response {
    let (id, rest) = section_of(request.path);
    // A browser follows the redirect of a renamed section only if the preflight succeeds.
    let id = editions.setting.formerly.get(id).cloned().unwrap_or_else(|| SectionId::from(id));
    let is_public = |section: &Arc<Section>| section.access.is_none();
    let is_on_request =
        (rest.starts_with("/archive/") || rest == ".opml") && editions.setting.sections.get(&id).is_some_and(is_public);
    let is_listing = [".atom", ".rss", ".json"].iter().any(|end| request.path.ends_with(end))
        && matches!(id.as_str(), "feeds" | TAGS)
        && rest.starts_with('/');
    let edition = editions.edition(request.path).or_else(|| editions.edition(&format!("{id}{rest}")));
    if !is_on_request
        && !is_listing
        && request.path != "feeds.opml"
        && !edition.is_some_and(|edition| edition.is_feed && edition.private.is_none())
    {
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
    add_security_headers(headers);
    response
}

/// Returns the answer that asks for the credentials of a private section, before any document is looked up. So the
/// answer depends only on the form of the address and not on what exists, and newswire renders nothing for strangers.
/// Returns `None` if the address is not that of a private section, or if the request has the credentials.
pub(super) fn locked(editions: &Editions, request: &SiteRequest) -> Option<Response> {
    let (id, rest) = section_of(request.path);
    let section = editions.setting.sections.get(&SectionId::from(id))?;
    let is_locked = is_of_section(rest) && !knows_key(editions, &section.id, request);
    is_locked.then(|| request.finish(unauthorized(editions, &section.id, request, matches!(rest, "" | "/"))))
}

/// Splits a path into its first part, which may be a section's id, and the rest.
fn section_of(path: &str) -> (&str, &str) {
    path.find(['.', '/']).map_or((path, ""), |at| path.split_at(at))
}

/// Answers with an edition, if the reader may read it.
pub(super) async fn edition(editions: &Editions, edition: &Edition, request: &SiteRequest<'_>) -> Response {
    let locked = edition.private.as_ref().filter(|section| !knows_key(editions, section, request));
    let response = match (locked, &edition.moved_to) {
        (Some(section), _) => unauthorized(editions, section, request, edition.media_type == HTML_TYPE),
        (None, Some(to)) => moved(&format!("{}{to}", request.base_path), request.parts),
        (None, None) => match opened(editions, edition, request) {
            Some(section) => begin_session(editions, section, &request.without_token(), request),
            None => of_edition(edition, &request.parts.headers).await,
        },
    };
    request.finish(response)
}

/// Returns the private section whose page is requested with the right `?token=`. Returns `None` for any other request.
/// Feed readers send the token with every request, so they need no session.
fn opened<'e>(editions: &'e Editions, edition: &Edition, request: &SiteRequest) -> Option<&'e Section> {
    let section =
        editions.setting.sections.get(edition.private.as_ref().filter(|_| edition.media_type == HTML_TYPE)?)?;
    let given = request.parameter("token")?;
    section.token().is_some_and(|token| is_same(&given, token.expose_secret())).then_some(section)
}

/// Redirects a reader to `page` with a session cookie, so that the token does not stay in the address.
pub(super) fn begin_session(editions: &Editions, section: &Section, page: &str, request: &SiteRequest) -> Response {
    let mut response = plain(StatusCode::SEE_OTHER, "token accepted\n");
    insert(response.headers_mut(), header::LOCATION, page);
    if let Some(token) = section.token() {
        let cookie =
            session::begin(&editions.setting.session_key, &section.id, token, request.base_path, request.is_secure);
        insert(response.headers_mut(), header::SET_COOKIE, &cookie);
    }
    response
}

async fn of_edition(edition: &Edition, request: &HeaderMap) -> Response {
    let accepted = accepted_coding(request);
    if is_known(edition, request) {
        let coding =
            accepted.filter(|coding| edition.has_coding(*coding).unwrap_or_else(|| has_tag(edition, request, *coding)));
        return with_headers(Response::new(Body::empty()), edition, request, coding, None);
    }
    let coded = match accepted {
        Some(coding) => edition.coded(coding).await.map(|body| (coding, body)),
        None => None,
    };
    let (coding, body) = coded.map_or_else(|| (None, edition.identity.clone()), |(coding, body)| (Some(coding), body));
    let bytes = body.len();
    with_headers(Response::new(Body::from(body)), edition, request, coding, Some(bytes))
}

/// Adds status and headers to the answer with an edition in this coding; `bytes` is the length of the body, `None` for a 304.
fn with_headers(
    mut response: Response,
    edition: &Edition,
    request: &HeaderMap,
    coding: Option<ContentCoding>,
    bytes: Option<usize>,
) -> Response {
    *response.status_mut() = if bytes.is_some() { StatusCode::OK } else { StatusCode::NOT_MODIFIED };
    let headers = response.headers_mut();
    headers.reserve(12);
    match coding {
        Some(coding) => insert(headers, header::ETAG, format!("\"{}-{}\"", edition.etag, coding.name())),
        None => insert(headers, header::ETAG, format!("\"{}\"", edition.etag)),
    }
    if let Some(modified) = edition.last_modified {
        insert(headers, header::LAST_MODIFIED, httpdate::fmt_http_date(modified.datetime().into()));
    }
    insert(headers, header::CACHE_CONTROL, cache_control(edition));
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
    add_security_headers(headers);
    if let Some(bytes) = bytes {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type(edition, request)));
        headers.insert(header::CONTENT_LENGTH, bytes.into());
        if let Some(coding) = coding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
        }
    }
    response
}

/// Returns the Cache-Control of an edition. Caches must revalidate pages and their style every time, usually with a 304, so
/// that readers see every edit at once. Feeds and other editions have a maximum age.
fn cache_control(edition: &Edition) -> String {
    let scope = if edition.private.is_some() { "private" } else { "public" };
    if edition.media_type == HTML_TYPE || edition.media_type.starts_with("text/css") {
        return format!("{scope}, no-cache");
    }
    format!("{scope}, max-age={}, stale-if-error={STALE_IF_ERROR_SECONDS}", MAX_AGE.as_secs())
}

/// Returns the Content-Type of an edition. A feed that is opened in a browser is sent as XML. Its style sheet explains
/// what a feed is, and browsers apply the style sheet only to XML. If they get a feed type, they show the source.
fn media_type(edition: &Edition, request: &HeaderMap) -> &'static str {
    let is_opened = request.get(FETCH_DEST).is_some_and(|destination| destination == "document");
    if is_opened && is_styled(edition) { XML_TYPE } else { edition.media_type }
}

/// Returns whether the edition has a style sheet for browsers.
fn is_styled(edition: &Edition) -> bool {
    [Format::Atom, Format::Rss].iter().any(|format| edition.media_type.starts_with(format.media_type()))
}

/// Returns whether the reader has this edition already. `If-None-Match` takes precedence over `If-Modified-Since`. Any
/// tag of the edition counts, whatever its content coding.
fn is_known(edition: &Edition, request: &HeaderMap) -> bool {
    if request.contains_key(header::IF_NONE_MATCH) {
        return tags(request).any(|tag| tag == "*" || coding_of_tag(edition, tag).is_some());
    }
    let since = request.get(header::IF_MODIFIED_SINCE).and_then(|value| value.to_str().ok());
    let since = since.and_then(|since| httpdate::parse_http_date(since).ok());
    let modified = edition.last_modified.map(|modified| modified.whole_second().datetime().into());
    since.zip(modified).is_some_and(|(since, modified)| since >= modified)
}

/// Returns the tags of `If-None-Match`.
fn tags(request: &HeaderMap) -> impl Iterator<Item = &str> {
    let values = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).map(str::trim)
}

/// Returns the name of the content coding in a tag of the edition; empty if it is the tag of the uncompressed bytes.
/// Returns `None` if it is not a tag of the edition. The comparison is weak, that is, `W/` is ignored.
fn coding_of_tag<'t>(edition: &Edition, tag: &'t str) -> Option<&'t str> {
    let tag = tag.strip_prefix("W/").unwrap_or(tag);
    let coding = tag.strip_prefix('"')?.strip_suffix('"')?.strip_prefix(&*edition.etag)?;
    if coding.is_empty() {
        return Some(coding);
    }
    coding.strip_prefix('-').filter(|name| ContentCoding::ALL.iter().any(|coding| coding.name() == *name))
}

/// Returns whether the reader has the edition in this coding, according to the tags in the request. Returns true if no
/// tag is one of the edition. With this, the edition is not compressed only to find the tag for a 304. A reader that
/// names a tag has the bytes, perhaps from an earlier run of newswire.
fn has_tag(edition: &Edition, request: &HeaderMap, coding: ContentCoding) -> bool {
    let mut known = tags(request).filter_map(|tag| coding_of_tag(edition, tag)).peekable();
    known.peek().is_none() || known.any(|known| known == coding.name())
}

/// Returns the content coding that the reader prefers (RFC 9110 §12.5.3), that is, the one with the highest weight. If
/// several have that weight, returns the one that comes first in [`ContentCoding::ALL`]. Returns `None` if the reader
/// accepts none, or prefers uncompressed bytes.
fn accepted_coding(request: &HeaderMap) -> Option<ContentCoding> {
    let values = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let offers: Vec<_> = values.flat_map(|value| value.split(',')).map(weighted).collect();
    let named =
        |wanted: &str| offers.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, weight)| *weight);
    let any = named("*");
    let weight = |coding: &ContentCoding| named(coding.name()).or(any).unwrap_or(0.0);
    // Of equal weights, `max_by` returns the last.
    let best = ContentCoding::ALL.into_iter().rev().max_by(|one, other| weight(one).total_cmp(&weight(other)))?;
    let least = named("identity").unwrap_or(0.0);
    (weight(&best) > 0.0 && weight(&best) >= least).then_some(best)
}

/// Reads a part of `Accept-Encoding`, such as `gzip;q=0.5`. A weight that is not a number counts as 1.
fn weighted(offer: &str) -> (&str, f32) {
    let (name, parameter) = offer.split_once(';').unwrap_or((offer, ""));
    let (key, value) = parameter.split_once('=').unwrap_or_default();
    let weight =
        value.trim().parse::<f32>().ok().filter(|weight| key.trim().eq_ignore_ascii_case("q") && !weight.is_nan());
    (name.trim(), weight.map_or(1.0, |weight| weight.clamp(0.0, 1.0)))
}

/// Returns whether the request has the credentials of the section. Returns true if the section is public, and false if
/// it does not exist.
fn knows_key(editions: &Editions, section: &SectionId, request: &SiteRequest) -> bool {
    let Some(section) = editions.setting.sections.get(section) else { return false };
    let authorization = request.parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    // Schemes are case-insensitive (RFC 9110 §11.1).
    let (scheme, credentials) = authorization.and_then(|value| value.split_once(' ')).unwrap_or_default();
    let given = |wanted: &str| scheme.eq_ignore_ascii_case(wanted).then(|| credentials.trim().to_owned());
    match &section.access {
        None => true,
        Some(Access::Token(token)) => {
            let is_right = |given: Option<String>| given.is_some_and(|given| is_same(&given, token.expose_secret()));
            is_right(given("bearer"))
                || is_right(request.parameter("token"))
                || session::is_open(&editions.setting.session_key, &section.id, token, &request.parts.headers)
        }
        Some(Access::Basic(basic)) => {
            let pair = format!("{}:{}", basic.user, basic.password.expose_secret());
            given("basic").is_some_and(|given| is_same(&given, &STANDARD.encode(pair)))
        }
    }
}

/// Answers 401 and asks for the credentials of a private section. Browsers prompt for a Basic password; a page with a form asks
/// for a token. Clients that do not accept HTML get a line of text.
pub(super) fn unauthorized(editions: &Editions, section: &SectionId, request: &SiteRequest, is_page: bool) -> Response {
    let access = editions.setting.sections.get(section).and_then(|section| section.access.as_ref());
    let pages = &editions.setting.private_pages;
    let (challenge, page) = match access {
        Some(Access::Basic(_)) => ("Basic realm=\"newswire\", charset=\"UTF-8\"", &pages.asks_for_password),
        _ if request.parts.method == Method::POST => ("Bearer realm=\"newswire\"", &pages.token_is_wrong),
        _ => ("Bearer realm=\"newswire\"", &pages.asks_for_token),
    };
    let accept = request.parts.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    let mut response = plain(StatusCode::UNAUTHORIZED, "this section is private\n");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
    if is_page || accept.is_some_and(|accept| accept.contains("text/html")) {
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML_TYPE));
        response.headers_mut().insert(header::CONTENT_LENGTH, page.len().into());
        *response.body_mut() = Body::from(page.clone());
    }
    response
}

/// Returns the section of a path, which may contain a former id of the section. Returns `None` if there is no such
/// section, or if it has no token.
pub(super) fn section_to_open<'e>(editions: &'e Editions, path: &str) -> Option<&'e Section> {
    let (id, rest) = section_of(path);
    let id = editions.setting.formerly.get(id).cloned().unwrap_or_else(|| SectionId::from(id));
    let section = editions.setting.sections.get(&id).filter(|_| is_of_section(rest))?;
    section.token().map(|_| &**section)
}

/// Answers a request for a path without an edition. It is the path of a page without its slash, of a section that was
/// renamed, removed or not published yet, or of nothing.
pub(super) fn without_edition(editions: &Editions, request: &SiteRequest) -> Response {
    let &SiteRequest { base_path, path, parts, .. } = request;
    let as_page = format!("{path}/");
    let is_page = editions.edition(&as_page).is_some() || list_number(&as_page).is_some();
    if is_page || editions.setting.aliases.contains_key(&as_page) {
        return request.finish(moved(&format!("{base_path}{path}/"), parts));
    }
    let (id, rest) = section_of(path);
    let response = match editions.setting.formerly.get(id) {
        Some(new) if is_of_section(rest) && knows_key(editions, new, request) => {
            let mut response = moved(&format!("{base_path}{new}{rest}"), parts);
            if editions.setting.sections.get(new).is_some_and(|section| section.access.is_none()) {
                response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
            }
            response
        }
        Some(new) if is_of_section(rest) => unauthorized(editions, new, request, rest == "/"),
        _ if is_of_section(rest) && editions.setting.gone.contains(id) => absent(editions, GONE, StatusCode::GONE),
        _ if editions.setting.sections.get(&SectionId::from(id)).is_some_and(|section| has_edition(section, rest)) => {
            unavailable()
        }
        _ => absent(editions, NOT_FOUND, StatusCode::NOT_FOUND),
    };
    request.finish(response)
}

/// Returns whether the rest of a path, after a section's id, has the form of one of the section's editions or pages.
fn is_of_section(rest: &str) -> bool {
    is_edition(rest) || selection_at(rest).is_some() || rest.starts_with("/archive/")
}

/// Returns the selection of a section to which the rest of a path leads, after the section's id.
fn selection_at(rest: &str) -> Option<Selection> {
    let rest = rest.strip_prefix('/')?;
    let (name, rest) = rest.find(['.', '/']).map_or((rest, ""), |at| rest.split_at(at));
    Selection::named(name).filter(|_| matches!(rest, "" | "/" | ".atom" | ".rss" | ".json"))
}

/// Returns whether the rest of a path leads to an edition or page that the section has once it is published.
fn has_edition(section: &Section, rest: &str) -> bool {
    is_edition(rest) || selection_at(rest).is_some_and(|selection| selection.is_of(section))
}

fn is_edition(rest: &str) -> bool {
    matches!(rest, "" | "/" | ".atom" | ".rss" | ".json" | ".opml")
}

/// Answers 404 or 410 with the page that explains the status.
fn absent(editions: &Editions, page: &str, status: StatusCode) -> Response {
    match editions.edition(page) {
        Some(page) => {
            // An error page has no validators, and conditional requests do not apply to it.
            let (body, none) = (page.identity.clone(), HeaderMap::new());
            let bytes = body.len();
            let mut response = with_headers(Response::new(Body::from(body)), page, &none, None, Some(bytes));
            *response.status_mut() = status;
            for name in [header::ETAG, header::LAST_MODIFIED, header::CACHE_CONTROL] {
                response.headers_mut().remove(name);
            }
            response
        }
        None => plain(status, "page not found\n"),
    }
}

/// Redirects permanently. Keeps the query, which may contain the token of a private section.
fn moved(to: &str, request: &Parts) -> Response {
    let mut response = plain(StatusCode::PERMANENT_REDIRECT, "moved permanently\n");
    let to = request.uri.query().map_or_else(|| to.to_owned(), |query| format!("{to}?{query}"));
    insert(response.headers_mut(), header::LOCATION, &to);
    response
}

/// Answers 405: the public site is read-only.
pub(super) fn not_allowed() -> Response {
    let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed; use GET or HEAD\n");
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    response
}

/// Answers 503: the page exists, but cannot be sent now.
pub(super) fn unavailable() -> Response {
    let mut response = plain(StatusCode::SERVICE_UNAVAILABLE, "temporarily unavailable; try again in a minute\n");
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static(RETRY_SECONDS));
    response
}

/// Returns a short answer in plain text that caches do not keep, unless it is a permanent redirect.
pub(super) fn plain(status: StatusCode, text: &'static str) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    insert(response.headers_mut(), header::CONTENT_TYPE, "text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_LENGTH, text.len().into());
    if status != StatusCode::PERMANENT_REDIRECT {
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    add_security_headers(response.headers_mut());
    response
}

/// Adds the header that reserves the rights of text and data mining (TDMRep), if the site reserves them.
pub(super) fn reserve(site: &Site, mut response: Response) -> Response {
    if site.ai.is_some() {
        response.headers_mut().insert("tdm-reservation", HeaderValue::from_static("1"));
    }
    response
}

/// Adds the security headers of every answer: no scripts, no content sniffing, no framing.
pub(super) fn add_security_headers(headers: &mut HeaderMap) {
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
}

/// Inserts a header. Values consist of ids, numbers, dates and configured addresses; one that is not a valid header is omitted.
fn insert(headers: &mut HeaderMap, name: header::HeaderName, value: impl TryInto<HeaderValue>) {
    if let Ok(value) = value.try_into() {
        headers.insert(name, value);
    }
}
