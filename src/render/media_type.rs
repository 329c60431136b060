//! The media types of files.

use url::Url;

/// The type of files whose kind is unknown, and another spelling of it.
const UNKNOWN: [&str; 2] = ["application/octet-stream", "binary/octet-stream"];

/// Returns the declared media type if it is valid and says something, else the one for the extension of the URL.
pub(super) fn type_of(declared: Option<&str>, url: &Url) -> String {
    let declared = declared.map(str::trim).filter(|declared| is_media_type(declared) && !UNKNOWN.contains(declared));
    declared.unwrap_or_else(|| guessed_type(url)).to_owned()
}

fn is_media_type(text: &str) -> bool {
    let is_token = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.split_once('/').is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype))
}

fn guessed_type(url: &Url) -> &'static str {
    let extension = url.path().rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    match extension.as_deref().unwrap_or_default() {
        "mp3" => "audio/mpeg",
        "m4a" => "audio/mp4",
        "ogg" | "oga" | "opus" => "audio/ogg",
        "mp4" | "m4v" => "video/mp4",
        "webm" => "video/webm",
        "jpg" | "jpeg" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "pdf" => "application/pdf",
        "json" => "application/json",
        "vtt" => "text/vtt",
        "srt" => "application/x-subrip",
        "htm" | "html" => "text/html",
        "txt" => "text/plain",
        _ => UNKNOWN[0],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enclosure_without_a_media_type_gets_that_of_its_ending() {
        let check = |declared: Option<&str>, url: &str, expected: &str| {
            assert_eq!(type_of(declared, &Url::parse(url).unwrap()), expected);
        };
        check(Some("audio/x-m4a"), "https://a.example/1.mp3", "audio/x-m4a");
        check(Some("mp3"), "https://a.example/1.MP3?x=.png", "audio/mpeg");
        check(Some("application/octet-stream"), "https://a.example/1.mp3", "audio/mpeg");
        check(None, "https://a.example/1", "application/octet-stream");
    }
}
