//! A durable store in one file: every commit is a record of an append-only journal.
//!
//! [`FileStore`] checks a commit, writes it down, then applies it. `journal` is the file, `state` the tables
//! that its records make. Opening a store replays its journal.

mod journal;
mod state;
mod store;

pub use store::FileStore;
