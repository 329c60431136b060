//! Replaces frames, such as embedded videos, with links that have the frame's title and picture.

use url::Url;

use super::attributes::written;
use super::links;

/// The replacement of a frame.
#[derive(Debug, PartialEq)]
pub(super) struct StandIn {
    /// The URL of a page that shows the same as the frame.
    pub href: String,
    /// The URL of a still picture of the video, if known.
    pub picture: Option<String>,
    /// The title of the frame, or else its host.
    pub title: String,
}

/// A longer title is not used, because it describes nothing.
const MAX_TITLE_BYTES: usize = 500;

/// Returns whether an element embeds content from elsewhere.
pub(super) fn is_frame(name: &str) -> bool {
    matches!(name, "iframe" | "frame" | "embed" | "object" | "amp-iframe" | "amp-youtube" | "lite-youtube")
}

/// Returns the replacement of a frame. Returns `None` if the frame has no web URL, or is too small to be visible.
pub(super) fn stand_in(name: &str, attributes: &[(&str, &str)], base: Option<&Url>) -> Option<StandIn> {
    let attribute = |wanted: &str| written(attributes, wanted);
    let is_tiny =
        |wanted: &str| attribute(wanted).and_then(|value| value.trim().parse().ok()).is_some_and(|n: u32| n <= 1);
    if is_tiny("width") && is_tiny("height") {
        return None;
    }
    let video = ["data-videoid", "videoid"].into_iter().find_map(attribute).filter(|_| name.ends_with("-youtube"));
    let frame = match video {
        Some(id) if is_id(&id) => Url::parse(&format!("https://www.youtube.com/embed/{id}")).ok()?,
        Some(_) => return None,
        None => {
            let sources = ["src", "data", "data-src", "data-lazy-src"].into_iter().filter_map(attribute);
            sources.filter_map(|source| links::clean(&source, base)).next()?
        }
    };
    let shown = player(&frame);
    let title = ["title", "aria-label"].into_iter().filter_map(attribute).find(|title| !title.trim().is_empty());
    let title = title.filter(|title| title.len() <= MAX_TITLE_BYTES).map(|title| title.trim().to_owned());
    Some(StandIn {
        title: title.or_else(|| frame.host_str().map(str::to_owned)).unwrap_or_default(),
        href: shown.as_ref().map_or_else(|| frame.to_string(), |(href, _)| href.to_string()),
        picture: shown.and_then(|(_, picture)| picture),
    })
}

/// Returns the page that shows the content of a well-known player, and the URL of its picture, if known. Returns `None`
/// for other frames.
fn player(frame: &Url) -> Option<(Url, Option<String>)> {
    let host = frame.host_str()?;
    let host = host.strip_prefix("www.").unwrap_or(host);
    let path: Vec<&str> = frame.path_segments()?.collect();
    let parameter = |wanted: &str| frame.query_pairs().find(|(name, _)| name == wanted).map(|(_, value)| value);
    let (page, picture) = match (host, path.as_slice()) {
        ("youtube.com" | "youtube-nocookie.com" | "m.youtube.com", ["embed", "videoseries", ..]) => {
            let list = parameter("list").filter(|list| is_id(list))?;
            (format!("https://www.youtube.com/playlist?list={list}"), None)
        }
        ("youtube.com" | "youtube-nocookie.com" | "m.youtube.com", ["embed" | "v", id, ..]) if is_id(id) => {
            let picture = format!("https://i.ytimg.com/vi/{id}/hqdefault.jpg");
            (format!("https://www.youtube.com/watch?v={id}"), Some(picture))
        }
        ("player.vimeo.com", ["video", id, ..]) if is_id(id) => (format!("https://vimeo.com/{id}"), None),
        ("dailymotion.com" | "geo.dailymotion.com", ["embed", "video", id, ..]) if is_id(id) => {
            let picture = format!("https://www.dailymotion.com/thumbnail/video/{id}");
            (format!("https://www.dailymotion.com/video/{id}"), Some(picture))
        }
        ("w.soundcloud.com", ["player", ..]) => return Some((links::clean(&parameter("url")?, None)?, None)),
        ("open.spotify.com", ["embed", kind, id, ..]) if is_id(kind) && is_id(id) => {
            (format!("https://open.spotify.com/{kind}/{id}"), None)
        }
        _ => return None,
    };
    Some((Url::parse(&page).ok()?, picture))
}

fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}
