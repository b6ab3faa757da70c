//! What a checkout does next, decided over all its aggregates at once.

use std::time::Duration;

use super::compensation::undo_step;
use super::error::{CheckoutError, InternalRefusal};
use super::event::CheckoutPlan;
use super::fulfil::{complete, notify, ship};
use super::machine::{Status, Step};
use super::party::{Party, Walk, tell};
use super::state::{Checkout, order_of};
use super::{CheckoutCommand, PaymentPlan};
use crate::carts::CartCommand;
use crate::inventory::{ReservationCommand, ReservedLine};
use crate::kernel::batch::Batch;
use crate::orders::{Coverage, Order, OrderCommand, OrderContent, OrderNumber, OrderStatus, PaymentSums};
use crate::payments::{Payment, PaymentCommand, PaymentStatus};
use crate::port::payment::IdempotencyKey;
use crate::promotions::RedemptionCommand;
use crate::settings::{CapturePolicy, SettingsValues};
use crate::value::id::CheckoutId;
use crate::value::time::Timestamp;
use crate::value::{Money, Reason};

/// What has to happen before the checkout can go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Awaits {
    /// A call to the gateway that the batch announces under this key.
    Call(IdempotencyKey),
    /// The buyer, a callback or a deadline.
    Outside,
    /// Nothing: it has ended, or somebody has to look at it.
    Nothing,
}

/// Everything that begins a checkout.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// What it does.
    pub plan: CheckoutPlan,
    /// The number of its order.
    pub number: OrderNumber,
    /// What the order remembers.
    pub content: OrderContent,
    /// What is reserved; empty where no stock is kept of anything.
    pub stock: Vec<ReservedLine>,
    /// The uses of promotions, by the redemption's place in the party.
    pub redemptions: Vec<RedemptionCommand>,
}

/// How long an order that may not be captured is left alone, before it is looked at again.
const BLOCKED: Duration = Duration::from_secs(600);

/// The key under which the payment of a checkout is authorised.
pub fn authorise_key(checkout: CheckoutId) -> IdempotencyKey {
    IdempotencyKey(format!("{checkout}:authorise-payment").into())
}

/// The first commit: everything local, up to the announced call of the gateway.
///
/// # Errors
///
/// [`CheckoutError::Cart`] where the cart refuses; anything else is a defect.
pub fn begin(
    batch: &mut Batch<'_>,
    party: &mut Party,
    beginning: Beginning,
    settings: &SettingsValues,
) -> Result<Awaits, CheckoutError> {
    let now = batch.now();
    let resume_at = now.plus(settings.resume());
    let Beginning { plan, number, content, stock, redemptions } = beginning;
    let checkout = party.saga.id;
    let deadline = plan.deadline;
    let start = CartCommand::StartCheckout { checkout, number: plan.number, deadline };
    let events = crate::kernel::aggregate::Aggregate::decide(party.cart.state.as_ref(), start, now);
    let events = events.map_err(CheckoutError::Cart)?;
    batch.append(&mut party.cart, &events)?;
    for (redemption, hold) in party.redemptions.iter_mut().zip(redemptions) {
        tell(batch, redemption, hold)?;
    }
    if !stock.is_empty() {
        let expires_at = now.plus(settings.hold());
        let extendable_until = now.plus(settings.hold().saturating_mul(4));
        let hold = ReservationCommand::Hold { checkout, lines: stock, expires_at, extendable_until };
        tell(batch, &mut party.reservation, hold)?;
    }
    tell(batch, &mut party.order, OrderCommand::Place { number, content: Some(content) })?;
    if let Some(PaymentPlan { gateway, method }) = plan.payment.clone() {
        let initiate = PaymentCommand::Initiate {
            payment: party.payment.id,
            order: order_of(checkout),
            checkout,
            gateway,
            method,
            amount: plan.total,
            capture: plan.capture == CapturePolicy::WithAuthorization,
            deadline,
            key: authorise_key(checkout),
            resolve_at: resume_at,
        };
        tell(batch, &mut party.payment, initiate)?;
    }
    tell(batch, &mut party.saga, CheckoutCommand::Start { checkout, plan, resume_at })?;
    if party.payment.state.is_some() {
        return Ok(Awaits::Call(authorise_key(checkout)));
    }
    advance(batch, party, settings)
}

/// Takes every step that can be taken, or undoes every step that can be undone, without asking the world.
///
/// # Errors
///
/// [`CheckoutError::Internal`] for a defect; the batch is then to be thrown away.
pub fn advance(
    batch: &mut Batch<'_>,
    party: &mut Party,
    settings: &SettingsValues,
) -> Result<Awaits, CheckoutError> {
    let Some(saga) = party.saga.state.clone() else { return Ok(Awaits::Nothing) };
    let resume_at = batch.now().plus(settings.resume());
    let mut walk = Walk::new(&saga);
    let awaits = loop {
        let stop = match walk.status() {
            Status::Running(Step::Authorise) | Status::Waiting(Step::Authorise) => {
                authorise(batch.now(), party, &saga, &mut walk)?
            }
            Status::Running(Step::Confirm) => confirm(batch, party, &saga, &mut walk)?,
            Status::Running(step @ Step::CommitStock) => {
                // Promised by the commit of the pivot: one database.
                walk.take(step)?;
                None
            }
            Status::Running(step @ Step::RedeemCoupons) => {
                walk.take(step)?;
                None
            }
            // Nothing follows on an order that was cancelled behind the pivot.
            Status::Running(step @ (Step::Capture | Step::CreateShipment | Step::Notify))
                if is_cancelled(party) =>
            {
                walk.take(step)?;
                None
            }
            Status::Running(Step::Capture) => capture(batch, party, &saga, &mut walk, resume_at)?,
            Status::Running(step @ Step::CreateShipment) => {
                ship(batch, party, &saga)?;
                walk.take(step)?;
                None
            }
            Status::Running(step @ Step::Notify) => {
                notify(batch, party, &saga)?;
                walk.take(step)?;
                None
            }
            Status::Running(step) => {
                // The first commit takes these; a saga that stands here was never begun.
                walk.take(step)?;
                None
            }
            Status::Waiting(_) => Some(Awaits::Outside),
            Status::Compensating(step) => undo_step(batch, party, step, &mut walk, resume_at)?,
            Status::Completed | Status::Compensated | Status::ManualIntervention(_) => Some(Awaits::Nothing),
        };
        if let Some(awaits) = stop {
            break awaits;
        }
    };
    let waits = awaits == Awaits::Outside && matches!(walk.status(), Status::Running(_));
    walk.write(batch, &mut party.saga, resume_at)?;
    if waits {
        let resume_at = wake_at(batch.now(), party, &saga, settings);
        tell(batch, &mut party.saga, CheckoutCommand::Wait { resume_at })?;
    }
    Ok(awaits)
}

/// A buyer has until the deadline; a gateway that works on it is asked now and then.
fn wake_at(now: Timestamp, party: &Party, saga: &Checkout, settings: &SettingsValues) -> Timestamp {
    let deadline = saga.plan().deadline;
    match party.payment.state.as_ref().map(Payment::status) {
        Some(PaymentStatus::RequiresAction) => deadline,
        _ if party.order.state.as_ref().is_some_and(Order::is_blocked) => now.plus(BLOCKED),
        _ => now.plus(settings.resume()).min(deadline.max(now.plus(settings.resume()))),
    }
}

/// Whether the order still waits to be confirmed.
fn is_pending(party: &Party) -> bool {
    party.order.state.as_ref().is_some_and(|order| order.status() == OrderStatus::Pending)
}

/// Whether the order was given up behind the pivot: whoever did it gave everything back.
fn is_cancelled(party: &Party) -> bool {
    party.order.state.as_ref().is_some_and(|order| order.status() == OrderStatus::Cancelled)
}

/// Looks at what is known of the payment.
fn authorise(
    now: Timestamp,
    party: &Party,
    saga: &Checkout,
    walk: &mut Walk,
) -> Result<Option<Awaits>, CheckoutError> {
    if !is_pending(party) {
        walk.fail("order-cancelled", "the order was cancelled before it was paid")?;
        return Ok(None);
    }
    let Some(payment) = party.payment.state.as_ref() else {
        walk.take(Step::Authorise)?;
        return Ok(None);
    };
    if payment.covers() {
        walk.take(Step::Authorise)?;
        return Ok(None);
    }
    if payment.ledger().given_up() {
        walk.fail("payment-failed", "the payment failed")?;
        return Ok(None);
    }
    let key = authorise_key(saga.id());
    if payment.pending().contains_key(&key) {
        return Ok(Some(Awaits::Call(key)));
    }
    if now >= saga.plan().deadline {
        walk.fail("payment-timeout", "the buyer did not pay in time")?;
        return Ok(None);
    }
    Ok(Some(Awaits::Outside))
}

/// The pivot, with everything that must happen with it.
fn confirm(
    batch: &mut Batch<'_>,
    party: &mut Party,
    saga: &Checkout,
    walk: &mut Walk,
) -> Result<Option<Awaits>, CheckoutError> {
    let live = party.reservation.state.as_ref().is_some_and(|held| held.is_live(batch.now()));
    if saga.plan().reserves && !live {
        walk.fail("reservation-expired", "the stock was held no longer")?;
        return Ok(None);
    }
    if !is_pending(party) {
        walk.fail("order-cancelled", "the order was cancelled before it was paid")?;
        return Ok(None);
    }
    let order = party.order.id;
    let coverage = coverage(party);
    let backordered = saga.plan().backordered;
    tell(batch, &mut party.order, OrderCommand::Confirm { coverage, backordered })?;
    note_payment(batch, party)?;
    if saga.plan().reserves {
        tell(batch, &mut party.reservation, ReservationCommand::Commit)?;
    }
    for redemption in &mut party.redemptions {
        tell(batch, redemption, RedemptionCommand::Redeem { order })?;
    }
    tell(batch, &mut party.cart, CartCommand::Convert { checkout: saga.id(), order })?;
    walk.take(Step::Confirm)?;
    Ok(None)
}

fn coverage(party: &Party) -> Coverage {
    let Some(payment) = party.payment.state.as_ref() else { return Coverage::Free };
    let (id, currency) = (party.payment.id, payment.amount().currency());
    let captured = payment.ledger().captured();
    if captured >= payment.amount().minor() {
        Coverage::Captured { payment: id, amount: Money::from_minor(captured, currency) }
    } else {
        let amount = Money::from_minor(payment.ledger().authorized, currency);
        Coverage::Authorized { payment: id, amount }
    }
}

/// Has the order know what its payment reports.
///
/// # Errors
///
/// [`CheckoutError::Internal`] for a defect.
pub fn note_payment(batch: &mut Batch<'_>, party: &mut Party) -> Result<(), CheckoutError> {
    let Some(payment) = party.payment.state.as_ref() else { return Ok(()) };
    if party.order.state.is_none() {
        return Ok(());
    }
    let ledger = payment.ledger();
    let disputed = ledger.disputes.values().fold(0_i64, |sum, amount| sum.saturating_add(*amount));
    let sums = PaymentSums {
        authorized: ledger.authorized,
        captured: ledger.captured(),
        refunded: ledger.refunded(),
        charged_back: ledger.lost(),
        disputed,
        voided: ledger.given_up(),
    };
    let payment = party.payment.id;
    let lost = |order: &Order| {
        let known = order.payments().get(&payment).is_some_and(|known| known.voided);
        sums.voided && !known && order.status() == OrderStatus::Confirmed
    };
    let lost = party.order.state.as_ref().is_some_and(lost);
    tell(batch, &mut party.order, OrderCommand::NotePayment { payment, sums })?;
    if lost {
        // Nothing leaves for an order whose money went back; somebody has to look at it.
        let reason = Reason::new("its payment was given up").map_err(|_| InternalRefusal::Text)?;
        tell(batch, &mut party.order, OrderCommand::Block { reason })?;
    }
    // The last that an order may wait for is its money.
    Ok(complete(batch, &mut party.order)?)
}

fn capture(
    batch: &mut Batch<'_>,
    party: &mut Party,
    saga: &Checkout,
    walk: &mut Walk,
    resolve_at: Timestamp,
) -> Result<Option<Awaits>, CheckoutError> {
    let amount = saga.plan().total;
    let Some(payment) = party.payment.state.as_ref() else {
        walk.take(Step::Capture)?;
        return Ok(None);
    };
    let on_ship = saga.plan().capture == CapturePolicy::OnShip;
    let blocked = party.order.state.as_ref().is_some_and(Order::is_blocked);
    if on_ship || payment.ledger().captured() >= amount.minor() {
        note_payment(batch, party)?;
        walk.take(Step::Capture)?;
        return Ok(None);
    }
    let announced =
        payment.pending().iter().find(|(_, call)| call.kind == crate::payments::ledger::PendingKind::Capture);
    if announced.is_none() && payment.ledger().given_up() {
        // The order stands, and nothing pays for it any more: somebody has to look at it.
        walk.give_up("its payment was given up before it was captured")?;
        return Ok(None);
    }
    if blocked {
        return Ok(Some(Awaits::Outside));
    }
    if let Some((key, _)) = announced {
        return Ok(Some(Awaits::Call(key.clone())));
    }
    tell(batch, &mut party.payment, PaymentCommand::Capture { amount, resolve_at })?;
    let announced = party.payment.state.as_ref().and_then(|payment| {
        let mut calls = payment.pending().iter();
        calls.find(|(_, call)| call.kind == crate::payments::ledger::PendingKind::Capture)
    });
    Ok(Some(announced.map_or(Awaits::Nothing, |(key, _)| Awaits::Call(key.clone()))))
}
