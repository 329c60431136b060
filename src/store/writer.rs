//! The only writer: a thread that owns the writing connection and commits several jobs together.
//!
//! Jobs that wait share one transaction. Each has its own savepoint, so that a job that fails does not affect the
//! others. The writer reports success only after the commit is on disk.

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

/// The most jobs per transaction. A commit takes as long as the work of a few polls, because it writes each page that
/// the jobs changed. The number is half of the number of documents that may be parsed but not yet written, so that
/// parsing continues during a commit.
const GROUP: usize = 64;

/// How long a group of jobs waits for the next job if the group before it had several jobs. Under load, jobs come
/// within this time, and a larger group writes fewer pages for each job.
const GATHER: Duration = Duration::from_millis(5);

/// How long a group waits for further jobs if all its jobs have [`Urgency::Later`]. Each commit writes whole pages. If
/// a poll without new entries had a commit of its own, it would write many times the size of its data.
const PATIENCE: Duration = Duration::from_millis(500);

/// Whether the caller of a job waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// The caller waits, so the job is committed within milliseconds.
    Now,
    /// The caller does not wait. The job may share a transaction with jobs that come within half a second.
    Later,
}

/// A job for the writer.
struct Job {
    work: JobStart,
    urgency: Urgency,
}

/// The function that does the work of a job. It receives an error if the transaction did not begin. It returns a
/// function that reports to the caller whether the commit succeeded.
type JobStart = Box<dyn FnOnce(Result<&View, &StoreError>) -> JobAnswer + Send>;
type JobAnswer = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;

/// A handle of the writer thread. Dropping it waits until all jobs that were sent are done.
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
    /// Returns the error of `work`, whose writes are then rolled back, or an error if the commit failed.
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
                // If the caller stopped waiting, the result is dropped, but the work is done.
                let _ = reply.send(result);
            })
        });
        // The thread runs as long as this handle exists. If it does not answer, it has panicked.
        let job = Job { work, urgency };
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Fault)?;
        answer.await.map_err(|_| StoreError::Fault)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, the callers of its jobs already have the error `Fault`.
            let _ = thread.join();
        }
    }
}

/// How long a group waits for its next job. `began` is how long ago the group began, `is_patient` whether all its jobs
/// have [`Urgency::Later`], and `previous` the number of jobs in the group before it.
///
/// After a group of one job, no caller works at the same time, so a wait would only delay this one. Jobs that came
/// during a commit are in the next group without a wait.
fn patience(began: Duration, is_patient: bool, previous: usize) -> Duration {
    match (is_patient, previous) {
        (true, _) => PATIENCE.saturating_sub(began),
        (false, 0 | 1) => Duration::ZERO,
        (false, _) => GATHER,
    }
}

fn work(view: &View, waiting: &Receiver<Job>, file: &StoreFile) {
    let connection = &view.connection;
    let mut previous = 0;
    while let Ok(first) = waiting.recv() {
        if let Err(error) = begin(connection, file) {
            // The waiting jobs would fail in the same way, each after another wait. Collect all of them before
            // answering one, because a job that a caller sends after an answer may succeed.
            let failed: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
            for job in failed {
                (job.work)(Err(&error))(Err(&error));
            }
            continue;
        }
        let (began, mut is_patient) = (Instant::now(), first.urgency == Urgency::Later);
        let mut answers = vec![(first.work)(Ok(view))];
        while answers.len() < GROUP {
            match waiting.recv_timeout(patience(began.elapsed(), is_patient, previous)) {
                Ok(job) => {
                    is_patient &= job.urgency == Urgency::Later;
                    answers.push((job.work)(Ok(view)));
                }
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        previous = answers.len();
        let committed = commit(connection, file);
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
    if file.is_damaged() {
        // Leave a damaged file unchanged: its write-ahead log may still be readable.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        return;
    }
    let _ = connection.execute_batch("PRAGMA optimize");
    // After this, the database file alone has all data.
    let _ = empty_log(connection);
}

/// Writes the write-ahead log into the file that was opened, even if that file has been moved.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
}

fn begin(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    file.writable().inspect_err(|error| {
        if matches!(error, StoreError::Replaced(_)) {
            // Empty the log. Otherwise a program that opens the other file would apply this log to it, even after a
            // crash.
            let _ = empty_log(connection);
        }
    })?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| file.explain(error.into()))
}

fn commit(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    let commit = || connection.execute_batch("COMMIT").map_err(|error| StoreError::Commit(error.to_string()));
    file.writable().and_then(|()| commit()).inspect_err(|_| {
        // This ends the transaction, unless the failed commit has already ended it.
        let _ = connection.execute_batch("ROLLBACK");
    })
}

fn in_savepoint<T>(view: &View, work: impl FnOnce(&View) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let connection = &view.connection;
    connection.execute_batch("SAVEPOINT job")?;
    // A panic in one job must not end the writer, because every feed depends on the writer.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(view)));
    let result = result.unwrap_or(Err(StoreError::Fault));
    let ended = connection.execute_batch(if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" });
    match result {
        // If the disk is full, SQLite has already ended the transaction and all its savepoints. The commit then fails,
        // and the other jobs get its error.
        Err(error) if error.affects_all() => Err(error),
        result => ended.map_err(StoreError::from).and(result),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_group_after_a_group_of_several_jobs_waits_for_a_caller() {
        assert_eq!(patience(Duration::ZERO, false, 0), Duration::ZERO);
        assert_eq!(patience(Duration::ZERO, false, 1), Duration::ZERO);
        assert_eq!(patience(Duration::ZERO, false, 2), GATHER);
    }

    #[test]
    fn jobs_that_may_come_later_wait_until_half_a_second_after_the_first() {
        assert_eq!(patience(Duration::ZERO, true, 1), PATIENCE);
        assert_eq!(patience(Duration::from_millis(499), true, 1), Duration::from_millis(1));
        assert_eq!(patience(Duration::from_secs(1), true, 1), Duration::ZERO);
    }
}
