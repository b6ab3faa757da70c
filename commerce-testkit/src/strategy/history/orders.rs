//! Histories of orders.

use std::sync::Arc;

use commerce_core::kernel::personal::Personal;
use commerce_core::orders::event::LineMovement;
use commerce_core::orders::ledger::Movement;
use commerce_core::orders::{
    Coverage, Order, OrderCommand, OrderContent, OrderLine, OrderNumber, PaymentSums,
};
use commerce_core::pricing::price;
use commerce_core::value::{Currency, Money, Price, PriceRequestLine, PricingInput, Quantity, Sku, TaxClass};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{Storied, email, few, nth, reason, sku, units};
use crate::fake::START;

/// What an order of these units, cents and SKUs remembers.
fn content_of(
    lines: &[(Quantity, i64, Sku)],
    personal: Personal<commerce_core::value::Email>,
) -> Option<OrderContent> {
    let mut input = PricingInput::new(Currency::EUR, START);
    let mut ordered = Vec::new();
    for (number, (quantity, cents, sku)) in (0_u8..).zip(lines) {
        let unit_price = Price::from_money(Money::from_minor(*cents, Currency::EUR)).ok()?;
        input.lines.push(PriceRequestLine {
            line: nth(number),
            product: nth(number),
            variant: nth(number),
            sku: sku.clone(),
            categories: Vec::new(),
            quantity: *quantity,
            unit_price,
            taxable: TaxClass::Zero,
            shippable: true,
        });
        ordered.push(OrderLine {
            id: nth(number),
            product: nth(number),
            variant: nth(number),
            sku: sku.clone(),
            name: commerce_core::value::Name::new(sku.as_str()).ok()?,
            variant_name: None,
            seller: None,
            quantity: *quantity,
            tracked: true,
            shippable: true,
            override_reason: None,
        });
    }
    Some(OrderContent {
        cart: Some(nth(0)),
        checkout: None,
        customer: None,
        subject: personal.subject(),
        email: Some(personal),
        shipping_address: None,
        billing_address: None,
        lines: ordered,
        book: Arc::new(price(&input).ok()?),
    })
}

/// An order of so many mugs.
pub(super) fn mugs(quantity: Quantity) -> Option<OrderContent> {
    let email = commerce_core::value::Email::new("a@example.com").ok()?;
    content_of(&[(quantity, 300, Sku::new("MUG").ok()?)], Personal::new(nth(0), email))
}

fn content() -> impl Strategy<Value = OrderContent> {
    let personal = (few(), email()).prop_map(|(subject, email)| Personal::new(subject, email));
    let cents = prop_oneof![1 => Just(0_i64), 2 => 0_i64..900];
    let lines =
        prop_oneof![3 => vec((units(), cents.clone(), sku()), 1..2), 2 => vec((units(), cents, sku()), 1..4)];
    (lines, personal).prop_filter_map("an order", |(lines, personal)| content_of(&lines, personal))
}

fn number() -> impl Strategy<Value = OrderNumber> {
    "[A-Z0-9]{8}".prop_filter_map("a number", |text| OrderNumber::new(&text).ok())
}

fn sums() -> impl Strategy<Value = PaymentSums> {
    let amount = || prop_oneof![2 => Just(0_i64), 2 => 1..3000_i64];
    (amount(), amount(), amount(), amount(), amount(), any::<bool>()).prop_map(
        |(authorized, captured, refunded, charged_back, disputed, voided)| PaymentSums {
            authorized,
            captured,
            refunded,
            charged_back,
            disputed,
            voided,
        },
    )
}

impl Storied for Order {
    fn begins() -> BoxedStrategy<OrderCommand> {
        use OrderCommand as C;
        prop_oneof![
            1 => content().prop_map(|content| C::Draft { content }),
            6 => (number(), content())
                .prop_map(|(number, content)| C::Place { number, content: Some(content) }),
            2 => number().prop_filter_map("an order", |number| {
                Some(C::Place { number, content: Some(mugs(Quantity::ONE)?) })
            }),
            1 => (number(), content())
                .prop_map(|(number, content)| C::Import { number, content, placed_at: START }),
        ]
        .boxed()
    }

    fn continues() -> BoxedStrategy<OrderCommand> {
        use OrderCommand as C;
        let coverage = prop_oneof![
            Just(Coverage::Free),
            reason().prop_map(|reason| Coverage::Override { reason }),
            (few(), 0..9000_i64).prop_map(|(payment, minor)| Coverage::Captured {
                payment,
                amount: Money::from_minor(minor, Currency::EUR),
            }),
        ];
        let movement = select(vec![
            Movement::Cancelled,
            Movement::Shipped,
            Movement::Shipped,
            Movement::Delivered,
            Movement::Delivered,
            Movement::ReturnRequested,
            Movement::ReturnWithdrawn,
            Movement::ReturnReceived,
            Movement::Restocked,
            Movement::WrittenOff,
        ]);
        let line = prop_oneof![3 => Just(0_u8), 1 => 0_u8..3];
        let moves = vec((line, units()), 1..3).prop_map(|moves| {
            let moved = |(line, quantity)| LineMovement { line: nth(line), quantity };
            moves.into_iter().map(moved).collect::<Vec<_>>()
        });
        prop_oneof![
            1 => number().prop_map(|number| C::Place { number, content: None }),
            5 => (coverage, any::<bool>())
                .prop_map(|(coverage, backordered)| C::Confirm { coverage, backordered }),
            1 => reason().prop_map(|reason| C::Fail { code: "declined".into(), reason }),
            1 => reason().prop_map(|reason| C::Cancel { reason }),
            12 => (movement, moves).prop_map(|(movement, units)| C::Move { movement, units }),
            3 => (few(), sums()).prop_map(|(payment, sums)| C::NotePayment { payment, sums }),
            1 => reason().prop_map(|reason| C::Block { reason }),
            1 => Just(C::Unblock),
            2 => Just(()).prop_filter_map("an edit", |()| {
                Some(C::Edit { revision: Box::new(super::edits::three_mugs()?) })
            }),
            4 => Just(C::Complete),
        ]
        .boxed()
    }
}
