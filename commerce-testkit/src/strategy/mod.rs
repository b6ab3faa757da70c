//! Generators for property tests.
//!
//! A module per level: [`kernel`] makes what stores see. Everything is drawn from small sets of names,
//! so that commits meet one another.

pub mod kernel;
