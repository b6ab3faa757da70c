//! Whatever is done to an order, while somebody else does something to it between any two loads: it is decided
//! on one moment, and nobody hears of a defect.
//!
//! Found by the simulator under seed 7483: a callback read the order and the cart at two moments, between
//! which the buyer cancelled.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)] // a failing step is a failing test

use std::sync::Arc;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::checkout::CheckoutReceipt;
use commerce_core::app::operations::returns::ReturnUnits;
use commerce_core::checkout::fulfil::shipment_of;
use commerce_core::checkout::payment_of;
use commerce_core::kernel::error::ErrorClass;
use commerce_core::port::payment::ChargeState;
use commerce_core::prelude::*;
use commerce_core::shipping::{CarrierStatus, Tracking};
use commerce_core::value::{Code, Reason};
use commerce_testkit::check::Findings;
use commerce_testkit::fake::Gateway;
use commerce_testkit::shop::Shop;
use commerce_tests::interrupted::Interrupted;
use commerce_tests::shopping::mugs;
use commerce_tests::world::id;
use pollster::block_on;

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// The buyer has to confirm the payment at their bank.
    Waiting,
    Paid,
    Ready,
    Sent,
    Delivered,
}

/// What is done to it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    Authorised,
    Declined,
    Resume,
    TooLate,
    Cancel,
    Refund,
    MakeReady,
    Send,
    Deliver,
    CancelParcel,
    AskToReturn,
    OpenEdit,
}

use Deed::*;

const STAGES: [(Stage, &[Deed]); 5] = [
    (Stage::Waiting, &[Authorised, Declined, Resume, TooLate, Cancel]),
    (Stage::Paid, &[Cancel, Refund, MakeReady, CancelParcel, OpenEdit, Resume]),
    (Stage::Ready, &[Cancel, Refund, Send, CancelParcel, OpenEdit]),
    (Stage::Sent, &[Cancel, Refund, Deliver]),
    (Stage::Delivered, &[Refund, AskToReturn, Cancel, Deliver]),
];

struct Scene {
    shop: Shop,
    store: MemoryStore,
    sold: CheckoutReceipt,
}

fn reason() -> Reason {
    Reason::new("as it pleases").unwrap()
}

async fn scene(stage: Stage) -> Scene {
    let waits = stage == Stage::Waiting;
    let gateway = if waits { Gateway::redirecting("https://bank.example/3ds") } else { Gateway::capturing() };
    let (shop, store) = mugs(gateway, 10).await;
    let cart = shop.cart(1, &[("MUG", 2)]).await.unwrap();
    let sold = shop.buy(1, cart).await.unwrap();
    let scene = Scene { shop, store, sold };
    let way = [(Stage::Ready, MakeReady), (Stage::Sent, Send), (Stage::Delivered, Deliver)];
    if !waits && stage != Stage::Paid {
        for (reached, deed) in way {
            assert_eq!(carry_out(&scene.shop, &scene.sold, deed).await, Ok(()), "{deed:?}");
            if reached == stage {
                break;
            }
        }
    }
    scene
}

/// Does it; gives the class of a refusal.
async fn carry_out(shop: &Shop, sold: &CheckoutReceipt, deed: Deed) -> Result<(), (ErrorClass, String)> {
    let told = |class: ErrorClass, error: &dyn std::fmt::Debug| (class, format!("{error:?}"));
    let (staff, buyer) = (shop.staff(), shop.buyer(1));
    let parcel = shipment_of(sold.checkout, SettingsValues::default().locations[0]);
    let done = match deed {
        Authorised | Declined => {
            let says = if deed == Authorised {
                ChargeState::Authorized
            } else {
                ChargeState::Declined { code: "no-funds".into() }
            };
            // The gateway has nothing to say of a charge that was given up.
            let Some(message) = shop.gateway.decide(payment_of(sold.checkout), says) else { return Ok(()) };
            let outcome = shop.commerce.payment_callback("fake", message.headers, message.body).await;
            return outcome.map(drop).map_err(|error| told(error.class(), &error));
        }
        Resume => {
            let outcome = buyer.resume_checkout(sold.checkout).await;
            return outcome.map(drop).map_err(|error| told(error.class(), &error));
        }
        TooLate => {
            shop.clock.advance(Duration::from_secs(3 * 3600));
            let round = shop.commerce.run_due().await;
            return round.map(drop).map_err(|error| told(ErrorClass::Unavailable, &error));
        }
        Cancel => buyer.cancel_order(sold.order, reason()).await,
        Refund => {
            let payment = payment_of(sold.checkout);
            staff.refund(payment, id("refund"), Shop::euros(100), reason()).await.map(drop)
        }
        MakeReady => staff.mark_ready(parcel).await,
        Send => {
            let code = |text: &str| Code::new(text).unwrap();
            staff.dispatch(parcel, Some(Tracking { carrier: code("dhl"), number: code("T1") })).await
        }
        Deliver => {
            let at = shop.commerce.now();
            staff.record_tracking(parcel, CarrierStatus::Delivered, at, 1).await
        }
        CancelParcel => staff.cancel_shipment(parcel, reason()).await,
        AskToReturn => {
            let order = buyer.query(ById::<Order>(sold.order)).await.unwrap().unwrap();
            let line = order.lines().next().map(|(line, _)| line.id).unwrap();
            let units = vec![ReturnUnits { line, quantity: Quantity::new(1).unwrap(), reason: reason() }];
            buyer.request_return(id("return"), sold.order, units).await
        }
        OpenEdit => staff.open_edit(sold.order).await.map(drop),
    };
    done.map_err(|error| told(error.class(), &error))
}

/// Every deed of a stage, with every other one between any two of its loads; gives how many there were.
fn interrupted(stage: Stage, deeds: &[Deed]) -> u32 {
    let mut count = 0;
    for deed in deeds {
        for other in deeds {
            for at in 1.. {
                if !block_on(once(stage, *deed, *other, at)) {
                    break;
                }
                count += 1;
            }
        }
    }
    count
}

/// Whether there was a load with this number.
async fn once(stage: Stage, deed: Deed, other: Deed, at: u32) -> bool {
    let Scene { shop, store, sold } = scene(stage).await;
    let told = format!("{stage:?}: {deed:?}, with {other:?} before load {at}");
    let between = {
        let (shop, sold, told) = (shop.clone(), sold.clone(), told.clone());
        Interrupted::at(
            store,
            at,
            Box::pin(async move {
                if let Err((class, error)) = carry_out(&shop, &sold, other).await {
                    assert_ne!(class, ErrorClass::Bug, "{told}: {error}");
                }
            }),
        )
    };
    let process = Shop::on_shared(Arc::new(between.clone()), shop.clock.clone(), shop.gateway.clone(), 2);
    if let Err((class, error)) = carry_out(&process, &sold, deed).await {
        assert_ne!(class, ErrorClass::Bug, "{told}: {error}");
    }
    shop.settle().await.unwrap();
    let findings = Findings::of(&shop).await.unwrap();
    assert!(findings.hold(), "{told}: {:?}", findings.breaches());
    between.happened()
}

fn stage(wanted: Stage, at_least: u32) {
    let (stage, deeds) = STAGES.into_iter().find(|(stage, _)| *stage == wanted).unwrap();
    let count = interrupted(stage, deeds);
    println!("{stage:?}: {count} interruptions");
    assert!(count >= at_least, "{count}");
}

#[test]
fn an_order_that_waits_is_decided_on_one_moment() {
    stage(Stage::Waiting, 50);
}

#[test]
fn an_order_that_is_paid_is_decided_on_one_moment() {
    stage(Stage::Paid, 50);
}

#[test]
fn an_order_that_is_ready_is_decided_on_one_moment() {
    stage(Stage::Ready, 40);
}

#[test]
fn an_order_that_was_sent_is_decided_on_one_moment() {
    stage(Stage::Sent, 15);
}

#[test]
fn an_order_that_has_arrived_is_decided_on_one_moment() {
    stage(Stage::Delivered, 20);
}
