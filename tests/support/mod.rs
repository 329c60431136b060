//! What the tests of several modules stand on.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod daemon;
pub mod desk;
pub mod feeds;
pub mod origin;
pub mod terminal;
pub mod tls;
