//! The details of failures: what exactly was wrong.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::coded;
use crate::foreign::Line;

coded! {
    /// A phase of a poll that has a time limit, with what the server must do in this phase.
    PollPhase: Answer {
        Connect "connect" "accept a connection",
        Answer "answer" "answer",
        Body "body" "send its whole document",
    }
}

coded! {
    /// A kind of address that newswire does not connect to.
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
        Unspecified "unspecified" "unspecified, or an IPv4-compatible IPv6 address",
        LocalNat64 "local_nat64" "local NAT64",
        DiscardOnly "discard_only" "discard only",
        Teredo "teredo" "protocol assignments, Teredo among them",
        Net6to4 "6to4" "6to4",
        SiteLocal "site_local" "site-local",
        NotGlobal "not_global" "not a global address",
        /// The address is public, but the feed's `allow` opens this port only for other addresses.
        OtherPort "other_port" "a global address, at a port that is open only for some networks",
    }
}

coded! {
    /// A key of a feed that affects fetching.
    FeedKey: Proxy {
        Proxy "proxy" "proxy",
        CaFile "ca_file" "ca_file",
        Headers "headers" "headers",
        UserAgent "user_agent" "user_agent",
        AcceptLanguage "accept_language" "accept_language",
    }
}

coded! {
    /// How a response violates HTTP.
    WireFault: Invalid {
        /// The response has more headers than the client reads, or longer ones. `fetch` sets the number in the message.
        Head "head" "it has more than 256 headers, or they are too long",
        StatusLine "status_line" "its status line is not valid HTTP",
        Version "version" "it does not begin with HTTP/1.0 or HTTP/1.1",
        Header "header" "a header contains an invalid character",
        Length "length" "its Content-Length is not a plain number, or comes twice with different numbers",
        CodedOld "coded_old" "it has a Transfer-Encoding, which HTTP/1.0 does not support",
        NoHead "no_head" "the connection was closed before the headers were complete",
        Cut "cut" "the connection was closed before the document was complete",
        ChunkSize "chunk_size" "a chunk does not begin with its size in hexadecimal digits and CR LF",
        ChunkEnd "chunk_end" "a chunk does not end with CR LF",
        Trailer "trailer" "the headers after the last chunk are not valid HTTP",
        Invalid "invalid" "it is not valid HTTP",
    }
}

/// Why a server cannot be verified. It is displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum TlsFault {
    /// The certificate is signed by an unknown authority.
    UnknownIssuer,
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another name.
    OtherName,
    /// This system has no CA certificates.
    NoRoots {
        /// The system's message.
        why: Line,
    },
    /// Any other fault, as the TLS library reports it.
    Other {
        /// The message.
        why: Line,
    },
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TlsFault::UnknownIssuer => {
                f.write_str("certificate signed by an unknown authority; if you trust it, set ca_file")
            }
            TlsFault::Expired => f.write_str("its certificate has expired"),
            TlsFault::NotYetValid => f.write_str("its certificate is not valid yet; check the clock of this machine"),
            TlsFault::OtherName => f.write_str("its certificate is for another name"),
            TlsFault::NoRoots { why } => {
                write!(f, "no CA certificates found on this system ({why}); install the package ca-certificates")
            }
            TlsFault::Other { why } => why.fmt(f),
        }
    }
}

/// Why a redirect cannot be followed. It is displayed as the words after `a.example redirects`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum RedirectFault {
    /// The response has no `Location`.
    NoTarget,
    /// The target is not a valid address.
    NoAddress,
    /// The redirect leads from `https:` to `http:`.
    Downgrade,
    /// The target is neither `http:` nor `https:`.
    Scheme {
        /// The scheme.
        scheme: Line,
    },
    /// The redirects lead back to an address that was already requested.
    Circle,
    /// There are too many redirects.
    TooMany {
        /// The most redirects that are followed.
        most: usize,
    },
}

impl fmt::Display for RedirectFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RedirectFault::NoTarget => f.write_str(" without an address"),
            RedirectFault::NoAddress => f.write_str(" to an invalid address"),
            RedirectFault::Downgrade => f.write_str(" from https: to http:, which newswire does not follow"),
            RedirectFault::Scheme { scheme } => write!(f, " to the scheme {scheme}:, which newswire does not follow"),
            RedirectFault::Circle => f.write_str(" in a loop"),
            RedirectFault::TooMany { most } => write!(f, " more than {most} times"),
        }
    }
}

/// Why a response could not be read. It is displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum HttpFault {
    /// The response is not valid HTTP.
    Wire {
        /// What is invalid.
        wire: WireFault,
    },
    /// The response is compressed with a method (`Content-Encoding`) that newswire did not request.
    UnknownCoding {
        /// The value of `Content-Encoding`.
        coding: Line,
    },
    /// The document has too many chunks.
    TooManyChunks {
        /// The most chunks that are read.
        most: usize,
    },
    /// The connection ended before the document did.
    BrokeOff {
        /// The HTTP client's message.
        why: Line,
    },
    /// The document cannot be decompressed.
    BrokenCoding {
        /// The decoder's message.
        why: Line,
    },
    /// The decoder panicked.
    DecoderPanic,
    /// Any other fault, as the HTTP client reports it.
    Other {
        /// The message.
        why: Line,
    },
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HttpFault::Wire { wire } => wire.fmt(f),
            HttpFault::UnknownCoding { coding } => write!(f, "its Content-Encoding \"{coding}\" was not requested"),
            HttpFault::TooManyChunks { most } => write!(f, "its document has more than {most} chunks"),
            HttpFault::BrokeOff { why } => write!(f, "its document was cut off ({why})"),
            HttpFault::BrokenCoding { why } => write!(f, "its document could not be decompressed ({why})"),
            HttpFault::DecoderPanic => {
                f.write_str("its document could not be decompressed (internal error in the decompressor)")
            }
            HttpFault::Other { why } => why.fmt(f),
        }
    }
}

/// Why the document of a `file:` feed could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum FileFault {
    /// The address has no path on this machine.
    NoPath,
    /// The path is not a regular file.
    NotRegular,
    /// The file cannot be read.
    Unreadable {
        /// The system's message.
        why: Line,
    },
    /// The file system took too long.
    TooSlow,
}

impl FileFault {
    pub(super) fn sentence(&self, path: &Line) -> String {
        match self {
            FileFault::NoPath => format!("{path} is not a path on this machine"),
            FileFault::NotRegular => format!("{path} is not a regular file"),
            FileFault::Unreadable { why } => format!("could not read {path}: {why}"),
            FileFault::TooSlow => format!("could not read {path}: the file system took too long"),
        }
    }
}

/// Why a key of a feed cannot be used. It is displayed as a reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum SettingFault {
    /// The proxy is not a URL.
    NoUrl,
    /// The proxy's URL has no host.
    NoHost,
    /// The scheme of the proxy's URL is not supported.
    BadScheme,
    /// newswire cannot connect to the proxy.
    NoProxy,
    /// The file cannot be read.
    Unreadable {
        /// The file.
        path: Line,
        /// The system's message.
        why: Line,
    },
    /// The file contains no PEM certificate.
    NoCertificate {
        /// The file.
        path: Line,
    },
    /// The name is not a valid header name.
    HeaderName {
        /// The name.
        name: Line,
    },
    /// The value has characters that a header cannot have.
    HeaderValue,
    /// Any other fault, as the HTTP client reports it.
    Other {
        /// The message.
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
            SettingFault::NoProxy => f.write_str("newswire cannot connect to it"),
            SettingFault::Unreadable { path, why } => write!(f, "{path}: {why}"),
            SettingFault::NoCertificate { path } => write!(f, "{path}: it contains no PEM certificate"),
            SettingFault::HeaderName { name } => write!(f, "\"{name}\" is not a valid header name"),
            SettingFault::HeaderValue => f.write_str("it contains characters that a header cannot have"),
            SettingFault::Other { why } => why.fmt(f),
        }
    }
}

/// A fault of newswire itself. It is displayed as the beginning of a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum OwnFault {
    /// newswire panicked in this poll.
    Panic,
    /// newswire panicked while it read the document.
    ReadingPanic,
    /// The store could not save the poll.
    Unwritten {
        /// The store's message.
        why: Line,
    },
}

impl fmt::Display for OwnFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OwnFault::Panic => f.write_str("internal error in newswire"),
            OwnFault::ReadingPanic => f.write_str("internal error in newswire while it read the document"),
            OwnFault::Unwritten { why } => write!(f, "the poll could not be saved ({why})"),
        }
    }
}
