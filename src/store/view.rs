//! A connection that loads rows, whether it may write too or not.

use rusqlite::Connection;

/// What may be loaded from the store. A [`Reader`](super::Reader) and a [`Turn`](super::Turn) are views too.
///
/// Each method runs a fixed number of statements and returns rows or plain values.
pub struct View {
    pub(super) connection: Connection,
}
