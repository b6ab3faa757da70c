//! Buy X, get Y: which units are bought, and which are the gifts.

use std::num::NonZeroU32;

use super::cart::{Cart, Cut, fraction};
use super::promotion::units_of;
use crate::value::{DiscountReason, PromotionRule, Rate, RejectReason};

/// The terms of a promotion of this kind.
pub(super) struct Deal {
    pub(super) buy: NonZeroU32,
    pub(super) get: NonZeroU32,
    pub(super) rate: Rate,
    pub(super) max_gifts: Option<u32>,
}

impl Deal {
    /// The most gifts among `units`, such that the other units pay for them.
    fn gifts(&self, units: u64) -> u64 {
        let (buy, get) = (u64::from(self.buy.get()), u64::from(self.get.get()));
        let (rounds, rest) = (units / (buy + get), units % (buy + get));
        let gifts = rounds * get + rest.saturating_sub(buy);
        self.max_gifts.map_or(gifts, |max| gifts.min(u64::from(max)))
    }

    fn bought_for(&self, gifts: u64) -> u64 {
        gifts.div_ceil(u64::from(self.get.get())) * u64::from(self.buy.get())
    }
}

/// Reduces the cheapest units of the matching lines and counts the dearest as bought for them.
///
/// Lines with nothing left to pay take no part, and neither do units that another promotion of this
/// kind has counted.
pub(super) fn give(
    cart: &mut Cart<'_>,
    rule: &PromotionRule,
    matching: &[usize],
    deal: &Deal,
) -> Result<i64, RejectReason> {
    let mut open: Vec<(usize, u32)> = matching
        .iter()
        .filter(|line| cart.left_of(**line) > 0)
        .map(|line| (*line, units_of(cart, *line).saturating_sub(counted(cart, *line))))
        .filter(|(_, units)| *units > 0)
        .collect();
    let units = open.iter().map(|(_, units)| u64::from(*units)).sum();
    let gifts = deal.gifts(units);
    if gifts == 0 {
        let missing = (u64::from(deal.buy.get()) + 1).saturating_sub(units);
        return Err(match u32::try_from(missing) {
            Ok(0) => RejectReason::NothingToDiscount,
            missing => RejectReason::TooFewUnits { missing: missing.unwrap_or(u32::MAX) },
        });
    }
    open.sort_unstable_by_key(|(line, _)| {
        cart.input.lines.get(*line).map(|line| (line.unit_price.micros(), line.line))
    });
    let given = pick(open.iter().copied(), gifts);
    let cuts: Vec<Cut> = given.iter().map(|(line, units)| cut(cart, *line, *units, deal.rate)).collect();
    let amount = cart.take(rule, &cuts);
    if amount > 0 {
        count(cart, &given);
        // The gifts were picked from the front, so their positions are those of the open units.
        let gifts_at = |index: usize| given.get(index).map_or(0, |(_, units)| *units);
        let rest = open.iter().enumerate().rev();
        let rest = rest.map(|(index, (line, units))| (*line, units.saturating_sub(gifts_at(index))));
        let bought = pick(rest, deal.bought_for(gifts));
        count(cart, &bought);
    }
    Ok(amount)
}

fn counted(cart: &Cart<'_>, line: usize) -> u32 {
    cart.counted.get(line).copied().unwrap_or(0)
}

/// Takes units from the front until there are enough.
fn pick(lines: impl Iterator<Item = (usize, u32)>, wanted: u64) -> Vec<(usize, u32)> {
    let mut missing = wanted;
    let mut picked = Vec::new();
    for (line, units) in lines {
        let take = u32::try_from(missing).unwrap_or(u32::MAX).min(units);
        missing -= u64::from(take);
        if take > 0 {
            picked.push((line, take));
        }
        if missing == 0 {
            break;
        }
    }
    picked
}

fn count(cart: &mut Cart<'_>, units: &[(usize, u32)]) {
    for (line, units) in units {
        if let Some(counted) = cart.counted.get_mut(*line) {
            *counted = counted.saturating_add(*units);
        }
    }
}

/// The gifts' share of what is left of the line, reduced by the rate; rounded once.
fn cut(cart: &Cart<'_>, line: usize, units: u32, rate: Rate) -> Cut {
    let numerator = i128::from(units) * i128::from(rate.micros());
    let denominator = i128::from(units_of(cart, line)) * i128::from(Rate::HUNDRED.micros());
    let amount = fraction(cart.left_of(line), numerator, denominator, cart.input.rounding.mode);
    Cut { line, amount, reason: DiscountReason::Gift { units } }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deal(buy: u32, get: u32) -> Deal {
        let (buy, get) = (buy.try_into().unwrap(), get.try_into().unwrap());
        Deal { buy, get, rate: Rate::HUNDRED, max_gifts: None }
    }

    #[test]
    fn whole_rounds_count_and_a_begun_one_gives_what_is_paid_for() {
        let gifts = |units| deal(2, 3).gifts(units);
        assert_eq!([0, 2, 3, 4, 5, 7, 8, 13].map(gifts), [0, 0, 1, 2, 3, 3, 4, 7]);
        let capped = Deal { max_gifts: Some(5), ..deal(2, 3) };
        assert_eq!([8, 13].map(|units| capped.gifts(units)), [4, 5]);
    }

    #[test]
    fn every_begun_round_was_bought() {
        let bought = |gifts| deal(2, 3).bought_for(gifts);
        assert_eq!([0, 1, 3, 4, 7].map(bought), [0, 2, 2, 4, 6]);
    }

    #[test]
    fn units_are_taken_from_the_front_and_nothing_of_what_is_empty() {
        let units = [(7, 2), (8, 0), (9, 3)];
        let picked = |wanted| pick(units.into_iter(), wanted);
        assert_eq!(picked(2), [(7, 2)]);
        assert_eq!(picked(3), [(7, 2), (9, 1)]);
        assert_eq!(picked(9), [(7, 2), (9, 3)]);
    }
}
