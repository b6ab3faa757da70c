//! Time that stands still until a test moves it.

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::clock;
use commerce_core::value::time::Timestamp;

/// Where a fake clock starts: 2011-01-04T10:00:00Z, a Tuesday.
pub const START: Timestamp = match Timestamp::from_micros(1_294_135_200_000_000) {
    Ok(time) => time,
    Err(_) => Timestamp::UNIX_EPOCH,
};

struct Inner {
    now: Timestamp,
    waiting: Vec<(Timestamp, Waker)>,
}

/// A clock that stands still; clones share their time.
#[derive(Clone)]
pub struct Clock(Arc<Mutex<Inner>>);

impl Clock {
    /// A clock that shows this time.
    pub fn at(now: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(Inner { now, waiting: Vec::new() })))
    }

    /// Sets the clock, also back; whoever waits for a time that has come is woken.
    pub fn set(&self, now: Timestamp) {
        let mut inner = self.lock();
        inner.now = now;
        let waiting = std::mem::take(&mut inner.waiting);
        let (due, later) = waiting.into_iter().partition(|(time, _)| *time <= now);
        inner.waiting = later;
        drop(inner);
        for (_, waker) in due {
            waker.wake();
        }
    }

    /// Moves the clock on and gives the new time.
    pub fn advance(&self, span: Duration) -> Timestamp {
        let now = clock::Clock::now(self).plus(span);
        self.set(now);
        now
    }

    /// The earliest time that somebody waits for.
    pub fn next_wake(&self) -> Option<Timestamp> {
        self.lock().waiting.iter().map(|(time, _)| *time).min()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Shows [`START`].
impl Default for Clock {
    fn default() -> Self {
        Self::at(START)
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Clock").field(&self.lock().now).finish()
    }
}

impl clock::Clock for Clock {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
}

/// Waits by a fake [`Clock`].
#[derive(Debug, Clone)]
pub struct Sleeper {
    clock: Clock,
    jumps: bool,
}

impl Sleeper {
    /// Whoever sleeps stays asleep until the test moves the clock.
    pub const fn waiting(clock: Clock) -> Self {
        Self { clock, jumps: false }
    }

    /// Whoever sleeps moves the clock to the time they wait for, and goes on at once.
    pub const fn jumping(clock: Clock) -> Self {
        Self { clock, jumps: true }
    }
}

#[async_trait]
impl clock::Sleeper for Sleeper {
    async fn sleep_until(&self, time: Timestamp) {
        if self.jumps {
            let now = clock::Clock::now(&self.clock).max(time);
            self.clock.set(now);
            return;
        }
        poll_fn(|context| {
            let mut inner = self.clock.lock();
            if inner.now >= time {
                return Poll::Ready(());
            }
            inner.waiting.push((time, context.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commerce_core::port::clock::{Clock as _, Sleeper as _};

    #[test]
    fn clones_share_their_time() {
        let clock = Clock::default();
        clock.clone().advance(Duration::from_secs(60));
        assert_eq!(clock.now().to_string(), "2011-01-04T10:01:00.000000Z");
    }

    #[test]
    fn a_sleeper_wakes_when_the_clock_is_moved() {
        let clock = Clock::default();
        let sleeper = Sleeper::waiting(clock.clone());
        let until = START.plus(Duration::from_secs(5));
        let asleep = std::thread::spawn(move || pollster::block_on(sleeper.sleep_until(until)));
        while clock.next_wake() != Some(until) {
            std::thread::yield_now();
        }
        clock.advance(Duration::from_secs(4));
        assert!(!asleep.is_finished());
        clock.advance(Duration::from_secs(1));
        asleep.join().unwrap();
    }

    #[test]
    fn a_jumping_sleeper_moves_the_clock_but_never_back() {
        let clock = Clock::default();
        let sleeper = Sleeper::jumping(clock.clone());
        let later = START.plus(Duration::from_secs(5));
        pollster::block_on(sleeper.sleep_until(later));
        pollster::block_on(sleeper.sleep_until(START));
        assert_eq!(clock.now(), later);
    }
}
