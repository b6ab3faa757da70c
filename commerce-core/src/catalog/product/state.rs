//! A product, folded from what happened.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::command::ProductCommand;
use super::decide;
use super::details::{Options, ProductDetails};
use super::error::ProductError;
use super::event::ProductEvent;
use crate::catalog::{PRODUCT_SLUG_SCOPE, SKU_SCOPE};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::value::actor::Owner;
use crate::value::id::{CategoryId, Id, ProductId, SellerId, VariantId, marker};
use crate::value::time::Timestamp;
use crate::value::{Code, Currency, Price, Sku, Slug};

/// Whether a product is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProductStatus {
    /// Not offered.
    Draft,
    /// Offered.
    Published,
    /// Deleted, still readable.
    Deleted,
}

/// A variant of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its code.
    pub sku: Sku,
    /// Its values, one per declared option.
    pub options: Options,
    /// Its prices, one per currency.
    pub prices: Vec<Price>,
    /// Whether it was taken off sale for good.
    pub removed: bool,
}

impl Variant {
    /// Its price in a currency.
    pub fn price(&self, currency: Currency) -> Option<Price> {
        self.prices.iter().find(|price| price.currency() == currency).copied()
    }

    pub(super) fn sells(&self) -> bool {
        !self.removed && !self.prices.is_empty()
    }
}

/// A product. The invariants are those of the [context](crate::catalog).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Product {
    pub(super) id: ProductId,
    pub(super) seller: Option<SellerId>,
    pub(super) status: ProductStatus,
    pub(super) slug: Slug,
    pub(super) details: Box<ProductDetails>,
    pub(super) options: Vec<Code>,
    pub(super) categories: BTreeSet<CategoryId>,
    pub(super) variants: BTreeMap<VariantId, Variant>,
}

impl Product {
    /// Which it is.
    pub const fn id(&self) -> ProductId {
        self.id
    }

    /// Whose it is; the shop's where nobody is named.
    pub const fn seller(&self) -> Option<SellerId> {
        self.seller
    }

    /// Whether it is offered.
    pub const fn status(&self) -> ProductStatus {
        self.status
    }

    /// Its place on the web.
    pub const fn slug(&self) -> &Slug {
        &self.slug
    }

    /// What is said about it.
    pub fn details(&self) -> &ProductDetails {
        &self.details
    }

    /// The options in which its variants differ.
    pub fn options(&self) -> &[Code] {
        &self.options
    }

    /// The categories that it was put into; `CategoryTree::resolve` says where they are today.
    pub const fn categories(&self) -> &BTreeSet<CategoryId> {
        &self.categories
    }

    /// Its variants, removed ones too.
    pub const fn variants(&self) -> &BTreeMap<VariantId, Variant> {
        &self.variants
    }

    fn created(event: &ProductEvent) -> Result<Self, EvolveError> {
        let ProductEvent::Created { product, seller, slug, details, options, categories } = event else {
            return Err(EvolveError::of(event));
        };
        Ok(Self {
            id: *product,
            seller: *seller,
            status: ProductStatus::Draft,
            slug: slug.clone(),
            details: details.clone(),
            options: options.clone(),
            categories: categories.clone(),
            variants: BTreeMap::new(),
        })
    }

    /// Applies an event behind the first; `None` where it cannot follow.
    fn apply(&mut self, event: &ProductEvent) -> Option<()> {
        match event {
            ProductEvent::Created { .. } => return None,
            ProductEvent::Updated { slug, details, .. } => {
                self.slug = slug.clone();
                self.details.clone_from(details);
            }
            ProductEvent::VariantAdded { variant, sku, options } => {
                let (sku, options) = (sku.clone(), options.clone());
                let added = Variant { sku, options, prices: Vec::new(), removed: false };
                if self.variants.insert(*variant, added).is_some() {
                    return None;
                }
            }
            ProductEvent::VariantRemoved { variant, .. } => self.variants.get_mut(variant)?.removed = true,
            ProductEvent::PriceChanged { variant, currency, new, .. } => {
                let prices = &mut self.variants.get_mut(variant)?.prices;
                prices.retain(|price| price.currency() != *currency);
                prices.extend(new);
            }
            ProductEvent::CategoriesAssigned { new, .. } => self.categories.clone_from(new),
            ProductEvent::Published => self.status = ProductStatus::Published,
            ProductEvent::Unpublished => self.status = ProductStatus::Draft,
            ProductEvent::Deleted { .. } => self.status = ProductStatus::Deleted,
        }
        Some(())
    }
}

impl Aggregate for Product {
    const NAME: &'static str = "product";

    type Root = marker::Product;
    type Command = ProductCommand;
    type Event = ProductEvent;
    type Error = ProductError;

    fn decide(
        state: Option<&Self>,
        command: ProductCommand,
        _now: Timestamp,
    ) -> Result<Vec<ProductEvent>, ProductError> {
        decide::decide(state, command)
    }

    fn evolve(state: Option<Self>, event: &ProductEvent) -> Result<Self, EvolveError> {
        let Some(mut product) = state else { return Self::created(event) };
        product.apply(event).ok_or_else(|| EvolveError::of(event))?;
        Ok(product)
    }

    fn effects(_id: Id<Self::Root>, event: &ProductEvent) -> Effects {
        let none = Effects::none();
        match event {
            ProductEvent::Created { slug, .. } => none.claim(PRODUCT_SLUG_SCOPE, slug.as_str()),
            ProductEvent::Updated { old_slug, slug, .. } if old_slug != slug => {
                none.release(PRODUCT_SLUG_SCOPE, old_slug.as_str()).claim(PRODUCT_SLUG_SCOPE, slug.as_str())
            }
            ProductEvent::VariantAdded { sku, .. } => none.claim(SKU_SCOPE, sku.as_str()),
            ProductEvent::VariantRemoved { sku, .. } => none.release(SKU_SCOPE, sku.as_str()),
            ProductEvent::Deleted { slug, skus } => {
                skus.iter().fold(none.release(PRODUCT_SLUG_SCOPE, slug.as_str()), |effects, sku| {
                    effects.release(SKU_SCOPE, sku.as_str())
                })
            }
            _ => none,
        }
    }

    fn owner(&self) -> Owner {
        self.seller.map_or(Owner::Shop, Owner::Seller)
    }
}
