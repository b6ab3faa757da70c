//! Runners: they sleep until something is due, and end when they are told to.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::query::ById;
use commerce_core::port::clock::Clock as _;
use commerce_core::prelude::*;
use commerce_testkit::fake::{Behaviour, Clock, Gateway, START};
use commerce_testkit::shop::Shop;
use pollster::block_on;

/// Ready when it was asked so often, or at this time.
async fn until(clock: Clock, time: Timestamp, polls: u32) -> bool {
    let asked = AtomicU32::new(0);
    poll_fn(|_| {
        if clock.now() >= time {
            return Poll::Ready(true);
        }
        if asked.fetch_add(1, Ordering::Relaxed) >= polls { Poll::Ready(false) } else { Poll::Pending }
    })
    .await
}

#[test]
fn timers_are_waited_for_and_handled_until_the_host_stops() {
    let clock = Clock::default();
    let store = MemoryStore::with_clock(Arc::new(clock.clone()));
    let shop = Shop::on(store, clock.clone(), Gateway::capturing());
    block_on(async {
        shop.list("MUG", "10.00", 5).await.unwrap();
        shop.gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let CheckoutStatus::ActionRequired { deadline, .. } = receipt.status else {
            panic!("{:?}", receipt.status)
        };
        let status =
            async || shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap().status();

        // A runner that is stopped at once has handled what was due, and waits for nothing.
        shop.commerce.run_timers(std::future::ready(())).await;
        assert_eq!((status().await, clock.now()), (OrderStatus::Pending, START));

        let end = deadline.plus(Duration::from_secs(3600));
        let in_time = Arc::new(AtomicU32::new(0));
        let stop = until(clock.clone(), end, 50_000);
        let seen = in_time.clone();
        shop.commerce
            .run_timers(async move {
                seen.store(u32::from(stop.await), Ordering::Relaxed);
            })
            .await;
        // Sleeping moves this clock: it was not asked for ever at the same time.
        assert_eq!(in_time.load(Ordering::Relaxed), 1, "the clock stands at {:?}", clock.now());
        assert_eq!(status().await, OrderStatus::Failed);
        assert_eq!(shop.level("MUG").await.unwrap().available, 5);
    });
}
