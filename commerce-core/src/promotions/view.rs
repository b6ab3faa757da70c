//! What can be asked about a promotion.

use serde::{Deserialize, Serialize};

use super::promotion::Promotion;
use super::state::PromotionStatus;
use crate::kernel::pool::PoolLevel;
use crate::value::time::Timestamp;
use crate::value::{PromotionRule, RejectReason};

/// Where a promotion stands at a time, with what follows from its window and its pools.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Being prepared.
    Draft,
    /// In force, but not begun.
    Scheduled,
    /// It can be used.
    Active,
    /// Suspended.
    Paused,
    /// No use or no budget is left.
    Exhausted,
    /// Over, by the clock or by a decision.
    Ended,
    /// Put away.
    Archived,
}

impl Promotion {
    /// Where it stands, by the levels of [`uses_pool`](super::uses_pool) and
    /// [`budget_pool`](super::budget_pool). Its window is half-open: `from` is in, `until` is out.
    pub fn standing(&self, now: Timestamp, uses: PoolLevel, budget: PoolLevel) -> Standing {
        let rule = self.rule();
        match self.status() {
            PromotionStatus::Draft => Standing::Draft,
            PromotionStatus::Archived => Standing::Archived,
            PromotionStatus::Ended => Standing::Ended,
            _ if rule.until.is_some_and(|until| now >= until) => Standing::Ended,
            PromotionStatus::Paused => Standing::Paused,
            PromotionStatus::Active if rule.from.is_some_and(|from| now < from) => Standing::Scheduled,
            PromotionStatus::Active => {
                let out_of_uses = self.usage_limit().is_some() && uses.holdable() == 0;
                let out_of_budget = self.budget().is_some() && budget.holdable() == 0;
                if out_of_uses || out_of_budget { Standing::Exhausted } else { Standing::Active }
            }
        }
    }

    /// The rule for pricing, withheld where the promotion cannot be used.
    pub fn offered(&self, now: Timestamp, uses: PoolLevel, budget: PoolLevel) -> PromotionRule {
        let withheld = match self.standing(now, uses, budget) {
            Standing::Active => None,
            Standing::Scheduled => Some(RejectReason::NotStarted),
            Standing::Exhausted => Some(RejectReason::Exhausted),
            Standing::Ended => Some(RejectReason::Ended),
            Standing::Draft | Standing::Paused | Standing::Archived => Some(RejectReason::Inactive),
        };
        PromotionRule { withheld, ..self.rule().clone() }
    }
}
