//! The one writer: a thread that owns the writing connection and commits in groups.
//!
//! Jobs that wait are done in one transaction, each in a savepoint of its own, so that one that fails takes no other with
//! it. Nobody hears of success before the commit is on disk.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use tokio::sync::oneshot;

use super::file::StoreFile;
use super::{StoreError, View};

/// How many jobs one transaction takes at most. A commit costs as much as the work of some polls, as it writes each page that
/// they touched; half of what may be read and unwritten, so that reading goes on meanwhile.
const GROUP: usize = 32;

/// How long a group waits for the next job: what grouping costs a lone poll.
const GATHER: Duration = Duration::from_millis(5);

/// Does the work, or hears why its transaction did not begin; returns what tells its owner how the commit went.
type Job = Box<dyn FnOnce(Result<&View, &StoreError>) -> JobAnswer + Send>;
type JobAnswer = Box<dyn FnOnce(Result<(), &StoreError>) + Send>;

/// A handle of the writing thread; dropping it waits for the jobs that were sent.
pub struct Writer {
    jobs: Option<Sender<Job>>,
    file: Arc<StoreFile>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn start(connection: Connection, file: Arc<StoreFile>) -> Writer {
        let (jobs, waiting) = channel();
        let of = file.clone();
        let view = View { connection };
        let thread =
            std::thread::Builder::new().name("store-writer".to_owned()).spawn(move || work(&view, &waiting, &of));
        Writer { jobs: Some(jobs), file, thread: Some(thread.expect("the system can start one thread")) }
    }

    /// Does `work` in the next transaction.
    ///
    /// # Errors
    ///
    /// What `work` gives (nothing of it is kept then), or that the commit failed.
    pub async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&View) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        let file = self.file.clone();
        let job: Job = Box::new(move |begun| {
            let result = begun.map_err(StoreError::again).and_then(|view| in_savepoint(view, work));
            let result = result.map_err(|error| file.explain(error));
            Box::new(move |committed| {
                let result = result.and_then(|value| committed.map(|()| value).map_err(StoreError::again));
                // Whoever asked may have gone away meanwhile; the work is done all the same.
                let _ = reply.send(result);
            })
        });
        // The thread lives for as long as this handle does: without an answer it has met a fault.
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or(StoreError::Fault)?;
        answer.await.map_err(|_| StoreError::Fault)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A writer that panicked has nothing left to say; its jobs were answered with `Fault`.
            let _ = thread.join();
        }
    }
}

fn work(view: &View, waiting: &Receiver<Job>, file: &StoreFile) {
    let connection = &view.connection;
    while let Ok(first) = waiting.recv() {
        if let Err(error) = begin(connection, file) {
            // Those that wait now would meet the same, and each after a wait of its own. They are collected before anyone
            // is answered: a job that comes after an answer may well succeed.
            let failed: Vec<Job> = std::iter::once(first).chain(waiting.try_iter()).collect();
            for job in failed {
                job(Err(&error))(Err(&error));
            }
            continue;
        }
        let mut answers = vec![first(Ok(view))];
        while answers.len() < GROUP {
            match waiting.recv_timeout(GATHER) {
                Ok(job) => answers.push(job(Ok(view))),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break,
            }
        }
        let committed = commit(connection, file);
        for answer in answers {
            answer(committed.as_ref().copied());
        }
    }
    if file.is_damaged() {
        // A damaged file stays as it is: what is in the log may still be read.
        let _ = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true);
        return;
    }
    let _ = connection.execute_batch("PRAGMA optimize");
    // A copy of the file alone is whole then.
    let _ = empty_log(connection);
}

/// Brings the log into the file that was opened, wherever that is now.
fn empty_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")
}

fn begin(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    file.writable().inspect_err(|error| {
        if matches!(error, StoreError::Replaced(_)) {
            // Whoever opens the other file would read this log together with it, also after a crash.
            let _ = empty_log(connection);
        }
    })?;
    connection.execute_batch("BEGIN IMMEDIATE").map_err(|error| file.explain(error.into()))
}

fn commit(connection: &Connection, file: &StoreFile) -> Result<(), StoreError> {
    let commit = || connection.execute_batch("COMMIT").map_err(|error| StoreError::Commit(error.to_string()));
    file.writable().and_then(|()| commit()).inspect_err(|_| {
        // Ends the transaction; where the failed commit left none, there is nothing to do.
        let _ = connection.execute_batch("ROLLBACK");
    })
}

fn in_savepoint<T>(view: &View, work: impl FnOnce(&View) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let connection = &view.connection;
    connection.execute_batch("SAVEPOINT job")?;
    // A fault in one job must not end the writer, on which every feed depends.
    let result = std::panic::catch_unwind(AssertUnwindSafe(|| work(view)));
    let result = result.unwrap_or(Err(StoreError::Fault));
    let ended = connection.execute_batch(if result.is_ok() { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" });
    match result {
        // On a full disk SQLite has ended the transaction with all its savepoints; the commit will say so to the others.
        Err(error) if error.concerns_all() => Err(error),
        result => ended.map_err(StoreError::from).and(result),
    }
}
