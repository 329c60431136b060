//! The words for how a feed stands: its state, why a poll failed, who wants it to be left alone, and what an editor should know.
//!
//! Each has a stable code, which is what the store and `--json` have of it; what it is displayed as is for people alone.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::foreign;

/// An enum whose variants each have a stable code, by which it is stored, and words.
macro_rules! coded {
    ($(#[$doc:meta])* $name:ident: $else:ident { $($(#[$of:meta])* $variant:ident $code:literal $words:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$of])* $variant,)*
        }

        impl $name {
            /// All of them, in a fixed order.
            pub const ALL: &[$name] = &[$($name::$variant,)*];

            /// Returns the code, which never changes.
            pub fn code(self) -> &'static str {
                match self {
                    $($name::$variant => $code,)*
                }
            }

            /// Returns it as people read it.
            pub fn words(self) -> &'static str {
                match self {
                    $($name::$variant => $words,)*
                }
            }

            /// Reads a code; what a newer version may have written is the one for all else.
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
    /// How the last poll of a feed left it.
    FeedState: New {
        /// It was never polled.
        New "new" "new",
        Ok "ok" "ok",
        Failing "failing" "failing",
        /// The publisher says that it will not come back: polling stops until it is forced.
        Gone "gone" "gone",
    }
}

coded! {
    /// Who or what wants a feed to be left alone.
    HoldReason: Server {
        RetryAfter "retry_after" "Retry-After",
        MaxAge "max_age" "max-age",
        Expires "expires" "Expires",
        Ttl "ttl" "ttl",
        UpdatePeriod "update_period" "sy:updatePeriod",
        SkipHours "skip_hours" "skipHours",
        SkipDays "skip_days" "skipDays",
        /// A temporary redirect leads to a host that asked to be left alone.
        RedirectHost "redirect_host" "the host that it redirects to",
        /// Another feed of its host was told so.
        ItsHost "its_host" "its host",
        /// It was polled minutes ago.
        LastPoll "last_poll" "its last poll",
        /// It is not known which word of the server it was.
        Server "server" "the server",
    }
}

coded! {
    /// What failed in a poll.
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

/// Something that the entries of a feed did and that an editor should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Note {
    /// So many of its entries came under new guids, and were recognised.
    Rekeyed { rekeyed: usize, listed: usize },
    /// An entry changes at every poll, and its changes are not applied any more. The name is its title or guid; empty if it is
    /// private.
    Restless { name: String },
    /// So many more entries do so.
    MoreRestless { count: usize },
    /// What an older version wrote, in its words.
    Old { words: String },
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

    /// Returns what several notes say, on one line.
    pub fn line(notes: &[Note]) -> String {
        let notes: Vec<String> = notes.iter().map(Note::to_string).collect();
        foreign::sentence(&notes.join("; "))
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Rekeyed { rekeyed, listed } => write!(f, "{rekeyed} of {listed} entries re-keyed, matched"),
            Note::Restless { name } if name.is_empty() => {
                f.write_str("an entry changes at every poll; its changes are not applied any more")
            }
            Note::Restless { name } => {
                write!(f, "\"{}\" changes at every poll; its changes are not applied any more", foreign::part(name))
            }
            Note::MoreRestless { count } => write!(f, "{count} more entries change at every poll"),
            Note::Old { words } => f.write_str(words),
        }
    }
}
