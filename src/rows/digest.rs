//! The rows of digests: the stories that entered a section in a period.

use chrono::NaiveDate;

use super::story::ShownStory;
use crate::time::Timestamp;

/// How long the periods of a section's digests are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DigestKind {
    /// A day.
    Daily,
    /// A week, from Monday to Sunday.
    Weekly,
}

impl DigestKind {
    /// All kinds.
    pub const ALL: [DigestKind; 2] = [DigestKind::Daily, DigestKind::Weekly];

    /// Returns the name in the config, in addresses and in the store.
    pub fn name(self) -> &'static str {
        match self {
            DigestKind::Daily => "daily",
            DigestKind::Weekly => "weekly",
        }
    }
}

/// How far the digests of one kind have come in a section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DigestProgress {
    /// The first day of the first period since the digests were switched on.
    pub first: NaiveDate,
    /// The first day of the period whose digest is the next.
    pub day: NaiveDate,
    /// Stories that entered the section before this time are not in the next digest.
    pub since: Timestamp,
}

/// A digest.
#[derive(Clone, Debug)]
pub struct Digest {
    /// How long its period is.
    pub kind: DigestKind,
    /// The first day of its period.
    pub day: NaiveDate,
    /// When its period ended.
    pub ends: Timestamp,
    /// How many further stories entered the section, for which the digest has no room.
    pub more: usize,
    /// The stories, newest first.
    pub stories: Vec<ShownStory>,
}
