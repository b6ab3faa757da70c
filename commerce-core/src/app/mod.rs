//! The facade: what an embedding application calls.
//!
//! Asynchronous and without a runtime: every future is `Send` and runs wherever the host polls it.

mod cache;
pub mod commerce;
mod commit;
pub mod error;
pub mod execute;
pub mod import;
pub mod log;
