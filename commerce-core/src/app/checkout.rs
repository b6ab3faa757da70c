//! `checkout`: from a cart to an order, in as few commits as there are calls of the world between them.

use std::sync::Arc;

use super::begin::Begun;
use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::observing::{outcome, span::Span};
use crate::checkout::machine::{Status, Step};
use crate::checkout::party::Party;
use crate::checkout::{Checkout, CheckoutError};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::error::{CommitError, Shortage};
use crate::orders::{NUMBER_SCOPE, OrderNumber};
use crate::payments::PaymentStatus;
use crate::port::observer::Trace;
use crate::value::Money;
use crate::value::id::{CartId, CheckoutId, OrderId};
use crate::value::time::Timestamp;

/// Asks to turn a cart into an order. The caller supplies no price: only what the buyer was shown, so that
/// a cart that costs something else by now is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutRequest {
    pub(super) cart: CartId,
    pub(super) expected_total: Money,
    pub(super) gateway: Option<Arc<str>>,
    pub(super) method: Arc<str>,
}

impl CheckoutRequest {
    /// Buys a cart for the total that the buyer was shown.
    pub fn new(cart: CartId, expected_total: Money) -> Self {
        Self { cart, expected_total, gateway: None, method: "".into() }
    }

    /// Pays at this gateway with the host's token of a means of payment; without this, at the shop's first
    /// gateway.
    #[must_use]
    pub fn pay_with(mut self, gateway: &str, method: &str) -> Self {
        self.gateway = Some(gateway.into());
        self.method = method.into();
        self
    }
}

/// Where a checkout stands, for the buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckoutStatus {
    /// The order is confirmed.
    Confirmed,
    /// The buyer has to confirm the payment.
    ActionRequired {
        /// Where.
        url: Arc<str>,
        /// Until when.
        deadline: Timestamp,
    },
    /// The gateway has not decided; a callback or a timer goes on.
    Pending,
    /// It did not succeed; everything is or is being undone.
    Failed {
        /// Why, in a word for machines: the gateway's code where it declined.
        code: Arc<str>,
    },
    /// Somebody has to look at it.
    UnderReview,
}

/// What came of a checkout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckoutReceipt {
    /// The checkout.
    pub checkout: CheckoutId,
    /// Its order.
    pub order: OrderId,
    /// The order's number.
    pub number: OrderNumber,
    /// What is due.
    pub total: Money,
    /// Where it stands.
    pub status: CheckoutStatus,
}

impl Commerce {
    /// Turns a cart into an order and pays it.
    ///
    /// Commits once in front of the gateway's call and once behind its answer; a third time where capture
    /// is a call of its own. A repeat, under the same command id or for a cart that was bought already,
    /// returns what came of the first.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`]: nothing happened. Once the order is placed there are no errors but those of
    /// ports; a payment that fails is a [`CheckoutStatus::Failed`], and a repeat tells where it stands.
    pub async fn checkout(&self, request: CheckoutRequest) -> Result<CheckoutReceipt, CheckoutError> {
        let cart = request.cart.uuid();
        let watched = self.begins(Permission::new(Checkout::NAME, "start"), cart);
        let mut attempts = 0;
        // Without a correlation id of its own it is correlated by the checkout.
        let mut trace = Trace { correlation: self.request.correlation, ..self.trace() };
        let span = Span::checkout(cart, trace);
        let done = span.clone().around(Box::pin(self.checked_out(&request, &mut attempts, &span))).await;
        if let Ok(receipt) = &done {
            trace.correlation.get_or_insert(receipt.checkout.uuid());
        }
        self.ends(watched, trace, outcome(&done, CheckoutError::class), attempts);
        done
    }

    async fn checked_out(
        &self,
        request: &CheckoutRequest,
        attempts: &mut u32,
        span: &Span,
    ) -> Result<CheckoutReceipt, CheckoutError> {
        let mut levels = None;
        let mut attempt = 0;
        loop {
            attempt += 1;
            *attempts = attempt;
            match self.begin_checkout(request, levels.take()).await {
                Ok(Begun::Started { party, awaits }) => {
                    span.correlates(Self::saga_metadata(&party).correlation);
                    let party = self.drive(party, awaits, true).await?;
                    return receipt(&party);
                }
                Ok(Begun::Known(checkout)) => return self.resume_checkout(checkout).await,
                Err(CheckoutError::Commit(CommitError::Stale { .. })) if attempt < MAX_ATTEMPTS => {
                    self.pause(attempt).await;
                }
                Err(CheckoutError::Commit(CommitError::Stale { .. })) => {
                    return Err(CheckoutError::Conflict { attempts: attempt });
                }
                // Forty random bits met an older number: take another one.
                Err(CheckoutError::Commit(CommitError::Taken { key, .. }))
                    if key.scope == NUMBER_SCOPE && attempt < MAX_ATTEMPTS => {}
                Err(CheckoutError::Commit(CommitError::Short(short))) => {
                    levels = Some(self.replan(request, short, attempt).await?);
                }
                Err(other) => return Err(other),
            }
        }
    }

    /// What came of a checkout, after it was helped on as far as it can go. For its buyer, and for staff.
    ///
    /// # Errors
    ///
    /// [`CheckoutError`] where there is none, it is somebody else's, or a port fails.
    pub async fn resume_checkout(&self, checkout: CheckoutId) -> Result<CheckoutReceipt, CheckoutError> {
        let party = self.party(checkout).await?;
        let owner = party.saga.state.as_ref().map(Checkout::owner);
        authorise(&self.request.principal, Permission::new(Checkout::NAME, "read"), owner)?;
        let party = self.help(party).await?;
        receipt(&party)
    }
}

/// Tells what is short: promotions that are used up, or stock.
pub(super) fn sort_shortage(short: Vec<Shortage>) -> CheckoutError {
    let (promotions, stock): (Vec<_>, Vec<_>) =
        short.into_iter().partition(|short| short.pool.as_str().starts_with("promotion"));
    if stock.is_empty() {
        CheckoutError::PromotionExhausted(promotions)
    } else {
        CheckoutError::InsufficientStock(stock)
    }
}

fn receipt(party: &Party) -> Result<CheckoutReceipt, CheckoutError> {
    let refusal = || CheckoutError::Internal(crate::checkout::CheckoutRefusal::NotFound.into());
    let saga = party.saga.state.as_ref().ok_or_else(refusal)?;
    let order = party.order.state.as_ref().ok_or_else(refusal)?;
    let number = order.number().cloned().ok_or_else(refusal)?;
    let (checkout, total) = (saga.id(), saga.plan().total);
    Ok(CheckoutReceipt { checkout, order: party.order.id, number, total, status: status(party, saga) })
}

fn status(party: &Party, saga: &Checkout) -> CheckoutStatus {
    let payment = party.payment.state.as_ref();
    match saga.status() {
        Status::Completed => CheckoutStatus::Confirmed,
        Status::Running(step) | Status::Waiting(step) if step > Step::Confirm => CheckoutStatus::Confirmed,
        Status::Running(_) | Status::Waiting(_) => match payment {
            Some(payment) if payment.status() == PaymentStatus::RequiresAction => {
                let url = payment.ledger().action.clone().unwrap_or_else(|| "".into());
                CheckoutStatus::ActionRequired { url, deadline: saga.plan().deadline }
            }
            _ => CheckoutStatus::Pending,
        },
        Status::Compensating(_) | Status::Compensated => {
            let declined = payment.and_then(|payment| payment.ledger().failed.clone());
            let code = declined.or_else(|| saga.failure().map(|(code, _)| code.clone()));
            CheckoutStatus::Failed { code: code.unwrap_or_else(|| "failed".into()) }
        }
        Status::ManualIntervention(_) => CheckoutStatus::UnderReview,
    }
}
