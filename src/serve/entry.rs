//! Answers the form in which a reader enters the token of a private section. The token comes in the request's body, so
//! that it is in no log and no browser history.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::StatusCode;
use hyper::body::Incoming;
use secrecy::ExposeSecret;

use super::answer::{SiteRequest, begin_session, not_allowed, plain, section_to_open, unauthorized};
use super::session::is_same;
use crate::publish::Editions;

/// The largest form: tokens have a few dozen characters.
const FORM_BYTES: usize = 4096;

/// How long a form may take to arrive. The headers of a request may take as long.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers a POST request. Begins a session if the form has the token of the private section at this path.
pub(super) async fn enter(editions: &Editions, request: &SiteRequest<'_>, body: Incoming) -> Response {
    let Some(section) = section_to_open(editions, request.path()) else { return not_allowed() };
    let token = match tokio::time::timeout(FORM_TIMEOUT, to_bytes(Body::new(body), FORM_BYTES)).await {
        Ok(Ok(form)) => {
            url::form_urlencoded::parse(&form).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
        }
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "token too long\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time\n"),
    };
    let is_right = |expected: &str| token.is_some_and(|token| is_same(token.trim(), expected));
    if section.token().is_some_and(|expected| is_right(expected.expose_secret())) {
        let page = format!("{}{}/", request.base_path(), section.id);
        begin_session(editions, section, &page, request)
    } else {
        unauthorized(editions, &section.id, request, true)
    }
}
