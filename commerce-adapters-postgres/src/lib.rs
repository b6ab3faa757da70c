//! The storage ports of `commerce-core` on PostgreSQL.
//!
//! **Nothing is implemented yet.** This crate will hold:
//!
//! - `PgStore`: streams, unique keys, pools, timers and marks in a schema of its own, a whole `Commit`
//!   in one round trip, concurrent commits of one process coalesced into one statement;
//! - `commit_in`: the host's rows and ours in the host's own transaction;
//! - the event log read that never skips an event while a slow transaction is still committing;
//! - read models with filters, facets and keyset pages, fenced leases, migrations and `ping`.
//!
//! Until then use `commerce-adapters-memory`, which is the reference for what this crate must do: the
//! conformance suite of `commerce-testkit` is the same for both.
