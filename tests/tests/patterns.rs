//! Unit of work and optimistic locking, with real threads.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use commerce_core::inventory::{Reservation, ReservationCommand, StockCommand, StockItem};
use commerce_core::kernel::aggregate::{Aggregate, Instance, stream_of};
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::mark::{Fingerprint, Mark, MarkKey};
use commerce_core::kernel::stream::Version;
use commerce_core::orders::command::OrderCommand;
use commerce_core::orders::{NUMBER_SCOPE, Order};
use commerce_core::port::store::Store;
use commerce_core::value::id::CommandId;
use commerce_tests::cases;
use commerce_tests::orders::{Basket, number, order};
use commerce_tests::stock::{hold, place, reservation, stocked, units};
use commerce_tests::world::{World, id};
use pollster::block_on;
use proptest::prelude::*;

/// Appends what a command decides to a batch, for an aggregate as it is stored.
fn decide<A: Aggregate>(
    world: &World,
    batch: &mut commerce_core::kernel::batch::Batch<'_>,
    instance: &mut Instance<A>,
    command: A::Command,
) {
    let events = A::decide(instance.state.as_ref(), command, world.now()).unwrap();
    batch.append(instance, &events).unwrap();
}

fn mark(name: &str) -> Mark {
    let key = MarkKey::new("command", id::<CommandId>(name).to_string());
    Mark { key, fingerprint: Fingerprint::of(1, name.as_bytes()), result: Vec::new().into() }
}

proptest! {
    #![proptest_config(cases(256))]

    /// A commit over an order, a reservation and a stock item, of which any part may be refused.
    #[test]
    fn patterns_1_unit_of_work(
        stock in 0..8_u32,
        wanted in 1..8_u32,
        taken in any::<bool>(),
        stale in any::<bool>(),
        handled in any::<bool>(),
        threads in any::<bool>(),
    ) {
        let world = stocked([stock, 0, 0]);
        let basket = Basket { cart: Some(0), lines: vec![(wanted, 100)] };
        let place_order = |number| OrderCommand::Place { number, content: Some(basket.content()) };
        if taken {
            world.run(order(1), place_order(number(0))).unwrap();
        }
        let mut order_of = world.from_snapshot::<Order>(order(0));
        let mut hold_of = world.from_snapshot::<Reservation>(reservation(0));
        let mut item = world.from_snapshot::<StockItem>(place(1).item);
        if stale {
            world.run(place(1).item, StockCommand::SetThreshold { threshold: Some(3) }).unwrap();
        }
        if handled {
            let mut batch = world.batch();
            batch.commit_mut().mark = Some(mark("place"));
            block_on(world.store.commit(batch.into_commit())).unwrap();
        }
        let before = world.contents();

        let mut batch = world.batch();
        decide(&world, &mut batch, &mut order_of, place_order(number(0)));
        decide(&world, &mut batch, &mut hold_of, hold(0, &[(0, wanted)], world.now(), 60));
        decide(&world, &mut batch, &mut item, StockCommand::Receive { quantity: units(2) });
        batch.commit_mut().mark = Some(mark("place"));
        let commit = batch.into_commit();
        let (events, pools) = (commit.events(), [place(0).pool, place(1).pool]);

        // A reader beside it sees all of it or nothing.
        let done = AtomicBool::new(false);
        let sees = |world: &World| -> bool {
            let query = |stream| StreamQuery { stream, after: Version::NONE, snapshot_schema: None };
            let load = Load {
                streams: vec![
                    query(stream_of::<Order>(order(0))),
                    query(stream_of::<Reservation>(reservation(0))),
                ],
                pools: pools.to_vec(),
                marks: vec![mark("place").key],
                ..Load::default()
            };
            let loaded = block_on(world.store.load(load)).unwrap();
            let order_there = !loaded.streams[0].events.is_empty();
            assert_eq!(order_there, !loaded.streams[1].events.is_empty());
            assert_eq!(order_there, loaded.pools[0].held > 0);
            assert_eq!(order_there, loaded.pools[1].available > 0);
            assert_eq!(order_there || handled, loaded.marks[0].is_some());
            order_there
        };
        let result = thread::scope(|scope| {
            let reader = threads.then(|| {
                scope.spawn(|| {
                    while !done.load(Ordering::Acquire) {
                        sees(&world);
                    }
                })
            });
            let result = block_on(world.store.commit(commit));
            done.store(true, Ordering::Release);
            if let Some(reader) = reader {
                reader.join().unwrap();
            }
            result
        });

        let applied = !(taken || stale || handled || wanted > stock);
        prop_assert_eq!(result.is_ok(), applied);
        prop_assert_eq!(sees(&world), applied);
        // The order in which reasons are given: mark, version, key, pool.
        let Err(reason) = result else {
            prop_assert_eq!(world.contents().log.len(), before.log.len() + events);
            prop_assert!(world.owner(NUMBER_SCOPE, "N-0").is_some());
            return Ok(());
        };
        prop_assert_eq!(world.contents(), before);
        match reason {
            CommitError::AlreadyHandled(_) => prop_assert!(handled),
            CommitError::Stale { .. } => prop_assert!(stale && !handled),
            CommitError::Taken { .. } => prop_assert!(taken && !stale && !handled),
            CommitError::Short(_) => prop_assert!(!taken && !stale && !handled),
            other => prop_assert!(false, "{other:?}"),
        }
    }

    /// Writers that all decided on one version, on threads of the operating system.
    #[test]
    fn patterns_2_one_writer_wins(writers in 2..7_usize, before in 0..4_u32) {
        let world = stocked([10, 0, 0]);
        for threshold in 0..before {
            world.run(place(0).item, StockCommand::SetThreshold { threshold: Some(threshold) }).unwrap();
        }
        let loaded = world.from_snapshot::<StockItem>(place(0).item).version;
        let logged = world.log().len();
        let start = Barrier::new(writers);
        let won: Vec<usize> = thread::scope(|scope| {
            let threads: Vec<_> = (0..writers)
                .map(|writer| {
                    let (world, start) = (&world, &start);
                    scope.spawn(move || {
                        let mut instance = world.from_snapshot::<StockItem>(place(0).item);
                        start.wait();
                        let count = units(1 << writer);
                        let received = StockCommand::Receive { quantity: count };
                        let events = StockItem::decide(instance.state.as_ref(), received, world.now());
                        let mut batch = world.batch();
                        batch.append(&mut instance, &events.unwrap()).unwrap();
                        match block_on(world.store.commit(batch.into_commit())) {
                            Ok(_) => Some(writer),
                            Err(CommitError::Stale { expected, actual, .. }) => {
                                assert_eq!((expected, actual), (loaded, loaded.after(1)));
                                None
                            }
                            Err(error) => panic!("{error:?}"),
                        }
                    })
                })
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        prop_assert_eq!(won.len(), 1);
        prop_assert_eq!(world.log().len(), logged + 1);
        prop_assert_eq!(world.level(&place(0).pool).available, 10 + (1 << won[0]));
    }

    /// Through the facade everybody gets through, by deciding anew.
    #[test]
    fn patterns_2_losers_decide_anew(writers in 2..5_usize) {
        let world = stocked([10, 0, 0]);
        let start = Barrier::new(writers);
        thread::scope(|scope| {
            for writer in 0..writers {
                let (world, start) = (&world, &start);
                scope.spawn(move || {
                    let shop = world.fresh_shop();
                    let ask = ReservationCommand::Commit;
                    start.wait();
                    let held = hold(writer, &[(0, 1)], world.now(), 60);
                    block_on(shop.execute(reservation(writer), held)).unwrap();
                    block_on(shop.execute(reservation(writer), ask)).unwrap();
                    let received = StockCommand::Receive { quantity: units(1) };
                    block_on(shop.execute(place(0).item, received)).unwrap();
                });
            }
        });
        let (level, count) = (world.level(&place(0).pool), i64::try_from(writers).unwrap());
        prop_assert_eq!((level.available, level.held, level.allocated), (10, 0, count));
    }
}
