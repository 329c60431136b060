//! The status for the operator: a page, and a feed of events for the feed reader.

use atom_syndication::{Content, Entry, Feed, Link, Person, Text};
use minijinja::value::{Serde, Value};
use minijinja::{Environment, context};
use serde::Serialize;

use crate::config::Site;
use crate::render::address::{self, Format};
use crate::render::{RenderError, text};
use crate::time::Timestamp;

const PAGE: &str = include_str!("templates/status.html");

/// An event that the operator should know about.
#[derive(Clone, Debug)]
pub struct StatusEvent {
    /// A path under the site's URL that identifies the event.
    pub path: String,
    /// The title as plain text.
    pub title: String,
    /// The details as plain text.
    pub text: String,
    /// When it happened.
    pub at: Timestamp,
}

/// Renders the page at `/status`. `status` is the value of `/status.json`. Times are relative to `now`, and in full in the
/// site's time zone.
///
/// # Errors
///
/// If the template uses a value that `status` does not have.
pub fn status_page(site: &Site, status: &impl Serialize, now: Timestamp) -> Result<String, RenderError> {
    let mut environment = Environment::new();
    let zone = site.timezone;
    let local = move |at: Timestamp| at.datetime().with_timezone(&zone).format("%-d %B %Y, %H:%M").to_string();
    environment.add_filter("local", move |time: String| read(&time).map_or(time, local));
    environment.add_filter("relative", move |time: String| read(&time).map_or(time, |at| relative(at, now)));
    environment.add_template("status.html", PAGE).map_err(failed)?;
    let page = environment.get_template("status.html").map_err(failed)?;
    let status = Value::from(Serde(status));
    let title = site.title.as_str();
    page.render(context! { title, status, now => local(now), zone => zone.name() }).map_err(failed)
}

/// Reads a time of the status (RFC 3339).
fn read(time: &str) -> Option<Timestamp> {
    let time = chrono::DateTime::parse_from_rfc3339(time).ok()?;
    Some(Timestamp::from_datetime(time.to_utc()))
}

/// Returns a time as people say it: `3 minutes ago`, `in 2 hours`.
fn relative(at: Timestamp, now: Timestamp) -> String {
    let (is_past, seconds) = if at <= now { (true, now.since(at).as_secs()) } else { (false, at.since(now).as_secs()) };
    let (count, unit) = match seconds {
        0..60 => return if is_past { "just now" } else { "in a minute" }.to_owned(),
        60..3_600 => (seconds / 60, "minute"),
        3_600..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    let plural = if count == 1 { "" } else { "s" };
    if is_past { format!("{count} {unit}{plural} ago") } else { format!("in {count} {unit}{plural}") }
}

fn failed(error: minijinja::Error) -> RenderError {
    let name = error.name().unwrap_or("status.html").to_owned();
    RenderError::Template { name, line: error.line().unwrap_or(1), message: error.to_string() }
}

/// Renders the events as an Atom document in UTF-8, in the given order. `self_url` is the document's address, if it has one.
///
/// # Errors
///
/// If the writer fails; no content causes that.
pub fn status_feed(site: &Site, self_url: Option<&str>, events: &[StatusEvent]) -> Result<Vec<u8>, RenderError> {
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
        links: self_url.map(link).into_iter().collect(),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_said_in_their_largest_unit() {
        let check = |seconds: i64, expected: &str| {
            let (at, now) = (Timestamp::from_millis(1_000 * seconds), Timestamp::from_millis(0));
            assert_eq!(relative(at, now), expected);
        };
        check(0, "just now");
        check(-61, "1 minute ago");
        check(-7_300, "2 hours ago");
        check(-172_800, "2 days ago");
        check(30, "in a minute");
        check(3_600, "in 1 hour");
        check(864_000, "in 10 days");
    }
}
