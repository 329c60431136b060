//! Rules: how a section's `keep` and `drop` match, and the reason that they give.
//!
//! Pure; matching is linear in the text, whatever the pattern.

/// One checked rule of a section.
#[derive(Clone, Debug)]
pub struct Rule {}
