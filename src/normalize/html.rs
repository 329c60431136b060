//! Turns untrusted HTML into HTML that is safe on any page.
//!
//! Cleaning takes two steps. First, `content` rewrites the markup: it keeps only allowed elements, limits their depth,
//! makes URLs absolute, removes tracking pixels, and writes substitutes for what it removes. Then the result is checked
//! again. Most results are `settled`: so plain that they can be read in only one way. The others go through the crate
//! ammonia, which parses as browsers do and keeps only what is on the allow-list.
//!
//! The result contains no script, style, frame, form, svg or math; no `id`, `class`, `name`, `style` or `on…`
//! attribute; and no URL except `http`, `https` and `mailto`. Sanitizing it again changes nothing.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};
use url::Url;

use super::attributes;
use super::content;
use super::elements::ELEMENTS;
use super::escape;
use super::links::Bases;
use super::settled::is_settled;
use super::text;

static CLEANER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let own_attributes = |element: &&'static str| (*element, attributes::of(element).iter().copied().collect());
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().copied().collect())
        .clean_content_tags(HashSet::from(["script", "style"]))
        .generic_attributes(attributes::OF_ANY.into())
        .tag_attributes(ELEMENTS.iter().map(own_attributes).collect())
        .url_schemes(HashSet::from(["http", "https", "mailto"]))
        .url_relative(UrlRelative::Deny)
        .link_rel(None);
    builder
});

/// Sanitizes HTML. Relative URLs in it are relative to `base`. Without a base, they are dropped.
pub fn sanitize(html: &str, base: Option<&Url>) -> String {
    sanitize_within(html, Bases::of(base))
}

/// Sanitizes a text whose relative URLs have different bases.
pub(super) fn sanitize_within(html: &str, bases: Bases) -> String {
    let html = &*text::windows_1252(html);
    if escape::is_plain(html) {
        return html.trim().to_owned();
    }
    let written = content::rewrite(html, bases);
    let clean = if is_settled(&written) {
        debug_assert_eq!(through_parser(&written), written, "a parser gives back what is settled");
        written
    } else {
        through_parser(&written)
    };
    let mut clean = escape::reveal(clean);
    // A parser drops the first line break of a `pre`, so a meaningful one must be written twice.
    if clean.contains("<pre>\n") {
        clean = clean.replace("<pre>\n", "<pre>\n\n");
    }
    let trimmed = clean.trim();
    if trimmed.len() == clean.len() { clean } else { trimmed.to_owned() }
}

/// Parses HTML as browsers do, and keeps what is on the allow-list.
fn through_parser(html: &str) -> String {
    let mut written = Vec::with_capacity(html.len());
    CLEANER.clean(html).write_to(&mut written).expect("a Vec takes all that is written to it");
    String::from_utf8(written).expect("what was text is text")
}

/// Converts plain text to escaped HTML. A blank line begins a paragraph, and a line break becomes `<br>`.
pub(super) fn from_plain_text(text: &str) -> String {
    let text = if text.contains('\r') {
        Cow::Owned(text.replace("\r\n", "\n").replace('\r', "\n"))
    } else {
        Cow::Borrowed(text)
    };
    let mut escaped = String::with_capacity(text.len());
    escape::push_escaped(&mut escaped, text::windows_1252(&text).trim());
    let (mut paragraphs, mut lines) = (Vec::new(), Vec::new());
    for line in escaped.split('\n').map(|line| line.trim_matches([' ', '\t'])).chain([""]) {
        if !line.is_empty() {
            lines.push(line);
        } else if !lines.is_empty() {
            paragraphs.push(lines.join("<br>"));
            lines.clear();
        }
    }
    match paragraphs.as_slice() {
        [only] => only.clone(),
        many => many.iter().map(|paragraph| format!("<p>{paragraph}</p>")).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::elements::ELEMENTS;
    use super::*;
    use crate::parse::html_names::is_void;

    /// Generates well-nested markup of kept elements, in allowed and forbidden combinations.
    fn tree() -> impl Strategy<Value = String> {
        let text = prop::sample::select(vec!["", " ", "\n", "text", "日本", "a\tb"]).prop_map(str::to_owned);
        let attributes = prop::sample::select(vec!["", "", "", " title=\"a&quot;b\"", " href=\"https://a.example/\""]);
        text.prop_recursive(6, 40, 4, move |inside| {
            let insides = prop::collection::vec(inside, 0..4);
            (prop::sample::select(ELEMENTS.to_vec()), attributes.clone(), insides).prop_map(
                |(name, attributes, insides)| {
                    let inside = insides.concat();
                    if is_void(name) {
                        format!("<{name}>{inside}")
                    } else {
                        format!("<{name}{attributes}>{inside}</{name}>")
                    }
                },
            )
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 20_000, max_global_rejects: 1_000_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn settled_markup_passes_a_parser_unchanged(html in tree()) {
            prop_assume!(html.matches('<').count() > 5 && is_settled(&html));
            prop_assert_eq!(through_parser(&html), html);
        }
    }
}
