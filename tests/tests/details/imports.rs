//! Batches of history: counted, limited, permitted part by part, and decided again where others were faster.

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::import::{ImportBatch, ImportError, ImportedLine, ImportedOrder, OpeningStock};
use commerce_core::identity::Principal;
use commerce_core::imports::{NoteRecord, OddLine, ReturnRecord, ReturnedLine, SkipReason, SkippedLine};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::{StreamId, Version};
use commerce_core::orders::OrderNumber;
use commerce_core::prelude::*;
use commerce_core::value::Code;
use commerce_testkit::fake::{Clock, Gateway, START};
use commerce_testkit::shop::Shop;
use commerce_tests::refusing::Refusing;
use commerce_tests::world::id;
use pollster::block_on;

fn shop() -> (Shop, Refusing) {
    let clock = Clock::default();
    let stale = || CommitError::Stale {
        stream: StreamId::new("order", uuid::Uuid::from_u128(1)),
        expected: Version::NONE,
        actual: Version::new(1),
    };
    let store = Refusing::on(MemoryStore::with_clock(Arc::new(clock.clone())), "order", stale);
    (Shop::on(store.clone(), clock, Gateway::capturing()), store)
}

fn skipped(row: u64) -> SkippedLine {
    SkippedLine {
        row,
        reason: SkipReason::Malformed,
        code: None,
        description: None,
        quantity: None,
        unit_micros: None,
        at: None,
        customer: None,
    }
}

fn note(number: usize, lines: usize) -> NoteRecord {
    NoteRecord {
        key: Code::new(&format!("note-{number}")).unwrap(),
        invoice: None,
        skipped: (1..=lines as u64).map(skipped).collect(),
        odd: Vec::new(),
    }
}

fn order(number: &str, lines: usize) -> ImportedOrder {
    let line = |_| ImportedLine {
        sku: Sku::new("MUG").unwrap(),
        name: Name::new("A mug").unwrap(),
        quantity: Quantity::new(1).unwrap(),
        unit_price: Price::parse("2.50", Currency::EUR).unwrap(),
        tracked: true,
    };
    ImportedOrder {
        number: OrderNumber::new(number).unwrap(),
        customer: None,
        subject: Shop::subject(1),
        placed_at: START,
        lines: (0..lines).map(line).collect(),
    }
}

fn returned(lines: usize) -> ReturnRecord {
    let line = |_| ReturnedLine {
        sku: Sku::new("MUG").unwrap(),
        name: Name::new("A mug").unwrap(),
        quantity: -1,
        unit_micros: 2_500_000,
        pieces: Vec::new(),
    };
    ReturnRecord {
        number: Code::new("C1").unwrap(),
        customer: None,
        subject: Shop::subject(1),
        currency: Currency::EUR,
        returned_at: START,
        lines: (0..lines).map(line).collect(),
    }
}

fn opening() -> OpeningStock {
    let quantity = Quantity::new(10).unwrap();
    OpeningStock { sku: Sku::new("MUG").unwrap(), location: SettingsValues::default().locations[0], quantity }
}

#[test]
fn records_and_lines_of_every_kind_are_counted() {
    let odd = OddLine { line: id("line"), at: START, customer: None };
    let batch = ImportBatch {
        orders: vec![order("A1", 2), order("A2", 3)],
        returns: vec![returned(4)],
        notes: vec![NoteRecord { odd: vec![odd; 6], ..note(1, 5) }],
        opening: vec![opening()],
    };
    assert_eq!((batch.records(), batch.lines()), (5, 2 + 3 + 4 + 5 + 6));
}

#[test]
fn a_batch_is_as_large_as_it_may_be_and_no_larger() {
    block_on(async {
        let (shop, _) = shop();
        let notes = |count: usize, lines: usize| ImportBatch {
            notes: (0..count).map(|number| note(number, lines)).collect(),
            ..ImportBatch::default()
        };
        let too_large = CommandError::Rejected(ImportError::TooLarge);
        assert_eq!(shop.staff().import(&notes(501, 1)).await, Err(too_large.clone()));
        assert_eq!(shop.staff().import(&notes(500, 1)).await.unwrap().notes, 500);
        let (fresh, _) = self::shop();
        assert_eq!(fresh.staff().import(&notes(1, 50_001)).await, Err(too_large));
        assert_eq!(fresh.staff().import(&notes(2, 25_000)).await.unwrap().notes, 2);
    });
}

#[test]
fn a_batch_is_decided_again_at_most_five_times() {
    block_on(async {
        let (shop, store) = shop();
        let batch = ImportBatch { orders: vec![order("A1", 1)], ..ImportBatch::default() };
        store.next(5);
        assert_eq!(shop.staff().import(&batch).await, Err(CommandError::Conflict { attempts: 5 }));
        assert_eq!(store.refused(), 5);
        store.next(4);
        let done = shop.staff().import(&batch).await.unwrap();
        assert_eq!((store.refused(), done.orders, done.already), (4, 1, 0));
        let again = shop.staff().import(&batch).await.unwrap();
        assert_eq!((again.orders, again.already, again.position), (0, 1, None));
    });
}

#[test]
fn stock_is_opened_once() {
    block_on(async {
        let (shop, _) = shop();
        let batch = ImportBatch { opening: vec![opening()], ..ImportBatch::default() };
        assert_eq!(shop.staff().import(&batch).await.unwrap().opened, 1);
        assert_eq!(shop.level("MUG").await.unwrap().available, 10);
        assert_eq!(shop.staff().import(&batch).await.unwrap().opened, 0);
        assert_eq!(shop.level("MUG").await.unwrap().available, 10);
    });
}

#[test]
fn every_part_of_a_batch_is_permitted_for_itself() {
    block_on(async {
        let (shop, _) = shop();
        let orders = ImportBatch { orders: vec![order("A1", 1)], ..ImportBatch::default() };
        let returns = ImportBatch { returns: vec![returned(1)], ..ImportBatch::default() };
        let opened = ImportBatch { opening: vec![opening()], ..ImportBatch::default() };
        let denied = |permission| {
            let who = Principal::from(Actor::Admin(id("somebody"))).deny(permission);
            shop.commerce.acting_as(who)
        };
        let no_returns = denied(Permission::new("return", "import"));
        assert!(no_returns.import(&orders).await.is_ok());
        assert!(matches!(no_returns.import(&returns).await, Err(CommandError::Denied(_))));
        let no_orders = denied(Permission::new("order", "import"));
        assert!(matches!(no_orders.import(&orders).await, Err(CommandError::Denied(_))));
        let no_goods = denied(StockCommand::Receive { quantity: Quantity::ONE }.permission());
        assert!(no_goods.import(&returns).await.is_ok());
        assert!(matches!(no_goods.import(&opened).await, Err(CommandError::Denied(_))));
    });
}
