//! Converts MathML to HTML with the same meaning: exponents become `sup`, indices `sub`, fractions get a slash.
//!
//! Nothing of MathML itself is kept, because parsers disagree on foreign content (SVG and MathML in HTML), and few feed
//! readers show it. If a formula has an annotation, the formula is shown and not the annotation.

/// Elements of a formula that are nested more deeply are flattened.
const MAX_DEPTH: usize = 100;

/// What to write for a tag of a formula.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Text(&'static str),
    Open(&'static str),
    Close(&'static str),
}

/// An open element of a formula.
struct Part {
    name: Name,
    children: usize,
    /// What to write when the element ends.
    end: [Option<Step>; 2],
}

type Name = &'static str;

/// The formula that is being read; empty if no element is open.
#[derive(Default)]
pub(super) struct Formula {
    open: Vec<Part>,
}

/// The elements of MathML Core, and those of MathML 3 that occur on pages.
const NAMES: [Name; 34] = [
    "annotation",
    "annotation-xml",
    "maction",
    "math",
    "menclose",
    "merror",
    "mfenced",
    "mfrac",
    "mi",
    "mmultiscripts",
    "mn",
    "mo",
    "mover",
    "mpadded",
    "mphantom",
    "mprescripts",
    "mroot",
    "mrow",
    "ms",
    "mspace",
    "msqrt",
    "mstyle",
    "msub",
    "msubsup",
    "msup",
    "mtable",
    "mtd",
    "mtext",
    "mtr",
    "munder",
    "munderover",
    "none",
    "semantics",
    "mlabeledtr",
];

/// Returns an element's name without its namespace prefix. Returns `None` if it is not an element of MathML.
fn known(name: &str) -> Option<Name> {
    let name = name.rsplit_once(':').map_or(name, |(_, local)| local);
    NAMES.iter().find(|known| **known == name).copied()
}

impl Formula {
    pub(super) fn is_open(&self) -> bool {
        !self.open.is_empty()
    }

    /// Returns whether text at this place is shown. White space between elements and hidden content are not shown.
    pub(super) fn shows(&self, text: &str) -> bool {
        let is_token = |name: &str| matches!(name, "mi" | "mn" | "mo" | "ms" | "mtext");
        let in_token = self.open.last().is_some_and(|part| is_token(part.name));
        !self.hides() && (in_token || !text.trim_ascii().is_empty())
    }

    /// Returns whether content at this place is hidden. It is hidden in an annotation next to the formula itself, and
    /// in an element that only reserves space.
    pub(super) fn hides(&self) -> bool {
        let is_hidden =
            |part: &Part| matches!(part.name, "annotation" | "annotation-xml" | "mphantom") && part.children > 0;
        self.open.iter().any(is_hidden)
    }

    /// Processes a start tag. Returns what to write instead of it. Returns `None` if the tag is not part of a formula.
    pub(super) fn open(&mut self, name: &str, is_closed: bool) -> Option<Vec<Step>> {
        // This runs for every tag of every text, and very few tags are part of a formula.
        if !self.is_open() && !name.ends_with("math") {
            return None;
        }
        let name = known(name).filter(|name| self.is_open() || *name == "math")?;
        let mut steps = Vec::new();
        let (parent, index) = match self.open.last_mut() {
            Some(parent) => {
                parent.children += 1;
                (parent.name, parent.children - 1)
            }
            None => ("", 0),
        };
        let (start, end) = place(parent, index, name);
        steps.extend(start.into_iter().flatten());
        let own = match name {
            "msqrt" => Some(("√(", ")")),
            "mfenced" => Some(("(", ")")),
            _ => None,
        };
        steps.extend(own.map(|(start, _)| Step::Text(start)));
        if name == "mspace" {
            steps.push(Step::Text(" "));
        }
        let end = [own.map(|(_, end)| Step::Text(end)), end];
        if is_closed {
            steps.extend(end.into_iter().flatten());
        } else if self.open.len() < MAX_DEPTH {
            // For an annotation, `children` is its position among its siblings. If it is the first one, it is the only
            // form of the formula.
            let children = if name.starts_with("annotation") { index } else { usize::from(name == "mphantom") };
            self.open.push(Part { name, children, end });
        }
        Some(steps)
    }

    /// Processes an end tag. Returns what to write instead of it. Returns `None` if the tag is not part of a formula.
    pub(super) fn close(&mut self, name: &str) -> Option<Vec<Step>> {
        if !self.is_open() {
            return None;
        }
        let name = known(name)?;
        let depth = self.open.iter().rposition(|part| part.name == name);
        Some(depth.map(|depth| self.close_to(depth)).unwrap_or_default())
    }

    /// Ends the formula. The caller does this at an HTML element that is not allowed in a formula.
    pub(super) fn end(&mut self) -> Vec<Step> {
        self.close_to(0)
    }

    fn close_to(&mut self, depth: usize) -> Vec<Step> {
        self.open.drain(depth..).rev().flat_map(|part| part.end).flatten().collect()
    }
}

/// Returns what to write before and after the child `name` of the element `parent`. It depends on `index`, the position
/// of the child.
fn place(parent: &str, index: usize, name: &str) -> ([Option<Step>; 2], Option<Step>) {
    let is_compound = matches!(name, "mrow" | "mfrac" | "mstyle" | "mpadded");
    let wrapped = |tag| ([Some(Step::Open(tag)), None], Some(Step::Close(tag)));
    let in_parentheses = |before: Option<&'static str>| {
        let start = before.map(Step::Text);
        if is_compound { ([start, Some(Step::Text("("))], Some(Step::Text(")"))) } else { ([start, None], None) }
    };
    match (parent, index) {
        ("msup" | "mover", 1) | ("msubsup" | "munderover", 2) => wrapped("sup"),
        ("msub" | "munder" | "msubsup" | "munderover", 1) => wrapped("sub"),
        ("mmultiscripts", index) if index > 0 && name != "none" && name != "mprescripts" => {
            wrapped(if index % 2 == 1 { "sub" } else { "sup" })
        }
        ("mfrac" | "mroot", 0) => in_parentheses(None),
        ("mfrac", 1) => in_parentheses(Some("/")),
        ("mroot", 1) => ([Some(Step::Open("sup")), Some(Step::Text("1/"))], Some(Step::Close("sup"))),
        ("mtr" | "mlabeledtr", 1..) => ([Some(Step::Text(", ")), None], None),
        ("mtable", 1..) => ([Some(Step::Text("; ")), None], None),
        ("mfenced", 1..) => ([Some(Step::Text(",")), None], None),
        _ => ([None, None], None),
    }
}
