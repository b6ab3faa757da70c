//! The same writes by a script that knows orders only.

use std::sync::Arc;

use commerce_adapters_redis::redis::Script;
use commerce_adapters_redis::redis::aio::ConnectionManager;
use commerce_benches::order::{AT, Order};
use commerce_core::kernel::mark::Fingerprint;

/// What an order touches, in the order in which the script counts it.
pub(crate) const KEYS: [&str; 13] = [
    "log",
    "counters",
    "heads",
    "at",
    "owners",
    "owner-names",
    "pools",
    "pool-names",
    "timers",
    "agenda",
    "timer-names",
    "marks",
    "mark-names",
];

/// Places orders of a shop.
#[derive(Clone)]
pub(crate) struct Hand {
    connection: ConnectionManager,
    script: Arc<Script>,
    keys: Arc<[String]>,
    hash: Arc<str>,
}

impl Hand {
    pub(crate) fn new(connection: ConnectionManager, shop: &str) -> Self {
        Self {
            connection,
            script: Arc::new(Script::new(include_str!("by_hand.lua"))),
            keys: KEYS.iter().map(|key| format!("{{{shop}}}:{key}")).collect(),
            hash: Fingerprint::of(1, b"order").hash.to_string().into(),
        }
    }

    pub(crate) async fn place(&self, order: Order) {
        let id = order.id(1);
        let (stream, key) =
            (format!("order:{id}"), format!("order-number/N-{}\0{}", order.number, "order-number".len()));
        let (due, mark) =
            (AT + 4_000_000_000_000_000, format!("command/{}\0{}", order.id(4), "command".len()));
        let mut call = self.script.prepare_invoke();
        for key in &*self.keys {
            call.key(key.as_str());
        }
        call.arg(stream).arg("order").arg(id.to_string()).arg(key).arg(format!("1{due:019}"));
        call.arg(mark).arg(&*self.hash);
        for pool in order.pools() {
            call.arg(pool);
        }
        for (part, name) in [(2, "OrderPlaced"), (3, "OrderConfirmed")] {
            call.arg(head(order, part, name)).arg(order.data());
        }
        let placed: u8 = call.invoke_async(&mut self.connection.clone()).await.unwrap();
        assert_eq!(placed, 1);
    }
}

/// What the store keeps of an event beside its data.
fn head(order: Order, part: u128, name: &str) -> String {
    let (id, correlation) = (order.id(part), order.id(1));
    format!(
        "{{\"id\":\"{id}\",\"name\":\"{name}\",\"schema\":1,\"at\":{AT},\"metadata\":{{\"correlation\":\
         \"{correlation}\",\"causation\":null,\"actor\":\"system\"}},\"personal\":[]}}"
    )
}
