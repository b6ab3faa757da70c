//! Races through the whole library on PostgreSQL: stock, coupons, charges, callbacks, contention, clocks.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use commerce_testkit::conformance::Fixture;

async fn fresh() -> Fixture {
    server::timed_fixture(server::patient()).await
}

commerce_testkit::race_suites!(fresh, block_on = server::on_runtime);
