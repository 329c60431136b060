//! Runs the programs of hooks.
//!
//! The policy held here: a program runs only from an allowed folder, and only if no other user could have changed it,
//! its folder, or the config that names it. There is no shell, and nothing of a message is in the arguments. A program
//! sees a few harmless variables of the environment, not the secrets of newswire. It has a limited time and memory, and
//! its process group ends with it.

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Resource, Rlimit, Signal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use super::DeliveryFault;
use crate::config::{Commands, HookCommand};
use crate::foreign::Line;

/// How long a program may run. Sending a mail takes seconds.
const TIMEOUT: Duration = Duration::from_secs(60);

/// How long to wait for the rest of the standard error of a program that has ended. A process that it left behind may
/// keep it open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// How much of the standard error is read.
const MAX_SAID_BYTES: u64 = 4096;

/// The variables of the environment that a program gets.
const VARIABLES: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// The hidden command by which newswire runs a program with limited memory; see [`exec_limited`].
pub const RUN_LIMITED: &str = "run-limited";

/// Runs a program with the message on its standard input. Exit code 0 accepts the message.
///
/// # Errors
///
/// Says why the message was not accepted.
pub(super) async fn run(
    command: &HookCommand,
    commands: &Commands,
    id: &str,
    body: Bytes,
) -> Result<(), DeliveryFault> {
    let program = found(command, commands)?;
    let unstarted = |error: io::Error| DeliveryFault::Unstarted { why: Line::from(error.to_string()) };
    let ourselves = std::env::current_exe().map_err(unstarted)?;
    let mut process = Command::new(ourselves);
    process.arg(RUN_LIMITED).arg(commands.memory_bytes.to_string()).arg(&program).args(&command.arguments);
    process.env_clear().envs(environment()).env("WEBHOOK_ID", id);
    process.current_dir(program.parent().unwrap_or(Path::new("/")));
    process.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    process.process_group(0).kill_on_drop(true);
    let child = process.spawn().map_err(unstarted)?;
    let group = Group(child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw));
    let ended = tokio::time::timeout(TIMEOUT, watched(child, &body)).await;
    drop(group);
    match ended {
        Err(_) => Err(DeliveryFault::Late { after: TIMEOUT }),
        Ok(Err(error)) => Err(unstarted(error)),
        Ok(Ok((Some(0), _))) => Ok(()),
        Ok(Ok((code, said))) => Err(DeliveryFault::Exit { code, said }),
    }
}

/// The process group of a program. All processes of the group end when this is dropped, also if no task awaits the
/// program any more.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // The group may have ended already.
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
    }
}

/// Gives a program its input, and waits for its end. Returns its exit code and the first line of its standard error.
async fn watched(mut child: Child, body: &[u8]) -> io::Result<(Option<i32>, Line)> {
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    let mut said = Vec::new();
    let status = {
        let write = async {
            if let Some(mut stdin) = stdin {
                // A program need not read all of it.
                let _ = stdin.write_all(body).await;
            }
        };
        let read = async {
            if let Some(mut stderr) = stderr {
                let _ = (&mut stderr).take(MAX_SAID_BYTES).read_to_end(&mut said).await;
                let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
            }
        };
        let mut talk = std::pin::pin!(async { tokio::join!(write, read) });
        tokio::select! {
            status = child.wait() => {
                let _ = tokio::time::timeout(LAST_WORDS, &mut talk).await;
                status?
            }
            _ = &mut talk => child.wait().await?,
        }
    };
    let said = String::from_utf8_lossy(&said);
    Ok((status.code(), Line::from(said.lines().next().unwrap_or_default())))
}

fn environment() -> impl Iterator<Item = (&'static str, OsString)> {
    VARIABLES.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)))
}

/// Returns the real path of a program, if it may be run.
fn found(command: &HookCommand, commands: &Commands) -> Result<PathBuf, DeliveryFault> {
    let first = || command.candidates.first().cloned().unwrap_or_default();
    let candidate = command.candidates.iter().find_map(|path| path.canonicalize().ok().filter(|path| path.is_file()));
    let program = candidate.ok_or_else(|| DeliveryFault::NoProgram { path: first() })?;
    let folders = commands.allow.iter().filter_map(|folder| folder.canonicalize().ok());
    if !folders.into_iter().any(|folder| program.starts_with(folder)) {
        return Err(DeliveryFault::NoProgram { path: first() });
    }
    let folder = program.parent().unwrap_or(Path::new("/"));
    for path in [&program, folder, &command.config_file] {
        if !is_safe(path) {
            return Err(DeliveryFault::Unsafe { path: path.to_owned() });
        }
    }
    Ok(program)
}

/// Whether only root or newswire's own user can change a file or folder.
fn is_safe(path: &Path) -> bool {
    let own = rustix::process::geteuid().as_raw();
    let by_others = 0o022;
    path.metadata().is_ok_and(|found| [0, own].contains(&found.uid()) && found.mode() & by_others == 0)
}

/// Replaces this process by a program whose memory is limited. Returns only if that fails.
pub fn exec_limited(memory_bytes: u64, program: &Path, arguments: &[OsString]) -> io::Error {
    let limit = Rlimit { current: Some(memory_bytes), maximum: Some(memory_bytes) };
    if let Err(error) = rustix::process::setrlimit(Resource::As, limit) {
        return error.into();
    }
    std::process::Command::new(program).args(arguments).exec()
}
