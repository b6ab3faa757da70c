//! Limits that let everybody through while nobody can count.

use std::sync::Arc;

use async_trait::async_trait;

use crate::kernel::error::{PortError, PortErrorKind};
use crate::port::platform::Platform;
use crate::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use crate::resilience::{Breaking, Guarded};

/// A limiter that allows what it cannot count: for limits that keep a shop fast. One that keeps passwords
/// from being guessed is better asked itself, and refuses while it is gone.
#[derive(Debug)]
pub struct Lenient(Guarded<dyn RateLimiter, Breaking>);

impl Lenient {
    /// Around this limiter; while it fails all the time it is not asked.
    pub fn new(limiter: Arc<dyn RateLimiter>, platform: &Platform) -> Self {
        Self(Guarded::shared(limiter, Breaking::by(super::SIDE_BREAKER, platform)))
    }
}

#[async_trait]
impl RateLimiter for Lenient {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        match self.0.acquire(key, limit, cost).await {
            Err(error) if error.kind != PortErrorKind::Invalid => {
                Ok(Acquired::Allowed { remaining: limit.size().saturating_sub(cost) })
            }
            answer => answer,
        }
    }
}
