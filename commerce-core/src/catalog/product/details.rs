//! What is said about a product.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::error::ProductError;
use crate::value::id::BrandId;
use crate::value::{Code, Description, Name, TaxClass, Text};

/// The value of an attribute.
pub type Attribute = Text<500>;
/// Where a picture lies: a key or an address that the host understands.
pub type ImageRef = Text<500>;
/// The values of a variant, by the name of the option.
pub type Options = BTreeMap<Code, Code>;

/// What is said about a product, and how it is taxed and sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProductDetails {
    /// Its name.
    pub name: Name,
    /// Its description.
    #[serde(default)]
    pub description: Option<Description>,
    /// Who makes it.
    #[serde(default)]
    pub brand: Option<BrandId>,
    /// Facts about it, by name.
    #[serde(default)]
    pub attributes: BTreeMap<Code, Attribute>,
    /// Words to find it by.
    #[serde(default)]
    pub tags: BTreeSet<Code>,
    /// Pictures, the main one first.
    #[serde(default)]
    pub images: Vec<ImageRef>,
    /// Whether the shop puts it forward.
    #[serde(default)]
    pub featured: bool,
    /// Which tax rates apply.
    #[serde(default)]
    pub tax_class: TaxClass,
    /// Whether stock is kept of it.
    pub tracked: bool,
    /// Whether it is sent to somebody.
    pub shippable: bool,
}

impl ProductDetails {
    /// The most attributes, tags and pictures, each.
    pub const MAX_ENTRIES: usize = 100;

    /// A tracked thing that is sent, with nothing said about it but its name.
    pub const fn new(name: Name) -> Self {
        Self {
            name,
            description: None,
            brand: None,
            attributes: BTreeMap::new(),
            tags: BTreeSet::new(),
            images: Vec::new(),
            featured: false,
            tax_class: TaxClass::Standard,
            tracked: true,
            shippable: true,
        }
    }

    pub(super) fn check(&self) -> Result<(), ProductError> {
        let most = self.attributes.len().max(self.tags.len()).max(self.images.len());
        if most > Self::MAX_ENTRIES {
            return Err(ProductError::TooMany { what: "attributes, tags or images", max: Self::MAX_ENTRIES });
        }
        Ok(())
    }
}
