//! Mistakes that rules of a shop could make, made between the shop and its store, or by a gateway.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::kernel::pool::PoolOp;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::port::prelude::*;
use commerce_core::value::Money;
use commerce_testkit::fake::Gateway;
use commerce_testkit::sim::{Ground, Simulation};

use super::meddle::{Meddler, meddled};
use super::{Seeded, is_quiet, simulated};
use Mistake::{Forgets, Misstates};

/// What a shop gets wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mistake {
    /// Nothing.
    None,
    /// It never says that this happened, nor what comes behind it in the same commit.
    Forgets(&'static str),
    /// It holds one unit more than was asked for.
    HoldsOneMore,
    /// It holds one unit less.
    HoldsOneLess,
    /// It holds again what it means to release.
    HoldsForReleases,
    /// It gives back what it means to use up.
    ReturnsForConsumption,
    /// It supplies twice.
    SuppliesTwice,
    /// It wakes a checkout ten years late.
    WakesLate,
    /// It leaves timers standing that it should cancel.
    CancelsNoTimer,
    /// It never takes up what is due.
    NeverLooks,
    /// It decides on an old state and writes all the same.
    OverwritesOthers,
    /// It gives keys up that it needs.
    GivesKeysUp,
    /// It writes this number into events of this name.
    Misstates(&'static str, &'static str, &'static str),
}

fn moved(op: PoolOp, mistake: Mistake) -> PoolOp {
    match (mistake, op) {
        (Mistake::HoldsOneMore, PoolOp::Hold(amount)) => PoolOp::Hold(amount + 1),
        (Mistake::HoldsOneMore, PoolOp::HoldAbove { amount, floor }) => {
            PoolOp::HoldAbove { amount: amount + 1, floor }
        }
        (Mistake::HoldsOneLess, PoolOp::Hold(amount)) => PoolOp::Hold(amount.saturating_sub(1)),
        (Mistake::HoldsOneLess, PoolOp::HoldAbove { amount, floor }) => {
            PoolOp::HoldAbove { amount: amount.saturating_sub(1), floor }
        }
        (Mistake::HoldsForReleases, PoolOp::Release(amount)) => PoolOp::Hold(amount),
        (Mistake::ReturnsForConsumption, PoolOp::Consume(amount)) => PoolOp::Return(amount),
        (Mistake::SuppliesTwice, PoolOp::Supply(amount)) => PoolOp::Supply(2 * amount),
        (_, op) => op,
    }
}

impl Mistake {
    fn spoil(self, commit: &mut Commit) {
        for step in &mut commit.moves {
            step.op = moved(step.op, self);
        }
        match self {
            Forgets(name) => {
                let before = commit.events();
                for append in &mut commit.append {
                    let kept = append.events.iter().take_while(|event| event.name != name).count();
                    if kept < append.events.len() {
                        append.events.truncate(kept);
                        append.snapshot = None;
                    }
                }
                commit.append.retain(|append| !append.events.is_empty());
                if commit.events() < before {
                    let gives_back = |op| matches!(op, PoolOp::Release(_) | PoolOp::Return(_));
                    commit.moves.retain(|step| !gives_back(step.op));
                }
            }
            Mistake::WakesLate => {
                for write in &mut commit.timers {
                    if let TimerWrite::Set { key, due, .. } = write
                        && key.stream.kind == "checkout"
                    {
                        *due = due.plus(Duration::from_secs(10 * 365 * 86_400));
                    }
                }
            }
            Mistake::CancelsNoTimer => {
                commit.timers.retain(|write| matches!(write, TimerWrite::Set { .. }));
            }
            Mistake::GivesKeysUp => commit.release.append(&mut commit.claim),
            Misstates(name, from, to) => {
                let events = commit.append.iter_mut().flat_map(|append| &mut append.events);
                for event in events.filter(|event| event.name == name) {
                    let text = String::from_utf8(event.data.to_vec()).unwrap();
                    event.data = text.replace(from, to).into_bytes().into();
                }
            }
            _ => {}
        }
    }
}

#[async_trait]
impl Meddler for Mistake {
    fn due(&self, due: &mut Due) {
        if *self == Self::NeverLooks {
            due.timers.clear();
        }
    }

    async fn commit(&self, store: &MemoryStore, mut commit: Commit) -> Result<Receipt, CommitError> {
        self.spoil(&mut commit);
        let mut done = store.commit(commit.clone()).await;
        while *self == Self::OverwritesOthers
            && let Err(CommitError::Stale { stream, actual, .. }) = &done
        {
            for append in commit.append.iter_mut().filter(|append| append.stream == *stream) {
                append.expected = *actual;
                append.snapshot = None;
            }
            commit.expect.retain(|expect| expect.stream != *stream);
            done = store.commit(commit.clone()).await;
        }
        done
    }
}

fn mistaken(mistake: Mistake) -> Simulation {
    meddled(mistake).with_commands(if mistake == Mistake::CancelsNoTimer { 40 } else { 250 })
}

/// What a gateway gets wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Slip {
    /// Nothing.
    None,
    /// It takes money and says that it did not.
    DeclinesAfterCharging,
    /// It says that it took a capture, and takes nothing.
    CapturesNothing,
    /// It takes a cent less than it says.
    CapturesOneCentLess,
    /// It says that it gave money back, and gives nothing.
    RefundsNothing,
    /// It gives back half of what it says.
    RefundsHalf,
}

#[derive(Debug)]
struct Slipping {
    gateway: Gateway,
    slip: Slip,
}

#[async_trait]
impl PaymentGateway for Slipping {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        let at_once = request.capture || self.slip != Slip::CapturesOneCentLess;
        let charge = self.gateway.authorize(Authorize { capture: at_once, ..request }).await?;
        if self.slip == Slip::DeclinesAfterCharging {
            return Err(GatewayError::Declined { code: "sorry".into() });
        }
        Ok(charge)
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        if self.slip == Slip::CapturesNothing {
            return Ok(Settled { reference: request.charge, amount: request.amount });
        }
        if self.slip == Slip::CapturesOneCentLess {
            let amount = request.amount;
            let less = Money::from_minor(amount.minor() - 1, amount.currency());
            let settled = self.gateway.capture(Operation { amount: less, ..request }).await?;
            return Ok(Settled { amount, ..settled });
        }
        self.gateway.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.gateway.void(request).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        let amount = request.amount;
        match self.slip {
            Slip::RefundsNothing => Ok(Settled { reference: request.charge, amount }),
            Slip::RefundsHalf => {
                let half = Money::from_minor(amount.minor() / 2, amount.currency());
                let settled = self.gateway.refund(Operation { amount: half, ..request }).await?;
                Ok(Settled { amount, ..settled })
            }
            _ => self.gateway.refund(request).await,
        }
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.gateway.lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.gateway.verify(request)
    }
}

fn slipping(slip: Slip) -> Simulation {
    Simulation::on(|clock| Ground::on(MemoryStore::with_clock(Arc::new(clock))))
        .with_gateway(move |gateway| Arc::new(Slipping { gateway, slip }))
        .with_commands(250)
}

pub(crate) fn bugs() -> Vec<Seeded> {
    simulated! {
    a_skipped_release_of_stock: mistaken(Forgets("InventoryReleased")) => [Reservations, Events, Stock],
    a_skipped_release_of_a_coupon: mistaken(Forgets("CouponReleased")) => [Coupons, Events, Sagas],
    a_skipped_failure_of_an_order: mistaken(Forgets("OrderFailed")) => [Sagas, Reservations, Money],
    a_skipped_capture: mistaken(Forgets("PaymentProcessed")) => [Money, Sagas, Events],
    a_skipped_refund: mistaken(Forgets("RefundProcessed")) => [Money, Sagas, Events],
    a_skipped_commitment_of_stock: mistaken(Forgets("InventoryCommitted")) => [Reservations, Events, Stock],
    a_hold_of_one_more: mistaken(Mistake::HoldsOneMore) => [Events, Stock],
    a_hold_of_one_less: mistaken(Mistake::HoldsOneLess) => [Events, Stock],
    a_release_with_the_wrong_sign: mistaken(Mistake::HoldsForReleases) => [Events, Stock],
    a_consumption_that_gives_back: mistaken(Mistake::ReturnsForConsumption) => [Events, Stock],
    a_supply_that_counts_twice: mistaken(Mistake::SuppliesTwice) => [Events, Stock],
    a_checkout_that_wakes_too_late: mistaken(Mistake::WakesLate) => [Events, Sagas],
    a_timer_that_is_never_cancelled: mistaken(Mistake::CancelsNoTimer) => [Events],
    a_lost_update: mistaken(Mistake::OverwritesOthers) => [Events, Stock, Idempotency],
    a_key_that_is_given_up: mistaken(Mistake::GivesKeysUp) => [Unique, Events],
    a_line_of_another_quantity: mistaken(Misstates("OrderPlaced", "\"quantity\":1", "\"quantity\":2")) => [Money, Stock],
    a_charge_of_another_amount: mistaken(Misstates("PaymentInitiated", "\"amount\":", "\"amount\":1")) => [Money, Events],
    a_reservation_of_another_quantity: mistaken(Misstates("InventoryReserved", "\"quantity\":1", "\"quantity\":2")) => [Events, Stock],
    a_charge_behind_a_refusal: slipping(Slip::DeclinesAfterCharging) => [Money],
    a_capture_that_takes_nothing: slipping(Slip::CapturesNothing) => [Money],
    a_refund_that_gives_nothing: slipping(Slip::RefundsNothing) => [Money],
    a_refund_of_the_half: slipping(Slip::RefundsHalf) => [Money],
    timers_that_nobody_looks_at: mistaken(Mistake::NeverLooks) => [Sagas, Events],
    a_capture_that_loses_a_cent: slipping(Slip::CapturesOneCentLess) => [Money],
    }
}

#[test]
fn nothing_is_found_where_no_mistake_is_made() {
    is_quiet(&mistaken(Mistake::None));
    is_quiet(&slipping(Slip::None));
}
