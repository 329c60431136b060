//! Parses and formats sizes as people write them.

use crate::duration;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// Parses a size as people write it, such as `10 MiB`, `500 kB` or `2000 bytes`. Returns bytes, or `None` if the text
/// is not a size.
pub fn parse(text: &str) -> Option<u64> {
    let unit = |unit: &str| {
        Some(match unit.to_ascii_lowercase().as_str() {
            "b" | "byte" => 1.0,
            "kb" => 1e3,
            "mb" => 1e6,
            "gb" => 1e9,
            "k" | "kib" => 1024.0,
            "m" | "mib" => 1024.0 * 1024.0,
            "g" | "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        })
    };
    // A float beyond the range of u64 becomes the greatest u64.
    duration::sum(text, unit).map(|bytes| bytes as u64)
}

/// Returns a size as it is written in the TOML, in the largest unit that gives a whole number: `2 MiB`, `1500 bytes`.
pub fn words(bytes: u64) -> String {
    let units = [("MiB", MIB), ("KiB", KIB), ("bytes", 1)];
    let (unit, size) = units.into_iter().find(|(_, size)| bytes.is_multiple_of(*size)).unwrap_or(("bytes", 1));
    format!("{} {unit}", bytes / size)
}

/// Returns the rounded size of a file as pages show it: `1 KB`, `12 MB`.
pub fn rounded(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} KB", bytes.div_ceil(1000)),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_and_written_in_units() {
        let check = |text: &str, bytes: u64, exact: &str, about: &str| {
            assert_eq!(parse(text), Some(bytes), "{text}");
            assert_eq!((words(bytes).as_str(), rounded(bytes).as_str()), (exact, about), "{text}");
        };
        check("10 MiB", 10_485_760, "10 MiB", "10 MB");
        check("1.5k", 1536, "1536 bytes", "2 KB");
        check("500 kB", 500_000, "500000 bytes", "500 KB");
        check("2048 bytes", 2048, "2 KiB", "3 KB");
        check("12.9 MB", 12_900_000, "12900000 bytes", "12 MB");
        for text in ["", "10", "MiB", "10 miles", "-1 MiB"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
