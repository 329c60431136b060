//! Runs a daemon on free ports, sends it plain requests, and runs commands at the same time.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::origin::Origin;
pub use super::workspace::{Workspace, rss};

/// The longest time to wait. Nothing here takes that long even on a busy machine, so this is reached only if something
/// is wrong.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn newswire(config: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_newswire"));
    command.args(arguments).arg("--config").arg(config).env_remove("NEWSWIRE_CONFIG").env_remove("RUST_LOG");
    command
}

pub fn output(config: &Path, arguments: &[&str]) -> Output {
    newswire(config, arguments).output().unwrap()
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn json(config: &Path, arguments: &[&str]) -> Value {
    let output = output(config, arguments);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output.stderr)))
}

/// A running daemon. Dropping this value kills it.
pub struct Daemon {
    pub process: Child,
    log: Receiver<String>,
    pub seen: Vec<String>,
    pub site: String,
    pub admin: String,
}

impl Daemon {
    pub fn start(workspace: &Workspace) -> Daemon {
        Daemon::start_with(&mut newswire(&workspace.config(), &["run"]))
    }

    pub fn start_with(command: &mut Command) -> Daemon {
        let mut process = command.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let (lines, log) = channel();
        std::thread::spawn(move || stderr.lines().map_while(Result::ok).try_for_each(|line| lines.send(line)));
        let mut daemon = Daemon { process, log, seen: Vec::new(), site: String::new(), admin: String::new() };
        daemon.site = address(&daemon.wait_for("serving on "));
        daemon.admin = address(&daemon.wait_for("status on "));
        daemon
    }

    /// Waits for the next line of the log that contains `words`.
    pub fn wait_for(&mut self, words: &str) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.log.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.seen.push(line.clone());
                    if line.contains(words) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    panic!("the log never said {words:?}:\n{}", self.seen.join("\n"))
                }
            }
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        request(&self.site, "GET", path, &[])
    }

    /// Requests a path until the body contains `words`. An edition changes up to about a second after a poll.
    pub fn get_until(&self, path: &str, words: &str) -> Answer {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.get(path);
            if text(&answer.body).contains(words) {
                return answer;
            }
            assert!(Instant::now() < until, "{path} never said {words:?}: {} {}", answer.status, text(&answer.body));
            std::thread::yield_now();
        }
    }

    pub fn signal(&self, name: &str) {
        let killed = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status().unwrap();
        assert!(killed.success());
    }

    /// Stops the daemon as systemd would; returns its exit code.
    pub fn end(&mut self) -> Option<i32> {
        self.signal("TERM");
        let code = self.process.wait().unwrap().code();
        while let Ok(line) = self.log.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        code
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // The daemon may have stopped already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

pub fn address(line: &str) -> String {
    let Some(address) = line.split("http://").nth(1) else { return String::new() };
    address.split('/').next().unwrap().to_owned()
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

pub fn request(address: &str, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{headers}\r\n").unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap();
    let head = text(&bytes[..end]);
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let headers = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Answer { status, headers, body: bytes[end + 4..].to_vec() }
}

/// Returns an RSS document whose entries have these guids and titles.
pub fn headlines(entries: &[(&str, &str)]) -> String {
    let entries: Vec<_> = entries.iter().map(|(guid, title)| (*guid, *title, "Words.")).collect();
    rss(&entries)
}

/// Returns TOML with a feed of this origin and a section of all feeds.
pub fn one_feed(origin: &Origin) -> String {
    format!(
        "[[feed]]\nid = \"a\"\nurl = \"{}\"\nallow = [\"{}\"]\n[[section]]\nid = \"all\"\ntitle = \"All\"\nfeeds = [\"*\"]",
        origin.url("/feed"),
        origin.address
    )
}
