//! The import of a retailer's history against a plain fold of its file.
#![allow(missing_docs, clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

#[path = "import_retail/fold.rs"]
mod fold;
#[path = "import_retail/replayed.rs"]
mod replayed;
#[path = "../../examples/import_retail/mod.rs"]
mod retail;

use std::path::PathBuf;
use std::sync::Arc;

use commerce_adapters_memory::{MemoryStore, SystemClock};
use commerce_core::app::commerce::{Commerce, Platform};
use commerce_core::app::error::CommandError;
use commerce_core::app::import::{
    ImportBatch, ImportError, ImportedLine, ImportedOrder, MAX_RECORDS, OpeningStock,
};
use commerce_core::app::log::LogError;
use commerce_core::identity::Principal;
use commerce_core::imports::{customer_id, order_id};
use commerce_core::kernel::stream::Position;
use commerce_core::orders::number::OrderNumber;
use commerce_core::orders::state::Order;
use commerce_core::port::clock::Clock;
use commerce_core::port::store::{Row, Table};
use commerce_core::value::actor::Actor;
use commerce_core::value::{Currency, Name, Price, Quantity, Sku};
use commerce_testkit::fake;
use pollster::block_on;
use retail::Outcome;
use retail::source::RawRow;

const ODDITIES: &str = include_str!("import_retail/oddities.csv");

fn shop() -> Commerce {
    let clock = fake::Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let sleeper = Arc::new(fake::Sleeper::jumping(clock.clone()));
    let platform = Platform { clock: Arc::new(clock), sleeper, ids: Arc::new(fake::Ids::seeded(7)) };
    Commerce::new(store, platform)
}

fn run(shop: &Commerce, rows: &[RawRow], times: u32, opening: Option<u32>) -> Outcome {
    block_on(retail::run(shop, rows, times, opening)).unwrap()
}

/// The public sample, or a line that says that the test was skipped.
fn sample(test: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/online-retail-sample.csv");
    let text = std::fs::read_to_string(&path);
    if text.is_err() {
        eprintln!("SKIPPED {test}: there is no {}", path.display());
    }
    text.ok()
}

#[test]
fn every_oddity_is_counted_as_a_plain_fold_counts_it() {
    let rows = retail::source::read(ODDITIES.as_bytes()).unwrap();
    let outcome = run(&shop(), &rows, 1, None);
    let json = outcome.figures.json();
    assert_eq!(json, fold::figures(&fold::rows(ODDITIES)));
    // Some by hand, so that the fold is not trusted alone.
    assert_eq!(json["lines"], rows.len());
    assert_eq!(json["sales_per_month"]["2011-01"], "83.515");
    assert_eq!(json["skipped"]["negative_price"], 3);
    assert_eq!(json["returns_linked"], 5);
    let sold = ["100001", "100002", "100003", "100008", "100012", "100017", "100018", "100019"];
    assert_eq!(json["sale_invoices"], sold.len());
    assert_eq!(json["top_by_units"][0]["sku"], "21212");
    assert_eq!(outcome.oddities["code in lower case"], 1);
    assert_eq!(outcome.oddities["code respelled to be a sku"], 2);
}

#[test]
fn an_empty_file_has_figures_too() {
    let header = ODDITIES.lines().next().unwrap();
    let outcome = run(&shop(), &retail::source::read(header.as_bytes()).unwrap(), 1, None);
    assert_eq!(outcome.figures.json(), fold::figures(&[]));
    assert!(retail::source::read("a,b\n1,2\n".as_bytes()).is_err());
}

#[test]
fn the_sample_equals_a_plain_fold() {
    let Some(text) = sample("the_sample_equals_a_plain_fold") else { return };
    let rows = retail::source::read(text.as_bytes()).unwrap();
    let outcome = run(&shop(), &rows, 1, None);
    assert_eq!(outcome.figures.json(), fold::figures(&fold::rows(&text)));
}

#[test]
fn many_times_the_sample_equals_a_plain_fold() {
    // A whole year, as far as lines go; unoptimised code takes too long for it.
    const TIMES: u32 = if cfg!(debug_assertions) { 3 } else { 22 };
    let Some(text) = sample("many_times_the_sample_equals_a_plain_fold") else { return };
    let rows = retail::source::read(text.as_bytes()).unwrap();
    let started = SystemClock.now();
    let json = run(&shop(), &rows, TIMES, None).figures.json();
    let took = SystemClock.now().since(started);
    println!("{} lines in {took:?}", json["lines"]);
    let plain = fold::rows(&text);
    let repeated: Vec<_> = (0..TIMES).flat_map(|turn| fold::shifted(&plain, turn.into())).collect();
    assert_eq!(json, fold::figures(&repeated));
}

#[test]
fn importing_again_changes_nothing() {
    let (shop, rows) = (shop(), retail::source::read(ODDITIES.as_bytes()).unwrap());
    let first = run(&shop, &rows, 1, Some(5));
    let again = run(&shop, &rows, 1, Some(5));
    let records = first.entered.orders + first.entered.returns + first.entered.notes + first.entered.opened;
    assert_eq!((again.entered.already, again.entered.position), (records, None));
    assert_eq!(again.figures.json(), first.figures.json());
    let mut changed = rows;
    changed[0].price = "1.96".to_owned();
    let refused = block_on(retail::run(&shop, &changed, 1, None)).unwrap_err();
    assert_eq!(refused.to_string(), "refused");
    assert_eq!(refused.source().unwrap().to_string(), "another order was imported as 100001");
}

#[test]
fn stock_opens_once_per_product_and_never_for_services() {
    let (shop, rows) = (shop(), retail::source::read(ODDITIES.as_bytes()).unwrap());
    let pools = |shop: &Commerce| block_on(shop.store().scan(Table::Pools, None, 1000)).unwrap();
    run(&shop, &rows, 1, None);
    assert!(pools(&shop).is_empty());
    let entered = run(&shop, &rows, 1, Some(5)).entered;
    let found = pools(&shop);
    assert_eq!(entered.opened, found.len() as u64);
    for row in found {
        let Row::Pool(pool, level) = row else { panic!("{row:?}") };
        assert_eq!(level.available, 5);
        let sku = pool.to_string().trim_start_matches("stock:").to_owned();
        assert!(sku.bytes().take(5).all(|c| c.is_ascii_digit()), "{sku}");
    }
}

fn order(number: &str) -> ImportedOrder {
    let customer = customer_id("13313");
    let line = ImportedLine {
        sku: Sku::new("22386").unwrap(),
        name: Name::new("JUMBO BAG").unwrap(),
        quantity: Quantity::ONE,
        unit_price: Price::parse("1.95", Currency::GBP).unwrap(),
        tracked: true,
    };
    ImportedOrder {
        number: OrderNumber::new(number).unwrap(),
        customer: Some(customer),
        subject: customer.cast(),
        placed_at: fake::START,
        lines: vec![line],
    }
}

fn batch(orders: Vec<ImportedOrder>) -> ImportBatch {
    ImportBatch { orders, ..ImportBatch::default() }
}

#[test]
fn only_staff_import_and_read_the_log() {
    let shop = shop();
    let guest = shop.acting_as(Actor::Guest(customer_id("13313").cast()));
    let denied = block_on(guest.import(&batch(vec![order("1")]))).unwrap_err();
    assert!(matches!(denied, CommandError::Denied(_)));
    let denied = block_on(guest.events_of::<Order>(Position::START, 1)).unwrap_err();
    assert!(matches!(denied, LogError::Denied(_)));
    let staff = shop.acting_as(Actor::Admin(customer_id("staff").cast()));
    let imported = block_on(staff.import(&batch(vec![order("1")]))).unwrap();
    assert_eq!(imported.orders, 1);
    let page = block_on(staff.events_of::<Order>(Position::START, 10)).unwrap();
    assert_eq!(page.events.len(), 1);
    assert_eq!(page.events[0].id, order_id("1"));
    assert!(block_on(staff.events_of::<Order>(page.next, 10)).unwrap().end);
}

#[test]
fn a_batch_is_bounded_and_names_each_record_once() {
    let shop = shop().acting_as(Principal::system());
    let refused = |batch: &ImportBatch| match block_on(shop.import(batch)) {
        Err(CommandError::Rejected(refusal)) => refusal,
        other => panic!("{other:?}"),
    };
    let many = (0..=MAX_RECORDS).map(|number| order(&number.to_string())).collect();
    assert_eq!(refused(&batch(many)), ImportError::TooLarge);
    assert!(matches!(refused(&batch(vec![order("1"), order("1")])), ImportError::Repeated(_)));
    let empty = ImportedOrder { lines: Vec::new(), ..order("2") };
    assert!(matches!(refused(&batch(vec![order("1"), empty])), ImportError::Order(..)));
    let stock = OpeningStock {
        sku: Sku::new("22386").unwrap(),
        location: customer_id("here").cast(),
        quantity: Quantity::ONE,
    };
    let twice = ImportBatch { opening: vec![stock.clone(), stock], ..ImportBatch::default() };
    assert!(matches!(refused(&twice), ImportError::Repeated(_)));
    // All or nothing: the good order beside the empty one was not entered.
    assert!(block_on(shop.events_of::<Order>(Position::START, 10)).unwrap().events.is_empty());
}
