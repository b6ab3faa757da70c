//! Commerce rules to embed: a shop that cannot oversell, cannot charge twice and loses no event.

pub mod kernel;
pub mod port;
pub mod value;

// From the cart to the door and back.
pub mod carts;
#[cfg(test)]
mod history;
pub mod notifications;
pub mod promotions;
pub mod returns;
pub mod shipping;
