//! What gateways said, folded without regard to the order of arrival.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::port::payment::{GatewayRef, IdempotencyKey};
use crate::value::Money;
use crate::value::id::RefundId;

/// Where a payment stands, derived from its ledger; greater means that it takes precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PaymentStatus {
    /// Decided, not asked.
    Created,
    /// The gateway was asked.
    Processing,
    /// Nobody knows what came of the call.
    Unknown,
    /// The buyer has to confirm it.
    RequiresAction,
    /// The gateway refuses.
    Failed,
    /// Money is reserved.
    Authorized,
    /// The deadline passed.
    Expired,
    /// Given up.
    Voided,
    /// Some of the money was taken.
    PartiallyCaptured,
    /// All of the money was taken.
    Captured,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RefundStatus {
    /// The gateway was or is about to be asked.
    Pending,
    /// Money was given back.
    Succeeded,
    /// The gateway refuses; a new refund may be asked for.
    Failed,
}

/// A refund that we asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefundEntry {
    /// The key of the call.
    pub key: IdempotencyKey,
    /// How much.
    pub amount: Money,
    /// Where it stands.
    pub status: RefundStatus,
}

/// A call that was announced and has no outcome yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pending {
    /// How much.
    pub amount: Money,
    /// What it asks for.
    pub kind: PendingKind,
}

/// What an announced call asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum PendingKind {
    /// Reserve or take money.
    Authorize,
    /// Take reserved money.
    Capture,
    /// Give reserved money up.
    Void,
    /// Give money back.
    Refund(RefundId),
}

/// The facts of a payment. Sums over sets: no order, no repetition.
#[allow(clippy::struct_excessive_bools)] // each is a fact of its own, not a state
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Ledger {
    /// Whether the gateway was asked.
    pub sent: bool,
    /// Whether an answer went missing.
    pub unknown: bool,
    /// The gateway's charge, once it is known.
    pub charge: Option<GatewayRef>,
    /// Where the buyer has to confirm it.
    pub action: Option<Arc<str>>,
    /// What is or was reserved, in minor units.
    pub authorized: i64,
    /// What was taken by which operation, in minor units; see [`captured`](Self::captured) for the sum.
    pub captures: BTreeMap<GatewayRef, i64>,
    /// Why the gateway refused.
    pub failed: Option<Arc<str>>,
    /// Whether the deadline passed.
    pub expired: bool,
    /// Whether it was given up, by us or by the gateway.
    pub voided: bool,
    /// What was given back by which operation, in minor units.
    pub refunds: BTreeMap<GatewayRef, i64>,
    /// What is disputed, in minor units.
    pub disputes: BTreeMap<GatewayRef, i64>,
    /// What went back by disputes, in minor units.
    pub charged_back: BTreeMap<GatewayRef, i64>,
}

fn total(entries: &BTreeMap<GatewayRef, i64>) -> i64 {
    entries.values().fold(0, |sum, amount| sum.saturating_add(*amount))
}

impl Ledger {
    /// What was taken, in minor units.
    ///
    /// A capture under the charge's own name says what was taken of the charge in all: it is how a gateway
    /// tells the state of a charge that is looked up, also where calls of their own took the money. So it
    /// stands for them and is not added to them.
    pub fn captured(&self) -> i64 {
        let whole = self.charge.as_ref().and_then(|charge| self.captures.get(charge)).copied().unwrap_or(0);
        whole.max(total(&self.captures).saturating_sub(whole))
    }

    /// What was given back, in minor units.
    pub fn refunded(&self) -> i64 {
        total(&self.refunds)
    }

    /// What went back by disputes, in minor units.
    pub fn lost(&self) -> i64 {
        total(&self.charged_back)
    }

    /// Where a payment of this amount (minor units) stands.
    pub fn status(&self, amount: i64) -> PaymentStatus {
        let captured = self.captured();
        if captured >= amount && captured > 0 {
            PaymentStatus::Captured
        } else if captured > 0 {
            PaymentStatus::PartiallyCaptured
        } else if self.voided {
            PaymentStatus::Voided
        } else if self.expired {
            PaymentStatus::Expired
        } else if self.authorized > 0 {
            PaymentStatus::Authorized
        } else if self.failed.is_some() {
            PaymentStatus::Failed
        } else if self.action.is_some() {
            PaymentStatus::RequiresAction
        } else if self.unknown {
            PaymentStatus::Unknown
        } else if self.sent {
            PaymentStatus::Processing
        } else {
            PaymentStatus::Created
        }
    }

    /// Whether the attempt is over from the shop's point of view, whatever arrives later.
    ///
    /// A failure that is told behind money that was taken is that of an earlier try of the buyer's, whose
    /// message came late: what was taken outranks it, as in [`status`](Self::status). Whoever gives an
    /// attempt up because it failed says so with [`PaymentCommand::Cancel`](super::PaymentCommand::Cancel).
    pub fn given_up(&self) -> bool {
        self.ended() || (self.failed.is_some() && self.captured() == 0)
    }

    /// Whether the shop or the gateway has ended the attempt.
    pub const fn ended(&self) -> bool {
        self.voided || self.expired
    }
}
