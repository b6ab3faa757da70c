//! Operations at the points where it is easy to do too much or too little.

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::query::{ById, ByKey};
use commerce_core::app::shopfront::{category_tree_id, default_category};
use commerce_core::app::stock_watch::StockWatch;
use commerce_core::carts::Cart;
use commerce_core::catalog::{CategoryTree, SKU_SCOPE};
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::payment_of;
use commerce_core::inventory::{StockItem, stock_item_id};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::kernel::timer::TimerKey;
use commerce_core::payments::{Payment, PaymentStatus};
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, GatewayRef, IdempotencyKey, Lookup,
    Operation, PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::prelude::*;
use commerce_core::shipping::{Shipment, Status as ShipmentStatus};
use commerce_core::value::Reason;
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;
use commerce_tests::refusing::Refusing;
use pollster::block_on;

fn shop(gateway: Gateway) -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, gateway);
    block_on(shop.list("MUG", "10.00", 10)).unwrap();
    shop
}

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

async fn bought(shop: &Shop, units: u32) -> CheckoutReceipt {
    let cart = shop.cart(1, &[("MUG", units)]).await.unwrap();
    shop.buy(1, cart).await.unwrap()
}

fn parcel(receipt: &CheckoutReceipt) -> ShipmentId {
    shipment_of(receipt.checkout, SettingsValues::default().locations[0])
}

async fn shipment(shop: &Shop, id: ShipmentId) -> ShipmentStatus {
    shop.staff().query(ById::<Shipment>(id)).await.unwrap().unwrap().status()
}

#[test]
fn a_parcel_that_was_given_up_says_so() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let id = parcel(&bought(&shop, 2).await);
        assert!(!shipment(&shop, id).await.is_terminal());
        shop.staff().cancel_shipment(id, reason()).await.unwrap();
        assert_eq!(shipment(&shop, id).await, ShipmentStatus::Cancelled);
        assert!(shipment(&shop, id).await.is_terminal());
        assert!(shop.staff().mark_ready(id).await.is_err());
    });
}

/// Goods of which no stock is kept are sent all the same, and take nothing from any pool.
#[test]
fn goods_without_stock_are_sent() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let key = ByKey::<Product>::new(SKU_SCOPE, "MUG");
        let (product, known) = shop.staff().query(key).await.unwrap().unwrap();
        let mut details = known.details().clone();
        details.tracked = false;
        let update = ProductCommand::Update { slug: known.slug().clone(), details: Box::new(details) };
        shop.staff().execute(product, update).await.unwrap();
        let receipt = bought(&shop, 2).await;
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(shop.level("MUG").await.unwrap().available, 10);
        shop.staff().mark_ready(parcel(&receipt)).await.unwrap();
        shop.staff().dispatch(parcel(&receipt), None).await.unwrap();
        assert!(shipment(&shop, parcel(&receipt)).await.is_on_the_way());
        let level = shop.level("MUG").await.unwrap();
        assert_eq!((level.available, level.held, level.allocated), (10, 0, 0));
    });
}

#[test]
fn listing_makes_the_default_category_once() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        shop.list("PEN", "1.00", 1).await.unwrap();
        let tree = category_tree_id();
        let known = shop.staff().query(ById::<CategoryTree>(tree)).await.unwrap().unwrap();
        assert!(known.categories().contains_key(&default_category()));
        let history = shop.staff().history::<CategoryTree>(tree, Version::NONE).await.unwrap();
        assert_eq!(history.len(), 1);
    });
}

#[test]
fn a_call_that_did_nothing_is_made_again_at_once() {
    block_on(async {
        let gateway = Gateway::capturing();
        let shop = shop(gateway.clone());
        gateway.script([Behaviour::FailBefore, Behaviour::FailBefore]);
        let receipt = bought(&shop, 1).await;
        assert_eq!((receipt.status, gateway.calls()), (CheckoutStatus::Confirmed, 3));
        // Three times nothing is an answer too: there is no charge, and the checkout has failed.
        gateway.script(vec![Behaviour::FailBefore; 3]);
        let receipt = bought(&shop, 1).await;
        assert!(matches!(receipt.status, CheckoutStatus::Failed { .. }), "{:?}", receipt.status);
        assert_eq!(gateway.calls(), 6);
        assert_eq!(shop.level("MUG").await.unwrap().available, 9);
    });
}

#[test]
fn a_capture_that_did_nothing_is_looked_at_again() {
    block_on(async {
        let gateway = Gateway::approving();
        let shop = shop(gateway.clone());
        gateway.script([
            Behaviour::Approve,
            Behaviour::FailBefore,
            Behaviour::FailBefore,
            Behaviour::FailBefore,
        ]);
        let receipt = bought(&shop, 1).await;
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        let payment = async || {
            let id = payment_of(receipt.checkout);
            shop.staff().query(ById::<Payment>(id)).await.unwrap().unwrap().status()
        };
        assert_ne!(payment().await, PaymentStatus::Captured);
        // Nobody cancels while it is open whether the money was taken.
        shop.settle().await.unwrap();
        assert_eq!(payment().await, PaymentStatus::Captured);
        assert_eq!(gateway.ledger().kept(receipt.order), 1000);
    });
}

#[test]
fn a_buyer_is_not_given_up_while_the_bank_works_on_it() {
    block_on(async {
        let gateway = Gateway::capturing();
        let shop = shop(gateway.clone());
        gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
        let receipt = bought(&shop, 1).await;
        let CheckoutStatus::ActionRequired { deadline, .. } = receipt.status else {
            panic!("{:?}", receipt.status)
        };
        // The bank has the buyer's word and works on it; the message that says so does not arrive.
        let payment = payment_of(receipt.checkout);
        gateway.decide(payment, commerce_core::port::payment::ChargeState::Processing).unwrap();
        shop.clock.set(deadline);
        shop.commerce.run_due().await.unwrap();
        let order = shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
        assert_eq!(order.status(), OrderStatus::Pending, "the bank may still say yes");
        gateway.decide(payment, commerce_core::port::payment::ChargeState::Captured).unwrap();
        shop.settle().await.unwrap();
        assert_eq!(gateway.ledger().reserved(receipt.order), 0);
        let order = shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
        let kept = gateway.ledger().kept(receipt.order);
        assert_eq!(kept, if order.status() == OrderStatus::Confirmed { 1000 } else { 0 });
    });
}

#[test]
fn stock_watchers_count_what_reservations_take() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let item = stock_item_id(&Sku::new("MUG").unwrap(), SettingsValues::default().locations[0]);
        bought(&shop, 4).await;
        let mut watch = StockWatch::default();
        while !shop.staff().watch_stock(&mut watch).await.unwrap().end {}
        let history = shop.staff().history::<StockItem>(item, Version::NONE).await.unwrap();
        let told = history.iter().rfind(|entry| entry.name == "StockLevelChanged").unwrap();
        assert!(told.data.to_string().contains("\"available\":6"), "{}", told.data);
        assert!(watch_again(&shop).await, "nothing is news twice");
    });
}

/// A watch that reads everything from the start finds nothing to tell.
async fn watch_again(shop: &Shop) -> bool {
    let before =
        shop.commerce.store().read_all(commerce_core::port::store::LogQuery::after(Position::START, 1000));
    let before = before.await.unwrap().events.len();
    let mut watch = StockWatch::default();
    while !shop.staff().watch_stock(&mut watch).await.unwrap().end {}
    let after =
        shop.commerce.store().read_all(commerce_core::port::store::LogQuery::after(Position::START, 1000));
    after.await.unwrap().events.len() == before
}

#[test]
fn a_timer_whose_lease_was_lost_is_no_failure() {
    block_on(async {
        for (lost, failed) in [(true, 0), (false, 1)] {
            let clock = Clock::default();
            let refusal = move || {
                let stream = StreamId::new("checkout", uuid::Uuid::from_u128(1));
                if lost {
                    CommitError::LeaseLost(TimerKey { stream, name: "resume".into() })
                } else {
                    CommitError::Malformed("a test")
                }
            };
            let store = MemoryStore::with_clock(Arc::new(clock.clone()));
            let store = Refusing::on(store, "checkout", refusal);
            let shop = Shop::on(store.clone(), clock, Gateway::capturing());
            shop.list("MUG", "10.00", 10).await.unwrap();
            shop.gateway.script([Behaviour::Redirect("https://bank.example/confirm")]);
            let receipt = bought(&shop, 1).await;
            let CheckoutStatus::ActionRequired { deadline, .. } = receipt.status else { panic!() };
            shop.clock.set(deadline.plus(Duration::from_secs(1)));
            store.next(50);
            let round = shop.commerce.run_due().await.unwrap();
            assert_eq!(round.failed, failed, "lost: {lost}, {round:?}");
            assert!(round.handled + round.failed >= 1 && store.refused() > 0);
        }
    });
}

#[test]
fn a_cart_knows_who_it_belongs_to_and_where_the_invoice_goes() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let buyer = shop.buyer(1);
        let known = async || buyer.query(ById::<Cart>(cart)).await.unwrap().unwrap();
        assert!(known().await.billing_address().is_none());
        let address = known().await.shipping_address().unwrap().get().unwrap().clone();
        buyer.execute(cart, CartCommand::SetBillingAddress { address: address.clone() }).await.unwrap();
        assert_eq!(known().await.billing_address().and_then(|kept| kept.get().cloned()), Some(address));
        let customer = Shop::customer(1);
        shop.commerce
            .acting_as(Actor::System)
            .execute(cart, CartCommand::Identify { customer })
            .await
            .unwrap();
        assert_eq!(known().await.customer(), Some(customer));
    });
}

#[test]
fn a_parcel_says_where_it_can_be_followed() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let id = parcel(&bought(&shop, 1).await);
        let code = |text| commerce_core::value::Code::new(text).unwrap();
        let tracking = commerce_core::shipping::Tracking { carrier: code("dhl"), number: code("123") };
        let known = async || shop.staff().query(ById::<Shipment>(id)).await.unwrap().unwrap();
        assert_eq!(known().await.tracking(), None);
        shop.staff().mark_ready(id).await.unwrap();
        shop.staff().dispatch(id, Some(tracking.clone())).await.unwrap();
        assert_eq!(known().await.tracking(), Some(&tracking));
    });
}

#[test]
fn blocking_twice_is_blocking_once() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let receipt = bought(&shop, 1).await;
        let staff = shop.staff();
        let block = || OrderCommand::Block { reason: reason() };
        assert_eq!(staff.execute(receipt.order, OrderCommand::Unblock).await.unwrap().events.len(), 0);
        assert_eq!(staff.execute(receipt.order, block()).await.unwrap().events.len(), 1);
        assert_eq!(staff.execute(receipt.order, block()).await.unwrap().events.len(), 0);
        assert_eq!(staff.execute(receipt.order, OrderCommand::Unblock).await.unwrap().events.len(), 1);
        assert_eq!(staff.execute(receipt.order, OrderCommand::Unblock).await.unwrap().events.len(), 0);
    });
}

#[test]
fn an_order_is_cancelled_once_it_is_known_whether_its_money_was_taken() {
    block_on(async {
        let gateway = Gateway::approving();
        let shop = shop(gateway.clone());
        // The capture is made, and its answer is lost.
        gateway.script([Behaviour::Approve, Behaviour::LoseAnswer]);
        let receipt = bought(&shop, 1).await;
        assert_eq!(receipt.status, CheckoutStatus::Confirmed);
        assert_eq!(gateway.ledger().kept(receipt.order), 1000);
        shop.staff().cancel_order(receipt.order, reason()).await.unwrap();
        shop.settle().await.unwrap();
        assert_eq!(gateway.ledger().kept(receipt.order), 0);
        assert_eq!(shop.level("MUG").await.unwrap().available, 10);
    });
}

/// A gateway that answers every authorisation with one and the same charge.
#[derive(Debug, Clone)]
struct OneCharge(Gateway);

#[async_trait::async_trait]
impl PaymentGateway for OneCharge {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let charge = self.0.authorize(request).await?;
        Ok(Charge { reference: GatewayRef("the-same".into()), ..charge })
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.0.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.0.void(request).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.0.refund(request).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.0.lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.0.verify(request)
    }
}

#[test]
fn a_charge_that_is_known_as_anothers_is_looked_at_by_people() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let gateway = Arc::new(OneCharge(fake.clone()));
        let shop = Shop::on_gateway(store, clock, fake, (gateway, 1));
        shop.list("MUG", "10.00", 10).await.unwrap();
        assert_eq!(bought(&shop, 1).await.status, CheckoutStatus::Confirmed);
        let second = bought(&shop, 1).await;
        assert_eq!(second.status, CheckoutStatus::UnderReview);
        let order = shop.staff().query(ById::<Order>(second.order)).await.unwrap().unwrap();
        assert_eq!(order.status(), OrderStatus::Pending);
    });
}
