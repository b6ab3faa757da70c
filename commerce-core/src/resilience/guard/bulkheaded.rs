//! No more calls at once than there is room for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Call, Failure, Guard, Which};
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::resilience::Bulkhead;

/// Turns calls away where too many are under way: a [`Bulkhead`] around a port.
///
/// Clones share the room. Nothing waits in a queue: whoever is turned away may come again.
#[derive(Debug, Clone)]
pub struct Bulkheaded {
    bulkhead: Arc<Mutex<Bulkhead>>,
}

impl Bulkheaded {
    /// Room for this many calls at once; zero counts as one.
    pub fn with_room_for(most: u32) -> Self {
        Self { bulkhead: Arc::new(Mutex::new(Bulkhead::new(most))) }
    }

    /// Calls under way.
    pub fn under_way(&self) -> u32 {
        self.lock().under_way()
    }

    fn lock(&self) -> MutexGuard<'_, Bulkhead> {
        self.bulkhead.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The room that a call takes.
struct Room<'b>(&'b Bulkheaded);

impl Drop for Room<'_> {
    fn drop(&mut self) {
        self.0.lock().leave();
    }
}

impl Guard for Bulkheaded {
    async fn around<'c, T, E, F>(&'c self, which: Which, call: F) -> Result<T, E>
    where
        T: Send,
        E: Failure,
        F: Fn() -> Call<'c, T, E> + Send + Sync,
    {
        if !self.lock().enter() {
            let kind = PortErrorKind::Throttled;
            return Err(E::of(PortError::new(kind, Effect::None, "bulkhead", which.operation)));
        }
        let _room = Room(self);
        call().await
    }
}
