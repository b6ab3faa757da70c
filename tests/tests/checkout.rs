//! Whole checkouts on the memory store, judged by the store and the fake gateway's ledger.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::CheckoutStatus;
use commerce_core::checkout::{CheckoutError, payment_of};
use commerce_core::orders::OrderCommand;
use commerce_core::port::payment::ChargeState;
use commerce_core::value::Reason;
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;
use pollster::block_on;

async fn shop(gateway: Gateway) -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, gateway);
    shop.list("MUG", "12.50", 10).await.unwrap();
    shop
}

async fn levels(shop: &Shop) -> (i64, i64, i64) {
    let level = shop.level("MUG").await.unwrap();
    (level.available, level.held, level.allocated)
}

#[test]
fn a_paid_order_takes_stock_and_money_once() {
    block_on(async {
        let shop = shop(Gateway::capturing()).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(receipt.total, Shop::euros(2500));
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        assert_eq!(levels(&shop).await, (8, 0, 2));
        let again = shop.buy(1, cart).await.unwrap();
        assert_eq!(again, receipt);
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
    });
}

#[test]
fn a_capture_of_its_own_takes_the_money_too() {
    block_on(async {
        let shop = shop(Gateway::approving()).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        assert_eq!(shop.gateway.ledger().reserved(receipt.order), 0);
    });
}

#[test]
fn a_declined_card_leaves_everything_as_it_was() {
    block_on(async {
        let shop = shop(Gateway::declining("card-expired")).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Failed { code: "card-expired".into() });
        assert_eq!(levels(&shop).await, (10, 0, 0));
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        // The cart is free again: a second attempt is a second order.
        shop.gateway.script([Behaviour::Capture]);
        let second = shop.buy(1, cart).await.unwrap();
        assert_eq!(second.status, CheckoutStatus::Confirmed);
        assert_ne!(second.order, receipt.order);
    });
}

#[test]
fn a_redirect_waits_for_its_callback() {
    block_on(async {
        let shop = shop(Gateway::redirecting("https://bank.example/3ds")).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert!(matches!(receipt.status, CheckoutStatus::ActionRequired { .. }));
        let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Captured).unwrap();
        for _ in 0..2 {
            let (headers, body) = (message.headers.clone(), message.body.clone());
            shop.commerce.payment_callback("fake", headers, body).await.unwrap();
        }
        let receipt = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
    });
}

#[test]
fn a_lost_answer_is_looked_up_and_never_charged_twice() {
    block_on(async {
        let shop = shop(Gateway::times_out_after_charging()).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Pending);
        shop.clock.advance(Duration::from_secs(30));
        shop.commerce.run_due().await.unwrap();
        let receipt = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        assert_eq!(shop.gateway.ledger().accounts().count(), 1);
    });
}

#[test]
fn a_buyer_who_does_not_pay_loses_the_hold() {
    block_on(async {
        let shop = shop(Gateway::redirecting("https://bank.example/3ds")).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        shop.clock.advance(Duration::from_secs(3600));
        shop.commerce.run_due().await.unwrap();
        let receipt = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert!(matches!(receipt.status, CheckoutStatus::Failed { .. }), "{receipt:?}");
        assert_eq!(levels(&shop).await, (10, 0, 0));
        // Money that arrives behind the end goes back.
        let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Captured).unwrap();
        shop.commerce.payment_callback("fake", message.headers, message.body).await.unwrap();
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        let again = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert!(matches!(again.status, CheckoutStatus::Failed { .. }));
    });
}

#[test]
fn too_little_stock_is_refused_and_stores_nothing() {
    block_on(async {
        let shop = shop(Gateway::capturing()).await;
        let cart = shop.cart(1, &[("MUG", 11)]).await.unwrap();
        let Err(CheckoutError::InsufficientStock(short)) = shop.buy(1, cart).await else {
            panic!("sold what was not there");
        };
        assert_eq!((short[0].wanted, short[0].available), (11, 10));
        assert_eq!(shop.gateway.calls(), 0);
    });
}

#[test]
fn an_order_that_is_blocked_before_capture_is_captured_once_it_is_not() {
    block_on(async {
        let shop = shop(Gateway::redirecting("https://bank.example/3ds")).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let reason = Reason::new("a test").unwrap();
        shop.staff().execute(receipt.order, OrderCommand::Block { reason }).await.unwrap();
        let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Authorized).unwrap();
        shop.commerce.payment_callback("fake", message.headers, message.body).await.unwrap();
        // Nobody looks at it all the time, and it does not fill the log.
        let mut looks = 0;
        for _ in 0..3600 {
            looks += shop.commerce.run_due().await.unwrap().handled;
            shop.clock.advance(Duration::from_secs(1));
        }
        assert!((5..=7).contains(&looks), "{looks}");
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        let shown = shop.buyer(1).resume_checkout(receipt.checkout).await.unwrap();
        assert_eq!(shown.status, CheckoutStatus::Confirmed, "the buyer has paid");
        shop.gateway.script([Behaviour::Approve]);
        shop.staff().execute(receipt.order, OrderCommand::Unblock).await.unwrap();
        for _ in 0..=600 {
            shop.commerce.run_due().await.unwrap();
            shop.clock.advance(Duration::from_secs(1));
        }
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        let findings = Findings::of(&shop).await.unwrap();
        assert!(findings.hold(), "{:#?}", findings.lines().collect::<Vec<_>>());
    });
}

#[test]
fn an_order_that_is_blocked_before_capture_can_be_cancelled() {
    block_on(async {
        let shop = shop(Gateway::redirecting("https://bank.example/3ds")).await;
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let reason = Reason::new("a test").unwrap();
        shop.staff().execute(receipt.order, OrderCommand::Block { reason: reason.clone() }).await.unwrap();
        let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Authorized).unwrap();
        shop.commerce.payment_callback("fake", message.headers, message.body).await.unwrap();
        assert_eq!(levels(&shop).await, (8, 0, 2));
        assert_eq!(shop.gateway.ledger().reserved(receipt.order), 2500);
        shop.gateway.script([Behaviour::Approve]);
        shop.buyer(1).cancel_order(receipt.order, reason).await.unwrap();
        let ledger = shop.gateway.ledger();
        assert_eq!((ledger.kept(receipt.order), ledger.reserved(receipt.order)), (0, 0));
        assert_eq!(levels(&shop).await, (10, 0, 0));
        let findings = Findings::of(&shop).await.unwrap();
        assert!(findings.hold(), "{:#?}", findings.lines().collect::<Vec<_>>());
    });
}
