//! What background work has in common: it sleeps between rounds, and ends when it is told to.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use crate::port::clock::Sleeper;
use crate::value::time::Timestamp;

/// How long background work sleeps when there is nothing to do.
pub(super) const IDLE: Duration = Duration::from_millis(250);

/// The host's wish to stop; asked for between rounds, so that a round is never cut off.
pub(super) struct Stop<'s, F> {
    asked: Pin<&'s mut F>,
    stopped: bool,
}

impl<'s, F: Future<Output = ()> + Send> Stop<'s, F> {
    pub(super) const fn new(asked: Pin<&'s mut F>) -> Self {
        Self { asked, stopped: false }
    }

    /// Whether it is time to stop.
    pub(super) async fn now(&mut self) -> bool {
        if !self.stopped {
            let asked = &mut self.asked;
            self.stopped = poll_fn(|context| Poll::Ready(asked.as_mut().poll(context).is_ready())).await;
        }
        self.stopped
    }

    /// Sleeps until a time; whether it is time to stop.
    pub(super) async fn or_sleep(&mut self, sleeper: &dyn Sleeper, until: Timestamp) -> bool {
        if self.stopped {
            return true;
        }
        let asked = &mut self.asked;
        let mut sleep = pin!(sleeper.sleep_until(until));
        self.stopped = poll_fn(|context| {
            if asked.as_mut().poll(context).is_ready() {
                return Poll::Ready(true);
            }
            sleep.as_mut().poll(context).map(|()| false)
        })
        .await;
        self.stopped
    }
}

/// How long to sleep behind a round.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
}

impl Pace {
    /// Behind a round that did something, found nothing to do, or could not do it: then each pause is twice
    /// as long as the one before, up to [`Pace::LONGEST`].
    pub(super) fn behind(&mut self, turned: Turned) -> Duration {
        self.failures = if turned == Turned::Failed { self.failures.saturating_add(1) } else { 0 };
        match turned {
            Turned::More => Duration::ZERO,
            Turned::End => IDLE,
            Turned::Failed => {
                IDLE.saturating_mul(1 << self.failures.saturating_sub(1).min(8)).min(Self::LONGEST)
            }
        }
    }

    const LONGEST: Duration = Duration::from_secs(8);
}

/// How a round went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turned {
    /// There is more to do.
    More,
    /// Nothing is left.
    End,
    /// It could not do what there is to do.
    Failed,
}

/// Both at once; what the slower one does meanwhile costs nothing.
pub(super) async fn both<L: Future, R: Future>(left: L, right: R) -> (L::Output, R::Output) {
    let (mut left, mut right) = (pin!(left), pin!(right));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(done) = left.as_mut().poll(context)
        {
            first = Some(done);
        }
        if second.is_none()
            && let Poll::Ready(done) = right.as_mut().poll(context)
        {
            second = Some(done);
        }
        match (first.take(), second.take()) {
            (Some(left), Some(right)) => Poll::Ready((left, right)),
            (left, right) => {
                (first, second) = (left, right);
                Poll::Pending
            }
        }
    })
    .await
}
