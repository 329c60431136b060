//! Runs other programs that check our documents.

use std::path::PathBuf;
use std::process::Command;

/// Runs another program on files, and returns what it prints. Returns `None` if the program is not installed. Panics if
/// the program fails, or if it is not installed although `NEWSWIRE_VALIDATORS` requires it.
pub fn outside(program: &str, arguments: &[&str], files: &[PathBuf]) -> Option<String> {
    let required = std::env::var_os("NEWSWIRE_VALIDATORS").is_some();
    match Command::new(program).args(arguments).args(files).output() {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            let complaints = format!("{text}\n{}", String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success(), "{program}: {complaints}");
            Some(text)
        }
        Err(error) if required => panic!("{program}: {error}"),
        Err(_) => {
            eprintln!("{program} is not installed, so it checks nothing");
            None
        }
    }
}
