//! A payment: decisions on the one side, the ledger of facts on the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::command::PaymentCommand;
use super::error::PaymentError;
use super::event::PaymentEvent;
use super::ledger::{Ledger, PaymentStatus, Pending, PendingKind, RefundEntry, RefundStatus};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::port::payment::{GatewayRef, IdempotencyKey};
use crate::value::id::{CheckoutId, Id, OrderId, PaymentId, RefundId, marker};
use crate::value::time::Timestamp;
use crate::value::{Money, Reason};

/// The name of the timer behind which the outcome of a call is looked up.
pub const RESOLVE: &str = "resolve";

/// The scope in which a gateway's charge points to its payment.
pub const REFERENCE_SCOPE: &str = "payment-reference";

/// The key under which a payment is found by its gateway's charge.
pub fn reference_key(gateway: &str, charge: &GatewayRef) -> String {
    format!("{gateway}:{}", charge.0)
}

/// One attempt to pay an order at one gateway.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub(super) id: PaymentId,
    pub(super) order: OrderId,
    checkout: CheckoutId,
    pub(super) gateway: Arc<str>,
    method: Arc<str>,
    pub(super) amount: Money,
    capture: bool,
    deadline: Timestamp,
    pub(super) ledger: Ledger,
    /// Calls that were announced and have no outcome yet.
    pub(super) pending: BTreeMap<IdempotencyKey, Pending>,
    pub(super) refunds: BTreeMap<RefundId, RefundEntry>,
    /// How many captures were asked for, so that each has a key of its own.
    captures_asked: u32,
    /// Whether the gateway has given up what it had reserved.
    pub(super) unreserved: bool,
}

impl Payment {
    /// What it pays.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// For which checkout.
    pub const fn checkout(&self) -> CheckoutId {
        self.checkout
    }

    /// At which gateway.
    pub fn gateway(&self) -> &str {
        &self.gateway
    }

    /// The host's token of the means of payment.
    pub const fn method(&self) -> &Arc<str> {
        &self.method
    }

    /// How much it is to pay.
    pub const fn amount(&self) -> Money {
        self.amount
    }

    /// Whether the money is taken with the authorisation.
    pub const fn captures_at_once(&self) -> bool {
        self.capture
    }

    /// When the attempt is given up.
    pub const fn deadline(&self) -> Timestamp {
        self.deadline
    }

    /// The facts.
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Where it stands.
    pub fn status(&self) -> PaymentStatus {
        self.ledger.status(self.amount.minor())
    }

    /// Calls that were announced and have no outcome yet.
    pub const fn pending(&self) -> &BTreeMap<IdempotencyKey, Pending> {
        &self.pending
    }

    /// The refunds that were asked for.
    pub const fn refunds(&self) -> &BTreeMap<RefundId, RefundEntry> {
        &self.refunds
    }

    /// Whether the whole amount is reserved or taken, and the attempt was not given up.
    pub fn covers(&self) -> bool {
        let minor = self.amount.minor();
        !self.ledger.given_up() && (self.ledger.authorized >= minor || self.ledger.captured() >= minor)
    }

    /// What can still be given back: captured − charged back − refunds, done and pending.
    pub fn refundable(&self) -> Money {
        let pending = self.refunds.values().filter(|refund| refund.status == RefundStatus::Pending);
        let pending = pending.fold(0_i64, |sum, refund| sum.saturating_add(refund.amount.minor()));
        let left = self.ledger.captured().saturating_sub(self.ledger.lost());
        let left = left.saturating_sub(self.ledger.refunded()).saturating_sub(pending);
        Money::from_minor(left.max(0), self.amount.currency())
    }

    /// The key of the refund with this id.
    pub fn refund_key(&self, refund: RefundId) -> IdempotencyKey {
        IdempotencyKey(format!("{}:refund:{refund}", self.id).into())
    }

    fn capture_key(&self, number: u32) -> IdempotencyKey {
        IdempotencyKey(format!("{}:capture:{number}", self.id).into())
    }

    /// Whether a capture was asked for under this key.
    pub(super) fn is_capture_key(&self, key: &IdempotencyKey) -> bool {
        (0..self.captures_asked).any(|number| self.capture_key(number) == *key)
    }

    fn void_key(&self) -> IdempotencyKey {
        IdempotencyKey(format!("{}:void", self.id).into())
    }

    /// Money that arrived for an attempt that was given up goes back: a void where it is only reserved, a
    /// refund of what was taken.
    pub(super) fn send_back(&self, resolve_at: Timestamp) -> Vec<PaymentEvent> {
        let back = self.refundable();
        if back.is_positive() {
            // One refund per amount captured so far: a repeat derives the same id and is no second refund.
            let name = format!("late:{}", self.ledger.captured());
            let refund = RefundId::derived(self.id.uuid(), name.as_bytes());
            if self.refunds.contains_key(&refund) {
                return Vec::new();
            }
            let key = self.refund_key(refund);
            let reason = Reason::new("money arrived behind the end of the attempt");
            return reason.map_or_else(
                |_| Vec::new(),
                |reason| {
                    vec![PaymentEvent::RefundRequested { refund, key, amount: back, reason, resolve_at }]
                },
            );
        }
        let key = self.void_key();
        let reserved = self.ledger.authorized > 0 && self.ledger.captured() == 0 && !self.unreserved;
        if reserved && !self.pending.contains_key(&key) {
            return vec![PaymentEvent::VoidRequested { key, resolve_at }];
        }
        Vec::new()
    }

    fn capture(&self, amount: Money, resolve_at: Timestamp) -> Result<Vec<PaymentEvent>, PaymentError> {
        let status = self.status();
        if !matches!(status, PaymentStatus::Authorized | PaymentStatus::PartiallyCaptured)
            || self.ledger.given_up()
        {
            return Err(PaymentError::IllegalTransition { status, command: "capture" });
        }
        let pending = self.pending.values().filter(|call| call.kind == PendingKind::Capture);
        let pending = pending.fold(0_i64, |sum, call| sum.saturating_add(call.amount.minor()));
        let left = self.ledger.authorized.saturating_sub(self.ledger.captured()).saturating_sub(pending);
        let authorized = Money::from_minor(left.max(0), self.amount.currency());
        if !amount.is_positive() || amount.checked_cmp(authorized)?.is_gt() {
            return Err(PaymentError::OverCapture { wanted: amount, authorized });
        }
        let key = self.capture_key(self.captures_asked);
        Ok(vec![PaymentEvent::CaptureRequested { key, amount, resolve_at }])
    }

    fn refund(
        &self,
        refund: RefundId,
        amount: Money,
        reason: Reason,
        resolve_at: Timestamp,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        if let Some(known) = self.refunds.get(&refund) {
            return if known.amount == amount { Ok(Vec::new()) } else { Err(PaymentError::RefundReused) };
        }
        let refundable = self.refundable();
        if !amount.is_positive() || amount.checked_cmp(refundable)?.is_gt() {
            return Err(PaymentError::OverRefund { wanted: amount, refundable });
        }
        let key = self.refund_key(refund);
        Ok(vec![PaymentEvent::RefundRequested { refund, key, amount, reason, resolve_at }])
    }

    /// Gives the attempt up. What may have happened at the gateway is undone there, not assumed.
    fn cancel(&self, expire: bool, resolve_at: Timestamp) -> Result<Vec<PaymentEvent>, PaymentError> {
        if self.ledger.ended() {
            return Ok(self.send_back(resolve_at));
        }
        let end = if expire { PaymentEvent::Expired } else { PaymentEvent::Voided { key: None } };
        match self.status() {
            // The pending call may still have its effect: only its outcome ends the attempt.
            status @ (PaymentStatus::Unknown | PaymentStatus::Processing)
                if self.pending.values().any(|call| call.kind == PendingKind::Authorize) =>
            {
                Err(PaymentError::IllegalTransition { status, command: "cancel" })
            }
            PaymentStatus::Authorized if !expire => Ok(self.send_back(resolve_at)),
            PaymentStatus::PartiallyCaptured | PaymentStatus::Captured if !expire => {
                Ok(self.send_back(resolve_at))
            }
            status @ (PaymentStatus::PartiallyCaptured | PaymentStatus::Captured) => {
                Err(PaymentError::IllegalTransition { status, command: "expire" })
            }
            PaymentStatus::Authorized => {
                let mut events = vec![end];
                events.extend(self.send_back(resolve_at));
                Ok(events)
            }
            _ => Ok(vec![end]),
        }
    }
}

impl Aggregate for Payment {
    const NAME: &'static str = "payment";
    type Root = marker::Payment;
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;

    fn decide(
        state: Option<&Self>,
        command: PaymentCommand,
        now: Timestamp,
    ) -> Result<Vec<PaymentEvent>, PaymentError> {
        use PaymentCommand as C;
        let known = match (state, command) {
            (
                None,
                C::Initiate {
                    payment,
                    order,
                    checkout,
                    gateway,
                    method,
                    amount,
                    capture,
                    deadline,
                    key,
                    resolve_at,
                },
            ) => {
                if !amount.is_positive() {
                    return Err(PaymentError::NothingToPay);
                }
                return Ok(vec![
                    PaymentEvent::Initiated {
                        payment,
                        order,
                        checkout,
                        gateway,
                        method,
                        amount,
                        capture,
                        deadline,
                    },
                    PaymentEvent::RequestSent { key, resolve_at },
                ]);
            }
            (None, _) => return Err(PaymentError::NotFound),
            (Some(known), C::Initiate { order, checkout, amount, .. }) => {
                let same = (known.order, known.checkout, known.amount) == (order, checkout, amount);
                return if same { Ok(Vec::new()) } else { Err(PaymentError::AlreadyInitiated) };
            }
            (Some(known), command) => (known, command),
        };
        match known {
            (payment, C::MarkUnknown { key, resolve_at }) => Ok(payment.mark_unknown(key, resolve_at)),
            (payment, C::Record { charge, fact, resolve_at }) => payment.record(&charge, fact, resolve_at),
            (payment, C::RecordNotFound) => Ok(payment.record_not_found()),
            (payment, C::Capture { amount, resolve_at }) => payment.capture(amount, resolve_at),
            (payment, C::Cancel { resolve_at }) => payment.cancel(false, resolve_at),
            (payment, C::Expire { resolve_at }) => payment.cancel(true, resolve_at),
            (payment, C::RequestRefund { refund, amount, reason, resolve_at }) => {
                payment.refund(refund, amount, reason, resolve_at)
            }
            (payment, C::RecordRefusal { key, code }) => {
                Ok(payment.followed_up(payment.record_refusal(key, code), now))
            }
            (payment, C::RecordSettled { key, operation, amount }) => {
                Ok(payment.followed_up(payment.record_settled(key, operation, amount)?, now))
            }
            (_, C::Initiate { .. }) => Err(PaymentError::AlreadyInitiated),
        }
    }

    fn evolve(state: Option<Self>, event: &PaymentEvent) -> Result<Self, EvolveError> {
        match (state, event) {
            (
                None,
                PaymentEvent::Initiated {
                    payment,
                    order,
                    checkout,
                    gateway,
                    method,
                    amount,
                    capture,
                    deadline,
                },
            ) => Ok(Self {
                id: *payment,
                order: *order,
                checkout: *checkout,
                gateway: gateway.clone(),
                method: method.clone(),
                amount: *amount,
                capture: *capture,
                deadline: *deadline,
                ledger: Ledger::default(),
                pending: BTreeMap::new(),
                refunds: BTreeMap::new(),
                captures_asked: 0,
                unreserved: false,
            }),
            (None, _) | (Some(_), PaymentEvent::Initiated { .. }) => Err(EvolveError::of(event)),
            (Some(mut payment), event) => {
                payment.apply(event);
                Ok(payment)
            }
        }
    }

    fn effects(_id: Id<marker::Payment>, event: &PaymentEvent) -> Effects {
        let cancel = |effects: Effects, key: &Option<IdempotencyKey>| match key {
            Some(key) => effects.cancel_timer(resolve_timer(key)),
            None => effects,
        };
        match event {
            PaymentEvent::RequestSent { resolve_at, .. }
            | PaymentEvent::OutcomeUnknown { key: None, resolve_at } => {
                Effects::none().timer(RESOLVE, *resolve_at)
            }
            PaymentEvent::OutcomeUnknown { key: Some(key), resolve_at }
            | PaymentEvent::CaptureRequested { key, resolve_at, .. }
            | PaymentEvent::VoidRequested { key, resolve_at }
            | PaymentEvent::RefundRequested { key, resolve_at, .. } => {
                Effects::none().timer(resolve_timer(key), *resolve_at)
            }
            // From here on a callback or the checkout's deadline goes on.
            PaymentEvent::ActionRequired { .. }
            | PaymentEvent::Authorized { .. }
            | PaymentEvent::Failed { .. }
            | PaymentEvent::Expired => Effects::none().cancel_timer(RESOLVE),
            PaymentEvent::Captured { key, .. } | PaymentEvent::Voided { key } => {
                cancel(Effects::none().cancel_timer(RESOLVE), key)
            }
            PaymentEvent::CaptureFailed { key, .. } | PaymentEvent::RefundFailed { key, .. } => {
                Effects::none().cancel_timer(resolve_timer(key))
            }
            PaymentEvent::Refunded { key, .. } => cancel(Effects::none(), key),
            PaymentEvent::Referenced { gateway, charge } => {
                Effects::none().claim(REFERENCE_SCOPE, reference_key(gateway, charge))
            }
            PaymentEvent::Initiated { .. }
            | PaymentEvent::ProcessingReported { .. }
            | PaymentEvent::DisputeOpened { .. }
            | PaymentEvent::DisputeClosed { .. } => Effects::none(),
        }
    }
}

/// The timer behind which the outcome of a capture, void or refund is looked up.
fn resolve_timer(key: &IdempotencyKey) -> String {
    format!("{RESOLVE}:{}", key.0)
}

impl Payment {
    pub(super) fn call(&mut self, key: &IdempotencyKey, amount: Money, kind: PendingKind) {
        self.pending.insert(key.clone(), Pending { amount, kind });
    }

    pub(super) fn know(&mut self, charge: &GatewayRef) {
        if self.ledger.charge.is_none() {
            self.ledger.charge = Some(charge.clone());
        }
    }

    pub(super) fn asked_capture(&mut self) {
        self.captures_asked = self.captures_asked.saturating_add(1);
    }
}
