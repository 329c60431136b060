//! What the store knows of sections.

/// The definition of a section by which its stories were last judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    /// The hash of the definition.
    pub hash: u64,
    /// Whether an older version made the hash, from another form of the definition.
    pub has_former_hash: bool,
    /// Whether the section is no longer configured.
    pub is_gone: bool,
}
