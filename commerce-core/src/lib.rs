//! Commerce rules to embed: a shop that cannot oversell, cannot charge twice and loses no event.

pub mod app;
pub mod carts;
pub mod catalog;
pub mod checkout;
pub mod customers;
pub mod identity;
pub mod imports;
pub mod inventory;
pub mod kernel;
pub mod messaging;
#[cfg(feature = "mocks")]
pub mod mock;
pub mod notifications;
pub mod orders;
pub mod payments;
pub mod port;
pub mod prelude;
pub mod pricing;
pub mod promotions;
pub mod resilience;
pub mod returns;
pub mod settings;
pub mod shipping;
pub mod value;

#[cfg(test)]
mod history;

#[cfg(test)]
mod permission_coverage;
