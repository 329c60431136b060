//! Why a poll brought no document: one kind for each thing that an editor would do something different about.

use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;

use crate::duration;
use crate::feed::FailureKind;
use crate::time::Timestamp;

/// Each message is one sentence with a hint where there is something to do. None holds a path, a query, userinfo, a
/// header or a byte of the body, so that no secret can be in it.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum FetchError {
    #[error("the name of {host} could not be resolved: {why}")]
    Dns { host: String, why: String },
    #[error(
        "refused to connect to {host} at {address} ({range}); if that is meant, add allow = [\"{}\"] to the feed",
        opening(*address, *port)
    )]
    Address { host: String, address: IpAddr, port: u16, range: &'static str },
    #[error(
        "refused to connect to port {port} of {host}, which is not one of the web (80, 443, 8000 to 8999); \
         if that is meant, add allow = [\"{host}:{port}\"] to the feed"
    )]
    Port { host: String, port: u16 },
    /// A name that a proxy would resolve in a network of its own.
    #[error(
        "{host} is a local name, which the feed's proxy would look up in its own network; \
         to permit it, add allow = [\"{host}:{port}\"] to the feed"
    )]
    LocalName { host: String, port: u16 },
    #[error("refused to follow the scheme {scheme}:, only http: and https: are fetched")]
    Scheme { scheme: String },
    #[error("could not connect to {host}: {why}")]
    Connect { host: String, why: String },
    #[error("no secure connection to {host}: {why}")]
    Tls { host: String, why: String },
    #[error("{host} did not {phase} within {}", duration::words(*after))]
    Timeout { host: String, phase: &'static str, after: Duration },
    #[error("{host} sends its document more slowly than {bytes_per_second} bytes a second")]
    TooSlow { host: String, bytes_per_second: u64 },
    #[error("the document is larger than {}; if that is meant, raise max_size of the feed", size(*limit_bytes))]
    TooLarge { limit_bytes: u64 },
    #[error("the server answered {status}{}", status_hint(*status))]
    Status { status: u16 },
    /// 410: the publisher says that the feed will not come back.
    #[error("the publisher says that the feed is gone for good (410)")]
    Gone,
    #[error("{why}")]
    Redirect { why: String },
    #[error("{host} keeps programs out with a challenge for browsers; ask the publisher to let newswire in")]
    BotWall { host: String },
    #[error("the answer of {host} could not be read: {why}")]
    Http { host: String, why: String },
    /// A redirect leads to a host that is left alone, since it asked for that; it was not asked.
    #[error("redirects lead to {host}, which asked to be left alone")]
    Held {
        host: String,
        /// `None` where it was told by another poll a moment ago.
        until: Option<Timestamp>,
    },
    #[error("{why}")]
    File { why: String },
    /// A key of the feed cannot be used as it stands.
    #[error("{key} of the feed cannot be used: {why}")]
    Setting { key: &'static str, why: String },
}

impl FetchError {
    /// The kind, for the poll log and for `feeds`.
    pub fn kind(&self) -> FailureKind {
        match self {
            FetchError::Dns { .. } => FailureKind::Dns,
            FetchError::Address { .. }
            | FetchError::Port { .. }
            | FetchError::LocalName { .. }
            | FetchError::Scheme { .. } => FailureKind::RefusedAddress,
            FetchError::Connect { .. } => FailureKind::Connect,
            FetchError::Tls { .. } => FailureKind::Tls,
            FetchError::Timeout { .. } | FetchError::TooSlow { .. } => FailureKind::Timeout,
            FetchError::TooLarge { .. } => FailureKind::TooLarge,
            FetchError::Status { .. } => FailureKind::Status,
            FetchError::Gone => FailureKind::Gone,
            FetchError::Redirect { .. } => FailureKind::Redirect,
            FetchError::BotWall { .. } => FailureKind::BotWall,
            FetchError::Http { .. } => FailureKind::Http,
            FetchError::Held { .. } => FailureKind::Held,
            FetchError::File { .. } => FailureKind::File,
            FetchError::Setting { .. } => FailureKind::Setting,
        }
    }

    /// Whether our own network may be what failed: the request never reached a server.
    pub fn is_unreachable(&self) -> bool {
        match self {
            FetchError::Dns { .. } | FetchError::Connect { .. } => true,
            // A poll with a short `timeout` ends before the connection is given up.
            FetchError::Timeout { phase, after, .. } => {
                *phase == CONNECT || (*phase == ANSWER && *after <= CONNECT_TIMEOUT)
            }
            _ => false,
        }
    }

    /// Whether a server answered, and the whole answer came.
    pub fn is_answer(&self) -> bool {
        matches!(
            self,
            FetchError::Status { .. }
                | FetchError::Gone
                | FetchError::Redirect { .. }
                | FetchError::BotWall { .. }
                | FetchError::TooLarge { .. }
        )
    }
}

/// The phases of a request, as a timeout names them.
pub(super) const CONNECT: &str = "accept a connection";
pub(super) const ANSWER: &str = "answer";
pub(super) const BODY: &str = "send its whole document";

/// For a connection with its TLS handshake; a dead address among several costs 300 ms of it (RFC 8305).
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How the address is written in an `allow` list.
fn opening(address: IpAddr, port: u16) -> String {
    std::net::SocketAddr::new(address, port).to_string()
}

/// As it is written in the TOML.
fn size(bytes: u64) -> String {
    let units = [("MiB", 1024 * 1024), ("KiB", 1024), ("bytes", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| bytes.is_multiple_of(*size)).unwrap_or(("bytes", 1));
    format!("{} {unit}", bytes / size)
}

/// What the system says, without its number.
pub(super) fn reason(error: &dyn Error) -> String {
    let text = error.to_string();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
    text.split(" (os error").next().unwrap_or(text).to_owned()
}

/// The innermost reason: those around it only repeat what was tried, and name the whole URL.
pub(super) fn root_cause(error: &reqwest::Error) -> String {
    causes(error).last().map_or_else(|| "the request could not be made".to_owned(), reason)
}

/// What led to the error, the outermost reason first.
pub(super) fn causes(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    let mut next = error.source();
    std::iter::from_fn(move || {
        let cause = next?;
        next = cause.source();
        Some(cause)
    })
}

fn status_hint(status: u16) -> &'static str {
    match status {
        204 | 205 => " (there is no document)",
        206 => " (a part of the document, which nobody asked for)",
        226 => " (what has changed of the document, which nobody asked for)",
        304 => " to a request without conditions",
        401 => " (it wants credentials: see headers and basic_auth of the feed)",
        407 => " (the proxy wants credentials: write them into the URL under proxy of the feed)",
        403 => " (forbidden: it may want credentials, or keep programs out)",
        404 => " (not found: see whether the feed has moved)",
        429 => " (too many requests)",
        500..=599 => " (trouble of its own)",
        _ => "",
    }
}
