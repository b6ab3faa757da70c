//! The gateway's other side: buyers decide there, and it tells the shop, late, twice and out of order.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use commerce_core::app::callback::PaymentCallbackError;
use commerce_core::kernel::error::{Effect, ErrorClass};
use commerce_core::port::payment::{CallbackRequest, ChargeState, PaymentGateway as _};
use commerce_core::value::id::PaymentId;

use super::actor::Actor;
use super::context::{Context, Process};
use crate::check::Rule;
use crate::faulty::Port;

/// Messages that the shop has not accepted yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Post(Arc<Mutex<Vec<CallbackRequest>>>);

impl Post {
    fn add(&self, message: &CallbackRequest) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(message.clone());
    }

    fn accepted(&self, message: &CallbackRequest) {
        let mut post = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        post.retain(|waiting| waiting.body != message.body);
    }

    /// What was never accepted.
    pub(super) fn left(&self) -> Vec<CallbackRequest> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The bank of every buyer.
#[derive(Debug)]
pub(super) struct Bank {
    pub(super) post: Post,
}

/// What becomes of a charge that is open, and of one that is decided: told again.
fn decision(state: &ChargeState, throw: u64) -> Option<ChargeState> {
    match state {
        ChargeState::RequiresAction { .. } | ChargeState::Processing => match throw {
            0..=54 => Some(ChargeState::Captured),
            55..=74 => Some(ChargeState::Authorized),
            75..=89 => Some(ChargeState::Declined { code: "bank".into() }),
            _ => None,
        },
        _ if throw < 20 => Some(state.clone()),
        _ => None,
    }
}

#[async_trait]
impl Actor for Bank {
    fn name(&self) -> String {
        "bank".to_owned()
    }

    async fn live(self: Box<Self>, mut context: Context) {
        while !context.is_over() {
            context.rest(Duration::from_secs(60)).await;
            let accounts: Vec<(PaymentId, ChargeState)> = {
                let ledger = context.world.gateway.ledger();
                ledger.accounts().map(|account| (account.payment, account.state.clone())).collect()
            };
            // The newest charges are talked about most.
            let Some((payment, state)) = newest(&mut context, &accounts) else { continue };
            let Some(decided) = decision(&state, context.dice().below(100)) else { continue };
            let Some(message) = context.world.gateway.decide(payment, decided) else { continue };
            self.post.add(&message);
            let copies = 1 + u64::from(context.dice().chance(250));
            for _ in 0..copies {
                let carrier = context.another();
                context.beside(deliver(carrier, self.post.clone(), message.clone()));
            }
        }
    }
}

fn newest(context: &mut Context, accounts: &[(PaymentId, ChargeState)]) -> Option<(PaymentId, ChargeState)> {
    let open =
        |state: &ChargeState| matches!(state, ChargeState::RequiresAction { .. } | ChargeState::Processing);
    let open: Vec<_> = accounts.iter().filter(|(_, state)| open(state)).cloned().collect();
    let from = if open.is_empty() || context.dice().chance(200) { accounts.to_vec() } else { open };
    context.dice().pick(&from).cloned()
}

/// Carries one message until it is accepted, or the day is over.
async fn deliver(mut context: Context, post: Post, message: CallbackRequest) {
    let late = if context.dice().chance(60) { 1200 } else { 20 };
    context.rest(Duration::from_secs(late)).await;
    for _ in 0..8 {
        let request = message.clone();
        let answer = context.ask("callback", move |process| hand_over(process, request)).await;
        match answer {
            Ok(Ok(())) => {
                context.note("callback", "accepted");
                post.accepted(&message);
                return;
            }
            Ok(Err(error)) => {
                context.note("callback", &error.to_string());
                match error.class() {
                    // Not accepted for good: what it says is on the shop's pile for people.
                    ErrorClass::Refused => {
                        post.accepted(&message);
                        return;
                    }
                    ErrorClass::Bug => context.complain(Rule::Events, format!("callback: {error:?}")),
                    ErrorClass::Contended | ErrorClass::Unavailable => {}
                }
            }
            Err(_) => context.note("callback", "lost"),
        }
        context.rest(Duration::from_secs(30)).await;
    }
}

async fn hand_over(process: Process, message: CallbackRequest) -> Result<(), PaymentCallbackError> {
    let provider = process.shop.gateway.name();
    let shop = &process.shop.commerce;
    let call = || async {
        let CallbackRequest { headers, body } = message.clone();
        shop.payment_callback(provider, headers, body).await.map(drop)
    };
    let lost = |error: commerce_core::kernel::error::PortError| {
        debug_assert!(matches!(error.effect, Effect::None | Effect::Unknown));
        PaymentCallbackError::Checkout(error.into())
    };
    process.faults.around((Port::Callback, "deliver"), call, lost).await
}
