//! How a step is undone: in reverse, and only on what bears the checkout's own ids.

use super::error::{CheckoutError, InternalRefusal};
use super::machine::Step;
use super::party::{Party, Walk, tell};
use super::steps::{Awaits, note_payment};
use crate::carts::CartCommand;
use crate::inventory::ReservationCommand;
use crate::kernel::batch::Batch;
use crate::orders::{OrderCommand, OrderStatus};
use crate::payments::PaymentCommand;
use crate::payments::ledger::PendingKind;
use crate::promotions::{RedemptionCommand, RedemptionStatus};
use crate::value::Reason;
use crate::value::time::Timestamp;

/// Undoes one step, or says what has to happen first.
///
/// # Errors
///
/// [`CheckoutError::Internal`] for a defect.
pub fn undo_step(
    batch: &mut Batch<'_>,
    party: &mut Party,
    step: Step,
    walk: &mut Walk,
    resolve_at: Timestamp,
) -> Result<Option<Awaits>, CheckoutError> {
    let reason = Reason::new("the checkout did not succeed").map_err(|_| InternalRefusal::Text)?;
    match step {
        Step::Authorise => {
            if let Some(awaits) = undo_payment(batch, party, resolve_at)? {
                return Ok(Some(awaits));
            }
            note_payment(batch, party)?;
            if party.payment.state.as_ref().is_some_and(|payment| payment.refundable().is_positive()) {
                walk.give_up("the gateway refuses to give the money back")?;
                return Ok(None);
            }
        }
        Step::PlaceOrder => {
            let pending =
                party.order.state.as_ref().is_some_and(|order| order.status() == OrderStatus::Pending);
            if pending {
                let fail = OrderCommand::Fail { code: "checkout-failed".into(), reason };
                tell(batch, &mut party.order, fail)?;
            }
        }
        Step::ReserveStock => {
            if party.reservation.state.is_some() {
                tell(batch, &mut party.reservation, ReservationCommand::Release { reason })?;
            }
        }
        Step::HoldCoupons => {
            for redemption in &mut party.redemptions {
                let held =
                    redemption.state.as_ref().is_some_and(|known| known.status() == RedemptionStatus::Held);
                if held {
                    tell(batch, redemption, RedemptionCommand::Release { reason: reason.clone() })?;
                }
            }
        }
        Step::Price => {
            let checkout = party.saga.id;
            let locked = party.cart.state.as_ref().and_then(crate::carts::Cart::lock);
            if locked.is_some_and(|lock| lock.checkout == checkout) {
                tell(batch, &mut party.cart, CartCommand::FailCheckout { checkout, reason })?;
            }
        }
        Step::Confirm
        | Step::CommitStock
        | Step::RedeemCoupons
        | Step::Capture
        | Step::CreateShipment
        | Step::Notify => {}
    }
    walk.undo(step)?;
    Ok(None)
}

/// Gives the payment up. What is reserved or taken goes back by a call that is announced first; while it
/// is not known whether the authorisation happened, that is found out first.
fn undo_payment(
    batch: &mut Batch<'_>,
    party: &mut Party,
    resolve_at: Timestamp,
) -> Result<Option<Awaits>, CheckoutError> {
    let Some(payment) = party.payment.state.as_ref() else { return Ok(None) };
    let open = |wanted: fn(PendingKind) -> bool| {
        let found = payment.pending().iter().find(|(_, call)| wanted(call.kind));
        found.map(|(key, _)| Awaits::Call(key.clone()))
    };
    if let Some(call) = open(|kind| matches!(kind, PendingKind::Authorize | PendingKind::Capture)) {
        return Ok(Some(call));
    }
    if let Some(call) = open(|kind| matches!(kind, PendingKind::Void | PendingKind::Refund(_))) {
        return Ok(Some(call));
    }
    let spent = payment.ledger().ended() && !payment.refundable().is_positive();
    let nothing = payment.ledger().captured() > 0 && !payment.refundable().is_positive();
    if spent || nothing {
        return Ok(None);
    }
    tell(batch, &mut party.payment, PaymentCommand::Cancel { resolve_at })?;
    let Some(payment) = party.payment.state.as_ref() else { return Ok(None) };
    Ok(payment.pending().keys().next().map(|key| Awaits::Call(key.clone())))
}
