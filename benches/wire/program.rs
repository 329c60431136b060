//! Runs a program to its end and measures it: wall time, processor time, and peak memory.

use std::io;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The time between two readings of a running program's memory. The system tracks the peak itself, so only a peak at
/// the very end can be missed.
const LOOK: Duration = Duration::from_millis(2);

/// `USER_HZ` of Linux, the unit of processor time in `/proc`.
const TICKS_PER_SECOND: f64 = 100.0;

/// The cost of one run.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    pub wall: f64,
    /// User and system time, in seconds.
    pub cpu: f64,
    /// Resident memory at its peak.
    pub peak_mib: f64,
}

/// Runs a program; returns what it cost and what it printed.
///
/// # Errors
///
/// If the program cannot be started or fails.
pub fn run(command: &mut Command) -> io::Result<(Cost, String)> {
    let before = children_cpu()?;
    let started = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().expect("it is piped");
    let reading = std::thread::spawn(move || io::read_to_string(&mut stdout));
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = peak_kib.max(resident_peak_kib(&child));
        match child.try_wait()? {
            Some(status) => break status,
            None => std::thread::sleep(LOOK),
        }
    };
    let wall = started.elapsed().as_secs_f64();
    let printed = reading.join().map_err(|_| io::Error::other("its output could not be read"))??;
    if !status.success() {
        return Err(io::Error::other(format!("{} ended with {status}", command.get_program().display())));
    }
    Ok((Cost { wall, cpu: children_cpu()? - before, peak_mib: peak_kib as f64 / 1024.0 }, printed))
}

/// Returns the peak of resident memory (`VmHWM`); 0 once the program has ended.
fn resident_peak_kib(child: &Child) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Returns the processor time of all child processes that this process has waited for, in seconds.
fn children_cpu() -> io::Result<f64> {
    ticks(Path::new("/proc/self"), 15)
}

/// Returns the processor time, in seconds, of a process or thread, by its folder in `/proc`.
pub fn cpu(folder: &Path) -> io::Result<f64> {
    ticks(folder, 13)
}

/// Returns the sum of user and system time: `field` and the next field of `stat`, counted from 0.
fn ticks(folder: &Path, field: usize) -> io::Result<f64> {
    let stat = std::fs::read_to_string(folder.join("stat"))?;
    // The program's name, in parentheses, may contain spaces.
    let fields = stat.rsplit_once(") ").map_or("", |(_, fields)| fields).split(' ');
    let ticks: u64 = fields.skip(field - 2).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Ok(ticks as f64 / TICKS_PER_SECOND)
}
