//! The library's own dialect: topic, routing key and envelope.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::carts::Cart;
use crate::catalog::{CategoryTree, Product};
use crate::checkout::Checkout;
use crate::customers::Customer;
use crate::inventory::{Reservation, StockItem};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::event::RecordedEvent;
use crate::notifications::Notification;
use crate::orders::{Order, OrderEdit};
use crate::payments::Payment;
use crate::port::publisher::Outgoing;
use crate::promotions::{Promotion, Redemption};
use crate::returns::Return;
use crate::shipping::Shipment;

/// The envelope: six fields of an event that a receiver needs, and what helps to follow it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'e> {
    event_id: String,
    occurred_on: String,
    event_type: &'e str,
    aggregate_id: String,
    aggregate_type: &'e str,
    version: u64,
    schema_version: u16,
    correlation_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<String>,
    actor: crate::value::actor::Actor,
    data: &'e RawValue,
}

/// The topic of an aggregate's events: that of its context.
pub fn topic(kind: &str) -> &'static str {
    match kind {
        Product::NAME | CategoryTree::NAME => "catalog-events",
        StockItem::NAME | Reservation::NAME => "inventory-events",
        Customer::NAME => "identity-events",
        Cart::NAME => "cart-events",
        Order::NAME | OrderEdit::NAME | Checkout::NAME | Return::NAME => "order-events",
        Payment::NAME => "payment-events",
        Shipment::NAME => "shipping-events",
        Promotion::NAME | Redemption::NAME => "promotion-events",
        Notification::NAME => "notification-events",
        _ => "commerce-events",
    }
}

/// The routing key of an event: its name in lower case, a dot behind the first word, dashes between the
/// others; `OrderPlaced` is `order.placed`.
pub fn routing_key(name: &str) -> String {
    let mut key = String::with_capacity(name.len().saturating_add(4));
    let mut words = 0_usize;
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            match words {
                0 => {}
                1 => key.push('.'),
                _ => key.push('-'),
            }
            words = words.saturating_add(1);
        }
        key.push(letter.to_ascii_lowercase());
    }
    key
}

/// The envelope of an event as JSON. Personal values are not in it: they lie beside the event.
///
/// # Errors
///
/// Where the stored payload is no JSON.
pub fn envelope(recorded: &RecordedEvent) -> Result<Vec<u8>, serde_json::Error> {
    let event = &recorded.event;
    let data: &RawValue = serde_json::from_slice(&event.data)?;
    serde_json::to_vec(&Envelope {
        event_id: event.id.to_string(),
        occurred_on: event.at.to_string(),
        event_type: &event.name,
        aggregate_id: recorded.stream.id.to_string(),
        aggregate_type: &recorded.stream.kind,
        version: recorded.version.get(),
        schema_version: event.schema,
        correlation_id: event.metadata.correlation.to_string(),
        causation_id: event.metadata.causation.map(|cause| cause.to_string()),
        actor: event.metadata.actor,
        data,
    })
}

/// The one message of an event.
pub(super) fn message(recorded: &RecordedEvent) -> Result<Outgoing, serde_json::Error> {
    Ok(Outgoing {
        id: recorded.event.id,
        topic: topic(&recorded.stream.kind).into(),
        key: routing_key(&recorded.event.name).into(),
        ordering: recorded.stream.to_string().into(),
        body: envelope(recorded)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routing_keys_have_one_dot() {
        assert_eq!(routing_key("OrderPlaced"), "order.placed");
        assert_eq!(routing_key("LowStockAlert"), "low.stock-alert");
        assert_eq!(routing_key("OrderEditConfirmed"), "order.edit-confirmed");
        assert_eq!(routing_key(""), "");
    }

    #[test]
    fn every_context_has_its_topic() {
        let topics = [
            ("catalog-events", &["product", "category_tree"][..]),
            ("inventory-events", &["stock_item", "reservation"]),
            ("identity-events", &["customer"]),
            ("cart-events", &["cart"]),
            ("order-events", &["order", "order_edit", "checkout", "return"]),
            ("payment-events", &["payment"]),
            ("shipping-events", &["shipment"]),
            ("promotion-events", &["promotion", "redemption"]),
            ("notification-events", &["notification"]),
        ];
        for (expected, kinds) in topics {
            assert!(kinds.iter().all(|kind| topic(kind) == expected), "{expected}");
        }
        assert_eq!(topic("something of the host"), "commerce-events");
    }
}
