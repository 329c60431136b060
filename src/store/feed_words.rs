//! The stored form of some results of polls: repairs, notes and events, each as a code with details in JSON.
//!
//! The structs here are used only for storing. A new field gets a default, so that data of older versions stays
//! readable.

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use super::failure_form::{FailureV1, failure_form, read_failure};
use super::sql::{optional_text, text};
use crate::feed::{FeedEvent, Note, Repair, RepairKind};

const JSON: &str = "these are texts and numbers, which JSON can hold";

/// Sentences in stores up to schema version 3 whose words have changed since then, and the kinds of their repairs.
const FORMER_WORDS: [(&str, RepairKind); 4] = [
    ("one guid for several different entries: the link was added to it", RepairKind::SharedGuids),
    ("one link for several different entries: title and date were added to it", RepairKind::SharedLinks),
    ("one title and date for several different entries: the text was added to them", RepairKind::SharedTitles),
    ("nothing of this document was known before: entries may have been missed", RepairKind::Gap),
];

/// A repair, in version 1 (a sentence) or version 2 (a code) of the stored form.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum StoredRepair {
    Coded {
        code: String,
        #[serde(default = "once", skip_serializing_if = "is_once")]
        count: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        example: Option<String>,
    },
    Sentence(String),
}

fn once() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_once(count: &usize) -> bool {
    *count == 1
}

/// A note, version 1 of the stored form. Which of its fields are set depends on its code.
#[derive(Default, Serialize, Deserialize)]
struct StoredNote {
    code: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rekeyed: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    count: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<String>,
}

/// The details of an event, version 1 of the stored form. Which of the fields are set depends on the event's code.
#[derive(Default, Serialize, Deserialize)]
struct EventDetail<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failures: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<FailureV1<'a>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    new: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rekeyed: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    listed: Option<usize>,
    /// The sentence that an older version of newswire stored instead of details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    words: Option<String>,
}

/// Returns repairs as JSON for the store.
pub(super) fn repairs_json(repairs: &[Repair]) -> String {
    let stored = repairs.iter().map(|repair| StoredRepair::Coded {
        code: repair.kind.code().to_owned(),
        count: repair.count,
        example: repair.example.clone(),
    });
    serde_json::to_string(&stored.collect::<Vec<_>>()).expect(JSON)
}

/// Reads repairs from a column. Returns an empty list if the JSON is unreadable.
pub(super) fn repairs(row: &Row, column: usize) -> rusqlite::Result<Vec<Repair>> {
    Ok(read_repairs(text(row, column)?))
}

/// Reads repairs, whichever version of newswire wrote them. Returns an empty list if the JSON is unreadable.
pub(super) fn read_repairs(json: &str) -> Vec<Repair> {
    if json == "[]" {
        return Vec::new();
    }
    let stored: Vec<StoredRepair> = serde_json::from_str(json).unwrap_or_default();
    let read = stored.into_iter().map(|stored| match stored {
        StoredRepair::Coded { code, count, example } => {
            let kind = RepairKind::from_code(&code);
            // A newer version of newswire may have written a repair that this version does not know. Its code is kept,
            // so that it can be shown.
            let example = if kind == RepairKind::Old { example.or(Some(code)) } else { example };
            Repair { kind, count, example }
        }
        StoredRepair::Sentence(sentence) => of_sentence(&sentence).unwrap_or_else(|| Repair::old(sentence)),
    });
    read.collect()
}

/// Parses the sentence of a repair, as in `a date could not be read: "soon" (3 times)`; `None` if it is not the
/// sentence of a known repair.
fn of_sentence(sentence: &str) -> Option<Repair> {
    if let Some((_, kind)) = FORMER_WORDS.iter().find(|(words, _)| *words == sentence) {
        return Some(Repair::once(*kind));
    }
    let kind = RepairKind::ALL.iter().copied().filter(|kind| *kind != RepairKind::Old);
    let (kind, rest) = kind.filter_map(|kind| Some((kind, sentence.strip_prefix(kind.words())?))).next()?;
    let (quoted, count) = match rest.strip_suffix(" times)").and_then(|rest| rest.rsplit_once(" (")) {
        Some((quoted, count)) => (quoted, count.parse().ok()?),
        None => (rest, 1),
    };
    let example = match quoted.strip_prefix(": ") {
        Some(quoted) => Some(serde_json::from_str(quoted).ok()?),
        None => None,
    };
    let repair = Repair { kind, count, example };
    (repair.to_string() == sentence).then_some(repair)
}

/// Returns notes as JSON for the store.
pub(super) fn notes_json(notes: &[Note]) -> String {
    let stored = notes.iter().map(|note| {
        let stored = StoredNote { code: note.code().to_owned(), ..StoredNote::default() };
        match note.clone() {
            Note::Rekeyed { rekeyed, listed } => StoredNote { rekeyed: Some(rekeyed), listed: Some(listed), ..stored },
            Note::Restless { name } => StoredNote { name: Some(name), ..stored },
            Note::MoreRestless { count } => StoredNote { count: Some(count), ..stored },
            Note::Old { words } => StoredNote { words: Some(words), ..stored },
        }
    });
    serde_json::to_string(&stored.collect::<Vec<_>>()).expect(JSON)
}

/// Reads notes from a column; `None` if the column is null.
pub(super) fn notes(row: &Row, column: usize) -> rusqlite::Result<Option<Vec<Note>>> {
    Ok(optional_text(row, column)?.map(read_notes))
}

/// Reads notes from JSON. Returns unreadable notes as [`Note::Old`].
fn read_notes(json: &str) -> Vec<Note> {
    let Ok(stored) = serde_json::from_str::<Vec<StoredNote>>(json) else {
        return vec![Note::Old { words: json.to_owned() }];
    };
    let read = stored.into_iter().map(|stored| match (stored.code.as_str(), stored.words) {
        (_, Some(words)) => Note::Old { words },
        ("rekeyed", _) => {
            Note::Rekeyed { rekeyed: stored.rekeyed.unwrap_or_default(), listed: stored.listed.unwrap_or_default() }
        }
        ("restless", _) => Note::Restless { name: stored.name.unwrap_or_default() },
        ("more_restless", _) => Note::MoreRestless { count: stored.count.unwrap_or_default() },
        (code, None) => Note::Old { words: code.to_owned() },
    });
    read.collect()
}

/// Returns the details of an event as JSON, to store with the event's code.
pub(super) fn event_json(event: &FeedEvent) -> String {
    let none = EventDetail::default();
    let detail = match event {
        FeedEvent::Gone => none,
        FeedEvent::Died { failures, failure } => {
            EventDetail { failures: Some(*failures), failure: Some(failure_form(failure)), ..none }
        }
        FeedEvent::Recovered { failures } => EventDetail { failures: Some(*failures), ..none },
        FeedEvent::Moved { to } => EventDetail { to: Some(to.clone()), ..none },
        FeedEvent::Flooded { new } => EventDetail { new: Some(*new), ..none },
        FeedEvent::Rekeyed { rekeyed, listed } => {
            EventDetail { rekeyed: Some(*rekeyed), listed: Some(*listed), ..none }
        }
        FeedEvent::Old { words, .. } => EventDetail { words: Some(words.clone()), ..none },
    };
    serde_json::to_string(&detail).expect(JSON)
}

/// Reads an event from its code and details. Returns an unreadable event as [`FeedEvent::Old`].
pub(super) fn event(code: &str, detail: &str) -> FeedEvent {
    let old = |words: String| FeedEvent::Old { code: code.to_owned(), words };
    let Ok(stored) = serde_json::from_str::<EventDetail>(detail) else { return old(detail.to_owned()) };
    let (failures, failure) = (stored.failures.unwrap_or_default(), stored.failure.and_then(read_failure));
    match (code, stored.words) {
        (_, Some(words)) => old(words),
        ("gone", _) => FeedEvent::Gone,
        ("died", _) => failure.map_or_else(|| old(detail.to_owned()), |failure| FeedEvent::Died { failures, failure }),
        ("recovered", _) => FeedEvent::Recovered { failures },
        ("moved", _) => FeedEvent::Moved { to: stored.to.unwrap_or_default() },
        ("flooded", _) => FeedEvent::Flooded { new: stored.new.unwrap_or_default() },
        ("rekeyed", _) => FeedEvent::Rekeyed {
            rekeyed: stored.rekeyed.unwrap_or_default(),
            listed: stored.listed.unwrap_or_default(),
        },
        (code, None) => old(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::Failure;

    #[test]
    fn repairs_of_every_version_are_read() {
        let check = |json: &str, expected: &[Repair]| assert_eq!(read_repairs(json), expected, "{json}");
        check("[]", &[]);
        check("not JSON", &[]);
        let dates = Repair { kind: RepairKind::UnreadDates, count: 3, example: Some("next (x): \"noon\"".to_owned()) };
        let sentences = r#"["a date could not be read: \"next (x): \\\"noon\\\"\" (3 times)","bare & or < was read as text",
            "a repair that no version knows","a date could not be read: soon"]"#;
        let old = [
            dates.clone(),
            Repair::once(RepairKind::BareMarkup),
            Repair::old("a repair that no version knows".to_owned()),
            Repair::old("a date could not be read: soon".to_owned()),
        ];
        check(sentences, &old);
        let coded = r#"[{"code":"unread_dates","count":3,"example":"next (x): \"noon\""},{"code":"bare_markup"}]"#;
        check(coded, &[dates.clone(), Repair::once(RepairKind::BareMarkup)]);
        assert_eq!(repairs_json(&[dates, Repair::once(RepairKind::BareMarkup)]), coded);
        check(r#"[{"code":"of_a_newer_version","more":1}]"#, &[Repair::old("of_a_newer_version".to_owned())]);
        assert_eq!(read_repairs(&repairs_json(&old)), old);
    }

    #[test]
    fn stored_form_of_notes_is_unchanged() {
        let notes = vec![
            Note::Rekeyed { rekeyed: 20, listed: 21 },
            Note::Restless { name: "Live".to_owned() },
            Note::MoreRestless { count: 2 },
            Note::Old { words: "as it was".to_owned() },
        ];
        let json = r#"[{"code":"rekeyed","rekeyed":20,"listed":21},{"code":"restless","name":"Live"},{"code":"more_restless","count":2},{"code":"old","words":"as it was"}]"#;
        assert_eq!(notes_json(&notes), json);
        assert_eq!(read_notes(json), notes);
        assert_eq!(read_notes("not JSON"), [Note::Old { words: "not JSON".to_owned() }]);
        assert_eq!(read_notes(r#"[{"code":"newer"}]"#), [Note::Old { words: "newer".to_owned() }]);
    }

    #[test]
    fn stored_form_of_events_is_unchanged() {
        let check = |what: FeedEvent, code: &str, json: &str| {
            assert_eq!((what.code(), event_json(&what).as_str()), (code, json));
            assert_eq!(event(code, json), what);
        };
        check(FeedEvent::Gone, "gone", "{}");
        let failure = Failure::Status { status: 503 };
        let json = r#"{"failures":3,"failure":{"what":"status","status":503}}"#;
        check(FeedEvent::Died { failures: 3, failure }, "died", json);
        check(FeedEvent::Recovered { failures: 4 }, "recovered", r#"{"failures":4}"#);
        check(FeedEvent::Moved { to: "https://b.example/".to_owned() }, "moved", r#"{"to":"https://b.example/"}"#);
        check(FeedEvent::Flooded { new: 60 }, "flooded", r#"{"new":60}"#);
        check(FeedEvent::Rekeyed { rekeyed: 3, listed: 9 }, "rekeyed", r#"{"rekeyed":3,"listed":9}"#);
        let old = FeedEvent::Old { code: "died".to_owned(), words: "failed".to_owned() };
        check(old, "died", r#"{"words":"failed"}"#);
        assert_eq!(event("newer", "{}").to_string(), "newer");
    }
}
