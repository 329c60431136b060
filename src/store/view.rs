//! The type that all loads of the store are methods of.

use rusqlite::Connection;

/// A connection with the methods that load rows. A [`Reader`](super::Reader) and a [`Turn`](super::Turn) dereference to
/// a view, so they have these methods too.
///
/// The methods return rows or plain values, never statements or cursors.
pub struct View {
    pub(super) connection: Connection,
}
