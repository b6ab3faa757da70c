//! What no cart should hold is refused, or priced so that everything adds up.

use commerce_core::pricing::price;
use commerce_core::value::Money;
use commerce_testkit::strategy::pricing::{CURRENCY, hostile};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn money_9_hostile_input_is_refused_or_adds_up(input in hostile()) {
        let Ok(book) = price(&input) else { return Ok(()) };
        let charges = book.shipping.iter().chain(&book.fees);
        let parts = book.lines.iter().map(|line| line.gross).chain(charges.map(|charge| charge.gross));
        prop_assert_eq!(Money::sum(parts, CURRENCY).unwrap(), book.total);
        prop_assert!(!book.total.is_negative());
        for line in &book.lines {
            prop_assert!(!line.net.is_negative() && !line.gross.is_negative());
            prop_assert!(line.discounts.iter().all(|discount| !discount.amount.is_negative()));
        }
    }
}
