//! A lane for requests that read the store: so many at work, so many waiting, and the rest turned away.
//!
//! A turn belongs to the work and not to the request: it ends when the work has ended, even if the reader has gone.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::Patience;

/// How long reading the store for a story's page or an archive document takes at most.
const READ_TIME: Duration = Duration::from_secs(5);

/// Bounds how much is done at once.
#[derive(Clone, Debug)]
pub struct Lane {
    turns: Arc<Semaphore>,
    /// For all who work or wait.
    places: Arc<Semaphore>,
    most: usize,
}

/// The right to work, given back when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct VisitorTurn {
    _permits: Arc<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Lane {
    /// Lets `working` work at once, while `waiting` wait.
    pub fn new(working: usize, waiting: usize) -> Lane {
        let places = Arc::new(Semaphore::new(working + waiting));
        Lane { turns: Arc::new(Semaphore::new(working)), places, most: working }
    }

    /// Waits for a turn; returns `None` at once if too many wait already.
    pub async fn enter(&self) -> Option<VisitorTurn> {
        let place = self.places.clone().try_acquire_owned().ok()?;
        let turn = self.turns.clone().acquire_owned().await.ok()?;
        Some(VisitorTurn { _permits: Arc::new((turn, place)) })
    }

    /// How many turns are taken.
    pub fn busy(&self) -> usize {
        self.most - self.turns.available_permits()
    }
}

/// How long reading for a page may take: what is made for nobody in particular, as for the folder, has no limit.
pub(super) fn patience(turn: Option<&VisitorTurn>) -> Patience {
    Patience::new(turn.map_or(Duration::MAX, |_| READ_TIME))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::{Context, Poll, Waker};

    #[test]
    fn who_comes_when_too_many_wait_is_turned_away() {
        let lane = Lane::new(1, 1);
        let mut context = Context::from_waker(Waker::noop());
        let mut first = Box::pin(lane.enter());
        let Poll::Ready(Some(turn)) = first.as_mut().poll(&mut context) else { panic!("there is a turn") };
        let mut second = Box::pin(lane.enter());
        assert!(second.as_mut().poll(&mut context).is_pending());
        let mut third = Box::pin(lane.enter());
        assert!(matches!(third.as_mut().poll(&mut context), Poll::Ready(None)));
        drop(second);
        let mut fourth = Box::pin(lane.enter());
        assert!(fourth.as_mut().poll(&mut context).is_pending(), "who leaves the queue makes room");
        let clone = turn.clone();
        drop(turn);
        assert_eq!(lane.busy(), 1, "the work goes on");
        drop(clone);
        assert!(matches!(fourth.as_mut().poll(&mut context), Poll::Ready(Some(_))));
    }
}
