//! The first commit of a checkout: load, price, decide, commit.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::checkout::{CheckoutRequest, sort_shortage};
use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::offers::Offers;
use super::reading::{Answer, Ask, ReadError};
use crate::carts::{Cart, CartError, Status as CartStatus};
use crate::checkout::party::Party;
use crate::checkout::quote::{Quote, quote};
use crate::checkout::steps::{Awaits, Beginning, begin};
use crate::checkout::{
    CheckoutError, CheckoutPlan, PaymentPlan, checkout_id, order_of, payment_of, reservation_of, stock,
};
use crate::identity::authorise;
use crate::inventory::ReservedLine;
use crate::kernel::aggregate::{Aggregate, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::commit::Load;
use crate::kernel::error::{CommitError, Shortage};
use crate::kernel::event::Metadata;
use crate::kernel::mark::{Fingerprint, Mark, MarkKey};
use crate::kernel::pool::{PoolKey, PoolLevel};
use crate::orders::{OrderContent, OrderNumber};
use crate::settings::{SettingsValues, ShopSettings, settings_id};
use crate::value::id::CheckoutId;

/// What the first commit led to.
#[derive(Debug)]
pub(super) enum Begun {
    /// A checkout that goes on.
    Started {
        /// Everybody who takes part.
        party: Box<Party>,
        /// What comes next.
        awaits: Awaits,
    },
    /// The cart or command was checked out before.
    Known(CheckoutId),
}

/// Levels of stock pools, for a plan over several locations.
pub(super) type Levels = HashMap<PoolKey, PoolLevel>;

/// What a mark remembers of a checkout.
#[derive(Serialize, Deserialize)]
struct Remembered {
    checkout: CheckoutId,
}

/// Everything that a checkout is decided on.
struct Ground {
    cart: Instance<Cart>,
    settings: Arc<Instance<ShopSettings>>,
    offers: Offers,
}

impl Commerce {
    pub(super) async fn begin_checkout(
        &self,
        request: &CheckoutRequest,
        levels: Option<Levels>,
    ) -> Result<Begun, CheckoutError> {
        let mark = self.checkout_mark(request);
        let (ground, answer) = self.ground(request, mark.as_ref()).await?;
        if let (Some((key, fingerprint)), Some(Some(handled))) = (&mark, answer.loaded.marks.first()) {
            if !handled.fingerprint.agrees_with(*fingerprint) {
                return Err(CheckoutError::Commit(CommitError::KeyReused(key.clone())));
            }
            if let Ok(Remembered { checkout }) = serde_json::from_slice(&handled.result) {
                return Ok(Begun::Known(checkout));
            }
        }
        let cart = ground.cart.state.as_ref().ok_or(CartError::NotFound)?;
        authorise(&self.request.principal, Permission::new("checkout", "start"), Some(cart.owner()))?;
        let last = checkout_id(request.cart, cart.next_checkout().saturating_sub(1));
        if matches!(cart.status(), CartStatus::Converted | CartStatus::CheckingOut) {
            return Ok(Begun::Known(cart.lock().map_or(last, |lock| lock.checkout)));
        }
        let values = ground.settings.state.as_ref().map(ShopSettings::values).cloned().unwrap_or_default();
        let priced = (cart, &ground.offers, &values);
        let assessed = self.assessed(priced).await?;
        let input = self.quote_input(priced, &assessed);
        let quote = quote(&input)?;
        if quote.book.total != request.expected_total {
            let (expected, actual) = (request.expected_total, quote.book.total);
            return Err(CheckoutError::PriceChanged { expected, actual });
        }
        let begun = self.commit_beginning(request, ground, quote, &values, levels, mark).await;
        match begun {
            Err(CheckoutError::Commit(CommitError::AlreadyHandled(handled))) => {
                match serde_json::from_slice(&handled.result) {
                    Ok(Remembered { checkout }) => Ok(Begun::Known(checkout)),
                    Err(_) => Err(CheckoutError::Commit(CommitError::AlreadyHandled(handled))),
                }
            }
            other => other,
        }
    }

    async fn ground(
        &self,
        request: &CheckoutRequest,
        mark: Option<&(MarkKey, Fingerprint)>,
    ) -> Result<(Ground, Answer), CheckoutError> {
        let cart = self.shared.cache.take::<Cart>(request.cart);
        let settings = self.shared.cache.peek::<ShopSettings>(settings_id());
        let mut ask = Ask::default();
        ask.stream(&cart);
        ask.stream(&settings);
        ask.load.marks = mark.iter().map(|(key, _)| key.clone()).collect();
        // A cart that was seen before tells its codes, so that they are looked up on the way.
        let known: Vec<_> = cart.state.iter().flat_map(|cart| cart.codes().cloned()).collect();
        Offers::ask_first(&mut ask, &known);
        let answer = self.ask(ask).await?;
        let cart = answer.fold(cart)?;
        let settings = answer.fold_shared(settings)?;
        self.shared.cache.keep(&settings);
        let offers = match cart.state.as_ref() {
            Some(state) => self.offers(state, &known, &answer).await.map_err(read_error)?,
            None => Offers::default(),
        };
        Ok((Ground { cart, settings, offers }, answer))
    }

    async fn commit_beginning(
        &self,
        request: &CheckoutRequest,
        ground: Ground,
        quote: Quote,
        values: &SettingsValues,
        levels: Option<Levels>,
        mark: Option<(MarkKey, Fingerprint)>,
    ) -> Result<Begun, CheckoutError> {
        let Ground { cart, settings, offers } = ground;
        let state = cart.state.as_ref().ok_or(CartError::NotFound)?;
        let number = state.next_checkout();
        let checkout = checkout_id(request.cart, number);
        let now = self.now();
        let mut metadata = self.metadata();
        metadata.correlation = self.request.correlation.unwrap_or(checkout.uuid());
        let stock = plan_stock(&quote, values, levels.as_ref())?;
        let plan = self.plan(request, state, number, &quote, &stock, values, &offers)?;
        let number = OrderNumber::make(&values.order_prefix, now, self.ids().next(now))
            .map_err(|_| crate::checkout::error::InternalRefusal::Text)?;
        let content = content(state, request, checkout, quote);
        let expires_at = now.plus(values.hold());
        let holds = offers.holds(&content.book, checkout, plan.subject, expires_at)?;
        let (redemptions, commands) = holds.into_iter().unzip();
        let mut party = Box::new(Party {
            saga: Instance::absent(checkout),
            cart,
            order: Instance::absent(order_of(checkout)),
            reservation: Instance::absent(reservation_of(checkout)),
            payment: Instance::absent(payment_of(checkout)),
            redemptions,
            settings: Arc::new(values.clone()),
        });
        let mut batch = Batch::new(self.ids(), now, metadata);
        let beginning = Beginning { plan, number, content, stock, redemptions: commands };
        let awaits = begin(&mut batch, &mut party, beginning, values)?;
        batch.expect(&settings);
        offers.expect(&mut batch);
        if let Some((key, fingerprint)) = mark {
            let result = serde_json::to_vec(&Remembered { checkout }).unwrap_or_default().into();
            batch.commit_mut().mark = Some(Mark { key, fingerprint, result });
        }
        self.commit_steps(batch.into_commit(), &party.saga).await.map_err(CheckoutError::Commit)?;
        Ok(Begun::Started { party, awaits })
    }

    #[allow(clippy::too_many_arguments)] // each is one thing that the plan follows from
    fn plan(
        &self,
        request: &CheckoutRequest,
        cart: &Cart,
        number: u32,
        quote: &Quote,
        stock: &[ReservedLine],
        values: &SettingsValues,
        offers: &Offers,
    ) -> Result<CheckoutPlan, CheckoutError> {
        let total = quote.book.total;
        if cart.customer().is_none() && cart.email().is_none() {
            return Err(CheckoutError::NoContact);
        }
        let payment = if total.is_positive() {
            let named = request.gateway.as_deref();
            let gateway = match named {
                Some(name) => self.gateway(name),
                None => self.shared.gateways.first(),
            };
            let gateway = gateway.ok_or(CheckoutError::NoGateway)?.name().into();
            Some(PaymentPlan { gateway, method: request.method.clone() })
        } else {
            None
        };
        if quote.ships() && values.locations.is_empty() {
            return Err(CheckoutError::NoLocation);
        }
        Ok(CheckoutPlan {
            cart: request.cart,
            number,
            subject: cart.subject(),
            customer: cart.customer(),
            total,
            payment,
            capture: values.capture,
            redemptions: offers.used(&quote.book),
            reserves: !stock.is_empty(),
            ships_from: values.locations.clone(),
            backordered: false,
            deadline: self.now().plus(values.payment()),
            correlation: self.request.correlation,
        })
    }

    /// Short at one location: what all of them have, for the next attempt.
    pub(super) async fn replan(
        &self,
        request: &CheckoutRequest,
        short: Vec<Shortage>,
        attempt: u32,
    ) -> Result<Levels, CheckoutError> {
        let settings = self.read::<ShopSettings>(settings_id()).await.map_err(read_error)?;
        let locations = settings.state.as_ref().map_or(0, |settings| settings.values().locations.len());
        let only_stock = short.iter().all(|short| short.pool.as_str().starts_with("stock:"));
        if !only_stock || locations < 2 || attempt >= 4 * MAX_ATTEMPTS {
            return Err(sort_shortage(short));
        }
        let (ground, _) = self.ground(request, None).await?;
        let values = settings.state.as_ref().map(ShopSettings::values).cloned().unwrap_or_default();
        let cart = ground.cart.state.as_ref().ok_or(CartError::NotFound)?;
        let priced = (cart, &ground.offers, &values);
        let assessed = self.assessed(priced).await?;
        let input = self.quote_input(priced, &assessed);
        let pools = stock::pools(&quote(&input)?.lines, &values.locations);
        let load = Load { pools: pools.clone(), ..Load::default() };
        let loaded = self.store().load(load).await?;
        self.shared.cache.put(ground.cart);
        Ok(pools.into_iter().zip(loaded.pools).collect())
    }

    fn checkout_mark(&self, request: &CheckoutRequest) -> Option<(MarkKey, Fingerprint)> {
        let id = self.request.command_id?;
        let CheckoutRequest { cart, expected_total, gateway, method } = request;
        let canonical = format!("checkout|{cart}|{expected_total}|{gateway:?}|{method:?}");
        Some((MarkKey::new("command", id.to_string()), Fingerprint::of(1, canonical.as_bytes())))
    }

    /// The metadata of what the library does by itself for a checkout.
    pub(super) fn system_metadata(correlation: Uuid) -> Metadata {
        Metadata { correlation, causation: None, actor: crate::value::actor::Actor::System }
    }
}

fn plan_stock(
    quote: &Quote,
    values: &SettingsValues,
    levels: Option<&Levels>,
) -> Result<Vec<ReservedLine>, CheckoutError> {
    if quote.tracked().next().is_none() {
        return Ok(Vec::new());
    }
    let first = values.locations.first().ok_or(CheckoutError::NoLocation)?;
    match levels {
        None => Ok(stock::from_one(&quote.lines, *first)),
        Some(levels) => stock::from_many(&quote.lines, &values.locations, levels)
            .map_err(CheckoutError::InsufficientStock),
    }
}

fn content(cart: &Cart, request: &CheckoutRequest, checkout: CheckoutId, quote: Quote) -> OrderContent {
    OrderContent {
        cart: Some(request.cart),
        checkout: Some(checkout),
        customer: cart.customer(),
        subject: cart.subject(),
        email: cart.email().cloned(),
        shipping_address: cart.shipping_address().cloned(),
        billing_address: cart.billing_address().cloned(),
        lines: quote.lines,
        book: Arc::new(quote.book),
    }
}

pub(super) fn read_error(error: ReadError) -> CheckoutError {
    match error {
        ReadError::Denied(denied) => denied.into(),
        ReadError::Port(port) => port.into(),
        ReadError::Corrupt(corrupt) => corrupt.into(),
    }
}
