//! What the contract of the `ViewStore` port says, as named checks.

pub(crate) mod asking;
pub(crate) mod counting;
mod data;
mod fixture;
mod list;
pub(crate) mod paging;
pub(crate) mod reading;
pub(crate) mod writing;

pub use fixture::ViewFixture;
pub use list::view_checks;
