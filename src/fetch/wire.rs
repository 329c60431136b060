//! What is wrong with an answer that the HTTP client cannot read, in words for an editor.
//!
//! The client names the fault in its own terms, and only as text. `docs/odd-responses.md` lists odd answers and what newswire
//! makes of them.

const HEAD: &str = "it has more than 256 headers, or they are too long";
const STATUS_LINE: &str = "its status line is not valid HTTP";
const VERSION: &str = "it does not begin with HTTP/1.0 or HTTP/1.1";
const HEADER: &str = "a header holds a character that no header may hold";
const LENGTH: &str = "its Content-Length is not a plain number, or comes twice with different numbers";
const CODED_1_0: &str = "it has a Transfer-Encoding, which HTTP/1.0 does not know";
const NO_HEAD: &str = "the connection was closed before the headers were complete";
const CUT: &str = "the connection was closed before the document was complete";
const CHUNK_SIZE: &str = "a chunk does not begin with its size in hexadecimal digits and CR LF";
const CHUNK_END: &str = "a chunk does not end with CR LF";
const TRAILER: &str = "the headers after the last chunk are not valid HTTP";

/// How what the client says begins, and what it means.
const REASONS: [(&str, &str); 20] = [
    ("message head is too large", HEAD),
    ("invalid HTTP status-code", STATUS_LINE),
    ("invalid HTTP version", VERSION),
    ("invalid HTTP header", HEADER),
    ("invalid content-length", LENGTH),
    ("unexpected transfer-encoding", CODED_1_0),
    ("connection closed before message completed", NO_HEAD),
    ("end of file before message length reached", CUT),
    ("unexpected EOF during chunk size line", CUT),
    ("Invalid chunk size", CHUNK_SIZE),
    ("invalid chunk size", CHUNK_SIZE),
    ("invalid chunk extension", CHUNK_SIZE),
    ("chunk extensions over limit", CHUNK_SIZE),
    ("Invalid chunk body", CHUNK_END),
    ("Invalid chunk end", TRAILER),
    ("Invalid trailer end", TRAILER),
    ("chunk trailers", TRAILER),
    ("invalid header name", TRAILER),
    ("Invalid header", TRAILER),
    ("Partial header", TRAILER),
];

/// Returns what the client's reason means; `None` if it is none of those known.
pub(super) fn in_plain_words(reason: &str) -> Option<String> {
    let known = REASONS.iter().find(|(said, _)| reason.starts_with(said));
    known.map(|(_, meant)| (*meant).to_owned())
}
