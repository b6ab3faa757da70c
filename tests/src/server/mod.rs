//! Private servers for tests: started where none is named, gone with the test run.
//!
//! Nothing here is skipped silently: where a server cannot be had, the test fails with what to install.

mod account;
mod cluster;
mod pair;
mod postgres;
mod redis;
mod shared;

pub use cluster::Cluster;
pub use pair::Pair;
pub use postgres::{Database, URL_VARIABLE};
pub use redis::{REDIS_VARIABLE, Redis};
