//! What can happen to a product.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::details::{Options, ProductDetails};
use crate::value::id::{CategoryId, ProductId, SellerId, VariantId};
use crate::value::{Code, Currency, Price, Sku, Slug};

/// What can happen to a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ProductEvent {
    /// It was drafted.
    Created {
        /// Which.
        product: ProductId,
        /// Whose it is.
        seller: Option<SellerId>,
        /// The slug taken.
        slug: Slug,
        /// What is said about it.
        details: Box<ProductDetails>,
        /// The options that it declares.
        options: Vec<Code>,
        /// Where it is found.
        categories: BTreeSet<CategoryId>,
    },
    /// What is said about it changed.
    Updated {
        /// The slug given up, where it differs.
        old_slug: Slug,
        /// The slug taken, where it differs.
        slug: Slug,
        /// What is said now.
        details: Box<ProductDetails>,
    },
    /// A variant was added; its prices follow as events of their own.
    VariantAdded {
        /// Its id.
        variant: VariantId,
        /// The SKU taken.
        sku: Sku,
        /// Its values.
        options: Options,
    },
    /// A variant was taken off sale for good.
    VariantRemoved {
        /// Which.
        variant: VariantId,
        /// The SKU given up.
        sku: Sku,
    },
    /// The price of a variant in one currency changed.
    PriceChanged {
        /// Of which.
        variant: VariantId,
        /// The currency.
        currency: Currency,
        /// The price before, where there was one.
        old: Option<Price>,
        /// The price now, where there is one.
        new: Option<Price>,
    },
    /// It moved to other categories.
    CategoriesAssigned {
        /// Where it was found.
        old: BTreeSet<CategoryId>,
        /// Where it is found.
        new: BTreeSet<CategoryId>,
    },
    /// It is offered.
    Published,
    /// It was taken back.
    Unpublished,
    /// It was deleted.
    Deleted {
        /// The slug given up.
        slug: Slug,
        /// The SKUs given up.
        skus: Vec<Sku>,
    },
}

crate::event_types! {
    ProductEvent {
        Created => "ProductCreated" v1,
        Updated => "ProductUpdated" v1,
        VariantAdded => "ProductVariantAdded" v1,
        VariantRemoved => "ProductVariantRemoved" v1,
        PriceChanged => "PriceChanged" v1,
        CategoriesAssigned => "ProductCategoriesAssigned" v1,
        Published => "ProductPublished" v1,
        Unpublished => "ProductUnpublished" v1,
        Deleted => "ProductDeleted" v1,
    }
}
