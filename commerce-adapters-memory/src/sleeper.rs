//! Waiting on a thread of its own, for hosts without a runtime.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::port::clock::{Clock, Sleeper};
use commerce_core::value::time::Timestamp;

/// Longest wait between two looks at the clock, so that a clock that is set is noticed.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Wakes sleeping tasks from one background thread.
///
/// The thread starts with the first sleeper and ends when the last handle is dropped.
#[derive(Clone)]
pub struct ThreadSleeper {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    wakers: BTreeMap<(Timestamp, u64), Waker>,
    number: u64,
    running: bool,
}

impl ThreadSleeper {
    /// Sleeps by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { shared: Arc::new(Shared { clock, queue: Mutex::default(), changed: Condvar::new() }) }
    }
}

impl fmt::Debug for ThreadSleeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ThreadSleeper")
    }
}

#[async_trait]
impl Sleeper for ThreadSleeper {
    async fn sleep_until(&self, time: Timestamp) {
        let mut entry: Option<u64> = None;
        poll_fn(|context| {
            if self.shared.clock.now() >= time {
                return Poll::Ready(());
            }
            let mut queue = self.shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
            let number = *entry.get_or_insert_with(|| {
                queue.number += 1;
                queue.number
            });
            queue.wakers.insert((time, number), context.waker().clone());
            if !queue.running {
                let shared = Arc::downgrade(&self.shared);
                // Where no thread can be started the task asks to be polled again: slow, but it wakes.
                queue.running = thread::Builder::new()
                    .name("commerce-sleeper".to_owned())
                    .spawn(move || wake(&shared))
                    .is_ok();
                if !queue.running {
                    context.waker().wake_by_ref();
                }
            }
            self.shared.changed.notify_one();
            Poll::Pending
        })
        .await;
    }
}

fn wake(shared: &Weak<Shared>) {
    while let Some(shared) = shared.upgrade() {
        let mut queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let now = shared.clock.now();
        while let Some(first) = queue.wakers.first_entry() {
            if first.key().0 > now {
                break;
            }
            first.remove().wake();
        }
        let wait = queue.wakers.first_key_value().map_or(LOOK_AGAIN, |((due, _), _)| due.since(now));
        let wait = wait.clamp(Duration::from_micros(100), LOOK_AGAIN);
        drop(shared.changed.wait_timeout(queue, wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SystemClock;

    #[test]
    fn it_wakes_behind_the_time_and_not_before() {
        let clock = Arc::new(SystemClock);
        let sleeper = ThreadSleeper::new(clock.clone());
        let until = clock.now().plus(Duration::from_millis(20));
        pollster::block_on(sleeper.sleep_until(until));
        assert!(clock.now() >= until);
        pollster::block_on(sleeper.sleep_until(Timestamp::UNIX_EPOCH));
    }
}
