//! Low-stock alerts: one per fall below the threshold, however often and by whomever the log is read.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::stock_watch::StockWatch;
use commerce_core::inventory::{
    ReservationCommand, ReservedLine, StockCommand, StockEvent, StockItem, stock_item_id,
};
use commerce_core::kernel::stream::Position;
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::{CheckoutId, Id, LocationId, ReservationId};
use commerce_core::value::{Quantity, Reason, Sku};
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;
use uuid::Uuid;

#[derive(Debug, Clone)]
enum Step {
    Receive(u32),
    Withdraw(u32),
    Count(i32),
    Hold(u32),
    Commit(usize),
    Release(usize),
    Consume(usize),
    /// The watch with this number reads on.
    Watch(usize),
    /// A watch that lost everything reads from the start.
    Restart(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..5_u32).prop_map(Step::Receive),
        2 => (1..5_u32).prop_map(Step::Withdraw),
        1 => (-3..3_i32).prop_map(Step::Count),
        4 => (1..5_u32).prop_map(Step::Hold),
        2 => (0..8_usize).prop_map(Step::Commit),
        2 => (0..8_usize).prop_map(Step::Release),
        2 => (0..8_usize).prop_map(Step::Consume),
        4 => (0..2_usize).prop_map(Step::Watch),
        2 => (0..2_usize).prop_map(Step::Restart),
    ]
}

fn sku() -> Sku {
    Sku::new("MUG").unwrap()
}

fn location() -> LocationId {
    SettingsValues::default().locations[0]
}

fn units(count: u32) -> Quantity {
    Quantity::new(count).unwrap()
}

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

fn shop() -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
    block_on(shop.list("MUG", "12.50", 6)).unwrap();
    shop
}

async fn stock(shop: &Shop, command: StockCommand) {
    let _refused = shop.staff().execute(stock_item_id(&sku(), location()), command).await;
}

async fn reserve(shop: &Shop, number: usize, command: ReservationCommand) {
    let _refused = shop.staff().execute(reservation(number), command).await;
}

fn reservation(number: usize) -> ReservationId {
    ReservationId::derived(Uuid::nil(), &number.to_be_bytes())
}

async fn act(shop: &Shop, step: &Step, holds: &mut Vec<u32>) {
    match *step {
        Step::Receive(count) => stock(shop, StockCommand::Receive { quantity: units(count) }).await,
        Step::Withdraw(count) => {
            stock(shop, StockCommand::Withdraw { quantity: units(count), reason: reason() }).await;
        }
        Step::Count(delta) => stock(shop, StockCommand::Adjust { delta, reason: reason() }).await,
        Step::Hold(count) => {
            let expires_at = shop.commerce.now().plus(Duration::from_secs(60));
            let line = ReservedLine { sku: sku(), location: location(), quantity: units(count) };
            let checkout: CheckoutId = Id::derived(Uuid::nil(), b"checkout");
            let (lines, extendable_until) = (vec![line], expires_at);
            let hold = ReservationCommand::Hold { checkout, lines, expires_at, extendable_until };
            reserve(shop, holds.len(), hold).await;
            holds.push(count);
        }
        Step::Commit(number) => reserve(shop, number, ReservationCommand::Commit).await,
        Step::Release(number) => {
            reserve(shop, number, ReservationCommand::Release { reason: reason() }).await;
        }
        Step::Consume(number) => {
            let count = holds.get(number).copied().unwrap_or(1);
            reserve(shop, number, ReservationCommand::Consume { units: vec![(0, units(count))] }).await;
        }
        Step::Watch(_) | Step::Restart(_) => {}
    }
}

async fn alerts(shop: &Shop) -> usize {
    let page = shop.staff().events_of::<StockItem>(Position::START, 1000).await.unwrap();
    page.events.iter().filter(|logged| matches!(logged.event, StockEvent::LowStock { .. })).count()
}

async fn to_the_end(shop: &Shop, watch: &mut StockWatch) {
    while !shop.staff().watch_stock(watch).await.unwrap().end {}
}

proptest! {
    #![proptest_config(cases(128))]

    /// inventory-9: exactly once per downward crossing, re-armed by an upward crossing.
    #[test]
    fn inventory_9_low_stock_alert_once_per_crossing(threshold in 1..9_u32, steps in vec(step(), 1..40)) {
        block_on(async {
            let shop = shop();
            stock(&shop, StockCommand::SetThreshold { threshold: Some(threshold) }).await;
            let mut watches = [StockWatch::new(1), StockWatch::default()];
            let (mut expected, mut low, mut holds) = (0, false, Vec::new());
            let mut look = |available: i64| {
                let below = available < i64::from(threshold);
                expected += usize::from(below && !low);
                low = below;
            };
            look(shop.level("MUG").await.unwrap().available);
            for step in &steps {
                act(&shop, step, &mut holds).await;
                look(shop.level("MUG").await.unwrap().available);
                match *step {
                    Step::Watch(watch) => drop(shop.staff().watch_stock(&mut watches[watch]).await.unwrap()),
                    Step::Restart(watch) => watches[watch] = StockWatch::new(1),
                    _ => {}
                }
            }
            for watch in &mut watches {
                to_the_end(&shop, watch).await;
            }
            prop_assert_eq!(alerts(&shop).await, expected);
            to_the_end(&shop, &mut StockWatch::default()).await;
            prop_assert_eq!(alerts(&shop).await, expected);
            Ok(())
        })?;
    }
}

/// The fall lies before the threshold in the log: it counts by the level at the threshold, read early or late.
#[test]
fn a_threshold_counts_from_where_it_was_set() {
    for reads_between in [false, true] {
        block_on(async {
            let (shop, mut watch) = (shop(), StockWatch::default());
            stock(&shop, StockCommand::Withdraw { quantity: units(4), reason: reason() }).await;
            if reads_between {
                to_the_end(&shop, &mut watch).await;
            }
            stock(&shop, StockCommand::Receive { quantity: units(8) }).await;
            stock(&shop, StockCommand::SetThreshold { threshold: Some(5) }).await;
            to_the_end(&shop, &mut watch).await;
            assert_eq!(alerts(&shop).await, 0);
            stock(&shop, StockCommand::SetThreshold { threshold: Some(50) }).await;
            to_the_end(&shop, &mut watch).await;
            assert_eq!(alerts(&shop).await, 1);
        });
    }
}

#[test]
fn only_staff_watches() {
    let shop = shop();
    assert!(block_on(shop.buyer(1).watch_stock(&mut StockWatch::default())).is_err());
}
