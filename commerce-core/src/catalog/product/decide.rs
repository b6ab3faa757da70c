//! What a command leads to.

use std::collections::{BTreeMap, BTreeSet};

use super::command::{PricePolicy, ProductCommand, VariantInput};
use super::details::ProductDetails;
use super::error::ProductError;
use super::event::ProductEvent;
use super::state::{Product, ProductStatus, Variant};
use crate::value::id::{CategoryId, VariantId};
use crate::value::{Code, Currency, Price, Slug};

type Decision = Result<Vec<ProductEvent>, ProductError>;

const MAX_OPTIONS: usize = 10;
const MAX_VARIANTS: usize = 2_000;
const MAX_CATEGORIES: usize = 50;

pub(super) fn decide(state: Option<&Product>, command: ProductCommand) -> Decision {
    let Some(product) = state else { return create(command) };
    match (product.status, command) {
        (_, ProductCommand::Create { .. }) => Err(ProductError::AlreadyExists),
        (ProductStatus::Deleted, ProductCommand::Delete) => Ok(Vec::new()),
        (ProductStatus::Deleted, _) => Err(ProductError::Deleted),
        (_, command) => product.decide_living(command),
    }
}

fn create(command: ProductCommand) -> Decision {
    let ProductCommand::Create { product, seller, slug, details, options, categories, variants, prices } =
        command
    else {
        return Err(ProductError::NotFound);
    };
    details.check()?;
    check_options(&options)?;
    check_categories(&categories)?;
    let mut known = BTreeMap::new();
    let mut added = Vec::new();
    for variant in variants {
        added.extend(add_variant(&mut known, &options, variant, prices)?);
    }
    let mut events = vec![ProductEvent::Created { product, seller, slug, details, options, categories }];
    events.append(&mut added);
    Ok(events)
}

fn check_options(options: &[Code]) -> Result<(), ProductError> {
    if options.len() > MAX_OPTIONS {
        return Err(ProductError::TooMany { what: "options", max: MAX_OPTIONS });
    }
    let mut seen = BTreeSet::new();
    match options.iter().find(|option| !seen.insert(*option)) {
        Some(option) => Err(ProductError::OptionTwice { option: option.clone() }),
        None => Ok(()),
    }
}

fn check_categories(categories: &BTreeSet<CategoryId>) -> Result<(), ProductError> {
    if categories.is_empty() {
        return Err(ProductError::NoCategory);
    }
    if categories.len() > MAX_CATEGORIES {
        return Err(ProductError::TooMany { what: "categories", max: MAX_CATEGORIES });
    }
    Ok(())
}

fn check_price(price: Price, policy: PricePolicy) -> Result<(), ProductError> {
    if price.is_zero() && policy == PricePolicy::Positive { Err(ProductError::FreeRefused) } else { Ok(()) }
}

/// Adds a variant to the known ones, so that the next of the same command is compared with it too.
fn add_variant(
    known: &mut BTreeMap<VariantId, Variant>,
    declared: &[Code],
    input: VariantInput,
    policy: PricePolicy,
) -> Decision {
    let VariantInput { id, sku, options, prices } = input;
    if known.contains_key(&id) {
        return Err(ProductError::VariantExists { variant: id });
    }
    if known.len() >= MAX_VARIANTS {
        return Err(ProductError::TooMany { what: "variants", max: MAX_VARIANTS });
    }
    if let Some(option) = declared.iter().find(|option| !options.contains_key(*option)) {
        return Err(ProductError::OptionMissing { option: option.clone() });
    }
    if let Some(option) = options.keys().find(|option| !declared.contains(option)) {
        return Err(ProductError::OptionUnknown { option: option.clone() });
    }
    for (variant, other) in known.iter().filter(|(_, other)| !other.removed) {
        if other.options == options {
            return Err(ProductError::SameOptions { variant: *variant });
        }
        if other.sku == sku {
            return Err(ProductError::SkuTaken { sku });
        }
    }
    let mut events =
        vec![ProductEvent::VariantAdded { variant: id, sku: sku.clone(), options: options.clone() }];
    let mut variant = Variant { sku, options, prices: Vec::new(), removed: false };
    for price in prices {
        check_price(price, policy)?;
        let currency = price.currency();
        if variant.price(currency).is_some() {
            return Err(ProductError::CurrencyTwice { currency });
        }
        variant.prices.push(price);
        events.push(ProductEvent::PriceChanged { variant: id, currency, old: None, new: Some(price) });
    }
    known.insert(id, variant);
    Ok(events)
}

impl Product {
    fn decide_living(&self, command: ProductCommand) -> Decision {
        match command {
            ProductCommand::Create { .. } => Err(ProductError::AlreadyExists),
            ProductCommand::Update { slug, details } => self.update(slug, details),
            ProductCommand::AddVariant { variant, prices } => {
                add_variant(&mut self.variants.clone(), &self.options, variant, prices)
            }
            ProductCommand::RemoveVariant { variant } => self.remove_variant(variant),
            ProductCommand::SetPrice { variant, price, prices } => {
                check_price(price, prices)?;
                self.change_price(variant, price.currency(), Some(price))
            }
            ProductCommand::ClearPrice { variant, currency } => self.change_price(variant, currency, None),
            ProductCommand::AssignCategories { categories } => self.assign(categories),
            ProductCommand::Publish if self.status == ProductStatus::Published => Ok(Vec::new()),
            ProductCommand::Publish if !self.variants.values().any(Variant::sells) => {
                Err(ProductError::NothingToSell)
            }
            ProductCommand::Publish => Ok(vec![ProductEvent::Published]),
            ProductCommand::Unpublish if self.status == ProductStatus::Draft => Ok(Vec::new()),
            ProductCommand::Unpublish => Ok(vec![ProductEvent::Unpublished]),
            ProductCommand::Delete => Ok(vec![self.delete()]),
        }
    }

    fn update(&self, slug: Slug, details: Box<ProductDetails>) -> Decision {
        details.check()?;
        if slug == self.slug && details == self.details {
            return Ok(Vec::new());
        }
        Ok(vec![ProductEvent::Updated { old_slug: self.slug.clone(), slug, details }])
    }

    fn living(&self, variant: VariantId) -> Result<&Variant, ProductError> {
        let found = self.variants.get(&variant).filter(|known| !known.removed);
        found.ok_or(ProductError::NoVariant { variant })
    }

    /// A published product keeps a variant with a price besides the one that changes.
    fn sells_without(&self, variant: VariantId) -> Result<(), ProductError> {
        let others = self.variants.iter().any(|(id, other)| *id != variant && other.sells());
        if self.status == ProductStatus::Published && !others {
            return Err(ProductError::NothingToSell);
        }
        Ok(())
    }

    fn remove_variant(&self, variant: VariantId) -> Decision {
        let sku = self.living(variant)?.sku.clone();
        self.sells_without(variant)?;
        Ok(vec![ProductEvent::VariantRemoved { variant, sku }])
    }

    fn change_price(&self, variant: VariantId, currency: Currency, new: Option<Price>) -> Decision {
        let known = self.living(variant)?;
        let old = known.price(currency);
        if old == new {
            return Ok(Vec::new());
        }
        if new.is_none() && known.prices.len() == 1 {
            self.sells_without(variant)?;
        }
        Ok(vec![ProductEvent::PriceChanged { variant, currency, old, new }])
    }

    fn assign(&self, categories: BTreeSet<CategoryId>) -> Decision {
        check_categories(&categories)?;
        if categories == self.categories {
            return Ok(Vec::new());
        }
        Ok(vec![ProductEvent::CategoriesAssigned { old: self.categories.clone(), new: categories }])
    }

    fn delete(&self) -> ProductEvent {
        let living = self.variants.values().filter(|variant| !variant.removed);
        let skus = living.map(|variant| variant.sku.clone()).collect();
        ProductEvent::Deleted { slug: self.slug.clone(), skus }
    }
}
