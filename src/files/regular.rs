//! Reads regular files with a size limit. Refuses pipes and devices, because they could block forever or never end.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rustix::fs::OFlags;

/// Reads a regular file, or the regular file to which a symbolic link leads.
///
/// # Errors
///
/// Fails if the file is not regular, cannot be read, or has more than `max_bytes`.
pub fn read_regular(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    read_bounded(open_regular(path)?, max_bytes)
}

/// Reads a file that a command's argument names: a regular file, or standard input if the name is `-`.
///
/// # Errors
///
/// Fails like [`read_regular`].
pub fn read_named(name: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    if name == Path::new("-") {
        return read_bounded(io::stdin(), max_bytes);
    }
    read_regular(name, max_bytes).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => io::Error::new(error.kind(), format!("{error}; use - to read standard input")),
        _ => error,
    })
}

fn read_bounded(input: impl Read, max_bytes: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > max_bytes) {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {max_bytes} bytes")));
    }
    Ok(bytes)
}

fn open_regular(path: &Path) -> io::Result<File> {
    // Check before opening, because opening a device such as a tape may have an effect.
    require_regular(&path.metadata()?)?;
    // Check again after opening, because the file may have been replaced. With NONBLOCK, opening a pipe does not block.
    let file = OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    require_regular(&file.metadata()?)?;
    Ok(file)
}

fn require_regular(metadata: &std::fs::Metadata) -> io::Result<()> {
    match metadata {
        metadata if metadata.is_file() => Ok(()),
        metadata if metadata.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "is a directory")),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "a pipe or device, not a regular file")),
    }
}
