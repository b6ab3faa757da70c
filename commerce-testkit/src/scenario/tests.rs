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
