//! What is wrong with an answer that the HTTP client cannot read.
//!
//! The client names the fault in its own terms, and only as text. `docs/odd-responses.md` lists odd answers and what newswire
//! makes of them.

use crate::feed::WireFault;

/// How what the client says begins, and what it means.
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

/// Returns what the client's reason means; `None` if it is none of those known.
pub(super) fn fault(reason: &str) -> Option<WireFault> {
    REASONS.iter().find(|(said, _)| reason.starts_with(said)).map(|(_, fault)| *fault)
}
