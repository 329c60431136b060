//! The state of a feed: its last result, the kind of a failure, the reason for a hold, and notes for the editor (who
//! writes the config).
//!
//! Each value has a stable code for the store and `--json`. The displayed text is only for people.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::foreign;

/// Defines an enum. Each variant has a stable code, under which it is stored, and words for people.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident: $else:ident { $($(#[$of:meta])* $variant:ident $code:literal $words:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* #[doc = concat!("\n\nDisplayed as `", $words, "`.")] $variant,)*
        }

        impl $name {
            /// All variants, in a fixed order.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// Returns the code, which never changes.
            pub fn code(self) -> &'static str {
                match self {
                    $($name::$variant => $code,)*
                }
            }

            /// Returns the words for people.
            pub fn words(self) -> &'static str {
                match self {
                    $($name::$variant => $words,)*
                }
            }

            /// Parses a code. If the code is unknown, because another version of newswire wrote it, returns the variant
            /// for unknown codes.
            pub fn from_code(code: &str) -> $name {
                Self::ALL.iter().copied().find(|known| known.code() == code).unwrap_or($name::$else)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.words())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok($name::from_code(&String::deserialize(deserializer)?))
            }
        }
    };
}

pub(super) use coded;

coded! {
    /// The state of a feed after its last poll.
    FeedState: New {
        /// The feed was never polled.
        New "new" "new",
        Ok "ok" "ok",
        Failing "failing" "failing",
        /// The publisher has removed the feed for good. Polling stops until an editor forces a poll.
        Gone "gone" "gone",
    }
}

coded! {
    /// The reason why a feed is on hold, that is, must not be polled before a certain time.
    HoldReason: Server {
        RetryAfter "retry_after" "Retry-After",
        MaxAge "max_age" "max-age",
        Expires "expires" "Expires",
        Ttl "ttl" "ttl",
        UpdatePeriod "update_period" "sy:updatePeriod",
        SkipHours "skip_hours" "skipHours",
        SkipDays "skip_days" "skipDays",
        /// A temporary redirect leads to a host that is on hold.
        RedirectHost "redirect_host" "the host that it redirects to",
        /// The hold comes from a response to another feed of the same host.
        ItsHost "its_host" "its host",
        /// The feed was polled a few minutes ago.
        LastPoll "last_poll" "its last poll",
        /// The server asked for the hold. It is unknown by which header or element.
        Server "server" "the server",
    }
}

coded! {
    /// The kind of a failed poll.
    FailureKind: Other {
        Dns "dns" "dns",
        RefusedAddress "refused_address" "refused address",
        Connect "connect" "connect",
        Tls "tls" "tls",
        Timeout "timeout" "timeout",
        TooLarge "too_large" "too large",
        Status "status" "status",
        Gone "gone" "gone",
        Redirect "redirect" "redirect",
        BotWall "bot_wall" "bot wall",
        Http "http" "http",
        Held "held" "held",
        File "file" "file",
        Setting "setting" "setting",
        Empty "empty" "empty",
        Page "page" "page",
        NotAFeed "not_a_feed" "not a feed",
        Json "json" "json",
        Reader "reader" "reader",
        TooMuchWork "too_much_work" "too much work",
        /// A fault of newswire itself.
        Fault "fault" "fault",
        Other "other" "other",
    }
}

/// A note for the editor about the entries of a feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Note {
    /// Many known entries of the feed got new guids, and were recognised.
    Rekeyed {
        /// How many known entries got new guids.
        rekeyed: usize,
        /// How many entries the document lists.
        listed: usize,
    },
    /// An entry is restless: it changes at every poll. newswire has stopped applying its changes.
    Restless {
        /// The entry's title or guid; empty if that is private.
        name: String,
    },
    /// More entries are restless.
    MoreRestless {
        /// How many more entries are restless.
        count: usize,
    },
    /// A note that an older version wrote as a sentence.
    Old {
        /// The sentence.
        words: String,
    },
}

impl Note {
    /// Returns the code, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Note::Rekeyed { .. } => "rekeyed",
            Note::Restless { .. } => "restless",
            Note::MoreRestless { .. } => "more_restless",
            Note::Old { .. } => "old",
        }
    }

    /// Returns several notes on one line.
    pub fn line(notes: &[Note]) -> String {
        let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
        foreign::sentence(&notes.join("; "))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Rekeyed { rekeyed, listed } => {
                write!(f, "{rekeyed} of {listed} entries are known entries with new guids")
            }
            Note::Restless { name } if name.is_empty() => {
                f.write_str("an entry changes at every poll; its changes are no longer applied")
            }
            Note::Restless { name } => {
                write!(f, "\"{}\" changes at every poll; its changes are no longer applied", foreign::part(name))
            }
            Note::MoreRestless { count } => write!(f, "{count} more entries change at every poll"),
            Note::Old { words } => f.write_str(words),
        }
    }
}
