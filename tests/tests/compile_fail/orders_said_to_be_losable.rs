//! Nobody outside of the library says that an order may be lost.

use commerce_core::app::caching::Losable;
use commerce_core::orders::Order;

impl Losable for Order {}

fn main() {}
