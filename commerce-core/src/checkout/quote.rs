//! From a cart to frozen prices: what the catalogue, the promotions and the settings make of it.

use std::collections::HashMap;
use std::sync::Arc;

use super::assessment::Assessment;
use super::error::{CheckoutError, Unavailable};
use crate::carts::{Cart, CartError};
use crate::catalog::{Offer, Product};
use crate::kernel::aggregate::Instance;
use crate::kernel::personal::Personal;
use crate::orders::OrderLine;
use crate::pricing::price;
use crate::settings::SettingsValues;
use crate::shipping::{RateBasis, RateError, RateQuote, quote as rates};
use crate::value::id::ProductId;
use crate::value::time::Timestamp;
use crate::value::{
    Address, Country, Money, Name, PriceBook, PriceRequestLine, PricingInput, PromotionRule, Quantity,
    ShippingCharge, Sku,
};

/// Everything that a price follows from.
#[derive(Debug)]
pub struct QuoteInput<'q> {
    /// What is bought.
    pub cart: &'q Cart,
    /// The products of its lines; one that is missing is not for sale.
    pub products: &'q HashMap<ProductId, Arc<Instance<Product>>>,
    /// The automatic promotions in force, and those of the cart's codes.
    pub promotions: Vec<PromotionRule>,
    /// How the shop sells.
    pub settings: &'q SettingsValues,
    /// What carriers and a tax service say of it.
    pub assessed: &'q Assessment,
    /// The present time.
    pub now: Timestamp,
}

/// What a cart costs, and what it becomes as an order.
#[derive(Debug, Clone)]
pub struct Quote {
    /// The prices.
    pub book: PriceBook,
    /// The lines, in the order of the book's.
    pub lines: Vec<OrderLine>,
}

impl Quote {
    /// Units of which stock is kept, per line.
    pub fn tracked(&self) -> impl Iterator<Item = (&Sku, Quantity)> {
        self.lines.iter().filter(|line| line.tracked).map(|line| (&line.sku, line.quantity))
    }

    /// Whether anything has to be sent.
    pub fn ships(&self) -> bool {
        self.lines.iter().any(|line| line.shippable)
    }
}

/// Prices a cart. Pure: equal inputs give equal quotes.
///
/// # Errors
///
/// [`CheckoutError`] for an empty cart, lines that cannot be bought, a currency or shipping method that
/// the shop does not offer, or amounts that do not fit.
pub fn quote(input: &QuoteInput<'_>) -> Result<Quote, CheckoutError> {
    let cart = input.cart;
    let (mut pricing, lines) = priced(input)?;
    let country = country(input);
    if lines.iter().any(|line| line.shippable) {
        pricing.shipping = shipping(input, &pricing)?;
    }
    pricing.promotions.clone_from(&input.promotions);
    pricing.requested_codes = cart.codes().cloned().collect();
    let levied = input.settings.taxes.iter().filter(|tax| tax.country.is_none() || tax.country == country);
    pricing.tax_rates = match &input.assessed.taxes {
        Some(taxes) => taxes.clone(),
        None => levied.map(|tax| tax.rate.clone()).collect(),
    };
    pricing.tax_mode = input.settings.tax_mode;
    pricing.rounding = input.settings.rounding;
    let book = price(&pricing)?;
    Ok(Quote { book, lines })
}

/// The lines at list prices, for pricing and for the order.
pub(super) fn priced(input: &QuoteInput<'_>) -> Result<(PricingInput, Vec<OrderLine>), CheckoutError> {
    let cart = input.cart;
    if cart.lines().is_empty() {
        return Err(CartError::Empty.into());
    }
    if !input.settings.currencies.contains(&cart.currency()) {
        return Err(CheckoutError::CurrencyNotOffered);
    }
    let mut pricing = PricingInput::new(cart.currency(), input.now);
    let mut lines = Vec::with_capacity(cart.lines().len());
    let mut missing = Vec::new();
    for line in cart.lines().iter() {
        let product = input.products.get(&line.product).and_then(|product| product.state.as_ref());
        let offered = product.and_then(|product| product.offer(line.variant, cart.currency()));
        let Some(offer) = offered else {
            let for_sale = product.is_some_and(|product| sells_elsewhere(product, line.variant));
            missing.push((line.id, if for_sale { Unavailable::NoPrice } else { Unavailable::NotForSale }));
            continue;
        };
        let set = line.price_override.as_ref();
        pricing.lines.push(PriceRequestLine {
            line: line.id,
            product: line.product,
            variant: line.variant,
            sku: offer.sku.clone(),
            categories: offer.categories.iter().copied().collect(),
            quantity: line.quantity,
            unit_price: set.map_or(offer.unit_price, |set| set.price),
            taxable: offer.tax_class.clone(),
            shippable: offer.shippable,
        });
        let variant_name = product.and_then(|product| variant_name(product, line.variant));
        lines.push(order_line(line, offer, variant_name));
    }
    if !missing.is_empty() {
        return Err(CheckoutError::Lines(missing));
    }
    Ok((pricing, lines))
}

fn country(input: &QuoteInput<'_>) -> Option<Country> {
    input.cart.shipping_address().and_then(Personal::get).map(Address::country)
}

/// Whether the variant is for sale in some currency: then only the price is missing.
fn sells_elsewhere(product: &Product, variant: crate::value::id::VariantId) -> bool {
    let prices = product.variants().get(&variant).map(|variant| variant.prices.as_slice());
    let first = prices.and_then(<[_]>::first);
    first.is_some_and(|price| product.offer(variant, price.currency()).is_some())
}

pub(super) fn variant_name(product: &Product, variant: crate::value::id::VariantId) -> Option<Name> {
    let options = &product.variants().get(&variant)?.options;
    let text: Vec<_> =
        options.iter().map(|(name, value)| format!("{}: {}", name.as_str(), value.as_str())).collect();
    Name::new(&text.join(", ")).ok()
}

fn order_line(line: &crate::carts::CartLine, offer: Offer, variant_name: Option<Name>) -> OrderLine {
    OrderLine {
        id: line.id.cast(),
        product: line.product,
        variant: line.variant,
        sku: offer.sku,
        name: offer.name,
        variant_name,
        seller: offer.seller,
        quantity: line.quantity,
        tracked: offer.tracked,
        shippable: offer.shippable,
        override_reason: line.price_override.as_ref().map(|set| set.reason.clone()),
    }
}

/// What sending costs. A shop without shipping methods and carriers sends for nothing.
fn shipping(input: &QuoteInput<'_>, pricing: &PricingInput) -> Result<Option<ShippingCharge>, CheckoutError> {
    if country(input).is_some() && input.settings.shipping.is_empty() && input.assessed.rates.is_none() {
        return Ok(None);
    }
    let offered = offered(input, pricing)?;
    let chosen = input.cart.shipping_method().ok_or(CheckoutError::NoShippingMethod)?;
    let rate = offered.into_iter().find(|rate| rate.method == *chosen);
    let rate = rate.ok_or(CheckoutError::NoShippingMethod)?;
    Ok(Some(ShippingCharge {
        method: rate.label,
        amount: rate.price,
        tax_class: input.settings.shipping_tax.clone(),
    }))
}

/// What is sent at list prices: its value, and the number of units.
pub(super) fn goods_value(
    input: &QuoteInput<'_>,
    pricing: &PricingInput,
) -> Result<(Money, u64), CheckoutError> {
    let (mut value, mut units) = (Money::zero(pricing.currency), 0_u64);
    for line in pricing.lines.iter().filter(|line| line.shippable) {
        let extended = line.unit_price.extend(line.quantity, input.settings.rounding.mode)?;
        value = value.checked_add(extended)?;
        units = units.saturating_add(u64::from(line.quantity.get()));
    }
    Ok((value, units))
}

/// As [`shipping_rates`], for lines that are priced.
fn offered(input: &QuoteInput<'_>, pricing: &PricingInput) -> Result<Vec<RateQuote>, CheckoutError> {
    let country = country(input).ok_or(CheckoutError::NoAddress)?;
    let (subtotal, quantity) = goods_value(input, pricing)?;
    let basis = RateBasis { country, subtotal, quantity };
    let own = &input.settings.shipping;
    let mut quotes = match rates(own, &basis, input.now, input.settings.hold()) {
        Ok(quotes) => quotes,
        Err(RateError::Undeliverable { .. } | RateError::NoRate) => Vec::new(),
        Err(_) => return Err(CheckoutError::NoShippingMethod),
    };
    let theirs = input.assessed.rates.iter().flatten();
    let theirs = theirs.filter(|rate| own.iter().all(|method| method.code != rate.method));
    quotes.extend(theirs.map(|rate| RateQuote {
        method: rate.method.clone(),
        label: rate.label.clone(),
        price: rate.price,
        days: rate.days,
        expires_at: input.now.plus(input.settings.hold()),
    }));
    quotes.sort_by(RateQuote::by_price);
    Ok(quotes)
}

/// The ways to send a cart, cheapest first: the shop's own methods, then what carriers offer under other
/// codes. Empty where nothing is sent.
///
/// # Errors
///
/// [`CheckoutError`], as [`quote`] refuses the cart; that no method was chosen is no error.
pub fn shipping_rates(input: &QuoteInput<'_>) -> Result<Vec<RateQuote>, CheckoutError> {
    let (pricing, lines) = priced(input)?;
    if lines.iter().any(|line| line.shippable) { offered(input, &pricing) } else { Ok(Vec::new()) }
}
