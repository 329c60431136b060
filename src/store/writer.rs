//! The only writer: a thread that owns the writing connection and commits in groups.
//!
//! Waiting jobs share one transaction, each in its own savepoint, so that a job that fails does not affect the others.
//! Success is reported only after the commit is on disk.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use super::file::StoreFile;
use super::{StoreError, View};

/// The most jobs per transaction. A commit costs as much as the work of a few polls, because it writes each page that
/// they touched. This is half of what may be read but not written yet, so that reading continues meanwhile.
const GROUP: usize = 32;

/// How long a group waits for the next job: the cost of grouping for a single poll.
const GATHER: Duration = Duration::from_millis(5);

/// How long a group waits for the next job if all its jobs have [`Urgency::Later`]. Each commit writes whole pages, so
/// that a poll without news would write many times its own size.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the caller of a job waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The caller waits: the job is committed within milliseconds.
    Now,
    /// The caller does not wait: the job may share the transaction of jobs that come within half a second.
    Later,
}

/// Work for the writer.
struct Job {
    work: JobStart,
    urgency: Urgency,
}

/// Does the work, or receives the error if its transaction did not begin; returns a function that reports the commit to
/// the caller.
type JobStart = Box<dyn FnOnce(Result<&View, &StoreError>) -> JobAnswer + Send>;
type JobAnswer = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;

/// A handle of the writer thread; dropping it waits for the jobs that were sent.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    file: Arc<StoreFile>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the writer thread.
    pub(super) fn start(connection: Connection, file: Arc<StoreFile>) -> Writer {
        let (jobs, waiting) = channel();
        let of = file.clone();
        let view = View { connection };
        let thread =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || work(&view, &waiting, &of));
        Writer { jobs: Some(jobs), file, thread: Some(thread.expect("the system can start one thread")) }
    }

    /// Runs `work` in the next transaction.
    ///
    /// # Errors
    ///
    /// Returns the error of `work`, whose writes are rolled back then, or an error if the commit failed.
    pub(super) async fn write<T: Send + 'static>(
        &self,
        urgency: Urgency,
        work: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let file = self.file.clone();
        let work: JobStart = Box::new(move |begun| {
            let result = begun.map_err(StoreError::again).and_then(|view| in_savepoint(view, work));
            let result = result.map_err(|error| file.explain(error));
            Box::new(move |committed| {
                let result = result.and_then(|value| committed.map(|()| value).map_err(StoreError::again));
                // The caller may have gone meanwhile; the work is done all the same.
                let _ = reply.send(result);
            })
        });
        // The thread lives as long as this handle: if it does not answer, it has panicked.
        let job = Job { work, urgency };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Fault)?;
        answer.await.map_err(|_| StoreError::Fault)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // If the writer panicked, its jobs have already been answered with `Fault`.
            let _ = thread.join();
        }
    }
}

fn work(view: &View, waiting: &Receiver<Job>, file: &StoreFile) {
    let connection = &view.connection;
    while let Ok(first) = waiting.recv() {
        if let Err(error) = begin(connection, file) {
            // The waiting jobs would fail the same way, each after a wait of its own. Collect them before answering
            // any: a job that is sent after an answer may well succeed.
            let failed: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
            for job in failed {
                (job.work)(Err(&error))(Err(&error));
            }
            continue;
        }
        let (began, mut is_patient) = (Instant::now(), first.urgency == Urgency::Later);
        let mut answers = vec![(first.work)(Ok(view))];
        while answers.len() < GROUP {
            let wait = if is_patient { PATIENCE.saturating_sub(began.elapsed()) } else { GATHER };
            match waiting.recv_timeout(wait) {
                Ok(job) => {
                    is_patient &= job.urgency == Urgency::Later;
                    answers.push((job.work)(Ok(view)));
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let committed = commit(connection, file);
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
    if file.is_damaged() {
        // Leave a damaged file as it is: the log may still be readable.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        return;
    }
    let _ = connection.execute_batch("PRAGMA optimize");
    // After this, a copy of the file alone is complete.
    let _ = empty_log(connection);
}

/// Writes the log into the file that was opened, even if it has been moved.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
}

fn begin(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    file.writable().inspect_err(|error| {
        if matches!(error, StoreError::Replaced(_)) {
            // A program that opens the other file would read this log together with it, even after a crash.
            let _ = empty_log(connection);
        }
    })?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| file.explain(error.into()))
}

fn commit(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    let commit = || connection.execute_batch("COMMIT").map_err(|error| StoreError::Commit(error.to_string()));
    file.writable().and_then(|()| commit()).inspect_err(|_| {
        // Ends the transaction; if the failed commit already ended it, this does nothing.
        let _ = connection.execute_batch("ROLLBACK");
    })
}

fn in_savepoint<T>(view: &View, work: impl FnOnce(&View) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let connection = &view.connection;
    connection.execute_batch("SAVEPOINT job")?;
    // A bug in one job must not end the writer, because every feed depends on it.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(view)));
    let result = result.unwrap_or(Err(StoreError::Fault));
    let ended = connection.execute_batch(if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" });
    match result {
        // On a full disk, SQLite has ended the transaction with all savepoints; the failed commit will tell the other
        // jobs.
        Err(error) if error.affects_all() => Err(error),
        result => ended.map_err(StoreError::from).and(result),
    }
}
