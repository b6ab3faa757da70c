//! Payloads that several documents have, with the fields that they fix, in the spelling of each.

use super::WireError;
use super::draft::Source;
use super::json::{Json, Object, Spelling};
use crate::catalog::{Product, ProductDetails};
use crate::inventory::ReservationEvent;
use crate::inventory::event::LineUnits;
use crate::orders::{Order, OrderContent, OrderLine};
use crate::port::payment::GatewayRef;
use crate::value::id::{CategoryId, OrderId, ProductId};
use crate::value::{Currency, Description, Money, Outcome, Price, PriceBook, Reason, Sku};

/// What a released hold is called that ended by the clock.
const EXPIRED: &str = "expired";

/// Units of a line as they were bought.
fn item(spelling: Spelling, line: &OrderLine, units: u32, book: &PriceBook) -> Object {
    let priced = book.line(line.id.cast());
    Object::new(spelling)
        .put("product_id", line.product)
        .put("product_name", line.name.as_str())
        .put("variant_id", line.variant)
        .put("unit_price", priced.map(|priced| priced.unit_price))
        .put("quantity", units)
        .put("total_price", priced.map(|priced| priced.list))
}

/// The lines of an order that are still wanted.
fn items(spelling: Spelling, order: &Order) -> Vec<Object> {
    let wanted = order.lines().filter(|(_, ledger)| ledger.wanted() > 0);
    wanted.map(|(line, ledger)| item(spelling, line, ledger.wanted(), &order.content().book)).collect()
}

/// Who buys: the customer, or the person of a guest.
pub(super) fn buyer(content: &OrderContent) -> Json {
    content.customer.map_or_else(|| content.subject.into(), Json::from)
}

/// A code that has lowered the price, if any.
fn discount_code(order: &Order) -> Option<&str> {
    let codes = &order.content().book.codes;
    let applied = codes.iter().find(|code| matches!(code.outcome, Outcome::Applied { .. }));
    applied.map(|applied| applied.code.as_str())
}

/// Order, user, total and items.
pub(super) fn order_placed(spelling: Spelling, source: Source<'_>, content: &OrderContent) -> Object {
    let lines = content.lines.iter();
    let items: Vec<Object> =
        lines.map(|line| item(spelling, line, line.quantity.get(), &content.book)).collect();
    Object::new(spelling)
        .put("order_id", source.stream())
        .put("user_id", buyer(content))
        .put("total_amount", content.book.total)
        .put("items", items)
}

/// Order, items and discount code.
pub(super) fn order_confirmed(spelling: Spelling, source: Source<'_>) -> Result<Object, WireError> {
    let order = source.order()?;
    Ok(Object::new(spelling)
        .put("order_id", source.stream())
        .put("items", items(spelling, order))
        .put("discount_code", discount_code(order)))
}

/// Order, reason and items.
pub(super) fn order_ended(
    spelling: Spelling,
    source: Source<'_>,
    reason: &Reason,
) -> Result<Object, WireError> {
    Ok(Object::new(spelling)
        .put("order_id", source.stream())
        .put("reason", reason.as_str())
        .put("items", items(spelling, source.order()?)))
}

/// Payment, order, amount and the gateway's name of what happened.
pub(super) fn money_moved(
    spelling: Spelling,
    source: Source<'_>,
    amount: Money,
    operation: &GatewayRef,
) -> Result<Object, WireError> {
    Ok(Object::new(spelling)
        .put("payment_id", source.stream())
        .put("order_id", source.paid_order()?)
        .put("amount", amount)
        .put("transaction_id", &*operation.0))
}

/// Payment, order, reason and error code; the gateway has one word for both.
pub(super) fn payment_failed(spelling: Spelling, source: Source<'_>, order: OrderId, code: &str) -> Object {
    Object::new(spelling)
        .put("payment_id", source.stream())
        .put("order_id", order)
        .put("reason", code)
        .put("error_code", code)
}

/// What was held, one payload per line: reservation, product and quantity. Lines of which no product is sold
/// any more are left out.
pub(super) fn reserved(
    spelling: Spelling,
    source: Source<'_>,
    event: &ReservationEvent,
) -> Result<Vec<Object>, WireError> {
    let ReservationEvent::Reserved { lines, .. } = event else { return Ok(Vec::new()) };
    let products = source.products(lines.iter().map(|line| &line.sku))?;
    let sold = lines.iter().zip(products).filter_map(|(line, product)| Some((line, product?)));
    Ok(sold
        .map(|(line, product)| {
            Object::new(spelling)
                .put("reservation_id", source.stream())
                .put("product_id", product)
                .put("quantity", line.quantity.get())
        })
        .collect())
}

/// What is free again, held or promised before, one payload per line: product, quantity and reason.
pub(super) fn released(
    spelling: Spelling,
    source: Source<'_>,
    event: &ReservationEvent,
) -> Result<Vec<Object>, WireError> {
    let (units, reason): (&[LineUnits], &str) = match event {
        ReservationEvent::Released { units, reason }
        | ReservationEvent::CommitmentReleased { units, reason } => (units, reason.as_str()),
        ReservationEvent::Expired { units } => (units, EXPIRED),
        _ => return Ok(Vec::new()),
    };
    let products = source.products(units.iter().map(|unit| &unit.sku))?;
    let sold = units.iter().zip(products).filter_map(|(unit, product)| Some((unit, product?)));
    Ok(sold
        .map(|(unit, product)| {
            Object::new(spelling)
                .put("product_id", product)
                .put("quantity", unit.quantity.get())
                .put("reason", reason)
        })
        .collect())
}

/// Product, current stock and threshold; nothing where the product is not sold any more.
pub(super) fn low_stock(
    spelling: Spelling,
    source: Source<'_>,
    (sku, available, threshold): (&Sku, i64, u32),
) -> Result<Option<Object>, WireError> {
    Ok(source.product_of(sku)?.map(|product| {
        Object::new(spelling)
            .put("product_id", product)
            .put("current_stock", available)
            .put("threshold", threshold)
    }))
}

/// Product and units there; nothing where the product is not sold any more.
pub(super) fn stock_level(
    spelling: Spelling,
    source: Source<'_>,
    sku: &Sku,
    on_hand: i64,
) -> Result<Option<(ProductId, Object)>, WireError> {
    let product = source.product_of(sku)?;
    Ok(product.map(|product| {
        (product, Object::new(spelling).put("product_id", product).put_as("on_hand", on_hand))
    }))
}

/// The price that a document without variants knows: the first of the first variant that has one.
pub(super) fn price_of(product: &Product) -> Option<Price> {
    let sold = product.variants().values().filter(|variant| !variant.removed);
    sold.flat_map(|variant| &variant.prices).next().copied()
}

/// The first category, where a document knows one.
pub(super) fn category_of(product: &Product) -> Option<CategoryId> {
    product.categories().first().copied()
}

/// The columns of a product, up to its stock: at its creation there is none.
pub(super) fn product(
    spelling: Spelling,
    source: Source<'_>,
    details: &ProductDetails,
    created: bool,
) -> Result<Object, WireError> {
    let product = source.product()?;
    let price = price_of(product);
    let (at, currency) = (source.recorded.event.at, price.map(Price::currency));
    let mut columns = Object::new(spelling)
        .put("id", source.stream())
        .put("name", details.name.as_str())
        .put("description", details.description.as_ref().map(Description::as_str))
        .put("price", price)
        .put("currency", currency.as_ref().map(Currency::code));
    if created {
        columns = columns.put("stock_quantity", 0_u32);
    }
    columns = columns.put("category_id", category_of(product)).put("is_featured", details.featured);
    if created {
        columns = columns.put("created_at", at);
    }
    Ok(columns.put("updated_at", at))
}
