//! Printing: tables and times for people, 80 columns wide if the terminal does not say otherwise.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};

use crate::config::Config;
use crate::text;
pub(super) use crate::text::columns::cut;
use crate::time::Timestamp;

/// The number of columns if the terminal's is unknown.
const WIDTH: u16 = 80;

/// Writes to stdout. A reader that stops early (`| head`) is not an error.
pub(super) fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// Returns an empty table with these headings, as wide as the terminal.
pub(super) fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(heads);
    if table.width().is_none() {
        table.set_width(WIDTH);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
}

/// Returns a table as text, without trailing spaces.
pub(super) fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Returns how many columns the terminal has.
pub(super) fn columns() -> usize {
    Table::new().width().unwrap_or(WIDTH).into()
}

/// Wraps a text between words and indents every line but the first by `indent`; ends with a line break.
pub(super) fn wrap(text: &str, columns: usize, indent: &str) -> String {
    let words = text.trim_start_matches(' ');
    let start = &text[..text.len() - words.len()];
    let words = words.split_whitespace().collect::<Vec<_>>().join(" ");
    text::columns::wrap(&format!("{start}{words}"), columns, indent) + "\n"
}

/// Returns a label in a column of its own, followed by a text wrapped between words; ends with a line break.
pub(super) fn labelled(label: &str, width: usize, text: &str) -> String {
    let indent = " ".repeat(width + 2);
    let beside = wrap(&format!("{indent}{text}"), columns(), &indent);
    format!("{label:width$}  {}", beside.trim_start())
}

/// Returns a date in the site's time zone, such as `2017-12-20`.
pub(super) fn story_date(time: Timestamp, config: &Config) -> String {
    time.datetime().with_timezone(&config.site.timezone).format("%Y-%m-%d").to_string()
}

/// Returns the distance of a time from now, such as `5 min ago` or `in 2 h`.
pub(super) fn relative(time: Timestamp, now: Timestamp) -> String {
    let (distance, is_past) = if time <= now { (now.since(time), true) } else { (time.since(now), false) };
    // Round up a future time, so that a time two hours ahead is still shown as `in 2 h` a moment later.
    let seconds = if is_past { distance.as_secs() } else { distance.as_secs().next_multiple_of(60) };
    let distance = match seconds {
        0..60 => return if is_past { "just now".to_owned() } else { "in a moment".to_owned() },
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if is_past { format!("{distance} ago") } else { format!("in {distance}") }
}

/// Returns a number with its noun, such as `1 story` or `3 stories`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Makes a feed's text safe for a terminal: replaces control characters, which could control it, by spaces.
pub(super) fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
