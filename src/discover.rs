//! Fetches and reads a feed once, as a poll does, but stores nothing. Also finds the feeds to which a page links.

use url::Url;

use crate::config::{Feed, Secrets};
use crate::feed::Validators;
use crate::fetch::{Fetched, Fetcher};
use crate::parse::{self, Hints, ParseError, ParsedFeed};
use crate::poll;

/// Paths to try on a site whose pages do not link to a feed. They are the defaults of common site generators.
const WELL_KNOWN: [&str; 8] =
    ["/feed/", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json", "/rss/", "/feeds/all.atom.xml"];

/// What was found at an address.
pub enum Looked {
    /// A feed.
    Feed(Box<Seen>),
    /// A document that is not a feed.
    Refused {
        /// Why it is not a feed, with secrets masked.
        error: ParseError,
        /// The absolute URLs of the feeds to which a page links. They may contain tokens, so do not show them.
        offers: Vec<String>,
    },
    /// No document could be fetched. The text says why, with secrets masked.
    Failed(String),
}

/// A feed document that was read.
pub struct Seen {
    /// The feed and its entries.
    pub parsed: ParsedFeed,
    /// The secrets that must not be shown.
    pub secrets: Secrets,
    /// The URL after all redirects. It may contain tokens, so do not show it.
    pub final_url: Url,
    /// The URL to which permanent redirects lead. `None` if the feed has not moved.
    pub moved: Option<Url>,
}

/// Fetches and reads a feed once, without validators. A content type or base URL in `hints` takes precedence over what
/// the server says.
pub async fn look(fetcher: &Fetcher, feed: &Feed, hints: &Hints<'_>) -> Looked {
    let permit = fetcher.host_permit(feed, None).await;
    let attempt = fetcher.get(feed, None, &Validators::default(), permit, None).await;
    let document = match attempt.result {
        Ok(Fetched::Document(document)) => document,
        Ok(Fetched::NotModified { .. }) => {
            let why = "the server answered 304 (not modified) to an unconditional request";
            return Looked::Failed(why.to_owned());
        }
        Err(error) => return Looked::Failed(error.to_string()),
    };
    let content_type = hints.content_type.or(document.content_type.as_deref());
    let secrets = Secrets::of(feed).with_hops(document.hops.iter().chain(&document.content_location));
    let address = hints.base.or(document.content_location.as_ref()).unwrap_or(&document.final_url);
    let base = if hints.base.is_some() { address.clone() } else { secrets.base(address) };
    match parse::parse(&document.body, &Hints { content_type, base: Some(&base) }) {
        Ok(mut parsed) => {
            poll::scrub_guids(&mut parsed, &secrets);
            let (final_url, moved) = (document.final_url, attempt.permanent);
            Looked::Feed(Box::new(Seen { parsed, secrets, final_url, moved }))
        }
        Err(error) => {
            // The caller needs the unmasked addresses of the feeds that the page links to.
            let again = parse::parse(&document.body, &Hints { content_type, base: Some(address) });
            let offers = if let Err(ParseError::Page { feeds }) = again { feeds } else { Vec::new() };
            Looked::Refused { error: poll::without_secrets(error, &secrets), offers }
        }
    }
}

/// Returns the URLs where a site usually has its feed, for a page that links to no feed.
pub fn well_known(page: &Url) -> Vec<Url> {
    WELL_KNOWN.iter().filter_map(|path| page.join(path).ok()).collect()
}

/// Removes the feeds whose URL contains `comments`, unless there are no others. A user who adds a site wants its
/// entries, not the comments on them.
pub fn without_comments(feeds: Vec<String>) -> Vec<String> {
    let (comments, others): (Vec<_>, Vec<_>) = feeds.into_iter().partition(|feed| feed.contains("comments"));
    if others.is_empty() { comments } else { others }
}
