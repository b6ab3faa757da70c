//! What the contracts of the ports say, as named checks that every adapter runs.
//!
//! One check per clause. An adapter author writes one line and gets a test per clause:
//!
//! ```no_run
//! # mod my {
//! #     use commerce_core::port::store::Store;
//! #     pub async fn store() -> std::sync::Arc<dyn Store> {
//! #         std::sync::Arc::new(commerce_adapters_memory::MemoryStore::new())
//! #     }
//! # }
//! commerce_testkit::store_conformance!(|| async { my::store().await });
//! ```
//!
//! Checks that a store's [`Capabilities`](commerce_core::port::store::Capabilities) exclude, or that another
//! port's fixture does not know how to provoke, are skipped by name, see [`Report`] and [`PortReport`].

mod assessing;
mod cache;
mod exec;
mod fixture;
mod gateway;
mod lease;
mod limits;
mod list;
mod messages;
pub(crate) mod outcome;
mod platform;
mod report;
mod sessions;
mod store;
mod subscriber;
mod suite;
mod view;

pub use assessing::{CarrierFixture, TaxFixture, carrier_checks, tax_checks};
pub use cache::{CacheFixture, cache_checks};
pub use exec::{Task, block_on};
pub use fixture::Fixture;
pub use gateway::{GatewayFixture, gateway_checks};
pub use limits::{RateLimiterFixture, rate_limiter_checks};
pub use list::{lease_checks, store_checks};
pub use messages::{NotifierFixture, PublisherFixture, notifier_checks, publisher_checks};
pub use outcome::{Failure, Outcome};
pub use platform::platform_checks;
pub use report::{Check, Need, Report, Verdict, lease, run, run_named, store};
pub use sessions::{SessionFixture, session_checks};
pub use subscriber::{SubscriberFixture, subscriber_checks};
pub use suite::{PortCheck, PortFixture, PortReport, port, run_port, run_port_named};
pub use view::{ViewFixture, view_checks};
