//! The adapter keeps the contracts of the ports, on a real server.

mod server;

use server::{fixture, on_runtime};

commerce_testkit::store_conformance!(fixture, block_on = on_runtime);
commerce_testkit::lease_conformance!(fixture, block_on = on_runtime);

mod timed {
    //! By a clock that the checks move.

    use super::server::{on_runtime, timed_fixture};

    commerce_testkit::store_conformance!(timed_fixture, block_on = on_runtime);
    commerce_testkit::lease_conformance!(timed_fixture, block_on = on_runtime);
}
