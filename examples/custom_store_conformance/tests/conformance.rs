//! The store keeps the contract: one test per clause, by one macro call.

mod folder;

commerce_testkit::store_conformance!(folder::fresh);
