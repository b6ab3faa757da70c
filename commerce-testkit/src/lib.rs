//! The test kit of `commerce-core`: for its own tests, for hosts and for authors of adapters.
//!
//! - [`conformance`]: what every port's contract says, as named checks that any adapter can run;
//! - [`scenario`]: given some events, when a command comes, then these events or this refusal;
//! - [`fake`]: a clock, a sleeper and ids that a test controls;
//! - [`strategy`]: generators for property tests;
//! - [`build`]: short ways to write commits;
//! - [`broken`]: a store with a switchable defect per clause, which proves that the checks bite.

pub mod broken;
pub mod build;
pub mod conformance;
pub mod fake;
pub mod scenario;
pub mod strategy;

pub use scenario::given;
