//! The tree of categories: a forest, one stream per shop.

pub mod command;
mod decide;
pub mod error;
pub mod event;
#[cfg(test)]
pub(crate) mod properties;
pub mod state;

pub use command::CategoryCommand;
pub use error::CategoryError;
pub use event::CategoryEvent;
pub use state::{Category, CategoryTree};
