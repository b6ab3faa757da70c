//! Buyers at once, on threads of the operating system.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::{Arc, Barrier};
use std::thread;

use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
use commerce_core::checkout::CheckoutError;
use commerce_core::kernel::error::ErrorClass;
use commerce_core::orders::Order;
use commerce_core::value::id::{CartId, CommandId};
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::shopping::{Coupon, mugs};
use commerce_tests::world::id;
use pollster::block_on;

/// Who buys which cart for how many cents, and under which command id.
type Request = (u64, CartId, i64, Option<CommandId>);
type Outcome = Result<CheckoutReceipt, CheckoutError>;

/// Every buyer checks out, spread over threads that begin together.
fn race(shop: &Shop, requests: &[Request], threads: usize) -> Vec<Outcome> {
    let share = requests.len().div_ceil(threads);
    let barrier = Arc::new(Barrier::new(requests.len().div_ceil(share)));
    let racing: Vec<_> = requests
        .chunks(share)
        .map(|chunk| {
            let (shop, barrier, chunk) = (shop.clone(), barrier.clone(), chunk.to_vec());
            thread::spawn(move || {
                barrier.wait();
                let buy = |(buyer, cart, cents, command): &Request| {
                    let mut acting = shop.buyer(*buyer);
                    if let Some(command) = command {
                        acting = acting.with_command_id(*command);
                    }
                    retried(|| block_on(acting.checkout(CheckoutRequest::new(*cart, Shop::euros(*cents)))))
                };
                chunk.iter().map(buy).collect::<Vec<_>>()
            })
        })
        .collect();
    racing.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
}

/// A host that is told that others were faster asks again.
fn retried(mut ask: impl FnMut() -> Outcome) -> Outcome {
    for _ in 0..100 {
        match ask() {
            Err(error) if error.class() == ErrorClass::Contended => {}
            done => return done,
        }
    }
    panic!("others were faster a hundred times in a row");
}

fn confirmed(outcomes: &[Outcome]) -> usize {
    let won =
        |outcome: &&Outcome| matches!(outcome, Ok(receipt) if receipt.status == CheckoutStatus::Confirmed);
    outcomes.iter().filter(won).count()
}

#[test]
fn fifty_buyers_for_ten_units_ten_times() {
    for _ in 0..10 {
        let (shop, store) = block_on(mugs(Gateway::capturing(), 10));
        let requests: Vec<_> = (0..50)
            .map(|buyer| (buyer, block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap(), 1250, None))
            .collect();
        let outcomes = race(&shop, &requests, 4);
        assert_eq!(confirmed(&outcomes), 10);
        for outcome in &outcomes {
            assert!(matches!(outcome, Ok(_) | Err(CheckoutError::InsufficientStock(_))), "{outcome:?}");
        }
        let level = block_on(shop.level("MUG")).unwrap();
        assert_eq!((level.available, level.held, level.allocated), (0, 0, 10));
        let kept: i64 = shop.gateway.ledger().accounts().map(|account| account.captured).sum();
        assert_eq!(kept, 12_500);
        let audit = Audit::of(&store);
        audit.replays();
        audit.agrees_with(&store);
    }
}

#[test]
fn a_checkout_that_is_sent_five_times_at_once_is_one() {
    for round in 0..10 {
        let (shop, store) = block_on(mugs(Gateway::capturing(), 10));
        let cart = block_on(shop.cart(1, &[("MUG", 2)])).unwrap();
        let command = id(&format!("command-{round}"));
        let outcomes = race(&shop, &[(1, cart, 2500, Some(command)); 5], 5);
        let orders: Vec<_> = outcomes.iter().map(|outcome| outcome.as_ref().unwrap().order).collect();
        assert!(orders.iter().all(|order| *order == orders[0]));
        let audit = Audit::of(&store);
        assert_eq!(audit.all::<Order>().len(), 1);
        let ledger = shop.gateway.ledger();
        assert_eq!((ledger.accounts().count(), ledger.kept(orders[0])), (1, 2500));
        audit.agrees_with(&store);
        // All five hear of the order that was confirmed, at the latest when they ask again.
        let receipt =
            block_on(shop.buyer(1).checkout(CheckoutRequest::new(cart, Shop::euros(2500)))).unwrap();
        assert_eq!((receipt.order, receipt.status), (orders[0], CheckoutStatus::Confirmed));
    }
}

#[test]
fn promotions_1_ten_buyers_race_for_three_uses() {
    for _ in 0..10 {
        let (shop, store) = block_on(mugs(Gateway::capturing(), 50));
        let coupon = Coupon { uses: Some(3), ..Coupon::new("TENTH") };
        block_on(coupon.activate(&shop));
        let requests: Vec<_> = (0..10)
            .map(|buyer| {
                let cart = block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap();
                block_on(coupon.apply(&shop, buyer, cart));
                (buyer, cart, 1125, None)
            })
            .collect();
        let outcomes = race(&shop, &requests, 2);
        assert_eq!(confirmed(&outcomes), 3);
        for outcome in outcomes.iter().filter(|outcome| outcome.is_err()) {
            let used_up = matches!(
                outcome,
                Err(CheckoutError::PromotionExhausted(_) | CheckoutError::PriceChanged { .. })
            );
            assert!(used_up, "{outcome:?}");
        }
        let pools = Audit::of(&store).pools();
        let uses = pools[&commerce_core::promotions::uses_pool(coupon.id())];
        assert_eq!((uses.available, uses.held, uses.allocated), (0, 0, 3));
    }
}
