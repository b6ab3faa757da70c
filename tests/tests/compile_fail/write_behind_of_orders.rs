//! Orders, payments and stock are not written later, when the process may be gone.

use commerce_core::app::caching::WriteBehind;
use commerce_core::inventory::StockItem;
use commerce_core::orders::Order;
use commerce_core::payments::Payment;

fn orders(_: &WriteBehind<Order>) {}
fn payments(_: &WriteBehind<Payment>) {}
fn stock(_: &WriteBehind<StockItem>) {}

fn main() {}
