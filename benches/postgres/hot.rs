//! Stock that everybody wants: rates beside conditional UPDATEs, and what was granted beside what was there.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commerce_adapters_postgres::{PgStore, Settings};
use commerce_benches::order::{Order, one_hot, three_of_ten};
use commerce_core::kernel::commit::{Commit, Load};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolMove, PoolOp};
use commerce_core::port::store::Store;
use commerce_tests::server::Cluster;

use crate::by_hand::Hand;
use crate::rate::{Place, SPAN, Way, compare};
use crate::store;

/// How many units there are where they run out.
const SCARCE: i64 = 20_000;

pub(crate) async fn print(cluster: &Cluster) {
    println!("\nOne hot pool, holds per second\n");
    one(cluster, "hot_one", one_hot).await;
    println!("\nTen hot pools, three of them per order, orders per second\n");
    one(cluster, "hot_ten", three_of_ten).await;
    exhausted(cluster).await;
}

/// Compares, and checks that what is held is what was granted.
async fn one(cluster: &Cluster, name: &str, pools: fn(Order) -> Vec<String>) {
    let ours = store(cluster, name, Settings::default()).await;
    let hand = Hand::new(cluster, &format!("{name}_hand")).await;
    let ways = [
        ("coalesced", Way::Here(through(ours.clone(), pools))),
        ("(a) UPDATEs in a transaction", Way::Here(hand.hot(pools))),
    ];
    compare(cluster, &ways, &[64]).await;
    let granted: i64 = cluster.psql(name, "select count(*) from commerce.events").parse().unwrap();
    let each = i64::try_from(pools(Order::new(1)).len()).unwrap();
    let held: i64 = cluster.psql(name, "select sum(held) from commerce.pools").parse().unwrap();
    assert_eq!(held, granted * each, "held and granted");
    println!("held {held} for {granted} orders");
}

/// The pool runs out while everybody wants it: exactly what was there is granted.
async fn exhausted(cluster: &Cluster) {
    println!("\nOne pool of {SCARCE} units that run out, 64 tasks\n");
    let ours = store(cluster, "scarce", Settings::default()).await;
    let pool = PoolKey::new("stock:HOT@main");
    let drain = PoolMove::new(pool.clone(), PoolOp::Correct(SCARCE - level(&ours).await.available));
    ours.commit(Commit { moves: vec![drain], ..Commit::default() }).await.unwrap();
    let hand = Hand::new(cluster, "scarce_hand").await.stocked("stock:HOT@main", SCARCE).await;
    for (name, place) in
        [("coalesced", through(ours.clone(), one_hot)), ("(a) UPDATE in a transaction", hand.hot(one_hot))]
    {
        let mut granted = 0_u64;
        let mut rates = Vec::new();
        // Until a whole span grants nothing: it ran out before.
        loop {
            let before = granted;
            let figure = Way::Here(counting(place.clone())).measure(cluster, 64).await;
            granted += GRANTED.swap(0, Ordering::Relaxed);
            rates.push(figure.rate);
            if granted == before {
                break;
            }
        }
        println!("{name:34} granted {granted}; attempts per second, span by span ({SPAN:?}): {rates:?}");
        assert_eq!(granted, u64::try_from(SCARCE).unwrap(), "exactly what was there");
    }
    let level = level(&ours).await;
    assert_eq!((level.available, level.held), (0, SCARCE));
}

/// Granted since it was asked last.
static GRANTED: AtomicU64 = AtomicU64::new(0);

/// Counts what was granted apart; every attempt is a unit of work.
fn counting(place: Place) -> Place {
    Arc::new(move |order| {
        let place = place.clone();
        Box::pin(async move {
            GRANTED.fetch_add(place(order).await, Ordering::Relaxed);
            1
        })
    })
}

async fn level(store: &PgStore) -> PoolLevel {
    let load = Load { pools: vec![PoolKey::new("stock:HOT@main")], ..Load::default() };
    store.load(load).await.unwrap().pools[0]
}

fn through(store: PgStore, pools: fn(Order) -> Vec<String>) -> Place {
    Arc::new(move |order| {
        let store = store.clone();
        Box::pin(async move {
            match store.commit(order.holding(pools(order))).await {
                Ok(_) => 1,
                Err(CommitError::Short(_)) => 0,
                Err(error) => panic!("{error}"),
            }
        })
    })
}
