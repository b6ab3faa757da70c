//! Messages about orders reach their recipients once, whatever the provider does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::notifications::{Notification, Status};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::notifier::Notifier;
use commerce_core::value::Channel;
use commerce_core::value::id::OrderId;
use commerce_testkit::fake::{Gateway, Outbox, Reception};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script, until_it_dies};
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::shopping::mugs;
use commerce_tests::shopping::registered;
use pollster::block_on;

/// A shop in which somebody has bought a mug, with a provider of messages.
fn sold(outbox: &Outbox) -> (Shop, MemoryStore, OrderId) {
    let (shop, store) = block_on(mugs(Gateway::capturing(), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    let receipt = block_on(shop.buy(1, cart)).unwrap();
    let Shop { commerce, clock, gateway } = shop;
    let commerce = commerce.with_notifier(outbox.clone());
    (Shop { commerce, clock, gateway }, store, receipt.order)
}

fn run_for(shop: &Shop, seconds: u64) {
    for _ in 0..seconds {
        block_on(shop.commerce.run_due()).unwrap();
        shop.clock.advance(Duration::from_secs(1));
    }
}

fn only(store: &MemoryStore) -> Notification {
    let all = Audit::of(store).all::<Notification>();
    assert_eq!(all.len(), 1);
    all[0].1.clone()
}

#[test]
fn a_confirmed_order_is_told_once_to_the_address_of_the_order() {
    let outbox = Outbox::taking();
    let (shop, store, order) = sold(&outbox);
    run_for(&shop, 10);
    let taken = outbox.taken();
    assert_eq!((taken.len(), outbox.calls()), (1, 1));
    assert_eq!(taken[0].contact.email.as_ref(), Some(&Shop::contact(1).0));
    assert_eq!(taken[0].template.as_str(), "order-confirmed");
    let about = taken[0].data.iter().find(|(name, _)| name.as_str() == "order").unwrap().1;
    assert_eq!(about.as_str(), order.to_string());
    assert_eq!(only(&store).status(), Status::Sent);
}

#[test]
fn notifications_2_attempts_pause_one_two_and_four_seconds_and_end() {
    let outbox = Outbox::new(Reception::FailBefore);
    let (shop, store, _) = sold(&outbox);
    let mut attempts = Vec::new();
    for second in 0..60_u64 {
        let before = outbox.calls();
        block_on(shop.commerce.run_due()).unwrap();
        if outbox.calls() > before {
            attempts.push(second);
        }
        shop.clock.advance(Duration::from_secs(1));
    }
    assert_eq!(attempts, [0, 1, 3, 7]);
    let known = only(&store);
    assert_eq!((known.status(), known.attempts()), (Status::Dead, 4));
    assert!(outbox.taken().is_empty());
}

#[test]
fn notifications_1_a_lost_answer_sends_nothing_twice() {
    let outbox = Outbox::taking();
    outbox.script([Reception::LoseAnswer, Reception::LoseAnswer, Reception::LoseRequest]);
    let (shop, store, _) = sold(&outbox);
    run_for(&shop, 20);
    assert_eq!((outbox.taken().len(), outbox.calls()), (1, 4));
    assert_eq!(only(&store).status(), Status::Sent);
}

#[test]
fn notifications_3_a_provider_that_fails_for_good_changes_no_order() {
    let outbox = Outbox::new(Reception::FailBefore);
    let (shop, store, order) = sold(&outbox);
    let before = Audit::of(&store).all::<commerce_core::orders::Order>();
    run_for(&shop, 30);
    let after = Audit::of(&store).all::<commerce_core::orders::Order>();
    assert_eq!(before, after);
    assert_eq!(shop.gateway.ledger().kept(order), after[0].1.total().minor());
}

#[test]
fn notifications_5_whoever_is_gone_or_opted_out_gets_nothing() {
    for (reception, status) in
        [(Reception::Unwanted, Status::Suppressed), (Reception::Undeliverable, Status::Bounced)]
    {
        let outbox = Outbox::new(reception);
        let (shop, store, _) = sold(&outbox);
        run_for(&shop, 10);
        assert_eq!((outbox.calls(), only(&store).status()), (1, status));
    }

    let outbox = Outbox::taking();
    let (shop, store, _) = sold(&outbox);
    let customer = block_on(registered(&shop, 1));
    block_on(shop.staff().erase_customer(customer)).unwrap();
    run_for(&shop, 10);
    assert_eq!((outbox.calls(), only(&store).status()), (0, Status::Suppressed));
}

#[test]
fn notifications_10_two_workers_never_send_the_same_attempt() {
    let outbox = Outbox::taking();
    let (shop, store, _) = sold(&outbox);
    let other = shop.commerce.clone();
    let (one, two) = (shop.commerce.run_due(), other.run_due());
    let both = async { (one.await.unwrap(), two.await.unwrap()) };
    block_on(both);
    run_for(&shop, 70);
    assert_eq!((outbox.taken().len(), outbox.calls()), (1, 1));
    assert_eq!(only(&store).attempts(), 1);
}

#[test]
fn a_worker_that_dies_at_the_provider_leaves_the_message_to_another() {
    for fault in [Fault::DieBefore, Fault::DieAfter] {
        let outbox = Outbox::taking();
        let (shop, store, _) = sold(&outbox);
        let faults = Faults::scripted(Script::default().nth(Port::Notifier, "send", 1, fault));
        let port: Arc<dyn Notifier> = Arc::new(outbox.clone());
        let faulty: Faulty<dyn Notifier> = Faulty::on(port, faults.clone());
        // A process of its own, whose only provider is the one at which it dies.
        let dying = Shop::on_shared(Arc::new(store.clone()), shop.clock.clone(), shop.gateway.clone(), 77);
        let dying = dying.commerce.with_notifier(faulty);
        let died = block_on(until_it_dies(&faults, dying.run_due())).is_none();
        assert!(died);
        run_for(&shop, 130);
        assert_eq!(outbox.taken().len(), 1);
        let known = only(&store);
        assert_eq!((known.status(), known.attempts()), (Status::Sent, 2));
    }
}

#[test]
fn without_a_provider_messages_wait() {
    let (shop, store) = block_on(mugs(Gateway::capturing(), 5));
    let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
    block_on(shop.buy(1, cart)).unwrap();
    run_for(&shop, 10);
    let known = only(&store);
    assert_eq!((known.status(), known.message().channel), (Status::Queued, Channel::Email));
    assert!(shop.clock.now() > commerce_core::value::time::Timestamp::UNIX_EPOCH);
}
