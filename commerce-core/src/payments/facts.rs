//! Facts: recorded in whatever order they arrive, each once.

use std::sync::Arc;

use super::error::PaymentError;
use super::event::PaymentEvent;
use super::ledger::{PendingKind, RefundStatus};
use super::state::Payment;
use crate::port::payment::{GatewayFact, GatewayRef, IdempotencyKey};
use crate::value::Money;
use crate::value::time::Timestamp;

type Decision = Result<Vec<PaymentEvent>, PaymentError>;

impl Payment {
    /// Records what the gateway says, and what follows for an attempt that was given up.
    pub(super) fn record(&self, charge: &GatewayRef, fact: GatewayFact, resolve_at: Timestamp) -> Decision {
        if self.ledger.charge.as_ref().is_some_and(|known| known != charge) {
            return Err(PaymentError::ChargeMismatch);
        }
        let mut events = self.fact(charge, fact)?;
        if self.ledger.charge.is_none() && !events.is_empty() {
            let gateway = self.gateway.clone();
            events.insert(0, PaymentEvent::Referenced { gateway, charge: charge.clone() });
        }
        Ok(self.followed_up(events, resolve_at))
    }

    /// What was recorded, and what follows from it for an attempt that was given up.
    pub(super) fn followed_up(
        &self,
        mut events: Vec<PaymentEvent>,
        resolve_at: Timestamp,
    ) -> Vec<PaymentEvent> {
        let mut after = self.clone();
        for event in &events {
            after.apply(event);
        }
        if !events.is_empty() && after.ledger.given_up() {
            events.extend(after.send_back(resolve_at));
        }
        events
    }

    fn fact(&self, charge: &GatewayRef, fact: GatewayFact) -> Decision {
        let charge = charge.clone();
        let once = |known: bool, event: PaymentEvent| if known { Vec::new() } else { vec![event] };
        Ok(match fact {
            GatewayFact::Processing => {
                let known = self.ledger.charge.is_some();
                once(known, PaymentEvent::ProcessingReported { charge })
            }
            GatewayFact::ActionRequired { url } => {
                let known = self.ledger.action.as_ref() == Some(&url);
                once(known, PaymentEvent::ActionRequired { charge, url })
            }
            GatewayFact::Authorized { amount } => {
                self.expect_amount(amount)?;
                once(self.ledger.authorized > 0, PaymentEvent::Authorized { charge, amount })
            }
            GatewayFact::Captured { operation, amount } => self.captured(charge, operation, amount)?,
            GatewayFact::Declined { code } => {
                once(self.ledger.failed.is_some(), PaymentEvent::Failed { order: self.order, code })
            }
            GatewayFact::Voided => {
                let key = self.pending_key(PendingKind::Void);
                once(self.ledger.voided, PaymentEvent::Voided { key })
            }
            GatewayFact::Refunded { operation, amount } => self.refunded_fact(operation, amount)?,
            GatewayFact::DisputeOpened { operation, amount } => {
                self.same_currency(amount)?;
                let known = self.ledger.disputes.contains_key(&operation);
                once(known, PaymentEvent::DisputeOpened { operation, amount })
            }
            GatewayFact::DisputeClosed { operation, charged_back } => {
                self.same_currency(charged_back)?;
                let known = self.ledger.charged_back.contains_key(&operation);
                once(known, PaymentEvent::DisputeClosed { operation, charged_back })
            }
        })
    }

    /// Money that was taken is recorded whatever its amount: refusing some would make what is known depend
    /// on the order of arrival.
    fn captured(&self, charge: GatewayRef, operation: GatewayRef, amount: Money) -> Decision {
        self.same_currency(amount)?;
        if let Some(known) = self.ledger.captures.get(&operation) {
            let expected = Money::from_minor(*known, amount.currency());
            return if expected == amount {
                Ok(Vec::new())
            } else {
                Err(PaymentError::AmountMismatch { expected, reported: amount })
            };
        }
        if !amount.is_positive() {
            return Err(PaymentError::AmountMismatch { expected: self.amount, reported: amount });
        }
        let asked = self
            .pending
            .iter()
            .find(|(_, call)| call.kind == PendingKind::Capture && call.amount == amount)
            .map(|(key, _)| key.clone());
        Ok(vec![PaymentEvent::Captured { charge, operation, amount, key: asked }])
    }

    /// A refund that the gateway reports is ours where one of that amount is pending.
    fn refunded_fact(&self, operation: GatewayRef, amount: Money) -> Decision {
        self.same_currency(amount)?;
        if self.ledger.refunds.contains_key(&operation) {
            return Ok(Vec::new());
        }
        let ours = self
            .refunds
            .iter()
            .find(|(_, refund)| refund.status == RefundStatus::Pending && refund.amount == amount);
        let refund = ours.map(|(id, _)| *id);
        let key = ours.map(|(_, refund)| refund.key.clone());
        Ok(vec![PaymentEvent::Refunded { refund, key, operation, amount }])
    }

    /// The gateway never saw the authorisation and will not act on it.
    pub(super) fn record_not_found(&self) -> Vec<PaymentEvent> {
        let open = self.pending.values().any(|call| call.kind == PendingKind::Authorize);
        let unresolved = open && self.ledger.authorized == 0 && self.ledger.captured() == 0;
        if !unresolved || self.ledger.given_up() {
            return Vec::new();
        }
        vec![PaymentEvent::Failed { order: self.order, code: "not-received".into() }]
    }

    /// An announced call is over: the gateway carried it out.
    pub(super) fn record_settled(
        &self,
        key: IdempotencyKey,
        operation: GatewayRef,
        amount: Money,
    ) -> Decision {
        self.same_currency(amount)?;
        let Some(call) = self.pending.get(&key) else {
            return self.settled_before(&key, operation, amount);
        };
        if call.kind != PendingKind::Void && call.amount != amount {
            return Err(PaymentError::AmountMismatch { expected: call.amount, reported: amount });
        }
        let charge = self.ledger.charge.clone().unwrap_or_else(|| operation.clone());
        Ok(match call.kind {
            PendingKind::Authorize => return Err(PaymentError::UnknownKey),
            PendingKind::Capture if self.ledger.captures.contains_key(&operation) => Vec::new(),
            PendingKind::Capture => {
                vec![PaymentEvent::Captured { charge, operation, amount, key: Some(key) }]
            }
            PendingKind::Void => vec![PaymentEvent::Voided { key: Some(key) }],
            PendingKind::Refund(_) if self.ledger.refunds.contains_key(&operation) => Vec::new(),
            PendingKind::Refund(refund) => {
                vec![PaymentEvent::Refunded { refund: Some(refund), key: Some(key), operation, amount }]
            }
        })
    }

    /// The answer to a call that is over by a callback. Callbacks are matched by their amount: where that
    /// was the callback of a twin, this operation is the twin's outcome.
    fn settled_before(&self, key: &IdempotencyKey, operation: GatewayRef, amount: Money) -> Decision {
        if self.refunds.values().any(|refund| refund.key == *key) {
            return self.refunded_fact(operation, amount);
        }
        if self.is_capture_key(key) {
            let charge = self.ledger.charge.clone().unwrap_or_else(|| operation.clone());
            return self.captured(charge, operation, amount);
        }
        if self.ledger.voided { Ok(Vec::new()) } else { Err(PaymentError::UnknownKey) }
    }

    /// An announced call is over: the gateway refuses it for good.
    pub(super) fn record_refusal(&self, key: IdempotencyKey, code: Arc<str>) -> Vec<PaymentEvent> {
        let Some(call) = self.pending.get(&key) else { return Vec::new() };
        match call.kind {
            PendingKind::Authorize => vec![PaymentEvent::Failed { order: self.order, code }],
            PendingKind::Capture => vec![PaymentEvent::CaptureFailed { key, code }],
            // What cannot be voided was captured or is gone already; the gateway's own report will tell.
            PendingKind::Void => vec![PaymentEvent::Voided { key: Some(key) }],
            PendingKind::Refund(refund) => vec![PaymentEvent::RefundFailed { refund, key, code }],
        }
    }

    pub(super) fn mark_unknown(&self, key: IdempotencyKey, resolve_at: Timestamp) -> Vec<PaymentEvent> {
        let Some(call) = self.pending.get(&key) else { return Vec::new() };
        let key = (call.kind != PendingKind::Authorize).then_some(key);
        vec![PaymentEvent::OutcomeUnknown { key, resolve_at }]
    }

    fn pending_key(&self, kind: PendingKind) -> Option<IdempotencyKey> {
        self.pending.iter().find(|(_, call)| call.kind == kind).map(|(key, _)| key.clone())
    }

    fn same_currency(&self, reported: Money) -> Result<(), PaymentError> {
        self.amount.checked_cmp(reported).map(|_| ()).map_err(PaymentError::from)
    }

    fn expect_amount(&self, reported: Money) -> Result<(), PaymentError> {
        self.same_currency(reported)?;
        if reported == self.amount {
            Ok(())
        } else {
            Err(PaymentError::AmountMismatch { expected: self.amount, reported })
        }
    }

    /// Folds one event into the ledger.
    pub(super) fn apply(&mut self, event: &PaymentEvent) {
        use PaymentEvent as E;
        match event {
            E::Initiated { .. } => {}
            E::RequestSent { key, .. } => {
                self.ledger.sent = true;
                self.call(key, self.amount, PendingKind::Authorize);
            }
            E::OutcomeUnknown { key, .. } => self.ledger.unknown |= key.is_none(),
            E::Referenced { charge, .. } | E::ProcessingReported { charge } => self.know(charge),
            E::ActionRequired { charge, url } => {
                self.know(charge);
                self.settle_authorize();
                self.ledger.action = Some(url.clone());
            }
            E::Authorized { charge, amount } => {
                self.know(charge);
                self.settle_authorize();
                self.ledger.authorized = self.ledger.authorized.max(amount.minor());
            }
            E::CaptureRequested { key, amount, .. } => {
                self.asked_capture();
                self.call(key, *amount, PendingKind::Capture);
            }
            E::Captured { charge, operation, amount, key } => {
                self.know(charge);
                self.settle_authorize();
                if let Some(key) = key {
                    self.pending.remove(key);
                }
                self.ledger.captures.insert(operation.clone(), amount.minor());
            }
            E::CaptureFailed { key, .. } => drop(self.pending.remove(key)),
            E::Failed { code, .. } => {
                self.settle_authorize();
                self.ledger.failed = Some(code.clone());
            }
            E::Expired => {
                self.settle_authorize();
                self.ledger.expired = true;
            }
            E::VoidRequested { key, .. } => {
                let reserved = Money::from_minor(self.ledger.authorized, self.amount.currency());
                self.call(key, reserved, PendingKind::Void);
            }
            E::Voided { key } => {
                self.settle_authorize();
                // Without a call and without a reservation it is our word only: money may be reserved later.
                self.unreserved |= key.is_some() || self.ledger.authorized > 0;
                if let Some(key) = key {
                    self.pending.remove(key);
                }
                self.ledger.voided = true;
            }
            E::RefundRequested { .. } | E::Refunded { .. } | E::RefundFailed { .. } => {
                self.apply_refund(event);
            }
            E::DisputeOpened { operation, amount } => {
                self.ledger.disputes.insert(operation.clone(), amount.minor());
            }
            E::DisputeClosed { operation, charged_back } => {
                self.ledger.charged_back.insert(operation.clone(), charged_back.minor());
            }
        }
    }

    fn apply_refund(&mut self, event: &PaymentEvent) {
        use super::ledger::RefundEntry;
        match event {
            PaymentEvent::RefundRequested { refund, key, amount, .. } => {
                self.call(key, *amount, PendingKind::Refund(*refund));
                let entry = RefundEntry { key: key.clone(), amount: *amount, status: RefundStatus::Pending };
                self.refunds.insert(*refund, entry);
            }
            PaymentEvent::Refunded { refund, key, operation, amount } => {
                if let Some(key) = key {
                    self.pending.remove(key);
                }
                if let Some(entry) = refund.and_then(|refund| self.refunds.get_mut(&refund)) {
                    entry.status = RefundStatus::Succeeded;
                }
                self.ledger.refunds.insert(operation.clone(), amount.minor());
            }
            PaymentEvent::RefundFailed { refund, key, .. } => {
                self.pending.remove(key);
                if let Some(entry) = self.refunds.get_mut(refund) {
                    entry.status = RefundStatus::Failed;
                }
            }
            _ => {}
        }
    }

    /// The call that began the attempt has an outcome.
    fn settle_authorize(&mut self) {
        self.pending.retain(|_, call| call.kind != PendingKind::Authorize);
    }
}
