//! Histories of edits, and how an order is edited in one of its own.

use std::sync::Arc;

use commerce_core::orders::edit::{Addition, Proposal};
use commerce_core::orders::{LineTarget, Order, OrderCommand, OrderEdit, OrderEditCommand, Revision};
use commerce_core::pricing::price;
use commerce_core::value::{Currency, Money, PriceBook, PriceRequestLine, PricingInput, Quantity, TaxClass};
use proptest::collection::vec;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};

use super::{Storied, few, nth, reason, units};
use crate::fake::START;

/// Prices of nothing, to be replaced where they matter.
fn no_book() -> Option<Arc<PriceBook>> {
    Some(Arc::new(price(&PricingInput::new(Currency::EUR, START)).ok()?))
}

/// An edit of a few units of one line; number and prices follow from the order that it meets.
pub(super) fn edit() -> impl Strategy<Value = OrderCommand> {
    (few(), few(), 1_u32..5).prop_filter_map("a book", |(edit, line, wanted)| {
        let targets = vec![LineTarget { line, wanted }];
        let (added, parcels, book) = (Vec::new(), Vec::new(), no_book()?);
        let revision = Revision { edit, number: 0, targets, added, book, reservation: None, parcels };
        Some(OrderCommand::Edit { revision: Box::new(revision) })
    })
}

/// Numbers and prices an edit by the order that it meets.
pub(super) fn fit(order: &Order, revision: &mut Revision) {
    revision.number = order.revised().number.saturating_add(1);
    let mut input = PricingInput::new(order.content().book.currency, START);
    for line in &order.content().book.lines {
        let target = revision.targets.iter().find(|target| target.line.uuid() == line.line.uuid());
        let wanted = target.and_then(|target| Quantity::new(target.wanted).ok());
        input.lines.push(PriceRequestLine {
            line: line.line,
            product: nth(0),
            variant: nth(0),
            sku: line.sku.clone(),
            categories: Vec::new(),
            quantity: wanted.unwrap_or(line.quantity),
            unit_price: line.unit_price,
            taxable: TaxClass::Zero,
            shippable: true,
        });
    }
    if let Ok(book) = price(&input) {
        revision.book = Arc::new(book);
    }
}

impl Storied for OrderEdit {
    fn begins() -> BoxedStrategy<OrderEditCommand> {
        (0_u32..3)
            .prop_map(|revision| OrderEditCommand::Open { order: nth(0), subject: nth(0), revision })
            .boxed()
    }

    fn continues() -> BoxedStrategy<OrderEditCommand> {
        use OrderEditCommand as C;
        let addition = (few(), few(), few(), units())
            .prop_map(|(line, product, variant, quantity)| Addition { line, product, variant, quantity });
        let target = (few(), 0_u32..5).prop_map(|(line, wanted)| LineTarget { line, wanted });
        let proposal = (vec(target, 0..3), -500_i64..500).prop_filter_map("a book", |(targets, minor)| {
            let balance = Money::from_minor(minor, Currency::EUR);
            Some(Box::new(Proposal { targets, added: Vec::new(), book: no_book()?, balance }))
        });
        prop_oneof![
            4 => (few(), 0_u32..5).prop_map(|(line, wanted)| C::SetQuantity { line, wanted }),
            3 => addition.prop_map(|addition| C::AddLine { addition }),
            5 => proposal.prop_map(|proposal| C::Preview { proposal }),
            3 => Just(C::Request),
            2 => Just(C::Confirm),
            1 => reason().prop_map(|reason| C::Decline { reason }),
            1 => reason().prop_map(|reason| C::Cancel { reason }),
        ]
        .boxed()
    }
}
