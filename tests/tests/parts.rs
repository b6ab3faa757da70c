//! Commands that other aggregates have to follow are carried out with what follows, or not at all.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::operations::returns::ReturnUnits;
use commerce_core::carts::{Cart, MergeStrategy, Status as CartStatus};
use commerce_core::checkout::CheckoutCommand;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::identity::Denied;
use commerce_core::inventory::ReservationCommand;
use commerce_core::payments::PaymentCommand;
use commerce_core::prelude::*;
use commerce_core::promotions::RedemptionCommand;
use commerce_core::returns::{ApprovedLine, CountedLine, Return, ReturnCommand, Status as ReturnStatus};
use commerce_core::shipping::{CarrierStatus, ShipmentCommand};
use commerce_core::value::{Code, Reason};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::counting::Counting;
use pollster::block_on;
use uuid::Uuid;

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

fn shop() -> (Shop, Counting) {
    let clock = Clock::default();
    let store = Counting::on(MemoryStore::with_clock(Arc::new(clock.clone())));
    let shop = Shop::on(store.clone(), clock, Gateway::capturing());
    block_on(shop.list("MUG", "12.50", 10)).unwrap();
    (shop, store)
}

/// An order of three mugs that were delivered, and its line.
async fn delivered(shop: &Shop) -> (OrderId, OrderLineId) {
    let cart = shop.cart(1, &[("MUG", 3)]).await.unwrap();
    let receipt = shop.buy(1, cart).await.unwrap();
    let parcel = shipment_of(receipt.checkout, SettingsValues::default().locations[0]);
    let staff = shop.staff();
    staff.mark_ready(parcel).await.unwrap();
    staff.dispatch(parcel, None).await.unwrap();
    staff.record_tracking(parcel, CarrierStatus::Delivered, Timestamp::UNIX_EPOCH, 1).await.unwrap();
    let order = staff.query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
    (receipt.order, order.content().lines[0].id)
}

async fn requested(shop: &Shop, name: &[u8], (order, line): (OrderId, OrderLineId), units: u32) -> ReturnId {
    let id = ReturnId::derived(Uuid::nil(), name);
    let units = vec![ReturnUnits { line, quantity: Quantity::new(units).unwrap(), reason: reason() }];
    shop.buyer(1).request_return(id, order, units).await.unwrap();
    id
}

async fn approved(shop: &Shop, id: ReturnId, line: OrderLineId, quantity: u32) {
    let number = Code::new(&format!("RMA-{quantity}")).unwrap();
    let until = shop.commerce.now().plus(Duration::from_secs(3600));
    shop.staff()
        .approve_return(
            id,
            number,
            vec![ApprovedLine { line, quantity: Quantity::new(quantity).unwrap() }],
            until,
        )
        .await
        .unwrap();
}

#[test]
fn no_part_of_an_operation_is_carried_out_alone() {
    let (shop, _) = shop();
    let staff = shop.staff();
    macro_rules! refused {
        ($($command:expr),* $(,)?) => {
            $({
                let refused = block_on(staff.execute(staff.new_id(), $command)).unwrap_err();
                assert!(matches!(refused, CommandError::Denied(Denied::NotAlone { .. })), "{refused:?}");
                assert_eq!(refused.class(), ErrorClass::Refused);
            })*
        };
    }
    let id = || staff.new_id();
    refused![
        OrderCommand::Cancel { reason: reason() },
        OrderCommand::Complete,
        OrderCommand::Fail { code: "x".into(), reason: reason() },
        CartCommand::Convert { checkout: staff.new_id(), order: staff.new_id() },
        CartCommand::MergeInto { target: staff.new_id() },
        ReservationCommand::Commit,
        ReservationCommand::Release { reason: reason() },
        RedemptionCommand::Reverse,
        PaymentCommand::RecordNotFound,
        ShipmentCommand::MarkReady,
        ShipmentCommand::Dispatch { tracking: None },
        ReturnCommand::Cancel,
        ReturnCommand::Expire,
        CheckoutCommand::GiveUp { reason: reason() },
        StockCommand::ObserveLevel { available: 0, on_hand: 0 },
        CustomerCommand::Erase,
    ];
    // The buyer's own order, too: it is given up with everything that it holds.
    block_on(async {
        let cart = shop.cart(1, &[("MUG", 3)]).await.unwrap();
        let order = shop.buy(1, cart).await.unwrap().order;
        let alone = shop.buyer(1).execute(order, OrderCommand::Cancel { reason: reason() }).await;
        assert!(matches!(alone, Err(CommandError::Denied(Denied::NotAlone { .. }))));
        assert_eq!(shop.level("MUG").await.unwrap().allocated, 3);
        shop.buyer(1).cancel_order(order, reason()).await.unwrap();
        assert_eq!(shop.level("MUG").await.unwrap().available, 10);
    });
    let _: OrderId = id();
}

#[test]
fn units_of_a_return_that_came_to_nothing_can_be_returned() {
    block_on(async {
        let (shop, _) = shop();
        let bought = delivered(&shop).await;
        let staff = shop.staff();
        let first = requested(&shop, b"1", bought, 3).await;
        staff.reject_return(first, reason()).await.unwrap();
        let second = requested(&shop, b"2", bought, 3).await;
        for _ in 0..2 {
            shop.buyer(1).cancel_return(second).await.unwrap();
        }
        // Two of three are allowed: the third can be asked for again.
        let third = requested(&shop, b"3", bought, 3).await;
        approved(&shop, third, bought.1, 2).await;
        let fourth = requested(&shop, b"4", bought, 1).await;
        shop.buyer(1).cancel_return(fourth).await.unwrap();
        // One of two arrives, and no more will come.
        let counts = vec![CountedLine { line: bought.1, received: 1, wrong: 0 }];
        staff.receive_return(third, counts, true).await.unwrap();
        let fifth = requested(&shop, b"5", bought, 2).await;
        let more = ReturnUnits { line: bought.1, quantity: Quantity::ONE, reason: reason() };
        let refused = shop.buyer(1).request_return(staff.new_id(), bought.0, vec![more]).await;
        assert!(refused.is_err(), "one came back and two are wanted back");
        let state = staff.query(ById::<Return>(fifth)).await.unwrap().unwrap();
        assert_eq!(state.status(), ReturnStatus::Requested);
    });
}

#[test]
fn an_approval_that_nobody_uses_ends_by_its_timer() {
    block_on(async {
        let (shop, store) = shop();
        let bought = delivered(&shop).await;
        let id = requested(&shop, b"1", bought, 3).await;
        approved(&shop, id, bought.1, 3).await;
        shop.clock.advance(Duration::from_secs(3599));
        shop.commerce.run_due().await.unwrap();
        store.take();
        shop.clock.advance(Duration::from_secs(1));
        let round = shop.commerce.run_due().await.unwrap();
        assert_eq!((round.handled, round.failed), (1, 0));
        let counts = store.take();
        assert_eq!((counts.commits, counts.leased), (1, 1), "the commit names the lease of the timer");
        let state = shop.staff().query(ById::<Return>(id)).await.unwrap().unwrap();
        assert_eq!(state.status(), ReturnStatus::Expired);
        requested(&shop, b"2", bought, 3).await;
    });
}

#[test]
fn two_carts_become_one_in_one_commit() {
    block_on(async {
        let (shop, store) = shop();
        shop.list("PEN", "0.99", 10).await.unwrap();
        let (source, target) = (
            shop.cart(1, &[("MUG", 2), ("PEN", 1)]).await.unwrap(),
            shop.cart(1, &[("MUG", 3)]).await.unwrap(),
        );
        assert!(shop.buyer(2).merge_carts(source, target, MergeStrategy::Sum).await.is_err());
        assert!(shop.buyer(1).merge_carts(source, source, MergeStrategy::Sum).await.is_err());
        store.take();
        for _ in 0..2 {
            shop.buyer(1).merge_carts(source, target, MergeStrategy::Sum).await.unwrap();
        }
        assert_eq!(store.take().commits, 1, "a repeat changes nothing");
        let from = shop.staff().query(ById::<Cart>(source)).await.unwrap().unwrap();
        assert_eq!((from.status(), from.merged_into()), (CartStatus::Merged, Some(target)));
        let into = shop.staff().query(ById::<Cart>(target)).await.unwrap().unwrap();
        let units: Vec<_> = into.lines().iter().map(|line| line.quantity.get()).collect();
        assert_eq!(units, [5, 1]);
        let receipt = shop.buy(1, target).await.unwrap();
        assert_eq!(receipt.total, Shop::euros(5 * 1250 + 99));
        assert!(Findings::of(&shop).await.unwrap().hold());
    });
}
