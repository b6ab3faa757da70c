//! Names of pools, keys and derived ids, and which rules make sense.

use uuid::Uuid;

use super::error::PromotionError;
use crate::kernel::pool::PoolKey;
use crate::value::id::{CheckoutId, PromotionId, RedemptionId, SubjectId};
use crate::value::{Benefit, Money, Phase, PromotionRule, TotalAfter};

/// The scope of coupon codes: a code belongs to one promotion, until that is archived.
pub const CODE_SCOPE: &str = "promotion-code";
/// The directory of promotions that are active and apply without a code; the key is the promotion's id.
pub const ACTIVE_SCOPE: &str = "promotion-active";

/// The namespace of ids derived from a checkout and a promotion.
const REDEMPTIONS: Uuid = Uuid::from_u128(0x6a1f_90c2_11d7_5e0b_9c47_3f5a_e2d8_0c01);

/// The pool of a promotion's uses; supplied only where they are limited.
pub fn uses_pool(promotion: PromotionId) -> PoolKey {
    PoolKey::new(format!("promotion:{promotion}"))
}

/// The pool of one customer's uses of a promotion; never supplied, its hold carries the limit.
pub fn customer_uses_pool(promotion: PromotionId, subject: SubjectId) -> PoolKey {
    PoolKey::new(format!("promotion:{promotion}@{subject}"))
}

/// The pool of a promotion's budget, in minor units.
pub fn budget_pool(promotion: PromotionId) -> PoolKey {
    PoolKey::new(format!("promotion-budget:{promotion}"))
}

/// The redemption of a promotion by a checkout: derived, so that a checkout holds it at most once.
pub fn redemption_id(checkout: CheckoutId, promotion: PromotionId) -> RedemptionId {
    RedemptionId::derived(REDEMPTIONS, format!("{checkout}/{promotion}").as_bytes())
}

/// Refuses what pricing would reject for every cart.
pub(super) fn check_rule(rule: &PromotionRule, budget: Option<Money>) -> Result<(), PromotionError> {
    if let (Some(from), Some(until)) = (rule.from, rule.until)
        && from >= until
    {
        return Err(PromotionError::EmptyWindow);
    }
    let after = rule.condition.min_subtotal.map(|threshold| threshold.after);
    let looks_ahead = match rule.phase {
        Phase::Line => after.is_some_and(|after| after != TotalAfter::List),
        Phase::Order => after == Some(TotalAfter::OrderPromotions),
        Phase::Shipping => false,
    };
    let in_shipping = rule.phase == Phase::Shipping;
    let misplaced = match rule.benefit {
        Benefit::FreeShipping => !in_shipping,
        Benefit::FixedPerUnit(_) | Benefit::BuyXGetY { .. } => in_shipping,
        Benefit::Percent(_) | Benefit::FixedPerOrder(_) => false,
    };
    if misplaced || looks_ahead {
        return Err(PromotionError::WrongPhase);
    }
    let amount = match rule.benefit {
        Benefit::FixedPerOrder(amount) | Benefit::FixedPerUnit(amount) => Some(amount),
        _ => None,
    };
    let least = rule.condition.min_subtotal.map(|threshold| threshold.amount);
    let mut amounts = [amount, least, budget].into_iter().flatten();
    if amounts.clone().any(Money::is_negative) {
        return Err(PromotionError::NegativeAmount);
    }
    if let Some(currency) = rule.currency
        && amounts.any(|amount| amount.currency() != currency)
    {
        return Err(PromotionError::CurrencyMismatch);
    }
    if budget.is_some() && rule.currency.is_none() {
        return Err(PromotionError::BudgetWithoutCurrency);
    }
    Ok(())
}
