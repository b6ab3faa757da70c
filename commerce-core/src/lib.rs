//! Commerce rules to embed: a shop that cannot oversell, cannot charge twice and loses no event.

pub mod app;
pub mod identity;
pub mod inventory;
pub mod kernel;
pub mod orders;
pub mod payments;
pub mod port;
pub mod pricing;
pub mod value;

// From the cart to the door and back.
pub mod carts;
#[cfg(test)]
mod history;
