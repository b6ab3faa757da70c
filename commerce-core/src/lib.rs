//! Commerce rules to embed: a shop that cannot oversell, cannot charge twice and loses no event.

pub mod catalog;
pub mod customers;
pub mod identity;
pub mod kernel;
pub mod port;
pub mod value;

#[cfg(test)]
mod permission_coverage;
