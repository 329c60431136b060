//! What was wrong with a document and was repaired or skipped, and what else the editor (who writes the config) should
//! know of it.
//!
//! Stores up to version 3 contain the words of a kind instead of its code. If the words of a kind change, the store must
//! still recognise the former words (`FORMER_WORDS` in `store/feed_words.rs`).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::state::coded;

coded! {
    /// A kind of repair.
    RepairKind: Old {
        WrongEncoding "wrong_encoding" "the declared encoding was wrong",
        UnknownEncoding "unknown_encoding" "the declared encoding is not known, and was guessed",
        BadBytes "bad_bytes" "undecodable bytes were replaced",
        SplitCharacters "split_characters" "characters that were encoded as two halves were joined",
        EncodedTwice "encoded_twice" "text that was encoded twice was decoded again",
        JunkBeforeRoot "junk_before_root" "text before the feed was skipped",
        ControlCharacters "control_characters" "control characters were removed",
        Doctype "doctype" "the document type declaration was ignored",
        Entities "entities" "declared entities that are external, too long, or hold markup or other entities were left as text",
        NamedEntities "named_entities" "HTML entities were resolved",
        BareMarkup "bare_markup" "bare & or < was read as text",
        BadReferences "bad_references" "invalid character references were mended",
        UnclosedSection "unclosed_section" "an unclosed comment or CDATA section was closed",
        EscapedSections "escaped_sections" "CDATA sections that were escaped were unwrapped",
        UnclosedTags "unclosed_tags" "unclosed elements were closed",
        StrayEndTags "stray_end_tags" "stray end tags were ignored",
        UnclosedQuotes "unclosed_quotes" "attributes without their quotes were read",
        Truncated "truncated" "the document ends in mid-air; its last, partial entry was left out",
        UndeclaredNamespace "undeclared_namespace" "an undeclared namespace prefix was taken for the usual one",
        MisplacedEntries "misplaced_entries" "entries outside of their channel were kept",
        TooManyFields "too_many_fields" "fields beyond the limit were left out",
        UnknownContentType "unknown_content_type" "an unknown content type was read as text",
        UnreadDates "unread_dates" "a date could not be read",
        UnknownZones "unknown_zones" "an unknown time zone was read as UTC",
        TooDeep "too_deep" "elements nested too deeply were flattened",
        TooManyAttributes "too_many_attributes" "attributes beyond the limit were dropped",
        TooLong "too_long" "a value beyond the size limit was cut",
        TooManyEntries "too_many_entries" "entries beyond the limit were left out",
        BadItems "bad_items" "items of a wrong shape were left out",
        BadJson "bad_json" "invalid JSON was mended",
        SharedGuids "shared_guids" "several different entries have the same guid: newswire distinguishes them by guid and link",
        SharedLinks "shared_links" "several different entries have the same link: newswire distinguishes them by link, title and date",
        SharedTitles "shared_titles" "several different entries have the same title and date: newswire distinguishes them by their text too",
        /// The feed publishes faster than it is polled. Nothing is repaired; this only informs the editor.
        Gap "gap" "every entry of this document is new: some may have been missed since the last poll",
        /// A repair that an older or a newer version wrote. Its sentence is in the field `example`.
        Old "old" "",
    }
}

/// One kind of repair in a document, and how often it was needed. It is displayed as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repair {
    /// The kind.
    #[serde(rename = "code")]
    pub kind: RepairKind,
    /// How often it was needed.
    pub count: usize,
    /// The first value that could not be read, shortened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
}

impl Repair {
    /// Creates a repair that was needed once.
    pub fn once(kind: RepairKind) -> Repair {
        Repair { kind, count: 1, example: None }
    }

    /// Creates a repair from a sentence, if nothing else is known about it.
    pub fn old(words: String) -> Repair {
        Repair { kind: RepairKind::Old, count: 1, example: Some(words) }
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let example = self.example.as_deref();
        if self.kind == RepairKind::Old {
            return f.write_str(example.unwrap_or_default());
        }
        f.write_str(self.kind.words())?;
        if let Some(example) = example {
            write!(f, ": {example:?}")?;
        }
        if self.count > 1 {
            write!(f, " ({} times)", self.count)?;
        }
        Ok(())
    }
}
