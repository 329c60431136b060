//! Regular files, read whole and bounded. A pipe or a device could block for ever or never end, so neither is opened for
//! what it is.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Reads a regular file, or what a symbolic link to one leads to.
///
/// # Errors
///
/// If it is no regular file, cannot be read, or has more than `max_bytes`.
pub fn read_regular(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    read_bounded(open_regular(path)?, max_bytes)
}

/// Reads what a command is given to read: a regular file, or the standard input where the name is `-`.
///
/// # Errors
///
/// As of [`read_regular`].
pub fn read_named(name: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if name == Path::new("-") {
        return read_bounded(io::stdin(), max_bytes);
    }
    read_regular(name, max_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => {
            io::Error::new(error.kind(), format!("{error}; give - to read the standard input"))
        }
        _ => error,
    })
}

fn read_bounded(input: impl Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > max_bytes) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {max_bytes} bytes")));
    }
    Ok(bytes)
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Not opened at all where that alone may have an effect, as with a tape.
    require_regular(&path.metadata()?)?;
    // Another file may be there by now; a pipe opens at once, too.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

fn require_regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    match metadata {
        metadata if metadata.is_file() => Ok(()),
        metadata if metadata.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "it is a pipe or a device, not a regular file")),
    }
}
