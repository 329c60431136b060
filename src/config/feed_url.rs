//! The addresses of feeds: how to read them, and how to generate ids from them.

use std::path::Path;

use secrecy::ExposeSecret;
use url::Url;

use super::model::FeedUrl;
use super::reader::{Fault, Node};
use super::shown_url::shown;
use super::{id, value};

/// Words in a feed's path that say nothing about the feed.
const NOISE: [&str; 14] =
    ["feed", "feeds", "rss", "rss2", "atom", "xml", "rdf", "json", "index", "default", "html", "htm", "php", "aspx"];

/// The longest generated id: long enough to distinguish feeds, short enough to type and to fit into a table.
const MAX_ID_LENGTH: usize = 40;

/// Reads the `url` of a feed: `http(s):`, `file:` relative to the TOML file, or a secret.
pub(super) fn read(node: Node) -> Result<FeedUrl, Fault> {
    if !node.is_table() {
        let url = parse(node.secret_text()?, node.folder())?;
        return Ok(FeedUrl { shown: shown(&url), secret: url });
    }
    let secret = parse(value::secret(node)?.expose_secret(), node.folder())
        .map_err(|_| Fault::from("the secret is not an http or https URL".to_owned()))?;
    let mut shown = shown(&secret);
    shown.set_path("/");
    shown.set_query(None);
    Ok(FeedUrl { secret, shown })
}

fn parse(text: &str, folder: &Path) -> Result<Url, Fault> {
    let text = text.trim();
    match text.strip_prefix("file:") {
        Some(path) => parse_file(path, folder),
        None => value::parse_web(text),
    }
}

/// Reads the path of a `file:` address. Like every `file:` URL, it may have `//` and `localhost` before the path.
fn parse_file(path: &str, folder: &Path) -> Result<Url, Fault> {
    let path = path.strip_prefix("//localhost").or(path.strip_prefix("//")).unwrap_or(path);
    let wanted =
        || Fault::new("expected the path of a file", "such as \"file:samples/news.xml\", relative to this file");
    if path.trim_matches('/').is_empty() {
        return Err(wanted());
    }
    let root = Path::new("/").join(folder);
    let base = Url::from_directory_path(root).map_err(|()| wanted())?;
    let url = base.join(path).ok().filter(|url| url.scheme() == "file");
    url.ok_or_else(wanted)
}

/// Generates the id of a feed that has none, in `[a-z0-9-]`: the host without `www`, and the words of path and query
/// except [`NOISE`]; for a file, the words of its name.
pub(super) fn default_id(url: &FeedUrl) -> String {
    let shown = &url.shown;
    let host = shown.host_str().unwrap_or_default();
    let path = if url.is_file() { shown.path().rsplit('/').next().unwrap_or_default() } else { shown.path() };
    let values = shown.query_pairs().map(|(_, value)| value.into_owned()).collect::<Vec<_>>().join("-");
    let host = id::slug(host.strip_prefix("www.").unwrap_or(host));
    let rest = id::slug(&format!("{path}-{values}"));
    let rest = rest.split('-').filter(|word| !NOISE.contains(word));
    let words: Vec<&str> = host.split('-').chain(rest).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { "feed".to_owned() } else { shortened(&words) }
}

/// Generates the id of a feed whose default id is taken. The id depends only on the URL, so it is the same at every
/// start.
pub(super) fn other_id(id: &str, url: &FeedUrl) -> String {
    let hash = xxhash_rust::xxh3::xxh3_64(url.secret.as_str().as_bytes());
    format!("{id}-{:05x}", hash & 0xf_ffff)
}

fn shortened(words: &[&str]) -> String {
    let mut id = String::new();
    for word in words {
        if !id.is_empty() && id.len() + 1 + word.len() > MAX_ID_LENGTH {
            break;
        }
        if !id.is_empty() {
            id.push('-');
        }
        id.push_str(word);
    }
    id.truncate(MAX_ID_LENGTH);
    id
}
