//! Lists which HTML elements are kept in untrusted markup, and which close others implicitly.

/// Defines a list of names, and a function that returns whether a name is in it. The function does not search the list,
/// because it runs for every tag.
macro_rules! names {
    ($(#[$of_list:meta])* $list:ident, $(#[$of_test:meta])* $test:ident: $($name:literal)*) => {
        $(#[$of_list])*
        pub(super) const $list: &[&str] = &[$($name),*];

        $(#[$of_test])*
        pub(super) fn $test(name: &str) -> bool {
            matches!(name, $($name)|*)
        }
    };
}

names! {
    /// The elements that are kept. Of other elements, only the content is kept.
    ELEMENTS,
    /// Returns whether an element is kept. Its name must be in lower case.
    is_kept:
    "a" "abbr" "address" "article" "aside" "audio" "b" "bdi" "bdo" "big" "blockquote" "br" "caption" "center" "cite" "code"
    "col" "colgroup" "dd" "del" "details" "dfn" "div" "dl" "dt" "em" "figcaption" "figure" "footer" "h1" "h2" "h3" "h4" "h5"
    "h6" "header" "hr" "i" "img" "ins" "kbd" "li" "main" "mark" "ol" "p" "picture" "pre" "q" "rp" "rt" "ruby" "s" "samp"
    "section" "small" "source" "span" "strike" "strong" "sub" "summary" "sup" "table" "tbody" "td" "tfoot" "th" "thead"
    "time" "tr" "tt" "u" "ul" "var" "video" "wbr"
}

/// Returns whether an element has a meaning only inside a table.
pub(super) fn is_part_of_table(name: &str) -> bool {
    matches!(name, "caption" | "colgroup" | "col" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th")
}

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Returns whether the start tag of an element closes an open paragraph, by HTML's rules for the insertion mode *in
/// body*.
pub(super) fn is_block(name: &str) -> bool {
    is_heading(name)
        || matches!(
            name,
            "address"
                | "article"
                | "aside"
                | "blockquote"
                | "center"
                | "dd"
                | "details"
                | "div"
                | "dl"
                | "dt"
                | "figcaption"
                | "figure"
                | "footer"
                | "header"
                | "hr"
                | "li"
                | "main"
                | "ol"
                | "p"
                | "pre"
                | "section"
                | "summary"
                | "table"
                | "ul"
        )
}
