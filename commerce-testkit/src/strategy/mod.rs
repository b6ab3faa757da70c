//! Generators for property tests.
//!
//! A module per level: [`value`] makes values and the texts they are read from, [`pricing`] carts with their
//! promotions and taxes, [`kernel`] what stores see. What stores see is drawn from small sets of names, so that commits meet one another.

pub mod history;
pub mod kernel;
pub mod pricing;
pub mod value;
