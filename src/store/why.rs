//! The stored form of the reason why a story is in a section or not: the rule that decided, a code, and details that
//! depend on the code.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::sql::text;
use crate::feed::FeedId;
use crate::reason::{Matched, RulePlace, Why};

/// The columns `rule`, `why` and `detail` of a placement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WhyColumns {
    /// The rule that decided, such as `keep[0]`; `None` if no rule decided.
    pub rule: Option<String>,
    /// The code of the reason.
    pub code: &'static str,
    /// The details of the reason, which depend on the code: the feed of the copy that leads, the matched keys of the
    /// rule as JSON, or a sentence from an older version of newswire.
    pub detail: Option<String>,
}

/// A key of a rule that matched, version 1 of the stored form.
#[derive(Serialize, Deserialize)]
struct MatchedKey {
    #[serde(default)]
    key: String,
    #[serde(default)]
    words: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    feed: Option<String>,
}

/// Returns the values of the columns for a reason.
pub(super) fn why_columns(why: &Why) -> WhyColumns {
    let detail = match why {
        Why::TakesAll { lead } => Some(lead.to_string()),
        Why::Rule { matched, .. } => {
            let keys = matched.iter().map(|matched| MatchedKey {
                key: matched.key.clone(),
                words: matched.words.clone(),
                feed: matched.feed.as_ref().map(FeedId::to_string),
            });
            let json = serde_json::to_string(&keys.collect::<Vec<_>>());
            Some(json.expect("these are texts, which JSON can hold"))
        }
        Why::Old { words, .. } => Some(words.clone()),
        Why::TooOld | Why::NoFeed | Why::Merged | Why::NoKeep | Why::NoRecording | Why::TakesNone | Why::NoSection => {
            None
        }
    };
    WhyColumns { rule: why.rule().map(|rule| rule.to_string()), code: why.code(), detail }
}

/// Reads a reason from the columns `rule`, `why` and `detail`, the first of which has the index `column`.
pub(super) fn why(row: &Row, column: usize) -> rusqlite::Result<Why> {
    let rule = row.get_ref(column)?.as_str_or_null()?.and_then(RulePlace::from_name);
    let (code, detail) = (text(row, column + 1)?, row.get_ref(column + 2)?.as_str_or_null()?);
    Ok(of_columns(rule, code, detail))
}

/// Builds a reason from the values of its columns. Returns an unreadable reason as [`Why::Old`].
fn of_columns(rule: Option<RulePlace>, code: &str, detail: Option<&str>) -> Why {
    let words = || Why::Old { rule, words: detail.unwrap_or(code).to_owned() };
    match (code, detail) {
        ("too_old", _) => Why::TooOld,
        ("no_feed", _) => Why::NoFeed,
        ("united", _) => Why::Merged,
        ("no_keep", _) => Why::NoKeep,
        ("no_recording", _) => Why::NoRecording,
        ("takes_none", _) => Why::TakesNone,
        ("no_section", _) => Why::NoSection,
        ("takes_all", Some(lead)) => Why::TakesAll { lead: lead.into() },
        ("rule", Some(detail)) => {
            let keys = serde_json::from_str::<Vec<MatchedKey>>(detail);
            rule.zip(keys.ok()).map_or_else(words, |(place, keys)| Why::Rule { place, matched: matched(keys) })
        }
        _ => words(),
    }
}

fn matched(keys: Vec<MatchedKey>) -> Vec<Matched> {
    let matched = keys.into_iter().map(|MatchedKey { key, words, feed }| Matched {
        key,
        words,
        feed: feed.as_deref().map(FeedId::from),
    });
    matched.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reason::RuleList;

    /// Checks how each kind of reason is stored. The form is the same since schema version 4.
    #[test]
    fn stored_form_of_reasons_is_unchanged() {
        let place = RulePlace { list: RuleList::Keep, index: 2 };
        let matched = |key: &str, words: &str, feed: Option<&str>| Matched {
            key: key.to_owned(),
            words: words.to_owned(),
            feed: feed.map(FeedId::from),
        };
        let two = vec![matched("title", "a \"b\"", Some("wire")), matched("age", "<3 days", None)];
        let json = r#"[{"key":"title","words":"a \"b\"","feed":"wire"},{"key":"age","words":"<3 days"}]"#;
        let check = |why: Why, rule: Option<&str>, code: &'static str, detail: Option<&str>| {
            let columns = WhyColumns { rule: rule.map(str::to_owned), code, detail: detail.map(str::to_owned) };
            assert_eq!(why_columns(&why), columns);
            assert_eq!(of_columns(rule.and_then(RulePlace::from_name), code, detail), why);
        };
        check(Why::TooOld, None, "too_old", None);
        check(Why::NoFeed, None, "no_feed", None);
        check(Why::Merged, None, "united", None);
        check(Why::TakesAll { lead: "wire".into() }, None, "takes_all", Some("wire"));
        check(Why::NoKeep, None, "no_keep", None);
        check(Why::NoRecording, None, "no_recording", None);
        check(Why::Rule { place, matched: two }, Some("keep[2]"), "rule", Some(json));
        let words = "drop[0] matched title Sponsored from wire".to_owned();
        check(Why::Old { rule: Some(place), words: words.clone() }, Some("keep[2]"), "old", Some(&words));
    }

    #[test]
    fn unreadable_reason_is_shown_unchanged() {
        let place = RulePlace { list: RuleList::Drop, index: 0 };
        let check = |code: &str, detail: Option<&str>, expected: &str| {
            let why = of_columns(Some(place), code, detail);
            assert_eq!((why.code(), why.rule(), why.to_string().as_str()), ("old", Some(place), expected));
        };
        check("rule", Some("not JSON"), "not JSON");
        check("rule", None, "rule");
        check("of_a_newer_version", None, "of_a_newer_version");
    }
}
