//! What was wrong with a document and was mended or left out: each kind named once, with how often it was met.

use std::collections::BTreeMap;

/// One kind of repair.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Repair {
    WrongEncoding,
    UnknownEncoding,
    BadBytes,
    SplitCharacters,
    EncodedTwice,
    JunkBeforeRoot,
    ControlCharacters,
    Doctype,
    Entities,
    NamedEntities,
    BareMarkup,
    BadReferences,
    UnclosedSection,
    EscapedSections,
    UnclosedTags,
    StrayEndTags,
    UnclosedQuotes,
    Truncated,
    UndeclaredNamespace,
    MisplacedEntries,
    TooManyFields,
    UnknownContentType,
    UnreadDates,
    UnknownZones,
    TooDeep,
    TooManyAttributes,
    TooLong,
    TooManyEntries,
    BadItems,
    BadJson,
    SharedGuids,
    SharedLinks,
    SharedTitles,
}

impl Repair {
    pub(super) fn text(self) -> &'static str {
        match self {
            Repair::WrongEncoding => "the declared encoding was wrong",
            Repair::UnknownEncoding => "the declared encoding is not known, and was guessed",
            Repair::BadBytes => "undecodable bytes were replaced",
            Repair::SplitCharacters => "characters that were encoded as two halves were joined",
            Repair::EncodedTwice => "text that was encoded twice was decoded again",
            Repair::JunkBeforeRoot => "text before the feed was skipped",
            Repair::ControlCharacters => "control characters were removed",
            Repair::Doctype => "the document type declaration was ignored",
            Repair::Entities => {
                "declared entities that are external, too long, or hold markup or other entities were left as text"
            }
            Repair::NamedEntities => "HTML entities were resolved",
            Repair::BareMarkup => "bare & or < was read as text",
            Repair::BadReferences => "invalid character references were mended",
            Repair::UnclosedSection => "an unclosed comment or CDATA section was closed",
            Repair::EscapedSections => "CDATA sections that were escaped were unwrapped",
            Repair::UnclosedTags => "unclosed elements were closed",
            Repair::StrayEndTags => "stray end tags were ignored",
            Repair::UnclosedQuotes => "attributes without their quotes were read",
            Repair::Truncated => "the document ends in mid-air; its last, partial entry was left out",
            Repair::UndeclaredNamespace => "an undeclared namespace prefix was taken for the usual one",
            Repair::MisplacedEntries => "entries outside of their channel were kept",
            Repair::TooManyFields => "fields beyond the limit were left out",
            Repair::UnknownContentType => "an unknown content type was read as text",
            Repair::UnreadDates => "a date could not be read",
            Repair::UnknownZones => "an unknown time zone was read as UTC",
            Repair::TooDeep => "elements nested too deeply were flattened",
            Repair::TooManyAttributes => "attributes beyond the limit were dropped",
            Repair::TooLong => "a value beyond the size limit was cut",
            Repair::TooManyEntries => "entries beyond the limit were left out",
            Repair::BadItems => "items of a wrong shape were left out",
            Repair::BadJson => "invalid JSON was mended",
            Repair::SharedGuids => "one guid for several different entries: the link was added to it",
            Repair::SharedLinks => "one link for several different entries: title and date were added to it",
            Repair::SharedTitles => "one title and date for several different entries: the text was added to them",
        }
    }
}

/// The repairs of one document, in a fixed order.
#[derive(Clone, Debug, Default)]
pub(super) struct Repairs {
    counts: BTreeMap<Repair, usize>,
    /// The first unreadable value of a kind, shortened, to show what was met.
    examples: BTreeMap<Repair, String>,
}

impl Repairs {
    pub(super) fn note(&mut self, repair: Repair) {
        *self.counts.entry(repair).or_default() += 1;
    }

    /// Notes a repair together with the value that needed it.
    pub(super) fn note_value(&mut self, repair: Repair, value: &str) {
        self.note(repair);
        self.examples.entry(repair).or_insert_with(|| value.trim().chars().take(40).collect());
    }

    /// One sentence a kind.
    pub(super) fn sentences(&self) -> Vec<String> {
        self.counts.iter().map(|(&repair, &count)| self.sentence(repair, count)).collect()
    }

    fn sentence(&self, repair: Repair, count: usize) -> String {
        let mut sentence = repair.text().to_owned();
        if let Some(example) = self.examples.get(&repair) {
            sentence.push_str(&format!(": {example:?}"));
        }
        if count > 1 {
            sentence.push_str(&format!(" ({count} times)"));
        }
        sentence
    }
}
