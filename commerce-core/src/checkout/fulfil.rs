//! What follows on a paid order: parcels and a message.

use std::collections::BTreeMap;

use super::error::{CheckoutError, InternalRefusal};
use super::party::{Party, tell};
use super::state::Checkout;
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::event::EventId;
use crate::kernel::replay::ReplayError;
use crate::notifications::{
    Channel, Message, Notification, NotificationCommand, RetryPolicy, notification_id,
};
use crate::orders::{Order, OrderCommand};
use crate::shipping::{Shipment, ShipmentCommand, ShipmentLine};
use crate::value::id::{CheckoutId, LocationId, OrderId, ShipmentId};
use crate::value::{Code, Quantity};

/// The parcel of a checkout from one location.
pub fn shipment_of(checkout: CheckoutId, location: LocationId) -> ShipmentId {
    ShipmentId::derived(checkout.uuid(), format!("shipment@{location}").as_bytes())
}

/// Prepares one parcel per location.
///
/// # Errors
///
/// [`CheckoutError::Internal`] for a defect.
pub fn ship(batch: &mut Batch<'_>, party: &Party, saga: &Checkout) -> Result<(), CheckoutError> {
    let Some(order) = party.order.state.as_ref() else { return Ok(()) };
    let Some(address) = order.content().shipping_address.clone() else { return Ok(()) };
    for (location, lines) in parcels(party, saga, order) {
        let mut shipment = Instance::<Shipment>::absent(shipment_of(saga.id(), location));
        let create = ShipmentCommand::Create {
            order: party.order.id,
            lines,
            reservation: party.reservation.id,
            location,
            address: address.clone(),
        };
        tell(batch, &mut shipment, create)?;
    }
    Ok(())
}

/// Which units leave from where. The reservation's lines stand in the order of the order's: each order
/// line of which stock is kept takes as many of them as make up its quantity.
fn parcels(party: &Party, saga: &Checkout, order: &Order) -> BTreeMap<LocationId, Vec<ShipmentLine>> {
    let mut parcels: BTreeMap<LocationId, Vec<ShipmentLine>> = BTreeMap::new();
    let reserved = party.reservation.state.as_ref().map_or(&[][..], |held| held.lines());
    let mut reserved = (0_u32..).zip(reserved);
    for (line, ledger) in order.lines() {
        let mut left = ledger.wanted();
        if !line.tracked {
            let from = saga.plan().ships_from.first().filter(|_| line.shippable);
            if let (Some(location), Ok(quantity)) = (from, Quantity::new(left)) {
                let unit = ShipmentLine {
                    order_line: line.id,
                    reservation_line: None,
                    sku: line.sku.clone(),
                    quantity,
                };
                parcels.entry(*location).or_default().push(unit);
            }
            continue;
        }
        while left > 0 {
            let Some((number, held)) = reserved.next() else { break };
            let units = held.reserved.quantity.get().min(left);
            left -= units;
            let Ok(quantity) = Quantity::new(units) else { continue };
            if line.shippable {
                parcels.entry(held.reserved.location).or_default().push(ShipmentLine {
                    order_line: line.id,
                    reservation_line: Some(number),
                    sku: line.sku.clone(),
                    quantity,
                });
            }
        }
    }
    parcels
}

/// Ends an order of which everything is delivered and paid; leaves any other as it is.
///
/// # Errors
///
/// [`ReplayError`] for a defect.
pub fn complete(batch: &mut Batch<'_>, order: &mut Instance<Order>) -> Result<(), ReplayError> {
    // An order of services only is ended by whoever renders them.
    let arrived =
        order.state.as_ref().is_some_and(|order| order.lines().any(|(_, ledger)| ledger.delivered > 0));
    match Order::decide(order.state.as_ref(), OrderCommand::Complete, batch.now()) {
        Ok(events) if arrived => batch.append(order, &events),
        _ => Ok(()),
    }
}

/// The event that a message about a confirmed order is bound to: derived, so that there is one message.
fn confirmation_event(order: OrderId) -> EventId {
    EventId::derived(order.uuid(), b"OrderConfirmed")
}

/// Queues the message that the order is confirmed. Never fails the checkout.
///
/// # Errors
///
/// [`CheckoutError::Internal`] for a defect.
pub fn notify(batch: &mut Batch<'_>, party: &Party, saga: &Checkout) -> Result<(), CheckoutError> {
    let code = |text: &str| Code::new(text).map_err(|_| InternalRefusal::Text);
    let subject = saga.plan().subject;
    let event = confirmation_event(party.order.id);
    let template = code("order-confirmed")?;
    let mut data = BTreeMap::new();
    data.insert(code("order")?, code(&party.order.id.to_string())?);
    if let Some(number) = party.order.state.as_ref().and_then(Order::number) {
        data.insert(code("number")?, code(number.as_str())?);
    }
    let mut row =
        Instance::<Notification>::absent(notification_id(event, subject, Channel::Email, &template));
    let message = Message { event, template, channel: Channel::Email, subject, data };
    tell(batch, &mut row, NotificationCommand::Queue { message, policy: RetryPolicy::default() })
}
