//! Ids that follow from the keys of the other shop, so that importing twice names the same things.

use uuid::Uuid;

use super::note::ImportNote;
use crate::value::Sku;
use crate::value::id::{CustomerId, Id, OrderId, OrderLineId, ProductId, ReturnId};

/// The namespace of everything that is derived here.
const IMPORTS: Uuid = Uuid::from_u128(0x8a3c_1d0e_64f2_5b7a_9c11_3e5d_70b8_4f21);

fn derived<T>(kind: &str, key: &str) -> Id<T> {
    Id::derived(IMPORTS, format!("{kind}/{key}").as_bytes())
}

/// The order with this number in the other shop.
pub fn order_id(number: &str) -> OrderId {
    derived("order", number)
}

/// A line of an imported order, counted from 0.
pub fn order_line_id(order: OrderId, index: usize) -> OrderLineId {
    Id::derived(order.uuid(), &(index as u64).to_be_bytes())
}

/// The return with this number in the other shop.
pub fn return_id(number: &str) -> ReturnId {
    derived("return", number)
}

/// The note with this key.
pub fn note_id(key: &str) -> Id<ImportNote> {
    derived("note", key)
}

/// The customer with this key in the other shop, where the host has no id of its own for them.
pub fn customer_id(key: &str) -> CustomerId {
    derived("customer", key)
}

/// The product of an imported SKU, which the catalogue need not know.
pub fn product_id(sku: &Sku) -> ProductId {
    derived("product", sku.as_str())
}
