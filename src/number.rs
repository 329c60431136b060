//! The numbers of rows in the store. Each table has its own type of number, so that numbers of different tables cannot
//! be confused.
//!
//! This module defines values only; it has no I/O and no policy.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Returns the next number.
            pub fn next(self) -> $name {
                $name(self.0 + 1)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number! {
    /// The number of an entry. Later entries have greater numbers.
    EntryNumber
}
number! {
    /// The number of a story. Later stories have greater numbers. The number is part of the story's URL.
    StoryNumber
}
number! {
    /// The number of a feed.
    FeedNumber
}
number! {
    /// The number of a section.
    SectionNumber
}
number! {
    /// The number of a hook.
    HookNumber
}
number! {
    /// The number of a message to a hook. Later messages have greater numbers, and no number is used twice.
    MessageNumber
}
