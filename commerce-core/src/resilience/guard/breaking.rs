//! Calls of a port that fails all the time are not made.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Call, Failure, Guard, Which};
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::port::clock::Clock;
use crate::port::observer::{Circuit, Observer, Signal};
use crate::port::platform::Platform;
use crate::resilience::{Breaker, BreakerPolicy, BreakerState, speaks_against};

/// Turns calls away while the other side fails: a [`Breaker`] around a port.
///
/// Clones share the circuit. A call that is given up, because its caller went away, says nothing.
#[derive(Debug, Clone)]
pub struct Breaking {
    breaker: Arc<Mutex<Breaker>>,
    clock: Arc<dyn Clock>,
    watched: Option<(&'static str, Arc<dyn Observer>)>,
}

impl Breaking {
    /// A closed circuit with this policy.
    pub fn by(policy: BreakerPolicy, platform: &Platform) -> Self {
        let breaker = Arc::new(Mutex::new(Breaker::new(policy)));
        Self { breaker, clock: platform.clock.clone(), watched: None }
    }

    /// Its changes are signalled, as those of `port`.
    #[must_use]
    pub fn watched(mut self, port: &'static str, observer: Arc<dyn Observer>) -> Self {
        self.watched = Some((port, observer));
        self
    }

    /// Where the circuit stands.
    pub fn state(&self) -> BreakerState {
        self.lock().state()
    }

    fn lock(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the circuit, and signals where it stands if that is somewhere else.
    fn change<T>(&self, change: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breaker = self.lock();
        let before = circuit(breaker.state());
        let changed = change(&mut breaker);
        let after = circuit(breaker.state());
        drop(breaker);
        if let (Some((port, observer)), true) = (&self.watched, before != after) {
            observer.observe(&Signal::CircuitChanged { port, circuit: after });
        }
        changed
    }
}

const fn circuit(state: BreakerState) -> Circuit {
    match state {
        BreakerState::Closed { .. } => Circuit::Closed,
        BreakerState::Open { .. } => Circuit::Open,
        BreakerState::HalfOpen { .. } => Circuit::HalfOpen,
    }
}

/// A call that was let through; forgotten where it ends without an outcome.
struct Admitted<'b> {
    breaking: &'b Breaking,
    open: bool,
}

impl Drop for Admitted<'_> {
    fn drop(&mut self) {
        if self.open {
            self.breaking.lock().forget();
        }
    }
}

impl Guard for Breaking {
    async fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> Result<T, E>
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync,
    {
        let now = self.clock.now();
        if !self.change(|breaker| breaker.admit(now)) {
            let kind = PortErrorKind::Unavailable;
            return Err(E::of(PortError::new(kind, Effect::None, "circuit", which.operation)));
        }
        let mut admitted = Admitted { breaking: self, open: true };
        let done = call().await;
        admitted.open = false;
        let failed = done.as_ref().err().and_then(Failure::port).is_some_and(speaks_against);
        let now = self.clock.now();
        self.change(|breaker| breaker.record(!failed, now));
        done
    }
}
