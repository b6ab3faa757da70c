//! Limits that all processes share.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::kernel::error::{Effect, PortError, PortErrorKind};
use commerce_core::port::clock::Clock;
use commerce_core::port::rate_limiter::{Acquired, Limit, LimitKey, RateLimiter};
use redis::Script;

use crate::answer::{list, number};
use crate::error::{PORT, corrupt, port_error};
use crate::link::{Link, SideSettings};
use crate::time::Time;

/// A clock that is not the server's may go slower: so much longer are buckets kept then, in milliseconds.
const SLACK: &str = "86400000";

/// Buckets of tokens on a Redis server: one script, one round trip, the server's time.
///
/// A bucket goes when it is full again. On a server that evicts, or that was flushed, buckets are full again
/// early. Clones share one connection.
#[derive(Clone)]
pub struct RedisRateLimiter {
    link: Link,
    script: Arc<Script>,
    time: Time,
}

impl RedisRateLimiter {
    /// The limits of a shop on the server at this address. Asks it nothing yet.
    ///
    /// # Errors
    ///
    /// Where the address cannot be read.
    pub fn open(url: &str, settings: SideSettings) -> Result<Self, PortError> {
        let script = Arc::new(Script::new(include_str!("scripts/acquire.lua")));
        Ok(Self { link: Link::to(url, settings)?, script, time: Time::Server })
    }

    /// By this clock instead of the server's; all processes that share the shop must then share the clock.
    #[must_use]
    pub fn by(mut self, clock: Arc<dyn Clock>) -> Self {
        self.time = Time::Host(clock);
        self
    }
}

impl fmt::Debug for RedisRateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisRateLimiter")
            .field("link", &self.link)
            .field("time", &self.time)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl RateLimiter for RedisRateLimiter {
    async fn acquire(&self, key: &LimitKey, limit: Limit, cost: u32) -> Result<Acquired, PortError> {
        if cost > limit.size() {
            return Err(PortError::new(PortErrorKind::Invalid, Effect::None, PORT, "acquire"));
        }
        let (now, slack) = match &self.time {
            Time::Server => (String::new(), "0"),
            Time::Host(clock) => (clock.now().as_micros().to_string(), SLACK),
        };
        let (size, period, cost) = (limit.size().to_string(), limit.micros().to_string(), cost.to_string());
        let bucket = self.link.key("limit", &format!("{size}/{period}:{}", key.as_str()));
        let arguments = [&*now, &size, &period, &cost, slack].map(str::as_bytes);
        let answer = self.link.run(&self.script, &[&bucket], &arguments).await;
        let answer = answer.map_err(|error| port_error("acquire", Effect::Unknown, &error))?;
        match list(&answer) {
            Some([allowed, amount]) => match number::<u32>(allowed) {
                Some(1) => number(amount).map(|remaining| Acquired::Allowed { remaining }),
                _ => number(amount).map(|wait| Acquired::Wait(Duration::from_micros(wait))),
            },
            _ => None,
        }
        .ok_or_else(|| corrupt("acquire"))
    }
}
