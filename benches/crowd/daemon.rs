//! Runs a daemon, and reads from `/proc` what it uses.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::program;
use crate::site::Site;

/// The daemon is at rest if it used less than this share of a core for [`QUIET`].
const RESTING: f64 = 0.02;
const QUIET: Duration = Duration::from_secs(4);

/// How long to wait for the daemon before the benchmark fails.
pub const PATIENCE: Duration = Duration::from_secs(1_200);

pub struct Daemon {
    child: Child,
    folder: PathBuf,
}

impl Daemon {
    /// Starts the daemon, and waits until it is ready.
    pub fn start(program: &str, site: &Site) -> anyhow::Result<Daemon> {
        let mut command = Command::new(program);
        command.args(["run", "--config"]).arg(&site.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn()?;
        let folder = PathBuf::from(format!("/proc/{}", child.id()));
        let mut daemon = Daemon { child, folder };
        let started = Instant::now();
        while !get(site.admin, "/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
            daemon.check_alive()?;
            anyhow::ensure!(started.elapsed() < PATIENCE, "the daemon is not ready");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(daemon)
    }

    pub fn check_alive(&mut self) -> anyhow::Result<()> {
        match self.child.try_wait()? {
            Some(status) => anyhow::bail!("the daemon ended with {status}"),
            None => Ok(()),
        }
    }

    /// Returns the daemon's processor time in seconds.
    pub fn cpu(&self) -> anyhow::Result<f64> {
        Ok(program::cpu(&self.folder)?)
    }

    pub fn resident_mib(&self) -> f64 {
        self.status("VmRSS:")
    }

    pub fn peak_mib(&self) -> f64 {
        self.status("VmHWM:")
    }

    fn status(&self, name: &str) -> f64 {
        let status = std::fs::read_to_string(self.folder.join("status")).unwrap_or_default();
        let kib =
            status.lines().find_map(|line| line.strip_prefix(name)?.split_whitespace().next()?.parse::<f64>().ok());
        kib.unwrap_or_default() / 1024.0
    }

    /// Returns how many bytes the daemon has written to disk so far.
    pub fn written(&self) -> anyhow::Result<u64> {
        let io = std::fs::read_to_string(self.folder.join("io"))?;
        let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        Ok(bytes.context("/proc does not say how many bytes were written")?.parse()?)
    }

    /// Waits until the daemon is at rest. Returns how long it has been at rest.
    pub fn wait_idle(&mut self) -> anyhow::Result<Duration> {
        let mut seen: Vec<(Instant, f64)> = Vec::new();
        loop {
            self.check_alive()?;
            let (now, cpu) = (Instant::now(), self.cpu()?);
            seen.push((now, cpu));
            if let Some((at, before)) = seen.iter().rev().find(|(at, _)| now - *at >= QUIET)
                && (cpu - before) / (now - *at).as_secs_f64() < RESTING
            {
                return Ok(now - *at);
            }
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Waits until a document contains `text`.
    pub fn wait_for(&self, path: &str, text: &str, port: u16) -> anyhow::Result<()> {
        let started = Instant::now();
        while !get(port, path)?.contains(text) {
            anyhow::ensure!(started.elapsed() < PATIENCE, "{path} has no {text}");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Stops the daemon with SIGTERM.
    pub fn stop(mut self) -> anyhow::Result<()> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM)?;
        let status = self.child.wait()?;
        anyhow::ensure!(status.success(), "the daemon ended with {status}");
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the whole answer to a request: status line, headers and body.
pub fn get(port: u16, path: &str) -> anyhow::Result<String> {
    let mut socket = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    socket.set_read_timeout(Some(Duration::from_secs(60)))?;
    write!(socket, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
