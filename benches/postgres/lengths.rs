//! Load, decide and commit on streams with many events behind them.

use std::sync::Arc;
use std::time::Instant;

use commerce_adapters_postgres::{PgStore, Settings};
use commerce_core::app::commerce::Commerce;
use commerce_core::inventory::StockCommand;
use commerce_core::settings::SettingsValues;
use commerce_core::value::id::StockItemId;
use commerce_core::value::quantity::Quantity;
use commerce_core::value::sku::Sku;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::server::Cluster;

use crate::database;
use crate::rate::{hundredths, middle};

/// Streams of each length.
const STREAMS: usize = 40;
/// Commands that are measured on each, one stream after the other.
const MEASURED: usize = 5;
/// Ten events behind the last snapshot in each: a snapshot is due every fifty.
const LENGTHS: [usize; 3] = [10, 110, 1_010];

pub(crate) async fn print(cluster: &Cluster) {
    let store = PgStore::new(database(cluster, "lengths"), Settings::default());
    store.migrate().await.unwrap();
    let shop = Shop::on_shared(Arc::new(store), Clock::default(), Gateway::capturing(), 1);
    let makers = LENGTHS.iter().enumerate().flat_map(|(place, length)| {
        let shop = &shop;
        (0..STREAMS).map(move |number| tokio::spawn(item(shop.staff(), place * STREAMS + number, *length)))
    });
    let mut items = Vec::new();
    for maker in makers.collect::<Vec<_>>() {
        items.push(maker.await.unwrap());
    }
    cluster.psql("lengths", "vacuum analyze");
    let mut spans: Vec<Vec<u128>> = vec![Vec::new(); LENGTHS.len()];
    for round in 0..MEASURED {
        for number in 0..STREAMS {
            for (place, spans) in spans.iter_mut().enumerate() {
                let start = Instant::now();
                receive(&shop.staff(), items[place * STREAMS + number]).await;
                if round > 0 || number > 0 {
                    spans.push(start.elapsed().as_micros());
                }
            }
        }
    }
    println!("\nMicroseconds for load, decide and commit of one command, one at a time, with snapshots\n");
    let middles: Vec<u128> = spans.into_iter().map(|spans| middle(spans.into_iter())).collect();
    for (length, span) in LENGTHS.iter().zip(&middles) {
        println!("{length:>6} events: {span}");
    }
    let ratio = u64::try_from(middles[2] * 100 / middles[0]).unwrap();
    println!("the longest to the shortest: {}", hundredths(ratio));
}

/// An item of the stock with this many events.
async fn item(staff: Commerce, number: usize, events: usize) -> StockItemId {
    let id: StockItemId = staff.new_id();
    let location = SettingsValues::default().locations[0];
    let open = StockCommand::Open { sku: Sku::new(&format!("SKU-{number}")).unwrap(), location };
    staff.execute(id, open).await.unwrap();
    for _ in 1..events {
        receive(&staff, id).await;
    }
    id
}

async fn receive(staff: &Commerce, id: StockItemId) {
    staff.execute(id, StockCommand::Receive { quantity: Quantity::new(1).unwrap() }).await.unwrap();
}
