//! Finds the real URLs of pictures that a script would load. They are in `data-…` attributes or in a `noscript`.

use std::collections::VecDeque;

use super::markup::{Piece, Pieces};

/// The attributes in which scripts that load pictures keep the real URL. They count even if `src` has another URL.
const LAZY: [&str; 4] = ["data-lazy-src", "data-src", "data-original", "data-orig-src"];

/// The attributes that may contain the real URL if `src` has none.
const OTHER: [&str; 8] = [
    "data-original-src",
    "data-lazyload",
    "data-actualsrc",
    "data-cfsrc",
    "data-img-src",
    "data-image",
    "data-url",
    "data-delayed-url",
];

const LAZY_SETS: [&str; 3] = ["data-lazy-srcset", "data-srcset", "data-original-set"];

/// How many pieces (texts and tags) after a picture are searched for the same picture in a `noscript`. White space, the
/// `noscript`, a link and a `picture` may come before it.
const LOOKAHEAD: usize = 8;

/// Moves the real URLs of a picture or source to `src` and `srcset`. Returns whether there were any.
pub(super) fn use_real_address<'a>(attributes: &mut Vec<(&'a str, &'a str)>) -> bool {
    if !attributes.iter().any(|(name, _)| starts_with(name, "data-")) {
        return false;
    }
    let find = |names: &[&str], is_good: fn(&str) -> bool| {
        let values = names.iter().map(|wanted| value(attributes, wanted).filter(|value| is_good(value)));
        values.flatten().next()
    };
    let has_address = value(attributes, "src").is_some_and(|src| !is_placeholder(src));
    let address = find(&LAZY, is_address).or_else(|| find(&OTHER, is_address).filter(|_| !has_address));
    let set = find(&LAZY_SETS, |set| !set.trim().is_empty());
    if let Some(address) = address {
        put(attributes, "src", address);
    }
    if let Some(set) = set {
        put(attributes, "srcset", set);
    }
    address.is_some() || set.is_some()
}

fn value<'a>(attributes: &[(&'a str, &'a str)], wanted: &str) -> Option<&'a str> {
    attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
}

fn put<'a>(attributes: &mut Vec<(&'a str, &'a str)>, wanted: &'static str, value: &'a str) {
    match attributes.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(wanted)) {
        Some(attribute) => attribute.1 = value,
        None => attributes.insert(0, (wanted, value)),
    }
}

fn is_placeholder(src: &str) -> bool {
    let src = src.trim();
    src.is_empty() || src.starts_with('#') || is_data(src) || starts_with(src, "about:")
}

/// Returns whether a value may be the URL of a picture, and not a number, a word or JSON.
fn is_address(value: &str) -> bool {
    let value = value.trim();
    value.contains(['/', '.']) && !value.starts_with(['{', '[', '<']) && !is_data(value)
}

/// Returns whether the URL contains the picture itself.
pub(super) fn is_data(src: &str) -> bool {
    starts_with(src.trim(), "data:")
}

fn starts_with(text: &str, start: &str) -> bool {
    text.get(..start.len()).is_some_and(|head| head.eq_ignore_ascii_case(start))
}

/// An iterator over the pieces of a text. Each picture occurs once in it, with its real URLs.
pub(super) struct RealImages<'a> {
    pieces: Pieces<'a>,
    /// Pieces that were read ahead.
    ahead: VecDeque<Piece<'a>>,
}

pub(super) fn real_images(pieces: Pieces<'_>) -> RealImages<'_> {
    RealImages { pieces, ahead: VecDeque::new() }
}

impl<'a> Iterator for RealImages<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        let mut piece = self.ahead.pop_front().or_else(|| self.pieces.next())?;
        if let Piece::Open { name, attributes, .. } = &mut piece
            && matches!(&**name, "img" | "source" | "video" | "audio" | "iframe")
        {
            let is_lazy = use_real_address(attributes);
            if name == "img"
                && let Some(at) = self.noscript_image()
            {
                // The picture in the `noscript` is the real one, unless the picture before it has a real URL.
                let copy = self.ahead.remove(at);
                if !is_lazy && let Some(mut copy) = copy {
                    if let Piece::Open { attributes, .. } = &mut copy {
                        use_real_address(attributes);
                    }
                    return Some(copy);
                }
            }
        }
        Some(piece)
    }
}

impl RealImages<'_> {
    /// Returns how many bytes are left to read.
    pub(super) fn bytes_left(&self) -> usize {
        self.pieces.bytes_left()
    }

    /// Reads ahead, and looks for a `noscript` with a picture directly after the current picture. Returns the position
    /// of the second picture among the pieces that were read ahead.
    fn noscript_image(&mut self) -> Option<usize> {
        let mut in_noscript = false;
        for at in 0..LOOKAHEAD {
            if at == self.ahead.len() {
                let piece = self.pieces.next()?;
                self.ahead.push_back(piece);
            }
            match &self.ahead[at] {
                Piece::Text(text) if text.trim_ascii().is_empty() => {}
                Piece::Open { name, .. } if name == "noscript" => in_noscript = true,
                Piece::Open { name, .. } if in_noscript && name == "img" => return Some(at),
                Piece::Open { name, .. } if in_noscript && matches!(&**name, "a" | "picture" | "source") => {}
                Piece::Close { name } if !in_noscript && matches!(&**name, "a" | "picture") => {}
                _ => return None,
            }
        }
        None
    }
}
