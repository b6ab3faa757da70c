//! Reading through a cache.

use std::collections::HashSet;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::cached::{Cached, Count, Loaded};
use super::lock::{Lock, Turn};
use super::stored::{Stored, decode};
use crate::kernel::commit::Fence;
use crate::port::cache::{CacheKey, Found, Ticket};

/// Under which nothing is ever kept: asking for it gives a ticket.
const NOTHING: &str = "cache:ticket:of:nothing";

/// What is given, to all that asked at the same time.
pub(super) struct Seen<T> {
    value: Option<Arc<T>>,
    /// Whether its span is over.
    stale: bool,
}

impl<T> Clone for Seen<T> {
    fn clone(&self) -> Self {
        Self { value: self.value.clone(), stale: self.stale }
    }
}

/// What the cache has.
enum Look<T> {
    Hit(Seen<T>),
    Miss(Ticket),
    /// It does not answer, or with what nobody can read.
    Nothing,
}

/// Keys that are loaded anew while their old value is given.
#[derive(Debug, Default)]
pub(super) struct Renewals(Mutex<HashSet<CacheKey>>);

/// One of them.
struct Renewal<'r>(&'r Renewals, &'r CacheKey);

impl Renewals {
    fn keys(&self) -> MutexGuard<'_, HashSet<CacheKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins one, where none is under way.
    fn begin<'r>(&'r self, key: &'r CacheKey) -> Option<Renewal<'r>> {
        let new = self.keys().insert(key.clone());
        // Made only where it is one: it takes the key away when it is dropped.
        new.then(|| Renewal(self, key))
    }
}

impl Drop for Renewal<'_> {
    fn drop(&mut self) {
        self.0.keys().remove(self.1);
    }
}

async fn give_back(mine: Option<(&Lock, Fence)>) {
    if let Some((lock, fence)) = mine {
        lock.give_back(&fence).await;
    }
}

impl<T, E> Cached<T, E>
where
    T: Serialize + DeserializeOwned + Send + Sync,
    E: Clone + Send,
{
    /// The value of a key, out of the cache or by this load; `None` where there is none.
    ///
    /// What is given is at most as old as the longest span that it is kept, and the
    /// [grace](Self::serving_stale) if there is one; behind an [`invalidate`](Self::invalidate) that the cache has
    /// taken it is loaded anew.
    ///
    /// # Errors
    ///
    /// Those of the load.
    pub async fn get<F>(&self, key: &CacheKey, load: impl FnOnce() -> F + Send) -> Result<Option<Arc<T>>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let (mut load, mut looked) = (Some(load), false);
        let flight = self.flights.join(key, || {
            looked = true;
            self.look_or_load(key, &mut load)
        });
        let seen = flight.await?;
        // Whoever has looked loads it anew, where nobody does so far; all others have their answer.
        if seen.stale
            && looked
            && let Some(load) = load
            && let Some(_renewal) = self.renewals.begin(key)
        {
            return Ok(self.renewed(key, load).await.unwrap_or(seen.value));
        }
        Ok(seen.value)
    }

    async fn look_or_load<F, L: FnOnce() -> F + Send>(
        &self,
        key: &CacheKey,
        load: &mut Option<L>,
    ) -> Result<Seen<T>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let ticket = match self.look(key).await {
            Look::Hit(seen) => return Ok(seen),
            Look::Miss(ticket) => Some(ticket),
            Look::Nothing => None,
        };
        // A flight makes one call.
        let Some(load) = load.take() else { return Ok(Seen { value: None, stale: true }) };
        let value = match (&self.lock, ticket) {
            (Some(_), Some(ticket)) => return self.load_in_turn(key, load, ticket).await,
            _ => self.load(key, load, ticket).await?,
        };
        Ok(Seen { value, stale: false })
    }

    async fn look(&self, key: &CacheKey) -> Look<T> {
        match self.ask(Some(key), self.cache.get(key)).await {
            Some(Found::Hit(entry, _)) => {
                let Some(Stored { value, stale_from }) = decode(&entry.value) else {
                    // Written by another version of the program: the next one finds nothing and fills it.
                    self.ask(Some(key), self.cache.remove(key, None)).await;
                    return Look::Nothing;
                };
                let stale = stale_from.is_some_and(|from| self.is_over(from));
                self.count(if stale { Count::Stale } else { Count::Hit }, Some(key));
                Look::Hit(Seen { value: value.map(Arc::new), stale })
            }
            Some(Found::Miss(ticket)) => Look::Miss(ticket),
            None => Look::Nothing,
        }
    }

    /// Loads, and fills the cache where there is a ticket for that.
    async fn load<F>(
        &self,
        key: &CacheKey,
        load: impl FnOnce() -> F + Send,
        ticket: Option<Ticket>,
    ) -> Result<Option<Arc<T>>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        self.count(Count::Load, Some(key));
        let loaded = load().await?;
        if ticket.is_some() {
            self.fill(key, &loaded, ticket).await;
        }
        Ok(loaded.value.map(Arc::new))
    }

    /// Loads where no other process does; takes what the other one has loaded where one does.
    async fn load_in_turn<F>(
        &self,
        key: &CacheKey,
        load: impl FnOnce() -> F + Send,
        mut ticket: Ticket,
    ) -> Result<Seen<T>, E>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let (mut mine, mut waits) = (None, 0);
        if let Some(lock) = &self.lock {
            loop {
                match lock.take(key).await {
                    Turn::Mine(fence) => mine = Some((lock, fence)),
                    Turn::Theirs if lock.wait(&mut waits).await => {}
                    Turn::Theirs | Turn::Unknown => break,
                }
                // Somebody may have filled it since.
                match self.look(key).await {
                    Look::Hit(seen) => {
                        give_back(mine).await;
                        return Ok(seen);
                    }
                    Look::Miss(later) => ticket = later,
                    Look::Nothing => break,
                }
                if mine.is_some() {
                    break;
                }
            }
        }
        let value = self.load(key, load, Some(ticket)).await;
        give_back(mine).await;
        value.map(|value| Seen { value, stale: false })
    }

    /// Loads what is there and stale; nothing where another process does, or the load fails: then the old value
    /// is given as long as it is kept.
    async fn renewed<F>(&self, key: &CacheKey, load: impl FnOnce() -> F + Send) -> Option<Option<Arc<T>>>
    where
        F: Future<Output = Result<Loaded<T>, E>> + Send,
    {
        let mut mine = None;
        if let Some(lock) = &self.lock {
            match lock.take(key).await {
                Turn::Mine(fence) => mine = Some((lock, fence)),
                Turn::Theirs => return None,
                Turn::Unknown => {}
            }
            // Another process may have been through with it.
            if let Look::Hit(Seen { value, stale: false }) = self.look(key).await {
                give_back(mine).await;
                return Some(value);
            }
        }
        // What is removed behind this ticket is not put back, as behind a miss.
        let ticket = match NOTHING.parse() {
            Ok(nothing) => match self.ask(Some(key), self.cache.get(&nothing)).await {
                Some(Found::Miss(ticket)) => Some(ticket),
                _ => None,
            },
            Err(_) => None,
        };
        let value = self.load(key, load, ticket).await.ok();
        give_back(mine).await;
        value
    }
}
