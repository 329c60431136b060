//! Why a poll failed. The value contains all details of the message.
//!
//! A failure has a kind, whose code never changes, and details. It is displayed as one sentence, with a hint if there
//! is something to do. Nothing compares, stores or parses that sentence. The message of another program (the system, an
//! HTTP client, a parser) is one detail, cut to the length of a line.
//!
//! No detail may contain a secret. Only the host of a requested address is kept. Text of a document is added only after
//! `poll` has removed the feed's secrets from the text.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::document_fault::DocumentFault;
use super::fault::{
    AddressRange, FeedKey, FileFault, HttpFault, OwnFault, PollPhase, RedirectFault, SettingFault, TlsFault,
};
use super::state::FailureKind;
use crate::duration;
use crate::foreign::{self, Line};
use crate::size;
use crate::time::Timestamp;

/// The failure of a poll. It is displayed as a sentence on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Failure {
    /// The name could not be resolved.
    Dns {
        /// The host.
        host: Line,
        /// Whether the request used a proxy. If so, the name may be that of the proxy.
        proxied: bool,
        /// The system's message.
        why: Line,
    },
    /// The address is not public, and the feed does not allow it.
    Address {
        /// The host.
        host: Line,
        /// The address that the host's name resolved to.
        address: IpAddr,
        /// The port.
        port: u16,
        /// The kind of address.
        range: AddressRange,
    },
    /// The port is not a usual web port, and the feed does not allow it.
    Port {
        /// The host.
        host: Line,
        /// The port.
        port: u16,
    },
    /// The host has a local name, which the feed's proxy would resolve in its own network.
    LocalName {
        /// The host.
        host: Line,
        /// The port.
        port: u16,
    },
    /// The scheme is neither `http:` nor `https:`.
    Scheme {
        /// The scheme.
        scheme: Line,
    },
    /// The connection could not be made.
    Connect {
        /// The host.
        host: Line,
        /// Whether the connection was to the feed's proxy.
        proxied: bool,
        /// The system's message.
        why: Line,
    },
    /// The server could not be verified.
    Tls {
        /// The host.
        host: Line,
        /// What was wrong.
        fault: TlsFault,
    },
    /// A phase of the poll took too long.
    Timeout {
        /// The host.
        host: Line,
        /// Whether it was the proxy that took too long.
        proxied: bool,
        /// The phase.
        phase: PollPhase,
        /// The time limit.
        after: Duration,
    },
    /// The document came too slowly.
    TooSlow {
        /// The host.
        host: Line,
        /// The lowest rate that newswire accepts.
        bytes_per_second: u64,
    },
    /// The document is larger than the feed's `max_size`.
    TooLarge {
        /// The limit.
        limit_bytes: u64,
    },
    /// The server answered with this status, and without a feed.
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// 410: the publisher has removed the feed for good.
    Gone,
    /// A redirect cannot be followed.
    Redirect {
        /// The host that redirects.
        host: Line,
        /// What is wrong.
        fault: RedirectFault,
    },
    /// The server sent a challenge for browsers instead of the document.
    BotWall {
        /// The host.
        host: Line,
    },
    /// The response cannot be read.
    Http {
        /// The host.
        host: Line,
        /// What is wrong.
        fault: HttpFault,
    },
    /// A redirect leads to a host on hold, which must not be polled before a certain time. newswire sent it no request.
    Held {
        /// The host.
        host: Line,
        /// When the hold ends. `None` if another poll caused the hold a moment ago.
        until: Option<Timestamp>,
    },
    /// The document of a `file:` feed cannot be read.
    File {
        /// The path, or the URL if it has no path.
        path: Line,
        /// What is wrong.
        fault: FileFault,
    },
    /// A key of the feed has a value that cannot be used.
    Setting {
        /// The key.
        key: FeedKey,
        /// What is wrong.
        fault: SettingFault,
    },
    /// The document is not a feed.
    Document {
        /// What it is instead.
        fault: DocumentFault,
    },
    /// A fault of newswire itself.
    Own {
        /// The fault.
        fault: OwnFault,
    },
    /// The message of a failure that a store of version 6 or older contains.
    Old {
        /// The kind of the failure.
        kind: FailureKind,
        /// The message.
        words: Line,
    },
}

impl Failure {
    /// Returns the kind of the failure. The failure is stored and counted under this kind.
    pub fn kind(&self) -> FailureKind {
        match self {
            Failure::Dns { .. } => FailureKind::Dns,
            Failure::Address { .. } | Failure::Port { .. } | Failure::LocalName { .. } | Failure::Scheme { .. } => {
                FailureKind::RefusedAddress
            }
            Failure::Connect { .. } => FailureKind::Connect,
            Failure::Tls { .. } => FailureKind::Tls,
            Failure::Timeout { .. } | Failure::TooSlow { .. } => FailureKind::Timeout,
            Failure::TooLarge { .. } => FailureKind::TooLarge,
            Failure::Status { .. } => FailureKind::Status,
            Failure::Gone => FailureKind::Gone,
            Failure::Redirect { .. } => FailureKind::Redirect,
            Failure::BotWall { .. } => FailureKind::BotWall,
            Failure::Http { .. } => FailureKind::Http,
            Failure::Held { .. } => FailureKind::Held,
            Failure::File { .. } => FailureKind::File,
            Failure::Setting { .. } => FailureKind::Setting,
            Failure::Document { fault } => fault.kind(),
            Failure::Own { .. } => FailureKind::Fault,
            Failure::Old { kind, .. } => *kind,
        }
    }

    /// Returns the message before it is cut to the length of a line.
    fn sentence(&self) -> String {
        match self {
            Failure::Dns { host, proxied, why } => {
                let or_proxy = if *proxied { " or of its proxy" } else { "" };
                format!("could not resolve the name of {host}{or_proxy}: {why}")
            }
            Failure::Address { host, address, port, range } => {
                let allow = SocketAddr::new(*address, *port);
                let what = match range {
                    AddressRange::OtherPort => format!("{host} ({address}) is not allowed at port {port}"),
                    _ if host.as_str() == address.to_string() => format!("{address} is not a public address ({range})"),
                    _ => format!("{host} has an address that is not public: {address} ({range})"),
                };
                format!("{what}; to permit it, add allow = [\"{allow}\"] to the feed")
            }
            Failure::Port { host, port } => format!(
                "port {port} of {host} is not a web port (80, 443, 8000 to 8999); \
                 to permit it, add allow = [\"{host}:{port}\"] to the feed"
            ),
            Failure::LocalName { host, port } => format!(
                "{host} is a local name, which the feed's proxy would look up in its own network; \
                 to permit it, add allow = [\"{host}:{port}\"] to the feed"
            ),
            Failure::Scheme { scheme } => {
                format!("cannot fetch {scheme}: addresses, only http: and https: addresses")
            }
            Failure::Connect { host, proxied, why } => {
                format!("could not connect to {}{host}: {why}", of_proxy(*proxied))
            }
            Failure::Tls { host, fault } => format!("could not make a secure connection to {host}: {fault}"),
            Failure::Timeout { host, proxied, phase, after } => {
                format!("{}{host} did not {phase} within {}", of_proxy(*proxied), duration::words(*after))
            }
            Failure::TooSlow { host, bytes_per_second } => {
                format!("{host} is too slow: it sends less than {bytes_per_second} bytes per second")
            }
            Failure::TooLarge { limit_bytes } => format!(
                "the document is larger than {}; to permit it, raise max_size of the feed",
                size::words(*limit_bytes)
            ),
            Failure::Status { status } => status_message(*status),
            Failure::Gone => "the publisher says that the feed is gone for good (410)".to_owned(),
            Failure::Redirect { host, fault } => format!("{host} redirects{fault}"),
            Failure::BotWall { host } => {
                format!("{host} blocks programs with a challenge for browsers; ask the publisher to let newswire in")
            }
            Failure::Http { host, fault } => format!("could not read the response of {host}: {fault}"),
            Failure::Held { host, .. } => format!("the feed redirects to {host}, which asked clients to wait"),
            Failure::File { path, fault } => fault.sentence(path),
            Failure::Setting { key, fault } => format!("{key} of the feed cannot be used: {fault}"),
            Failure::Own { fault } => format!("{fault}; please report it with the log lines of this feed"),
            Failure::Old { words, .. } => words.to_string(),
            Failure::Document { fault } => fault.to_string(),
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&foreign::sentence(&self.sentence()))
    }
}

impl std::error::Error for Failure {}

fn of_proxy(proxied: bool) -> &'static str {
    if proxied { "the proxy for " } else { "" }
}

fn status_message(status: u16) -> String {
    let what = match status {
        204 | 205 => "the server sent no document",
        206 => "the server sent only a part of the document, though newswire requested all of it",
        226 => "the server sent only changes of the document, though newswire requested all of it",
        304 => "the server reported no change to an unconditional request",
        401 => return "the server requires credentials (401); set headers or basic_auth of the feed".to_owned(),
        403 => return "access denied (403); the server may require credentials, or block programs".to_owned(),
        404 => return "not found (404); check whether the feed has moved".to_owned(),
        407 => return "the proxy requires credentials (407); add them to the URL under proxy of the feed".to_owned(),
        429 => "rate limit of the server reached",
        500..=599 => "server error",
        _ => return format!("the server answered {status}"),
    };
    format!("{what} ({status})")
}

#[cfg(test)]
mod tests {
    use super::super::fault::WireFault;
    use super::*;

    #[track_caller]
    fn check(failure: Failure, kind: FailureKind, sentence: &str) {
        assert_eq!((failure.kind(), failure.to_string().as_str()), (kind, sentence));
        // The daemon passes a failure to a command in this form.
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }

    #[test]
    fn failures_of_a_request_read_as_sentences() {
        let (host, why) = (|| Line::from("a.example"), || Line::from("no route"));
        let dns = |proxied| Failure::Dns { host: host(), proxied, why: why() };
        check(dns(false), FailureKind::Dns, "could not resolve the name of a.example: no route");
        check(dns(true), FailureKind::Dns, "could not resolve the name of a.example or of its proxy: no route");
        let address =
            Failure::Address { host: host(), address: "::1".parse().unwrap(), port: 80, range: AddressRange::Loopback };
        let message = "a.example has an address that is not public: ::1 (loopback); to permit it, add allow = [\"[::1]:80\"] to the feed";
        check(address, FailureKind::RefusedAddress, message);
        let connect = |proxied| Failure::Connect { host: host(), proxied, why: why() };
        check(connect(false), FailureKind::Connect, "could not connect to a.example: no route");
        check(connect(true), FailureKind::Connect, "could not connect to the proxy for a.example: no route");
        let after = Duration::from_secs(10);
        let timeout = |proxied, phase| Failure::Timeout { host: host(), proxied, phase, after };
        let late = timeout(false, PollPhase::Body);
        check(late, FailureKind::Timeout, "a.example did not send its whole document within 10 seconds");
        let late = timeout(true, PollPhase::Connect);
        check(late, FailureKind::Timeout, "the proxy for a.example did not accept a connection within 10 seconds");
        let large = Failure::TooLarge { limit_bytes: 10 << 20 };
        check(
            large,
            FailureKind::TooLarge,
            "the document is larger than 10 MiB; to permit it, raise max_size of the feed",
        );
        let http = Failure::Http { host: host(), fault: HttpFault::Wire { wire: WireFault::ChunkEnd } };
        check(http, FailureKind::Http, "could not read the response of a.example: a chunk does not end with CR LF");
        let unwritten = Failure::Own { fault: OwnFault::Unwritten { why: why() } };
        check(
            unwritten,
            FailureKind::Fault,
            "the poll could not be saved (no route); please report it with the log lines of this feed",
        );
        let held = Failure::Held { host: host(), until: Some(Timestamp::from_millis(0)) };
        check(held, FailureKind::Held, "the feed redirects to a.example, which asked clients to wait");
        let setting =
            Failure::Setting { key: FeedKey::CaFile, fault: SettingFault::NoCertificate { path: "/ca".into() } };
        check(setting, FailureKind::Setting, "ca_file of the feed cannot be used: /ca: it contains no PEM certificate");
    }

    #[test]
    fn failure_is_one_line_of_bounded_length_whatever_its_details() {
        let said = format!("a\nERROR forged {}", "x".repeat(20_000));
        let failures = [
            Failure::Dns { host: said.as_str().into(), proxied: true, why: said.as_str().into() },
            Failure::Scheme { scheme: said.as_str().into() },
            Failure::Old { kind: FailureKind::Other, words: said.as_str().into() },
            Failure::Document { fault: DocumentFault::page(&[said.clone(), said.clone()]) },
        ];
        for failure in failures {
            let sentence = failure.to_string();
            assert!(sentence.chars().count() <= 1000 && !sentence.contains('\n'), "{sentence}");
            let kept = serde_json::to_string(&failure).unwrap();
            assert!(kept.len() < 3000, "{kept}");
        }
        let read = format!(r#"{{"what":"scheme","scheme":"{}"}}"#, "x".repeat(20_000));
        let Failure::Scheme { scheme } = serde_json::from_str(&read).unwrap() else { panic!("{read}") };
        assert_eq!(scheme.as_str().chars().count(), 1000);
    }
}
