//! What can be asked of promotions and their uses.

use serde::Serialize;

use super::promotion::Promotion;
use super::redemption::Redemption;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::value::id::{CheckoutId, OrderId, PromotionId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Money, PromotionCode, PromotionRule, Reason};

/// Asks something of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum PromotionCommand {
    /// Prepares a promotion. Repeating it is a no-op.
    Create {
        /// What it gives and when; names this promotion. Its version becomes 1.
        rule: PromotionRule,
        /// The most uses; `None` for any number.
        usage_limit: Option<u32>,
        /// The most uses of one customer; `None` for any number.
        per_customer_limit: Option<u32>,
        /// The most that it may give in all; `None` for any amount.
        budget: Option<Money>,
        /// Whether a use comes back when its order is cancelled after it was confirmed.
        returns_usage: bool,
    },
    /// Puts it in force.
    Activate,
    /// Suspends it.
    Pause,
    /// Puts it in force again.
    Resume,
    /// Changes how often and how much. Refused by the pools below what is held and used.
    ChangeLimits {
        /// The most uses; `None` for any number.
        usage_limit: Option<u32>,
        /// The most uses of one customer; `None` for any number.
        per_customer_limit: Option<u32>,
        /// The most that it may give in all; `None` for any amount.
        budget: Option<Money>,
    },
    /// Changes what it gives or when; its version becomes the next.
    Revise {
        /// The rule from now on.
        rule: PromotionRule,
    },
    /// Ends it for good.
    End,
    /// Puts it away and frees its code.
    Archive,
}

impl Command for PromotionCommand {
    type Target = Promotion;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Create { .. } => "create",
            Self::Activate => "activate",
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::ChangeLimits { .. } => "change-limits",
            Self::Revise { .. } => "revise",
            Self::End => "end",
            Self::Archive => "archive",
        };
        Permission::new(Promotion::NAME, action)
    }
}

/// Asks something of a use of a promotion, whose id is [`redemption_id`](super::redemption_id).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum RedemptionCommand {
    /// Holds one use and its amount. Repeating it is a no-op.
    Hold {
        /// Of which promotion.
        promotion: PromotionId,
        /// Its version.
        version: u64,
        /// The code that the buyer gave.
        code: Option<PromotionCode>,
        /// For which checkout.
        checkout: CheckoutId,
        /// Who uses it.
        subject: SubjectId,
        /// The discount in all.
        amount: Money,
        /// Whether the promotion's uses are limited.
        limited: bool,
        /// The most uses of one customer.
        per_customer_limit: Option<u32>,
        /// Whether the promotion has a budget.
        budgeted: bool,
        /// Whether the use comes back when its order is cancelled after it was confirmed.
        returns_usage: bool,
        /// When the hold ends by itself.
        expires_at: Timestamp,
    },
    /// Holds on for longer.
    Extend {
        /// The new end.
        expires_at: Timestamp,
    },
    /// The order stands: it has used it. Possible until the hold was ended, also after its time.
    Redeem {
        /// Which order.
        order: OrderId,
    },
    /// Gives a held use back.
    Release {
        /// Why.
        reason: Reason,
    },
    /// The hold is over by the clock.
    Expire,
    /// The order that used it was cancelled.
    Reverse,
}

impl Command for RedemptionCommand {
    type Target = Redemption;

    fn permission(&self) -> Permission {
        let action = match self {
            Self::Hold { .. } => "hold",
            Self::Extend { .. } => "extend",
            Self::Redeem { .. } => "redeem",
            Self::Release { .. } => "release",
            Self::Expire => "expire",
            Self::Reverse => "reverse",
        };
        Permission::new(Redemption::NAME, action)
    }

    fn stands_alone(&self) -> bool {
        matches!(self, Self::Expire)
    }
}
