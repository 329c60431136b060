//! A queue for requests that read the store. It limits how many requests run and how many wait, and refuses the others.
//!
//! A turn is the permission to run. It ends with the work for a request, even if the reader disconnected before that.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::ReadLimits;

/// How long reading the store for a story's page or an archive document may take.
const READ_TIME: Duration = Duration::from_secs(5);

/// A queue that limits how much work runs at the same time.
#[derive(Clone, Debug)]
pub(super) struct RequestQueue {
    turns: Arc<Semaphore>,
    /// The slots of all requests that run or wait.
    slots: Arc<Semaphore>,
    most: usize,
}

/// The permission to run. It is released when the last clone is dropped.
#[derive(Clone, Debug)]
pub(super) struct RequestTurn {
    _permits: Arc<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl RequestQueue {
    /// Creates a queue in which at most `working` requests run and at most `waiting` wait.
    pub(super) fn new(working: usize, waiting: usize) -> RequestQueue {
        let slots = Arc::new(Semaphore::new(working + waiting));
        RequestQueue { turns: Arc::new(Semaphore::new(working)), slots, most: working }
    }

    /// Waits for a turn. Returns `None` at once if too many requests wait already.
    pub(super) async fn enter(&self) -> Option<RequestTurn> {
        let slot = self.slots.clone().try_acquire_owned().ok()?;
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        Some(RequestTurn { _permits: Arc::new((turn, slot)) })
    }

    /// Returns how many requests have a turn.
    pub(super) fn busy(&self) -> usize {
        self.most - self.turns.available_permits()
    }
}

/// Returns the time limit for reading the store. Without a turn, as for the folder, there is none.
pub(super) fn read_limits(turn: Option<&RequestTurn>) -> ReadLimits {
    ReadLimits::new(turn.map_or(Duration::MAX, |_| READ_TIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn request_is_refused_if_too_many_wait() {
        let queue = RequestQueue::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(queue.enter());
        let Poll::Ready(Some(turn)) = first.as_mut().poll(&mut context) else { panic!("there is a turn") };
        let mut second = Box::pin(queue.enter());
        assert!(second.as_mut().poll(&mut context).is_pending());
        let mut third = Box::pin(queue.enter());
        assert!(matches!(third.as_mut().poll(&mut context), Poll::Ready(None)));
        drop(second);
        let mut fourth = Box::pin(queue.enter());
        assert!(fourth.as_mut().poll(&mut context).is_pending(), "leaving the queue makes room");
        let clone = turn.clone();
        drop(turn);
        assert_eq!(queue.busy(), 1, "the work goes on");
        drop(clone);
        assert!(matches!(fourth.as_mut().poll(&mut context), Poll::Ready(Some(_))));
    }
}
