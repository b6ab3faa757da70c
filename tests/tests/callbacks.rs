//! Callbacks whose payment is not known yet.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use commerce_core::checkout::payment_of;
use commerce_core::payments::{ParkedCallback, ParkedStatus, QuarantineReason, QuarantinedCallback};
use commerce_core::port::payment::{CallbackFact, ChargeState, GatewayFact, GatewayRef};
use commerce_core::port::store::Store;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Behaviour, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::shopping::{contents, mugs};
use commerce_tests::world::{Contents, id};
use pollster::block_on;

/// Delivers a proved message about a payment that nobody knows; it is kept for later.
async fn strays(shop: &Shop, store: &dyn Store, fact: &CallbackFact) -> Id<ParkedCallback> {
    let known = |contents: Contents| {
        let log = contents.log.into_iter().filter(|event| event.stream.kind != ParkedCallback::NAME);
        log.collect::<Vec<_>>()
    };
    let before = known(contents(store));
    for _ in 0..2 {
        let message = Gateway::message(fact);
        let outcome = shop.commerce.payment_callback("fake", message.headers, message.body).await;
        assert_eq!(outcome, Ok(CallbackOutcome::Parked));
    }
    assert_eq!(known(contents(store)), before, "nothing but the message is kept");
    ParkedCallback::id_of("fake", fact)
}

async fn parked(shop: &Shop, id: Id<ParkedCallback>) -> ParkedStatus {
    shop.staff().query(ById::<ParkedCallback>(id)).await.unwrap().unwrap().status()
}

#[test]
fn payments_10_a_proved_message_without_a_payment_is_tried_again_and_ends_in_quarantine() {
    block_on(async {
        let (shop, store) = mugs(Gateway::redirecting("https://bank.example/3ds"), 10).await;
        let fact = CallbackFact {
            event: "stray".into(),
            payment: Some(id("nobody's")),
            charge: GatewayRef("charge-of-nobody".into()),
            fact: GatewayFact::Authorized { amount: Shop::euros(100) },
            at: Timestamp::UNIX_EPOCH,
        };
        let stray = strays(&shop, &store, &fact).await;
        let other = CallbackFact { at: shop.commerce.now(), ..fact.clone() };
        let message = Gateway::message(&other);
        let reused = shop.commerce.payment_callback("fake", message.headers, message.body).await;
        assert!(matches!(reused, Err(PaymentCallbackError::Parked(_))), "{reused:?}");
        let end = shop.commerce.now().plus(SettingsValues::default().payment());
        while shop.commerce.now() < end {
            assert_eq!(parked(&shop, stray).await, ParkedStatus::Waiting);
            shop.clock.advance(SettingsValues::default().resume());
            shop.commerce.run_due().await.unwrap();
        }
        assert_eq!(parked(&shop, stray).await, ParkedStatus::GivenUp);
        let kept = Audit::of(&store).all::<QuarantinedCallback>();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].1.entry().reason, QuarantineReason::UnknownPayment);
        assert_eq!(shop.commerce.run_due().await.unwrap().handled, 0, "it is not tried for ever");
    });
}

#[test]
fn a_message_that_names_only_the_gateways_charge_finds_its_payment() {
    block_on(async {
        let (shop, store) = mugs(Gateway::redirecting("https://bank.example/3ds"), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        // The answer to the call is lost: the charge is not known when the gateway calls back.
        shop.gateway.script([Behaviour::LoseAnswer]);
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Pending);
        let payment = payment_of(receipt.checkout);
        let message = shop.gateway.decide(payment, ChargeState::Authorized).unwrap();
        let told: CallbackFact = serde_json::from_slice(&message.body).unwrap();
        let nameless = CallbackFact { payment: None, ..told };
        let stray = strays(&shop, &store, &nameless).await;
        // The look-up makes the charge known; the next try finds the payment by it.
        for _ in 0..3 {
            shop.clock.advance(SettingsValues::default().resume());
            shop.commerce.run_due().await.unwrap();
        }
        assert_eq!(parked(&shop, stray).await, ParkedStatus::Resolved(payment));
        let again = Gateway::message(&CallbackFact { event: "another".into(), ..nameless });
        let outcome = shop.commerce.payment_callback("fake", again.headers, again.body).await;
        assert_eq!(outcome, Ok(CallbackOutcome::AlreadyKnown));
        let settled = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert_eq!(settled.status, CheckoutStatus::Confirmed);
        assert!(commerce_testkit::check::Findings::of(&shop).await.unwrap().hold());
    });
}

#[test]
fn a_proved_message_about_another_amount_ends_in_quarantine() {
    block_on(async {
        let (shop, store) = mugs(Gateway::redirecting("https://bank.example/3ds"), 10).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let payment = payment_of(receipt.checkout);
        let message = shop.gateway.decide(payment, ChargeState::Authorized).unwrap();
        let told: CallbackFact = serde_json::from_slice(&message.body).unwrap();
        let more = CallbackFact { fact: GatewayFact::Authorized { amount: Shop::euros(2501) }, ..told };
        let message = Gateway::message(&more);
        let refused = shop.commerce.payment_callback("fake", message.headers, message.body).await;
        assert!(matches!(refused, Err(PaymentCallbackError::Payment(_))), "{refused:?}");
        let kept = Audit::of(&store).all::<QuarantinedCallback>();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].1.entry().reason, QuarantineReason::Mismatch);
    });
}

#[test]
fn a_message_may_be_as_long_as_its_bound() {
    use commerce_core::port::payment::{CallbackError, MAX_CALLBACK};
    block_on(async {
        let (shop, _) = mugs(Gateway::approving(), 10).await;
        let told = |length| shop.commerce.payment_callback("fake", Vec::new(), vec![b'x'; length]);
        let too_long = Err(PaymentCallbackError::Callback(CallbackError::TooLong));
        assert_eq!(told(MAX_CALLBACK + 1).await, too_long);
        assert_ne!(told(MAX_CALLBACK).await, too_long);
        assert_ne!(told(1).await, too_long);
    });
}
