//! How the newswire is doing, for its keeper: a page, and a feed of events for the feed reader that is open anyway.

use atom_syndication::{Content, Entry, Feed, Link, Person, Text};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use crate::config::Site;
use crate::render::address::{self, Format};
use crate::render::{RenderError, text};
use crate::time::Timestamp;

const PAGE: &str = include_str!("templates/status.html");

/// Something that the keeper should know.
#[derive(Clone, Debug)]
pub struct StatusEvent {
    /// Of a URL under the site's, unique among the events.
    pub path: String,
    pub title: String,
    pub text: String,
    pub at: Timestamp,
}

/// The page at `/status`; `status` is what `/status.json` says.
///
/// # Errors
/// If the template asks for what `status` does not have.
pub fn status_page(site: &Site, status: &impl Serialize) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    environment.add_template("status.html", PAGE).map_err(failed)?;
    let page = environment.get_template("status.html").map_err(failed)?;
    page.render(context! { title => site.title.as_str(), status => Value::from(Serde(status)) }).map_err(failed)
}

fn failed(error: minijinja::Error) -> RenderError {
    let name = error.name().unwrap_or("status.html").to_owned();
    RenderError::Template { name, line: error.line().unwrap_or(1), message: error.to_string() }
}

/// The events, the last first, as an Atom document in UTF-8. `itself` is its address, where it has one.
///
/// # Errors
/// If the writer fails, which no content makes it do.
pub fn status_feed(site: &Site, itself: Option<&str>, events: &[StatusEvent]) -> Result<Vec<u8>, RenderError> {
    let title = format!("{}: status", text::line(&site.title).unwrap_or_default());
    let newest = events.iter().map(|event| event.at).max().unwrap_or(Timestamp::from_millis(0));
    let link = |href: &str| Link {
        href: href.to_owned(),
        rel: "self".to_owned(),
        mime_type: Some(Format::Atom.media_type().to_owned()),
        ..Link::default()
    };
    let feed = Feed {
        id: address::uri(&address::under(site, "status")),
        authors: vec![Person { name: title.clone(), ..Person::default() }],
        title: Text::plain(title),
        updated: newest.whole_second().datetime().fixed_offset(),
        links: itself.map(link).into_iter().collect(),
        entries: events.iter().map(|event| entry(site, event)).collect(),
        ..Feed::default()
    };
    let mut document = Vec::new();
    feed.write_to(&mut document)?;
    Ok(document)
}

fn entry(site: &Site, event: &StatusEvent) -> Entry {
    let at = event.at.whole_second().datetime().fixed_offset();
    Entry {
        id: address::uri(&address::under(site, &event.path)),
        title: Text::plain(text::line(&event.title).unwrap_or_default()),
        updated: at,
        published: Some(at),
        content: Some(Content {
            value: Some(text::legal(&event.text)),
            content_type: Some("text".to_owned()),
            ..Content::default()
        }),
        ..Entry::default()
    }
}
