//! The one writer: a thread that owns the writing connection and commits in groups.
//!
//! Jobs that wait are done in one transaction, each in a savepoint of its own, so that one that fails takes no other with
//! it. Nobody hears of success before the commit is on disk.

use std::panic::AssertUnwindSafe;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// How many jobs one transaction takes at most. A commit costs as much as the work of some polls, as it writes each page that
/// they touched; half of what may be read and unwritten, so that reading goes on meanwhile.
const GROUP: usize = 32;

/// How long a group waits for the next job: what grouping costs a lone poll.
const GATHER: Duration = Duration::from_millis(5);

/// Does the work, and returns what tells its owner how the commit went.
type Job = Box<dyn FnOnce(&Connection) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), &str>) + Send>;

/// A handle of the writing thread; dropping it waits for the jobs that were sent.
pub struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection) -> Writer {
        let (jobs, waiting) = channel();
        let thread =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || work(&connection, &waiting));
        Writer { jobs: Some(jobs), thread: Some(thread.expect("the system can start one thread")) }
    }

    /// Does `work` in the next transaction.
    ///
    /// # Errors
    ///
    /// What `work` gives (nothing of it is kept then), or that the commit failed.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            let result = in_savepoint(connection, work);
            Box::new(move |committed| {
                let result =
                    result.and_then(|value| committed.map(|()| value).map_err(|e| StoreError::Commit(e.to_owned())));
                // Whoever asked may have gone away meanwhile; the work is done all the same.
                let _ = reply.send(result);
            })
        });
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to say; its jobs were answered with `Closed`.
            let _ = thread.join();
        }
    }
}

fn work(connection: &Connection, waiting: &Receiver<Job>) {
    while let Ok(first) = waiting.recv() {
        let mut answers = Vec::new();
        let committed = transaction(connection, || {
            answers.push(first(connection));
            while answers.len() < GROUP {
                match waiting.recv_timeout(GATHER) {
                    Ok(job) => answers.push(job(connection)),
                    Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
                }
            }
        });
        let committed = committed.map_err(|error| error.to_string());
        for answer in answers {
            answer(committed.as_ref().copied().map_err(String::as_str));
        }
    }
    // The log is brought into the file, so that a copy of the file alone is whole.
    let _ = connection.execute_batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
}

fn transaction(connection: &Connection, work: impl FnOnce()) -> rusqlite::Result<()> {
    connection.execute_batch("BEGIN IMMEDIATE")?;
    work();
    connection.execute_batch("COMMIT").inspect_err(|_| {
        // Ends a transaction that the failed commit left open; where it left none, there is nothing to do.
        let _ = connection.execute_batch("ROLLBACK");
    })
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    connection.execute_batch("SAVEPOINT job")?;
    // A fault in one job must not end the writer, on which every feed depends.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(connection)));
    let result = result.unwrap_or(Err(StoreError::Fault));
    let ended = connection.execute_batch(if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" });
    match result {
        // On a full disk SQLite has ended the transaction with all its savepoints; the commit will say so to the others.
        Err(error) if error.concerns_all() => Err(error),
        result => ended.map_err(StoreError::from).and(result),
    }
}
