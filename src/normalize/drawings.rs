//! Replaces inline SVG with text: the title of the drawing, or else the words in it.
//!
//! Nothing of the drawing itself is kept, because parsers disagree on foreign content (SVG and MathML in HTML), and
//! most feed readers do not show it.

/// The title and the words of a drawing are cut at this length.
const MAX_CHARS: usize = 200;

/// A drawing whose width or height is at most this many pixels is an icon.
const ICON_PIXELS: f64 = 64.0;

/// A drawing that is being skipped.
pub(super) struct Drawing {
    /// The number of open `svg` elements.
    depth: usize,
    /// The number of open elements whose content is HTML and not SVG.
    foreign: usize,
    in_title: bool,
    title: String,
    words: String,
    is_icon: bool,
}

impl Drawing {
    /// Begins a drawing at an `svg` with these attributes.
    pub(super) fn new(attributes: &[(&str, &str)]) -> Drawing {
        let attribute = |wanted: &str| super::attributes::written(attributes, wanted).unwrap_or_default();
        let size = |wanted: &str| attribute(wanted).trim().trim_end_matches("px").parse::<f64>().ok();
        let is_small = [size("width"), size("height")].into_iter().flatten().any(|pixels| pixels <= ICON_PIXELS);
        let is_decoration = attribute("aria-hidden").eq_ignore_ascii_case("true")
            || matches!(&*attribute("role"), "presentation" | "none")
            || attribute("class").contains("icon");
        Drawing {
            depth: 1,
            foreign: 0,
            in_title: false,
            title: attribute("aria-label").trim().to_owned(),
            words: String::new(),
            is_icon: is_small || is_decoration,
        }
    }

    /// Processes a start tag. Returns whether the tag belongs to the drawing. Some HTML tags end a drawing, as in
    /// browsers.
    pub(super) fn open(&mut self, name: &str, is_closed: bool) -> bool {
        match name {
            _ if is_closed => {}
            "svg" => self.depth += 1,
            "foreignobject" => self.foreign += 1,
            "title" => {
                self.foreign += 1;
                self.in_title = self.title.is_empty();
            }
            _ if self.foreign == 0 && breaks_out(name) => return false,
            _ => {}
        }
        true
    }

    /// Processes an end tag. Returns whether the drawing continues.
    pub(super) fn close(&mut self, name: &str) -> bool {
        match name {
            "svg" => self.depth -= 1,
            "foreignobject" => self.foreign = self.foreign.saturating_sub(1),
            "title" => {
                self.foreign = self.foreign.saturating_sub(1);
                self.in_title = false;
            }
            _ => {}
        }
        self.depth > 0
    }

    pub(super) fn text(&mut self, text: &str) {
        let words = if self.in_title { &mut self.title } else { &mut self.words };
        for word in text.split_whitespace() {
            if words.chars().count() + word.chars().count() > MAX_CHARS {
                break;
            }
            words.push_str(if words.is_empty() { "" } else { " " });
            words.push_str(word);
        }
    }

    /// Returns the replacement. It is empty if there are no words and the drawing is an icon or in a link.
    pub(super) fn stand_in(&self, in_link: bool) -> String {
        let words = if self.title.is_empty() { &self.words } else { &self.title };
        match (words.as_str(), self.is_icon || in_link) {
            ("", true) => String::new(),
            ("", false) => "[🖼]".to_owned(),
            (words, true) => words.to_owned(),
            (words, false) => format!("[🖼 {words}]"),
        }
    }
}

/// Returns whether a start tag ends foreign content, by HTML's *rules for parsing tokens in foreign content*.
fn breaks_out(name: &str) -> bool {
    matches!(
        name,
        "b" | "big"
            | "blockquote"
            | "body"
            | "br"
            | "center"
            | "code"
            | "dd"
            | "div"
            | "dl"
            | "dt"
            | "em"
            | "embed"
            | "h1"
            | "h2"
            | "h3"
            | "h4"
            | "h5"
            | "h6"
            | "head"
            | "hr"
            | "i"
            | "img"
            | "li"
            | "listing"
            | "menu"
            | "meta"
            | "nobr"
            | "ol"
            | "p"
            | "pre"
            | "ruby"
            | "s"
            | "small"
            | "span"
            | "strong"
            | "strike"
            | "sub"
            | "sup"
            | "table"
            | "tt"
            | "u"
            | "ul"
            | "var"
    )
}
