//! Any script in the letters, digits and marks of ASCII, for addresses and for comparing names.

/// Returns what stands for a character in ASCII: `u` for `ü`, `l` for `ł`, `Zh` for `Ж`, `Ri ` for `日`; empty if nothing does.
pub fn ascii(character: char) -> &'static str {
    deunicode::deunicode_char(character).unwrap_or_default()
}
