//! Conversions of stored rows to a newer form. They need Rust code, or report their progress, which migrations in SQL
//! cannot do.

use rusqlite::{Connection, OptionalExtension, params};

use super::StoreError;
use super::feed_words::{read_repairs, repairs_json};

/// A function that receives the number of rows converted so far and the number of all rows to convert.
pub(super) type ShowRows<'s> = &'s mut dyn FnMut(u64, u64);

/// How many rows one statement converts. The statement takes about 50 ms.
const BATCH: i64 = 10_000;

/// The SQL that replaces the sentences in `placement.why`, which schema version 3 wrote, by codes. A sentence that has
/// no code of its own is moved to `detail`, and its code is `old`.
const REASONS: &str = "UPDATE placement SET
    detail = CASE
      WHEN why IN ('it is older than the section''s max_age', 'no feed of the section has it any more',
        'it is one story with another', 'no keep rule matched') THEN NULL
      WHEN rule IS NULL AND why LIKE 'the section takes all of %' THEN substr(why, 26)
      ELSE why END,
    why = CASE
      WHEN why = 'it is older than the section''s max_age' THEN 'too_old'
      WHEN why = 'no feed of the section has it any more' THEN 'no_feed'
      WHEN why = 'it is one story with another' THEN 'united'
      WHEN why = 'no keep rule matched' THEN 'no_keep'
      WHEN rule IS NULL AND why LIKE 'the section takes all of %' THEN 'takes_all'
      ELSE 'old' END
  WHERE (section, story) > (?1, ?2) AND (section, story) <= (?3, ?4)";

/// Converts the sentences in `placement.why`, written by schema version 3 or older, to codes.
///
/// # Errors
///
/// Returns the errors of SQLite.
pub(super) fn reasons(connection: &Connection, show: ShowRows) -> Result<(), StoreError> {
    let total: i64 = connection.query_row("SELECT count(*) FROM placement", [], |row| row.get(0))?;
    let mut last = connection.prepare(
        "SELECT section, story FROM (SELECT section, story FROM placement WHERE (section, story) > (?1, ?2)
           ORDER BY section, story LIMIT ?3)
         ORDER BY section DESC, story DESC LIMIT 1",
    )?;
    let mut convert = connection.prepare(REASONS)?;
    let (mut from, mut done) = ((i64::MIN, i64::MIN), 0);
    while let Some(to) = last
        .query_row(params![from.0, from.1, BATCH], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
        .optional()?
    {
        done += convert.execute(params![from.0, from.1, to.0, to.1])? as u64;
        show(done, total.unsigned_abs());
        from = to;
    }
    Ok(())
}

/// Converts the sentences in `feed.repairs` to codes.
///
/// # Errors
///
/// Returns the errors of SQLite.
pub(super) fn repairs(connection: &Connection, show: ShowRows) -> Result<(), StoreError> {
    let mut feeds = connection.prepare("SELECT number, repairs FROM feed WHERE repairs <> '[]'")?;
    let feeds = feeds.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let feeds = feeds.collect::<Result<Vec<(i64, String)>, _>>()?;
    let mut update = connection.prepare("UPDATE feed SET repairs = ?2 WHERE number = ?1")?;
    for (at, (feed, repairs)) in feeds.iter().enumerate() {
        update.execute(params![feed, repairs_json(&read_repairs(repairs))])?;
        show(at as u64 + 1, feeds.len() as u64);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_of_version_3_become_codes_and_each_other_one_is_kept() {
        let connection = Connection::open_in_memory().unwrap();
        let table = "CREATE TABLE placement (section INTEGER, story INTEGER, rule TEXT, why TEXT NOT NULL, detail TEXT,
                       PRIMARY KEY (section, story)) STRICT, WITHOUT ROWID";
        connection.execute_batch(table).unwrap();
        let rows = [
            (None, "it is older than the section's max_age", "too_old", None),
            (None, "no feed of the section has it any more", "no_feed", None),
            (None, "it is one story with another", "united", None),
            (None, "no keep rule matched", "no_keep", None),
            (None, "the section takes all of wire", "takes_all", Some("wire")),
            (Some("keep[0]"), "keep[0] matched title x", "old", Some("keep[0] matched title x")),
            (None, "for a reason of its own", "old", Some("for a reason of its own")),
        ];
        let mut insert = connection.prepare("INSERT INTO placement VALUES (?1, ?2, ?3, ?4, NULL)").unwrap();
        for section in [1, 2] {
            for (number, (rule, why, ..)) in rows.iter().enumerate() {
                insert.execute(params![section, number.cast_signed(), rule, why]).unwrap();
            }
        }
        let mut shown = Vec::new();
        reasons(&connection, &mut |done, total| shown.push((done, total))).unwrap();
        assert_eq!(shown, [(14, 14)]);
        let mut select = connection.prepare("SELECT rule, why, detail FROM placement ORDER BY section, story").unwrap();
        let found = select.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
        let found: Vec<(Option<String>, String, Option<String>)> = found.map(Result::unwrap).collect();
        for (found, (rule, _, code, detail)) in found.iter().zip(rows.iter().chain(&rows)) {
            assert_eq!((found.0.as_deref(), found.1.as_str(), found.2.as_deref()), (*rule, *code, *detail));
        }
    }
}
