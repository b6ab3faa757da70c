//! Histories of payments and of callbacks that were not accepted.

use commerce_core::payments::parked::ParkedCommand;
use commerce_core::payments::quarantine::QuarantineCommand;
use commerce_core::payments::{
    ParkedCallback, Payment, PaymentCommand, QuarantineEntry, QuarantineReason, QuarantinedCallback,
};
use commerce_core::port::payment::{CallbackFact, GatewayFact, GatewayRef, IdempotencyKey};
use commerce_core::value::id::{PaymentId, RefundId};
use commerce_core::value::{Currency, Money};
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{Storied, nth, reason, soon};
use crate::fake::START;

/// What every payment is about.
const AMOUNT: Money = Money::from_minor(1000, Currency::EUR);

fn payment() -> PaymentId {
    nth(0)
}

fn key() -> impl Strategy<Value = IdempotencyKey> {
    let of = |text: String| IdempotencyKey(text.into());
    let refund: RefundId = nth(0);
    let keys = vec![
        of("authorise".to_owned()),
        of(format!("{}:capture:0", payment())),
        of(format!("{}:capture:1", payment())),
        of(format!("{}:void", payment())),
        of(format!("{}:refund:{refund}", payment())),
    ];
    select(keys)
}

fn reference(name: &str) -> GatewayRef {
    GatewayRef(name.into())
}

fn amount() -> impl Strategy<Value = Money> {
    select(vec![300_i64, 500, 1000]).prop_map(|minor| Money::from_minor(minor, Currency::EUR))
}

fn operation() -> impl Strategy<Value = GatewayRef> {
    select(vec!["charge", "first", "second"]).prop_map(reference)
}

fn fact() -> impl Strategy<Value = GatewayFact> {
    use GatewayFact as F;
    prop_oneof![
        1 => Just(F::Processing),
        1 => Just(F::ActionRequired { url: "https://bank.example".into() }),
        4 => Just(F::Authorized { amount: AMOUNT }),
        3 => (operation(), amount()).prop_map(|(operation, amount)| F::Captured { operation, amount }),
        1 => Just(F::Declined { code: "no-funds".into() }),
        1 => Just(F::Voided),
        1 => (operation(), amount()).prop_map(|(operation, amount)| F::Refunded { operation, amount }),
        1 => (operation(), amount()).prop_map(|(operation, amount)| F::DisputeOpened { operation, amount }),
        1 => (operation(), amount())
            .prop_map(|(operation, charged_back)| F::DisputeClosed { operation, charged_back }),
    ]
}

impl Storied for Payment {
    fn begins() -> BoxedStrategy<PaymentCommand> {
        (any::<bool>(), soon(), soon())
            .prop_map(|(capture, deadline, resolve_at)| PaymentCommand::Initiate {
                payment: payment(),
                order: nth(0),
                checkout: nth(0),
                gateway: "fake".into(),
                method: "token".into(),
                amount: AMOUNT,
                capture,
                deadline,
                key: IdempotencyKey("authorise".into()),
                resolve_at,
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<PaymentCommand> {
        use PaymentCommand as C;
        let refund =
            (0_u8..2, amount(), reason(), soon()).prop_map(|(number, amount, reason, resolve_at)| {
                C::RequestRefund { refund: nth(number), amount, reason, resolve_at }
            });
        prop_oneof![
            1 => (key(), soon()).prop_map(|(key, resolve_at)| C::MarkUnknown { key, resolve_at }),
            6 => (fact(), soon()).prop_map(|(fact, resolve_at)| {
                C::Record { charge: reference("charge"), fact, resolve_at }
            }),
            1 => Just(C::RecordNotFound),
            3 => (amount(), soon()).prop_map(|(amount, resolve_at)| C::Capture { amount, resolve_at }),
            1 => soon().prop_map(|resolve_at| C::Cancel { resolve_at }),
            1 => soon().prop_map(|resolve_at| C::Expire { resolve_at }),
            3 => refund,
            1 => key().prop_map(|key| C::RecordRefusal { key, code: "refused".into() }),
            4 => (key(), operation(), amount())
                .prop_map(|(key, operation, amount)| C::RecordSettled { key, operation, amount }),
        ]
        .boxed()
    }
}

fn kept() -> BoxedStrategy<QuarantineCommand> {
    let reasons = vec![
        QuarantineReason::Signature,
        QuarantineReason::Malformed,
        QuarantineReason::TooLong,
        QuarantineReason::UnknownPayment,
    ];
    (select(reasons), proptest::collection::vec(any::<u8>(), 0..9))
        .prop_map(|(reason, body)| QuarantineCommand::Keep {
            entry: QuarantineEntry::new("fake", reason, &body, None),
        })
        .boxed()
}

impl Storied for QuarantinedCallback {
    fn begins() -> BoxedStrategy<QuarantineCommand> {
        kept()
    }

    fn continues() -> BoxedStrategy<QuarantineCommand> {
        kept()
    }
}

fn parks() -> BoxedStrategy<ParkedCommand> {
    (operation(), fact(), soon(), soon())
        .prop_map(|(charge, fact, until, retry_at)| ParkedCommand::Park {
            provider: "fake".into(),
            fact: CallbackFact { event: "message".into(), payment: None, charge, fact, at: START },
            until,
            retry_at,
        })
        .boxed()
}

impl Storied for ParkedCallback {
    fn begins() -> BoxedStrategy<ParkedCommand> {
        parks()
    }

    fn continues() -> BoxedStrategy<ParkedCommand> {
        prop_oneof![
            1 => parks(),
            3 => soon().prop_map(|retry_at| ParkedCommand::Postpone { retry_at }),
            1 => Just(ParkedCommand::Resolve { payment: payment() }),
            1 => Just(ParkedCommand::GiveUp),
        ]
        .boxed()
    }
}
