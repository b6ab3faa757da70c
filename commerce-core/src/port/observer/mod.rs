//! Somebody who watches: signals of what the library does, typed, without personal data.
//!
//! A host that logs, counts or traces brings an [`Observer`], hands it to `Commerce::with_observer`, and, for
//! what happens outside the shop's handle, to the guard `Observed`, to `Breaking` and to adapters. With the
//! feature `tracing` there is `TracingObserver`, with the feature `metrics` `MetricsObserver`.

#[cfg(feature = "metrics")]
mod metrics;
mod signal;
#[cfg(feature = "tracing")]
mod tracing;

use std::fmt::Debug;
use std::sync::Arc;

#[cfg(feature = "metrics")]
pub use self::metrics::{METRICS, Metric, MetricKind, MetricsObserver};
pub use self::signal::{Behind, CacheOutcome, CallOutcome, Circuit, Outcome, Signal, StepOutcome, Trace};
#[cfg(feature = "tracing")]
pub use self::tracing::{TARGET, TracingObserver};

/// Watches what the library does.
pub trait Observer: Debug + Send + Sync + 'static {
    /// Takes a signal.
    ///
    /// # Contract
    ///
    /// Called on the thread of whoever does the thing, in the midst of it: returns quickly, never blocks, never
    /// panics, and calls nothing of the shop. Nothing depends on it: a signal that it loses is lost. Signals of
    /// one request come in the order in which things happen; those of several interleave. What is signalled
    /// has happened, or has failed for good.
    fn observe(&self, signal: &Signal<'_>);
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoObserver;

impl Observer for NoObserver {
    fn observe(&self, _signal: &Signal<'_>) {}
}

/// Several observers, told one after the other.
#[derive(Debug, Clone, Default)]
pub struct Observers(Vec<Arc<dyn Observer>>);

impl Observers {
    /// These, in this order.
    pub fn of(observers: impl IntoIterator<Item = Arc<dyn Observer>>) -> Self {
        Self(observers.into_iter().collect())
    }
}

impl Observer for Observers {
    fn observe(&self, signal: &Signal<'_>) {
        for observer in &self.0 {
            observer.observe(signal);
        }
    }
}

/// A name that may come from outside, as far as it looks like one: letters, digits, `_`, `-`, `.` and no more
/// than 64 of them, with a letter in front. Anything else is `other`, so that nobody can have a text of theirs
/// logged.
pub(crate) fn plain_name(name: &str) -> &str {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic());
    if begins && name.len() <= 64 && name.chars().all(plain) { name } else { "other" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_from_outside_is_a_name_or_nothing() {
        for name in ["OrderPlaced", "stock_item", "a.b-c", "x1"] {
            assert_eq!(plain_name(name), name);
        }
        let long = "a".repeat(65);
        for text in ["", "Erika Mustermann", "erika@example.com", "4111111111111111", "+49151", &long] {
            assert_eq!(plain_name(text), "other", "{text}");
        }
    }
}
