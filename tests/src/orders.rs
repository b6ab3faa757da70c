//! Generated orders.
