//! Rewrites untrusted HTML into well-formed markup, in which everything visible is kept or has a substitute.
//!
//! A frame becomes a link. A picture that a script would load gets its real URL. A formula keeps its exponents. A
//! drawing becomes its title. A checkbox becomes a character. Rewriting takes one linear pass.

use std::borrow::Cow;

use super::attributes::{self, Attribute};
use super::drawings::Drawing;
use super::elements::{is_block, is_kept};
use super::formulas::{Formula, Step};
use super::frames;
use super::images::{self, RealImages, real_images};
use super::links::Bases;
use super::markup::{Piece, pieces};
use super::srcset;
use super::well_formed::Markup;
use crate::parse::references::resolve_html;

/// Making URLs absolute may add this many times the length of the text, plus [`LEAST_GROWTH_BYTES`]. Further relative
/// URLs are dropped. Without a limit, a relative URL of two bytes could become as long as the longest base.
const MAX_GROWTH: usize = 4;
const LEAST_GROWTH_BYTES: usize = 4 << 10;

/// Rewrites HTML. The special characters of its text are hidden (see `escape`). Relative URLs are resolved against
/// `bases`, and are dropped if there is no base.
pub(super) fn rewrite(html: &str, bases: Bases) -> String {
    let mut content = Content {
        markup: Markup::new(html.len()),
        bases,
        growth_left: html.len() * MAX_GROWTH + LEAST_GROWTH_BYTES,
        formula: Formula::default(),
        has_formula: false,
        drawing: None,
        bytes_behind_drawings: None,
        picture_source: None,
        last_image: String::new(),
        last_frame: None,
        unread: 0,
    };
    let mut pieces = real_images(pieces(html));
    while let Some(piece) = pieces.next() {
        content.piece(piece, html, &pieces);
    }
    content.markup.finish()
}

struct Content<'a, 'b> {
    markup: Markup<'a>,
    bases: Bases<'b>,
    growth_left: usize,
    formula: Formula,
    has_formula: bool,
    drawing: Option<Drawing>,
    /// The number of bytes after the last end tag of a drawing.
    bytes_behind_drawings: Option<usize>,
    /// The first URL in the `source` elements of the current `picture`.
    picture_source: Option<String>,
    /// The URL of the last picture, if nothing visible came after it; otherwise empty.
    last_image: String,
    /// The URL of the last frame. An `object` has the same URL as the `embed` in it, and both become one link.
    last_frame: Option<String>,
    /// How many open elements contain a second form of something that was shown already. Their text is skipped.
    unread: usize,
}

impl<'a> Content<'a, '_> {
    fn piece(&mut self, piece: Piece<'a>, html: &'a str, rest: &RealImages) {
        match piece {
            Piece::Text(text) => self.text(&resolve_html(text)),
            Piece::Open { name, attributes, is_closed } => {
                if let Some(drawing) = &mut self.drawing {
                    if drawing.open(&name, is_closed) {
                        return;
                    }
                    self.end_drawing();
                }
                if self.unread > 0 {
                    self.unread += usize::from(name == "span" && !is_closed);
                } else if name == "svg" {
                    self.begin_drawing(&attributes, is_closed, html, rest);
                } else if let Some(steps) = self.formula.open(&name, is_closed) {
                    self.has_formula = true;
                    self.write(steps);
                } else {
                    self.open(name, &attributes);
                }
            }
            Piece::Close { name } => {
                if let Some(drawing) = &mut self.drawing {
                    if !drawing.close(&name) {
                        self.end_drawing();
                    }
                } else if self.unread > 0 {
                    self.unread -= usize::from(name == "span");
                } else if let Some(steps) = self.formula.close(&name) {
                    self.write(steps);
                } else {
                    self.markup.close(&name);
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(drawing) = &mut self.drawing {
            drawing.text(text);
            return;
        }
        let is_shown = self.unread == 0 && (!self.formula.is_open() || self.formula.shows(text));
        if is_shown && self.markup.text(text) {
            self.last_image.clear();
        }
    }

    fn write(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Text(text) => self.text_of_formula(text),
                Step::Open(name) => {
                    self.markup.open(Cow::Borrowed(name), &[]);
                }
                Step::Close(name) => self.markup.close(name),
            }
        }
    }

    fn text_of_formula(&mut self, text: &str) {
        if !self.formula.hides() && self.markup.text(text) {
            self.last_image.clear();
        }
    }

    fn open(&mut self, name: Cow<'a, str>, attributes: &[(&'a str, &'a str)]) {
        if self.formula.is_open() && is_block(&name) {
            let steps = self.formula.end();
            self.write(steps);
        }
        match &*name {
            "img" | "amp-img" => self.image(attributes),
            "input" => self.text(box_of_task(attributes)),
            _ if frames::is_frame(&name) => self.frame(&name, attributes),
            // KaTeX writes each formula a second time, for visual rendering. That second form is skipped.
            "span" if self.has_formula && is_second_form(attributes) => self.unread = 1,
            _ if is_kept(&name) => {
                let cleaned = self.clean(&name, attributes);
                if name == "picture" {
                    self.picture_source = None;
                } else if name == "source" {
                    let set = attributes::value(&cleaned, "srcset").map(srcset::first).map(str::to_owned);
                    self.picture_source = self.picture_source.take().or(set);
                }
                let is_block = is_block(&name);
                if self.markup.open(name, &cleaned) && is_block {
                    self.last_image.clear();
                }
            }
            _ => {}
        }
    }

    fn clean(&mut self, name: &str, written: &[(&'a str, &'a str)]) -> Vec<Attribute<'a>> {
        let cleaned =
            attributes::clean(name, written, if self.growth_left > 0 { self.bases } else { Bases::default() });
        self.growth_left = self.growth_left.saturating_sub(attributes::growth(written, &cleaned));
        cleaned
    }

    /// Writes a picture, if it has a URL.
    fn image(&mut self, written: &[(&'a str, &'a str)]) {
        let mut cleaned = self.clean("img", written);
        if attributes::is_tracking_pixel(&cleaned) {
            return;
        }
        if attributes::value(&cleaned, "src").is_none() {
            let set = attributes::value(&cleaned, "srcset").map(srcset::first).map(str::to_owned);
            let Some(source) = set.or_else(|| self.picture_source.clone().filter(|_| self.markup.is_in("picture")))
            else {
                // The picture has no usable URL. If its data is in its URL (`data:`), it is mostly a symbol, so its
                // description is kept. Of any other picture, nothing is kept.
                let is_inline = attributes::written(written, "src").is_some_and(|src| images::is_data(&src));
                let alt = attributes::value(&cleaned, "alt").filter(|_| is_inline).unwrap_or_default();
                let alt = alt.trim().to_owned();
                return self.text(&alt);
            };
            self.growth_left = self.growth_left.saturating_sub(source.len());
            cleaned.insert(0, Attribute::new("src", source));
        }
        let source = attributes::value(&cleaned, "src").unwrap_or_default();
        // A `noscript` may repeat the picture that a script would load. It is written once.
        if source != self.last_image {
            self.markup.open(Cow::Borrowed("img"), &cleaned);
            self.last_image.clear();
            self.last_image.push_str(source);
        }
    }

    fn frame(&mut self, name: &str, attributes: &[(&'a str, &'a str)]) {
        let base = self.bases.base.filter(|_| self.growth_left > 0);
        let Some(frame) = frames::stand_in(name, attributes, base) else { return };
        if self.last_frame.as_ref() == Some(&frame.href) {
            return;
        }
        let bytes = frame.href.len() + frame.picture.as_ref().map_or(0, String::len) + frame.title.len();
        self.growth_left = self.growth_left.saturating_sub(bytes);
        self.markup.open(Cow::Borrowed("a"), &[Attribute::new("href", frame.href.clone())]);
        match frame.picture {
            Some(picture) => {
                let attributes = [Attribute::new("src", picture), Attribute::new("alt", frame.title)];
                self.markup.open(Cow::Borrowed("img"), &attributes);
            }
            None => {
                self.markup.text(&frame.title);
            }
        }
        self.markup.close("a");
        self.last_frame = Some(frame.href);
    }

    /// Begins to skip a drawing, if the rest of the text has an end tag of a drawing. Otherwise skips only the start
    /// tag, because the rest of the text is not part of the drawing.
    fn begin_drawing(&mut self, attributes: &[(&'a str, &'a str)], is_closed: bool, html: &str, rest: &RealImages) {
        let behind = self.bytes_behind_drawings.get_or_insert_with(|| bytes_behind_last_end(html));
        let ends = rest.bytes_left() > *behind;
        if ends && !is_closed {
            self.drawing = Some(Drawing::new(attributes));
        }
    }

    fn end_drawing(&mut self) {
        if let Some(drawing) = self.drawing.take() {
            let stand_in = drawing.stand_in(self.markup.is_in("a"));
            self.text(&stand_in);
        }
    }
}

/// Returns how many bytes follow the last `</svg` of a text.
fn bytes_behind_last_end(html: &str) -> usize {
    const END: &[u8] = b"</svg";
    let last = html.as_bytes().windows(END.len()).rposition(|window| window.eq_ignore_ascii_case(END));
    last.map_or(html.len(), |last| html.len() - last - END.len())
}

/// Returns the character for a checkbox of a task list. Returns an empty text for other input fields.
fn box_of_task(attributes: &[(&str, &str)]) -> &'static str {
    let kind = attributes::written(attributes, "type").unwrap_or_default();
    if !kind.trim().eq_ignore_ascii_case("checkbox") {
        return "";
    }
    if attributes::written(attributes, "checked").is_some() { "☑" } else { "☐" }
}

fn is_second_form(attributes: &[(&str, &str)]) -> bool {
    attributes::written(attributes, "class")
        .is_some_and(|class| class.split_whitespace().any(|name| name == "katex-html"))
}
