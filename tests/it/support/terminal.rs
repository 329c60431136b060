//! Runs the program at a terminal of 80 columns, reads what it shows, and types answers.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, Command};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::daemon::PATIENCE;

/// A program at its own terminal. Dropping this value kills it.
pub struct Terminal {
    process: Child,
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    /// Everything shown so far, control characters included.
    pub shown: String,
    /// How many bytes of `shown` were searched already.
    seen: usize,
}

impl Terminal {
    pub fn start(mut command: Command) -> Terminal {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        tcsetwinsize(&ours, Winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let name = ptsname(&ours, Vec::new()).unwrap();
        let theirs = OpenOptions::new().read(true).write(true).open(OsStr::from_bytes(name.as_bytes())).unwrap();
        command.stdin(theirs.try_clone().unwrap()).stdout(theirs.try_clone().unwrap()).stderr(theirs);
        command.env("TERM", "xterm").env_remove("COLUMNS");
        let process = command.spawn().unwrap();
        let keyboard = File::from(ours);
        let (parts, screen) = channel();
        let mut output = keyboard.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length) = output.read(&mut buffer) {
                if length == 0 || parts.send(buffer[..length].to_vec()).is_err() {
                    break;
                }
            }
        });
        // `command` keeps the program's end of the terminal open. Until it is dropped, reading would never reach the
        // end.
        drop(command);
        Terminal { process, keyboard, screen, shown: String::new(), seen: 0 }
    }

    /// Reads until `words` are shown, after the part that was searched already.
    pub fn wait_for(&mut self, words: &str) {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(at) = self.shown[self.seen..].find(words) {
                self.seen += at + words.len();
                return;
            }
            let part = self.screen.recv_timeout(until.saturating_duration_since(Instant::now()));
            let part = part.unwrap_or_else(|_| panic!("never shown: {words:?}\n{}", self.shown));
            self.shown.push_str(&String::from_utf8_lossy(&part));
        }
    }

    /// Types a line.
    pub fn answer(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").unwrap();
    }

    /// Sends the signal that the system sends when a terminal is closed.
    pub fn hang_up(&self) {
        let killed = Command::new("kill").args(["-HUP", &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Waits until the program stops by itself; returns its exit code.
    pub fn end(&mut self) -> i32 {
        while let Ok(part) = self.screen.recv_timeout(PATIENCE) {
            self.shown.push_str(&String::from_utf8_lossy(&part));
        }
        self.process.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The program may have stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
