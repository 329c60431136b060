//! Text of feeds and pages in errors and notes: each error or note is one line of limited length.

use newswire::poll::{PollReport, ReportedOutcome};
use newswire::status;

use crate::poll::{Bed, DAY, HOUR, feed_at, local_names, start};
use crate::support::origin::{Origin, Reply};
use crate::support::sql;

/// Texts that would begin a new line, or control a terminal.
const COMMANDS: [&str; 5] = ["\n2026-01-01T00:00:00Z ERROR forged", "\r", "\u{2028}", "\u{1b}[2J", "\u{202e}"];

/// Returns a page that links to `links` feeds, each with an address of 20 KB. Half of the hosts begin with a bracket,
/// so they are invalid and stay as written.
fn page(links: usize) -> String {
    let filling = "x".repeat(20_000);
    let link = |number: usize| {
        let start = if number.is_multiple_of(2) { "https://a.example/" } else { "http://[" };
        let command = COMMANDS[number % COMMANDS.len()];
        format!("<link rel=alternate type='application/rss+xml' href='{start}{number}{command}{filling}'>")
    };
    format!("<!doctype html><title>Page</title>{}", (0..links).map(link).collect::<String>())
}

fn check_line(text: &str, most: usize) {
    assert!(text.chars().count() <= most, "{} characters: {}", text.chars().count(), text.split_at(300).0);
    let is_unfit = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202e}');
    assert!(!text.contains(is_unfit), "{text:?}");
}

async fn stored_errors(bed: &Bed) -> Vec<String> {
    let connection = sql::open(bed.store.path());
    let mut statement = connection
        .prepare("SELECT failure_detail FROM feed UNION ALL SELECT failure_detail FROM poll_log UNION ALL SELECT detail FROM event")
        .unwrap();
    let errors = statement.query_map([], |row| row.get::<_, Option<String>>(0)).unwrap();
    errors.filter_map(|error| error.unwrap()).collect()
}

#[tokio::test]
async fn page_with_endless_links_gives_an_error_of_one_short_line() {
    let origin = Origin::start(|_| Reply::new(200, &[("Content-Type", "text/html")], page(500)));
    let bed = Bed::of(&origin, "max_size = \"20 MiB\"").await;
    let mut report: Option<PollReport> = None;
    for day in 0..3 {
        report = bed.poll_due(start() + DAY * 2 * day).await.pop();
    }
    let error = report.unwrap().failure.unwrap().to_string();
    check_line(&error, 1000);
    assert!(error.starts_with("this is an HTML page, not a feed; the page offers https://a.example/0"), "{error}");
    assert!(error.ends_with("… and 497 more"), "{error}");
    let stored = stored_errors(&bed).await;
    assert_eq!(stored.len(), 5, "the feed's, three in the poll log, and its death: {stored:?}");
    stored.iter().for_each(|error| check_line(error, 1100));
    let config = bed.config.clone();
    let rows = bed.store.read(move |reader| status::feeds(&config, Some(reader), start() + HOUR)).await.unwrap();
    assert_eq!(rows[0].last_error.as_deref(), Some(error.as_str()));
}

#[tokio::test]
async fn secret_is_masked_even_if_its_long_address_is_cut() {
    const TOKEN: &str = "canary-7f3a9c2e51d84b60";
    let origin = Origin::start(|_| {
        let address = format!("https://a.example/{}?token={TOKEN}", "x".repeat(165));
        let page = format!("<!doctype html><link rel=alternate type='application/rss+xml' href='{address}'>");
        Reply::new(200, &[("Content-Type", "text/html")], page)
    });
    let feed = feed_at("a", "a.test", &origin, &format!("/feed?token={TOKEN}"));
    let bed = Bed::new(&feed, Some(local_names())).await;
    let report = bed.poll_due(start()).await.pop().unwrap();
    let error = report.failure.unwrap().to_string();
    assert!(error.ends_with("?token=***") && !error.contains("canary"), "{error}");
    assert!(stored_errors(&bed).await.iter().all(|error| !error.contains("canary")));
}

#[tokio::test]
async fn entries_that_change_at_every_poll_are_listed_one_per_line_up_to_a_limit() {
    let origin = Origin::start(|request| {
        let item = |id: usize| {
            let title = format!("\\u001b[2J\\nERROR {id} {}", "x".repeat(900));
            format!(
                r#"{{ "id": "{id}", "title": "{title}", "content_text": "{} {id}" }}"#,
                "word ".repeat(request.number + 1)
            )
        };
        let items = (0..20).map(item).collect::<Vec<_>>().join(",");
        let body = format!(
            r#"{{ "version": "https://jsonfeed.org/version/1.1", "title": "\u001b[2JA\u202eB", "items": [{items}] }}"#
        );
        Reply::new(200, &[("ETag", "\"1\"")], body)
    });
    let bed = Bed::of(&origin, "schedule = \"every 1 hour\"").await;
    let mut notes = Vec::new();
    for hour in 0..30 {
        let report = bed.poll_due(start() + HOUR * 2 * hour).await.pop().unwrap();
        assert_ne!(report.outcome, ReportedOutcome::Failed, "{report:?}");
        notes = report.notes;
    }
    assert_eq!(notes.len(), 4, "{notes:?}");
    notes.iter().for_each(|note| check_line(&note.to_string(), 300));
    assert_eq!(notes[3].to_string(), "17 more entries change at every poll");
    let config = bed.config.clone();
    let rows = bed.store.read(move |reader| status::feeds(&config, Some(reader), start())).await.unwrap();
    check_line(&rows[0].title, 200);
    check_line(rows[0].note.as_ref().unwrap(), 1000);
}
