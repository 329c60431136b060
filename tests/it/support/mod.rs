//! Code that the tests of several modules share.

pub mod bed;
pub mod daemon;
pub mod feeds;
pub mod origin;
pub mod receiver;
pub mod sql;
pub mod terminal;
pub mod tls;
pub mod workspace;
