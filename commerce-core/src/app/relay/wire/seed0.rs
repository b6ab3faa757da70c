//! The dialect of the first document: a domain whose four events are `ProductCreated`, `OrderPlaced`,
//! `CustomerRegistered` and `PaymentProcessed`, with the columns of its tables as payload.
//!
//! It names neither topics nor an envelope, so both are the library's. A customer's name, address and phone
//! number are personal and left out.

use super::WireError;
use super::draft::{Draft, Source, full};
use super::facts::Fact;
use super::json::{Object, Spelling};
use super::{parts, status};
use crate::catalog::ProductEvent;
use crate::customers::CustomerEvent;
use crate::orders::{OrderContent, OrderEvent, OrderLine, OrderNumber, OrderStatus};
use crate::payments::PaymentEvent;
use crate::port::payment::GatewayRef;
use crate::port::publisher::Outgoing;
use crate::value::{Money, PriceBook};

const COLUMNS: Spelling = Spelling::Snake;

/// The messages of an event.
pub(super) fn messages(fact: &Fact, source: Source<'_>) -> Result<Vec<Outgoing>, WireError> {
    let (name, data) = match fact {
        Fact::Product(ProductEvent::Created { details, .. }) => {
            ("ProductCreated", parts::product(COLUMNS, source, details, true)?)
        }
        Fact::Customer(CustomerEvent::Registered { .. }) => ("CustomerRegistered", customer(source)),
        Fact::Order(event) => match &**event {
            OrderEvent::Placed { number, content } => ("OrderPlaced", order(source, number, content)),
            _ => return Ok(Vec::new()),
        },
        Fact::Payment(PaymentEvent::Captured { operation, amount, .. }) => {
            ("PaymentProcessed", payment(source, operation, *amount)?)
        }
        _ => return Ok(Vec::new()),
    };
    Ok(source.send(vec![Draft::new(name, source, data)], full))
}

fn customer(source: Source<'_>) -> Object {
    let at = source.recorded.event.at;
    Object::new(COLUMNS)
        .put("id", source.stream())
        .put("is_active", true)
        .put("created_at", at)
        .put("updated_at", at)
}

fn order(source: Source<'_>, number: &OrderNumber, content: &OrderContent) -> Object {
    let (at, book) = (source.recorded.event.at, &content.book);
    let items: Vec<Object> = content.lines.iter().map(|line| item(source, line, book)).collect();
    Object::new(COLUMNS)
        .put("id", source.stream())
        .put("order_number", number.as_str())
        .put("customer_id", parts::buyer(content))
        .put("status", status::name(OrderStatus::Pending))
        .put("total_amount", book.total)
        .put("currency", book.currency.code())
        .put("created_at", at)
        .put("updated_at", at)
        .put("items", items)
}

fn item(source: Source<'_>, line: &OrderLine, book: &PriceBook) -> Object {
    Object::new(COLUMNS)
        .put("id", line.id)
        .put("order_id", source.stream())
        .put("product_id", line.product)
        .put("quantity", line.quantity.get())
        .put("unit_price", book.line(line.id.cast()).map(|priced| priced.unit_price))
        .put("currency", book.currency.code())
}

/// The method is the gateway: what stands for the buyer's means of payment is nobody's business.
fn payment(source: Source<'_>, operation: &GatewayRef, amount: Money) -> Result<Object, WireError> {
    let payment = source.payment()?;
    Ok(Object::new(COLUMNS)
        .put("id", source.stream())
        .put("order_id", payment.order())
        .put("method", payment.gateway())
        .put("status", "Captured")
        .put("amount", amount)
        .put("currency", amount.currency().code())
        .put("transaction_id", &*operation.0)
        .put("processed_at", source.recorded.event.at))
}
