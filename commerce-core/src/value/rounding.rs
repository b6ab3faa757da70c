//! Rounding: one division, five modes, and the policy that says where it happens.

use serde::{Deserialize, Serialize};

/// To which neighbour a value between two units goes.
///
/// Modes mirror at zero: a refund rounds to minus what the charge rounded to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingMode {
    /// To the nearest; a tie goes to the even one, so that ties do not add up in one direction.
    #[default]
    HalfEven,
    /// To the nearest; a tie goes away from zero.
    HalfUp,
    /// To the nearest; a tie goes towards zero.
    HalfDown,
    /// Away from zero.
    Up,
    /// Towards zero.
    Down,
}

/// At which amount tax is rounded to the smallest unit of the currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoundingLevel {
    /// For one unit of a line, then times the quantity.
    Unit,
    /// Per line and rate.
    #[default]
    Line,
    /// Once per rate over the whole order; the lines get shares of that amount.
    Order,
}

/// How and where a shop rounds. Stored with every priced order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoundingPolicy {
    /// To which neighbour.
    pub mode: RoundingMode,
    /// At which amount.
    pub level: RoundingLevel,
}

/// The quotient of two integers, rounded to an integer.
///
/// `None` when the denominator is zero or the quotient does not fit.
pub fn div_round(numerator: i128, denominator: i128, mode: RoundingMode) -> Option<i128> {
    let quotient = numerator.checked_div(denominator)?;
    let remainder = numerator.checked_rem(denominator)?.unsigned_abs();
    if remainder == 0 {
        return Some(quotient);
    }
    // Compared with what is missing to the next unit: doubling the remainder could overflow.
    let half = remainder.cmp(&denominator.unsigned_abs().abs_diff(remainder));
    let away = match mode {
        RoundingMode::HalfEven => half.is_gt() || (half.is_eq() && quotient % 2 != 0),
        RoundingMode::HalfUp => half.is_ge(),
        RoundingMode::HalfDown => half.is_gt(),
        RoundingMode::Up => true,
        RoundingMode::Down => false,
    };
    match (away, (numerator < 0) == (denominator < 0)) {
        (false, _) => Some(quotient),
        (true, true) => quotient.checked_add(1),
        (true, false) => quotient.checked_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use RoundingMode::{Down, HalfDown, HalfEven, HalfUp, Up};
    use proptest::prelude::*;

    const MODES: [RoundingMode; 5] = [HalfEven, HalfUp, HalfDown, Up, Down];

    #[test]
    fn the_modes_at_their_edges() {
        let round = |n: i128| MODES.map(|mode| div_round(n, 10, mode).unwrap());
        assert_eq!(round(25), [2, 3, 2, 3, 2]);
        assert_eq!(round(35), [4, 4, 3, 4, 3]);
        assert_eq!(round(26), [3, 3, 3, 3, 2]);
        assert_eq!(round(21), [2, 2, 2, 3, 2]);
        assert_eq!(round(-5), [0, -1, 0, -1, 0]);
        assert_eq!(round(20), [2; 5]);
        assert_eq!(div_round(1, 0, Up), None);
        assert_eq!(div_round(i128::MIN, -1, Up), None);
        assert_eq!(div_round(i128::MAX, i128::MAX - 1, HalfUp), Some(1));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn money_6_rounding_is_idempotent(n in any::<i64>(), d in 1..=i64::MAX, mode in 0..5_usize) {
            let (n, d, mode) = (i128::from(n), i128::from(d), MODES[mode]);
            let once = div_round(n, d, mode).unwrap();
            prop_assert_eq!(div_round(once * d, d, mode), Some(once));
            prop_assert!((n - once * d).abs() < d);
            prop_assert_eq!(div_round(-n, d, mode), Some(-once));
        }
    }
}
