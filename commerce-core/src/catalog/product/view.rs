//! What carts and pricing see of a product.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::state::{Product, ProductStatus};
use crate::value::id::{CategoryId, ProductId, SellerId, VariantId};
use crate::value::{Currency, Name, Price, Sku, TaxClass};

/// A variant as it can be bought now, in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The product.
    pub product: ProductId,
    /// The variant.
    pub variant: VariantId,
    /// Its code.
    pub sku: Sku,
    /// The name of the product.
    pub name: Name,
    /// Whose it is.
    pub seller: Option<SellerId>,
    /// The price of one unit.
    pub unit_price: Price,
    /// Which tax rates apply.
    pub tax_class: TaxClass,
    /// Whether stock is kept of it.
    pub tracked: bool,
    /// Whether it is sent to somebody.
    pub shippable: bool,
    /// The categories that the product was put into.
    pub categories: BTreeSet<CategoryId>,
}

impl Product {
    /// The variant as it can be bought; `None` where it is not published, removed or has no price.
    pub fn offer(&self, variant: VariantId, currency: Currency) -> Option<Offer> {
        let known = self.variants.get(&variant).filter(|known| !known.removed)?;
        if self.status != ProductStatus::Published {
            return None;
        }
        Some(Offer {
            product: self.id,
            variant,
            sku: known.sku.clone(),
            name: self.details.name.clone(),
            seller: self.seller,
            unit_price: known.price(currency)?,
            tax_class: self.details.tax_class.clone(),
            tracked: self.details.tracked,
            shippable: self.details.shippable,
            categories: self.categories.clone(),
        })
    }
}
