//! What a promotion gives, and when.

use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::book::RejectReason;
use crate::value::currency::Currency;
use crate::value::id::{CategoryId, ProductId, PromotionId};
use crate::value::label::{Label, PromotionCode};
use crate::value::money::Money;
use crate::value::rate::Rate;
use crate::value::sku::Sku;
use crate::value::time::Timestamp;

/// At which step of the pipeline a promotion acts. Steps run in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// On lines, one by one.
    Line,
    /// On the sum of the matching lines; the amount is allocated to them by what is left of each.
    Order,
    /// On the price of shipping.
    Shipping,
}

/// Up to which step discounts are taken off before a threshold looks at a total.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TotalAfter {
    /// List prices, no discount taken off.
    List,
    /// After all promotions of the line phase.
    LinePromotions,
    /// After all promotions of the order phase.
    OrderPromotions,
}

/// The least total of the matching lines.
///
/// A promotion cannot look at a total that its own phase or a later one makes: a promotion of the line
/// phase can test `List` only, one of the order phase not `OrderPromotions`. It is rejected as
/// [`RejectReason::NotApplicable`] otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Threshold {
    /// The total must not be below this.
    pub amount: Money,
    /// Which total.
    pub after: TotalAfter,
}

/// When a promotion applies, and to which lines. Empty conditions match every line of every order.
///
/// A line matches when it is in each of the lists that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conditions {
    /// The least total of the matching lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_subtotal: Option<Threshold>,
    /// The least number of units on the matching lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_quantity: Option<u32>,
    /// Lines with one of these codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skus: Vec<Sku>,
    /// Lines with one of these products.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub products: Vec<ProductId>,
    /// Lines in one of these categories.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryId>,
}

/// What a promotion gives. No benefit takes a line or shipping below zero.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Benefit {
    /// A part of what is left to pay.
    Percent(Rate),
    /// An amount once, spread over the matching lines by what is left of each. Not negative.
    FixedPerOrder(Money),
    /// An amount for each unit of the matching lines. Not negative. Not in the shipping phase.
    FixedPerUnit(Money),
    /// For each `buy` units, `get` more are reduced. Not in the shipping phase.
    ///
    /// Bought units and gifts are different units of the matching lines; the cheapest are the gifts. No
    /// unit counts for two promotions of this kind.
    BuyXGetY {
        /// How many units must be paid in full.
        buy: NonZeroU32,
        /// How many units are reduced in return.
        get: NonZeroU32,
        /// By how much; all of it makes them free.
        rate: Rate,
        /// The most gifts in one order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        max_gifts: Option<u32>,
    },
    /// Shipping costs nothing. In the shipping phase only.
    FreeShipping,
}

/// A version of a promotion, as far as computing with it goes.
///
/// Promotions apply in the order of phase, priority, code and id, the smallest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionRule {
    /// The promotion. One promotion may have a rule in each phase.
    pub promotion: PromotionId,
    /// Its version, which is stored with every discount.
    pub version: u64,
    /// The code that the buyer must give; none for a promotion that applies by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<PromotionCode>,
    /// When in the pipeline it acts.
    pub phase: Phase,
    /// Smaller acts earlier.
    #[serde(default)]
    pub priority: i32,
    /// The group in which it may be alone; promotions without group form one group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exclusive_group: Option<Label>,
    /// Whether no other promotion of the group may apply to the same order.
    #[serde(default)]
    pub exclusive: bool,
    /// The first moment at which it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// The first moment at which it no longer applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// The only currency in which it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Why it must not apply, when whoever hands it in knows: paused, used up, not for this customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<RejectReason>,
    /// When it applies, and to what.
    #[serde(default)]
    pub condition: Conditions,
    /// What it gives.
    pub benefit: Benefit,
}

impl PromotionRule {
    /// The first version of a promotion without code or conditions, always active.
    pub fn new(promotion: PromotionId, phase: Phase, benefit: Benefit) -> Self {
        Self {
            promotion,
            version: 1,
            code: None,
            phase,
            priority: 0,
            exclusive_group: None,
            exclusive: false,
            from: None,
            until: None,
            currency: None,
            withheld: None,
            condition: Conditions::default(),
            benefit,
        }
    }
}
