//! G14: clocks that jump, differ and go back.

use std::time::Duration;

use commerce_core::app::checkout::{CheckoutRequest, CheckoutStatus};
use commerce_core::app::commerce::Commerce;
use commerce_core::checkout::order_of;
use commerce_core::kernel::stream::Position;
use commerce_core::orders::{Order, OrderStatus};
use commerce_core::port::clock::Clock as _;
use commerce_core::port::store::{LogQuery, MAX_PAGE};
use commerce_core::value::id::CheckoutId;

use super::ground::{Ground, broken, node, sweeps};
use super::{Raced, Tally};
use crate::conformance::outcome::{Outcome, equal, holds, present};
use crate::conformance::{Failure, Fixture};
use crate::fake::{Clock, Gateway};
use crate::shop::Shop;

const HOUR: Duration = Duration::from_secs(3600);

/// A buyer whom the bank keeps waiting.
async fn waits(ground: &Ground<'_>, buyer: u64) -> Result<CheckoutId, Failure> {
    let cart = ground.fills(buyer, &[("MUG", 1)]).await?;
    let request = CheckoutRequest::new(cart, Shop::euros(1000));
    let receipt = ground.shop.buyer(buyer).checkout(request).await.map_err(broken)?;
    let waiting = matches!(receipt.status, CheckoutStatus::ActionRequired { .. });
    holds(&format!("the buyer is sent to their bank: {receipt:?}"), waiting)?;
    Ok(receipt.checkout)
}

async fn ground(f: &Fixture) -> Result<Ground<'_>, Failure> {
    let ground = Ground::new(f, Gateway::redirecting("https://bank.example/3ds")).await?;
    ground.lists("MUG", "10.00", 100).await?;
    Ok(ground)
}

/// Another process whose clock is wrong by this much.
fn other(ground: &Ground<'_>, clock: &Clock, seed: u64) -> Commerce {
    node(ground.fixture, clock, seed).with_payment_gateway(ground.shop.gateway.clone())
}

async fn pending(ground: &Ground<'_>, checkout: CheckoutId) -> Result<bool, Failure> {
    let books = ground.books().await?;
    Ok(present("the order", books.get::<Order>(order_of(checkout)))?.status() == OrderStatus::Pending)
}

/// How many events of this name the log holds.
async fn events(f: &Fixture, name: &str) -> Result<usize, Failure> {
    Ok(f.log().await?.iter().filter(|event| event.event.name == name).count())
}

pub(super) async fn g14_a_process_that_is_ahead_ends_nothing_early(f: &Fixture) -> Raced {
    let ground = ground(f).await?;
    let mut tally = Tally::default();
    for (ahead, buyer) in [(Duration::from_secs(5), 1), (HOUR, 2)] {
        let checkout = waits(&ground, buyer).await?;
        // Just before the deadline by the store's clock, which for the other process is over.
        ground.shop.clock.advance(Duration::from_secs(778));
        let clock = Clock::at(ground.shop.clock.now().plus(ahead));
        let fast = other(&ground, &clock, 10 + buyer);
        sweeps(&fast).await?;
        holds("nothing that was not due by the store's clock has ended", pending(&ground, checkout).await?)?;
        equal("units held", ground.level("MUG").await?.held, 1)?;
        ground.settles().await?;
        holds("it has ended behind its time", !pending(&ground, checkout).await?)?;
        tally.add("deadlines", 1);
    }
    ground.checks().await?;
    Ok(tally)
}

pub(super) async fn g14_a_process_that_is_behind_ends_what_is_due(f: &Fixture) -> Raced {
    let ground = ground(f).await?;
    let mut tally = Tally::default();
    for (behind, buyer) in [(Duration::from_secs(5), 1), (HOUR, 2)] {
        let checkout = waits(&ground, buyer).await?;
        ground.shop.clock.advance(Duration::from_secs(1000));
        let clock = Clock::at(ground.shop.clock.now().minus(behind));
        let slow = other(&ground, &clock, 10 + buyer);
        sweeps(&slow).await?;
        holds("what is due by the store's clock has ended", !pending(&ground, checkout).await?)?;
        equal("units held", ground.level("MUG").await?.held, 0)?;
        tally.add("deadlines", 1);
    }
    ground.checks().await?;
    Ok(tally)
}

/// Versions and positions ascend, whatever the clocks showed.
async fn in_order(f: &Fixture) -> Result<(usize, usize), Failure> {
    let (mut after, mut count, mut back) = (Position::START, 0, 0);
    let mut last = None;
    loop {
        let page = f.store().read_all(LogQuery::after(after, MAX_PAGE)).await?;
        if page.events.is_empty() {
            return Ok((count, back));
        }
        for event in &page.events {
            holds("positions ascend", event.position > after)?;
            after = event.position;
            back += usize::from(last.is_some_and(|last| event.event.at < last));
            last = Some(event.event.at);
            count += 1;
        }
        after = after.max(page.next);
    }
}

pub(super) async fn g14_a_clock_that_jumps_ends_everything_once(f: &Fixture) -> Raced {
    let ground = ground(f).await?;
    let mut checkouts = Vec::new();
    for buyer in 0..6 {
        checkouts.push(waits(&ground, buyer).await?);
        // One hour on, then back again: as if somebody had set it wrong for a while.
        let now = ground.shop.clock.now();
        if buyer % 2 == 1 {
            ground.shop.clock.set(now.minus(HOUR));
            let due = f.due(50, Duration::ZERO).await?;
            holds("nothing is due while the clock is behind", due.timers.is_empty())?;
            ground.shop.clock.set(now);
        }
    }
    let now = ground.shop.clock.now();
    ground.shop.clock.set(now.plus(HOUR));
    // Several processes at once, some of which are five seconds off.
    let sweepers = (0..6_u64).map(|number| {
        let now = ground.shop.clock.now();
        let off = Duration::from_secs(5);
        let clock = match number % 3 {
            0 => ground.shop.clock.clone(),
            1 => Clock::at(now.plus(off)),
            _ => Clock::at(now.minus(off)),
        };
        let shop = other(&ground, &clock, 20 + number);
        async move { sweeps(&shop).await }
    });
    for swept in f.race(sweepers.collect()).await {
        swept?;
    }
    ground.shop.clock.set(now);
    sweeps(&ground.shop.commerce).await?;
    ground.settles().await?;
    for checkout in &checkouts {
        holds("every checkout has ended", !pending(&ground, *checkout).await?)?;
    }
    equal("checkouts that were undone", events(f, "CheckoutCompensated").await?, checkouts.len())?;
    equal("orders that failed", events(f, "OrderFailed").await?, checkouts.len())?;
    ground.checks().await?;
    let (count, back) = in_order(f).await?;
    let mut tally = Tally::default();
    tally.add("deadlines", checkouts.len());
    tally.add("events in the order of their positions", count);
    tally.add("times that go back among them", back);
    Ok(tally)
}

/// Time never runs out negatively: a span behind a later time is zero.
pub(super) async fn g14_no_span_is_negative(f: &Fixture) -> Raced {
    let clock = present("a clock", f.clock())?.clone();
    let stream = crate::build::stream("timer");
    let now = clock.now();
    let set = <commerce_core::kernel::commit::Commit as crate::build::Draft>::sets(
        <_>::default(),
        &stream,
        "expiry",
        now,
    );
    f.commit(set).await?;
    let outcome = spans(f, &clock).await;
    clock.set(now);
    outcome?;
    let mut tally = Tally::default();
    tally.add("jumps", 4);
    Ok(tally)
}

async fn spans(f: &Fixture, clock: &Clock) -> Outcome {
    let first = clock.now();
    let leased = f.due(1, Duration::from_secs(60)).await?;
    equal("the timer is leased", leased.timers.len(), 1)?;
    for jump in [HOUR, Duration::from_secs(1)] {
        clock.set(first.minus(jump));
        let due = f.due(1, Duration::from_secs(60)).await?;
        equal("the store's own time", due.now, first.minus(jump))?;
        equal("a lease outlasts a clock that goes back", due.timers.len(), 0)?;
        holds("the next time lies ahead", due.next.is_some_and(|next| next > due.now))?;
        equal("a span into the past", due.now.since(first), Duration::ZERO)?;
    }
    for jump in [Duration::from_secs(61), HOUR] {
        clock.set(first.plus(jump));
        let due = f.due(1, Duration::ZERO).await?;
        equal("the lease is over", due.timers.len(), 1)?;
    }
    Ok(())
}
