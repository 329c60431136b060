//! Undoes one layer of `Content-Encoding`, and never decodes more than a limited number of bytes.
//!
//! Gzip is recognised by its first bytes, unless the header names another compression. Some servers do not declare that
//! a file is compressed with gzip. Others declare gzip for plain files.
//!
//! The HTTP client could decode too, but its decoders run while a body arrives. Each of them may take as much memory as
//! the sender wishes: up to 128 MiB (zstd) or 1 GiB (brotli) for a body of a few bytes. Here only a few decoders run at
//! a time, after the body has arrived. Windows larger than RFC 7932 (brotli) and RFC 9659 (zstd) allow are refused.

use std::io::{self, Read};

use reqwest::header::{CONTENT_ENCODING, HeaderMap};

/// The compressions that requests offer to servers.
pub(super) const ACCEPT_ENCODING: &str = "gzip, br, zstd, deflate";

/// The base-2 logarithm of the largest zstd window: 8 MiB, the most that RFC 9659 allows.
const ZSTD_WINDOW_LOG: u32 = 23;

/// The first seven bits of brotli data with a large window. RFC 7932 reserves them.
const BROTLI_LARGE_WINDOW: u8 = 0x11;

const BROTLI_BUFFER_BYTES: usize = 4096;

/// The most gzip members of a body. Each member needs its own decoder, even for 20 bytes. The program `bgzip` writes
/// one member per 64 KiB.
const MAX_GZIP_MEMBERS: usize = 10_000;

/// The first bytes of every gzip member: its magic number, and the only method that exists (RFC 1952 §2.3.1).
const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    /// By RFC 9110 §8.4.1.2 this means zlib, but some servers omit the zlib header.
    Deflate,
    Brotli,
    Zstd,
}

/// Returns the compression that a response declares. Returns `None` if it declares none. Values that name no
/// compression (servers write `utf-8` or `none`) are ignored.
///
/// # Errors
///
/// Returns the header's value if it names several layers, or a compression that was not offered.
pub(super) fn coding(headers: &HeaderMap) -> Result<Option<Coding>, String> {
    let values = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let value = values.collect::<Vec<_>>().join(", ").to_ascii_lowercase();
    match value.trim() {
        "gzip" | "x-gzip" => Ok(Some(Coding::Gzip)),
        "deflate" => Ok(Some(Coding::Deflate)),
        "br" => Ok(Some(Coding::Brotli)),
        "zstd" => Ok(Some(Coding::Zstd)),
        other if ["gzip", "deflate", "br", "zstd", "compress", "xz"].iter().any(|name| other.contains(name)) => {
            Err(value)
        }
        _ => Ok(None),
    }
}

/// Returns the compression that a body really has. `named` is the one that the response declares. `None` means that the
/// body is not compressed.
pub(super) fn actual(named: Option<Coding>, body: &[u8]) -> Option<Coding> {
    match named {
        None | Some(Coding::Gzip) => body.starts_with(&GZIP).then_some(Coding::Gzip),
        other => other,
    }
}

/// Decodes a body into `buffer`, which is empty. Returns `None` if the result has more than `room` bytes.
///
/// # Errors
///
/// Fails if the body is incomplete or does not match its coding.
pub(super) fn decode(coding: Coding, body: &[u8], buffer: Vec<u8>, room: u64) -> io::Result<Option<Vec<u8>>> {
    match coding {
        Coding::Gzip => gunzip(body, buffer, room),
        Coding::Deflate if has_zlib_header(body) => bounded(flate2::read::ZlibDecoder::new(body), buffer, room),
        Coding::Deflate => bounded(flate2::read::DeflateDecoder::new(body), buffer, room),
        Coding::Brotli if body.first().is_some_and(|byte| byte & 0x7f == BROTLI_LARGE_WINDOW) => {
            Err(io::Error::other("the brotli window is larger than RFC 7932 allows"))
        }
        Coding::Brotli => bounded(brotli::Decompressor::new(body, BROTLI_BUFFER_BYTES), buffer, room),
        Coding::Zstd => {
            let mut decoder = zstd::Decoder::with_buffer(body)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            bounded(decoder, buffer, room)
        }
    }
}

fn bounded(decoder: impl Read, mut buffer: Vec<u8>, room: u64) -> io::Result<Option<Vec<u8>>> {
    decoder.take(room.saturating_add(1)).read_to_end(&mut buffer)?;
    Ok((buffer.len() as u64 <= room).then_some(buffer))
}

/// Decodes all members of the body (RFC 1952 §2.2). Anything else after the last one, such as padding, is ignored.
fn gunzip(mut body: &[u8], mut buffer: Vec<u8>, room: u64) -> io::Result<Option<Vec<u8>>> {
    for _ in 0..MAX_GZIP_MEMBERS {
        let mut member = flate2::bufread::GzDecoder::new(body);
        let left = room.saturating_add(1).saturating_sub(buffer.len() as u64);
        member.by_ref().take(left).read_to_end(&mut buffer)?;
        if buffer.len() as u64 > room {
            return Ok(None);
        }
        body = member.into_inner();
        if !body.starts_with(&GZIP) {
            return Ok(Some(buffer));
        }
    }
    Err(io::Error::other(format!("the body has more than {MAX_GZIP_MEMBERS} gzip members")))
}

/// Checks the zlib header (RFC 1950 §2.2): method 8, and a checksum over both bytes.
fn has_zlib_header(body: &[u8]) -> bool {
    matches!(body, [method, flags, ..] if method & 0x0f == 8 && u16::from_be_bytes([*method, *flags]) % 31 == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_larger_than_specified_are_refused_before_allocation() {
        // The header declares a window of 2^30 bytes. An empty last block follows.
        assert!(decode(Coding::Brotli, &[0x11, 0x9e, 0x03], Vec::new(), 1000).is_err());
        // The frame declares a window of 2^31 bytes and no content size.
        assert!(
            decode(Coding::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0x00, 0x00], Vec::new(), 1000).is_err()
        );
    }

    #[test]
    fn deflate_is_read_with_and_without_the_header_of_zlib() {
        let bare = [0x4b, 0x4c, 0x4a, 0x06, 0x00];
        assert_eq!(decode(Coding::Deflate, &bare, Vec::new(), 10).unwrap().as_deref(), Some(&b"abc"[..]));
        let zlib = [0x78, 0x9c, 0x4b, 0x4c, 0x4a, 0x06, 0x00, 0x02, 0x4d, 0x01, 0x27];
        assert_eq!(decode(Coding::Deflate, &zlib, Vec::new(), 10).unwrap().as_deref(), Some(&b"abc"[..]));
        assert_eq!(decode(Coding::Deflate, &zlib, Vec::new(), 2).unwrap(), None);
    }

    #[test]
    fn gzip_is_recognised_by_its_first_bytes_and_ends_with_its_last_member() {
        assert_eq!(actual(None, &GZIP), Some(Coding::Gzip));
        assert_eq!(actual(Some(Coding::Gzip), b"<rss/>"), None);
        assert_eq!(actual(Some(Coding::Brotli), &GZIP), Some(Coding::Brotli));
        let member = gzip(b"abc");
        let decode = |body: &[u8], room| decode(Coding::Gzip, body, Vec::new(), room);
        assert_eq!(decode(&member.repeat(2), 6).unwrap().as_deref(), Some(&b"abcabc"[..]));
        assert_eq!(decode(&member.repeat(2), 5).unwrap(), None);
        assert_eq!(decode(&[&member[..], b"\0\0 and more"].concat(), 6).unwrap().as_deref(), Some(&b"abc"[..]));
        assert!(decode(&member[..member.len() - 1], 6).is_err());
    }

    #[test]
    fn body_of_countless_empty_gzip_members_is_refused() {
        let members = |count: usize| gzip(b"").repeat(count);
        assert!(decode(Coding::Gzip, &members(1_000), Vec::new(), 1).unwrap().unwrap().is_empty());
        let error = decode(Coding::Gzip, &members(20_000), Vec::new(), 1).unwrap_err();
        assert_eq!(error.to_string(), "the body has more than 10000 gzip members");
    }

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        io::Write::write_all(&mut encoder, text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn bodies_that_do_not_match_their_coding_are_errors_and_never_panics() {
        for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
            for body in [&b"<rss/>"[..], &[0xff; 100], &[0x1f, 0x8b, 8], &[0x28, 0xb5, 0x2f, 0xfd, 0xff]] {
                assert!(decode(coding, body, Vec::new(), 1000).is_err(), "{coding:?} {body:?}");
            }
        }
    }
}
