//! One look at a feed: fetched as a poll would fetch it, read, and forgotten.

use url::Url;

use crate::config::Feed;
use crate::feed::Validators;
use crate::fetch::{Fetched, Fetcher};
use crate::foreign;
use crate::parse::{self, Hints, ParseError, ParsedFeed};

/// What was found at a feed's address.
pub enum Looked {
    Feed(Box<Seen>),
    /// A document that is no feed.
    Refused(ParseError),
    /// No document.
    Failed(String),
}

/// A feed's document as read.
pub struct Seen {
    pub parsed: ParsedFeed,
    /// Where it was found at last. It may hold tokens: not to be shown.
    pub final_url: Url,
    /// Where only permanent redirects led.
    pub moved: Option<Url>,
}

/// Asks once, without validators. What `hints` say goes before what the server says.
pub async fn at(fetcher: &Fetcher, feed: &Feed, hints: &Hints<'_>) -> Looked {
    let permit = fetcher.host_permit(feed, None).await;
    let attempt = fetcher.get(feed, None, &Validators::default(), permit, None).await;
    let document = match attempt.result {
        Ok(Fetched::Document(document)) => document,
        Ok(Fetched::NotModified { .. }) => {
            let why = "the server says that nothing changed, to one who knew nothing";
            return Looked::Failed(why.to_owned());
        }
        Err(error) => return Looked::Failed(foreign::sentence(&error.to_string())),
    };
    let content_type = hints.content_type.or(document.content_type.as_deref());
    let base = hints.base.or(document.content_location.as_ref()).unwrap_or(&document.final_url);
    match parse::parse(&document.body, &Hints { content_type, base: Some(base) }) {
        Ok(parsed) => {
            let (final_url, moved) = (document.final_url, attempt.permanent);
            Looked::Feed(Box::new(Seen { parsed, final_url, moved }))
        }
        Err(error) => Looked::Refused(error),
    }
}
