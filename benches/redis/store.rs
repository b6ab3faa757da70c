//! Orders through the store beside a script that makes the same writes.

use commerce_adapters_redis::{RedisStore, redis};
use commerce_benches::order::{self, Order};
use commerce_core::port::store::Store;

use crate::by_hand::{Hand, KEYS};
use crate::rate::{Way, compare};
use crate::server::{SHOP, Server, settings};

/// The shop that is written by hand.
const OTHER: &str = "hand";

pub(crate) async fn print(server: &Server) {
    let ours = RedisStore::open(&server.url(), settings(SHOP)).await.unwrap();
    let other = RedisStore::open(&server.url(), settings(OTHER)).await.unwrap();
    for store in [&ours, &other] {
        store.commit(order::stock()).await.unwrap();
    }
    let hand = Hand::new(server.connection().await, OTHER);
    for number in [1, 2] {
        ours.commit(Order::new(number).commit()).await.unwrap();
        hand.place(Order::new(number)).await;
    }
    same(server).await;
    println!(
        "\nOrders per second (2 events of 600 bytes, 3 holds, key, mark, timer): raw 1 is a script that"
    );
    println!("writes the same and checks the stock only\n");
    let ways = [
        Way::new("by hand", move |number| {
            let hand = hand.clone();
            async move {
                hand.place(numbered(number)).await;
                1
            }
        }),
        Way::new("RedisStore::commit", move |number| {
            let store = ours.clone();
            async move { store.commit(numbered(number).commit()).await.map(|_| 1).unwrap() }
        }),
    ];
    compare(server, &ways, 1, &[1, 16, 64], &[]).await;
}

/// Behind those that were compared.
fn numbered(number: u64) -> Order {
    Order::new(number + 100)
}

/// Fails unless both shops hold the same.
async fn same(server: &Server) {
    let mut connection = server.connection().await;
    for key in KEYS {
        let names = [SHOP, OTHER].map(|shop| format!("{{{shop}}}:{key}"));
        let mut command = redis::cmd("DEBUG");
        command.arg("DIGEST-VALUE").arg(&names);
        let digests: Vec<String> = command.query_async(&mut connection).await.unwrap();
        assert_eq!(digests[0], digests[1], "{key}");
        assert_ne!(digests[0], "0".repeat(40), "{key} is empty");
    }
    let kept: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
    assert_eq!(kept.len(), 2 * KEYS.len(), "{kept:?}");
}
