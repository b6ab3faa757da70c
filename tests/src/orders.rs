//! Generated orders.

use std::sync::Arc;

use commerce_core::kernel::personal::Personal;
use commerce_core::orders::command::OrderCommand;
use commerce_core::orders::ledger::Movement;
use commerce_core::orders::number::OrderNumber;
use commerce_core::orders::snapshot::{Coverage, OrderContent, OrderLine, PaymentSums};
use commerce_core::pricing::price;
use commerce_core::value::id::OrderId;
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Currency, Email, Money, Name, Price, PriceRequestLine, PricingInput, Sku, TaxClass,
};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::stock::{reason, units};
use crate::world::id;

/// How many orders the histories use.
pub const ORDERS: usize = 3;
/// How many carts they come from.
pub const CARTS: usize = 2;
/// The most lines of an order.
pub const LINES: usize = 3;

/// The order with this number.
pub fn order(index: usize) -> OrderId {
    id(&format!("order {index}"))
}

/// The number of an order.
pub fn number(index: usize) -> OrderNumber {
    OrderNumber::new(&format!("N-{index}")).unwrap()
}

/// What an order is made from.
#[derive(Debug, Clone)]
pub struct Basket {
    /// The cart, if any.
    pub cart: Option<usize>,
    /// Units and unit price in cents, per line.
    pub lines: Vec<(u32, i64)>,
}

impl Basket {
    /// What is fixed when it is placed: priced by the real pricing.
    pub fn content(&self) -> OrderContent {
        let mut input = PricingInput::new(Currency::EUR, Timestamp::UNIX_EPOCH);
        let mut lines = Vec::new();
        for (index, (count, cents)) in self.lines.iter().enumerate() {
            let (sku, quantity) = (Sku::new(&format!("SKU-{index}")).unwrap(), units(*count));
            let amount = Money::from_minor(*cents, Currency::EUR);
            input.lines.push(PriceRequestLine {
                line: id(&format!("line {index}")),
                product: id("product"),
                variant: id(&format!("variant {index}")),
                sku: sku.clone(),
                categories: Vec::new(),
                quantity,
                unit_price: Price::from_money(amount).unwrap(),
                taxable: TaxClass::Zero,
                shippable: true,
            });
            lines.push(OrderLine {
                id: id(&format!("line {index}")),
                product: id("product"),
                variant: id(&format!("variant {index}")),
                sku,
                name: Name::new(&format!("Thing {index}")).unwrap(),
                variant_name: None,
                seller: None,
                quantity,
                tracked: true,
                shippable: true,
                override_reason: None,
            });
        }
        let subject = id("buyer");
        let email = Email::new("buyer@example.com").unwrap();
        OrderContent {
            cart: self.cart.map(|cart| id(&format!("cart {cart}"))),
            checkout: None,
            customer: None,
            subject,
            email: Some(Personal::new(subject, email)),
            shipping_address: None,
            billing_address: None,
            lines,
            book: Arc::new(price(&input).unwrap()),
        }
    }
}

/// Any basket; some are empty.
pub fn basket() -> impl Strategy<Value = Basket> {
    let lines = vec((1..6_u32, 0..500_i64), 0..=LINES);
    (proptest::option::weighted(0.8, 0..CARTS), lines).prop_map(|(cart, lines)| Basket { cart, lines })
}

/// Payments that may pay an order, and what they report.
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

fn movement() -> impl Strategy<Value = Movement> {
    prop_oneof![
        1 => Just(Movement::Cancelled),
        5 => Just(Movement::Shipped),
        5 => Just(Movement::Delivered),
        2 => Just(Movement::ReturnRequested),
        2 => Just(Movement::ReturnReceived),
        1 => Just(Movement::Restocked),
        1 => Just(Movement::WrittenOff),
    ]
}

/// A command on the order with a number; the number of a placed order may be another's.
pub fn command() -> impl Strategy<Value = (usize, OrderCommand)> {
    use OrderCommand as C;
    use commerce_core::orders::event::LineMovement;
    let coverage = prop_oneof![
        Just(Coverage::Free),
        Just(Coverage::Override { reason: reason() }),
        (0..3000_i64).prop_map(|minor| Coverage::Captured {
            payment: id("payment 0"),
            amount: Money::from_minor(minor, Currency::EUR),
        }),
    ];
    let moves = vec((0..=LINES, 1..6_u32), 0..4).prop_map(|moves| {
        let unit = |(line, count)| LineMovement { line: id(&format!("line {line}")), quantity: units(count) };
        moves.into_iter().map(unit).collect::<Vec<_>>()
    });
    let ask = prop_oneof![
        1 => basket().prop_map(|basket| C::Draft { content: basket.content() }),
        5 => (0..=ORDERS, proptest::option::weighted(0.8, basket())).prop_map(|(index, basket)| C::Place {
            number: number(index),
            content: basket.map(|basket| basket.content()),
        }),
        1 => (0..=ORDERS, basket()).prop_map(|(index, basket)| C::Import {
            number: number(index),
            content: basket.content(),
            placed_at: Timestamp::UNIX_EPOCH,
        }),
        5 => (coverage, any::<bool>())
            .prop_map(|(coverage, backordered)| C::Confirm { coverage, backordered }),
        1 => Just(C::Fail { code: "declined".into(), reason: reason() }),
        2 => Just(C::Cancel { reason: reason() }),
        14 => (movement(), moves).prop_map(|(movement, units)| C::Move { movement, units }),
        3 => (0..2_usize, sums())
            .prop_map(|(payment, sums)| C::NotePayment { payment: id(&format!("payment {payment}")), sums }),
        1 => Just(C::Block { reason: reason() }),
        2 => Just(C::Unblock),
        2 => Just(C::Complete),
    ];
    (0..ORDERS, ask)
}

/// A history of commands on several orders of few carts.
pub fn history() -> impl Strategy<Value = Vec<(usize, OrderCommand)>> {
    let placed = (0..ORDERS, basket()).prop_map(|(index, basket)| {
        (index, OrderCommand::Place { number: number(index), content: Some(basket.content()) })
    });
    (vec(placed, 0..3), vec(command(), 1..35))
        .prop_map(|(placed, commands)| placed.into_iter().chain(commands).collect())
}
