//! Finds the process that holds a lock on a file, in the list of locks that Linux has in `/proc/locks`.
//!
//! The holder is unknown on other systems. It is also unknown if it runs in another container, because the list does
//! not contain the locks of other containers.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::sibling::sibling;

/// The byte of the `-shm` file that SQLite locks while it writes (SQLite, "WAL-mode File Format", §2.3).
const WRITE_LOCK: u64 = 120;

/// The first byte of the main file that SQLite locks (`PENDING_BYTE`).
const FILE_LOCKS: u64 = 0x4000_0000;

/// A lock that a process holds: a line of `/proc/locks`.
struct Held {
    kind: String,
    process: u32,
    inode: u64,
    device: (u64, u64),
    from: u64,
    to: u64,
}

/// Returns the id of the process that has locked a file with `flock`; `None` if it is unknown.
pub(super) fn of_file(metadata: &Metadata) -> Option<u32> {
    find(metadata, |held| held.kind == "FLOCK")
}

/// Returns the name of the other program that blocks writing to the store, as in `python3 (process 4711)`; `None` if it
/// is unknown.
pub(super) fn of_store(path: &Path) -> Option<String> {
    let in_log = fs::metadata(sibling(path, "-shm")).ok();
    let in_log = in_log.and_then(|shm| find(&shm, |held| held.covers(WRITE_LOCK)));
    let process = in_log.or_else(|| find(&fs::metadata(path).ok()?, |held| held.to >= FILE_LOCKS))?;
    Some(named(process))
}

/// Returns the name of a process's command and its id, as in `python3 (process 4711)`.
pub(super) fn named(process: u32) -> String {
    let command = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    let command: String = command.trim().chars().filter(|c| !c.is_control()).collect();
    let command = if command.is_empty() { "another program".to_owned() } else { command };
    format!("{command} (process {process})")
}

/// Returns the id of another process that has a write lock on the file. Considers only locks for which `is_such`
/// returns `true`.
fn find(metadata: &Metadata, is_such: impl Fn(&Held) -> bool) -> Option<u32> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let device = (rustix::fs::major(metadata.dev()).into(), rustix::fs::minor(metadata.dev()).into());
    let found: Vec<Held> = locks
        .lines()
        .filter_map(parse)
        .filter(|held| held.inode == metadata.ino() && held.process != std::process::id() && is_such(held))
        .collect();
    // `/proc/locks` and `stat` give different device numbers on some file systems. If no device matches, the inode
    // alone must match.
    let found = found.iter().find(|held| held.device == device).or(found.first());
    found.map(|held| held.process)
}

/// Parses a line such as `1: POSIX  ADVISORY  WRITE 4711 fe:01:1234 120 120`; `None` for a read lock or a process that
/// waits for a lock.
fn parse(line: &str) -> Option<Held> {
    let mut words = line.split_whitespace().skip(1);
    let kind = words.next().filter(|kind| *kind != "->")?.to_owned();
    let (_, mode) = (words.next()?, words.next()?);
    let process = words.next()?.parse().ok().filter(|process| *process > 0)?;
    let mut file = words.next()?.split(':');
    let (major, minor) = (hexadecimal(file.next()?)?, hexadecimal(file.next()?)?);
    let inode = file.next()?.parse().ok()?;
    let from = words.next()?.parse().ok()?;
    let to = words.next()?.parse().unwrap_or(u64::MAX);
    (mode == "WRITE").then_some(Held { kind, process, inode, device: (major, minor), from, to })
}

fn hexadecimal(text: &str) -> Option<u64> {
    u64::from_str_radix(text, 16).ok()
}

impl Held {
    fn covers(&self, byte: u64) -> bool {
        (self.from..=self.to).contains(&byte)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_locks_and_waiting_processes_are_skipped() {
        let check = |line: &str, expected: Option<(u32, u64, u64, u64)>| {
            let found = parse(line).map(|held| (held.process, held.inode, held.from, held.to));
            assert_eq!(found, expected, "{line}");
        };
        check("1: POSIX  ADVISORY  WRITE 4711 fe:01:1234 120 120", Some((4711, 1234, 120, 120)));
        check("2: FLOCK  ADVISORY  WRITE 12 08:02:77 0 EOF", Some((12, 77, 0, u64::MAX)));
        check("3: POSIX  ADVISORY  READ 4711 fe:01:1234 123 123", None);
        check("1: -> POSIX  ADVISORY  WRITE 4712 fe:01:1234 120 120", None);
        check("4: OFDLCK ADVISORY  WRITE -1 fe:01:1234 120 120", None);
        check("", None);
    }
}
