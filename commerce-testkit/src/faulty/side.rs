//! Caches, limits and sessions that fail.

use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::PortError;
use commerce_core::kernel::stream::Version;
use commerce_core::port::cache::{Cache, CacheKey, CachePrefix, Fill, Found, Tag};
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::port::session::{Session, SessionKey, SessionStore, SessionWrite};

use super::{Faulty, Port};

const fn same(error: PortError) -> PortError {
    error
}

#[async_trait]
impl Cache for Faulty<dyn Cache> {
    async fn get(&self, key: &CacheKey) -> Result<Found, PortError> {
        self.faults.around((Port::Cache, "get"), || self.port.get(key), same).await
    }

    async fn set(&self, key: &CacheKey, fill: Fill) -> Result<bool, PortError> {
        self.faults.around((Port::Cache, "set"), || self.port.set(key, fill.clone()), same).await
    }

    async fn remove(&self, key: &CacheKey, version: Option<Version>) -> Result<bool, PortError> {
        self.faults.around((Port::Cache, "remove"), || self.port.remove(key, version), same).await
    }

    async fn remove_tag(&self, tag: &Tag) -> Result<(), PortError> {
        self.faults.around((Port::Cache, "remove_tag"), || self.port.remove_tag(tag), same).await
    }

    async fn remove_prefix(&self, prefix: &CachePrefix) -> Result<(), PortError> {
        self.faults.around((Port::Cache, "remove_prefix"), || self.port.remove_prefix(prefix), same).await
    }

    async fn exists(&self, key: &CacheKey) -> Result<bool, PortError> {
        self.faults.around((Port::Cache, "exists"), || self.port.exists(key), same).await
    }

    async fn refresh(&self, key: &CacheKey, ttl: Duration) -> Result<bool, PortError> {
        self.faults.around((Port::Cache, "refresh"), || self.port.refresh(key, ttl), same).await
    }
}

#[async_trait]
impl RateLimiter for Faulty<dyn RateLimiter> {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        self.faults.around((Port::Limiter, "acquire"), || self.port.acquire(key, limit, cost), same).await
    }
}

#[async_trait]
impl SessionStore for Faulty<dyn SessionStore> {
    async fn get(&self, key: &SessionKey) -> Result<Option<Session>, PortError> {
        self.faults.around((Port::Sessions, "get"), || self.port.get(key), same).await
    }

    async fn put(&self, key: &SessionKey, write: SessionWrite) -> Result<Option<u64>, PortError> {
        self.faults.around((Port::Sessions, "put"), || self.port.put(key, write.clone()), same).await
    }

    async fn remove(&self, key: &SessionKey) -> Result<bool, PortError> {
        self.faults.around((Port::Sessions, "remove"), || self.port.remove(key), same).await
    }
}
