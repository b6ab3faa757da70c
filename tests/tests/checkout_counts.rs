//! How often a checkout asks its store: the budget of loads and commits, whatever is bought.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::{CheckoutReceipt, CheckoutRequest, CheckoutStatus};
use commerce_core::value::id::CartId;
use commerce_testkit::fake::{Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::counting::{Counting, Counts};
use commerce_tests::shopping::Coupon;
use pollster::block_on;

struct Counted {
    shop: Shop,
    store: Counting,
}

fn counted(gateway: Gateway) -> Counted {
    let clock = Clock::default();
    let store = Counting::on(MemoryStore::with_clock(Arc::new(clock.clone())));
    Counted { shop: Shop::on(store.clone(), clock, gateway), store }
}

impl Counted {
    /// A process that has seen nothing.
    fn restart(&self) -> Self {
        let (store, clock) = (Arc::new(self.store.clone()), self.shop.clock.clone());
        let shop = Shop::on_shared(store, clock, self.shop.gateway.clone(), 2);
        Self { shop, store: self.store.clone() }
    }

    async fn cart(&self, lines: usize, coupon: Option<Coupon>) -> CartId {
        let skus: Vec<String> = (0..lines).map(|number| format!("SKU-{number}")).collect();
        for sku in &skus {
            self.shop.list(sku, "3.00", 5).await.unwrap();
        }
        let wanted: Vec<_> = skus.iter().map(|sku| (sku.as_str(), 1)).collect();
        let cart = self.shop.cart(1, &wanted).await.unwrap();
        if let Some(coupon) = coupon {
            coupon.activate(&self.shop).await;
            coupon.apply(&self.shop, 1, cart).await;
        }
        cart
    }

    async fn checkout(&self, cart: CartId, cents: i64) -> (CheckoutReceipt, Counts) {
        self.store.take();
        let request = CheckoutRequest::new(cart, Shop::euros(cents));
        let receipt = self.shop.buyer(1).checkout(request).await.unwrap();
        (receipt, self.store.take())
    }
}

#[test]
fn capture_with_the_authorisation_is_two_commits_whatever_the_number_of_lines() {
    block_on(async {
        let mut seen = Vec::new();
        for lines in [1, 200] {
            let counted = counted(Gateway::capturing());
            let cart = counted.cart(lines, None).await;
            let (receipt, counts) = counted.checkout(cart, 300 * i64::try_from(lines).unwrap()).await;
            assert_eq!(receipt.status, CheckoutStatus::Confirmed);
            seen.push(counts);
        }
        assert_eq!(seen[0], Counts { loads_before: 2, loads: 2, commits: 2, leased: 0, others: 0 });
        assert_eq!(seen[1], seen[0]);
    });
}

#[test]
fn a_capture_of_its_own_is_one_commit_more() {
    block_on(async {
        let counted = counted(Gateway::approving());
        let cart = counted.cart(1, None).await;
        let (receipt, counts) = counted.checkout(cart, 300).await;
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 3, leased: 0, others: 0 });
    });
}

#[test]
fn a_declined_checkout_is_two_commits() {
    block_on(async {
        let counted = counted(Gateway::declining("no"));
        let cart = counted.cart(1, None).await;
        let (receipt, counts) = counted.checkout(cart, 300).await;
        assert!(matches!(receipt.status, CheckoutStatus::Failed { .. }));
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 2, leased: 0, others: 0 });
    });
}

#[test]
fn a_cart_that_costs_nothing_is_one_commit() {
    block_on(async {
        let counted = counted(Gateway::capturing());
        let gift = Coupon { percent: "100", ..Coupon::new("GIFT") };
        let cart = counted.cart(1, Some(gift)).await;
        let (receipt, counts) = counted.checkout(cart, 0).await;
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(counted.shop.gateway.calls(), 0);
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 1, leased: 0, others: 0 });
    });
}

#[test]
fn a_code_costs_a_load_only_where_this_process_never_met_it() {
    block_on(async {
        let warm = counted(Gateway::capturing());
        let cart = warm.cart(1, Some(Coupon { uses: Some(3), ..Coupon::new("TENTH") })).await;
        let (_, counts) = warm.checkout(cart, 270).await;
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 2, leased: 0, others: 0 });

        let warm = counted(Gateway::capturing());
        let cart = warm.cart(1, Some(Coupon { uses: Some(3), ..Coupon::new("TENTH") })).await;
        let cold = warm.restart();
        let second = warm.shop.cart(1, &[("SKU-0", 1)]).await.unwrap();
        Coupon { uses: Some(3), ..Coupon::new("TENTH") }.apply(&warm.shop, 1, second).await;
        let (_, counts) = cold.checkout(cart, 270).await;
        assert_eq!(counts, Counts { loads_before: 3, loads: 3, commits: 2, leased: 0, others: 0 });
        let (_, counts) = cold.checkout(second, 270).await;
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 2, leased: 0, others: 0 });
    });
}

#[test]
fn a_cold_cache_costs_no_load() {
    block_on(async {
        let counted = counted(Gateway::capturing());
        let cart = counted.cart(3, None).await;
        let (_, counts) = counted.restart().checkout(cart, 900).await;
        assert_eq!(counts, Counts { loads_before: 2, loads: 2, commits: 2, leased: 0, others: 0 });
    });
}
