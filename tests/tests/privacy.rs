//! No personal data where it does not belong, and none at all once it is erased.
#![allow(clippy::unwrap_used)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::carts::Cart;
use commerce_core::kernel::event::RecordedEvent;
use commerce_core::kernel::stream::Position;
use commerce_core::port::store::LogQuery;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::shopping::registered;
use pollster::block_on;

/// What the fixtures say of a person.
const SECRETS: [&str; 5] = ["Erika", "Mustermann", "Heidestra", "51147", "buyer1@example.com"];

async fn log(shop: &Shop) -> Vec<Arc<RecordedEvent>> {
    shop.commerce.store().read_all(LogQuery::after(Position::START, 1000)).await.unwrap().events
}

fn stored(events: &[Arc<RecordedEvent>]) -> String {
    let values = events.iter().flat_map(|recorded| &recorded.event.personal);
    let values = values.filter_map(|value| value.value.as_deref());
    values.map(|value| String::from_utf8_lossy(value).into_owned()).collect()
}

fn shop() -> Shop {
    let clock = Clock::default();
    Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing())
}

#[test]
fn payloads_and_debug_hold_no_personal_data() {
    block_on(async {
        let shop = shop();
        shop.list("MUG", "12.50", 10).await.unwrap();
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let events = log(&shop).await;
        let order = shop.buyer(1).query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
        let cart = shop.buyer(1).query(ById::<Cart>(cart)).await.unwrap().unwrap();
        let payloads: String = events
            .iter()
            .map(|recorded| String::from_utf8_lossy(&recorded.event.data).into_owned())
            .collect();
        let printed = format!("{events:?} {order:?} {cart:?} {receipt:?} {shop:?}");
        for secret in SECRETS {
            assert!(!payloads.contains(secret), "a payload holds {secret}");
            assert!(!printed.contains(secret), "debug prints {secret}");
        }
        assert!(stored(&events).contains("buyer1@example.com"), "the value is stored beside its event");
    });
}

#[test]
fn erasing_a_customer_leaves_nothing_but_money_and_counts() {
    block_on(async {
        let shop = shop();
        shop.list("MUG", "12.50", 10).await.unwrap();
        let customer = registered(&shop, 1).await;
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let before = log(&shop).await.len();
        shop.buyer(1).erase_customer(customer).await.unwrap();
        let events = log(&shop).await;
        assert_eq!(events.len(), before + 1);
        for secret in SECRETS {
            assert!(!stored(&events).contains(secret), "{secret} is still there");
        }
        let order = shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
        assert_eq!(order.total(), receipt.total);
        assert!(order.content().email.as_ref().unwrap().get().is_none());
    });
}
