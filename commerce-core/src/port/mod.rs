//! Ports: what the library needs from the outside, as small dyn-compatible traits.
//!
//! Every method states its `# Contract`; the conformance suites of `commerce-testkit` test that text.

pub mod cache;
pub mod carrier;
pub mod clock;
pub mod ids;
pub mod lease;
pub mod notifier;
pub mod observer;
pub mod payment;
pub mod platform;
pub mod prelude;
pub mod publisher;
pub mod rate_limiter;
pub mod session;
pub mod store;
pub mod subscriber;
pub mod tax;
pub mod view;
