//! Which titles name the same episode of a show.
//!
//! A show's own feed numbers its episodes, "Episode 8: The quay" or "#8 The quay"; a network's feed, which has many
//! shows, adds the show's name, "Harbour Hours: The quay", or leaves out both. It must already be known that the
//! recording is the same: by title alone, "The quay" may be an episode of any show.

use super::words::{Word, Words, extent};

/// The fewest words that two titles must have in common, unless these words are one of the titles as a whole.
const LEAST_SHARED: usize = 2;

/// The most words of a show's name with a number and its unit.
const LABEL: usize = 6;

/// The most words of a number with its unit, "Episode 8"; a longer label names the show too.
const NUMBER: usize = 2;

/// The part of a title that is not the name of its episode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// Nothing.
    None,
    /// A number.
    Number,
    /// The name of the show, perhaps with a number.
    Show,
}

/// Returns what two titles of one episode have in addition to its name; `None` if they may name different episodes: if
/// each has a name that the other lacks, or both have different numbers.
pub(super) fn labels(one: &Words, other: &Words) -> Option<(Label, Label)> {
    let (own, others) = (one.words.as_slice(), other.words.as_slice());
    let (at, other_at, length) = longest_shared(own, others);
    let (rest, other_rest) = (without(own, at, length), without(others, other_at, length));
    let is_whole = length > 0 && (rest.is_empty() || other_rest.is_empty());
    let has_number = |words: &[Word]| words.iter().any(|word| word.is_number);
    let has_only_name = |rest: &[Word]| !rest.is_empty() && !has_number(rest);
    let is_one = (is_whole || extent(&own[at..at + length]) >= LEAST_SHARED)
        && extent(&rest).max(extent(&other_rest)) <= LABEL
        && !(has_number(&rest) && has_number(&other_rest))
        && !(has_only_name(&rest) && has_only_name(&other_rest));
    let label = |rest: &[Word]| match rest {
        [] => Label::None,
        _ if has_number(rest) && extent(rest) <= NUMBER => Label::Number,
        _ => Label::Show,
    };
    is_one.then(|| (label(&rest), label(&other_rest)))
}

/// Returns where the longest common run of words begins in both titles, and its length.
fn longest_shared(one: &[Word], other: &[Word]) -> (usize, usize, usize) {
    let mut longest = (0, 0, 0);
    let mut lengths = vec![0; other.len() + 1];
    for (i, word) in one.iter().enumerate() {
        // The row is filled backwards, so that the lengths of the previous row are still there.
        for j in (0..other.len()).rev() {
            lengths[j + 1] = if word.hash == other[j].hash { lengths[j] + 1 } else { 0 };
            if lengths[j + 1] > longest.2 {
                longest = (i + 1 - lengths[j + 1], j + 1 - lengths[j + 1], lengths[j + 1]);
            }
        }
    }
    longest
}

fn without(words: &[Word], at: usize, length: usize) -> Vec<Word> {
    [&words[..at], &words[at + length..]].concat()
}

#[cfg(test)]
mod tests {
    use super::super::Wording;
    use super::*;
    use crate::entry::Entry;
    use crate::text::PlainText;

    #[test]
    fn titles_of_one_episode_differ_in_its_number_and_in_the_name_of_the_show() {
        let check = |one: &str, other: &str, expected: Option<(Label, Label)>| {
            let (words, others) = (Words::of(one), Words::of(other));
            assert_eq!(labels(&words, &others), expected, "{one} / {other}");
            assert_eq!(labels(&others, &words), expected.map(|(one, other)| (other, one)), "{other} / {one}");
        };
        check("The quay at night", "The quay at night", Some((Label::None, Label::None)));
        check("Episode 8: The quay at night", "The quay at night", Some((Label::Number, Label::None)));
        check("#8 The quay at night", "Harbour Hours: The quay at night", Some((Label::Number, Label::Show)));
        check("The quay at night (Part 8)", "Harbour Hours | The quay at night", Some((Label::Number, Label::Show)));
        check("Harbour Hours | Episode 8: The quay at night", "The quay at night", Some((Label::Show, Label::None)));
        check("第8回　夜の港", "港の時間：夜の港", Some((Label::Number, Label::Show)));
        check("Trailer", "Harbour Hours: Trailer", Some((Label::None, Label::Show)));

        check("Episode 8: The quay at night", "Episode 9: The quay at night", None);
        check("Monday briefing", "Tuesday briefing", None);
        check("Harbour Hours: The quay", "Harbour Hours: The crane", None);
        check("Harbour Hours 8: The quay at night and its cats", "Harbour Hours: The crane", None);
        check("The quay", "A winter without ice", None);
        check("", "A winter without ice", None);
        check("", "", None);
    }

    #[test]
    fn one_recording_under_titles_that_name_one_episode_is_one() {
        let wording = |title: &str, html: &str, file: &str| {
            let guid = serde_json::json!({ "value": "1", "kind": "guid" });
            let files = serde_json::json!([{ "url": file }]);
            let json = serde_json::json!({ "guid": guid, "title": title, "content_html": html, "enclosures": files });
            let entry: Entry = serde_json::from_value(json).unwrap();
            Wording::of(&entry.title, &PlainText::of(&entry)).with_media(&entry.enclosures)
        };
        let check = |[title, other]: [&str; 2], [text, others]: [&str; 2], files: [&str; 2], expected: bool| {
            let (one, episode) = (wording(title, text, files[0]), wording(other, others, files[1]));
            assert_eq!(one.same_text(&episode, 0.6).is_some(), expected, "{title} / {other} {others} {files:?}");
            assert_eq!(episode.same_text(&one, 0.6).is_some(), expected, "{title} / {other} {others} {files:?}");
        };
        let notes = "This week we walk along the quay at night with the last keeper of its cats.";
        let longer = format!("<p>{notes}</p><p>Then a choir sings in a depot. Write to us if you like the show.</p>");
        let file = "https://audio.example/8.mp3";
        let named = ["Episode 8: The quay", "Harbour Hours: The quay"];
        check(named, [notes, &longer], [file; 2], true);
        check(named, [notes, &longer], [file, "https://audio.example/9.mp3"], false);
        check(["Episode 8: The quay", "Episode 9: The quay"], [notes, &longer], [file; 2], false);
        check(["Episode 8: The quay", "Harbour Hours: A choir"], [notes, &longer], [file; 2], false);
        check(named, [notes, "Tonight the board of the harbour is our guest and takes your calls."], [file; 2], false);
    }
}
