//! The test kit of `commerce-core`: for its own tests, for hosts and for authors of adapters.
//!
//! - [`conformance`]: what every port's contract says, as named checks that any adapter can run;
//! - [`race`]: buyers, answers and clocks against each other, on any store;
//! - [`check`]: a checker that reads only the store and the fake gateway's books;
//! - [`scenario`]: given some events, when a command comes, then these events or this refusal;
//! - [`faulty`]: ports that fail by chance or by a script, and processes that die;
//! - [`kill`]: a process that dies at every call, and another one that goes on;
//! - [`sim`]: a whole shop in one thread under a seed, with everything that can fail;
//! - [`fake`]: a clock, a sleeper, ids and a payment gateway that a test controls;
//! - [`strategy`]: generators for property tests;
//! - [`shop`]: a small shop with fakes on its ports;
//! - [`build`]: short ways to write commits;
//! - [`broken`]: a store with a switchable defect per clause, which proves that the checks bite.

pub mod broken;
pub mod build;
pub mod check;
pub mod conformance;
pub mod dice;
pub mod fake;
pub mod faulty;
pub mod kill;
pub mod race;
pub mod scenario;
pub mod shop;
pub mod sim;
pub mod strategy;

pub use scenario::{given, given_checkout, given_view};
