//! The race for the last unit under the shuttle model checker: every interleaving of the store's lock may
//! be drawn. Run with `cargo test -p commerce-tests --features shuttle --test random_schedules`.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::checkout::CheckoutError;
use commerce_core::orders::Order;
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_tests::audit::Audit;
use commerce_tests::shopping::mugs;
use commerce_tests::world::id;
use shuttle::future::block_on;
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, Runner, thread};

const SCHEDULES: usize = 500;

/// Draws schedules; the stacks of its threads are larger than by default, for the futures of debug builds.
fn check(race: impl Fn() + Send + Sync + 'static) {
    let mut config = Config::new();
    config.stack_size = 1 << 20;
    Runner::new(RandomScheduler::new(SCHEDULES), config).run(race);
}

#[test]
fn three_buyers_for_one_unit() {
    check(|| {
        let (shop, store) = block_on(mugs(Gateway::approving(), 1));
        let racing: Vec<_> = (0..3)
            .map(|buyer| {
                let cart = block_on(shop.cart(buyer, &[("MUG", 1)])).unwrap();
                let shop = shop.buyer(buyer);
                thread::spawn(move || block_on(shop.checkout(CheckoutRequest::new(cart, Shop::euros(1250)))))
            })
            .collect();
        let outcomes: Vec<_> = racing.into_iter().map(|thread| thread.join().unwrap()).collect();
        let mut won = 0;
        for outcome in &outcomes {
            match outcome {
                Ok(receipt) if receipt.status == CheckoutStatus::Confirmed => won += 1,
                Err(CheckoutError::InsufficientStock(_)) => {}
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(won, 1);
        let level = block_on(shop.level("MUG")).unwrap();
        assert_eq!((level.available, level.held, level.allocated), (0, 0, 1));
        let ledger = shop.gateway.ledger();
        assert_eq!(ledger.accounts().map(|account| account.captured).sum::<i64>(), 1250);
        Audit::of(&store).agrees_with(&store);
    });
}

#[test]
fn one_command_three_times_at_once() {
    check(|| {
        let (shop, store) = block_on(mugs(Gateway::approving(), 2));
        let cart = block_on(shop.cart(1, &[("MUG", 1)])).unwrap();
        let racing: Vec<_> = (0..3)
            .map(|_| {
                let shop = shop.buyer(1).with_command_id(id("once"));
                thread::spawn(move || block_on(shop.checkout(CheckoutRequest::new(cart, Shop::euros(1250)))))
            })
            .collect();
        let outcomes: Vec<_> = racing.into_iter().map(|thread| thread.join().unwrap()).collect();
        let orders = Audit::of(&store).all::<Order>();
        assert_eq!(orders.len(), 1);
        for outcome in outcomes {
            match outcome {
                Ok(receipt) => assert_eq!(receipt.order, orders[0].0),
                Err(CheckoutError::Conflict { .. }) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let ledger = shop.gateway.ledger();
        assert_eq!((ledger.accounts().count(), ledger.kept(orders[0].0)), (1, 1250));
        assert_eq!(block_on(shop.level("MUG")).unwrap().allocated, 1);
    });
}
