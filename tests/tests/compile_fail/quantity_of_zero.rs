//! No number of units is zero.

use commerce_core::value::Quantity;

fn main() {
    let _ = Quantity(0);
}
