//! Where two texts are the same: the shingles that they have in common, in the order of both.

use foldhash::HashMap;

use super::words::Words;

/// Returns the positions in both texts of the shingles that occur once in each, as many as are in the same order. If
/// there are none, as in an article that begins with its own summary, returns the first positions of shingles that
/// occur more than once.
pub(super) fn anchors(one: &Words, other: &Words) -> Vec<(usize, usize)> {
    let (mine, others) = (Occurrences::of(one), Occurrences::of(other));
    let shared = || mine.0.iter().filter_map(|(shingle, place)| Some((*place, *others.0.get(shingle)?)));
    let once =
        |(own, other): (Occurrence, Occurrence)| (own.is_only && other.is_only).then_some((own.first, other.first));
    let mut places: Vec<_> = shared().filter_map(once).collect();
    if places.is_empty() {
        places = shared().map(|(own, other)| (own.first, other.first)).collect();
    }
    places.sort_unstable();
    longest_rising(&places)
}

/// Walks back from two positions, one in each text, as long as the words are the same; returns where these words begin.
pub(super) fn walk_back(one: &Words, other: &Words, (i, j): (usize, usize)) -> (usize, usize) {
    let before = one.words[..i].iter().rev().zip(other.words[..j].iter().rev());
    let same = before.take_while(|(one, other)| one.hash == other.hash).count();
    (i - same, j - same)
}

/// Walks on from two positions, one in each text, as long as the words are the same; returns where these words end.
pub(super) fn walk_on(one: &Words, other: &Words, (i, j): (usize, usize)) -> (usize, usize) {
    let after = one.words[i..].iter().zip(&other.words[j..]);
    let same = after.take_while(|(one, other)| one.hash == other.hash).count();
    (i + same, j + same)
}

/// Where a shingle occurs in a text.
#[derive(Clone, Copy)]
struct Occurrence {
    first: usize,
    is_only: bool,
}

/// Where each shingle of a text occurs.
struct Occurrences(HashMap<u64, Occurrence>);

impl Occurrences {
    fn of(words: &Words) -> Occurrences {
        let mut places = HashMap::with_capacity_and_hasher(words.words.len(), Default::default());
        for (first, shingle) in words.shingles().enumerate() {
            let again = |place: &mut Occurrence| place.is_only = false;
            places.entry(shingle).and_modify(again).or_insert(Occurrence { first, is_only: true });
        }
        Occurrences(places)
    }
}

/// Returns the longest subsequence in which the second positions also increase.
fn longest_rising(places: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut before = vec![None; places.len()];
    // For each length, the subsequence of that length with the lowest end.
    let mut ends: Vec<usize> = Vec::new();
    for (at, place) in places.iter().enumerate() {
        let length = ends.partition_point(|&end| places[end].1 < place.1);
        before[at] = length.checked_sub(1).map(|length| ends[length]);
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut rising: Vec<_> =
        std::iter::successors(ends.last().copied(), |at| before[*at]).map(|at| places[at]).collect();
    rising.reverse();
    rising
}
