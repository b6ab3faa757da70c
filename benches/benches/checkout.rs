//! Whole checkouts per second in memory on one core, carts of 1,000 lines, and replay.
//!
//! The cart exists; the gateway captures with the authorisation and answers at once. One checkout is two
//! commits: some fifteen events, their JSON, and the states they lead to.

#![allow(clippy::expect_used)] // a bench that cannot set itself up has nothing to measure

use std::hint::black_box;
use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::CheckoutRequest;
use commerce_core::kernel::aggregate::{Aggregate, Instance};
use commerce_core::kernel::commit::{Load, StreamQuery};
use commerce_core::kernel::replay::replay;
use commerce_core::kernel::stream::Version;
use commerce_core::orders::Order;
use commerce_core::value::id::CartId;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use pollster::block_on;

/// Carts per shop: a shop is thrown away behind them, so that memory stays bounded.
const CARTS: u64 = 200;

fn shop() -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
    block_on(async {
        for sku in ["A", "B", "C"] {
            shop.list(sku, "12.50", 1_000_000).await.expect("listed");
        }
    });
    shop
}

fn carts(shop: &Shop) -> Vec<CartId> {
    let lines = [("A", 1), ("B", 2), ("C", 3)];
    (0..CARTS).map(|buyer| block_on(shop.cart(buyer, &lines)).expect("filled")).collect()
}

fn checkouts(c: &mut Criterion) {
    let mut group = c.benchmark_group("checkout");
    group.throughput(Throughput::Elements(CARTS)).sample_size(20);
    group.bench_function("3 lines, 2 commits", |b| {
        b.iter_batched(
            || {
                let shop = shop();
                let carts = carts(&shop);
                (shop, carts)
            },
            |(shop, carts)| {
                for (buyer, cart) in (0..).zip(carts) {
                    let request = CheckoutRequest::new(cart, Shop::euros(7500));
                    black_box(block_on(shop.buyer(buyer).checkout(request)).expect("bought"));
                }
                shop
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn long_carts(c: &mut Criterion) {
    let skus: Vec<String> = (0..1000).map(|number| format!("S{number}")).collect();
    let mut group = c.benchmark_group("cart");
    group.sample_size(10);
    group.bench_function("1,000 lines, one by one", |b| {
        b.iter_batched(
            || {
                let shop = shop();
                let adds: Vec<_> = skus.iter().map(|_| ()).collect();
                (shop, adds)
            },
            |(shop, adds)| {
                block_on(async {
                    let buyer = shop.buyer(1);
                    let cart: CartId = buyer.new_id();
                    let owner = commerce_core::value::actor::Owner::Subject(Shop::subject(1));
                    let currency = commerce_core::value::Currency::EUR;
                    let create = commerce_core::carts::CartCommand::Create { owner, currency };
                    buyer.execute(cart, create).await.expect("created");
                    for () in adds {
                        let add = commerce_core::carts::CartCommand::AddLine {
                            line: buyer.new_id(),
                            product: buyer.new_id(),
                            variant: buyer.new_id(),
                            quantity: commerce_core::value::Quantity::ONE,
                            customisation: None,
                            price_override: None,
                        };
                        buyer.execute(cart, add).await.expect("added");
                    }
                });
                shop
            },
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

fn replays(c: &mut Criterion) {
    let shop = shop();
    let cart = block_on(shop.cart(1, &[("A", 1), ("B", 2), ("C", 3)])).expect("filled");
    let receipt = block_on(shop.buy(1, cart)).expect("bought");
    let stream = Instance::<Order>::absent(receipt.order).stream();
    let query = StreamQuery { stream, after: Version::NONE, snapshot_schema: None };
    let load = Load { streams: vec![query], ..Load::default() };
    let loaded = block_on(shop.commerce.store().load(load)).expect("loaded");
    let stream = loaded.streams.first().expect("the order").clone();
    let mut group = c.benchmark_group("replay");
    group.throughput(Throughput::Elements(stream.events.len() as u64));
    group.bench_function(format!("{} stream of {} events", Order::NAME, stream.events.len()), |b| {
        b.iter(|| replay(Instance::<Order>::absent(receipt.order), black_box(&stream)).expect("folds"));
    });
    group.finish();
}

criterion_group!(benches, checkouts, long_carts, replays);
criterion_main!(benches);
