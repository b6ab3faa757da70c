//! Two levels: one in the process, one that all processes share.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::kernel::error::PortError;
use crate::kernel::stream::Version;
use crate::port::cache::{Cache, CacheKey, CachePrefix, Fill, Found, Invalidation, Invalidations, Tag};

/// How long the first level keeps an entry, unless said otherwise: as long as a message that went missing can
/// keep something old alive.
const FIRST_LEVEL: Duration = Duration::from_secs(5);

/// A cache in the process before one that is shared.
///
/// What is removed here is gone here when the call returns, and elsewhere when the message about it arrives;
/// at the latest when the first level's span is over. The first level is filled from the second only, under a
/// ticket of its own.
#[derive(Debug)]
pub struct Layered {
    first: Arc<dyn Cache>,
    second: Arc<dyn Cache>,
    others: Option<Arc<dyn Invalidations>>,
    span: Duration,
}

impl Layered {
    /// `first` before `second`.
    pub fn new(first: Arc<dyn Cache>, second: Arc<dyn Cache>) -> Self {
        Self { first, second, others: None, span: FIRST_LEVEL }
    }

    /// Tells the first levels of other processes what is removed.
    #[must_use]
    pub fn telling(mut self, others: Arc<dyn Invalidations>) -> Self {
        self.others = Some(others);
        self
    }

    /// The first level keeps an entry this long: 5 s unless said otherwise.
    #[must_use]
    pub const fn first_for(mut self, span: Duration) -> Self {
        self.span = span;
        self
    }

    /// Removes it from the first level and tells others, behind what came of it at the second.
    async fn drop_first<A: Send>(
        &self,
        invalidation: Invalidation,
        second: Result<A, PortError>,
    ) -> Result<A, PortError> {
        let first = invalidation.apply(&*self.first).await;
        let told = match &self.others {
            Some(others) => others.announce(&invalidation).await,
            None => Ok(()),
        };
        let second = second?;
        first.and(told).map(|()| second)
    }
}

#[async_trait]
impl Cache for Layered {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        let first = match self.first.get(key).await {
            Ok(hit @ Found::Hit(..)) => return Ok(hit),
            Ok(Found::Miss(ticket)) => Some(ticket),
            Err(_) => None,
        };
        let found = self.second.get(key).await?;
        if let (Found::Hit(entry, left), Some(ticket)) = (&found, first) {
            let fill = Fill { entry: entry.clone(), ttl: self.span.min(*left), since: Some(ticket) };
            // Without it the second level answers again.
            drop(self.first.set(key, fill).await);
        }
        Ok(found)
    }

    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        let fresh = fill.since.is_none();
        let taken = self.second.set(key, fill).await;
        // What was just written is newer than what first levels have, also where its version is the same.
        if fresh && !matches!(taken, Ok(false)) {
            return self.drop_first(Invalidation::Key(key.clone(), None), taken).await;
        }
        if matches!(taken, Ok(true)) {
            // What is here is older, if there is anything.
            drop(self.first.remove(key, None).await);
        }
        taken
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        let removed = self.second.remove(key, version).await;
        self.drop_first(Invalidation::Key(key.clone(), version), removed).await
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        let removed = self.second.remove_tag(tag).await;
        self.drop_first(Invalidation::Tag(tag.clone()), removed).await
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        let removed = self.second.remove_prefix(prefix).await;
        self.drop_first(Invalidation::Prefix(prefix.clone()), removed).await
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        if matches!(self.first.exists(key).await, Ok(true)) {
            return Ok(true);
        }
        self.second.exists(key).await
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        let refreshed = self.second.refresh(key, ttl).await;
        // It may be shorter than what first levels keep.
        self.drop_first(Invalidation::Key(key.clone(), None), refreshed).await
    }
}
