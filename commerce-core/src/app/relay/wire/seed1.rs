//! The dialect of the second document: `ProductCreated`, `InventoryChanged`, `OrderPlaced`, `OrderPaid` and
//! `OrderShipped`, and `OrderStatusChanged` for its hub.
//!
//! Payloads have the fields of its entities, money is an object of amount and currency. It names neither
//! streams nor an envelope, so both are the library's. Its hub makes `InventoryUpdated` of `InventoryChanged`
//! itself. The inventory of a product is that of the SKU and place that changed: the document knows one each.

use super::WireError;
use super::draft::{Draft, Source, full};
use super::facts::Fact;
use super::json::{Json, Object, Spelling};
use super::{parts, status};
use crate::catalog::{ProductDetails, ProductEvent};
use crate::inventory::StockEvent;
use crate::orders::{OrderContent, OrderEvent, OrderStatus};
use crate::payments::PaymentEvent;
use crate::port::publisher::Outgoing;
use crate::shipping::ShipmentEvent;
use crate::value::{Currency, Description, Money, Price};

const FIELDS: Spelling = Spelling::Pascal;

/// The messages of an event.
pub(super) fn messages(fact: &Fact, source: Source<'_>) -> Result<Vec<Outgoing>, WireError> {
    let draft = match fact {
        Fact::Product(ProductEvent::Created { details, .. }) => {
            Some(("ProductCreated", product(source, details)?))
        }
        Fact::Stock(StockEvent::LevelChanged { sku, on_hand, .. }) => {
            let product = source.product_of(sku)?;
            product.map(|product| {
                let data = Object::new(FIELDS).put("product_id", product).put("inventory", *on_hand);
                ("InventoryChanged", data)
            })
        }
        Fact::Order(event) => order(event, source)?,
        Fact::Payment(PaymentEvent::Captured { amount, operation, .. }) => {
            let data = Object::new(FIELDS)
                .put("order_id", source.paid_order()?)
                .put("amount", money(*amount))
                .put("transaction_id", &*operation.0);
            Some(("OrderPaid", data))
        }
        Fact::Shipment(ShipmentEvent::Dispatched { order, .. }) => {
            let data = Object::new(FIELDS).put("order_id", *order).put("shipment_id", source.stream());
            Some(("OrderShipped", data))
        }
        _ => None,
    };
    let drafts = draft.into_iter().map(|(name, data)| Draft::new(name, source, data)).collect();
    Ok(source.send(drafts, full))
}

fn order(event: &OrderEvent, source: Source<'_>) -> Result<Option<(&'static str, Object)>, WireError> {
    if let OrderEvent::Placed { content, .. } = event {
        return Ok(Some(("OrderPlaced", placed(source, content))));
    }
    let step = status::transition(event, source)?;
    Ok(step.map(|step| ("OrderStatusChanged", status::payload(FIELDS, source, step))))
}

fn product(source: Source<'_>, details: &ProductDetails) -> Result<Object, WireError> {
    let product = source.product()?;
    Ok(Object::new(FIELDS)
        .put("id", source.stream())
        .put("name", details.name.as_str())
        .put("description", details.description.as_ref().map(Description::as_str))
        .put("price", parts::price_of(product).map(price))
        .put("inventory", 0_u32)
        .put("category_id", parts::category_of(product)))
}

fn placed(source: Source<'_>, content: &OrderContent) -> Object {
    let items: Vec<Object> = content
        .lines
        .iter()
        .map(|line| {
            let priced = content.book.line(line.id.cast());
            Object::new(FIELDS)
                .put("product_id", line.product)
                .put("quantity", line.quantity.get())
                .put("price", priced.map(|priced| price(priced.unit_price)))
        })
        .collect();
    Object::new(FIELDS)
        .put("id", source.stream())
        .put("customer_id", parts::buyer(content))
        .put("order_items", items)
        .put("status", status::name(OrderStatus::Pending))
        .put("total", money(content.book.total))
}

fn money(amount: Money) -> Json {
    of(amount, amount.currency())
}

fn price(price: Price) -> Json {
    of(price, price.currency())
}

fn of(amount: impl Into<Json>, currency: Currency) -> Json {
    Object::new(FIELDS).put("amount", amount).put("currency", currency.code()).into()
}
