//! What happens to promotions and their uses. A stored event carries all that its effects need.

use serde::{Deserialize, Serialize};

use crate::event_types;
use crate::value::id::{CheckoutId, OrderId, PromotionId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Money, PromotionCode, PromotionRule, Reason};

/// What an event does to the directory of active automatic promotions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Nothing.
    Unchanged,
    /// It is listed from now on.
    Listed,
    /// It is not listed any more.
    Unlisted,
}

/// A fact about a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PromotionEvent {
    /// It was prepared.
    Created {
        /// What it gives and when.
        rule: Box<PromotionRule>,
        /// The most uses.
        usage_limit: Option<u32>,
        /// The most uses of one customer.
        per_customer_limit: Option<u32>,
        /// The most that it may give in all.
        budget: Option<Money>,
        /// Whether a use comes back when its order is cancelled after it was confirmed.
        returns_usage: bool,
    },
    /// It is in force.
    Activated {
        /// Whether it is listed now.
        listing: Listing,
    },
    /// It is suspended.
    Paused {
        /// Whether it is listed now.
        listing: Listing,
    },
    /// It is in force again.
    Resumed {
        /// Whether it is listed now.
        listing: Listing,
    },
    /// How often and how much it may be used changed.
    LimitsChanged {
        /// The most uses.
        usage_limit: Option<u32>,
        /// The most uses of one customer.
        per_customer_limit: Option<u32>,
        /// The most that it may give in all.
        budget: Option<Money>,
        /// Uses put into the pool, with sign.
        uses_supplied: i64,
        /// Minor units put into the budget, with sign.
        budget_supplied: i64,
    },
    /// What it gives or when changed.
    Revised {
        /// The rule from now on.
        rule: Box<PromotionRule>,
        /// The code that is not its own any more.
        code_freed: Option<PromotionCode>,
        /// The code that is its own from now on.
        code_taken: Option<PromotionCode>,
        /// Whether it is listed now.
        listing: Listing,
    },
    /// It is over for good.
    Ended {
        /// Whether it is listed now.
        listing: Listing,
    },
    /// It was put away.
    Archived {
        /// The code that is free again.
        code_freed: Option<PromotionCode>,
    },
}

event_types! {
    PromotionEvent {
        Created => "PromotionCreated" v1,
        Activated => "PromotionActivated" v1,
        Paused => "PromotionPaused" v1,
        Resumed => "PromotionResumed" v1,
        LimitsChanged => "PromotionLimitsChanged" v1,
        Revised => "PromotionRevised" v1,
        Ended => "CampaignEnded" v1,
        Archived => "PromotionArchived" v1,
    }
}

/// What a use takes from pools; repeated in every event that moves them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Of which promotion.
    pub promotion: PromotionId,
    /// The code that the buyer gave.
    pub code: Option<PromotionCode>,
    /// For which checkout.
    pub checkout: CheckoutId,
    /// Who uses it.
    pub subject: SubjectId,
    /// The discount in all, not negative.
    pub amount: Money,
    /// Whether it counts towards the promotion's uses.
    pub limited: bool,
    /// The most uses of one customer, where they are limited.
    pub per_customer_limit: Option<u32>,
    /// Whether its amount counts towards the budget.
    pub budgeted: bool,
}

/// A fact about a use of a promotion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RedemptionEvent {
    /// It is held.
    Held {
        /// What.
        grant: Grant,
        /// The promotion's version.
        version: u64,
        /// Whether it comes back when its order is cancelled after it was confirmed.
        returns_usage: bool,
        /// When the hold ends by itself.
        expires_at: Timestamp,
    },
    /// The hold lasts longer.
    Extended {
        /// The new end.
        expires_at: Timestamp,
    },
    /// An order has used it.
    Redeemed {
        /// What.
        grant: Grant,
        /// Which order.
        order: OrderId,
    },
    /// It was given back.
    Released {
        /// What.
        grant: Grant,
        /// Why.
        reason: Reason,
    },
    /// The hold ended by the clock.
    Expired {
        /// What.
        grant: Grant,
    },
    /// The order that used it was cancelled.
    Reversed {
        /// What.
        grant: Grant,
        /// The order.
        order: OrderId,
        /// Whether it can be used again.
        returned: bool,
    },
}

event_types! {
    RedemptionEvent {
        Held => "CouponHeld" v1,
        Extended => "CouponHoldExtended" v1,
        Redeemed => "CouponRedeemed" v1,
        Released => "CouponReleased" v1,
        Expired => "CouponExpired" v1,
        Reversed => "CouponReversed" v1,
    }
}
