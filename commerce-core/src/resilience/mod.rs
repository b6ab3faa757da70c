//! Resilience: when to try again, and when to stop asking.
//!
//! The rules are pure machines, driven by the time that is handed in, so that they can be simulated:
//! [`Backoff`], [`Breaker`], [`Bulkhead`], [`may_repeat`]. [`guard`] puts them around ports.
//!
//! # Invariants
//!
//! - `patterns_5` the schedule of retries is a pure function; a policy of n retries makes n + 1 calls;
//!   jitter is bounded and follows from a seed; an unknown effect is never repeated without a key;
//! - `patterns_7` a circuit opens behind exactly n failures in a row, rejects without calling while it is
//!   open, and lets at most m probes through when it is half open; a bulkhead never has more calls under way
//!   than it has room for.

pub mod backoff;
pub mod breaker;
pub mod bulkhead;
pub mod guard;
pub mod verdict;

pub use backoff::Backoff;
pub use breaker::{Breaker, BreakerPolicy, BreakerState};
pub use bulkhead::Bulkhead;
pub use guard::{Breaking, Bulkheaded, Fallback, Guard, Guarded, Observed, Retrying, TimeLimited};
pub use verdict::{Repeat, may_repeat, speaks_against};
