//! Every suite with what must hold, in one place: the list, and the tests that the macro writes.

use super::{Suite, charge, clock, contention, coupon, order, stock};

/// Hands the suites to another macro.
#[doc(hidden)]
#[macro_export]
macro_rules! __race_suites {
    ([$($with:tt)+] $context:tt) => { $($with)+! { $context
        { false stock g4_one_unit_has_one_buyer
            "Of 200 buyers at once for one unit exactly one gets it; the others are told that it is gone." }
        { false stock g4_every_unit_of_three_warehouses_is_sold_once
            "Of 1,000 buyers at once for 100 units in three places exactly 100 get one." }
        { false stock g4_two_lines_of_one_sku_count_together
            "Two lines of one SKU are held together or not at all." }
        { false stock g4_a_cart_gets_all_of_its_lines_or_none
            "Buyers of several SKUs in any order of lines get all of them or none, and nobody waits for ever." }
        { true stock g4_what_is_not_paid_is_sold_again
            "Units of buyers who do not pay come back and are sold once more." }
        { false coupon g5_a_coupon_for_one_is_used_once
            "Of 100 buyers at once a single-use coupon is used by one, counted from orders." }
        { false coupon g5_a_coupon_for_ten_is_used_ten_times
            "Of 100 buyers at once a coupon for ten is used by ten, counted from orders." }
        { false coupon g5_a_coupon_per_customer_is_used_once_by_each
            "Ten carts at once of each of ten customers use a coupon once per customer." }
        { false coupon g5_a_payment_that_fails_gives_its_use_back
            "A payment that fails gives its use back, and the buyer's own second try has it." }
        { true charge g6_one_charge_however_it_is_sent_and_answered
            "A checkout sent several times is charged at most once, however gateway and messages behave." }
        { true order g7_every_order_of_what_becomes_known
            "Answers, messages, cancelling and time in every order end the same, with fitting money." }
        { false contention g13_no_update_of_one_aggregate_is_lost
            "32 workers on one aggregate lose no update, and its versions have no gaps." }
        { false contention g13_no_update_of_many_aggregates_is_lost
            "32 workers on an aggregate each lose no update under injected failures." }
        { true clock g14_a_process_that_is_ahead_ends_nothing_early
            "Nothing ends before its time by the store's clock, whatever a process takes the time to be." }
        { true clock g14_a_process_that_is_behind_ends_what_is_due
            "What is due by the store's clock ends, whatever a process takes the time to be." }
        { true clock g14_a_clock_that_jumps_ends_everything_once
            "A clock that jumps and goes back ends everything once, and events keep their order." }
        { true clock g14_no_span_is_negative
            "A clock that goes back gives no negative span and ends no lease." }
    } };
}

/// Writes a test per suite.
#[doc(hidden)]
#[macro_export]
macro_rules! __race_tests {
    ([$factory:expr, $block_on:expr] $({ $clock:literal $group:ident $name:ident $about:literal })*) => { $(
        #[doc = $about]
        #[test]
        fn $name() {
            ($block_on)($crate::race::run_named(stringify!($name), $factory));
        }
    )* };
}

/// Writes one `#[test]` per race; see [`race`](crate::race) and [`store_conformance!`](crate::store_conformance).
#[macro_export]
macro_rules! race_suites {
    ($factory:expr $(,)?) => {
        $crate::race_suites!($factory, block_on = $crate::conformance::block_on);
    };
    ($factory:expr, block_on = $block_on:expr $(,)?) => {
        $crate::__race_suites!([$crate::__race_tests] [$factory, $block_on]);
    };
}

macro_rules! suites {
    ([] $({ $clock:literal $group:ident $name:ident $about:literal })*) => {
        vec![$(Suite {
            name: stringify!($name),
            about: $about,
            clock: $clock,
            run: |fixture| Box::pin($group::$name(fixture)),
        }),*]
    };
}

/// Every suite.
pub fn suites() -> Vec<Suite> {
    crate::__race_suites!([suites] [])
}
