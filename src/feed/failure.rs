//! Why a poll brought no document: a value with all that its sentence needs.
//!
//! A failure has a kind, whose code never changes, and details. It is displayed as one sentence with a hint where there is
//! something to do; nothing compares, stores or takes apart that sentence. What other programs say (the system, an HTTP
//! client, a parser) is one detail, cut to the length of a line.
//!
//! No secret may be in a detail. Of an address that was requested there is only the host. What a document says comes in
//! after `poll` has taken the feed's secrets out.

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

/// What failed in a poll. Displayed as a sentence of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Failure {
    Dns {
        host: Line,
        /// Whether the request was to go through a proxy, whose name it may be.
        proxied: bool,
        why: Line,
    },
    /// The guard refuses the address.
    Address {
        host: Line,
        address: IpAddr,
        port: u16,
        range: AddressRange,
    },
    Port {
        host: Line,
        port: u16,
    },
    /// A name that a proxy would resolve in a network of its own.
    LocalName {
        host: Line,
        port: u16,
    },
    Scheme {
        scheme: Line,
    },
    Connect {
        host: Line,
        /// Whether it was the proxy that did not accept the connection.
        proxied: bool,
        why: Line,
    },
    Tls {
        host: Line,
        fault: TlsFault,
    },
    Timeout {
        host: Line,
        /// Whether it was the proxy that took too long.
        proxied: bool,
        phase: PollPhase,
        after: Duration,
    },
    TooSlow {
        host: Line,
        bytes_per_second: u64,
    },
    TooLarge {
        limit_bytes: u64,
    },
    Status {
        status: u16,
    },
    /// 410: the publisher says that the feed will not come back.
    Gone,
    Redirect {
        host: Line,
        fault: RedirectFault,
    },
    BotWall {
        host: Line,
    },
    Http {
        host: Line,
        fault: HttpFault,
    },
    /// A redirect leads to a host that is left alone, since it asked for that; newswire did not ask it.
    Held {
        host: Line,
        /// `None` if another poll learned of it a moment ago.
        until: Option<Timestamp>,
    },
    File {
        /// The path; the address if it has none.
        path: Line,
        fault: FileFault,
    },
    /// A key of the feed cannot be used as it stands.
    Setting {
        key: FeedKey,
        fault: SettingFault,
    },
    /// The document is no feed.
    Document {
        fault: DocumentFault,
    },
    /// A fault of newswire itself.
    Own {
        fault: OwnFault,
    },
    /// What a store of version 6 or older holds, in its words.
    Old {
        kind: FailureKind,
        words: Line,
    },
}

impl Failure {
    /// Returns the kind, by which failures are stored and counted.
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

    /// Returns the sentence, not yet cut to the length of a line.
    fn sentence(&self) -> String {
        match self {
            Failure::Dns { host, proxied, why } => {
                let or_proxy = if *proxied { " or of its proxy" } else { "" };
                format!("the name of {host}{or_proxy} could not be resolved: {why}")
            }
            Failure::Address { host, address, port, range } => format!(
                "refused to connect to {host} at {address} ({range}); if that is meant, add allow = [\"{}\"] to the feed",
                SocketAddr::new(*address, *port)
            ),
            Failure::Port { host, port } => format!(
                "refused to connect to port {port} of {host}, which is not one of the web (80, 443, 8000 to 8999); \
                 if that is meant, add allow = [\"{host}:{port}\"] to the feed"
            ),
            Failure::LocalName { host, port } => format!(
                "{host} is a local name, which the feed's proxy would look up in its own network; \
                 to permit it, add allow = [\"{host}:{port}\"] to the feed"
            ),
            Failure::Scheme { scheme } => {
                format!("refused to follow the scheme {scheme}:, only http: and https: are fetched")
            }
            Failure::Connect { host, proxied, why } => {
                format!("could not connect to {}{host}: {why}", of_proxy(*proxied))
            }
            Failure::Tls { host, fault } => format!("no secure connection to {host}: {fault}"),
            Failure::Timeout { host, proxied, phase, after } => {
                format!("{}{host} did not {phase} within {}", of_proxy(*proxied), duration::words(*after))
            }
            Failure::TooSlow { host, bytes_per_second } => {
                format!("{host} sends its document more slowly than {bytes_per_second} bytes a second")
            }
            Failure::TooLarge { limit_bytes } => format!(
                "the document is larger than {}; if that is meant, raise max_size of the feed",
                size::words(*limit_bytes)
            ),
            Failure::Status { status } => format!("the server answered {status}{}", status_hint(*status)),
            Failure::Gone => "the publisher says that the feed is gone for good (410)".to_owned(),
            Failure::Redirect { host, fault } => format!("{host} redirects{fault}"),
            Failure::BotWall { host } => {
                format!("{host} keeps programs out with a challenge for browsers; ask the publisher to let newswire in")
            }
            Failure::Http { host, fault } => format!("the answer of {host} could not be read: {fault}"),
            Failure::Held { host, .. } => format!("redirects lead to {host}, which asked to be left alone"),
            Failure::File { path, fault } => fault.sentence(path),
            Failure::Setting { key, fault } => format!("{key} of the feed cannot be used: {fault}"),
            Failure::Own { fault } => format!("{fault}; please report it, with what the log says of this feed"),
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

#[cfg(test)]
mod tests {
    use super::super::fault::WireFault;
    use super::*;

    #[track_caller]
    fn check(failure: Failure, kind: FailureKind, sentence: &str) {
        assert_eq!((failure.kind(), failure.to_string().as_str()), (kind, sentence));
        // As the daemon hands it to a command.
        let json = serde_json::to_string(&failure).unwrap();
        assert_eq!(serde_json::from_str::<Failure>(&json).unwrap(), failure);
    }

    #[test]
    fn failures_of_a_request_read_as_sentences() {
        let (host, why) = (|| Line::from("a.example"), || Line::from("no route"));
        let dns = |proxied| Failure::Dns { host: host(), proxied, why: why() };
        check(dns(false), FailureKind::Dns, "the name of a.example could not be resolved: no route");
        check(dns(true), FailureKind::Dns, "the name of a.example or of its proxy could not be resolved: no route");
        let address =
            Failure::Address { host: host(), address: "::1".parse().unwrap(), port: 80, range: AddressRange::Loopback };
        let message = "refused to connect to a.example at ::1 (loopback); if that is meant, add allow = [\"[::1]:80\"] to the feed";
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
            "the document is larger than 10 MiB; if that is meant, raise max_size of the feed",
        );
        let http = Failure::Http { host: host(), fault: HttpFault::Wire { wire: WireFault::ChunkEnd } };
        check(http, FailureKind::Http, "the answer of a.example could not be read: a chunk does not end with CR LF");
        let unwritten = Failure::Own { fault: OwnFault::Unwritten { why: why() } };
        check(
            unwritten,
            FailureKind::Fault,
            "what it brought could not be written (no route); please report it, with what the log says of this feed",
        );
        let held = Failure::Held { host: host(), until: Some(Timestamp::from_millis(0)) };
        check(held, FailureKind::Held, "redirects lead to a.example, which asked to be left alone");
        let setting =
            Failure::Setting { key: FeedKey::CaFile, fault: SettingFault::NoCertificate { path: "/ca".into() } };
        check(
            setting,
            FailureKind::Setting,
            "ca_file of the feed cannot be used: /ca: it holds no certificate in PEM form",
        );
    }

    #[test]
    fn failure_is_one_line_of_bounded_length_whatever_others_said() {
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
