//! A cart's id is not an order's.

use commerce_core::value::id::{Id, marker};

fn wants_an_order(_: Id<marker::Order>) {}

fn main() {
    let cart: Id<marker::Cart> = Id::derived(uuid::Uuid::nil(), b"cart");
    wants_an_order(cart);
}
