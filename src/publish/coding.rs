//! Compresses editions. HTTP calls the result a content coding. An edition is compressed when the first reader that
//! accepts the coding requests it, and the result is kept with the edition. Nothing is compressed in advance, because
//! most editions are replaced before every coding was requested.

use std::io::Write;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::OnceCell;

/// The compression levels. With them, compressing an edition of 250 KB takes a few milliseconds. It is compressed once
/// and sent a thousand times.
const GZIP_LEVEL: u32 = 6;
const BROTLI_LEVEL: u32 = 5;
const ZSTD_LEVEL: i32 = 6;

/// The base-2 logarithm of Brotli's window: 4 MiB, more than any edition has.
const BROTLI_WINDOW: u32 = 22;

/// A content coding (RFC 9110 §8.4.1). The variants are in the order in which newswire prefers them: the one with the
/// smallest result comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentCoding {
    /// Brotli (RFC 7932).
    Brotli,
    /// Zstandard (RFC 8878).
    Zstd,
    /// Gzip (RFC 1952).
    Gzip,
}

impl ContentCoding {
    /// All codings, the preferred one first.
    pub const ALL: [ContentCoding; 3] = [ContentCoding::Brotli, ContentCoding::Zstd, ContentCoding::Gzip];

    /// Returns the name in `Accept-Encoding` and `Content-Encoding`.
    pub fn name(self) -> &'static str {
        match self {
            ContentCoding::Brotli => "br",
            ContentCoding::Zstd => "zstd",
            ContentCoding::Gzip => "gzip",
        }
    }

    /// Returns the compressed body; `None` if it is not smaller than `body`.
    fn encode(self, body: &[u8]) -> Option<Bytes> {
        let coded = match self {
            ContentCoding::Brotli => brotli(body),
            ContentCoding::Zstd => zstd::encode_all(body, ZSTD_LEVEL).ok(),
            ContentCoding::Gzip => gzip(body),
        };
        coded.filter(|coded| coded.len() < body.len()).map(Bytes::from)
    }
}

/// The compressed bodies that were made so far. A value of `None` means that the coding does not make the body smaller.
#[derive(Debug, Default)]
pub(super) struct Codings([OnceCell<Option<Bytes>>; 3]);

impl Codings {
    fn cell(&self, coding: ContentCoding) -> &OnceCell<Option<Bytes>> {
        &self.0[coding as usize]
    }

    /// Returns the compressed body if it was made before. Returns `None` if it was not made yet, and `Some(None)` if
    /// this coding does not make the body smaller.
    pub(super) fn made(&self, coding: ContentCoding) -> Option<&Option<Bytes>> {
        self.cell(coding).get()
    }

    /// Returns the compressed body, which is made at the first call. Returns `None` if it is not smaller than `body`.
    pub(super) async fn coded(self: &Arc<Codings>, coding: ContentCoding, body: &Bytes) -> Option<Bytes> {
        self.made_by(coding, body, |coding, body| coding.encode(body)).await
    }

    async fn made_by(
        self: &Arc<Codings>,
        coding: ContentCoding,
        body: &Bytes,
        encode: impl FnOnce(ContentCoding, &[u8]) -> Option<Bytes> + Send + 'static,
    ) -> Option<Bytes> {
        if let Some(made) = self.made(coding) {
            return made.clone();
        }
        let (codings, body) = (self.clone(), body.clone());
        // A separate task continues if this reader disconnects. Otherwise the next reader would compress the same body
        // again.
        let making = tokio::spawn(async move {
            let encoding = || async move {
                let encoded = tokio::task::spawn_blocking(move || encode(coding, &body));
                encoded.await.ok().flatten()
            };
            codings.cell(coding).get_or_init(encoding).await.clone()
        });
        making.await.ok().flatten()
    }
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
    encoder.write_all(body).and_then(|()| encoder.finish()).ok()
}

fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = brotli::CompressorWriter::new(Vec::new(), 4096, BROTLI_LEVEL, BROTLI_WINDOW);
    encoder.write_all(body).ok()?;
    Some(encoder.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(flavor = "multi_thread")]
    async fn concurrent_first_readers_share_one_compression_even_if_the_first_leaves() {
        let codings = Arc::new(Codings::default());
        let body = Bytes::from("words ".repeat(1000));
        let encoded = Arc::new(AtomicUsize::new(0));
        let ask = || {
            let (codings, body, encoded) = (codings.clone(), body.clone(), encoded.clone());
            tokio::spawn(async move {
                let encode = move |coding: ContentCoding, body: &[u8]| {
                    encoded.fetch_add(1, Ordering::Relaxed);
                    coding.encode(body)
                };
                codings.made_by(ContentCoding::Gzip, &body, encode).await
            })
        };
        let readers: Vec<_> = (0..32).map(|_| ask()).collect();
        readers[0].abort();
        for reader in readers.into_iter().skip(1) {
            assert!(reader.await.unwrap().is_some_and(|coded| coded.len() < body.len()));
        }
        assert!(ask().await.unwrap().is_some());
        assert_eq!(encoded.load(Ordering::Relaxed), 1);
        assert!(codings.made(ContentCoding::Brotli).is_none(), "only the coding that was asked for");
    }

    #[tokio::test]
    async fn body_that_does_not_get_smaller_has_no_coding() {
        let codings = Arc::new(Codings::default());
        for coding in ContentCoding::ALL {
            assert_eq!(codings.coded(coding, &Bytes::from_static(b"x")).await, None);
            assert_eq!(codings.made(coding), Some(&None), "it is not tried again");
        }
    }
}
