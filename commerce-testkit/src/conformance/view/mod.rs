//! What the contract of the `ViewStore` port says, as named checks.

pub(crate) mod asking;
pub(crate) mod counting;
mod data;
mod list;
pub(crate) mod paging;
pub(crate) mod reading;
mod suite;
pub(crate) mod writing;

pub use list::view_checks;
pub use suite::{ViewCheck, ViewFixture, ViewReport, run_view, run_view_named, view};
