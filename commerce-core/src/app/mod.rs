//! The facade: what an embedding application calls.
//!
//! Asynchronous and without a runtime: every future is `Send` and runs wherever the host polls it.

mod assess;
pub mod audit;
mod begin;
mod cache;
pub mod caching;
pub mod callback;
pub mod checkout;
pub mod commerce;
mod commit;
pub mod consumer;
mod drive;
mod erase;
pub mod error;
pub mod execute;
mod gateway;
mod idle_carts;
pub mod import;
mod lag;
pub mod log;
mod notify;
mod observing;
mod offers;
pub mod operations;
mod parked;
pub mod query;
pub mod reading;
pub mod receiver;
pub mod relay;
mod running;
mod sharing;
pub mod shopfront;
pub mod stock_watch;
pub mod timers;
pub mod views;
pub mod visitors;
