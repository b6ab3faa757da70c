//! What the gateway has booked.

use std::collections::BTreeMap;

use commerce_core::port::payment::{
    Authorize, Charge, ChargeState, GatewayError, GatewayRef, IdempotencyKey, Lookup, Operation, Settled,
};
use commerce_core::value::Money;
use commerce_core::value::id::{OrderId, PaymentId};

/// One charge and the sums on it, in minor units.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The gateway's name for it.
    pub reference: GatewayRef,
    /// The shop's payment.
    pub payment: PaymentId,
    /// The shop's order.
    pub order: OrderId,
    /// What was asked for.
    pub amount: Money,
    /// Where it stands.
    pub state: ChargeState,
    /// What was taken.
    pub captured: i64,
    /// What was given back.
    pub refunded: i64,
    /// The name of the last capture: the charge's own, unless a call of its own took the money.
    pub capture: GatewayRef,
}

/// Charges and operations by the keys of the calls that made them.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    charges: BTreeMap<IdempotencyKey, Account>,
    settled: BTreeMap<IdempotencyKey, Settled>,
    refused: BTreeMap<IdempotencyKey, &'static str>,
    numbers: u64,
}

impl Ledger {
    /// Every charge.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.charges.values()
    }

    /// What was taken and not given back, over all charges of an order, in minor units.
    pub fn kept(&self, order: OrderId) -> i64 {
        let of_order = self.accounts().filter(|account| account.order == order);
        of_order.map(|account| account.captured - account.refunded).sum()
    }

    /// Whether it has refused for good to give up what it reserved for a payment; it then ends there by itself.
    pub fn has_refused_to_void(&self, payment: PaymentId) -> bool {
        self.refused.contains_key(&IdempotencyKey(format!("{payment}:void").into()))
    }

    /// What is reserved and neither taken nor given up, over all charges of an order, in minor units.
    pub fn reserved(&self, order: OrderId) -> i64 {
        let of_order = self.accounts().filter(|account| account.order == order);
        of_order
            .filter(|account| account.state == ChargeState::Authorized)
            .map(|account| account.amount.minor() - account.captured)
            .sum()
    }

    pub(super) fn refuse(&mut self, key: &IdempotencyKey, code: &'static str) {
        self.refused.insert(key.clone(), code);
    }

    /// Why the call with this key was refused, which it stays.
    pub(super) fn refusal(&self, key: &IdempotencyKey) -> Option<&'static str> {
        self.refused.get(key).copied()
    }

    pub(super) fn settled(&self, key: &IdempotencyKey) -> Option<Settled> {
        self.settled.get(key).cloned()
    }

    pub(super) fn charge(&self, key: &IdempotencyKey) -> Option<Charge> {
        let account = self.charges.get(key)?;
        let Account { reference, state, amount, .. } = account;
        Some(Charge { reference: reference.clone(), state: state.clone(), amount: *amount })
    }

    pub(super) fn lookup(&self, key: &IdempotencyKey) -> Lookup {
        if let Some(charge) = self.charge(key) {
            Lookup::Charge(charge)
        } else if let Some(settled) = self.settled(key) {
            Lookup::Settled(settled)
        } else if let Some(code) = self.refusal(key) {
            Lookup::Refused { code: code.into() }
        } else {
            Lookup::NotFound
        }
    }

    fn number(&mut self, kind: &str) -> GatewayRef {
        self.numbers += 1;
        GatewayRef(format!("{kind}-{}", self.numbers).into())
    }

    pub(super) fn open(&mut self, request: &Authorize, state: ChargeState) -> Charge {
        let reference = self.number("charge");
        let captured = if state == ChargeState::Captured { request.amount.minor() } else { 0 };
        let account = Account {
            reference: reference.clone(),
            capture: reference.clone(),
            payment: request.payment,
            order: request.order,
            amount: request.amount,
            state: state.clone(),
            captured,
            refunded: 0,
        };
        self.charges.insert(request.key.clone(), account);
        Charge { reference, state, amount: request.amount }
    }

    pub(super) fn account(&mut self, reference: &GatewayRef) -> Option<&mut Account> {
        self.charges.values_mut().find(|account| account.reference == *reference)
    }

    fn book(
        &mut self,
        request: &Operation,
        kind: &str,
        apply: impl FnOnce(&mut Account, i64) -> bool,
    ) -> Result<Settled, GatewayError> {
        let refuse = |code: &'static str| Err(GatewayError::Declined { code: code.into() });
        let Some(account) = self.account(&request.charge) else { return refuse("no-such-charge") };
        if !apply(account, request.amount.minor()) {
            return refuse("not-possible");
        }
        let settled = Settled { reference: self.number(kind), amount: request.amount };
        self.settled.insert(request.key.clone(), settled.clone());
        Ok(settled)
    }

    pub(super) fn capture(&mut self, request: &Operation) -> Result<Settled, GatewayError> {
        let settled = self.book(request, "capture", |account, amount| {
            let room = account.amount.minor() - account.captured;
            let possible = account.state == ChargeState::Authorized && amount <= room;
            if possible {
                account.captured += amount;
                if account.captured == account.amount.minor() {
                    account.state = ChargeState::Captured;
                }
            }
            possible
        })?;
        if let Some(account) = self.account(&request.charge) {
            account.capture = settled.reference.clone();
        }
        Ok(settled)
    }

    pub(super) fn void(&mut self, request: &Operation) -> Result<Settled, GatewayError> {
        self.book(request, "void", |account, _| {
            let possible = account.captured == 0;
            if possible {
                account.state = ChargeState::Voided;
            }
            possible
        })
    }

    pub(super) fn refund(&mut self, request: &Operation) -> Result<Settled, GatewayError> {
        self.book(request, "refund", |account, amount| {
            let possible = amount <= account.captured - account.refunded;
            if possible {
                account.refunded += amount;
            }
            possible
        })
    }
}
