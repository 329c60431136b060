//! Converts numbers, times and reasons from and to values of SQLite.

use rusqlite::Row;
use rusqlite::types::{FromSql, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

use crate::number::{EntryNumber, FeedNumber, HookNumber, MessageNumber, SectionNumber, StoryNumber};
use crate::reason::JoinReason;
use crate::rows::SignatureKey;
use crate::time::Timestamp;

macro_rules! as_integer {
    ($($name:ident),*) => {$(
        impl ToSql for $name {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.0.into())
            }
        }

        impl FromSql for $name {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($name)
            }
        }
    )*};
}

as_integer!(EntryNumber, FeedNumber, HookNumber, MessageNumber, SectionNumber, StoryNumber, SignatureKey);

/// Reads a time from a column that is never null.
pub(super) fn time(row: &Row, column: usize) -> rusqlite::Result<Timestamp> {
    row.get(column).map(Timestamp::from_millis)
}

/// Reads a time from a column that may be null.
pub(super) fn optional_time(row: &Row, column: usize) -> rusqlite::Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column).map(|millis| millis.map(Timestamp::from_millis))
}

/// Reads a text from a column that is never null.
pub(super) fn text<'r>(row: &'r Row, column: usize) -> rusqlite::Result<&'r str> {
    Ok(row.get_ref(column)?.as_str()?)
}

/// Reads a text from a column that may be null.
pub(super) fn optional_text<'r>(row: &'r Row, column: usize) -> rusqlite::Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

/// Reads the reason why an entry belongs to its story. A reason that this version does not know counts as
/// [`JoinReason::First`].
pub(super) fn reason(row: &Row, column: usize) -> rusqlite::Result<JoinReason> {
    Ok(JoinReason::from_name(text(row, column)?).unwrap_or(JoinReason::First))
}
