//! One call for all that want the same at the same time.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use crate::port::cache::CacheKey;

/// Calls under way, by what they are for.
pub(super) struct Flights<T> {
    under_way: Mutex<HashMap<CacheKey, Arc<Flight<T>>>>,
}

struct Flight<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    landed: Option<T>,
    flying: bool,
    waiting: Vec<Waker>,
}

/// A place in a flight.
struct Aboard<'f, T> {
    flights: &'f Flights<T>,
    key: &'f CacheKey,
    flight: Arc<Flight<T>>,
    pilot: bool,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { under_way: Mutex::default() }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<T: Clone> Flights<T> {
    /// The outcome of the call that is under way, or of this one. Where the one that makes the call is
    /// dropped, another of those that wait makes its own.
    pub(super) async fn join<F>(&self, key: &CacheKey, call: impl FnOnce() -> F) -> T
    where
        F: Future<Output = T>,
    {
        let mut aboard = self.board(key);
        if let Some(landed) = aboard.wait().await {
            return landed;
        }
        let outcome = call().await;
        aboard.land(outcome.clone());
        outcome
    }

    fn board<'f>(&'f self, key: &'f CacheKey) -> Aboard<'f, T> {
        let mut under_way = lock(&self.under_way);
        let flight = under_way.entry(key.clone()).or_insert_with(|| {
            let state = State { landed: None, flying: false, waiting: Vec::new() };
            Arc::new(Flight { state: Mutex::new(state) })
        });
        Aboard { flights: self, key, flight: flight.clone(), pilot: false }
    }

    /// Whoever comes from now on makes a call of their own: what is under way may have begun before a write.
    pub(super) fn part_with(&self, key: &CacheKey) {
        lock(&self.under_way).remove(key);
    }

    /// The same for every key.
    pub(super) fn part_with_all(&self) {
        lock(&self.under_way).clear();
    }
}

impl<T: Clone> Aboard<'_, T> {
    /// What the call came to, or nothing: then the call is to be made here.
    async fn wait(&mut self) -> Option<T> {
        poll_fn(|context| {
            let mut state = lock(&self.flight.state);
            if let Some(landed) = &state.landed {
                return Poll::Ready(Some(landed.clone()));
            }
            if !state.flying {
                state.flying = true;
                self.pilot = true;
                return Poll::Ready(None);
            }
            if !state.waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                state.waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await
    }

    fn land(&mut self, outcome: T) {
        self.leave_the_list(usize::MAX);
        lock(&self.flight.state).landed = Some(outcome);
    }
}

impl<T> Aboard<'_, T> {
    /// Takes the flight off the list, where it is there and at most so many hold it.
    fn leave_the_list(&self, holders: usize) {
        let mut under_way = lock(&self.flights.under_way);
        let listed = under_way.get(self.key).is_some_and(|listed| Arc::ptr_eq(listed, &self.flight));
        if listed && Arc::strong_count(&self.flight) <= holders {
            under_way.remove(self.key);
        }
    }
}

impl<T> Drop for Aboard<'_, T> {
    fn drop(&mut self) {
        if self.pilot {
            let mut state = lock(&self.flight.state);
            state.flying = false;
            let waiting = std::mem::take(&mut state.waiting);
            drop(state);
            // All of them: some may be gone, and one of the others has to go on.
            waiting.into_iter().for_each(Waker::wake);
        }
        // The list and this one.
        self.leave_the_list(2);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::pin::pin;
    use std::task::Context;

    use super::*;

    fn key() -> CacheKey {
        "a:b:c:d".parse().unwrap()
    }

    fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn patterns_8_many_share_one_call_and_the_list_is_empty_behind_it() {
        let (flights, calls, open) = (Flights::default(), Cell::new(0), Cell::new(false));
        let key = key();
        let call = || async {
            calls.set(calls.get() + 1);
            poll_fn(|_| if open.get() { Poll::Ready(7) } else { Poll::Pending }).await
        };
        let mut joined: Vec<_> = (0..1000).map(|_| Box::pin(flights.join(&key, call))).collect();
        assert!(joined.iter_mut().all(|join| poll(join.as_mut()).is_pending()));
        open.set(true);
        assert!(joined.iter_mut().all(|join| poll(join.as_mut()) == Poll::Ready(7)));
        assert_eq!(calls.get(), 1);
        assert!(lock(&flights.under_way).is_empty());
    }

    #[test]
    fn a_call_that_is_dropped_is_made_by_another() {
        let flights = Flights::default();
        let key = key();
        let mut first = Box::pin(flights.join(&key, std::future::pending::<u8>));
        let mut second = pin!(flights.join(&key, || std::future::ready(2)));
        let mut third = Box::pin(flights.join(&key, || std::future::ready(3)));
        assert!(poll(first.as_mut()).is_pending());
        assert!(poll(second.as_mut()).is_pending());
        assert!(poll(third.as_mut()).is_pending());
        drop(third);
        drop(first);
        assert_eq!(poll(second), Poll::Ready(2));
        assert!(lock(&flights.under_way).is_empty());
    }

    #[test]
    fn those_who_all_leave_leave_nothing_behind() {
        let flights = Flights::default();
        let key = key();
        let mut both: Vec<_> =
            (0..2).map(|_| Box::pin(flights.join(&key, std::future::pending::<u8>))).collect();
        assert!(both.iter_mut().all(|join| poll(join.as_mut()).is_pending()));
        drop(both);
        assert!(lock(&flights.under_way).is_empty());
    }

    #[test]
    fn nobody_joins_what_began_before_a_write() {
        let flights = Flights::default();
        let key = key();
        let mut before = pin!(flights.join(&key, std::future::pending));
        assert!(poll(before.as_mut()).is_pending());
        flights.part_with(&key);
        let mut behind = pin!(flights.join(&key, || std::future::ready(2)));
        assert_eq!(poll(behind.as_mut()), Poll::Ready(2));
        assert!(poll(before).is_pending());
    }
}
