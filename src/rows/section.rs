//! What the store knows of sections.

/// How a section was defined when its stories were last judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefinitionRow {
    pub hash: u64,
    /// Whether the hash is one of an older version, which hashed another form of the definition.
    pub has_former_hash: bool,
    /// Whether the section left the config.
    pub is_gone: bool,
}
