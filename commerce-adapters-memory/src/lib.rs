//! Every port of `commerce-core` in memory: the embedded default and the reference semantics.
//!
//! [`MemoryStore`] keeps everything behind one lock and forgets it with the process. It is what the
//! conformance suite of `commerce-testkit` measures other stores against, and fast enough to embed where
//! durability is not wanted: tests, simulations, demonstrations.

mod broker;
mod cache;
mod clock;
mod commit;
mod erase;
mod ids;
mod lease;
mod limiter;
mod load;
mod manual;
mod platform;
mod scan;
mod sessions;
mod sleeper;
mod state;
mod store;
mod sync;
mod timers;
mod views;

pub use broker::{MemoryBroker, MemorySubscriber};
pub use cache::MemoryCache;
pub use clock::SystemClock;
pub use ids::OsIds;
pub use limiter::MemoryRateLimiter;
pub use manual::ManualPayment;
pub use platform::platform;
pub use sessions::MemorySessions;
pub use sleeper::ThreadSleeper;
pub use store::MemoryStore;
pub use views::MemoryViews;
