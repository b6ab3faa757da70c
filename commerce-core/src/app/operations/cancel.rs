//! Giving an order up, with everything that it holds.

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::checkout::fulfil::shipment_of;
use crate::checkout::party::Party;
use crate::checkout::steps::advance;
use crate::checkout::{Checkout, payment_of};
use crate::identity::authorise;
use crate::inventory::{Reservation, ReservationCommand};
use crate::kernel::aggregate::{Aggregate, Command, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::CommitError;
use crate::orders::{Order, OrderCommand};
use crate::payments::PaymentCommand;
use crate::payments::ledger::PendingKind;
use crate::promotions::{RedemptionCommand, RedemptionStatus};
use crate::shipping::{Shipment, ShipmentCommand, Status as ShipmentStatus};
use crate::value::Reason;
use crate::value::id::{CheckoutId, OrderId};
use crate::value::time::Timestamp;

impl Commerce {
    /// Gives an order up of which nothing was shipped.
    ///
    /// Before it is confirmed, its checkout fails and undoes itself. Behind that, the stock, the uses of
    /// promotions, the parcels and the money go back, all decided in one commit and each exactly once; a
    /// repeat changes nothing.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused once units have left, and for as long as it is not
    /// known whether the money was taken.
    pub async fn cancel_order(&self, order: OrderId, reason: Reason) -> Result<(), OperationError> {
        let deed = self.deed((Permission::new(Order::NAME, "cancel-order"), order.uuid()), &(order, &reason));
        let checkout = retried!(self, deed, shop => shop.try_cancel(order, &reason, &deed))?;
        self.follow_up(checkout.map(payment_of)).await;
        Ok(())
    }

    async fn try_cancel(
        &self,
        id: OrderId,
        reason: &Reason,
        deed: &Deed,
    ) -> Result<Option<CheckoutId>, OperationError> {
        let cancel = OrderCommand::Cancel { reason: reason.clone() };
        let known = self.shared.cache.take::<Order>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let mut order = answer.fold(known)?;
        let owner = order.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, cancel.permission(), owner)?;
        let checkout = order.state.as_ref().and_then(|order| order.content().checkout);
        if deed.is_done(&answer)? {
            return Ok(checkout);
        }
        let Some(checkout) = checkout else {
            let mut batch = self.batch();
            told(&mut batch, &mut order, cancel)?;
            self.apply(batch, deed).await?;
            return Ok(None);
        };
        let mut party = self.party(checkout).await?;
        Order::decide(party.order.state.as_ref(), cancel.clone(), self.now())?;
        let confirmed = party.order.state.as_ref().is_some_and(|order| order.coverage().is_some());
        if confirmed && captures(&party) {
            self.settle_payment(party.payment.id).await?;
            party = self.party(checkout).await?;
            if captures(&party) {
                return Err(OperationError::PaymentInProgress);
            }
        }
        let mut parcels = if confirmed { self.parcels(&party).await? } else { Vec::new() };
        let mut more = if confirmed { self.more_reservations(&party).await? } else { Vec::new() };
        let settings = party.settings.clone();
        let mut batch = self.batch();
        told(&mut batch, &mut party.order, cancel)?;
        if confirmed {
            let resolve_at = batch.now().plus(settings.resume());
            give_back(&mut batch, &mut party, &mut parcels, reason, resolve_at)?;
            for reservation in &mut more {
                let release = ReservationCommand::Release { reason: reason.clone() };
                told(&mut batch, reservation, release)?;
            }
        }
        advance(&mut batch, &mut party, &settings)?;
        self.apply_to(batch, deed, Some(&party.saga)).await?;
        Ok(Some(checkout))
    }

    /// The parcels that the checkout and later edits prepared.
    pub(super) async fn parcels(&self, party: &Party) -> Result<Vec<Instance<Shipment>>, OperationError> {
        let reserved = party.reservation.state.iter().flat_map(Reservation::lines);
        let mut locations: Vec<_> = reserved.map(|line| line.reserved.location).collect();
        let plan = party.saga.state.as_ref().map(Checkout::plan);
        locations.extend(plan.iter().filter_map(|plan| plan.ships_from.first()).copied());
        locations.sort_unstable();
        locations.dedup();
        let ids = locations.into_iter().map(|location| shipment_of(party.saga.id, location));
        let more = party.order.state.iter().flat_map(|order| order.revised().parcels.iter().copied());
        let parcels: Vec<Instance<Shipment>> = ids.chain(more).map(|id| self.shared.cache.take(id)).collect();
        let mut ask = Ask::default();
        for parcel in &parcels {
            ask.stream(parcel);
        }
        let answer = self.ask(ask).await?;
        Ok(parcels.into_iter().map(|parcel| answer.fold(parcel)).collect::<Result<_, _>>()?)
    }

    /// The reservations that edits have brought beside that of the checkout.
    pub(super) async fn more_reservations(
        &self,
        party: &Party,
    ) -> Result<Vec<Instance<Reservation>>, OperationError> {
        let ids = party.order.state.iter().flat_map(|order| order.revised().reservations.iter().copied());
        let known: Vec<Instance<Reservation>> = ids.map(|id| self.shared.cache.take(id)).collect();
        if known.is_empty() {
            return Ok(known);
        }
        let mut ask = Ask::default();
        for reservation in &known {
            ask.stream(reservation);
        }
        let answer = self.ask(ask).await?;
        Ok(known.into_iter().map(|reservation| answer.fold(reservation)).collect::<Result<_, _>>()?)
    }
}

/// Whether it is not known yet what came of taking the money.
fn captures(party: &Party) -> bool {
    let pending = party.payment.state.iter().flat_map(|payment| payment.pending().values());
    pending.into_iter().any(|call| call.kind == PendingKind::Capture)
}

/// What was promised and taken goes back. Each aggregate knows whether it already has.
fn give_back(
    batch: &mut Batch<'_>,
    party: &mut Party,
    parcels: &mut [Instance<Shipment>],
    reason: &Reason,
    resolve_at: Timestamp,
) -> Result<(), OperationError> {
    if party.reservation.state.is_some() {
        let release = ReservationCommand::Release { reason: reason.clone() };
        told(batch, &mut party.reservation, release)?;
    }
    for redemption in &mut party.redemptions {
        if redemption.state.as_ref().is_some_and(|used| used.status() == RedemptionStatus::Redeemed) {
            told(batch, redemption, RedemptionCommand::Reverse)?;
        }
    }
    for parcel in parcels {
        let status = parcel.state.as_ref().map(Shipment::status);
        let here = [ShipmentStatus::Pending, ShipmentStatus::ReadyToShip, ShipmentStatus::OnHold];
        if status.is_some_and(|status| here.contains(&status)) {
            told(batch, parcel, ShipmentCommand::Cancel { reason: reason.clone() })?;
        }
    }
    if party.payment.state.is_some() {
        told(batch, &mut party.payment, PaymentCommand::Cancel { resolve_at })?;
    }
    Ok(())
}
