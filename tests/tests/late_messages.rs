//! Messages of a gateway that come late, for an order that was paid or given up meanwhile.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use commerce_core::app::checkout::{CheckoutReceipt, CheckoutStatus};
use commerce_core::app::operations::OperationError;
use commerce_core::checkout::machine::Status;
use commerce_core::checkout::{Checkout, payment_of};
use commerce_core::orders::{Order, OrderCommand, OrderError, OrderStatus};
use commerce_core::payments::{Payment, PaymentStatus};
use commerce_core::port::payment::{CallbackFact, ChargeState, GatewayFact};
use commerce_core::settings::CapturePolicy;
use commerce_core::shipping::Shipment;
use commerce_core::value::time::Timestamp;
use commerce_testkit::fake::{Behaviour, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::shopping::mugs;
use pollster::block_on;

/// Lets the gateway say this of the charge of a checkout, under a message id of its own.
fn says(shop: &Shop, receipt: &CheckoutReceipt, message: &str, fact: GatewayFact) {
    let payment = payment_of(receipt.checkout);
    let ledger = shop.gateway.ledger();
    let account = ledger.accounts().find(|account| account.payment == payment).unwrap();
    let (charge, at) = (account.reference.clone(), Timestamp::UNIX_EPOCH);
    let fact = CallbackFact { event: message.into(), payment: Some(payment), charge, fact, at };
    let message = Gateway::message(&fact);
    block_on(shop.commerce.payment_callback("fake", message.headers, message.body)).unwrap();
}

fn declined() -> GatewayFact {
    GatewayFact::Declined { code: "an-earlier-try".into() }
}

#[test]
fn a_failure_told_behind_the_capture_gives_nothing_back() {
    let (shop, store) = block_on(mugs(Gateway::capturing(), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    assert_eq!(receipt.status, CheckoutStatus::Confirmed);
    says(&shop, &receipt, "late", declined());
    let audit = Audit::of(&store);
    let (_, payment, _) = &audit.all::<Payment>()[0];
    assert_eq!((payment.status(), payment.refunds().len()), (PaymentStatus::Captured, 0));
    let (_, order, _) = &audit.all::<Order>()[0];
    assert!(!order.is_blocked());
    assert_eq!(shop.gateway.ledger().kept(receipt.order), order.total().minor());
}

#[test]
fn a_capture_told_behind_the_failure_is_given_back() {
    let (shop, store) = block_on(mugs(Gateway::new(Behaviour::Process), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    says(&shop, &receipt, "first", declined());
    assert_eq!(Audit::of(&store).all::<Order>()[0].1.status(), OrderStatus::Failed);
    let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Captured).unwrap();
    block_on(shop.commerce.payment_callback("fake", message.headers, message.body)).unwrap();
    let audit = Audit::of(&store);
    assert_eq!(audit.all::<Order>()[0].1.status(), OrderStatus::Failed);
    assert_eq!(audit.all::<Payment>()[0].1.refundable().minor(), 0);
    assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
}

#[test]
fn a_confirmed_order_that_loses_its_payment_is_blocked_once() {
    let (shop, store) = block_on(mugs(Gateway::approving(), 5));
    block_on(shop.settings(|values| values.capture = CapturePolicy::OnShip));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    let order = || Audit::of(&store).all::<Order>().remove(0).1;
    assert_eq!((order().status(), order().is_blocked()), (OrderStatus::Confirmed, false));
    says(&shop, &receipt, "given-up", GatewayFact::Voided);
    assert_eq!((order().status(), order().is_blocked()), (OrderStatus::Confirmed, true));
    let parcel = Audit::of(&store).all::<Shipment>().remove(0).0;
    let refused = block_on(shop.staff().mark_ready(parcel)).unwrap_err();
    assert!(matches!(refused, OperationError::Order(OrderError::Blocked)), "{refused:?}");
    // Whoever has looked at it decides; the next message does not block it again.
    block_on(shop.staff().execute(receipt.order, OrderCommand::Unblock)).unwrap();
    says(&shop, &receipt, "again", declined());
    assert!(!order().is_blocked());
}

#[test]
fn a_confirmed_order_that_loses_its_payment_before_it_is_captured_waits_for_people() {
    let (shop, store) = block_on(mugs(Gateway::redirecting("https://bank.example/3ds"), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    let hears = |state: ChargeState| {
        let message = shop.gateway.decide(payment_of(receipt.checkout), state).unwrap();
        block_on(shop.commerce.payment_callback("fake", message.headers, message.body)).unwrap();
    };
    // The capture never reaches the gateway, which then changes its mind.
    shop.gateway.script([const { Behaviour::LoseRequest }; 4]);
    hears(ChargeState::Authorized);
    hears(ChargeState::Declined { code: "no-funds".into() });
    let handled = block_on(shop.settle()).unwrap();
    assert!(handled < 20, "a timer that nothing ends: {handled}");
    let audit = Audit::of(&store);
    let saga = audit.all::<Checkout>().remove(0).1;
    assert!(matches!(saga.status(), Status::ManualIntervention(_)), "{:?}", saga.status());
    assert!(audit.all::<Order>()[0].1.is_blocked());
    assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
}

#[test]
fn the_state_of_a_charge_is_not_another_capture() {
    let (shop, store) = block_on(mugs(Gateway::approving(), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    let ledger = shop.gateway.ledger();
    let account = ledger.accounts().next().unwrap();
    // The money was taken by a call of its own; a look-up of the charge tells that it was taken.
    assert_ne!(account.capture, account.reference);
    let (operation, amount) = (account.reference.clone(), account.amount);
    says(&shop, &receipt, "state", GatewayFact::Captured { operation, amount });
    let payment = Audit::of(&store).all::<Payment>().remove(0).1;
    assert_eq!((payment.ledger().captured(), payment.refundable()), (amount.minor(), amount));
}
