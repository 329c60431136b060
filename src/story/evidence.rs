//! When two texts have enough in common to be one story, and when an editor replaced the words that differ.
//!
//! The rules are tables: of each, one row that holds suffices.

use super::title::Titles;

/// A text of which another has this share is a copy of it, cut or edited.
pub(super) const TEXT: f64 = 0.75;

/// A text of which another has this share is in it as a whole.
pub(super) const WHOLE: f64 = 0.9;

/// Two texts that have this share of each other are equally long. A form that is filled again has the same sentences.
pub(super) const EXACT: f64 = 0.98;

/// The most words of a summary under the same headline that the article lacks: a sentence that was left out later.
const OTHER_WORDS: usize = 20;

/// In shorter texts, replaced words may be what the text is about.
pub(super) const LONG_TEXT: usize = 50;

/// A report has a number or a name in so many words; forms that are filled with words have fewer.
const DENSE_WORDS: usize = 12;

/// Two texts in which words replace others have at least this many numbers and names in common.
pub(super) const LEAST_FACTS: usize = 3;

/// Two long texts that have so many numbers and names in common are about the same, whatever their headlines are.
pub(super) const MANY_FACTS: usize = 6;

/// What two texts have in common.
pub(super) struct InCommon {
    /// How the headlines compare.
    pub titles: Titles,
    /// How many of the headlines say what the text says.
    pub told: usize,
    /// Which share of the shorter text the other has, 0 to 1.
    pub share: f64,
    /// How many words of the shorter text the other has.
    pub words: usize,
    /// How many words of the shorter text the other lacks.
    pub missing: usize,
    /// How many different numbers and names both have.
    pub facts: usize,
    /// The same, with an estimate for names in a script without capitals.
    pub likely_facts: usize,
    /// Whether no words replace others.
    pub is_kept: bool,
    /// Whether each text has nearly all of the other.
    pub is_whole: bool,
    /// Whether each text has all of the other's sentences, the opening included.
    pub is_exact: bool,
}

/// How two headlines must compare for [`Needed`] or [`EditorsWords`].
#[derive(Clone, Copy, PartialEq, Eq)]
enum TitleTest {
    Any,
    /// The same.
    Same,
    /// The same, and long enough to say what the text says.
    Telling,
    /// Alike, and no name replaces another.
    Edited,
    /// Alike.
    Alike,
    /// The same, but so short that they may be the name of a column.
    Short,
    /// Different.
    Other,
}

impl TitleTest {
    fn are(self, titles: Titles) -> bool {
        match self {
            TitleTest::Any => true,
            TitleTest::Same => titles.are_same(),
            TitleTest::Telling => titles == Titles::EqualTelling,
            TitleTest::Edited => titles == Titles::Edited,
            TitleTest::Alike => matches!(titles, Titles::Edited | Titles::Alike),
            TitleTest::Short => titles == Titles::EqualShort,
            TitleTest::Other => titles == Titles::Other,
        }
    }
}

/// Enough in common for two texts to be one: under such headlines, of which so many must say what the text says, this
/// share of the shorter text with so many words and so many facts.
pub(super) struct Needed {
    headlines: TitleTest,
    told: usize,
    /// Whether the row holds only if no word replaces another, because that is how a form is filled.
    is_kept: bool,
    /// Whether the row holds only if one text lacks a part of the other. An advertisement is published whole under
    /// every headline; a copy is often cut.
    is_cut: bool,
    share: f64,
    words: usize,
    facts: usize,
}

/// The less the headlines say, the longer must be what both texts have, and the more numbers and names must be in it: a
/// form that is published again under other headlines has few.
pub(super) const EVIDENCE: [Needed; 20] = {
    use TitleTest::{Alike, Edited, Other, Same, Short};
    const fn any(headlines: TitleTest, told: usize, share: f64, words: usize, facts: usize) -> Needed {
        Needed { headlines, told, is_kept: false, is_cut: false, share, words, facts }
    }
    const fn kept(headlines: TitleTest, told: usize, share: f64, words: usize, facts: usize) -> Needed {
        Needed { is_kept: true, ..any(headlines, told, share, words, facts) }
    }
    const fn cut(needed: Needed) -> Needed {
        Needed { is_cut: true, ..needed }
    }
    [
        kept(Same, 0, WHOLE, 30, 0),
        kept(Same, 2, WHOLE, 20, 0),
        kept(Same, 0, 0.5, 20, 2),
        kept(Same, 2, 0.5, 12, 1),
        any(Same, 2, 0.65, 8, 2),
        any(Same, 2, TEXT, 8, 1),
        any(Same, 0, TEXT, 20, 2),
        any(Edited, 0, TEXT, 16, 3),
        kept(Alike, 2, TEXT, 20, 2),
        any(Alike, 0, 0.8, 20, 3),
        any(Short, 0, WHOLE, 25, 4),
        any(Other, 2, 0.65, 15, 2),
        kept(Other, 1, 0.8, 40, 3),
        kept(Other, 1, 0.8, 25, 4),
        any(Other, 1, 0.8, 25, 5),
        kept(Other, 0, 0.8, LONG_TEXT, 5),
        cut(any(Other, 1, 0.65, 15, 2)),
        cut(any(Other, 1, 0.65, 20, 1)),
        cut(any(Other, 0, TEXT, 18, 3)),
        cut(any(Other, 0, TEXT, 25, 2)),
    ]
};

impl Needed {
    /// Returns whether two texts have as much in common as the row says.
    pub(super) fn is_met(&self, common: &InCommon) -> bool {
        // What is missing of a longer text is more than a sentence that was left out later.
        let is_long_rest = self.share < TEXT && !self.is_kept && common.missing > OTHER_WORDS;
        self.headlines.are(common.titles)
            && common.told >= self.told
            && (common.is_kept || !self.is_kept)
            && !(common.is_exact && self.is_cut)
            && (self.headlines != TitleTest::Short || common.is_whole)
            && common.share >= self.share
            && !is_long_rest
            && common.words >= self.words
            && common.likely_facts >= self.facts
    }
}

/// When other words in one or two places are an editor's and no form's: under such headlines, if the two have so many
/// words and facts in common. A form that is filled again is as long as before; a copy is often cut.
pub(super) struct EditorsWords {
    headlines: TitleTest,
    told: usize,
    is_cut: bool,
    words: usize,
    facts: usize,
    is_dense: bool,
}

/// What forms do not have: many facts, or a fact in every line, or a part that was cut.
pub(super) const EDITS: [EditorsWords; 8] = {
    use TitleTest::{Any, Same, Telling};
    const fn whole(headlines: TitleTest, words: usize, facts: usize, is_dense: bool) -> EditorsWords {
        EditorsWords { headlines, told: 0, is_cut: false, words, facts, is_dense }
    }
    const fn cut(headlines: TitleTest, told: usize, words: usize, facts: usize) -> EditorsWords {
        EditorsWords { headlines, told, is_cut: true, words, facts, is_dense: false }
    }
    [
        whole(Same, 0, MANY_FACTS, false),
        whole(Any, LONG_TEXT, MANY_FACTS, false),
        whole(Telling, 0, LEAST_FACTS, true),
        whole(Any, 40, LEAST_FACTS, true),
        cut(Telling, 2, 0, 0),
        cut(Same, 0, 20, 0),
        cut(Any, 2, 25, 2),
        cut(Any, 1, 25, 3),
    ]
};

impl EditorsWords {
    /// Returns whether the words that differ are an editor's by this row.
    pub(super) fn is_met(&self, common: &InCommon) -> bool {
        self.headlines.are(common.titles)
            && common.told >= self.told
            && !(common.is_exact && self.is_cut)
            && common.words >= self.words
            && common.facts >= self.facts
            && (!self.is_dense || common.facts * DENSE_WORDS >= common.words)
    }
}
