//! Whole stories behind the checkout, judged by the store and the fake gateway's ledger.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::{CheckoutReceipt, CheckoutStatus};
use commerce_core::app::operations::OperationError;
use commerce_core::app::operations::returns::ReturnUnits;
use commerce_core::app::query::ById;
use commerce_core::app::shopfront::Listing;
use commerce_core::carts::CartCommand;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::payment_of;
use commerce_core::identity::Denied;
use commerce_core::kernel::commit::Load;
use commerce_core::orders::{Order, OrderCommand, OrderError, OrderPaymentStatus, OrderStatus};
use commerce_core::payments::{PaymentError, RefundStatus};
use commerce_core::port::payment::ChargeState;
use commerce_core::promotions::{Promotion, PromotionCommand, uses_pool};
use commerce_core::returns::{
    ApprovedLine, CountedLine, InspectedLine, Resolution, Return, ReturnError, Status as ReturnStatus,
};
use commerce_core::settings::{CapturePolicy, SettingsValues};
use commerce_core::shipping::{CarrierStatus, Shipment, ShipmentError, Status, Tracking};
use commerce_core::value::id::{PromotionId, RefundId, ReturnId, ShipmentId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Benefit, Code, Currency, Name, Phase, Price, PromotionCode, PromotionRule, Quantity, Rate, Reason, Sku,
};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::{Behaviour, Clock, Gateway};
use commerce_testkit::shop::Shop;
use pollster::block_on;
use uuid::Uuid;

fn reason() -> Reason {
    Reason::new("a test").unwrap()
}

fn tracking(number: &str) -> Tracking {
    Tracking { carrier: Code::new("dhl").unwrap(), number: Code::new(number).unwrap() }
}

fn refund_id(number: u8) -> RefundId {
    RefundId::derived(Uuid::nil(), &[number])
}

fn shop(gateway: Gateway) -> Shop {
    let clock = Clock::default();
    let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, gateway);
    block_on(shop.list("MUG", "12.50", 10)).unwrap();
    shop
}

async fn bought(shop: &Shop, units: u32) -> (CheckoutReceipt, ShipmentId) {
    let cart = shop.cart(1, &[("MUG", units)]).await.unwrap();
    let receipt = shop.buy(1, cart).await.unwrap();
    assert_eq!(receipt.status, CheckoutStatus::Confirmed);
    let location = SettingsValues::default().locations[0];
    let shipment = shipment_of(receipt.checkout, location);
    (receipt, shipment)
}

async fn order(shop: &Shop, receipt: &CheckoutReceipt) -> Arc<Order> {
    shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap()
}

async fn parcel(shop: &Shop, shipment: ShipmentId) -> Arc<Shipment> {
    shop.staff().query(ById::<Shipment>(shipment)).await.unwrap().unwrap()
}

async fn levels(shop: &Shop) -> (i64, i64, i64) {
    let level = shop.level("MUG").await.unwrap();
    (level.available, level.held, level.allocated)
}

async fn check(shop: &Shop) {
    let findings = Findings::of(shop).await.unwrap();
    assert!(findings.hold(), "{:#?}", findings.lines().collect::<Vec<_>>());
}

async fn delivered(shop: &Shop, shipment: ShipmentId) -> Result<(), OperationError> {
    let at = Timestamp::UNIX_EPOCH;
    shop.staff().record_tracking(shipment, CarrierStatus::Delivered, at, 3).await
}

#[test]
fn an_order_is_bought_sent_delivered_and_completed() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 2).await;
        assert_eq!(levels(&shop).await, (8, 0, 2));
        let staff = shop.staff();
        let early = staff.dispatch(shipment, Some(tracking("1"))).await;
        assert!(matches!(early, Err(OperationError::Shipment(ShipmentError::IllegalTransition { .. }))));
        for _ in 0..2 {
            staff.mark_ready(shipment).await.unwrap();
        }
        // Handed over twice, it leaves once; under another number it was handed over otherwise.
        for _ in 0..2 {
            staff.dispatch(shipment, Some(tracking("1"))).await.unwrap();
            assert_eq!(levels(&shop).await, (8, 0, 0));
        }
        let other = staff.dispatch(shipment, Some(tracking("2"))).await;
        assert_eq!(other, Err(ShipmentError::DispatchedOtherwise.into()));
        assert_eq!(order(&shop, &receipt).await.status(), OrderStatus::Confirmed);
        for _ in 0..2 {
            delivered(&shop, shipment).await.unwrap();
        }
        let order = order(&shop, &receipt).await;
        assert_eq!(order.status(), OrderStatus::Completed);
        let (_, ledger) = order.lines().next().unwrap();
        assert_eq!((ledger.shipped, ledger.delivered), (2, 2));
        assert_eq!(levels(&shop).await, (8, 0, 0));
        check(&shop).await;
    });
}

#[test]
fn a_command_id_dispatches_once() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (_, shipment) = bought(&shop, 2).await;
        let staff = shop.staff().with_command_id(shop.commerce.new_id());
        shop.staff().mark_ready(shipment).await.unwrap();
        staff.dispatch(shipment, Some(tracking("1"))).await.unwrap();
        staff.dispatch(shipment, Some(tracking("1"))).await.unwrap();
        let reused = staff.dispatch(shipment, Some(tracking("2"))).await;
        assert!(matches!(reused, Err(OperationError::Commit(_))), "{reused:?}");
        assert_eq!(levels(&shop).await, (8, 0, 0));
        check(&shop).await;
    });
}

#[test]
fn money_is_taken_when_the_goods_leave() {
    block_on(async {
        let shop = shop(Gateway::approving());
        shop.settings(|values| values.capture = CapturePolicy::OnShip).await;
        let (receipt, shipment) = bought(&shop, 2).await;
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        assert_eq!(shop.gateway.ledger().reserved(receipt.order), 2500);
        check(&shop).await;
        shop.staff().mark_ready(shipment).await.unwrap();
        // The answer is lost; the timer looks it up.
        shop.gateway.script([Behaviour::LoseAnswer]);
        for _ in 0..2 {
            shop.staff().dispatch(shipment, None).await.unwrap();
        }
        delivered(&shop, shipment).await.unwrap();
        assert_eq!(order(&shop, &receipt).await.status(), OrderStatus::Confirmed);
        shop.clock.advance(Duration::from_secs(60));
        shop.commerce.run_due().await.unwrap();
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        let order = order(&shop, &receipt).await;
        assert_eq!(order.payment_status(), OrderPaymentStatus::Paid);
        assert_eq!(order.status(), OrderStatus::Completed);
        check(&shop).await;
    });
}

#[test]
fn a_blocked_order_is_not_sent() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 2).await;
        let staff = shop.staff();
        staff.execute(receipt.order, OrderCommand::Block { reason: reason() }).await.unwrap();
        assert_eq!(staff.mark_ready(shipment).await, Err(OrderError::Blocked.into()));
        staff.execute(receipt.order, OrderCommand::Unblock).await.unwrap();
        staff.mark_ready(shipment).await.unwrap();
        staff.execute(receipt.order, OrderCommand::Block { reason: reason() }).await.unwrap();
        assert_eq!(staff.dispatch(shipment, None).await, Err(OrderError::Blocked.into()));
        assert_eq!(parcel(&shop, shipment).await.status(), Status::ReadyToShip);
        assert_eq!(levels(&shop).await, (8, 0, 2));
        check(&shop).await;
        // It can be given up all the same.
        staff.cancel_order(receipt.order, reason()).await.unwrap();
        assert_eq!(levels(&shop).await, (10, 0, 0));
        check(&shop).await;
    });
}

#[test]
fn only_staff_sends_and_refunds() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 2).await;
        let buyer = shop.buyer(1);
        let denied = buyer.mark_ready(shipment).await;
        assert!(matches!(denied, Err(OperationError::Denied(Denied::Permission { .. }))));
        let payment = payment_of(receipt.checkout);
        let denied = buyer.refund(payment, refund_id(1), Shop::euros(1), reason()).await;
        assert!(matches!(denied, Err(OperationError::Denied(Denied::Permission { .. }))));
        let denied = shop.buyer(2).cancel_order(receipt.order, reason()).await;
        assert!(matches!(denied, Err(OperationError::Denied(Denied::NotOwner { .. }))));
    });
}

async fn coupon(shop: &Shop) -> PromotionId {
    let id = PromotionId::derived(Uuid::nil(), b"ten percent");
    let benefit = Benefit::Percent(Rate::parse("10").unwrap());
    let rule = PromotionRule {
        code: Some(PromotionCode::new("SAVE").unwrap()),
        ..PromotionRule::new(id, Phase::Order, benefit)
    };
    let create = PromotionCommand::Create {
        rule,
        usage_limit: Some(1),
        per_customer_limit: None,
        budget: None,
        returns_usage: true,
    };
    let promotion = shop.staff().execute::<PromotionCommand>(id, create).await.unwrap();
    assert!(!promotion.events.is_empty());
    shop.staff().execute::<PromotionCommand>(id, PromotionCommand::Activate).await.unwrap();
    assert!(shop.staff().query(ById::<Promotion>(id)).await.unwrap().is_some());
    id
}

#[test]
fn orders_6_cancelling_gives_stock_coupon_and_money_back_once() {
    for gateway in [Gateway::capturing, Gateway::approving] {
        for on_ship in [false, true] {
            let shop = shop(gateway());
            block_on(cancelled(&shop, on_ship));
        }
    }
}

async fn cancelled(shop: &Shop, on_ship: bool) {
    if on_ship {
        shop.settings(|values| values.capture = CapturePolicy::OnShip).await;
    }
    let promotion = coupon(shop).await;
    let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
    let code = PromotionCode::new("SAVE").unwrap();
    shop.buyer(1).execute(cart, CartCommand::ApplyCode { code }).await.unwrap();
    let receipt = shop.buy(1, cart).await.unwrap();
    assert_eq!(receipt.total, Shop::euros(2250));
    let left = || async {
        let load = Load { pools: vec![uses_pool(promotion)], ..Load::default() };
        shop.commerce.store().load(load).await.unwrap().pools[0].available
    };
    assert_eq!(left().await, 0);
    for _ in 0..3 {
        shop.buyer(1).cancel_order(receipt.order, reason()).await.unwrap();
        assert_eq!(left().await, 1);
        assert_eq!(levels(shop).await, (10, 0, 0));
        let ledger = shop.gateway.ledger();
        assert_eq!((ledger.kept(receipt.order), ledger.reserved(receipt.order)), (0, 0));
    }
    shop.clock.advance(Duration::from_secs(3600));
    shop.commerce.run_due().await.unwrap();
    let order = order(shop, &receipt).await;
    assert_eq!(order.status(), OrderStatus::Cancelled);
    let shipment = shipment_of(receipt.checkout, SettingsValues::default().locations[0]);
    assert_eq!(parcel(shop, shipment).await.status(), Status::Cancelled);
    assert!(shop.staff().mark_ready(shipment).await.is_err());
    check(shop).await;
}

#[test]
fn a_refund_of_a_cancelled_order_survives_a_lost_answer() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, _) = bought(&shop, 2).await;
        shop.gateway.script([Behaviour::LoseAnswer]);
        for _ in 0..2 {
            shop.staff().cancel_order(receipt.order, reason()).await.unwrap();
        }
        shop.clock.advance(Duration::from_secs(60));
        shop.commerce.run_due().await.unwrap();
        let refunded: Vec<_> = shop.gateway.ledger().accounts().map(|account| account.refunded).collect();
        assert_eq!(refunded, [2500]);
        assert_eq!(order(&shop, &receipt).await.payment_status(), OrderPaymentStatus::Refunded);
        check(&shop).await;
    });
}

#[test]
fn cancelling_behind_the_first_parcel_is_refused() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 2).await;
        shop.staff().mark_ready(shipment).await.unwrap();
        shop.staff().dispatch(shipment, None).await.unwrap();
        let refused = shop.buyer(1).cancel_order(receipt.order, reason()).await;
        assert_eq!(refused, Err(OrderError::AlreadyShipped.into()));
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        check(&shop).await;
    });
}

#[test]
fn cancelling_a_pending_order_frees_everything_at_once() {
    block_on(async {
        let shop = shop(Gateway::redirecting("https://bank.example/3ds"));
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(levels(&shop).await, (8, 2, 0));
        for _ in 0..2 {
            shop.buyer(1).cancel_order(receipt.order, reason()).await.unwrap();
        }
        assert_eq!(levels(&shop).await, (10, 0, 0));
        check(&shop).await;
        // Money that arrives behind the end goes back, and the cart can be bought again.
        let message = shop.gateway.decide(payment_of(receipt.checkout), ChargeState::Captured).unwrap();
        shop.commerce.payment_callback("fake", message.headers, message.body).await.unwrap();
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        shop.gateway.script([Behaviour::Capture]);
        let second = shop.buy(1, cart).await.unwrap();
        assert_eq!(second.status, CheckoutStatus::Confirmed);
        check(&shop).await;
    });
}

#[test]
fn an_order_is_not_cancelled_blind_while_the_charge_is_unknown() {
    block_on(async {
        let shop = shop(Gateway::times_out_after_charging());
        let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        assert_eq!(receipt.status, CheckoutStatus::Pending);
        shop.buyer(1).cancel_order(receipt.order, reason()).await.unwrap();
        for _ in 0..4 {
            shop.clock.advance(Duration::from_secs(60));
            shop.commerce.run_due().await.unwrap();
        }
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 0);
        assert_eq!(levels(&shop).await, (10, 0, 0));
        check(&shop).await;
    });
}

#[test]
fn three_thirds_are_the_whole_and_no_more_is_paid_back() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, _) = bought(&shop, 3).await;
        let (staff, payment) = (shop.staff(), payment_of(receipt.checkout));
        let over = staff.refund(payment, refund_id(9), Shop::euros(3751), reason()).await;
        assert!(matches!(over, Err(OperationError::Payment(PaymentError::OverRefund { .. }))));
        for third in 1..=3_u8 {
            for _ in 0..2 {
                let done = staff.refund(payment, refund_id(third), Shop::euros(1250), reason()).await;
                assert_eq!(done, Ok(RefundStatus::Succeeded));
            }
            assert_eq!(shop.gateway.ledger().kept(receipt.order), 3750 - 1250 * i64::from(third));
            check(&shop).await;
        }
        let over = staff.refund(payment, refund_id(4), Shop::euros(1), reason()).await;
        assert!(matches!(over, Err(OperationError::Payment(PaymentError::OverRefund { .. }))));
        let reused = staff.refund(payment, refund_id(1), Shop::euros(1), reason()).await;
        assert_eq!(reused, Err(PaymentError::RefundReused.into()));
        assert_eq!(order(&shop, &receipt).await.payment_status(), OrderPaymentStatus::Refunded);
    });
}

#[test]
fn a_lost_refund_answer_never_pays_back_twice() {
    for behaviour in [Behaviour::LoseAnswer, Behaviour::LoseRequest, Behaviour::FailBefore] {
        block_on(async {
            let shop = shop(Gateway::capturing());
            let (receipt, _) = bought(&shop, 2).await;
            let (staff, payment) = (shop.staff(), payment_of(receipt.checkout));
            shop.gateway.script(vec![behaviour; 3]);
            let lost = staff.refund(payment, refund_id(1), Shop::euros(1000), reason()).await;
            assert_eq!(lost, Ok(RefundStatus::Pending));
            for _ in 0..4 {
                shop.clock.advance(Duration::from_secs(60));
                shop.commerce.run_due().await.unwrap();
            }
            let again = staff.refund(payment, refund_id(1), Shop::euros(1000), reason()).await;
            assert_eq!(again, Ok(RefundStatus::Succeeded));
            assert_eq!(shop.gateway.ledger().kept(receipt.order), 1500);
            check(&shop).await;
        });
    }
}

#[test]
fn a_refused_refund_can_be_asked_for_anew() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, _) = bought(&shop, 2).await;
        let (staff, payment) = (shop.staff(), payment_of(receipt.checkout));
        shop.gateway.script([Behaviour::Decline("closed")]);
        let refused = staff.refund(payment, refund_id(1), Shop::euros(2500), reason()).await;
        assert_eq!(refused, Ok(RefundStatus::Failed));
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 2500);
        let done = staff.refund(payment, refund_id(2), Shop::euros(2500), reason()).await;
        assert_eq!(done, Ok(RefundStatus::Succeeded));
        check(&shop).await;
    });
}

#[test]
fn goods_come_back_to_stock_and_are_paid_for_once() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 3).await;
        let (staff, buyer) = (shop.staff(), shop.buyer(1));
        staff.mark_ready(shipment).await.unwrap();
        staff.dispatch(shipment, None).await.unwrap();
        let line = order(&shop, &receipt).await.lines().next().unwrap().0.id;
        let units =
            |count| vec![ReturnUnits { line, quantity: Quantity::new(count).unwrap(), reason: reason() }];
        let id = ReturnId::derived(Uuid::nil(), b"return");
        let early = buyer.request_return(id, receipt.order, units(2)).await;
        assert!(matches!(early, Err(OperationError::Return(ReturnError::NotThatMany { possible: 0, .. }))));
        delivered(&shop, shipment).await.unwrap();
        let other = shop.buyer(2).request_return(id, receipt.order, units(2)).await;
        assert!(matches!(other, Err(OperationError::Denied(_))));
        for _ in 0..2 {
            buyer.request_return(id, receipt.order, units(2)).await.unwrap();
        }
        let second =
            buyer.request_return(ReturnId::derived(Uuid::nil(), b"2"), receipt.order, units(2)).await;
        assert!(matches!(second, Err(OperationError::Return(ReturnError::NotThatMany { possible: 1, .. }))));
        let (number, until) =
            (Code::new("rma-1").unwrap(), shop.commerce.now().plus(Duration::from_secs(3600)));
        let allowed = vec![ApprovedLine { line, quantity: Quantity::new(2).unwrap() }];
        staff.approve_return(id, number, allowed, until).await.unwrap();
        let once = staff.with_command_id(shop.commerce.new_id());
        for _ in 0..2 {
            once.receive_return(id, vec![CountedLine { line, received: 2, wrong: 0 }], true).await.unwrap();
        }
        let location = SettingsValues::default().locations[0];
        let found = vec![InspectedLine { line, restocked: 1, damaged: 1, rejected: 0 }];
        staff.inspect_return(id, location, found.clone()).await.unwrap();
        assert!(staff.inspect_return(id, location, found).await.is_err());
        assert_eq!(levels(&shop).await, (8, 0, 0));
        let resolution = Resolution::Refund { amount: Shop::euros(2500) };
        for _ in 0..2 {
            let paid = staff.resolve_return(id, resolution.clone()).await;
            assert_eq!(paid, Ok(Some(RefundStatus::Succeeded)));
        }
        assert_eq!(shop.gateway.ledger().kept(receipt.order), 1250);
        let goods = staff.query(ById::<Return>(id)).await.unwrap().unwrap();
        assert_eq!(goods.status(), ReturnStatus::Closed);
        let order = order(&shop, &receipt).await;
        let (_, ledger) = order.lines().next().unwrap();
        assert_eq!((ledger.return_received, ledger.restocked, ledger.written_off), (2, 1, 1));
        check(&shop).await;
    });
}

#[test]
fn an_order_with_a_service_ends_when_its_goods_arrive() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let listing = Listing::new(
            Sku::new("ENGRAVING").unwrap(),
            Name::new("Engraving").unwrap(),
            Price::parse("3.00", Currency::EUR).unwrap(),
        );
        shop.staff().list(listing.service()).await.unwrap();
        let cart = shop.cart(1, &[("MUG", 1), ("ENGRAVING", 1)]).await.unwrap();
        let receipt = shop.buy(1, cart).await.unwrap();
        let shipment = shipment_of(receipt.checkout, SettingsValues::default().locations[0]);
        assert_eq!(parcel(&shop, shipment).await.lines().len(), 1);
        shop.staff().mark_ready(shipment).await.unwrap();
        shop.staff().dispatch(shipment, None).await.unwrap();
        delivered(&shop, shipment).await.unwrap();
        assert_eq!(order(&shop, &receipt).await.status(), OrderStatus::Completed);
        check(&shop).await;
    });
}

#[test]
fn a_cancelled_parcel_keeps_its_units_for_the_order() {
    block_on(async {
        let shop = shop(Gateway::capturing());
        let (receipt, shipment) = bought(&shop, 2).await;
        for _ in 0..2 {
            shop.staff().cancel_shipment(shipment, reason()).await.unwrap();
        }
        assert_eq!(levels(&shop).await, (8, 0, 2));
        assert!(shop.staff().dispatch(shipment, None).await.is_err());
        shop.staff().cancel_order(receipt.order, reason()).await.unwrap();
        assert_eq!(levels(&shop).await, (10, 0, 0));
        check(&shop).await;
    });
}
