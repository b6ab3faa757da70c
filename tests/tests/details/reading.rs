//! Finding things by keys, their history, and what a debugger sees of them.

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::query::{ById, ByKey};
use commerce_core::app::reading::ReadError;
use commerce_core::catalog::SKU_SCOPE;
use commerce_core::kernel::personal::Personal;
use commerce_core::kernel::stream::{Position, Version};
use commerce_core::orders::NUMBER_SCOPE;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use pollster::block_on;
use std::sync::Arc;

fn shop() -> Shop {
    let clock = Clock::default();
    Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing())
}

#[test]
fn a_key_leads_to_what_has_it_and_to_nothing_of_another_kind() {
    block_on(async {
        let shop = shop();
        shop.list("MUG", "10.00", 5).await.unwrap();
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let number = || ByKey::<Order>::new(NUMBER_SCOPE, receipt.number.as_str());
        let (id, order) = shop.staff().query(number()).await.unwrap().unwrap();
        assert_eq!((id, order.status()), (receipt.order, OrderStatus::Confirmed));
        assert!(shop.buyer(1).query(number()).await.unwrap().is_some());
        assert!(matches!(shop.buyer(2).query(number()).await, Err(ReadError::Denied(_))));

        let product = shop.staff().query(ByKey::<Product>::new(SKU_SCOPE, "MUG")).await.unwrap();
        assert!(product.is_some());
        // The key of a product says nothing about orders.
        assert!(shop.staff().query(ByKey::<Order>::new(SKU_SCOPE, "MUG")).await.unwrap().is_none());
        assert!(shop.staff().query(ByKey::<Order>::new(NUMBER_SCOPE, "none")).await.unwrap().is_none());
    });
}

#[test]
fn a_history_tells_who_did_what_behind_a_version() {
    block_on(async {
        let shop = shop();
        shop.list("MUG", "10.00", 5).await.unwrap();
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let all = shop.staff().history::<commerce_core::carts::Cart>(cart, Version::NONE).await.unwrap();
        let names: Vec<_> = all.iter().map(|entry| entry.name.as_str()).collect();
        assert_eq!(names[..2], ["CartCreated", "CartLineAdded"]);
        let versions: Vec<_> = all.iter().map(|entry| entry.version.get()).collect();
        assert_eq!(versions, (1..=all.len() as u64).collect::<Vec<_>>());
        assert!(all.iter().all(|entry| entry.actor == Actor::User(Shop::customer(1))));
        assert!(all[1].data.to_string().contains("\"quantity\":1"), "{}", all[1].data);
        let behind = shop.staff().history::<commerce_core::carts::Cart>(cart, Version::new(1)).await.unwrap();
        assert_eq!(behind, all[1..]);
        let other: Id<_> = shop.commerce.new_id();
        let none = shop.staff().history::<commerce_core::carts::Cart>(other, Version::NONE).await.unwrap();
        assert_eq!(none, []);
        assert!(shop.staff().query(ById::<Order>(shop.commerce.new_id())).await.unwrap().is_none());
    });
}

#[test]
fn debugging_shows_what_happened_and_no_personal_data() {
    block_on(async {
        let shop = shop();
        shop.list("MUG", "10.00", 5).await.unwrap();
        shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let page = shop.staff().events_of::<commerce_core::carts::Cart>(Position::START, 100).await.unwrap();
        let one = format!("{:?}", page.events[0]);
        assert!(one.starts_with("LoggedEvent { id: ") && one.contains("event: Created"), "{one}");
        let all = format!("{page:?}");
        assert!(all.starts_with("EventPage { events: [LoggedEvent") && all.contains("end: false"), "{all}");
        assert!(!all.contains("example.com") && !one.contains("example.com"), "{all}");
        let commerce = format!("{:?}", shop.commerce);
        assert!(commerce.starts_with("Commerce {"), "{commerce}");
    });
    let email = Personal::new(Shop::subject(1), Email::new("anna@example.com").unwrap());
    assert!(!format!("{email:?}").contains("anna"), "{email:?}");
}
