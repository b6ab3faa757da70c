//! Asks carriers and a tax service about a cart, before it is priced.

use std::sync::Arc;

use super::begin::read_error;
use super::commerce::Commerce;
use super::offers::Offers;
use super::reading::Ask;
use crate::carts::{Cart, CartError};
use crate::checkout::CheckoutError;
use crate::checkout::assessment::{
    Assessment, checked_rates, checked_taxes, chosen_of_a_carrier, rate_request, tax_request,
};
use crate::checkout::quote::{QuoteInput, shipping_rates};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::port::carrier::{Carrier, CarrierRate, RateRequest};
use crate::port::tax::TaxCalculator;
use crate::settings::SettingsValues;
use crate::shipping::RateQuote;
use crate::value::id::CartId;

impl Commerce {
    /// With a carrier that is asked what sending costs, beside the methods of the settings.
    ///
    /// Made before the first clone, as [`with_payment_gateway`](Self::with_payment_gateway).
    #[must_use]
    pub fn with_carrier(self, carrier: impl Carrier) -> Self {
        self.with_shared_carrier(Arc::new(carrier))
    }

    /// With a carrier that is shared with others.
    #[must_use]
    pub fn with_shared_carrier(self, carrier: Arc<dyn Carrier>) -> Self {
        self.rebuilt(|shared| shared.carriers.push(carrier))
    }

    /// With a service that knows which taxes are levied; the rules of the settings are not looked at then.
    ///
    /// Made before the first clone, as [`with_payment_gateway`](Self::with_payment_gateway).
    #[must_use]
    pub fn with_tax_calculator(self, calculator: impl TaxCalculator) -> Self {
        self.with_shared_tax_calculator(Arc::new(calculator))
    }

    /// With a tax service that is shared with others.
    #[must_use]
    pub fn with_shared_tax_calculator(self, calculator: Arc<dyn TaxCalculator>) -> Self {
        self.rebuilt(|shared| shared.taxes = Some(calculator))
    }

    /// What the price of a cart depends on outside the shop. Nobody is asked where the shop can tell by
    /// itself, so that a carrier that is down stops only those who chose it.
    pub(super) async fn assess(&self, input: &QuoteInput<'_>) -> Result<Assessment, CheckoutError> {
        let mut assessed = Assessment::default();
        if !self.shared.carriers.is_empty() {
            let asked = if chosen_of_a_carrier(input) { rate_request(input)? } else { None };
            assessed.rates = Some(match asked {
                Some(request) => self.carriers_rates(&request, Some(input)).await?,
                None => Vec::new(),
            });
        }
        if let Some(calculator) = &self.shared.taxes {
            let request = tax_request(input)?;
            let taxes = calculator.rates(request.clone()).await?;
            assessed.taxes = Some(checked_taxes(taxes, &request)?);
        }
        Ok(assessed)
    }

    /// What all carriers offer; of one code the carrier counts that was given first. A carrier that fails is
    /// passed over where the others offer what is wanted: the chosen method, or anything at all.
    async fn carriers_rates(
        &self,
        request: &RateRequest,
        wanted: Option<&QuoteInput<'_>>,
    ) -> Result<Vec<CarrierRate>, CheckoutError> {
        let chosen = wanted.and_then(|input| input.cart.shipping_method());
        let (mut found, mut failed) = (Vec::<CarrierRate>::new(), None);
        for carrier in &self.shared.carriers {
            let answer = carrier.rates(request.clone()).await;
            match answer.and_then(|rates| checked_rates(rates, request.subtotal.currency())) {
                Ok(rates) => {
                    let new = |rate: &CarrierRate| found.iter().all(|known| known.method != rate.method);
                    let new: Vec<_> = rates.into_iter().filter(new).collect();
                    found.extend(new);
                }
                Err(error) => failed = failed.or(Some(error)),
            }
            if chosen.is_some_and(|chosen| found.iter().any(|rate| rate.method == *chosen)) {
                return Ok(found);
            }
        }
        match failed {
            Some(error) if chosen.is_some() || found.is_empty() => Err(error.into()),
            _ => Ok(found),
        }
    }

    /// The ways to send a cart and what they cost now, cheapest first; empty where nothing is sent, or it
    /// cannot be sent where it should go. A carrier that does not answer is left out while others do.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`]: as the checkout would be refused, for everything but the choice of a method.
    pub async fn shipping_rates(&self, cart: CartId) -> Result<Vec<RateQuote>, CheckoutError> {
        let known = self.shared.cache.take::<Cart>(cart);
        let mut ask = Ask::default();
        ask.stream(&known);
        Offers::ask_first(&mut ask, &[]);
        let answer = self.ask(ask).await?;
        let known = answer.fold(known)?;
        let state = known.state.as_ref().ok_or(CartError::NotFound)?;
        authorise(&self.request.principal, Permission::new("cart", "read"), Some(state.owner()))?;
        let settings: SettingsValues = self.settings().await?;
        let offers = self.offers(state, &[], &answer).await.map_err(read_error)?;
        let mut assessed = Assessment::default();
        let ground = (state, &offers, &settings);
        let request = rate_request(&self.quote_input(ground, &assessed))?;
        if let Some(request) = request.filter(|_| !self.shared.carriers.is_empty()) {
            let own = shipping_rates(&self.quote_input(ground, &assessed))?;
            assessed.rates = match self.carriers_rates(&request, None).await {
                Err(CheckoutError::Port(_)) if !own.is_empty() => None,
                rates => Some(rates?),
            };
        }
        let rates = shipping_rates(&self.quote_input(ground, &assessed));
        self.shared.cache.put(known);
        rates
    }

    /// A cart as it is priced, by what is known of it now.
    pub(super) fn quote_input<'q>(
        &self,
        (cart, offers, settings): (&'q Cart, &'q Offers, &'q SettingsValues),
        assessed: &'q Assessment,
    ) -> QuoteInput<'q> {
        let now = self.now();
        QuoteInput {
            cart,
            products: &offers.products,
            promotions: offers.rules(now),
            settings,
            assessed,
            now,
        }
    }

    /// As [`quote_input`](Self::quote_input), with what others say of it.
    pub(super) async fn assessed(
        &self,
        ground: (&Cart, &Offers, &SettingsValues),
    ) -> Result<Assessment, CheckoutError> {
        if self.shared.carriers.is_empty() && self.shared.taxes.is_none() {
            return Ok(Assessment::default());
        }
        self.assess(&self.quote_input(ground, &Assessment::default())).await
    }
}
