//! What is easily overlooked: limits and the values beside them, classes of errors, what is logged, and what
//! a process does while it waits.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

mod classes;
mod edits;
mod imports;
mod operations;
mod quotes;
mod reading;
mod rules;
mod running;
mod unknown;
