//! Printing: tables and times for people, at 80 columns where no terminal says otherwise.

use std::io::Write;

use comfy_table::{ContentArrangement, Table, presets};

use crate::config::Config;
use crate::time::Timestamp;

/// Columns where no terminal says how many it has.
const WIDTH: u16 = 80;

/// Writes to stdout. A reader that has seen enough (`| head`) is no failure.
pub fn print(text: &str) -> std::io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

/// An empty table with the given heads, as wide as the terminal.
pub fn table(heads: &[&str]) -> Table {
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

/// A table as text, without blanks at the ends of its lines.
pub fn lines(table: &Table) -> String {
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// How many columns the terminal has.
pub fn columns() -> usize {
    Table::new().width().unwrap_or(WIDTH).into()
}

/// A text on one line of at most so many characters.
pub fn cut(text: &str, columns: usize) -> String {
    match text.char_indices().nth(columns.max(1)) {
        Some(_) => text.chars().take(columns.max(1) - 1).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// A text broken between words, every line but the first behind `indent`; ends with a line end.
pub fn wrap(text: &str, columns: usize, indent: &str) -> String {
    let mut wrapped: String = text.chars().take_while(|c| *c == ' ').collect();
    let mut width = wrapped.len();
    let mut is_first = true;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if !is_first && width + 1 + length > columns {
            wrapped.push('\n');
            wrapped.push_str(indent);
            width = indent.len();
        } else if !is_first {
            wrapped.push(' ');
            width += 1;
        }
        is_first = false;
        wrapped.push_str(word);
        width += length;
    }
    wrapped.push('\n');
    wrapped
}

/// A label in a column of its own and a text beside it, broken between words; ends with a line end.
pub fn labelled(label: &str, width: usize, text: &str) -> String {
    let indent = " ".repeat(width + 2);
    let beside = wrap(&format!("{indent}{text}"), columns(), &indent);
    format!("{label:width$}  {}", beside.trim_start())
}

/// A day by the site's clock, as in `2017-12-20`.
pub fn story_date(time: Timestamp, config: &Config) -> String {
    time.datetime().with_timezone(&config.site.timezone).format("%Y-%m-%d").to_string()
}

/// How far a time lies from now, as in `5 min ago` or `in 2 h`.
pub fn relative(time: Timestamp, now: Timestamp) -> String {
    let (distance, is_past) = if time <= now { (now.since(time), true) } else { (time.since(now), false) };
    // Rounded up where it is to come: what was set two hours ahead is `in 2 h` a moment later too.
    let seconds = if is_past { distance.as_secs() } else { distance.as_secs().next_multiple_of(60) };
    let distance = match seconds {
        0..60 => return if is_past { "just now".to_owned() } else { "in a moment".to_owned() },
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if is_past { format!("{distance} ago") } else { format!("in {distance}") }
}

/// A number with its noun, as in `1 story` or `3 stories`.
pub fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Text from a feed for a terminal: control characters, which could command it, are taken out.
pub fn safe(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
