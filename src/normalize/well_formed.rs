//! Turns any markup into well-formed markup of allowed elements, without deep nesting or anything else that makes
//! parsers slow or lets them disagree.
//!
//! Everything that a browser would implicitly close, open or move is closed, opened or moved here. So the parser that
//! comes after this sees a plain tree, and its output, read again, is the same tree. This takes one linear pass.

use std::borrow::Cow;

use super::attributes::{self, Attribute};
use super::elements::{is_block, is_heading, is_part_of_table};
use super::escape::push_hidden;
use crate::parse::html_names::is_void;

/// Elements that are nested more deeply are flattened: HTML5 parsers take time quadratic in the depth.
const MAX_DEPTH: usize = 100;

/// The depth that a table cell needs: a table, a body, a row and the cell itself. If they do not all fit, the table is
/// flattened.
const DEPTH_OF_CELL: usize = 4;

/// The most elements in a text. Of further elements only the content is kept. A parser needs a quarter of a kilobyte
/// for each element.
const MAX_ELEMENTS: usize = 20_000;

/// Well-formed markup under construction.
pub(super) struct Markup<'a> {
    out: String,
    /// The open elements, at most [`MAX_DEPTH`].
    open: Vec<Cow<'a, str>>,
    /// The number of elements that were written.
    elements: usize,
}

impl<'a> Markup<'a> {
    /// Creates markup for a text of `bytes` bytes.
    pub(super) fn new(bytes: usize) -> Self {
        Markup { out: String::with_capacity(bytes + bytes / 8), open: Vec::new(), elements: 0 }
    }

    /// Closes all open elements, and returns the markup.
    pub(super) fn finish(mut self) -> String {
        self.close_to(0);
        self.out
    }

    pub(super) fn is_in(&self, name: &str) -> bool {
        self.open.iter().any(|open| open == name)
    }

    /// Appends text. Returns whether any of it is visible.
    pub(super) fn text(&mut self, text: &str) -> bool {
        // Only ASCII white space may stand between the cells of a table.
        if !text.trim_ascii().is_empty() {
            self.enter_cell();
        }
        // A parser ignores a line break right after `<pre>`, so a single one is left out. If the text begins with two
        // line breaks, both are written, and one remains.
        let is_first = self.innermost() == "pre" && self.out.ends_with("<pre>");
        let unseen = if is_first && text.starts_with('\n') && !text.starts_with("\n\n") { 1 } else { 0 };
        let before = self.out.len();
        push_hidden(&mut self.out, &text[unseen..]);
        !self.out[before..].trim_ascii().is_empty()
    }

    /// Appends a start tag. Returns false if the tag was not written. That happens if the element is nested too deeply,
    /// if there are too many elements, or if a part of a table is outside a table.
    pub(super) fn open(&mut self, name: Cow<'a, str>, attributes: &[Attribute]) -> bool {
        let depth = if name == "table" { DEPTH_OF_CELL } else { 1 };
        let is_too_deep = self.open.len() + depth > MAX_DEPTH && !is_void(&name);
        let is_flattened = is_too_deep || self.elements == MAX_ELEMENTS;
        let is_outside_table = is_part_of_table(&name) && !self.open.iter().any(|open| open == "table");
        if is_flattened || is_outside_table {
            return false;
        }
        self.elements += 1;
        self.close_implied(&name);
        self.open_implied(&name);
        self.out.push('<');
        self.out.push_str(&name);
        attributes::push(&mut self.out, attributes);
        self.out.push('>');
        if !is_void(&name) {
            self.open.push(name);
        }
        true
    }

    /// Opens the elements that a part of a table implies around it.
    fn open_implied(&mut self, name: &str) {
        match name {
            "td" | "th" => self.enter_row(),
            "tr" => self.enter_body(),
            "col" if self.innermost() == "table" => self.open_bare("colgroup"),
            _ if !is_part_of_table(name) => self.enter_cell(),
            _ => {}
        }
    }

    /// Puts content that is in a table but outside its cells into a cell. A parser would move it before the table.
    fn enter_cell(&mut self) {
        if matches!(self.innermost(), "table" | "thead" | "tbody" | "tfoot" | "tr" | "colgroup") {
            self.enter_row();
            self.open_bare("td");
        }
    }

    fn enter_row(&mut self) {
        self.enter_body();
        if self.innermost() != "tr" {
            self.open_bare("tr");
        }
    }

    fn enter_body(&mut self) {
        if self.innermost() == "colgroup" {
            self.close("colgroup");
        }
        if self.innermost() == "table" {
            self.open_bare("tbody");
        }
    }

    fn open_bare(&mut self, name: &'static str) {
        self.out.extend(["<", name, ">"]);
        self.open.push(Cow::Borrowed(name));
    }

    fn innermost(&self) -> &str {
        self.open.last().map_or("", |name| name)
    }

    pub(super) fn close(&mut self, name: &str) {
        if let Some(position) = self.open.iter().rposition(|open| open == name) {
            self.close_to(position);
        }
    }

    /// Closes elements until only `length` are open.
    fn close_to(&mut self, length: usize) {
        while self.open.len() > length {
            let name = self.open.pop().expect("more than `length` are open");
            self.out.extend(["</", &name, ">"]);
        }
    }

    /// Closes what a start tag implicitly closes: a list item closes the previous one, and a block closes the
    /// paragraph.
    fn close_implied(&mut self, name: &str) {
        let (closes, within): (&[&str], &[&str]) = match name {
            "li" => (&["li"], &["ul", "ol", "table"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table"]),
            "td" | "th" => (&["td", "th", "caption", "colgroup"], &["table"]),
            "tr" => (&["tr", "caption", "colgroup"], &["table"]),
            "tbody" | "thead" | "tfoot" | "caption" | "colgroup" => return self.close_within_table(),
            "col" if self.innermost() != "colgroup" => return self.close_within_table(),
            "rt" | "rp" => (&["rt", "rp"], &["ruby"]),
            "a" => (&["a"], &["table"]),
            _ if is_heading(name) => (&["p", "h1", "h2", "h3", "h4", "h5", "h6"], &["table"]),
            _ => (&[], &[]),
        };
        if is_block(name) {
            self.close_nearest(&["p"], &["table"]);
        }
        self.close_nearest(closes, within);
    }

    fn close_within_table(&mut self) {
        if let Some(table) = self.open.iter().rposition(|open| open == "table") {
            self.close_to(table + 1);
        }
    }

    fn close_nearest(&mut self, closes: &[&str], within: &[&str]) {
        for position in (0..self.open.len()).rev() {
            let open = &*self.open[position];
            if closes.contains(&open) {
                self.close_to(position);
                return;
            }
            if within.contains(&open) {
                return;
            }
        }
    }
}
