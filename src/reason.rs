//! Reasons: why a copy belongs to its story, and why a story is in a section or not.
//!
//! Each reason has a short, stable code for the store and `--json`. Reasons are displayed as sentences, and no code
//! compares these sentences. This module has no I/O and no policy.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use crate::feed::FeedId;

/// Why a copy belongs to its story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinReason {
    /// The story was created for this entry.
    First,
    /// The entry has the same link as another copy of the story.
    Link,
    /// The entry names the link of another copy as its original, or another copy names the entry's link.
    Original,
    /// The guid of the entry is the id of the story, because another newswire installation republished the story and
    /// this one polls that installation; or it is the guid of another copy, and no other entry can have it by chance.
    Id,
    /// The entry has the same title and text as another copy, or nearly the same.
    Text,
    /// An editor joined the entry to the story.
    Editor,
}

impl JoinReason {
    const ALL: [JoinReason; 6] = [
        JoinReason::First,
        JoinReason::Link,
        JoinReason::Original,
        JoinReason::Id,
        JoinReason::Text,
        JoinReason::Editor,
    ];

    /// Returns the code for the store and `--json`.
    pub fn as_str(self) -> &'static str {
        match self {
            JoinReason::First => "first",
            JoinReason::Link => "link",
            JoinReason::Original => "original",
            JoinReason::Id => "id",
            JoinReason::Text => "text",
            JoinReason::Editor => "editor",
        }
    }

    /// Parses a code; `None` if it is unknown.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// The list in a section's config to which a rule belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleList {
    /// The `keep` rules.
    Keep,
    /// The `drop` rules.
    Drop,
}

/// The position of a rule in its section. Displayed as `keep[0]` or `drop[1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulePlace {
    /// The list.
    pub list: RuleList,
    /// The index in the list, from 0.
    pub index: usize,
}

impl RulePlace {
    /// Parses a position in the form in which it is displayed; `None` if the text has another form.
    pub fn from_name(name: &str) -> Option<RulePlace> {
        let (list, rest) = name.split_at_checked(4)?;
        let list = match list {
            "keep" => RuleList::Keep,
            "drop" => RuleList::Drop,
            _ => return None,
        };
        let index = rest.strip_prefix('[')?.strip_suffix(']')?;
        let is_number = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        Some(RulePlace { list, index: index.parse().ok().filter(|_| is_number)? })
    }
}

impl fmt::Display for RulePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = match self.list {
            RuleList::Keep => "keep",
            RuleList::Drop => "drop",
        };
        write!(f, "{list}[{}]", self.index)
    }
}

impl Serialize for RulePlace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The reason why one key of a rule matched a story. Displayed as `category region:international from jungle-drum`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The key, as in the TOML.
    pub key: String,
    /// The text that matched, such as `region:international`, cut after a hundred characters.
    pub words: String,
    /// The feed of the copy that matched; `None` if the key matched the story as a whole.
    pub feed: Option<FeedId>,
}

impl Matched {
    /// Returns the matches of several keys as text, as in `category region:international from jungle-drum and title
    /// Syria`.
    pub fn list(matched: &[Matched]) -> String {
        matched.iter().map(Matched::to_string).collect::<Vec<_>>().join(" and ")
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.feed {
            Some(feed) if self.key != "feed" => write!(f, "{} {} from {feed}", self.key, self.words),
            _ => write!(f, "{} {}", self.key, self.words),
        }
    }
}

/// Why a story is in a section or not. Displayed as the end of a sentence, such as `keep[0] matched category
/// region:international`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// The story is older than the section's `max_age`. If the section showed it before, its archives still contain it.
    TooOld,
    /// The section had a copy of the story, but has none any more: the feeds of the copies were removed from the config
    /// or the section.
    NoFeed,
    /// The story was merged into another one.
    Merged,
    /// The section has no `keep` rules, so it takes every story of its feeds that no `drop` rule matches.
    TakesAll {
        /// The feed of the lead, the copy whose content is shown.
        lead: FeedId,
    },
    /// The section has `keep` rules, and none of them matched.
    NoKeep,
    /// The section is a podcast, and the story has no recording that may be published.
    NoRecording,
    /// A rule matched, and so decided.
    Rule {
        /// The position of the rule.
        place: RulePlace,
        /// The keys of the rule that matched.
        matched: Vec<Matched>,
    },
    /// The section has none of the feeds of the story's copies.
    TakesNone,
    /// The section is not configured.
    NoSection,
    /// A reason that an older version of newswire stored as a sentence.
    Old {
        /// The rule that decided, if one did.
        rule: Option<RulePlace>,
        /// The sentence.
        words: String,
    },
}

impl Why {
    /// Returns the code for the store and `--json`, which never changes.
    pub fn code(&self) -> &'static str {
        match self {
            Why::TooOld => "too_old",
            Why::NoFeed => "no_feed",
            Why::Merged => "united",
            Why::TakesAll { .. } => "takes_all",
            Why::NoKeep => "no_keep",
            Why::NoRecording => "no_recording",
            Why::Rule { .. } => "rule",
            Why::TakesNone => "takes_none",
            Why::NoSection => "no_section",
            Why::Old { .. } => "old",
        }
    }

    /// Returns the rule that decided; `None` if no rule decided.
    pub fn rule(&self) -> Option<RulePlace> {
        match self {
            Why::Rule { place, .. } => Some(*place),
            Why::Old { rule, .. } => *rule,
            _ => None,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::TooOld => f.write_str("the story is older than the section's max_age"),
            Why::NoFeed => f.write_str("none of the section's feeds has the story any more"),
            Why::Merged => f.write_str("the story was merged into another one"),
            Why::TakesAll { lead } => {
                write!(f, "the section has no keep rules, and no drop rule matched this story from the feed {lead}")
            }
            Why::NoKeep => f.write_str("no keep rule matched"),
            Why::NoRecording => {
                f.write_str("the section is a podcast, and the story has no audio or video file that may be published")
            }
            Why::Rule { place, matched } => write!(f, "{place} matched {}", Matched::list(matched)),
            Why::TakesNone => f.write_str("none of the story's feeds belongs to the section"),
            Why::NoSection => f.write_str("the section is not configured"),
            Why::Old { words, .. } => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_of_a_rule_is_parsed_as_displayed() {
        for (list, index) in [(RuleList::Keep, 0), (RuleList::Drop, 12)] {
            let place = RulePlace { list, index };
            assert_eq!(RulePlace::from_name(&place.to_string()), Some(place));
        }
        for name in ["", "keep", "keep[]", "keep[+1]", "keep[1", "kept[1]", "drop[1]x", "ké[1]"] {
            assert_eq!(RulePlace::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn reasons_read_as_ends_of_sentences() {
        let matched = |key: &str, words: &str, feed: Option<&str>| Matched {
            key: key.to_owned(),
            words: words.to_owned(),
            feed: feed.map(FeedId::from),
        };
        let place = RulePlace { list: RuleList::Keep, index: 1 };
        let check = |matched: Vec<Matched>, expected: &str| {
            assert_eq!(Why::Rule { place, matched }.to_string(), expected);
        };
        check(vec![matched("feed", "wire", Some("wire"))], "keep[1] matched feed wire");
        let two = vec![matched("title", "Syria", Some("wire")), matched("age", "<3 days", None)];
        check(two, "keep[1] matched title Syria from wire and age <3 days");
    }
}
