//! Opens stores, and databases of other programs, by SQL: to prepare a state that newswire itself never writes, and to
//! look at what only the store knows. All other tests use the interface of the store.

use std::path::Path;

pub use rusqlite::types::Value;
pub use rusqlite::{Connection, Result, Row, params};

/// Opens a database file, and creates it if it is missing.
pub fn open(path: impl AsRef<Path>) -> Connection {
    Connection::open(path).unwrap()
}
