//! A cart of a thousand lines, built line by line: what a command costs does not grow with the cart.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::{Cart, CartCommand};
use commerce_core::port::store::Store;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use pollster::block_on;

/// Lines of the cart.
const LINES: u32 = 1000;
/// The most events that one command may fold.
const MOST: u64 = 60;

fn add(shop: &Commerce) -> CartCommand {
    CartCommand::AddLine {
        line: shop.new_id(),
        product: shop.new_id(),
        variant: shop.new_id(),
        quantity: Quantity::ONE,
        customisation: None,
        price_override: None,
    }
}

#[test]
fn every_command_folds_at_most_sixty_events_also_in_a_process_that_knows_nothing() {
    let clock = Clock::default();
    let store: Arc<dyn Store> = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
    let fresh = |seed| Shop::on_shared(store.clone(), clock.clone(), Gateway::capturing(), seed).buyer(1);
    block_on(async {
        let first = fresh(1);
        let cart: CartId = first.new_id();
        let owner = Owner::Subject(Shop::subject(1));
        first.execute(cart, CartCommand::Create { owner, currency: Currency::EUR }).await.unwrap();
        let mut most = 0;
        for line in 0..LINES {
            // A handle of its own per command: nothing is cached.
            let shop = fresh(u64::from(line) + 2);
            let done = shop.execute(cart, add(&shop)).await.unwrap();
            most = most.max(done.folded);
        }
        assert!(most <= MOST, "a command folded {most} events");
        let state = fresh(0).query(ById::<Cart>(cart)).await.unwrap().unwrap();
        assert_eq!(state.lines().len(), LINES as usize);
    });
}

#[test]
fn a_process_that_built_the_cart_folds_nothing_again() {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let shop = Shop::on(store, clock, Gateway::capturing()).buyer(1);
    block_on(async {
        let cart: CartId = shop.new_id();
        let owner = Owner::Subject(Shop::subject(1));
        shop.execute(cart, CartCommand::Create { owner, currency: Currency::EUR }).await.unwrap();
        for _ in 0..LINES {
            assert_eq!(shop.execute(cart, add(&shop)).await.unwrap().folded, 0);
        }
    });
}
