//! Looks at a feed once, as a poll would fetch and read it, and keeps nothing. Finds the feed behind a page.

use url::Url;

use crate::config::{Feed, Secrets};
use crate::feed::Validators;
use crate::fetch::{Fetched, Fetcher};
use crate::parse::{self, Hints, ParseError, ParsedFeed};
use crate::poll;

/// Where feeds are found on sites whose pages do not say: the defaults of what most sites are made with.
const WELL_KNOWN: [&str; 8] =
    ["/feed/", "/feed.xml", "/rss.xml", "/atom.xml", "/index.xml", "/feed.json", "/rss/", "/feeds/all.atom.xml"];

/// What was found at a feed's address.
pub enum Looked {
    Feed(Box<Seen>),
    /// A document that is no feed.
    Refused {
        /// Without secrets.
        error: ParseError,
        /// The feeds that a page offers, as they can be asked. They may hold tokens: not to be shown.
        offers: Vec<String>,
    },
    /// No document.
    Failed(String),
}

/// A feed's document as read.
pub struct Seen {
    pub parsed: ParsedFeed,
    /// What of the entries must not be shown.
    pub secrets: Secrets,
    /// Where it was found at last. It may hold tokens: not to be shown.
    pub final_url: Url,
    /// Where only permanent redirects led.
    pub moved: Option<Url>,
}

/// Asks once, without validators. What `hints` say goes before what the server says.
pub async fn look(fetcher: &Fetcher, feed: &Feed, hints: &Hints<'_>) -> Looked {
    let permit = fetcher.host_permit(feed, None).await;
    let attempt = fetcher.get(feed, None, &Validators::default(), permit, None).await;
    let document = match attempt.result {
        Ok(Fetched::Document(document)) => document,
        Ok(Fetched::NotModified { .. }) => {
            let why = "the server says that nothing changed, to one who knew nothing";
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
            // Who asks what the page offers needs the whole addresses.
            let again = parse::parse(&document.body, &Hints { content_type, base: Some(address) });
            let offers = if let Err(ParseError::Page { feeds }) = again { feeds } else { Vec::new() };
            Looked::Refused { error: poll::without_secrets(error, &secrets), offers }
        }
    }
}

/// Returns the addresses at which a site that does not name its feed usually has one.
pub fn well_known(page: &Url) -> Vec<Url> {
    WELL_KNOWN.iter().filter_map(|path| page.join(path).ok()).collect()
}

/// Leaves out feeds of comments if a page names others: the entries are meant.
pub fn without_comments(feeds: Vec<String>) -> Vec<String> {
    let (comments, others): (Vec<_>, Vec<_>) = feeds.into_iter().partition(|feed| feed.contains("comments"));
    if others.is_empty() { comments } else { others }
}
