//! The form by which a reader gives the token of a private section. The token comes in a body, so that no log and no history
//! keeps it.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use http::StatusCode;
use hyper::body::Incoming;
use secrecy::ExposeSecret;

use super::answer::{Asked, begin_session, not_allowed, plain, section_to_open, unauthorized};
use super::session::is_same;
use crate::publish::Editions;

/// The longest form: tokens are some dozens of characters.
const FORM_BYTES: usize = 4096;

/// How long a form may take to arrive, as long as a request's headers.
const FORM_TIMEOUT: Duration = Duration::from_secs(10);

/// Answers a POST: with a session if the form holds the token of the private section that has this path.
pub async fn enter(editions: &Editions, asked: &Asked<'_>, body: Incoming) -> Response {
    let Some(section) = section_to_open(editions, asked.path()) else { return not_allowed() };
    let token = match tokio::time::timeout(FORM_TIMEOUT, to_bytes(Body::new(body), FORM_BYTES)).await {
        Ok(Ok(form)) => {
            url::form_urlencoded::parse(&form).find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
        }
        Ok(Err(_)) => return plain(StatusCode::PAYLOAD_TOO_LARGE, "no token is so long\n"),
        Err(_) => return plain(StatusCode::REQUEST_TIMEOUT, "the form did not arrive in time\n"),
    };
    let is_right = |expected: &str| token.is_some_and(|token| is_same(token.trim(), expected));
    if section.token().is_some_and(|expected| is_right(expected.expose_secret())) {
        let page = format!("{}{}/", asked.base_path(), section.id);
        begin_session(editions, section, &page, asked)
    } else {
        unauthorized(editions, &section.id, asked, true)
    }
}
