//! Histories of edits of orders.

use std::sync::Arc;

use commerce_core::orders::edit::{Addition, Proposal};
use commerce_core::orders::{LineTarget, OrderEdit, OrderEditCommand, Revision};
use commerce_core::value::id::OrderLineId;
use commerce_core::value::{Currency, Money, Quantity};
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};

use super::orders::mugs;
use super::{Storied, few, nth, reason, units};

/// Wants three mugs where there was one.
pub(super) fn three_mugs() -> Option<Revision> {
    let content = mugs(Quantity::new(3).ok()?)?;
    let targets = vec![LineTarget { line: nth(0), wanted: 3 }];
    let (edit, book) = (nth(0), content.book);
    Some(Revision {
        edit,
        number: 1,
        targets,
        added: Vec::new(),
        book,
        reservation: None,
        parcels: Vec::new(),
    })
}

fn proposal() -> impl Strategy<Value = Proposal> {
    units().prop_filter_map("a proposal", |quantity| {
        let book = mugs(quantity)?.book;
        let balance = Money::from_minor(book.total.minor(), Currency::EUR);
        let targets = vec![LineTarget { line: nth(0), wanted: quantity.get() }];
        Some(Proposal { targets, added: Vec::new(), book: Arc::clone(&book), balance })
    })
}

impl Storied for OrderEdit {
    fn begins() -> BoxedStrategy<OrderEditCommand> {
        (0_u32..3)
            .prop_map(|revision| OrderEditCommand::Open { order: nth(0), subject: nth(0), revision })
            .boxed()
    }

    fn continues() -> BoxedStrategy<OrderEditCommand> {
        use OrderEditCommand as C;
        let line = || few::<commerce_core::value::id::marker::OrderLine>();
        let added = (line(), units()).prop_map(|(line, quantity): (OrderLineId, Quantity)| Addition {
            line,
            product: nth(0),
            variant: nth(0),
            quantity,
        });
        prop_oneof![
            3 => (line(), 0_u32..4).prop_map(|(line, wanted)| C::SetQuantity { line, wanted }),
            2 => added.prop_map(|addition| C::AddLine { addition }),
            4 => proposal().prop_map(|proposal| C::Preview { proposal: Box::new(proposal) }),
            3 => Just(C::Request),
            1 => Just(C::Confirm),
            1 => reason().prop_map(|reason| C::Decline { reason }),
            1 => reason().prop_map(|reason| C::Cancel { reason }),
        ]
        .boxed()
    }
}
