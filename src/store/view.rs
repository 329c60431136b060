//! A connection that loads rows, whether or not it may also write.

use rusqlite::Connection;

/// The loads of the store. A [`Reader`](super::Reader) and a [`Turn`](super::Turn) are views too.
///
/// Each method runs a fixed number of statements and returns rows or plain values.
pub struct View {
    pub(super) connection: Connection,
}
