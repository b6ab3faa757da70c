//! Parcels: made ready, handed over, followed.

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::checkout::fulfil::complete;
use crate::checkout::{Checkout, payment_of};
use crate::identity::authorise;
use crate::inventory::{Reservation, ReservationCommand};
use crate::kernel::aggregate::{Aggregate, Command, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::CommitError;
use crate::orders::event::LineMovement;
use crate::orders::ledger::Movement;
use crate::orders::{Coverage, Order, OrderCommand, OrderError, OrderStatus};
use crate::payments::ledger::PendingKind;
use crate::payments::{Payment, PaymentCommand};
use crate::settings::CapturePolicy;
use crate::shipping::{
    CarrierStatus, Shipment, ShipmentCommand, ShipmentError, ShipmentEvent, ShipmentLine, Tracking,
};
use crate::value::id::{PaymentId, ShipmentId};
use crate::value::time::Timestamp;
use crate::value::{Money, Quantity, Reason};

/// Units of a reservation's lines that leave.
type Leaving = Vec<(u32, Quantity)>;

impl Commerce {
    /// Says that a parcel can be handed over.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused while the order is blocked or not confirmed.
    pub async fn mark_ready(&self, shipment: ShipmentId) -> Result<(), OperationError> {
        let deed = self.deed((Permission::new(Shipment::NAME, "mark-ready"), shipment.uuid()), &shipment);
        retried!(self, deed, shop => shop.try_mark_ready(shipment, &deed))
    }

    async fn try_mark_ready(&self, id: ShipmentId, deed: &Deed) -> Result<(), OperationError> {
        let Some(mut shipment) = self.parcel(id, &ShipmentCommand::MarkReady, deed).await? else {
            return Ok(());
        };
        let order = shipment.state.as_ref().ok_or(ShipmentError::NotFound)?.order();
        let order = self.fetch::<Order>(order).await?;
        let known = order.state.as_ref().ok_or(OrderError::NotFound)?;
        if known.status() != OrderStatus::Confirmed {
            return Err(OrderError::NotConfirmed(known.status()).into());
        }
        if known.is_blocked() {
            return Err(OrderError::Blocked.into());
        }
        let mut batch = self.batch();
        told(&mut batch, &mut shipment, ShipmentCommand::MarkReady)?;
        batch.expect(&order);
        self.apply(batch, deed).await
    }

    /// Hands a parcel over: its units leave the stock and the order learns of it, in one commit. Where the
    /// money is taken when goods leave, all of it is asked for with the first parcel.
    ///
    /// Handing it over again with the same tracking changes nothing.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused while the order is blocked.
    pub async fn dispatch(
        &self,
        shipment: ShipmentId,
        tracking: Option<Tracking>,
    ) -> Result<(), OperationError> {
        let deed =
            self.deed((Permission::new(Shipment::NAME, "dispatch"), shipment.uuid()), &(shipment, &tracking));
        let captures = retried!(self, deed, shop => shop.try_dispatch(shipment, tracking.as_ref(), &deed))?;
        self.follow_up(captures).await;
        Ok(())
    }

    async fn try_dispatch(
        &self,
        id: ShipmentId,
        tracking: Option<&Tracking>,
        deed: &Deed,
    ) -> Result<Option<PaymentId>, OperationError> {
        let command = ShipmentCommand::Dispatch { tracking: tracking.cloned() };
        let Some(mut shipment) = self.parcel(id, &command, deed).await? else { return Ok(None) };
        let state = shipment.state.clone().ok_or(ShipmentError::NotFound)?;
        let mut batch = self.batch();
        if told(&mut batch, &mut shipment, command)?.is_empty() {
            self.apply(batch, deed).await?;
            return Ok(None);
        }
        let cache = &self.shared.cache;
        let mut order = cache.take::<Order>(state.order());
        let mut reservation = cache.take::<Reservation>(state.reservation());
        let mut ask = Ask::default();
        ask.stream(&order);
        ask.stream(&reservation);
        let answer = self.ask(ask).await?;
        order = answer.fold(order)?;
        reservation = answer.fold(reservation)?;
        let known = order.state.as_ref().ok_or(OrderError::NotFound)?;
        let units = leaving(&state, known, reservation.state.as_ref())?;
        if !units.is_empty() {
            told(&mut batch, &mut reservation, ReservationCommand::Consume { units })?;
        }
        let captures = self.capture_on_ship(&mut batch, known).await?;
        let units = moved(state.lines());
        told(&mut batch, &mut order, OrderCommand::Move { movement: Movement::Shipped, units })?;
        self.apply(batch, deed).await?;
        Ok(captures)
    }

    /// Asks for all the money of an order whose goods begin to leave, where that is the policy.
    async fn capture_on_ship(
        &self,
        batch: &mut Batch<'_>,
        order: &Order,
    ) -> Result<Option<PaymentId>, OperationError> {
        let paid = order.payments().values().fold(0_i64, |sum, one| sum.saturating_add(one.captured));
        let owed = !matches!(order.coverage(), Some(Coverage::Free | Coverage::Override { .. }));
        let Some(checkout) = order.content().checkout.filter(|_| owed && paid < order.total().minor()) else {
            return Ok(None);
        };
        let cache = &self.shared.cache;
        let (saga, payment) = (cache.take::<Checkout>(checkout), cache.take(payment_of(checkout)));
        let mut ask = Ask::default();
        ask.stream(&saga);
        ask.stream(&payment);
        let answer = self.ask(ask).await?;
        let saga = answer.fold(saga)?;
        let mut payment: Instance<Payment> = answer.fold(payment)?;
        let on_ship = saga.state.is_some_and(|saga| saga.plan().capture == CapturePolicy::OnShip);
        let Some(known) = payment.state.as_ref().filter(|_| on_ship) else { return Ok(None) };
        // An edit may have made the order cheaper than what is reserved.
        let owed = order.total().minor().saturating_sub(paid);
        let left = known.amount().minor().saturating_sub(known.ledger().captured()).min(owed);
        let asked = known.pending().values().any(|call| call.kind == PendingKind::Capture);
        if left > 0 && !asked {
            let amount = Money::from_minor(left, known.amount().currency());
            let resolve_at = batch.now().plus(self.settings().await?.resume());
            told(batch, &mut payment, PaymentCommand::Capture { amount, resolve_at })?;
        }
        Ok(Some(payment.id))
    }

    /// Writes down what the carrier says. A delivered parcel counts as delivered in its order, which ends
    /// once everything is delivered and paid.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn record_tracking(
        &self,
        shipment: ShipmentId,
        status: CarrierStatus,
        at: Timestamp,
        rank: u16,
    ) -> Result<(), OperationError> {
        let deed = self.deed(
            (Permission::new(Shipment::NAME, "record-tracking"), shipment.uuid()),
            &(shipment, status, at, rank),
        );
        let command = ShipmentCommand::RecordTracking { status, at, rank };
        retried!(self, deed, shop => shop.try_record_tracking(shipment, &command, &deed))
    }

    async fn try_record_tracking(
        &self,
        id: ShipmentId,
        command: &ShipmentCommand,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let Some(mut shipment) = self.parcel(id, command, deed).await? else { return Ok(()) };
        let mut batch = self.batch();
        let events = told(&mut batch, &mut shipment, command.clone())?;
        let delivered = events.iter().any(|event| matches!(event, ShipmentEvent::Delivered { .. }));
        if let Some(state) = shipment.state.as_ref().filter(|_| delivered) {
            let mut order = self.fetch::<Order>(state.order()).await?;
            let units = moved(state.lines());
            told(&mut batch, &mut order, OrderCommand::Move { movement: Movement::Delivered, units })?;
            complete(&mut batch, &mut order)?;
        }
        self.apply(batch, deed).await
    }

    /// Gives a parcel up that was not handed over. Its units stay promised to the order.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn cancel_shipment(&self, shipment: ShipmentId, reason: Reason) -> Result<(), OperationError> {
        let deed = self.deed(
            (Permission::new(Shipment::NAME, "cancel-shipment"), shipment.uuid()),
            &(shipment, &reason),
        );
        let command = ShipmentCommand::Cancel { reason };
        retried!(self, deed, shop => shop.try_cancel_shipment(shipment, &command, &deed))
    }

    async fn try_cancel_shipment(
        &self,
        id: ShipmentId,
        command: &ShipmentCommand,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let Some(mut shipment) = self.parcel(id, command, deed).await? else { return Ok(()) };
        let mut batch = self.batch();
        told(&mut batch, &mut shipment, command.clone())?;
        self.apply(batch, deed).await
    }

    /// The shipment that a command is for, once the actor may give it; `None` where it was carried out.
    async fn parcel(
        &self,
        id: ShipmentId,
        command: &ShipmentCommand,
        deed: &Deed,
    ) -> Result<Option<Instance<Shipment>>, OperationError> {
        let known = self.shared.cache.take::<Shipment>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let shipment = answer.fold(known)?;
        let owner = shipment.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, command.permission(), owner)?;
        Ok(if deed.is_done(&answer)? { None } else { Some(shipment) })
    }
}

fn moved(lines: &[ShipmentLine]) -> Vec<LineMovement> {
    lines.iter().map(|line| LineMovement { line: line.order_line, quantity: line.quantity }).collect()
}

/// What leaves the reservation with a parcel: exactly what it promises to this order, of this SKU and at
/// this location. Lines of which no stock is kept take nothing.
fn leaving(
    shipment: &Shipment,
    order: &Order,
    reservation: Option<&Reservation>,
) -> Result<Leaving, OperationError> {
    let held = reservation.filter(|held| order.content().checkout == Some(held.checkout()));
    let mut units = Vec::new();
    for line in shipment.lines() {
        let refused = || OperationError::NotReserved { line: line.order_line };
        let bought = order.content().lines.iter().find(|bought| bought.id == line.order_line);
        let bought = bought.ok_or(OrderError::NoSuchLine(line.order_line))?;
        match line.reservation_line {
            None if !bought.tracked => {}
            Some(number) if bought.tracked => {
                let index = usize::try_from(number).map_err(|_| refused())?;
                let promised = held.and_then(|held| held.lines().get(index)).ok_or_else(refused)?;
                let reserved = &promised.reserved;
                if (&reserved.sku, reserved.location) != (&bought.sku, shipment.location()) {
                    return Err(refused());
                }
                units.push((number, line.quantity));
            }
            _ => return Err(refused()),
        }
    }
    Ok(units)
}
