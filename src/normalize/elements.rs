//! HTML's elements: which are kept in untrusted markup, and which implicitly close others.

/// A list of names, and a function that returns whether a name is in it without a search: each tag needs such a lookup.
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
    /// The elements that are kept; of others, only the content is kept.
    ELEMENTS,
    /// Returns whether an element of that name, in lower case, is kept.
    is_kept:
    "a" "abbr" "address" "article" "aside" "audio" "b" "bdi" "bdo" "big" "blockquote" "br" "caption" "center" "cite" "code"
    "col" "colgroup" "dd" "del" "details" "dfn" "div" "dl" "dt" "em" "figcaption" "figure" "footer" "h1" "h2" "h3" "h4" "h5"
    "h6" "header" "hr" "i" "img" "ins" "kbd" "li" "main" "mark" "ol" "p" "picture" "pre" "q" "rp" "rt" "ruby" "s" "samp"
    "section" "small" "source" "span" "strike" "strong" "sub" "summary" "sup" "table" "tbody" "td" "tfoot" "th" "thead"
    "time" "tr" "tt" "u" "ul" "var" "video" "wbr"
}

/// Returns whether an element only has a meaning inside a table.
pub(super) fn is_part_of_table(name: &str) -> bool {
    matches!(name, "caption" | "colgroup" | "col" | "thead" | "tbody" | "tfoot" | "tr" | "td" | "th")
}

pub(super) fn is_heading(name: &str) -> bool {
    matches!(name, "h1" | "h2" | "h3" | "h4" | "h5" | "h6")
}

/// Returns whether the start tag of an element closes a paragraph (HTML, *in body*).
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
