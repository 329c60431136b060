//! Parses the candidates of a `srcset` (each a URL with descriptors) as HTML specifies (*parse a srcset attribute*). So
//! commas in URLs and missing spaces are read as in browsers.

use url::Url;

use super::links;

/// The most candidates that are kept for a picture, because each may become as long as its base URL.
const MAX_CANDIDATES: usize = 64;

/// Returns the candidates with absolute URLs. Drops candidates without a web URL or with wrong descriptors. Returns
/// `None` if no candidate is left.
pub(super) fn clean(value: &str, base: Option<&Url>) -> Option<String> {
    let kept = candidates(value).take(MAX_CANDIDATES).filter_map(|(url, descriptors)| {
        let descriptors: Vec<&str> = descriptors.split_ascii_whitespace().collect();
        let url = links::clean(url, base).map(String::from)?;
        // A URL without its tracking parameters may end in a comma. The comma would end the candidate.
        let is_sound = descriptors.iter().all(|descriptor| is_descriptor(descriptor)) && !url.ends_with(',');
        is_sound.then(|| [&[url.as_str()], descriptors.as_slice()].concat().join(" "))
    });
    let kept: Vec<String> = kept.collect();
    (!kept.is_empty()).then(|| kept.join(", "))
}

/// Returns the URL of the first candidate of a cleaned `srcset`.
pub(super) fn first(cleaned: &str) -> &str {
    candidates(cleaned).next().map_or("", |(url, _)| url)
}

/// Returns each candidate's URL and its descriptors.
fn candidates(value: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ',');
        if rest.is_empty() {
            return None;
        }
        let (url, after) = rest.split_at(rest.find(|c: char| c.is_ascii_whitespace()).unwrap_or(rest.len()));
        let without_comma = url.trim_end_matches(',');
        if without_comma.len() < url.len() {
            rest = after;
            return Some((without_comma, ""));
        }
        let (descriptors, after) = after.split_at(end_of_descriptors(after));
        rest = after;
        Some((url, descriptors))
    })
}

/// Returns where the descriptors at the start of the text end: at a comma outside parentheses.
fn end_of_descriptors(text: &str) -> usize {
    let mut in_parentheses = false;
    let end = text.bytes().position(|byte| {
        match byte {
            b'(' => in_parentheses = true,
            b')' => in_parentheses = false,
            _ => {}
        }
        byte == b',' && !in_parentheses
    });
    end.unwrap_or(text.len())
}

/// Returns whether a descriptor is a width, a height or a density.
fn is_descriptor(descriptor: &str) -> bool {
    let Some(number) = descriptor.strip_suffix(['w', 'h', 'x']) else { return false };
    let is_whole = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_whole
        || descriptor.ends_with('x') && number.parse::<f64>().is_ok_and(|number| number.is_finite() && number >= 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_parsed_as_in_browsers() {
        let base = Url::parse("https://b.example/d/").unwrap();
        let check = |value: &str, expected: &str| {
            let cleaned = clean(value, Some(&base)).unwrap_or_default();
            assert_eq!(cleaned, expected, "{value}");
            assert_eq!(clean(&cleaned, None).unwrap_or_default(), expected, "again: {value}");
        };
        check("a.png 1x,b.png 2x", "https://b.example/d/a.png 1x, https://b.example/d/b.png 2x");
        check("a.png, b.png 2x", "https://b.example/d/a.png, https://b.example/d/b.png 2x");
        check("a,b.png 300w", "https://b.example/d/a,b.png 300w");
        check(" ,, a.png 1.5x , ", "https://b.example/d/a.png 1.5x");
        check("a.png 300w 200h", "https://b.example/d/a.png 300w 200h");
        check("a.png 1x (a, b), c.png", "https://b.example/d/c.png");
        check("a.png 1y, b.png -1x, c.png w, d.png 1e9999x", "");
        check("data:image/gif;base64,xx 1x, a.png 2x", "https://b.example/d/a.png 2x");
        check("javascript:alert(1) 1x, java\tscript:x 2x, a.png\" onerror=x 1x", "");
        check("a.png,?utm_source=x 1x", "");
        check("", "");
        assert_eq!(first("https://b.example/a,b.png 1x, https://b.example/c"), "https://b.example/a,b.png");
    }
}
