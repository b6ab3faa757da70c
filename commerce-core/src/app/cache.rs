//! States that were folded before, so that only new events are read and folded.
//!
//! A cached state is never trusted: every load asks the store for what came behind its version, and
//! every commit asserts the version. Taking a state removes it, so two tasks never share one; the second
//! folds from the store.

use std::any::Any;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::stream::StreamId;
use crate::value::PromotionCode;
use crate::value::id::Id;

/// The most states that are kept.
const CAPACITY: usize = 4096;

#[derive(Default)]
pub(crate) struct StateCache {
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    states: HashMap<StreamId, Box<dyn Any + Send>>,
    shared: HashMap<StreamId, Arc<dyn Any + Send + Sync>>,
    /// The promotions that codes led to; only ever a guess.
    codes: HashMap<PromotionCode, StreamId>,
    /// Insertion order, possibly with streams that are gone; the oldest leaves first.
    order: VecDeque<StreamId>,
}

impl StateCache {
    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the state out, or starts from nothing.
    pub(crate) fn take<A: Aggregate>(&self, id: Id<A::Root>) -> Instance<A> {
        let absent = Instance::<A>::absent(id);
        let boxed = self.lock().states.remove(&absent.stream());
        match boxed.map(Box::<dyn Any + Send>::downcast::<Instance<A>>) {
            Some(Ok(mut instance)) => {
                instance.folded = 0;
                *instance
            }
            _ => absent,
        }
    }

    /// Puts a state back that is known to be what the store holds at its version.
    pub(crate) fn put<A: Aggregate>(&self, instance: Instance<A>) {
        if instance.state.is_none() {
            return;
        }
        let stream = instance.stream();
        let mut entries = self.lock();
        if entries.states.insert(stream.clone(), Box::new(instance)).is_none() {
            entries.order.push_back(stream);
        }
        while entries.states.len() > CAPACITY || entries.order.len() > 4 * CAPACITY {
            let Some(oldest) = entries.order.pop_front() else { break };
            entries.states.remove(&oldest);
        }
    }

    /// A state that many read and nobody changes here, such as a product; the caller brings it up to date.
    pub(crate) fn peek<A: Aggregate>(&self, id: Id<A::Root>) -> Arc<Instance<A>> {
        let stream = crate::kernel::aggregate::stream_of::<A>(id);
        let shared = self.lock().shared.get(&stream).cloned();
        shared
            .and_then(|shared| shared.downcast::<Instance<A>>().ok())
            .unwrap_or_else(|| Arc::new(Instance::absent(id)))
    }

    /// Keeps a state for later readers.
    pub(crate) fn keep<A: Aggregate>(&self, instance: &Arc<Instance<A>>) {
        let mut entries = self.lock();
        if entries.shared.len() >= CAPACITY {
            // Readers come back for what they need; forgetting costs one fold each.
            entries.shared.clear();
        }
        entries.shared.insert(instance.stream(), instance.clone());
    }

    /// The streams that these codes led to the last time, as far as all of them are known.
    pub(crate) fn owners_of(&self, codes: &[PromotionCode]) -> Vec<StreamId> {
        let entries = self.lock();
        codes.iter().map_while(|code| entries.codes.get(code).cloned()).collect()
    }

    /// Remembers which streams codes lead to.
    pub(crate) fn keep_owners<'c>(
        &self,
        found: impl Iterator<Item = (&'c PromotionCode, &'c Option<StreamId>)>,
    ) {
        let mut entries = self.lock();
        if entries.codes.len() >= CAPACITY {
            entries.codes.clear();
        }
        for (code, owner) in found {
            match owner {
                Some(owner) => drop(entries.codes.insert(code.clone(), owner.clone())),
                None => drop(entries.codes.remove(code)),
            }
        }
    }

    /// Forgets everything: after an erasure no folded state may outlive the data.
    pub(crate) fn clear(&self) {
        *self.lock() = Entries::default();
    }
}

impl fmt::Debug for StateCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCache").field("states", &self.lock().states.len()).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "cache_tests.rs"]
mod tests;
