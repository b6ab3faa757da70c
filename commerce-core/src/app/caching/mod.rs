//! Caches in use: what is read often is read from a copy, and a copy that is gone is nobody's error.
//!
//! ```
//! use std::sync::Arc;
//! use commerce_core::app::caching::{CachePolicy, Cached, Loaded, breaking};
//! use commerce_core::kernel::error::PortError;
//! use commerce_core::port::cache::{Cache, CacheKey, ttl};
//! use commerce_core::port::platform::Platform;
//!
//! async fn page(cache: Arc<dyn Cache>, platform: &Platform) -> Result<Option<Arc<String>>, PortError> {
//!     let pages = Cached::new(breaking(cache, platform), CachePolicy::keeping(ttl::LIST), 7);
//!     let Ok(key) = "catalog:product:list:page:1".parse::<CacheKey>() else { return Ok(None) };
//!     pages.get(&key, || async { Ok(Loaded::new(Some("from the store".to_owned()))) }).await
//! }
//! ```
//!
//! [`Cached`] reads aside and writes through; [`WriteBehind`] is for what may be lost; [`Layered`] puts a
//! level in the process before one that is shared. What a commit changes is removed behind it by whoever
//! made it, and by an [`Invalidator`] that reads the log, so that a process which dies in between leaves
//! nothing old. Decisions never rest on a copy: they are made on what the store says.
//!
//! # Invariants
//!
//! - `patterns_8` what is read is no older than its span, its grace if it has one, and one delay of its removal; a
//!   cache that fails fails no call; many that miss at the same time make one load;
//! - `patterns_9` write-through stores first; a crash in between leaves no entry, or one that the log removes;
//!   the removal of a prefix removes exactly what begins with it.

mod behind;
mod cached;
mod flight;
mod get;
mod invalidator;
mod layered;
mod lenient;
mod lock;
mod stored;

use std::sync::Arc;
use std::time::Duration;

pub use behind::{Losable, Sink, WriteBehind};
pub use cached::{CacheCounts, CachePolicy, Cached, Loaded};
pub use invalidator::Invalidator;
pub use layered::Layered;
pub use lenient::Lenient;

use crate::port::cache::Cache;
use crate::port::platform::Platform;
use crate::resilience::{BreakerPolicy, Breaking, Guarded};

/// The circuit around what a shop can do without: opens behind five failures, probes after two seconds.
pub const SIDE_BREAKER: BreakerPolicy =
    BreakerPolicy { failures: 5, open_for: Duration::from_secs(2), probes: 1 };

/// A cache that is not asked while it fails all the time, so that a dead one costs nothing.
pub fn breaking(cache: Arc<dyn Cache>, platform: &Platform) -> Arc<dyn Cache> {
    Arc::new(Guarded::shared(cache, Breaking::by(SIDE_BREAKER, platform)))
}
