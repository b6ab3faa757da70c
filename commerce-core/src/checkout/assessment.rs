//! What carriers and a tax service are asked about a cart, and whether their answers can be used.

use std::collections::BTreeSet;

use super::error::CheckoutError;
use super::quote::{QuoteInput, goods_value, priced};
use crate::kernel::error::{Effect, PortError, PortErrorKind};
use crate::kernel::personal::Personal;
use crate::port::carrier::{CarrierRate, RateRequest};
use crate::port::tax::TaxRequest;
use crate::value::{Code, Currency, TaxRate};

/// What others say of a cart; nothing where the shop asks nobody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Assessment {
    /// The ways to send it that carriers offer; `None` where the shop has no carrier.
    pub rates: Option<Vec<CarrierRate>>,
    /// The taxes on it; `None` where the rules in the settings say which.
    pub taxes: Option<Vec<TaxRate>>,
}

/// What a carrier is asked; `None` where nothing is sent, or nobody knows where to.
///
/// # Errors
///
/// [`CheckoutError`], as [`quote`](super::quote::quote) refuses the cart.
pub fn rate_request(input: &QuoteInput<'_>) -> Result<Option<RateRequest>, CheckoutError> {
    let (pricing, _) = priced(input)?;
    let Some(to) = input.cart.shipping_address().and_then(Personal::get) else { return Ok(None) };
    let sent = pricing.lines.iter().filter(|line| line.shippable);
    let goods: Vec<_> = sent.map(|line| (line.sku.clone(), line.quantity)).collect();
    if goods.is_empty() {
        return Ok(None);
    }
    let (subtotal, _) = goods_value(input, &pricing)?;
    Ok(Some(RateRequest { to: to.into(), subtotal, goods }))
}

/// Whether only a carrier can say what the chosen way of sending costs.
pub fn chosen_of_a_carrier(input: &QuoteInput<'_>) -> bool {
    let own = |code: &Code| input.settings.shipping.iter().any(|method| method.code == *code);
    input.cart.shipping_method().is_some_and(|chosen| !own(chosen))
}

/// What a tax service is asked.
///
/// # Errors
///
/// [`CheckoutError`], as [`quote`](super::quote::quote) refuses the cart.
pub fn tax_request(input: &QuoteInput<'_>) -> Result<TaxRequest, CheckoutError> {
    let (pricing, _) = priced(input)?;
    let mut classes: BTreeSet<_> = pricing.lines.iter().map(|line| line.taxable.clone()).collect();
    if pricing.lines.iter().any(|line| line.shippable) {
        classes.insert(input.settings.shipping_tax.clone());
    }
    let to = input.cart.shipping_address().and_then(Personal::get).map(Into::into);
    let classes = classes.into_iter().collect();
    Ok(TaxRequest { to, classes, currency: input.cart.currency(), at: input.now })
}

/// Rates that keep the contract of the port.
///
/// # Errors
///
/// [`PortError`] where one is in another currency or negative, or a code is there twice.
pub fn checked_rates(rates: Vec<CarrierRate>, currency: Currency) -> Result<Vec<CarrierRate>, PortError> {
    let mut codes = BTreeSet::new();
    let sound = |rate: &CarrierRate| rate.price.currency() == currency && !rate.price.is_negative();
    if rates.iter().all(|rate| sound(rate) && codes.insert(&rate.method)) {
        return Ok(rates);
    }
    Err(PortError::new(PortErrorKind::Corrupt, Effect::None, "carrier", "rates"))
}

/// Taxes that keep the contract of the port.
///
/// # Errors
///
/// [`PortError`] where one is of a class that was not asked for, or a name is there twice in a class.
pub fn checked_taxes(rates: Vec<TaxRate>, asked: &TaxRequest) -> Result<Vec<TaxRate>, PortError> {
    let mut names = BTreeSet::new();
    let sound = |rate: &TaxRate| asked.classes.contains(&rate.class);
    if rates.iter().all(|rate| sound(rate) && names.insert((&rate.class, &rate.name))) {
        return Ok(rates);
    }
    Err(PortError::new(PortErrorKind::Corrupt, Effect::None, "tax calculator", "rates"))
}
