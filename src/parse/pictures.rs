//! Decides which pictures of an entry are one picture in several sizes, and which one represents the entry.

use super::model::ParsedEnclosure;

/// The least width and height of a picture, in pixels. A smaller picture is not meant to be seen: it counts the
/// readers.
const LEAST_PIXELS: u64 = 2;

/// The most pixels in one direction. Cameras make smaller pictures, so a larger number is a mistake.
const MOST_PIXELS: u64 = 10_000;

/// A picture from a `media:content` element.
pub(super) struct Picture {
    pub file: ParsedEnclosure,
    /// The width in pixels.
    pub width: Option<u64>,
    /// The height in pixels.
    pub height: Option<u64>,
    /// The number of the `media:group` that contains the file. All members of a group are one picture.
    pub group: Option<usize>,
}

impl Picture {
    /// Returns whether the picture is meant to be seen, and its size is possible.
    fn is_seen(&self) -> bool {
        let sizes = [self.width, self.height];
        sizes.into_iter().flatten().all(|pixels| (LEAST_PIXELS..=MOST_PIXELS).contains(&pixels))
    }
}

/// Returns whether a file is a picture, by its declared type, or by its name if no type is declared.
pub(super) fn is_picture(medium: Option<&str>, media_type: Option<&str>, url: &str) -> bool {
    let is_image = |kind: &str| kind.eq_ignore_ascii_case("image");
    match (medium, media_type) {
        (Some(medium), _) => is_image(medium),
        (None, Some(media_type)) => media_type.split('/').next().is_some_and(is_image),
        (None, None) => is_file(path(url)),
    }
}

/// Returns the URL of the first picture in its largest size, as the image of the entry. It is `None` if the entry has
/// an image already.
///
/// Also returns the files of all pictures. `repeats_picture` is false only for the files to show: the largest file of
/// each picture, except the file that is the image of the entry.
pub(super) fn one_of_each(pictures: Vec<Picture>, has_image: bool) -> (Option<String>, Vec<ParsedEnclosure>) {
    // The largest file of each picture, with the name that the files of the picture share.
    let mut largest: Vec<(String, usize)> = Vec::new();
    for (at, picture) in pictures.iter().enumerate() {
        let name = without_size(picture);
        let is_same = |(known, other): &&mut (String, usize)| {
            let other = &pictures[*other];
            picture.group.is_some() && picture.group == other.group || *known == name
        };
        let is_better = |known: &Picture| picture.is_seen() && (!known.is_seen() || picture.width > known.width);
        match largest.iter_mut().find(is_same) {
            Some((_, known)) if is_better(&pictures[*known]) => *known = at,
            Some(_) => {}
            None => largest.push((name, at)),
        }
    }
    largest.retain(|(_, at)| pictures[*at].is_seen());
    let image = largest.first().filter(|_| !has_image).map(|(_, at)| pictures[*at].file.url.clone());
    let shown: Vec<usize> = largest.iter().skip(usize::from(image.is_some())).map(|(_, at)| *at).collect();
    let files = pictures.into_iter().enumerate().map(|(at, Picture { file, .. })| ParsedEnclosure {
        media_type: file.media_type.or_else(|| media_type(path(&file.url)).map(str::to_owned)),
        repeats_picture: !shown.contains(&at),
        ..file
    });
    (image, files.collect())
}

/// Returns the URL without the parts that differ between the sizes of one picture. These are the numbers that are equal
/// to its width or height, and the query if the path names a picture file.
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
    media_type(path).is_some()
}

/// Returns the media type of a picture, from the extension of its path.
fn media_type(path: &str) -> Option<&'static str> {
    const TYPES: [(&str, &str); 6] = [
        ("avif", "image/avif"),
        ("gif", "image/gif"),
        ("jpeg", "image/jpeg"),
        ("jpg", "image/jpeg"),
        ("png", "image/png"),
        ("webp", "image/webp"),
    ];
    let (_, extension) = path.rsplit_once('.')?;
    TYPES.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known)).map(|(_, media_type)| *media_type)
}
