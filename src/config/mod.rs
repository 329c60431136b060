//! The configuration: TOML texts → a checked [`Config`], or every problem found.
//!
//! Never touches a file, the environment or the clock: texts come in, and secrets are looked up by a function that the
//! caller gives (`files` does both). What is checked here is passed on whole and never asked for again.

mod model;

pub use model::*;
