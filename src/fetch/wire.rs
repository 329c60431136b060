//! Says what is wrong with an answer that the HTTP client cannot read.
//!
//! The client describes the problem only in a text of its own. `docs/odd-responses.md` lists odd answers and how
//! newswire handles them.

use crate::feed::WireFault;

/// The beginnings of the client's messages, and what they mean.
const REASONS: [(&str, WireFault); 20] = [
    ("message head is too large", WireFault::Head),
    ("invalid HTTP status-code", WireFault::StatusLine),
    ("invalid HTTP version", WireFault::Version),
    ("invalid HTTP header", WireFault::Header),
    ("invalid content-length", WireFault::Length),
    ("unexpected transfer-encoding", WireFault::CodedOld),
    ("connection closed before message completed", WireFault::NoHead),
    ("end of file before message length reached", WireFault::Cut),
    ("unexpected EOF during chunk size line", WireFault::Cut),
    ("Invalid chunk size", WireFault::ChunkSize),
    ("invalid chunk size", WireFault::ChunkSize),
    ("invalid chunk extension", WireFault::ChunkSize),
    ("chunk extensions over limit", WireFault::ChunkSize),
    ("Invalid chunk body", WireFault::ChunkEnd),
    ("Invalid chunk end", WireFault::Trailer),
    ("Invalid trailer end", WireFault::Trailer),
    ("chunk trailers", WireFault::Trailer),
    ("invalid header name", WireFault::Trailer),
    ("Invalid header", WireFault::Trailer),
    ("Partial header", WireFault::Trailer),
];

/// Returns the meaning of the client's message. Returns `None` if the message is unknown.
pub(super) fn fault(reason: &str) -> Option<WireFault> {
    REASONS.iter().find(|(message, _)| reason.starts_with(message)).map(|(_, fault)| *fault)
}
