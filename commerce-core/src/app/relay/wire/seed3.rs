//! The dialect of the fourth document: names without suffix, a topic per service.
//!
//! It has no envelope of its own, so it is the library's. Payloads have the fields that the alias table
//! fixes, or ids and what the name says. A refund of an order that was given up or never came about is the
//! saga's `PaymentRefunded` too. Accounts that sign in are the host's, and so are their events.

use super::WireError;
use super::draft::{Draft, Source, full};
use super::facts::Fact;
use super::json::{Object, Spelling};
use super::parts;
use super::status::before_the_end;
use crate::catalog::ProductEvent;
use crate::inventory::{ReservationEvent, StockEvent};
use crate::notifications::{Channel, NotificationEvent};
use crate::orders::{OrderEvent, OrderStatus};
use crate::payments::PaymentEvent;
use crate::port::publisher::Outgoing;
use crate::shipping::{CarrierStatus, ShipmentEvent};
use crate::value::Reason;

const FIELDS: Spelling = Spelling::Camel;

/// Names and payloads.
type Named = Vec<(&'static str, Object)>;

/// The messages of an event.
pub(super) fn messages(fact: &Fact, source: Source<'_>) -> Result<Vec<Outgoing>, WireError> {
    let named = match fact {
        Fact::Product(event) => product(event, source)?,
        Fact::Order(event) => order(event, source)?,
        Fact::Payment(event) => payment(event, source)?,
        Fact::Stock(event) => stock(event, source)?,
        Fact::Reservation(event) => reservation(event, source)?,
        Fact::Shipment(event) => shipment(event, source),
        Fact::Notification(event) => notification(event, source)?,
        Fact::Customer(_) | Fact::Other => Vec::new(),
    };
    let drafts = named.into_iter().map(|(name, data)| Draft::new(name, source, data)).collect();
    Ok(source.send(drafts, full))
}

fn product(event: &ProductEvent, source: Source<'_>) -> Result<Named, WireError> {
    Ok(match event {
        ProductEvent::Created { details, .. } => {
            vec![("ProductCreated", parts::product(FIELDS, source, details, true)?)]
        }
        ProductEvent::Updated { details, .. } => {
            vec![("ProductUpdated", parts::product(FIELDS, source, details, false)?)]
        }
        ProductEvent::PriceChanged { variant, currency, old, new } => {
            let data = Object::new(FIELDS)
                .put("product_id", source.stream())
                .put("variant_id", *variant)
                .put("currency", currency.code())
                .put("old", *old)
                .put("new", *new);
            vec![("PriceChanged", data)]
        }
        ProductEvent::Deleted { .. } => {
            vec![("ProductDeleted", Object::new(FIELDS).put("id", source.stream()))]
        }
        _ => Vec::new(),
    })
}

fn order(event: &OrderEvent, source: Source<'_>) -> Result<Named, WireError> {
    Ok(match event {
        OrderEvent::Placed { number, content } => {
            let data = parts::order_placed(FIELDS, source, content)
                .put("order_number", number.as_str())
                .put("currency", content.book.currency.code());
            vec![("OrderCreated", data)]
        }
        OrderEvent::Confirmed { .. } => {
            vec![("OrderConfirmed", parts::order_confirmed(FIELDS, source)?)]
        }
        OrderEvent::Cancelled { reason, .. } if before_the_end(source.order()?).is_some() => {
            vec![("OrderCancelled", parts::order_ended(FIELDS, source, reason)?)]
        }
        OrderEvent::Completed => {
            vec![("OrderCompleted", Object::new(FIELDS).put("order_id", source.stream()))]
        }
        _ => Vec::new(),
    })
}

fn payment(event: &PaymentEvent, source: Source<'_>) -> Result<Named, WireError> {
    Ok(match event {
        PaymentEvent::Initiated { order, amount, .. } => {
            let data = Object::new(FIELDS)
                .put("payment_id", source.stream())
                .put("order_id", *order)
                .put("amount", *amount)
                .put("currency", amount.currency().code());
            vec![("PaymentInitiated", data)]
        }
        PaymentEvent::Captured { amount, operation, .. } => {
            let data = parts::money_moved(FIELDS, source, *amount, operation)?;
            vec![("PaymentProcessed", data.put("currency", amount.currency().code()))]
        }
        PaymentEvent::Failed { order, code } => {
            vec![("PaymentFailed", parts::payment_failed(FIELDS, source, *order, code))]
        }
        PaymentEvent::Refunded { amount, operation, .. } => {
            let data = parts::money_moved(FIELDS, source, *amount, operation)?;
            let data = data.put("currency", amount.currency().code());
            let order = source.order_by(source.paid_order()?)?;
            let mut named = vec![("RefundProcessed", data.clone())];
            if matches!(order.status(), OrderStatus::Cancelled | OrderStatus::Failed) {
                named.push(("PaymentRefunded", data));
            }
            named
        }
        _ => Vec::new(),
    })
}

fn stock(event: &StockEvent, source: Source<'_>) -> Result<Named, WireError> {
    Ok(match event {
        StockEvent::LevelChanged { sku, location, on_hand, .. } => {
            let level = parts::stock_level(FIELDS, source, sku, *on_hand)?;
            let of = |data: Object| data.put("sku", sku.as_str()).put("location_id", *location);
            level.map(|(_, data)| ("StockLevelChanged", of(data))).into_iter().collect()
        }
        StockEvent::LowStock { sku, available, threshold, .. } => {
            let alert = parts::low_stock(FIELDS, source, (sku, *available, *threshold))?;
            alert.map(|data| ("LowStockAlert", data)).into_iter().collect()
        }
        _ => Vec::new(),
    })
}

fn reservation(event: &ReservationEvent, source: Source<'_>) -> Result<Named, WireError> {
    let reserved =
        parts::reserved(FIELDS, source, event)?.into_iter().map(|data| ("InventoryReserved", data));
    let released =
        parts::released(FIELDS, source, event)?.into_iter().map(|data| ("InventoryReleased", data));
    Ok(reserved.chain(released).collect())
}

fn shipment(event: &ShipmentEvent, source: Source<'_>) -> Named {
    let parcel = Object::new(FIELDS).put("shipment_id", source.stream());
    match event {
        ShipmentEvent::Created { order, .. } => vec![("ShipmentCreated", parcel.put("order_id", *order))],
        ShipmentEvent::Dispatched { order, tracking } => {
            let tracking = tracking.as_ref();
            let data = parcel
                .put("order_id", *order)
                .put("carrier", tracking.map(|tracking| tracking.carrier.as_str()))
                .put("tracking_number", tracking.map(|tracking| tracking.number.as_str()));
            vec![("ShipmentDispatched", data)]
        }
        ShipmentEvent::Delivered { order, at } => {
            vec![("ShipmentDelivered", parcel.put("order_id", *order).put("delivered_at", *at))]
        }
        ShipmentEvent::TrackingUpdated { news, .. } => {
            vec![("TrackingUpdated", parcel.put("status", carried(news.status)).put("at", news.at))]
        }
        _ => Vec::new(),
    }
}

const fn carried(status: CarrierStatus) -> &'static str {
    match status {
        CarrierStatus::InTransit => "InTransit",
        CarrierStatus::OutForDelivery => "OutForDelivery",
        CarrierStatus::Delivered => "Delivered",
        CarrierStatus::Exception => "Exception",
    }
}

fn notification(event: &NotificationEvent, source: Source<'_>) -> Result<Named, WireError> {
    let message = Object::new(FIELDS).put("notification_id", source.stream());
    Ok(match event {
        NotificationEvent::Sent { .. } => vec![("NotificationSent", message)],
        NotificationEvent::Failed { reason, .. } => {
            let reason = reason.as_ref().map(Reason::as_str);
            vec![("NotificationFailed", message.put("reason", reason))]
        }
        NotificationEvent::Delivered if source.notification()?.message().channel == Channel::Email => {
            vec![("EmailDelivered", message)]
        }
        _ => Vec::new(),
    })
}
