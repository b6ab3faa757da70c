//! An order's command does not reach a cart.

use commerce_core::app::commerce::Commerce;
use commerce_core::orders::OrderCommand;
use commerce_core::value::id::CartId;

fn send(shop: &Commerce, cart: CartId) {
    drop(shop.execute(cart, OrderCommand::Unblock));
}

fn main() {}
