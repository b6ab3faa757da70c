//! The tables of a store are what its log says, and can be made so again.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::audit::AuditError;
use commerce_core::customers::email_key;
use commerce_core::inventory::{Reservation, stock_pool};
use commerce_core::kernel::commit::Commit;
use commerce_core::kernel::pool::{PoolMove, PoolOp};
use commerce_core::kernel::rebuild::{Difference, Registry};
use commerce_core::kernel::stream::{Position, StreamId};
use commerce_core::kernel::timer::{TimerKey, TimerWrite};
use commerce_core::kernel::unique::{Key, UniqueKey};
use commerce_core::port::store::{LogQuery, Row, Store, Table};
use commerce_core::prelude::*;
use commerce_core::value::{PersonName, Reason};
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;
use uuid::Uuid;

fn shop() -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
    block_on(shop.list("MUG", "12.50", 100)).unwrap();
    shop
}

/// What happens in a shop, by a number each.
async fn happens(shop: &Shop, deeds: &[u8]) {
    let reason = || Reason::new("a test").unwrap();
    for (number, deed) in deeds.iter().enumerate() {
        let buyer = u64::try_from(number).unwrap();
        let cart = shop.cart(buyer, &[("MUG", 1 + u32::from(*deed) % 3)]).await.unwrap();
        match deed % 6 {
            0 => {}
            1 => shop.gateway.script([Behaviour::Decline("no")]),
            2 => shop.gateway.script([Behaviour::Redirect("https://bank.example/3ds")]),
            3 => shop.gateway.script([Behaviour::LoseAnswer]),
            _ => {
                let id = Shop::customer(buyer);
                let email = Email::new(&format!("customer{number}@example.com")).unwrap();
                let register = CustomerCommand::Register {
                    customer: id,
                    key: email_key(b"shop key", &email),
                    email,
                    name: PersonName::new("Erika").unwrap(),
                    phone: None,
                };
                // What is refused changes nothing either.
                drop(shop.buyer(buyer).execute(id, register).await);
                if deed % 6 == 5 {
                    drop(shop.buyer(buyer).erase_customer(id).await);
                }
            }
        }
        // Who is forgotten cannot buy any more.
        let bought = shop.buy(buyer, cart).await;
        if let (Ok(receipt), 0) = (bought, deed % 4) {
            drop(shop.buyer(buyer).cancel_order(receipt.order, reason()).await);
        }
        shop.clock.advance(std::time::Duration::from_secs(u64::from(*deed) * 7));
        shop.commerce.run_due().await.unwrap();
    }
}

async fn commit(shop: &Shop, commit: Commit) {
    shop.commerce.store().commit(commit).await.unwrap();
}

/// The first row of a table that a test can do harm to.
async fn first(store: &dyn Store, table: Table) -> Row {
    store.scan(table, None, 1).await.unwrap().remove(0)
}

proptest! {
    #![proptest_config(cases(256))]

    /// Whatever happened: keys, pools and timers are those of the log; and whatever is lost of them without
    /// a trace in the log is found and put right.
    #[test]
    fn tables_are_those_of_the_log(
        deeds in vec(any::<u8>(), 1..6),
        (available, held, allocated) in (-9..9_i64, 0..9_u64, 0..9_u64),
        harm in 0..8_u8,
    ) {
        block_on(async {
            let (shop, registry) = (shop(), Registry::standard());
            happens(&shop, &deeds).await;
            let staff = shop.staff();
            let sound = staff.audit(&registry).await.unwrap();
            prop_assert_eq!(sound.differences, vec![]);
            let log = LogQuery::after(Position::START, 1000);
            let log = shop.commerce.store().read_all(log).await.unwrap();
            prop_assert_eq!((sound.events, sound.position), (log.events.len() as u64, log.next));
            let pool = stock_pool(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
            let above = |amount| PoolOp::HoldAbove { amount, floor: i64::MIN };
            let ops = [
                PoolOp::Correct(available),
                above(held),
                above(allocated),
                PoolOp::Allocate(allocated),
                PoolOp::Floor(available),
            ];
            let moves = ops.map(|op| PoolMove::new(pool.clone(), op)).to_vec();
            commit(&shop, Commit { moves, ..Commit::default() }).await;
            let mut lost = Vec::new();
            if harm & 1 > 0 && let Row::Key(key) = first(shop.commerce.store().as_ref(), Table::Keys).await {
                commit(&shop, Commit { release: vec![key.clone()], ..Commit::default() }).await;
                lost.push(key.key.to_string());
            }
            let timers = shop.commerce.store().scan(Table::Timers, None, 1).await.unwrap();
            if harm & 2 > 0 && let Some(Row::Timer(key, _)) = timers.into_iter().next() {
                lost.push(key.to_string());
                commit(&shop, Commit { timers: vec![TimerWrite::Cancel { key }], ..Commit::default() }).await;
            }
            let found = staff.audit(&registry).await.unwrap();
            let repaired = staff.repair(&registry).await.unwrap();
            prop_assert_eq!(&repaired.mended, &found.differences);
            prop_assert!(repaired.mended.len() >= lost.len(), "{:?} lost, {:?} found", lost, repaired.mended);
            prop_assert_eq!(repaired.left, vec![]);
            prop_assert_eq!(staff.audit(&registry).await.unwrap().differences, vec![]);
            prop_assert_eq!(staff.repair(&registry).await.unwrap().mended, vec![], "once is enough");
            Ok(())
        })?;
    }
}

#[test]
fn what_the_log_does_not_know_is_left_for_a_person() {
    block_on(async {
        let (shop, registry) = (shop(), Registry::standard());
        let owner = StreamId::new("order", Uuid::from_u128(9));
        let key = Key::new("order-number", "NOBODYS");
        let claim = vec![UniqueKey { key: key.clone(), owner: owner.clone(), subject: None }];
        let timer = TimerKey::new(owner.clone(), "resume");
        let due = Timestamp::UNIX_EPOCH;
        let set = TimerWrite::Set { key: timer.clone(), due, payload: Arc::from(&[][..]) };
        commit(&shop, Commit { claim, timers: vec![set], ..Commit::default() }).await;
        let repaired = shop.staff().repair(&registry).await.unwrap();
        assert_eq!(repaired.mended, []);
        let payload = Arc::from(&[][..]);
        let expected = [
            Difference::Key { key, stored: Some(owner), derived: None, subject: None },
            Difference::Timer { timer, stored: Some(due), derived: None, payload },
        ];
        assert_eq!(repaired.left, expected);
    });
}

#[test]
fn tables_are_not_judged_by_events_that_nobody_can_read() {
    block_on(async {
        let shop = shop();
        let partial = Registry::empty().with::<Product>().with::<Reservation>();
        let refused = shop.staff().repair(&partial).await.unwrap_err();
        assert!(matches!(refused, AuditError::Unregistered(_)), "{refused:?}");
        let buyer = shop.buyer(1).audit(&Registry::standard()).await.unwrap_err();
        assert!(matches!(buyer, AuditError::Denied(_)));
    });
}

#[test]
fn two_repairs_at_a_time_mend_once() {
    block_on(async {
        let (shop, registry) = (shop(), Registry::standard());
        let pool = stock_pool(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
        let moves = vec![PoolMove::new(pool, PoolOp::Correct(-7))];
        commit(&shop, Commit { moves, ..Commit::default() }).await;
        let other =
            Shop::on_shared(shop.commerce.store().clone(), shop.clock.clone(), Gateway::capturing(), 9);
        let mended: usize = std::thread::scope(|scope| {
            let repair = |shop: Shop| block_on(shop.staff().repair(&registry)).unwrap().mended.len();
            let (first, second) = (scope.spawn(move || repair(shop)), scope.spawn(move || repair(other)));
            first.join().unwrap() + second.join().unwrap()
        });
        assert_eq!(mended, 1);
    });
}
