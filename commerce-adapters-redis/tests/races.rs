//! Races through the whole library on Redis: stock, coupons, charges, callbacks, contention, clocks.

mod server;

use server::{on_runtime, timed_fixture};

commerce_testkit::race_suites!(timed_fixture, block_on = on_runtime);
