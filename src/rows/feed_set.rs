//! Sets of feeds.

use crate::number::FeedNumber;

/// A set of feeds, with one bit for each feed. A set of 100,000 feeds takes about 12 KiB.
#[derive(Clone, Debug, Default)]
pub struct FeedSet(Vec<u8>);

impl FeedSet {
    /// Creates a set from the bytes that [`FeedSet::bytes`] returned.
    pub fn from_bytes(bytes: Vec<u8>) -> FeedSet {
        FeedSet(bytes)
    }

    /// Returns the set as bytes: bit `n % 8` of byte `n / 8` is set if the set has feed number `n`. The last byte is
    /// never zero.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Adds a feed.
    pub fn insert(&mut self, feed: FeedNumber) {
        let Some((byte, bit)) = place(feed) else { return };
        if self.0.len() <= byte {
            self.0.resize(byte + 1, 0);
        }
        self.0[byte] |= bit;
    }

    /// Returns whether the set has a feed.
    pub fn contains(&self, feed: FeedNumber) -> bool {
        place(feed).is_some_and(|(byte, bit)| self.0.get(byte).is_some_and(|bits| bits & bit != 0))
    }

    /// Returns whether the set has no feed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the number of feeds.
    pub fn len(&self) -> usize {
        self.0.iter().map(|bits| bits.count_ones() as usize).sum()
    }

    /// Returns the feeds in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = FeedNumber> {
        let with_feeds = self.0.iter().enumerate().filter(|(_, bits)| **bits != 0);
        with_feeds.flat_map(|(byte, bits)| {
            let set = (0..8).filter(move |bit| bits & (1 << bit) != 0);
            set.map(move |bit| FeedNumber((byte * 8 + bit).cast_signed() as i64))
        })
    }

    /// Returns the feeds that are in one of the sets or in both.
    pub fn union(&self, other: &FeedSet) -> FeedSet {
        self.combine(other, |bits, others| bits | others)
    }

    /// Returns the feeds that are in both sets.
    pub fn intersection(&self, other: &FeedSet) -> FeedSet {
        self.combine(other, |bits, others| bits & others)
    }

    /// Returns the feeds that are in only one of the sets.
    pub fn symmetric_difference(&self, other: &FeedSet) -> FeedSet {
        self.combine(other, |bits, others| bits ^ others)
    }

    fn combine(&self, other: &FeedSet, combined: impl Fn(u8, u8) -> u8) -> FeedSet {
        let bits = |set: &FeedSet, byte: usize| set.0.get(byte).copied().unwrap_or_default();
        let length = self.0.len().max(other.0.len());
        let mut all: Vec<u8> = (0..length).map(|byte| combined(bits(self, byte), bits(other, byte))).collect();
        all.truncate(all.iter().rposition(|bits| *bits != 0).map_or(0, |last| last + 1));
        FeedSet(all)
    }
}

impl PartialEq for FeedSet {
    fn eq(&self, other: &FeedSet) -> bool {
        self.symmetric_difference(other).is_empty()
    }
}

impl Eq for FeedSet {}

impl FromIterator<FeedNumber> for FeedSet {
    fn from_iter<I: IntoIterator<Item = FeedNumber>>(feeds: I) -> FeedSet {
        let mut set = FeedSet::default();
        feeds.into_iter().for_each(|feed| set.insert(feed));
        set
    }
}

/// Returns the index of a feed's byte, and the feed's bit in this byte; `None` for a negative number, which no feed
/// has.
fn place(feed: FeedNumber) -> Option<(usize, u8)> {
    let number = usize::try_from(feed.0).ok()?;
    Some((number / 8, 1 << (number % 8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(numbers: &[i64]) -> FeedSet {
        numbers.iter().map(|number| FeedNumber(*number)).collect()
    }

    #[test]
    fn set_holds_the_feeds_that_it_was_given() {
        let feeds = set(&[9, 1, 100_000, 8]);
        assert_eq!(feeds.iter().map(|feed| feed.0).collect::<Vec<_>>(), [1, 8, 9, 100_000]);
        assert_eq!((feeds.len(), feeds.bytes().len()), (4, 12_501));
        assert!(feeds.contains(FeedNumber(8)) && !feeds.contains(FeedNumber(7)) && !feeds.contains(FeedNumber(-1)));
        assert_eq!(FeedSet::from_bytes(feeds.bytes().to_vec()), feeds);
    }

    #[test]
    fn sets_are_combined_feed_by_feed() {
        let (one, other) = (set(&[1, 2, 900]), set(&[2, 3]));
        assert_eq!(one.union(&other), set(&[1, 2, 3, 900]));
        assert_eq!(one.intersection(&other), set(&[2]));
        assert_eq!(one.symmetric_difference(&other), set(&[1, 3, 900]));
        assert!(one.symmetric_difference(&one).is_empty());
    }
}
