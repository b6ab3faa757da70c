//! Tests of the scenarios, on a small aggregate of their own.

use super::*;
use commerce_core::kernel::aggregate::{Command, EvolveError};
use serde::{Deserialize, Serialize};
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Card {
    balance: u32,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum CardEvent {
    Issued { amount: u32 },
    Redeemed { amount: u32, at: Timestamp },
}
commerce_core::event_types! {
    CardEvent { Issued => "CardIssued" v1, Redeemed => "CardRedeemed" v1 }
}

#[derive(Debug, Clone, Serialize)]
enum CardCommand {
    Issue(u32),
    Redeem(u32),
}
impl Command for CardCommand {
    type Target = Card;
}

#[derive(Debug, Clone, PartialEq)]
enum CardError {
    Insufficient { balance: u32 },
}
impl fmt::Display for CardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("too little on the card")
    }
}
impl std::error::Error for CardError {}

impl Aggregate for Card {
    const NAME: &'static str = "card";
    type Root = Self;
    type Command = CardCommand;
    type Event = CardEvent;
    type Error = CardError;

    fn decide(
        card: Option<&Self>,
        command: CardCommand,
        now: Timestamp,
    ) -> Result<Vec<CardEvent>, CardError> {
        match (card, command) {
            (_, CardCommand::Issue(amount)) => Ok(vec![CardEvent::Issued { amount }]),
            (_, CardCommand::Redeem(0)) => Ok(vec![]),
            (Some(card), CardCommand::Redeem(amount)) if card.balance < amount => {
                Err(CardError::Insufficient { balance: card.balance })
            }
            (_, CardCommand::Redeem(amount)) => Ok(vec![CardEvent::Redeemed { amount, at: now }]),
        }
    }

    fn evolve(card: Option<Self>, event: &CardEvent) -> Result<Self, EvolveError> {
        match (card, event) {
            (None, CardEvent::Issued { amount }) => Ok(Self { balance: *amount }),
            (Some(card), CardEvent::Redeemed { amount, .. }) => Ok(Self { balance: card.balance - amount }),
            _ => Err(EvolveError::of(event)),
        }
    }
}

fn issued() -> [CardEvent; 1] {
    [CardEvent::Issued { amount: 50 }]
}

fn text_of(work: impl FnOnce() + std::panic::UnwindSafe) -> String {
    *std::panic::catch_unwind(work).unwrap_err().downcast::<String>().unwrap()
}

#[test]
fn what_was_expected_passes() {
    let later = START.plus(Duration::from_secs(9));
    let left = given::<Card>(issued())
        .at(later)
        .when(CardCommand::Redeem(20))
        .then([CardEvent::Redeemed { amount: 20, at: later }])
        .when(CardCommand::Redeem(30))
        .then_names(&["CardRedeemed"])
        .when(CardCommand::Redeem(0))
        .then_nothing()
        .when(CardCommand::Redeem(1))
        .then_error(CardError::Insufficient { balance: 0 });
    assert_eq!(left.state(), Some(&Card { balance: 0 }));
}

#[test]
fn a_failure_shows_both_sides() {
    let text = text_of(|| {
        let expected = CardEvent::Redeemed { amount: 21, at: START };
        given::<Card>(issued()).when(CardCommand::Redeem(20)).then([expected]);
    });
    assert!(text.contains("when Redeem(20)"), "{text}");
    assert!(text.contains("≠   \"amount\": 21,"), "{text}");
    assert!(text.contains("│   \"amount\": 20,"), "{text}");
}

#[test]
fn a_refusal_is_not_an_event_and_no_event_is_not_a_refusal() {
    let refused = text_of(|| {
        given::<Card>(issued()).when(CardCommand::Redeem(99)).then_names(&["CardRedeemed"]);
    });
    assert!(refused.contains("refused: too little on the card"), "{refused}");
    let accepted = text_of(|| {
        let error = CardError::Insufficient { balance: 50 };
        given::<Card>(issued()).when(CardCommand::Redeem(0)).then_error(error);
    });
    assert!(accepted.contains("no events"), "{accepted}");
}

#[test]
fn decisions_and_histories_that_do_not_fold_are_found() {
    let decided = text_of(|| {
        let _ = given::<Card>(issued()).when(CardCommand::Issue(1));
    });
    assert!(decided.contains("does not fit"), "{decided}");
    let history = text_of(|| {
        let _ = given::<Card>(issued().into_iter().chain(issued()));
    });
    assert!(history.contains("do not fit one another"), "{history}");
}

/// The text as it stands in a file; the file is the expectation.
#[track_caller]
fn golden(text: &str, file: &str) {
    assert_eq!(text.trim_end(), file.trim_end(), "the new text:\n{text}");
}

#[test]
fn failures_read_like_this() {
    let wrong_amount = text_of(|| {
        let expected = [CardEvent::Redeemed { amount: 21, at: START }];
        given::<Card>(issued()).when(CardCommand::Redeem(20)).then(expected);
    });
    golden(&wrong_amount, include_str!("golden/wrong_amount.txt"));
    let refused = text_of(|| {
        given::<Card>(issued()).when(CardCommand::Redeem(99)).then_names(&["CardRedeemed"]);
    });
    golden(&refused, include_str!("golden/refused.txt"));
    let not_refused = text_of(|| {
        let error = CardError::Insufficient { balance: 0 };
        given::<Card>(issued()).when(CardCommand::Redeem(1)).then_error(error);
    });
    golden(&not_refused, include_str!("golden/not_refused.txt"));
}

mod views {
    //! Scenarios of views, on the overview of stock.

    use commerce_core::app::views::StockOverview;
    use commerce_core::inventory::{StockEvent, StockItem, stock_item_id};
    use commerce_core::port::view::{Filter, Selection};
    use commerce_core::value::id::{LocationId, StockItemId};
    use commerce_core::value::{Quantity, Sku};

    use super::*;

    fn stocked(units: u32) -> (String, GivenView<StockOverview>) {
        let (sku, location) = (Sku::new("MUG").unwrap(), LocationId::derived(Uuid::nil(), b"main"));
        let item: StockItemId = stock_item_id(&sku, location);
        let quantity = Quantity::new(units).unwrap();
        let events = [
            StockEvent::Opened { sku: sku.clone(), location },
            StockEvent::ThresholdSet { threshold: Some(3) },
            StockEvent::Received { sku, location, quantity },
        ];
        (item.to_string(), given_view(StockOverview).when::<StockItem>(item, events))
    }

    #[test]
    fn a_document_and_what_it_is_found_by() {
        let (id, view) = stocked(2);
        let low = Selection::default().and(Filter::Is("low".into(), true.into()));
        view.then(&id, |stock| assert_eq!(stock.level().available, 2))
            .then_field(&id, "available", 2)
            .then_field(&id, "sku", "MUG")
            .then_selects(&low, &[&id])
            .then_none("another");
        let (_, view) = stocked(3);
        view.then_selects(&low, &[]);
    }

    #[test]
    fn what_differs_is_shown() {
        let failures = [
            text_of(|| {
                let (id, view) = stocked(2);
                view.then_field(&id, "low", false);
            }),
            text_of(|| drop(stocked(2).1.then("another", |_| ()))),
            text_of(|| {
                let (id, view) = stocked(2);
                view.then_none(&id);
            }),
            text_of(|| drop(stocked(2).1.then_selects(&Selection::default(), &[]))),
            text_of(|| {
                let (sku, location) = (Sku::new("MUG").unwrap(), LocationId::derived(Uuid::nil(), b"main"));
                let item = stock_item_id(&sku, location);
                let opened = StockEvent::Opened { sku, location };
                let _ = given_view(StockOverview).when::<StockItem>(item, [opened.clone(), opened]);
            }),
        ];
        golden(&failures.join("\n"), include_str!("golden/views.txt"));
    }
}
