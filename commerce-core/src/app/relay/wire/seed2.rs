//! The dialect of the third document: names with the suffix `Event`, three topics, an envelope of six fields.
//!
//! Stock belongs to the product there, so that `ProductStockUpdatedEvent` is the product's, in its topic; the
//! number is that of the SKU and place that changed, of which the document knows one each. The version
//! counts within the stream of the event, which for stock is not the product's. A transition of an order is
//! an `OrderStatusUpdatedEvent` too, behind the `OrderCancelledEvent` where it is one.

use super::WireError;
use super::draft::{Draft, Sealing, Source};
use super::facts::Fact;
use super::json::{Json, Object, Spelling};
use super::{parts, status};
use crate::catalog::ProductEvent;
use crate::inventory::StockEvent;
use crate::orders::OrderEvent;
use crate::payments::PaymentEvent;
use crate::port::publisher::Outgoing;

const FIELDS: Spelling = Spelling::Camel;
const PRODUCTS: &str = "product-events";

/// The messages of an event.
pub(super) fn messages(fact: &Fact, source: Source<'_>) -> Result<Vec<Outgoing>, WireError> {
    let drafts = match fact {
        Fact::Product(event) => product(event, source)?,
        Fact::Stock(StockEvent::LevelChanged { sku, on_hand, .. }) => {
            let level = parts::stock_level(FIELDS, source, sku, *on_hand)?;
            let draft = |(product, data)| {
                Draft::new("ProductStockUpdatedEvent", source, data).on(PRODUCTS).of(product)
            };
            level.map(draft).into_iter().collect()
        }
        Fact::Order(event) => order(event, source)?,
        Fact::Payment(event) => payment(event, source)?,
        _ => Vec::new(),
    };
    Ok(source.send(drafts, six))
}

fn product(event: &ProductEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    let (name, data) = match event {
        ProductEvent::Created { details, .. } => {
            ("ProductCreatedEvent", parts::product(FIELDS, source, details, true)?)
        }
        ProductEvent::Updated { details, .. } => {
            ("ProductUpdatedEvent", parts::product(FIELDS, source, details, false)?)
        }
        ProductEvent::Deleted { .. } => {
            ("ProductDeletedEvent", Object::new(FIELDS).put("id", source.stream()))
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Draft::new(name, source, data).on(PRODUCTS)])
}

fn order(event: &OrderEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    let mut drafts = Vec::new();
    if let OrderEvent::Placed { number, content } = event {
        let data = parts::order_placed(FIELDS, source, content)
            .put("order_number", number.as_str())
            .put("currency", content.book.currency.code());
        drafts.push(Draft::new("OrderCreatedEvent", source, data));
    }
    if let Some(step) = status::transition(event, source)? {
        if let OrderEvent::Cancelled { reason, .. } = event {
            let data = parts::order_ended(FIELDS, source, reason)?;
            drafts.push(Draft::new("OrderCancelledEvent", source, data));
        }
        let data = status::payload(FIELDS, source, step);
        drafts.push(Draft::new("OrderStatusUpdatedEvent", source, data));
    }
    Ok(drafts)
}

fn payment(event: &PaymentEvent, source: Source<'_>) -> Result<Vec<Draft>, WireError> {
    let (name, data) = match event {
        PaymentEvent::Captured { amount, operation, .. } => {
            let data = parts::money_moved(FIELDS, source, *amount, operation)?;
            ("PaymentProcessedEvent", data.put("currency", amount.currency().code()))
        }
        PaymentEvent::Refunded { amount, operation, .. } => {
            let data = parts::money_moved(FIELDS, source, *amount, operation)?;
            ("PaymentRefundedEvent", data.put("currency", amount.currency().code()))
        }
        PaymentEvent::Failed { order, code } => {
            ("PaymentFailedEvent", parts::payment_failed(FIELDS, source, *order, code))
        }
        _ => return Ok(Vec::new()),
    };
    Ok(vec![Draft::new(name, source, data)])
}

/// The document's envelope.
fn six(sealing: &Sealing<'_>) -> Json {
    let Sealing { id, recorded, draft } = sealing;
    Object::new(FIELDS)
        .put("event_id", *id)
        .put("occurred_on", recorded.event.at)
        .put("event_type", draft.name)
        .put("aggregate_id", draft.aggregate)
        .put("version", recorded.version.get())
        .put("data", draft.data.clone())
        .into()
}
