//! Amounts may be of two currencies: their sum can fail, so there is no operator for it.

use commerce_core::value::{Currency, Money};

fn main() {
    let one = Money::from_minor(1, Currency::EUR);
    let _ = one + one;
}
