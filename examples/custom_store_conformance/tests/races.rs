//! Buyers, answers and clocks against each other on the disk: one test per race, by one macro call.

mod folder;

commerce_testkit::race_suites!(folder::fresh);
