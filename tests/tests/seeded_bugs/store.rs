//! Bugs in a store or a gateway below the shop.

use std::sync::Arc;

use async_trait::async_trait;
use commerce_adapters_memory::MemoryStore;
use commerce_core::port::payment::{
    Authorize, CallbackError, CallbackRequest, Charge, GatewayError, IdempotencyKey, Lookup, Operation,
    PaymentGateway, Settled, VerifiedCallback,
};
use commerce_core::port::prelude::*;
use commerce_testkit::broken::{Break, BrokenStore};
use commerce_testkit::fake::Gateway;
use commerce_testkit::sim::{Ground, Simulation};

use super::meddle::{Meddler, meddled};
use super::{Seeded, is_quiet, simulated};

fn broken(flaw: Option<Break>) -> Simulation {
    Simulation::on(move |clock| Ground::on(BrokenStore::new(flaw, Arc::new(clock))))
}

/// A bug between the shop and its store.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bug {
    None,
    MarkForgotten,
    TimersLost,
    EventLost,
    CommittedTwice,
    ClaimsForgotten,
    MovesForgotten,
}

impl Bug {
    fn tamper(self, commit: &mut Commit) {
        match self {
            Self::None | Self::CommittedTwice => {}
            Self::MarkForgotten => commit.mark = None,
            Self::TimersLost => {
                let lost = |write: &TimerWrite| matches!(write, TimerWrite::Set { key, .. } if key.stream.kind == "checkout");
                commit.timers.retain(|write| !lost(write));
            }
            Self::EventLost => {
                let order = commit.append.iter_mut().find(|append| append.stream.kind == "reservation");
                if let Some(append) = order.filter(|append| append.events.len() > 1) {
                    append.events.pop();
                }
            }
            Self::ClaimsForgotten => commit.claim.clear(),
            Self::MovesForgotten => {
                commit.moves.pop();
            }
        }
    }
}

#[async_trait]
impl Meddler for Bug {
    fn loaded(&self, loaded: &mut Loaded) {
        if *self == Self::MarkForgotten {
            loaded.marks.fill(None);
        }
    }

    async fn commit(&self, store: &MemoryStore, mut commit: Commit) -> Result<Receipt, CommitError> {
        self.tamper(&mut commit);
        let receipt = store.commit(commit.clone()).await;
        let of_cart = commit.append.first().is_some_and(|append| append.stream.kind == "cart");
        if *self == Self::CommittedTwice && of_cart && receipt.is_ok() {
            commit.mark = None;
            for append in &mut commit.append {
                append.expected = append.expected.after(append.events.len());
                append.snapshot = None;
            }
            drop(store.commit(commit).await);
        }
        receipt
    }
}

/// A gateway that does not keep what its port promises.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fraud {
    None,
    RefundsTwice,
    ChargesTwice,
    KeepsWhatIsVoided,
}

#[derive(Debug)]
struct Careless {
    gateway: Gateway,
    fraud: Fraud,
}

fn again(key: &IdempotencyKey) -> IdempotencyKey {
    IdempotencyKey(format!("{}:again", key.0).into())
}

#[async_trait]
impl PaymentGateway for Careless {
    fn name(&self) -> &'static str {
        self.gateway.name()
    }

    async fn authorize(&self, request: Authorize) -> Result<Charge, GatewayError> {
        if self.fraud == Fraud::ChargesTwice {
            let key = again(&request.key);
            drop(self.gateway.authorize(Authorize { key, ..request.clone() }).await);
        }
        self.gateway.authorize(request).await
    }

    async fn capture(&self, request: Operation) -> Result<Settled, GatewayError> {
        self.gateway.capture(request).await
    }

    async fn void(&self, request: Operation) -> Result<Settled, GatewayError> {
        if self.fraud == Fraud::KeepsWhatIsVoided {
            return Ok(Settled { reference: request.charge, amount: request.amount });
        }
        self.gateway.void(request).await
    }

    async fn refund(&self, request: Operation) -> Result<Settled, GatewayError> {
        if self.fraud == Fraud::RefundsTwice {
            let key = again(&request.key);
            drop(self.gateway.refund(Operation { key, ..request.clone() }).await);
        }
        self.gateway.refund(request).await
    }

    async fn lookup(&self, key: &IdempotencyKey) -> Result<Lookup, GatewayError> {
        self.gateway.lookup(key).await
    }

    fn verify(&self, request: &CallbackRequest) -> Result<VerifiedCallback, CallbackError> {
        self.gateway.verify(request)
    }
}

fn careless(fraud: Fraud) -> Simulation {
    meddled(Bug::None).with_gateway(move |gateway| Arc::new(Careless { gateway, fraud }))
}

pub(crate) fn bugs() -> Vec<Seeded> {
    simulated! {
    a_hold_that_is_not_guarded: broken(Some(Break::HoldUnguarded)) => [Stock, Coupons, Events],
    a_release_that_does_nothing: broken(Some(Break::LosesRelease)) => [Events],
    an_allocation_that_does_nothing: broken(Some(Break::LosesAllocate)) => [Events],
    a_consumption_that_does_nothing: broken(Some(Break::LosesConsume)) => [Events],
    an_append_behind_the_head: broken(Some(Break::AppendsBehindTheHead)) => [Events, Outbox],
    a_version_that_is_skipped: broken(Some(Break::LeavesGaps)) => [Events],
    an_event_that_the_log_hides: broken(Some(Break::LogHidesAnEvent)) => [Events, Outbox],
    a_timer_that_goes_when_it_is_given_out: broken(Some(Break::DueRemoves)) => [Events, Sagas],
    a_refusal_that_leaves_keys: broken(Some(Break::LeavesKeys)) => [Unique],
    a_refusal_that_leaves_pools: broken(Some(Break::LeavesPools)) => [Events],
    a_mark_that_is_forgotten: meddled(Bug::MarkForgotten) => [Idempotency],
    a_timer_that_is_lost: meddled(Bug::TimersLost) => [Events, Sagas],
    an_event_that_is_lost: meddled(Bug::EventLost) => [Events, Reservations, Stock],
    a_commit_that_is_applied_twice: meddled(Bug::CommittedTwice) => [Idempotency],
    a_claim_that_is_forgotten: meddled(Bug::ClaimsForgotten) => [Unique],
    a_move_that_is_forgotten: meddled(Bug::MovesForgotten) => [Events],
    a_refund_that_is_paid_twice: careless(Fraud::RefundsTwice) => [Money],
    a_charge_that_is_made_twice: careless(Fraud::ChargesTwice) => [Money],
    a_void_that_reserves_on: careless(Fraud::KeepsWhatIsVoided) => [Money],
    }
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    is_quiet(&broken(None));
    is_quiet(&meddled(Bug::None));
    is_quiet(&careless(Fraud::None));
}
