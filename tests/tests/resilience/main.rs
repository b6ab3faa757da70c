//! Guards around ports: what they let through, how often they ask, and that nothing happens twice for it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

mod ports;

use std::future::{Future, pending, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::Poll;
use std::time::Duration;

use commerce_adapters_memory::MemoryStore;
use commerce_core::app::query::ById;
use commerce_core::port::carrier::Carrier as _;
use commerce_core::port::clock::Clock as _;
use commerce_core::port::payment::{
    Authorize, Charge, ChargeState, GatewayError, IdempotencyKey, PaymentGateway,
};
use commerce_core::port::platform::Platform;
use commerce_core::prelude::*;
use commerce_core::resilience::guard::{Call, Which};
use commerce_core::resilience::{
    Backoff, BreakerPolicy, BreakerState, Breaking, Bulkheaded, Fallback, Guard, Guarded, Repeat, Retrying,
    TimeLimited,
};
use commerce_testkit::check::Findings;
use commerce_testkit::conformance::{GatewayFixture, gateway_checks, port};
use commerce_testkit::fake::{Behaviour, Carrier, Clock, Gateway, Ids, Offer, START, Sleeper};
use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Rates};
use commerce_testkit::shop::Shop;
use commerce_tests::cases;
use commerce_tests::world::id;
use pollster::block_on;
use proptest::prelude::*;

fn platform(clock: &Clock) -> Platform {
    Platform {
        clock: Arc::new(clock.clone()),
        sleeper: Arc::new(Sleeper::jumping(clock.clone())),
        ids: Arc::new(Ids::seeded(7)),
    }
}

fn request(number: u32) -> Authorize {
    Authorize {
        key: IdempotencyKey(format!("key-{number}").into()),
        payment: id(&format!("payment {number}")),
        order: id("order"),
        amount: Shop::euros(1000),
        capture: true,
        method: "card".into(),
    }
}

/// Whole seconds since the beginning.
fn seconds(clock: &Clock) -> i64 {
    (clock.now().as_micros() - START.as_micros()) / 1_000_000
}

fn failure(result: &Result<Charge, GatewayError>) -> &PortError {
    match result {
        Err(GatewayError::Port(error)) => error,
        other => panic!("{other:?}"),
    }
}

/// Whether it is still under way.
async fn is_pending<T>(work: &mut (impl Future<Output = T> + Unpin)) -> bool {
    poll_fn(|context| Poll::Ready(std::pin::Pin::new(&mut *work).poll(context).is_pending())).await
}

#[test]
fn a_guarded_gateway_is_a_gateway() {
    let guarded = || async {
        let clock = Clock::default();
        let fake = Gateway::approving().declining_method("stolen", "stolen-card");
        let loses = fake.clone();
        let platform = platform(&clock);
        let gateway = Guarded::new(fake, TimeLimited::to(Duration::from_secs(30), &platform));
        let gateway = Guarded::new(gateway, Breaking::by(BreakerPolicy::default(), &platform));
        let gateway = Guarded::new(gateway, Bulkheaded::with_room_for(16));
        GatewayFixture::new(gateway, "card", uuid::Uuid::nil())
            .declining("stolen")
            .with_lost_answer(move || loses.script([Behaviour::LoseAnswer]))
    };
    block_on(port(gateway_checks(), guarded)).assert();
    let retried = || async {
        let platform = platform(&Clock::default());
        let fake = Gateway::approving().declining_method("stolen", "stolen-card");
        let gateway = Guarded::new(fake, Retrying::by(Backoff::default(), &platform));
        GatewayFixture::new(gateway, "card", uuid::Uuid::nil()).declining("stolen")
    };
    block_on(port(gateway_checks(), retried)).assert();
}

#[test]
fn a_call_is_made_again_after_one_two_and_four_seconds() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let gateway = Guarded::new(fake.clone(), Retrying::by(Backoff::default(), &platform(&clock)));
        fake.script(vec![Behaviour::FailBefore; 2]);
        assert!(gateway.authorize(request(1)).await.is_ok());
        assert_eq!((fake.calls(), seconds(&clock)), (3, 3));
        fake.script(vec![Behaviour::FailBefore; 9]);
        let failed = gateway.authorize(request(2)).await;
        assert_eq!(failure(&failed).effect, Effect::None);
        assert_eq!((fake.calls(), seconds(&clock)), (3 + 4, 3 + 7));
    });
}

#[test]
fn a_lost_answer_is_asked_for_under_the_same_key() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let gateway = Guarded::new(fake.clone(), Retrying::by(Backoff::default(), &platform(&clock)));
        fake.script([Behaviour::CaptureAndLoseAnswer]);
        let charge = gateway.authorize(request(1)).await.unwrap();
        assert_eq!(charge.state, ChargeState::Captured);
        assert_eq!((fake.calls(), fake.ledger().accounts().count()), (2, 1));
    });
}

/// The last failure did nothing; the first one may have.
#[test]
fn patterns_5_what_may_have_been_done_once_may_have_been_done() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let gateway = Guarded::new(fake.clone(), Retrying::by(Backoff::default(), &platform(&clock)));
        let none = || Behaviour::FailBefore;
        fake.script([none(), Behaviour::LoseRequest, none(), none()]);
        let failed = gateway.authorize(request(1)).await;
        assert_eq!((failure(&failed).effect, fake.calls()), (Effect::Unknown, 4));
        fake.script(vec![none(); 4]);
        let failed = gateway.authorize(request(2)).await;
        assert_eq!(failure(&failed).effect, Effect::None);
    });
}

#[test]
fn what_was_answered_is_not_asked_again() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let platform = platform(&clock);
        let breaking = Breaking::by(BreakerPolicy { failures: 1, ..BreakerPolicy::default() }, &platform);
        let gateway = Guarded::new(fake.clone(), breaking.clone());
        let gateway = Guarded::new(gateway, Retrying::by(Backoff::default(), &platform));
        fake.script([Behaviour::Decline("expired")]);
        let declined = gateway.authorize(request(1)).await;
        assert!(matches!(declined, Err(GatewayError::Declined { .. })), "{declined:?}");
        assert_eq!((fake.calls(), seconds(&clock)), (1, 0));
        assert_eq!(breaking.state(), BreakerState::Closed { failed: 0 }, "the bank works");
    });
}

#[test]
fn patterns_5_a_call_without_a_key_is_not_repeated_where_it_may_have_been_done() {
    block_on(async {
        let retrying = Retrying::by(Backoff::default(), &platform(&Clock::default()));
        for (repeat, effect, calls) in [
            (Repeat::Once, Effect::Unknown, 1),
            (Repeat::Once, Effect::None, 4),
            (Repeat::Keyed, Effect::Unknown, 4),
            (Repeat::Read, Effect::Unknown, 4),
        ] {
            let made = AtomicU32::new(0);
            let call = || -> Call<'_, (), PortError> {
                made.fetch_add(1, Ordering::Relaxed);
                Box::pin(async move { Err(PortError::new(PortErrorKind::Timeout, effect, "fake", "call")) })
            };
            let failed = retrying.around(Which { operation: "call", repeat }, call).await;
            assert_eq!(failed.unwrap_err().effect, effect);
            assert_eq!(made.load(Ordering::Relaxed), calls, "{repeat:?} {effect:?}");
        }
    });
}

#[test]
fn patterns_7_a_gateway_that_fails_is_left_alone_and_comes_back() {
    block_on(async {
        let (clock, fake) = (Clock::default(), Gateway::capturing());
        let breaking = Breaking::by(BreakerPolicy::default(), &platform(&clock));
        let gateway = Guarded::new(fake.clone(), breaking.clone());
        fake.script(vec![Behaviour::FailBefore; 6]);
        for number in 0..5 {
            assert!(matches!(breaking.state(), BreakerState::Closed { .. }));
            assert!(gateway.authorize(request(number)).await.is_err());
        }
        let turned_away = gateway.authorize(request(9)).await;
        let error = failure(&turned_away);
        assert_eq!((error.kind, error.effect), (PortErrorKind::Unavailable, Effect::None));
        assert_eq!(fake.calls(), 5);
        // One probe; it fails, and the circuit stays open as long again.
        clock.advance(Duration::from_secs(30));
        assert!(gateway.authorize(request(9)).await.is_err());
        assert_eq!(fake.calls(), 6);
        assert!(gateway.authorize(request(9)).await.is_err());
        assert_eq!(fake.calls(), 6);
        clock.advance(Duration::from_secs(30));
        assert!(gateway.authorize(request(9)).await.is_ok());
        assert_eq!(breaking.state(), BreakerState::Closed { failed: 0 });
        assert!(gateway.authorize(request(10)).await.is_ok());
        assert_eq!(fake.calls(), 8);
    });
}

/// A call that never answers.
fn never<'c>() -> Call<'c, (), PortError> {
    Box::pin(pending())
}

const READ: Which = Which { operation: "call", repeat: Repeat::Read };

#[test]
fn a_probe_that_is_given_up_says_nothing_and_frees_its_place() {
    block_on(async {
        let clock = Clock::default();
        let breaking = Breaking::by(BreakerPolicy::default(), &platform(&clock));
        let fail = || -> Call<'_, (), PortError> {
            Box::pin(async { Err(PortError::new(PortErrorKind::Timeout, Effect::None, "fake", "call")) })
        };
        for _ in 0..5 {
            assert!(breaking.around(READ, fail).await.is_err());
        }
        clock.advance(Duration::from_secs(30));
        {
            let mut probe = pin!(breaking.around(READ, never));
            assert!(is_pending(&mut probe).await);
            assert_eq!(breaking.state(), BreakerState::HalfOpen { probing: 1 });
            assert!(breaking.around(READ, fail).await.is_err());
        }
        assert_eq!(breaking.state(), BreakerState::HalfOpen { probing: 0 });
        let works = || -> Call<'_, (), PortError> { Box::pin(async { Ok(()) }) };
        assert_eq!(breaking.around(READ, works).await, Ok(()));
        assert_eq!(breaking.state(), BreakerState::Closed { failed: 0 });
    });
}

#[test]
fn nobody_waits_longer_than_the_limit() {
    block_on(async {
        let clock = Clock::default();
        let limited = TimeLimited::to(Duration::from_secs(30), &platform(&clock));
        let read = limited.around(READ, never).await.unwrap_err();
        assert_eq!((read.kind, read.effect, seconds(&clock)), (PortErrorKind::Timeout, Effect::None, 30));
        let keyed = Which { operation: "call", repeat: Repeat::Keyed };
        let unknown = limited.around(keyed, never).await.unwrap_err();
        assert_eq!((unknown.kind, unknown.effect), (PortErrorKind::Timeout, Effect::Unknown));
        // What is there in time is taken, whatever the clock says then.
        let works = || -> Call<'_, u8, PortError> { Box::pin(async { Ok(7) }) };
        assert_eq!(limited.around(keyed, works).await, Ok(7));
        assert_eq!(seconds(&clock), 60);
    });
}

#[test]
fn patterns_7_there_is_room_for_so_many_calls() {
    block_on(async {
        let bulkhead = Bulkheaded::with_room_for(2);
        let mut first = Box::pin(bulkhead.around(READ, never));
        let mut second = Box::pin(bulkhead.around(READ, never));
        assert!(is_pending(&mut first).await && is_pending(&mut second).await);
        let full = bulkhead.around(READ, never).await.unwrap_err();
        assert_eq!((full.kind, full.effect), (PortErrorKind::Throttled, Effect::None));
        assert_eq!(bulkhead.under_way(), 2);
        drop(first);
        assert_eq!(bulkhead.under_way(), 1);
        let mut third = Box::pin(bulkhead.around(READ, never));
        assert!(is_pending(&mut third).await);
        drop((second, third));
        assert_eq!(bulkhead.under_way(), 0);
    });
}

#[test]
fn where_one_carrier_fails_another_one_is_asked() {
    block_on(async {
        let first = Carrier::new().offering("express", 790, None);
        let second = Carrier::new().offering("slow", 290, None);
        let either = Fallback::new(Arc::new(first.clone()), Arc::new(second.clone()));
        let clock = Clock::default();
        let shop = Shop::on(MemoryStore::with_clock(Arc::new(clock.clone())), clock, Gateway::capturing());
        shop.list("MUG", "10.00", 5).await.unwrap();
        let cart = shop.cart(1, &[("MUG", 1)]).await.unwrap();
        let seen = Carrier::new();
        let asking = shop.buyer(1).with_carrier(seen.clone());
        asking.shipping_rates(cart).await.unwrap();
        let request = seen.asked().remove(0);
        let offered = async || {
            let rates = either.rates(request.clone()).await?;
            Ok::<_, PortError>(rates.iter().map(|rate| rate.method.as_str().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(offered().await.unwrap(), ["express"]);
        first.script([Offer::Fail(PortErrorKind::Unavailable)]);
        assert_eq!(offered().await.unwrap(), ["slow"]);
        // A question that makes no sense makes none to anybody else.
        first.script([Offer::Fail(PortErrorKind::Invalid)]);
        assert_eq!(offered().await.unwrap_err().kind, PortErrorKind::Invalid);
        assert_eq!((first.asked().len(), second.asked().len()), (3, 1));
        first.script([Offer::Fail(PortErrorKind::Unavailable)]);
        second.script([Offer::Fail(PortErrorKind::Throttled)]);
        assert_eq!(offered().await.unwrap_err().kind, PortErrorKind::Unavailable);
    });
}

proptest! {
    #![proptest_config(cases(128))]

    /// payments_4 behind every guard: whatever the gateway does, nobody is charged twice.
    #[test]
    fn payments_4_no_guard_charges_twice(seed in any::<u64>()) {
        block_on(async {
            let (clock, fake) = (Clock::default(), Gateway::capturing());
            let platform = platform(&clock);
            let faults = [Fault::FailBefore, Fault::FailAfter, Fault::Duplicate];
            let rates = |rates: Rates, fault| rates.of(Port::Gateway, fault, 150);
            let faults = Faults::seeded(seed, faults.into_iter().fold(Rates::default(), rates));
            let faulty: Faulty<dyn PaymentGateway> = Faulty::on(Arc::new(fake.clone()), faults);
            let gateway = Guarded::new(faulty, TimeLimited::to(Duration::from_secs(30), &platform));
            let gateway = Guarded::new(gateway, Breaking::by(BreakerPolicy::default(), &platform));
            let gateway = Guarded::new(gateway, Retrying::by(Backoff::default(), &platform));
            let store = Arc::new(MemoryStore::with_clock(Arc::new(clock.clone())));
            let shop = Shop::on_gateway(store, clock, fake.clone(), (Arc::new(gateway), 1));
            shop.list("MUG", "10.00", 50).await.unwrap();
            for buyer in 1..5 {
                let cart = shop.cart(buyer, &[("MUG", 1)]).await.unwrap();
                drop(shop.buy(buyer, cart).await);
                shop.settle().await.unwrap();
                let Ok(receipt) = shop.buy(buyer, cart).await else { continue };
                // This one too may have begun to pay, with an outcome that only a later question tells.
                shop.settle().await.unwrap();
                let order = shop.staff().query(ById::<Order>(receipt.order)).await.unwrap().unwrap();
                let due = if order.status() == OrderStatus::Confirmed { 1000 } else { 0 };
                prop_assert_eq!(fake.ledger().kept(receipt.order), due);
            }
            let findings = Findings::of(&shop).await.unwrap();
            prop_assert!(findings.hold(), "{:#?}", findings.lines().collect::<Vec<_>>());
            Ok(())
        })?;
    }
}

#[test]
fn a_guard_can_be_looked_at() {
    let breaking = Breaking::by(BreakerPolicy::default(), &platform(&Clock::default()));
    let gateway = Guarded::new(Gateway::capturing(), breaking);
    assert_eq!(gateway.guard().state(), BreakerState::Closed { failed: 0 });
    assert_eq!(gateway.name(), Gateway::capturing().name());
}
