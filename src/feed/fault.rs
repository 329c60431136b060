//! The details of failures: what exactly was wrong, within one kind.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::coded;
use crate::foreign::Line;

coded! {
    /// What a server was asked to do in time.
    PollPhase: Answer {
        Connect "connect" "accept a connection",
        Answer "answer" "answer",
        Body "body" "send its whole document",
    }
}

coded! {
    /// What kind of address the guard refuses.
    AddressRange: NotGlobal {
        ThisNetwork "this_network" "this network",
        Private "private" "private",
        Carrier "carrier" "shared by a carrier",
        Loopback "loopback" "loopback",
        LinkLocal "link_local" "link-local",
        ProtocolAssignments "protocol_assignments" "protocol assignments",
        Documentation "documentation" "documentation",
        Relay6to4 "relay_6to4" "6to4 relay",
        Benchmarking "benchmarking" "benchmarking",
        Multicast "multicast" "multicast",
        Reserved "reserved" "reserved",
        Unspecified "unspecified" "unspecified, or an IPv4 address in disguise",
        LocalNat64 "local_nat64" "local NAT64",
        DiscardOnly "discard_only" "discard only",
        Teredo "teredo" "protocol assignments, Teredo among them",
        Net6to4 "6to4" "6to4",
        SiteLocal "site_local" "site-local",
        NotGlobal "not_global" "not a global address",
        /// The address is global; it is the port that only some networks may use.
        OtherPort "other_port" "a global address, at a port that is open only for some networks",
    }
}

coded! {
    /// A key of a feed that fetching it uses.
    FeedKey: Proxy {
        Proxy "proxy" "proxy",
        CaFile "ca_file" "ca_file",
        Headers "headers" "headers",
        UserAgent "user_agent" "user_agent",
        AcceptLanguage "accept_language" "accept_language",
    }
}

coded! {
    /// How an answer breaks HTTP.
    WireFault: Invalid {
        /// The client reads no more headers, nor longer ones; `fetch` sets the number.
        Head "head" "it has more than 256 headers, or they are too long",
        StatusLine "status_line" "its status line is not valid HTTP",
        Version "version" "it does not begin with HTTP/1.0 or HTTP/1.1",
        Header "header" "a header holds a character that no header may hold",
        Length "length" "its Content-Length is not a plain number, or comes twice with different numbers",
        CodedOld "coded_old" "it has a Transfer-Encoding, which HTTP/1.0 does not know",
        NoHead "no_head" "the connection was closed before the headers were complete",
        Cut "cut" "the connection was closed before the document was complete",
        ChunkSize "chunk_size" "a chunk does not begin with its size in hexadecimal digits and CR LF",
        ChunkEnd "chunk_end" "a chunk does not end with CR LF",
        Trailer "trailer" "the headers after the last chunk are not valid HTTP",
        Invalid "invalid" "it is not valid HTTP",
    }
}

/// Why a server cannot be verified. Displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum TlsFault {
    /// No authority that this system trusts signed its certificate.
    UnknownIssuer,
    Expired,
    NotYetValid,
    OtherName,
    /// This system has no CA certificates.
    NoRoots {
        why: Line,
    },
    /// Anything else, as the TLS library says it.
    Other {
        why: Line,
    },
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFault::UnknownIssuer => f.write_str(
                "nobody whom this system trusts vouches for its certificate; if that is meant, name who does as ca_file",
            ),
            TlsFault::Expired => f.write_str("its certificate has expired"),
            TlsFault::NotYetValid => {
                f.write_str("its certificate is not valid yet; see whether the clock of this machine is right")
            }
            TlsFault::OtherName => f.write_str("its certificate is for another name"),
            TlsFault::NoRoots { why } => write!(
                f,
                "no CA certificates are to be found on this system ({why}); install its package ca-certificates"
            ),
            TlsFault::Other { why } => why.fmt(f),
        }
    }
}

/// Why a redirect cannot be followed. Displayed as what follows `a.example redirects`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum RedirectFault {
    NoTarget,
    NoAddress,
    /// From `https:` to `http:`.
    Downgrade,
    Scheme {
        scheme: Line,
    },
    Circle,
    TooMany {
        most: usize,
    },
}

impl fmt::Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectFault::NoTarget => f.write_str(", but does not say where to"),
            RedirectFault::NoAddress => f.write_str(" to something that is no address"),
            RedirectFault::Downgrade => f.write_str(" from https: to http:, which is not followed"),
            RedirectFault::Scheme { scheme } => write!(f, " to the scheme {scheme}:, which is not followed"),
            RedirectFault::Circle => f.write_str(" in a circle"),
            RedirectFault::TooMany { most } => write!(f, " more than {most} times"),
        }
    }
}

/// Why an answer could not be read. Displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum HttpFault {
    /// It is not valid HTTP.
    Wire {
        wire: WireFault,
    },
    /// It is compressed in a way that newswire did not offer.
    UnknownCoding {
        coding: Line,
    },
    TooManyChunks {
        most: usize,
    },
    BrokeOff {
        why: Line,
    },
    BrokenCoding {
        why: Line,
    },
    /// The decoder panicked.
    DecoderPanic,
    /// Anything else, as the HTTP client says it.
    Other {
        why: Line,
    },
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpFault::Wire { wire } => wire.fmt(f),
            HttpFault::UnknownCoding { coding } => write!(f, "its coding \"{coding}\" was not asked for"),
            HttpFault::TooManyChunks { most } => write!(f, "its document comes in more than {most} chunks"),
            HttpFault::BrokeOff { why } => write!(f, "its document broke off ({why})"),
            HttpFault::BrokenCoding { why } => write!(f, "its coding is broken ({why})"),
            HttpFault::DecoderPanic => f.write_str("its coding is broken (the decoder gave up)"),
            HttpFault::Other { why } => why.fmt(f),
        }
    }
}

/// Why the document of a `file:` feed could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FileFault {
    NoPath,
    NotRegular,
    Unreadable {
        why: Line,
    },
    /// The file system took too long.
    TooSlow,
}

impl FileFault {
    pub(super) fn sentence(&self, path: &Line) -> String {
        match self {
            FileFault::NoPath => format!("{path} is no path on this machine"),
            FileFault::NotRegular => format!("{path} is not a regular file"),
            FileFault::Unreadable { why } => format!("could not read {path}: {why}"),
            FileFault::TooSlow => format!("could not read {path}: the file system took too long"),
        }
    }
}

/// Why a key of a feed cannot be used. Displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum SettingFault {
    NoUrl,
    NoHost,
    BadScheme,
    NoProxy,
    Unreadable {
        path: Line,
        why: Line,
    },
    NoCertificate {
        path: Line,
    },
    HeaderName {
        name: Line,
    },
    HeaderValue,
    /// Anything else, as the HTTP client says it.
    Other {
        why: Line,
    },
}

impl fmt::Display for SettingFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SettingFault::NoUrl => f.write_str("it is not a URL such as socks5h://127.0.0.1:9050"),
            SettingFault::NoHost => f.write_str("its URL has no host"),
            SettingFault::BadScheme => {
                f.write_str("its scheme is none of http, https, socks4, socks4a, socks5 and socks5h")
            }
            SettingFault::NoProxy => f.write_str("it is not one that can be connected to"),
            SettingFault::Unreadable { path, why } => write!(f, "{path}: {why}"),
            SettingFault::NoCertificate { path } => write!(f, "{path}: it holds no certificate in PEM form"),
            SettingFault::HeaderName { name } => write!(f, "\"{name}\" is no name of a header"),
            SettingFault::HeaderValue => f.write_str("it holds characters that no header can carry"),
            SettingFault::Other { why } => why.fmt(f),
        }
    }
}

/// A fault of newswire itself. Displayed as the beginning of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum OwnFault {
    /// A panic over this poll.
    Panic,
    /// A panic over the document.
    ReadingPanic,
    /// The store did not take what the poll brought.
    Unwritten { why: Line },
}

impl fmt::Display for OwnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnFault::Panic => f.write_str("newswire met a fault of its own"),
            OwnFault::ReadingPanic => f.write_str("newswire met a fault of its own while it read the document"),
            OwnFault::Unwritten { why } => write!(f, "what it brought could not be written ({why})"),
        }
    }
}
