//! The pictures that an entry comes with: which of them are one in several sizes, and which one stands for the entry.

use super::model::ParsedEnclosure;

/// What is no larger was not meant to be looked at: the sizes that feeds give are those of pictures, not of pixels that count readers.
const LEAST_PIXELS: u64 = 2;

/// A picture as a `media:content` gives it.
pub(super) struct Picture {
    pub file: ParsedEnclosure,
    /// In pixels.
    pub width: Option<u64>,
    pub height: Option<u64>,
    /// The `media:group` that it is in: its members are one picture.
    pub group: Option<usize>,
}

/// Whether a file is a picture, by what is said of it, or by its name if nothing is.
pub(super) fn is_picture(medium: Option<&str>, media_type: Option<&str>, url: &str) -> bool {
    let is_image = |kind: &str| kind.eq_ignore_ascii_case("image");
    match (medium, media_type) {
        (Some(medium), _) => is_image(medium),
        (None, Some(media_type)) => media_type.split('/').next().is_some_and(is_image),
        (None, None) => is_file(path(url)),
    }
}

/// Each picture once, in its largest size, in the order in which they come first.
pub(super) fn distinct(pictures: Vec<Picture>) -> Vec<ParsedEnclosure> {
    let mut distinct: Vec<(String, Picture)> = Vec::new();
    for picture in pictures.into_iter().filter(|picture| picture.width.is_none_or(|width| width >= LEAST_PIXELS)) {
        let name = without_size(&picture);
        let is_same = |(known_name, known): &&mut (String, Picture)| {
            picture.group.is_some() && picture.group == known.group || *known_name == name
        };
        match distinct.iter_mut().find(is_same) {
            Some((_, known)) if picture.width > known.width => *known = picture,
            Some(_) => {}
            None => distinct.push((name, picture)),
        }
    }
    distinct.into_iter().map(|(_, picture)| picture.file).collect()
}

/// The address without what tells the sizes of one picture apart: numbers that are its width or height, and parameters of a
/// file.
fn without_size(picture: &Picture) -> String {
    let url = picture.file.url.as_str();
    let name = if is_file(path(url)) { path(url) } else { url };
    let sizes = [picture.width, picture.height].map(|size| size.map(|size| size.to_string()));
    let is_size = |number: &str| sizes.iter().flatten().any(|size| size == number);
    let is_edge = |one: char, other: char| one.is_ascii_digit() != other.is_ascii_digit();
    let mut rest = name;
    let mut parts = Vec::new();
    while !rest.is_empty() {
        let edge = rest.chars().zip(rest.char_indices().skip(1)).find(|(before, (_, after))| is_edge(*before, *after));
        let (part, after) = rest.split_at(edge.map_or(rest.len(), |(_, (at, _))| at));
        parts.extend((!is_size(part)).then_some(part));
        rest = after;
    }
    parts.concat()
}

fn path(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or_default()
}

fn is_file(path: &str) -> bool {
    const EXTENSIONS: [&str; 6] = ["avif", "gif", "jpeg", "jpg", "png", "webp"];
    let extension = path.rsplit_once('.').map_or("", |(_, extension)| extension);
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}
