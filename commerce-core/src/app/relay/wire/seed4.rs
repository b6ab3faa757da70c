//! The dialect of the fifth document: names with the suffix `Event`, exchanges with the document's routing
//! keys, and the payload alone as the body, in its spelling.
//!
//! A reservation of several lines is a `StockReservedEvent` each. An order that failed is an
//! `OrderCancelledEvent`, as the document's failure flow has it. Units that are free again are a
//! `StockReleasedEvent` whatever freed them. `UserVerifiedEvent` is the host's, whose accounts are verified.

use super::WireError;
use super::draft::{Draft, Source, bare};
use super::facts::Fact;
use super::json::{Object, Spelling};
use super::parts;
use super::status::before_the_end;
use crate::customers::{CustomerEvent, ProfileField};
use crate::inventory::{ReservationEvent, StockEvent};
use crate::orders::OrderEvent;
use crate::payments::PaymentEvent;
use crate::port::publisher::Outgoing;

const FIELDS: Spelling = Spelling::Pascal;
const ORDERS: &str = "order.exchange";
const PAYMENTS: &str = "payment.exchange";
const INVENTORY: &str = "inventory.exchange";
const USERS: &str = "user.exchange";

/// The messages of an event.
pub(super) fn messages(fact: &Fact, source: Source<'_>) -> Result<Vec<Outgoing>, WireError> {
    let drafts = match fact {
        Fact::Order(event) => order(event, source)?,
        Fact::Payment(event) => payment(event, source)?,
        Fact::Reservation(event) => reservation(event, source)?,
        Fact::Stock(StockEvent::LowStock { sku, available, threshold, .. }) => {
            let alert = parts::low_stock(FIELDS, source, (sku, *available, *threshold))?;
            let draft = |data| draft(source, ("LowStockAlertEvent", INVENTORY, "inventory.low-stock"), data);
            alert.map(draft).into_iter().collect()
        }
        Fact::Customer(CustomerEvent::ProfileUpdated { updated_fields, .. }) => {
            let fields: Vec<&str> = updated_fields.iter().map(|field| profile_field(*field)).collect();
            let data = Object::new(FIELDS).put("user_id", source.stream()).put("updated_fields", fields);
            vec![draft(source, ("UserProfileUpdatedEvent", USERS, "user.profile.updated"), data)]
        }
        _ => Vec::new(),
    };
    Ok(source.send(drafts, bare))
}

/// Name, exchange and routing key.
type Route = (&'static str, &'static str, &'static str);

fn draft(source: Source<'_>, (name, exchange, key): Route, data: Object) -> Draft {
    Draft::new(name, source, data).on(exchange).routed(key)
}

fn order(event: &OrderEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    const CANCELLED: Route = ("OrderCancelledEvent", ORDERS, "order.cancelled");
    let (route, data) = match event {
        OrderEvent::Placed { content, .. } => {
            let data = parts::order_placed(FIELDS, source, content);
            (("OrderCreatedEvent", ORDERS, "order.created"), data)
        }
        OrderEvent::Confirmed { .. } => {
            let data = parts::order_confirmed(FIELDS, source)?;
            (("OrderConfirmedEvent", ORDERS, "order.confirmed"), data)
        }
        OrderEvent::Cancelled { reason, .. } if before_the_end(source.order()?).is_some() => {
            (CANCELLED, parts::order_ended(FIELDS, source, reason)?)
        }
        OrderEvent::Failed { reason, .. } => (CANCELLED, parts::order_ended(FIELDS, source, reason)?),
        _ => return Ok(Vec::new()),
    };
    Ok(vec![draft(source, route, data)])
}

fn payment(event: &PaymentEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    let (route, data) = match event {
        PaymentEvent::Captured { amount, operation, .. } => {
            let data = parts::money_moved(FIELDS, source, *amount, operation)?;
            (("PaymentSuccessEvent", PAYMENTS, "payment.success"), data)
        }
        PaymentEvent::Failed { order, code } => {
            let data = parts::payment_failed(FIELDS, source, *order, code);
            (("PaymentFailedEvent", PAYMENTS, "payment.failed"), data)
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![draft(source, route, data)])
}

fn reservation(event: &ReservationEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    const RESERVED: Route = ("StockReservedEvent", INVENTORY, "inventory.reserved");
    const RELEASED: Route = ("StockReleasedEvent", INVENTORY, "inventory.released");
    let reserved = parts::reserved(FIELDS, source, event)?;
    let released = parts::released(FIELDS, source, event)?;
    let reserved = reserved.into_iter().map(|data| draft(source, RESERVED, data));
    Ok(reserved.chain(released.into_iter().map(|data| draft(source, RELEASED, data))).collect())
}

/// As the document names it where a user registers.
const fn profile_field(field: ProfileField) -> &'static str {
    match field {
        ProfileField::Name => "FullName",
        ProfileField::Phone => "PhoneNumber",
    }
}
