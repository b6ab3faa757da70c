//! What can be asked of a product.

use serde::Serialize;
use std::collections::BTreeSet;

use super::details::{Options, ProductDetails};
use super::state::Product;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::actor::Owner;
use crate::value::id::{CategoryId, ProductId, SellerId, VariantId};
use crate::value::{Code, Currency, Price, Sku, Slug};

/// Whether things may be free.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub enum PricePolicy {
    /// Every price is above zero.
    #[default]
    Positive,
    /// A price may be zero.
    FreeAllowed,
}

/// A variant to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VariantInput {
    /// Its id.
    pub id: VariantId,
    /// Its code, for good.
    pub sku: Sku,
    /// One value for each option that the product declares.
    pub options: Options,
    /// Its prices, at most one per currency.
    pub prices: Vec<Price>,
}

/// What can be asked of a product.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub enum ProductCommand {
    /// Drafts a product. The categories were checked against the tree, whose version is asserted.
    Create {
        /// The id of the aggregate.
        product: ProductId,
        /// Whose it is; the shop's where nobody is named.
        seller: Option<SellerId>,
        /// Its place on the web.
        slug: Slug,
        /// What is said about it.
        details: Box<ProductDetails>,
        /// The options in which its variants differ, for good.
        options: Vec<Code>,
        /// Where it is found.
        categories: BTreeSet<CategoryId>,
        /// The first variants.
        variants: Vec<VariantInput>,
        /// The shop's policy.
        prices: PricePolicy,
    },
    /// Replaces what is said about it.
    Update {
        /// Its place on the web.
        slug: Slug,
        /// What is said about it.
        details: Box<ProductDetails>,
    },
    /// Adds a variant.
    AddVariant {
        /// Which.
        variant: VariantInput,
        /// The shop's policy.
        prices: PricePolicy,
    },
    /// Takes a variant off sale for good; its SKU becomes free.
    RemoveVariant {
        /// Which.
        variant: VariantId,
    },
    /// Sets the price of a variant in one currency.
    SetPrice {
        /// Of which.
        variant: VariantId,
        /// The new price.
        price: Price,
        /// The shop's policy.
        prices: PricePolicy,
    },
    /// Takes a variant off sale in one currency.
    ClearPrice {
        /// Which.
        variant: VariantId,
        /// The currency.
        currency: Currency,
    },
    /// Puts it into other categories. They were checked against the tree, whose version is asserted.
    AssignCategories {
        /// All of them.
        categories: BTreeSet<CategoryId>,
    },
    /// Offers it.
    Publish,
    /// Takes it back.
    Unpublish,
    /// Deletes it; its slug and SKUs become free.
    Delete,
}

impl Command for ProductCommand {
    type Target = Product;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Create { .. } => "create",
            Self::Update { .. } => "update",
            Self::AddVariant { .. } => "add-variant",
            Self::RemoveVariant { .. } => "remove-variant",
            Self::SetPrice { .. } | Self::ClearPrice { .. } => "set-price",
            Self::AssignCategories { .. } => "assign-categories",
            Self::Publish => "publish",
            Self::Unpublish => "unpublish",
            Self::Delete => "delete",
        };
        Permission::new(Product::NAME, action)
    }

    fn claims_owner(&self) -> Option<Owner> {
        match self {
            Self::Create { seller, .. } => Some(seller.map_or(Owner::Shop, Owner::Seller)),
            _ => None,
        }
    }
}
