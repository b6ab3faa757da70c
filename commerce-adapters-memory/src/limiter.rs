//! Limits within the process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::clock::Clock;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use commerce_core::value::time::Timestamp;

use crate::sync::{Mutex, lock};

/// So many buckets are kept before those that are full again are dropped.
const SWEEP: usize = 10_000;

/// Counts within the process; clones count together.
#[derive(Debug, Clone)]
pub struct MemoryRateLimiter {
    clock: Arc<dyn Clock>,
    buckets: Arc<Mutex<Buckets>>,
}

#[derive(Debug, Default)]
struct Buckets {
    /// What each owes, and when that was reckoned.
    debts: HashMap<(LimitKey, Limit), (u64, Timestamp)>,
    sweep_at: usize,
}

impl MemoryRateLimiter {
    /// Full buckets, filled by this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, buckets: Arc::default() }
    }
}

impl Buckets {
    /// Drops what is full again; seldom enough to cost nothing.
    fn sweep(&mut self, now: Timestamp) {
        if self.debts.len() < self.sweep_at.max(SWEEP) {
            return;
        }
        self.debts.retain(|(_, limit), (_, at)| now.since(*at) < Duration::from_micros(limit.micros()));
        self.sweep_at = self.debts.len().saturating_mul(2);
    }
}

#[async_trait]
impl RateLimiter for MemoryRateLimiter {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        if cost > limit.size() {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, "memory limiter", "acquire"));
        }
        let now = self.clock.now();
        let mut buckets = lock(&self.buckets);
        buckets.sweep(now);
        let bucket = buckets.debts.entry((key.clone(), limit)).or_insert((0, now));
        let (acquired, debt) = limit.decide(bucket.0, now.since(bucket.1), cost);
        *bucket = (debt, now);
        Ok(acquired)
    }
}
