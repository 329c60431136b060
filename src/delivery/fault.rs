//! Why a message was not accepted.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::duration;
use crate::feed::{AddressRange, Failure, FailureKind};
use crate::fetch::PostAnswer;
use crate::foreign::Line;
use crate::rows::HookRecord;
use crate::time::Timestamp;

/// Why a receiver did not accept a message. It is displayed as one sentence, which contains no path or query of an
/// address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryFault {
    /// The message could not be posted.
    Unsent(Failure),
    /// The receiver answered with another status than 2xx.
    Status {
        /// The HTTP status.
        status: u16,
        /// How long the receiver asks to wait.
        retry_after: Option<Duration>,
    },
    /// The receiver redirects.
    Redirect {
        /// The HTTP status.
        status: u16,
    },
    /// The receiver wants no more messages (410).
    Gone,
    /// There is no such program in an allowed folder.
    NoProgram {
        /// The first place where it was looked for.
        path: PathBuf,
    },
    /// Others than root and newswire's own user could change what is run.
    Unsafe {
        /// The program, its folder, or the config.
        path: PathBuf,
    },
    /// The program could not be started.
    Unstarted {
        /// The system's message.
        why: Line,
    },
    /// The program did not end in time, and was killed.
    Late {
        /// The time limit.
        after: Duration,
    },
    /// The program ended with an exit code other than 0.
    Exit {
        /// The code; `None` if a signal ended the program.
        code: Option<i32>,
        /// The first line that it wrote to its standard error.
        said: Line,
    },
    /// The message could not be made from what the store has.
    Unreadable {
        /// The error of the store.
        why: Line,
    },
    /// newswire is stopping.
    Stopped,
}

impl DeliveryFault {
    /// Returns whether an answer accepts the message.
    pub(super) fn of_answer(answer: PostAnswer) -> Result<(), DeliveryFault> {
        let PostAnswer { status, retry_after } = answer;
        match status {
            200..=299 => Ok(()),
            300..=399 => Err(DeliveryFault::Redirect { status }),
            410 => Err(DeliveryFault::Gone),
            _ => Err(DeliveryFault::Status { status, retry_after }),
        }
    }

    /// Returns how long the receiver asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            DeliveryFault::Status { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// Returns the record of a hook after this failure.
    pub(super) fn recorded(&self, before: HookRecord, now: Timestamp) -> HookRecord {
        HookRecord {
            gone: matches!(self, DeliveryFault::Gone).then_some(now),
            tried: Some(now),
            failures: before.failures.saturating_add(1),
            failing_since: before.failing_since.or(Some(now)),
            failure: Some(self.kind()),
            failure_status: self.status(),
            given_up: before.given_up,
        }
    }

    /// Returns a sentence about the last failure of a hook from what is stored of it; `None` if nothing failed.
    pub fn words(record: &HookRecord) -> Option<String> {
        let status = record.failure_status.and_then(|status| u16::try_from(status).ok());
        let fault = match (record.failure?, status) {
            (FailureKind::Status, Some(status)) => DeliveryFault::Status { status, retry_after: None },
            (FailureKind::Redirect, Some(status)) => DeliveryFault::Redirect { status },
            (FailureKind::Gone, _) => DeliveryFault::Gone,
            (FailureKind::Other, Some(code)) => {
                DeliveryFault::Exit { code: Some(code.into()), said: Line::from(String::new()) }
            }
            (kind, _) => return Some(format!("{}; see the log", kind.words())),
        };
        Some(fault.to_string())
    }

    fn kind(&self) -> FailureKind {
        match self {
            DeliveryFault::Unsent(failure) => failure.kind(),
            DeliveryFault::Status { .. } => FailureKind::Status,
            DeliveryFault::Redirect { .. } => FailureKind::Redirect,
            DeliveryFault::Gone => FailureKind::Gone,
            DeliveryFault::NoProgram { .. } | DeliveryFault::Unstarted { .. } => FailureKind::File,
            DeliveryFault::Unsafe { .. } => FailureKind::Setting,
            DeliveryFault::Late { .. } => FailureKind::Timeout,
            DeliveryFault::Unreadable { .. } => FailureKind::Fault,
            DeliveryFault::Exit { .. } | DeliveryFault::Stopped => FailureKind::Other,
        }
    }

    fn status(&self) -> Option<i64> {
        match self {
            DeliveryFault::Status { status, .. } | DeliveryFault::Redirect { status } => Some(i64::from(*status)),
            DeliveryFault::Gone => Some(410),
            DeliveryFault::Exit { code, .. } => code.map(i64::from),
            _ => None,
        }
    }
}

impl fmt::Display for DeliveryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // The hints of these two are about feeds.
            DeliveryFault::Unsent(Failure::Address { host, address, port, range }) => {
                let allow = SocketAddr::new(*address, *port);
                let what = match range {
                    AddressRange::OtherPort => format!("port {port} of {host} ({address}) is not allowed"),
                    _ => format!("{host} ({address}) is not a public address ({range})"),
                };
                write!(f, "{what}; to permit it, add allow = [\"{allow}\"] to the hook")
            }
            DeliveryFault::Unsent(Failure::Port { host, port }) => write!(
                f,
                "port {port} of {host} is not a web port; to permit it, add allow = [\"{host}:{port}\"] to the hook"
            ),
            DeliveryFault::Unsent(failure) => failure.fmt(f),
            DeliveryFault::Status { status, .. } => Failure::Status { status: *status }.fmt(f),
            DeliveryFault::Redirect { status } => write!(
                f,
                "the receiver redirects ({status}), and hooks follow no redirects; set url to the final address"
            ),
            DeliveryFault::Gone => f.write_str("the receiver wants no more messages (410)"),
            DeliveryFault::NoProgram { path } => {
                write!(f, "none of the folders in `allow` of [commands] has the program {}", path.display())
            }
            DeliveryFault::Unsafe { path } => write!(
                f,
                "{} can be changed by other users, so the program is not run; run chmod go-w on it, and check its owner",
                path.display()
            ),
            DeliveryFault::Unstarted { why } => write!(f, "the program could not be started: {why}"),
            DeliveryFault::Late { after } => {
                write!(f, "the program did not end within {}, and was killed", duration::words(*after))
            }
            DeliveryFault::Exit { code, said } => {
                match code {
                    Some(code) => write!(f, "the program ended with exit code {code}")?,
                    None => f.write_str("a signal ended the program")?,
                }
                if said.as_str().is_empty() { Ok(()) } else { write!(f, ": {said}") }
            }
            DeliveryFault::Unreadable { why } => write!(f, "the message could not be made: {why}"),
            DeliveryFault::Stopped => f.write_str("newswire is stopping"),
        }
    }
}
