//! Delivers messages to hooks: posts them to an address, or gives them to a program.
//!
//! The policy held here: a message is sent at least once, and never again after the receiver accepted it. Each hook has
//! a task of its own that sends one message at a time, so a hook that hangs delays neither polls nor other hooks.
//! Messages are read from the store one by one, and are made when they are sent: a message shows a story as its section
//! shows it then, and nothing is sent of a story that has left the section. [`newsroom`](crate::newsroom) decides what
//! hooks are notified of, [`retry`] when to try again. This follows Standard Webhooks (standardwebhooks.com).

mod fault;
mod message;
mod program;
mod signature;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;

use crate::clock::{self, Clock};
use crate::commit::ActiveConfig;
use crate::config::{Config, Hook, HookTarget};
use crate::fetch::Fetcher;
use crate::hook::HookId;
use crate::number::MessageNumber;
use crate::rows::{HookRecord, HookRow, MessageRow};
use crate::schedule::retry;
use crate::store::{Store, StoreError};
use crate::time::Timestamp;

pub use fault::DeliveryFault;
pub use program::{RUN_LIMITED, exec_limited};

/// How long a task waits at most before it looks at the queue again. The clock may have been set meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// How long to wait after a failure of the store, such as a full disk.
const STORE_RETRY: Duration = Duration::from_secs(5);

/// How long shutdown waits for messages that are being sent. One that is not answered by then is sent again later.
const GRACE: Duration = Duration::from_secs(2);

/// Sends the messages of hooks. Cheap to clone.
#[derive(Clone)]
pub struct Delivery {
    store: Store,
    fetcher: Fetcher,
    clock: Clock,
    /// The programs that may run at the same time.
    programs: Arc<Semaphore>,
    /// Messages that were accepted, but that the store could not delete yet, for example because the disk was full.
    accepted: Arc<Mutex<HashSet<MessageNumber>>>,
}

/// What a pass over the queue of a hook did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HookPass {
    /// How many messages the receiver accepted.
    pub delivered: usize,
    /// How many attempts failed.
    pub failed: usize,
    /// How many messages were given up.
    pub given_up: u64,
    /// When to look at the queue again; `None` if no message waits.
    pub next: Option<Timestamp>,
}

/// What the queue of a hook has.
enum Due {
    /// A message, and what to send: its id, and its body. `None` if there is nothing to tell any more.
    Message(HookRow, Box<MessageRow>, Option<(String, Bytes)>),
    /// A message that cannot be made, and why.
    Unreadable(HookRow, Box<MessageRow>, String),
    /// Messages that are too old.
    Expired(HookRow),
    /// No message until this time; `None` if none waits.
    Nothing(Option<Timestamp>),
}

impl Delivery {
    /// Creates a delivery.
    pub fn new(store: Store, fetcher: Fetcher, config: &Config) -> Delivery {
        let programs = Arc::new(Semaphore::new(config.commands.concurrency));
        Delivery { store, fetcher, clock: Arc::new(clock::now), programs, accepted: Arc::default() }
    }

    /// Returns the delivery with another clock.
    pub fn with_clock(self, clock: Clock) -> Delivery {
        Delivery { clock, ..self }
    }

    /// Sends the messages of all hooks, until `shutdown`. Looks at the queues at each change of `woken`.
    pub async fn run(
        mut self,
        active: ActiveConfig,
        mut configs: watch::Receiver<Arc<Config>>,
        woken: watch::Receiver<()>,
        shutdown: CancellationToken,
    ) {
        while !shutdown.is_cancelled() {
            let config = configs.borrow_and_update().clone();
            self.programs = Arc::new(Semaphore::new(config.commands.concurrency));
            let stop = CancellationToken::new();
            let serve = |hook: &Arc<Hook>| self.serve(active.clone(), hook.id.clone(), woken.clone(), stop.clone());
            let mut serving = std::pin::pin!(join_all(config.hooks.iter().map(serve)));
            tokio::select! {
                () = shutdown.cancelled() => {}
                _ = &mut serving, if !config.hooks.is_empty() => {}
                Ok(()) = configs.changed() => {}
            }
            // Let messages that are being sent end, so that they are not sent twice.
            stop.cancel();
            tokio::select! {
                _ = &mut serving => {}
                () = shutdown.cancelled() => drop(tokio::time::timeout(GRACE, &mut serving).await),
            }
        }
    }

    /// Sends the messages of one hook until `stop`.
    async fn serve(&self, active: ActiveConfig, hook: HookId, mut woken: watch::Receiver<()>, stop: CancellationToken) {
        // Log a lasting failure once.
        let mut failing = None;
        while !stop.is_cancelled() {
            woken.mark_unchanged();
            let passed = self.pass_until(&active.current(), &hook, &stop).await;
            let error = passed.as_ref().err().map(StoreError::to_string);
            let wait = match passed {
                Ok(pass) => pass.next.map_or(LONGEST_WAIT, |next| next.since((self.clock)()).min(LONGEST_WAIT)),
                Err(error_of_store) => {
                    if error != failing {
                        tracing::error!(%hook, error = %error_of_store, "cannot read the messages of a hook; retrying");
                    }
                    STORE_RETRY
                }
            };
            failing = error;
            tokio::select! {
                () = stop.cancelled() => {}
                Ok(()) = woken.changed() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends the messages of a hook that are due, one after another, until one fails.
    ///
    /// # Errors
    ///
    /// Returns the errors of the store.
    pub async fn pass(&self, config: &Arc<Config>, hook: &HookId) -> Result<HookPass, StoreError> {
        self.pass_until(config, hook, &CancellationToken::new()).await
    }

    async fn pass_until(
        &self,
        config: &Arc<Config>,
        hook: &HookId,
        stop: &CancellationToken,
    ) -> Result<HookPass, StoreError> {
        let mut pass = HookPass::default();
        let Some(hook) = config.hooks.iter().find(|other| other.id == *hook) else { return Ok(pass) };
        while !stop.is_cancelled() {
            let now = (self.clock)();
            match self.due(config, hook, now).await? {
                Due::Nothing(next) => {
                    pass.next = next;
                    break;
                }
                Due::Expired(row) => pass.given_up += self.expire(hook, row, now).await?,
                Due::Message(_, message, None) => {
                    self.store.turn(move |turn| turn.forget_message(message.number)).await?;
                }
                Due::Message(row, message, Some((id, body))) => {
                    let is_accepted = self.accepted().contains(&message.number);
                    let sent = if is_accepted { Ok(()) } else { self.send(config, hook, &id, body, now).await };
                    self.record(hook, row, *message, sent, &mut pass).await?;
                }
                Due::Unreadable(row, message, why) => {
                    let fault = DeliveryFault::Unreadable { why: why.into() };
                    self.record(hook, row, *message, Err(fault), &mut pass).await?;
                }
            }
        }
        Ok(pass)
    }

    /// Loads the next message of a hook, and makes what to send.
    async fn due(&self, config: &Arc<Config>, hook: &Arc<Hook>, now: Timestamp) -> Result<Due, StoreError> {
        let (config, hook) = (config.clone(), hook.clone());
        let reading = self.store.read(move |reader| {
            let Some(row) = reader.hook(&hook.id)?.filter(|row| row.record.gone.is_none()) else {
                return Ok(Due::Nothing(None));
            };
            let record = &row.record;
            let resumes = record.tried.map(|tried| tried + retry::pause(record.failures));
            // A time after now that is farther away than the longest pause was written by a wrong clock.
            if let Some(resumes) = resumes.filter(|resumes| *resumes > now && record.tried <= Some(now)) {
                let due = reader.next_due(row.number)?;
                return Ok(Due::Nothing(due.map(|due| due.max(resumes))));
            }
            let Some(message) = reader.due_message(row.number, now)? else {
                return Ok(Due::Nothing(reader.next_due(row.number)?));
            };
            if message.at + hook.max_age < now {
                return Ok(Due::Expired(row));
            }
            let body = match message::body(reader, &config, &message) {
                Ok(body) => body,
                Err(error) if error.affects_all() => return Err(error),
                Err(error) => return Ok(Due::Unreadable(row, Box::new(message), error.to_string())),
            };
            let id = signature::message_id(&reader.key()?, &message);
            Ok(Due::Message(row, Box::new(message), body.map(|body| (id, body))))
        });
        reading.await
    }

    /// Sends one message.
    async fn send(
        &self,
        config: &Config,
        hook: &Hook,
        id: &str,
        body: Bytes,
        now: Timestamp,
    ) -> Result<(), DeliveryFault> {
        match &hook.target {
            HookTarget::Url { url, secret, allow } => {
                let headers = signature::headers(id, now, &body, secret.as_ref());
                let answer = self.fetcher.post_json(url, allow, &headers, body).await;
                DeliveryFault::of_answer(answer.map_err(DeliveryFault::Unsent)?)
            }
            HookTarget::Command(command) => {
                let _turn = self.programs.acquire().await.map_err(|_| DeliveryFault::Stopped)?;
                program::run(command, &config.commands, id, body).await
            }
        }
    }

    fn accepted(&self) -> MutexGuard<'_, HashSet<MessageNumber>> {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives up the messages of a hook that are too old.
    async fn expire(&self, hook: &Hook, row: HookRow, now: Timestamp) -> Result<u64, StoreError> {
        let oldest = now - hook.max_age;
        let expiring = self.store.turn(move |turn| {
            let given_up = turn.forget_messages_before(row.number, oldest)?;
            let record = HookRecord { given_up: row.record.given_up + given_up, ..row.record };
            turn.write_hook_record(row.number, &record)?;
            Ok(given_up)
        });
        let given_up = expiring.await?;
        tracing::warn!(hook = %hook.id, messages = given_up, "messages of a hook given up, because they are too old");
        Ok(given_up)
    }

    /// Writes how an attempt ended.
    async fn record(
        &self,
        hook: &Hook,
        row: HookRow,
        message: MessageRow,
        sent: Result<(), DeliveryFault>,
        pass: &mut HookPass,
    ) -> Result<(), StoreError> {
        let now = (self.clock)();
        let HookRow { number, record, target_hash, id, .. } = row;
        let Err(fault) = sent else {
            if record.failures > 0 {
                tracing::info!(hook = %id, "a hook accepts messages again");
            }
            pass.delivered += 1;
            let record = HookRecord { tried: Some(now), given_up: record.given_up, ..HookRecord::default() };
            self.accepted().insert(message.number);
            let ending = self.store.turn(move |turn| {
                turn.forget_message(message.number)?;
                if turn.hook(&id)?.is_some_and(|row| row.target_hash == target_hash) {
                    turn.write_hook_record(number, &record)?;
                }
                Ok(())
            });
            ending.await?;
            self.accepted().remove(&message.number);
            return Ok(());
        };
        pass.failed += 1;
        let failures = message.attempts + 1;
        let next = retry::next_attempt(message.at, failures, now, hook.max_age, fault.retry_after());
        let record = fault.recorded(record, now);
        let (gone, failures) = (record.gone, record.failures);
        let recording = self.store.turn(move |turn| {
            // How a former address answers says nothing about the present one.
            if turn.hook(&id)?.is_none_or(|row| row.target_hash != target_hash) {
                return Ok(0);
            }
            let given_up = match next {
                _ if record.gone.is_some() => turn.forget_messages(number)?,
                Some(next) => {
                    turn.postpone_message(message.number, next)?;
                    0
                }
                None => {
                    turn.forget_message(message.number)?;
                    1
                }
            };
            turn.write_hook_record(number, &HookRecord { given_up: record.given_up + given_up, ..record })?;
            Ok(given_up)
        });
        pass.given_up += recording.await?;
        let event = message.event.name();
        let (hook, at) = (&hook.id, message.at);
        match next {
            _ if gone.is_some() => {
                tracing::warn!(%hook, error = %fault, "nothing more is sent to a hook until its address changes");
            }
            None => tracing::warn!(%hook, error = %fault, event, %at, "a message of a hook is given up"),
            Some(_) if failures == 1 => tracing::warn!(%hook, error = %fault, "cannot deliver to a hook; retrying"),
            Some(_) => tracing::debug!(%hook, error = %fault, failures, "cannot deliver to a hook; retrying"),
        }
        Ok(())
    }
}
