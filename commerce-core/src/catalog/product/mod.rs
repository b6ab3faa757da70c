//! Products, their variants and their prices.

pub mod command;
mod decide;
pub mod details;
pub mod error;
pub mod event;
pub mod state;
pub mod view;

pub use command::{PricePolicy, ProductCommand, VariantInput};
pub use details::{Attribute, ImageRef, Options, ProductDetails};
pub use error::ProductError;
pub use event::ProductEvent;
pub use state::{Product, ProductStatus, Variant};
pub use view::Offer;
