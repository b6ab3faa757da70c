//! Events of the log, read for the documents that know them.

use crate::catalog::{Product, ProductEvent};
use crate::customers::{Customer, CustomerEvent};
use crate::inventory::{Reservation, ReservationEvent, StockEvent, StockItem};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::codec::{CodecError, decode};
use crate::kernel::event::RecordedEvent;
use crate::notifications::{Notification, NotificationEvent};
use crate::orders::{Order, OrderEvent};
use crate::payments::{Payment, PaymentEvent};
use crate::shipping::{Shipment, ShipmentEvent};

/// An event of an aggregate of which some document knows.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    Product(ProductEvent),
    Customer(CustomerEvent),
    Order(Box<OrderEvent>),
    Payment(PaymentEvent),
    Stock(StockEvent),
    Reservation(ReservationEvent),
    Shipment(ShipmentEvent),
    Notification(NotificationEvent),
    /// Of no document.
    Other,
}

impl Fact {
    /// Reads an event.
    pub(super) fn of(recorded: &RecordedEvent) -> Result<Self, CodecError> {
        let event = &recorded.event;
        Ok(match recorded.stream.kind.as_ref() {
            Product::NAME => Self::Product(decode(event)?),
            Customer::NAME => Self::Customer(decode(event)?),
            Order::NAME => Self::Order(Box::new(decode(event)?)),
            Payment::NAME => Self::Payment(decode(event)?),
            StockItem::NAME => Self::Stock(decode(event)?),
            Reservation::NAME => Self::Reservation(decode(event)?),
            Shipment::NAME => Self::Shipment(decode(event)?),
            Notification::NAME => Self::Notification(decode(event)?),
            _ => Self::Other,
        })
    }
}
