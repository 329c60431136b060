//! Unusual and invalid HTTP answers, as servers, firewalls and scripts send them: whether newswire and curl can read
//! them.
//!
//! The tables in `docs/odd-responses.md` show the results.

use std::process::Command;

use newswire::fetch::Fetched;

use crate::fetch::first_poll;
use crate::fetch::limits::CODINGS;
use crate::support::feeds::feed;
use crate::support::origin::{Origin, Reply};

const READS: &str = "reads it";
const OTHER: &str = "reads other bytes";

/// The document that the answers contain.
const BODY: &str = "<rss version=\"2.0\"><channel><title>T</title><link>https://a.example/</link><description>d</description></channel></rss>\n";

/// An answer, and its name in `docs/odd-responses.md`.
struct Odd {
    what: &'static str,
    bytes: Vec<u8>,
}

fn odd(what: &'static str, bytes: impl Into<Vec<u8>>) -> Odd {
    Odd { what, bytes: bytes.into() }
}

/// Returns a normal answer with these bytes among its headers.
fn headers(lines: impl AsRef<[u8]>) -> Vec<u8> {
    let length = format!("Content-Type: text/xml\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len());
    [b"HTTP/1.1 200 OK\r\nServer: a\r\n", lines.as_ref(), length.as_bytes()].concat()
}

/// Returns a normal answer with this status line.
fn status(line: impl AsRef<[u8]>) -> Vec<u8> {
    [line.as_ref(), format!("\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len()).as_bytes()].concat()
}

/// Returns a normal answer with these header lines for its length. In `lines`, `{n}` stands for the length.
fn length(lines: &str) -> String {
    let lines = lines.replace("{n}", &BODY.len().to_string());
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n{BODY}")
}

/// Returns a chunked answer with this body. In `body`, `{n}` stands for the size of the document in hexadecimal digits,
/// and `{body}` for the document.
fn chunked(body: &str) -> String {
    let body = body.replace("{n}", &format!("{:x}", BODY.len())).replace("{body}", BODY);
    format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{body}")
}

/// Returns an answer with these header lines and this body, which is the compressed document.
fn coded(lines: &str, body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\n{lines}\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

fn encoded(name: &str) -> Vec<u8> {
    let (_, encode) = CODINGS.into_iter().find(|(coding, _)| *coding == name).unwrap();
    encode(BODY.as_bytes())
}

fn header_lines() -> Vec<Odd> {
    let many = |count: usize| headers((0..count).map(|n| format!("X-{n}: 1\r\n")).collect::<String>());
    let long = |bytes: usize| headers(format!("X-Long: {}\r\n", "a".repeat(bytes)));
    let line_ends = |end: &str| String::from_utf8(headers("X-A: 1\r\n")).unwrap().replace("\r\n", end);
    vec![
        odd("a cookie with the character DEL", headers("Set-Cookie: a=\x7fb\r\n")),
        odd("a cookie with the control character 01", headers("Set-Cookie: a=\x01b\r\n")),
        odd("a NUL in a header's value", headers("X-A: a\0b\r\n")),
        odd("a PHP warning among the headers", headers("PHP Warning:  Unknown: cannot open in Unknown on line 0\r\n")),
        odd("a line of HTML among the headers", headers("<br />\r\n")),
        odd("a slash in a header's name", headers("Content/type: text/xml\r\n")),
        odd("quotes in a header's name", headers("X\"A\": 1\r\n")),
        odd("a blank before the colon", headers("X-A : 1\r\n")),
        odd("a tab before the colon", headers("X-A\t: 1\r\n")),
        odd("a blank inside a header's name", headers("X A: 1\r\n")),
        odd("a blank before the colon of Content-Length", length("Content-Length : {n}")),
        odd("a header folded with a blank", headers("X-A: a\r\n b\r\n")),
        odd("a header folded with a tab", headers("X-A: a\r\n\tb\r\n")),
        odd("a Content-Type folded before its charset", headers("Content-Type: text/xml;\r\n charset=utf-8\r\n")),
        odd("a first header line that begins with a blank", status("HTTP/1.1 200 OK\r\n X-A: 1")),
        odd("150 headers", many(150)),
        odd("600 headers", many(600)),
        odd("a header without a name", headers(": 1\r\n")),
        odd("a header without a value", headers("X-A:\r\n")),
        odd("a header's name in UTF-8", headers("X-Größe: 1\r\n")),
        odd("a header's value in Latin-1", headers(b"X-A: Gr\xF6\xDFe\r\n")),
        odd("a header of 20 KB", long(20_000)),
        odd("a header of 90 KB", long(90_000)),
        odd("a header of 3 MB", long(3_000_000)),
        odd("headers that end in LF only", line_ends("\n")),
        odd("headers that end in CR only", line_ends("\r")),
        odd("a CR inside a header's value", headers("X-A: a\rb\r\n")),
        odd("two CRs before an LF", headers("X-A: a\r\r\n")),
    ]
}

fn status_lines() -> Vec<Odd> {
    vec![
        odd("a status line without a reason", status("HTTP/1.1 200")),
        odd("a status line with a blank for the reason", status("HTTP/1.1 200 ")),
        odd("a reason in Latin-1", status(b"HTTP/1.1 200 Tr\xE8s bien")),
        odd("a reason with a control character", status("HTTP/1.1 200 O\x01K")),
        odd("HTTP/1.0 without a length", format!("HTTP/1.0 200 OK\r\n\r\n{BODY}")),
        odd("HTTP/1.0 with Content-Length", status("HTTP/1.0 200 OK")),
        odd("http/1.1 in lower case", status("http/1.1 200 OK")),
        odd("two blanks before the status", status("HTTP/1.1  200 OK")),
        odd("HTTP/1.2", status("HTTP/1.2 200 OK")),
        odd("HTTP/2 in a status line", status("HTTP/2 200 OK")),
        odd("a status line of Shoutcast (ICY)", status("ICY 200 OK")),
        odd("a status of two digits", status("HTTP/1.1 20 OK")),
        odd("a status of four digits", status("HTTP/1.1 2000 OK")),
        odd("no status line at all (HTTP/0.9)", BODY),
        odd("an empty line before the status line", status("\r\nHTTP/1.1 200 OK")),
        odd("a 100 Continue first", status("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")),
        odd(
            "a 103 with a line that is no header first",
            status("HTTP/1.1 103 Early Hints\r\nLink/x: 1\r\n\r\nHTTP/1.1 200 OK"),
        ),
        odd("nothing at all", ""),
        odd("half a header", "HTTP/1.1 200 OK\r\nContent-Le"),
    ]
}

fn lengths() -> Vec<Odd> {
    let cut = |length: i64| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{BODY}", BODY.len() as i64 + length);
    vec![
        odd("no length: the end is where the connection ends", format!("HTTP/1.1 200 OK\r\n\r\n{BODY}")),
        odd("Content-Length with a plus sign", length("Content-Length: +{n}")),
        odd("Content-Length with zeros before it", length("Content-Length: 000{n}")),
        odd("Content-Length twice, alike", length("Content-Length: {n}\r\nContent-Length: {n}")),
        odd("Content-Length twice in one line, alike", length("Content-Length: {n}, {n}")),
        odd("Content-Length twice, unlike", length("Content-Length: {n}\r\nContent-Length: 9{n}")),
        odd("Content-Length below zero", length("Content-Length: -{n}")),
        odd("an empty Content-Length", length("Content-Length:")),
        odd("Content-Length that is a word", length("Content-Length: unknown")),
        odd("Content-Length with a unit", length("Content-Length: {n} bytes")),
        odd("Content-Length with a decimal", length("Content-Length: {n}.0")),
        odd("Content-Length beyond all numbers", length("Content-Length: 99999999999999999999999")),
        odd("Content-Length larger than the document", cut(50)),
        odd(
            "Content-Length and chunks, both right",
            chunked("{n}\r\n{body}\r\n0\r\n\r\n").replacen(
                "\r\n",
                &format!("\r\nContent-Length: {}\r\n", BODY.len()),
                1,
            ),
        ),
        odd(
            "Content-Length that is wrong, and chunks",
            chunked("{n}\r\n{body}\r\n0\r\n\r\n").replacen("\r\n", "\r\nContent-Length: 5\r\n", 1),
        ),
        odd("a line that is no header before Content-Length", length("Oops\r\nContent-Length: {n}")),
    ]
}

fn chunks() -> Vec<Odd> {
    let renamed = |header: &str| chunked("{n}\r\n{body}\r\n0\r\n\r\n").replace("Transfer-Encoding: chunked", header);
    let one_oh = chunked("{n}\r\n{body}\r\n0\r\n\r\n").replace("HTTP/1.1", "HTTP/1.0");
    vec![
        odd("chunk sizes that end in LF only", chunked("{n}\n{body}\r\n0\r\n\r\n")),
        odd("chunks whose every line ends in LF only", chunked("{n}\n{body}\n0\n\n")),
        odd("a chunk that ends in LF only", chunked("{n}\r\n{body}\n0\r\n\r\n")),
        odd("a chunk that ends without a line end", chunked("{n}\r\n{body}0\r\n\r\n")),
        odd("a last chunk without the empty line", chunked("{n}\r\n{body}\r\n0\r\n")),
        odd("no last chunk", chunked("{n}\r\n{body}\r\n")),
        odd("a chunk that is cut off", chunked("9{n}\r\n{body}")),
        odd("blanks after a chunk's size", chunked("{n}   \r\n{body}\r\n0\r\n\r\n")),
        odd("blanks before a chunk's size", chunked("  {n}\r\n{body}\r\n0\r\n\r\n")),
        odd("zeros before a chunk's size", chunked("00000{n}\r\n{body}\r\n0\r\n\r\n")),
        odd("0x before a chunk's size", chunked("0x{n}\r\n{body}\r\n0\r\n\r\n")),
        odd("a chunk with an extension", chunked("{n};name=value\r\n{body}\r\n0\r\n\r\n")),
        odd("a chunk's size that is no number", chunked("size\r\n{body}\r\n0\r\n\r\n")),
        odd("a chunk's size beyond all numbers", chunked("ffffffffffffffffff\r\n{body}\r\n0\r\n\r\n")),
        odd("an empty line before the first chunk", chunked("\r\n{n}\r\n{body}\r\n0\r\n\r\n")),
        odd("trailers after the last chunk", chunked("{n}\r\n{body}\r\n0\r\nX-A: 1\r\n\r\n")),
        odd("a trailer that is no header", chunked("{n}\r\n{body}\r\n0\r\nX/A 1\r\n\r\n")),
        odd("chunks that are announced, but not sent", chunked("{body}")),
        odd("Transfer-Encoding: Chunked", renamed("Transfer-Encoding: Chunked")),
        odd("Transfer-Encoding: chunked, twice", renamed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked")),
        odd("Transfer-Encoding: chunked, chunked in one line", renamed("Transfer-Encoding: chunked, chunked")),
        odd("Transfer-Encoding: identity", length("Transfer-Encoding: identity")),
        odd("chunks in HTTP/1.0", one_oh),
    ]
}

fn codings() -> Vec<Odd> {
    let gzip = encoded("gzip");
    let raw_deflate = {
        let zlib = encoded("deflate");
        zlib[2..zlib.len() - 4].to_vec()
    };
    vec![
        odd("gzip", coded("Content-Encoding: gzip", &gzip)),
        odd("gzip in capitals", coded("Content-Encoding: GZIP", &gzip)),
        odd("x-gzip", coded("Content-Encoding: x-gzip", &gzip)),
        odd("gzip announced, but plain text sent", coded("Content-Encoding: gzip", BODY.as_bytes())),
        odd("gzip sent, but not announced", coded("X-A: 1", &gzip)),
        odd("gzip announced twice, done once", coded("Content-Encoding: gzip\r\nContent-Encoding: gzip", &gzip)),
        odd(
            "gzip done twice",
            coded("Content-Encoding: gzip, gzip", &{
                let (_, encode) = CODINGS[0];
                encode(&gzip)
            }),
        ),
        odd("gzip with zeros after it", coded("Content-Encoding: gzip", &[&gzip[..], &[0; 20]].concat())),
        odd("gzip that is cut off", coded("Content-Encoding: gzip", &gzip[..gzip.len() - 12])),
        odd(
            "gzip with a wrong checksum",
            coded("Content-Encoding: gzip", &{
                let mut broken = gzip.clone();
                let at = broken.len() - 8;
                broken[at] ^= 1;
                broken
            }),
        ),
        odd("deflate with its zlib header", coded("Content-Encoding: deflate", &encoded("deflate"))),
        odd("deflate without its zlib header", coded("Content-Encoding: deflate", &raw_deflate)),
        odd("brotli", coded("Content-Encoding: br", &encoded("br"))),
        odd("zstd", coded("Content-Encoding: zstd", &encoded("zstd"))),
        odd("Content-Encoding: identity", coded("Content-Encoding: identity", BODY.as_bytes())),
        odd("Content-Encoding: utf-8", coded("Content-Encoding: utf-8", BODY.as_bytes())),
        odd("Content-Encoding: none", coded("Content-Encoding: none", BODY.as_bytes())),
        odd("an empty Content-Encoding", coded("Content-Encoding:", BODY.as_bytes())),
        odd("a coding that was not requested", coded("Content-Encoding: xz", BODY.as_bytes())),
    ]
}

fn origin(odd: &Odd) -> Origin {
    Origin::replies([Reply::raw(odd.bytes.clone()).close()])
}

/// Returns how newswire reads the response.
async fn newswire(odd: &Odd) -> String {
    let origin = origin(odd);
    match first_poll(&feed(&origin.url("/feed"), &[origin.allow()])).await.result {
        Ok(Fetched::Document(document)) if document.body == BODY => READS.to_owned(),
        Ok(_) => OTHER.to_owned(),
        Err(error) => {
            let error = error.to_string();
            let why = error.strip_prefix("could not read the response of 127.0.0.1: ").unwrap_or(&error);
            format!("refuses it: {why}")
        }
    }
}

/// Returns how curl reads the response.
fn curl(odd: &Odd) -> String {
    let origin = origin(odd);
    let url = origin.url("/feed");
    let output = Command::new("curl").args(["-sS", "--compressed", "-m", "60", url.as_str()]).output().unwrap();
    match output.status.success() {
        true if output.stdout == BODY.as_bytes() => READS.to_owned(),
        true => OTHER.to_owned(),
        false => {
            let why = String::from_utf8_lossy(&output.stderr).into_owned();
            format!("refuses it: {}", why.trim().split_once(") ").map_or(why.trim(), |(_, why)| why))
        }
    }
}

fn all() -> Vec<Odd> {
    [header_lines(), status_lines(), lengths(), chunks(), codings()].into_iter().flatten().collect()
}

/// Returns the rows of the tables in `docs/odd-responses.md`: the answer, how curl reads it, how newswire reads it.
fn written() -> Vec<[String; 3]> {
    let page = std::fs::read_to_string("docs/odd-responses.md").unwrap();
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter(|row| !row.starts_with("what comes") && !row.starts_with("---"));
    rows.map(|row| row.split(" | ").map(str::to_owned).collect::<Vec<_>>().try_into().unwrap()).collect()
}

/// Asserts that a column of `docs/odd-responses.md` shows what was found.
fn check(column: usize, found: &[(&str, String)]) {
    let written = written();
    let written: Vec<_> = written.iter().map(|row| (row[0].as_str(), row[column].as_str())).collect();
    let found: Vec<_> = found.iter().map(|(what, result)| (*what, result.as_str())).collect();
    for row in &found {
        assert!(written.contains(row), "docs/odd-responses.md lacks {row:?}");
    }
    assert_eq!(written.len(), found.len(), "docs/odd-responses.md has rows without a test");
}

#[tokio::test]
async fn odd_responses_are_read_or_refused_as_documented() {
    let mut found = Vec::new();
    for odd in &all() {
        found.push((odd.what, newswire(odd).await));
    }
    assert!(found.len() >= 60, "{}", found.len());
    check(2, &found);
}

#[tokio::test]
async fn every_refused_odd_response_gets_a_clear_message() {
    for row in written() {
        let refused = row[2].strip_prefix("refuses it: ");
        assert!(row[2] == READS || refused.is_some_and(|why| !why.contains("parsed")), "{row:?}");
    }
}

/// Needs a certain version of curl, because other versions behave differently.
#[test]
#[ignore = "needs curl 7.88"]
fn curl_reads_odd_responses_as_documented() {
    let found: Vec<_> = all().iter().map(|odd| (odd.what, curl(odd))).collect();
    check(1, &found);
}
