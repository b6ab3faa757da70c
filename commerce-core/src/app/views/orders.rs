//! The list of orders: by buyer, customer, status and date.

use std::sync::Arc;

use super::{Projection, ProjectionError};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::codec::decode;
use crate::kernel::event::RecordedEvent;
use crate::orders::{Order, OrderEvent, OrderSummary};
use crate::port::view::{Document, FieldKind, FieldValue, Filter, ViewSchema};
use crate::value::actor::Actor;

/// Every order, drafts among them. Buyers see their own.
///
/// | field | what |
/// |---|---|
/// | `number` | the order's number; a draft has none |
/// | `buyer` | the person it belongs to, as a UUID |
/// | `customer` | the customer, where one is known |
/// | `status`, `payment`, `fulfilment` | by their names in code, for example `Confirmed`, `Paid` |
/// | `placed_at` | when it was placed |
/// | `currency`, `total` | what the buyer owes, in minor units |
#[derive(Debug, Clone, Copy, Default)]
pub struct OrderList;

impl OrderList {
    /// The field of the number.
    pub const NUMBER: &'static str = "number";
    /// The field of the person it belongs to.
    pub const BUYER: &'static str = "buyer";
    /// The field of the customer.
    pub const CUSTOMER: &'static str = "customer";
    /// The field of the status.
    pub const STATUS: &'static str = "status";
    /// The field of the payment status.
    pub const PAYMENT: &'static str = "payment";
    /// The field of the fulfilment status.
    pub const FULFILMENT: &'static str = "fulfilment";
    /// The field of the time of placing.
    pub const PLACED_AT: &'static str = "placed_at";
    /// The field of the currency.
    pub const CURRENCY: &'static str = "currency";
    /// The field of the total.
    pub const TOTAL: &'static str = "total";
}

impl Projection for OrderList {
    const AGGREGATE: &'static str = Order::NAME;
    const BY_STREAM: bool = true;
    type Document = OrderSummary;

    fn schema(&self) -> ViewSchema {
        ViewSchema::new("order_list", 1)
            .optional(Self::NUMBER, FieldKind::Text)
            .required(Self::BUYER, FieldKind::Text)
            .optional(Self::CUSTOMER, FieldKind::Text)
            .required(Self::STATUS, FieldKind::Text)
            .required(Self::PAYMENT, FieldKind::Text)
            .required(Self::FULFILMENT, FieldKind::Text)
            .required(Self::PLACED_AT, FieldKind::Moment)
            .required(Self::CURRENCY, FieldKind::Text)
            .required(Self::TOTAL, FieldKind::Integer)
    }

    fn concerns(&self, event: &RecordedEvent) -> Result<Vec<Arc<str>>, ProjectionError> {
        let ours = event.stream.kind == Order::NAME;
        Ok(ours.then(|| event.stream.id.to_string().into()).into_iter().collect())
    }

    fn apply(
        &self,
        event: &RecordedEvent,
        _id: &str,
        known: Option<OrderSummary>,
    ) -> Result<Option<OrderSummary>, ProjectionError> {
        let decoded: OrderEvent = decode(&event.event)?;
        let after = OrderSummary::follow(known, &decoded, event.event.at);
        after.map(Some).ok_or_else(|| ProjectionError::stray(event))
    }

    fn index(&self, order: &OrderSummary, blank: Document) -> Document {
        let text = |value: String| FieldValue::text(value);
        let mut entry = blank
            .with(Self::BUYER, text(order.buyer.to_string()))
            .with(Self::STATUS, text(format!("{:?}", order.status)))
            .with(Self::PAYMENT, text(format!("{:?}", order.payment_status())))
            .with(Self::FULFILMENT, text(format!("{:?}", order.fulfilment_status())))
            .with(Self::PLACED_AT, FieldValue::Moment(order.placed_at))
            .with(Self::CURRENCY, text(order.total.currency().code().to_owned()))
            .with(Self::TOTAL, FieldValue::Integer(order.total.minor()));
        if let Some(number) = &order.number {
            entry = entry.with(Self::NUMBER, text(number.as_str().to_owned())).searched(number.as_str());
        }
        match order.customer {
            Some(customer) => entry.with(Self::CUSTOMER, text(customer.to_string())),
            None => entry,
        }
    }

    fn visible_to(&self, actor: Actor) -> Option<Filter> {
        let buyer = actor.subject()?;
        Some(Filter::Is(Self::BUYER.into(), FieldValue::text(buyer.to_string())))
    }
}
