//! Cache, sessions, rate limits, leases, streams and live push of `commerce-core` on Redis.
//!
//! **Nothing is implemented yet.** This crate will hold:
//!
//! - the second cache level, rate limiter, session store and fenced leases;
//! - publisher and subscriber on Redis Streams, with dead letters and order per aggregate;
//! - live push of stock and order status;
//! - `RedisStore`: the five storage primitives by validate-then-write scripts, for those who run Redis
//!   with persistence and without eviction; it will refuse to start on a server that can lose data.
//!
//! Until then use `commerce-adapters-memory`, which is the reference for what this crate must do.
