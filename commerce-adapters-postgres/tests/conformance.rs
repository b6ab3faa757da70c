//! The adapter keeps the contracts of the ports, on a real server.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod server;

use commerce_testkit::conformance::Fixture;

async fn fresh() -> Fixture {
    server::fixture(server::patient()).await
}

commerce_testkit::store_conformance!(fresh, block_on = server::on_runtime);
commerce_testkit::lease_conformance!(fresh, block_on = server::on_runtime);

mod one_by_one {
    //! Without coalescing every commit is a call of its own; the contracts are the same. Here the checks
    //! move the clock too, by which timers and leases are judged.

    use super::*;

    async fn fresh() -> Fixture {
        server::timed_fixture(server::patient().without_coalescing()).await
    }

    commerce_testkit::store_conformance!(fresh, block_on = server::on_runtime);
    commerce_testkit::lease_conformance!(fresh, block_on = server::on_runtime);
}
