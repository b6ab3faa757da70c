//! The sale invoices once more, as carts through the whole checkout.

use std::fmt::Write;
use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::{Cart, CartEvent};
use commerce_testkit::fake;
use pollster::block_on;
use serde_json::Value;

use crate::fold;
use crate::retail::figures::each;
use crate::retail::plan::Plan;
use crate::retail::replay::{self, Replayed};
use crate::retail::{read, source};
use crate::{ODDITIES, sample};

fn replayed(text: &str) -> (commerce_testkit::shop::Shop, Replayed) {
    let clock = fake::Clock::default();
    let shop = replay::shop(MemoryStore::with_clock(Arc::new(clock.clone())), clock);
    let plan = Plan::of(read(&source::read(text.as_bytes()).unwrap(), 1));
    let replayed = block_on(replay::run(&shop, plan)).unwrap();
    (shop, replayed)
}

/// Everything was sold, nothing is left, and the buyers pay what the rounded lines come to.
fn sold_out(replayed: &Replayed) {
    assert!(replayed.holds(), "{:#?}", replayed.figures());
    assert_eq!((replayed.stock.available, replayed.stock.held, replayed.stock.wrong), (0, 0, 0));
    assert_eq!(replayed.sold.confirmed, replayed.invoices);
    assert_eq!(replayed.sold.gross, replayed.sold.extensions);
    // At most half a penny per line that had to be rounded.
    let off = (replayed.sold.gross - replayed.exact).unsigned_abs();
    assert!(off <= u128::from(replayed.sold.rounded) * 5_000, "{off}");
}

#[test]
fn every_sale_invoice_becomes_a_confirmed_order() {
    let (shop, replayed) = replayed(ODDITIES);
    sold_out(&replayed);
    let plain = fold::figures(&fold::rows(ODDITIES));
    assert_eq!(replayed.invoices, plain["sale_invoices"]);
    assert_eq!(replayed.lines + replayed.left_out.values().sum::<u64>(), plain["lines"]);
    let figures: Value = replayed.figures().into_iter().collect();
    assert_eq!(figures["gross_exact"], plain["gross_sales"]);
    for (reason, lines) in plain["skipped"].as_object().unwrap() {
        assert_eq!(*lines, replayed.left_out[reason.as_str()], "{reason}");
    }
    assert_eq!(figures["services"], 4);
    // Two lines end in half a penny, 3 units at 2.955 and one at 0.005, and both go to the even penny below.
    assert_eq!((replayed.sold.rounded, replayed.exact - replayed.sold.gross), (2, 10_000));

    let staff = shop.staff();
    let mut lines = 0;
    let read = each::<Cart>(&staff, |logged| {
        if let CartEvent::LineAdded { line } = logged.event {
            assert_eq!(line.price_override.unwrap().reason.as_str(), "price of the imported invoice");
            lines += 1;
        }
    });
    block_on(read).unwrap();
    assert_eq!(lines, replayed.sold.lines);
}

#[test]
fn the_sample_is_sold_out_by_its_own_invoices() {
    let Some(text) = sample("the_sample_is_sold_out_by_its_own_invoices") else { return };
    let (_, replayed) = replayed(&text);
    sold_out(&replayed);
    println!("{:#}", replayed.figures().into_iter().collect::<Value>());
    let plain = fold::figures(&fold::rows(&text));
    assert_eq!(replayed.lines + replayed.left_out.values().sum::<u64>(), plain["lines"]);
    let figures: Value = replayed.figures().into_iter().collect();
    assert_eq!(figures["gross_exact"], plain["gross_sales"]);
    assert_eq!(replayed.invoices, plain["sale_invoices"]);
    // Prices in whole pennies leave nothing to round.
    assert_eq!((replayed.sold.rounded, replayed.sold.gross), (0, replayed.exact));
}

#[test]
fn what_a_cart_cannot_hold_is_counted_and_what_takes_two_deliveries_is_sold() {
    let mut text = ODDITIES.lines().next().unwrap().to_owned();
    // Together with the first the second is too much for one line; at another price it is another line.
    for (number, price) in [(1, "0.01"), (1, "0.01"), (1, "0.02"), (2, "0.01"), (3, "9999999999.99")] {
        write!(text, "\n10000{number},22386,BAG,600000,2011-01-04 10:00:00,{price},,France").unwrap();
    }
    let (_, replayed) = replayed(&text);
    sold_out(&replayed);
    assert_eq!((replayed.invoices, replayed.lines, replayed.stock.allocated), (3, 4, 2_400_000));
    assert_eq!(replayed.left_out.into_iter().collect::<Vec<_>>(), [("too_many_units", 1)]);
}
