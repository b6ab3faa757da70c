//! What the shop sells: products with their variants and prices, and the tree of categories.
//!
//! A [`Product`] declares options, such as size and colour; each of its variants has one value for each
//! option, a SKU, and at most one price per currency. Products are drafted, published, taken back and
//! deleted; a deleted product, like a removed variant, keeps its id and stays readable, and is offered
//! to nobody. Stock is not kept here.
//!
//! The [`CategoryTree`] is one stream per shop, so that its shape is decided in one place. Whoever puts
//! a product into categories loads the tree too, asks [`CategoryTree::check`], and asserts the tree's
//! version in the same commit (`Batch::expect`). Deleting a category hands its products and children to
//! a successor: products keep the id they were given, and [`CategoryTree::resolve`] follows it. So one
//! event moves all of them at once, and none has to be counted.
//!
//! # Invariants
//!
//! - catalog-1: a price is not negative, and positive unless the command's policy allows free things.
//! - catalog-2: SKUs are unique among variants that are not removed, slugs among products not deleted.
//! - catalog-3: a product is in at least one category, which exists or has a successor that does.
//! - catalog-4: the categories form a forest, whatever is moved or deleted.
//! - catalog-5: a variant has one value per declared option, and no other variant has the same ones.
//! - catalog-6: what is published has a variant with a price.
//! - catalog-8: `PriceChanged` says old and new, and is emitted where they differ, and only there.
//! - catalog-10: what is deleted or removed keeps its id, stays readable and is offered to nobody.

pub mod category;
pub mod product;
#[cfg(test)]
pub(crate) mod properties;

pub use category::{Category, CategoryCommand, CategoryError, CategoryEvent, CategoryTree};
pub use product::{
    Attribute, ImageRef, Offer, Options, PricePolicy, Product, ProductCommand, ProductDetails, ProductError,
    ProductEvent, ProductStatus, Variant, VariantInput,
};

/// The scope of unique SKUs.
pub const SKU_SCOPE: &str = "sku";
/// The scope of unique slugs of products.
pub const PRODUCT_SLUG_SCOPE: &str = "product-slug";
