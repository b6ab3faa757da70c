//! Splitting an amount so that nothing is lost and nothing is made.

use super::money::Money;

/// An amount cannot be split.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AllocationError {
    /// No weight is above zero, so nobody can take the amount.
    #[error("all weights are zero")]
    NoWeight,
    /// The share asked for is not one of the shares.
    #[error("share {share} of {of}")]
    NoSuchShare {
        /// The share asked for.
        share: u64,
        /// How many there are.
        of: u64,
    },
}

/// Splits an amount in proportion to weights; the parts are in the order of the weights.
///
/// Largest remainder: the parts add up to `total` exactly, none has the other sign, each is less than
/// one unit off its exact share, a zero weight gets zero, and a larger weight never gets less. When
/// remainders tie, the smaller key gets the unit, so the input order does not matter.
///
/// ```
/// use commerce_core::value::{Currency, Money, allocate};
///
/// let parts = allocate(Money::from_minor(100, Currency::EUR), &[("a", 1), ("b", 1), ("c", 1)])?;
/// assert_eq!(parts.iter().map(|part| part.minor()).collect::<Vec<_>>(), [34, 33, 33]);
/// # Ok::<(), commerce_core::value::AllocationError>(())
/// ```
///
/// # Errors
///
/// [`AllocationError::NoWeight`] when all weights are zero or there are none.
pub fn allocate<K: Ord>(total: Money, weights: &[(K, u64)]) -> Result<Vec<Money>, AllocationError> {
    let sum: u128 = weights.iter().map(|(_, weight)| u128::from(*weight)).sum();
    if sum == 0 {
        return Err(AllocationError::NoWeight);
    }
    let magnitude = u128::from(total.minor().unsigned_abs());
    let mut parts = Vec::with_capacity(weights.len());
    let mut remainders = Vec::new();
    let mut left = magnitude;
    for (index, (_, weight)) in weights.iter().enumerate() {
        // 2^63 times 2^64 fits.
        let exact = magnitude * u128::from(*weight);
        let (part, remainder) = (exact / sum, exact % sum);
        left = left.saturating_sub(part);
        parts.push(part);
        if remainder > 0 {
            remainders.push((remainder, index));
        }
    }
    let units = usize::try_from(left).unwrap_or(usize::MAX);
    if let Some(last) = units.checked_sub(1).filter(|last| *last < remainders.len()) {
        let key = |index: usize| weights.get(index).map(|(key, _)| key);
        remainders.select_nth_unstable_by(last, |(a, i), (b, j)| {
            b.cmp(a).then_with(|| key(*i).cmp(&key(*j))).then(i.cmp(j))
        });
    }
    for (_, index) in remainders.iter().take(units) {
        if let Some(part) = parts.get_mut(*index) {
            *part += 1;
        }
    }
    let sign = if total.is_negative() { -1 } else { 1 };
    Ok(parts.into_iter().map(|part| signed(part, sign, total)).collect())
}

/// A part is no larger than the amount, so it fits.
fn signed(part: u128, sign: i128, total: Money) -> Money {
    let minor = i128::try_from(part).ok().and_then(|part| i64::try_from(part * sign).ok());
    Money::from_minor(minor.unwrap_or(total.minor()), total.currency())
}

/// What the first `k` of `n` equal shares come to, rounded towards zero.
///
/// Grows from zero to the whole `total`, so that differences of two prefixes never drift: the refund
/// of units three and four is `prefix_share(total, 4, n) − prefix_share(total, 2, n)`.
///
/// # Errors
///
/// [`AllocationError::NoSuchShare`] when `n` is zero or `k` larger than `n`.
pub fn prefix_share(total: Money, k: u64, n: u64) -> Result<Money, AllocationError> {
    if n == 0 || k > n {
        return Err(AllocationError::NoSuchShare { share: k, of: n });
    }
    let part = u128::from(total.minor().unsigned_abs()) * u128::from(k) / u128::from(n);
    Ok(signed(part, if total.is_negative() { -1 } else { 1 }, total))
}

/// The `k`-th of `n` equal shares, counting from one: all shares add up to `total` exactly.
///
/// # Errors
///
/// [`AllocationError::NoSuchShare`] unless `1 <= k <= n`.
pub fn share(total: Money, k: u64, n: u64) -> Result<Money, AllocationError> {
    let before = k.checked_sub(1).ok_or(AllocationError::NoSuchShare { share: k, of: n })?;
    let (to, from) = (prefix_share(total, k, n)?, prefix_share(total, before, n)?);
    // Both have the sign of the total and `to` is the larger one.
    Ok(Money::from_minor(to.minor().saturating_sub(from.minor()), total.currency()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::currency::Currency;
    use proptest::prelude::*;

    fn eur(minor: i64) -> Money {
        Money::from_minor(minor, Currency::EUR)
    }

    #[test]
    fn nobody_to_take_it_is_an_error() {
        assert_eq!(allocate::<u8>(eur(1), &[]), Err(AllocationError::NoWeight));
        assert_eq!(allocate(eur(0), &[(1, 0)]), Err(AllocationError::NoWeight));
        assert!(share(eur(1), 0, 3).is_err());
        assert!(share(eur(1), 4, 3).is_err());
        assert!(share(eur(1), 1, 0).is_err());
    }

    #[test]
    fn the_extremes_fit() {
        let parts = allocate(eur(i64::MIN), &[(1, u64::MAX), (2, u64::MAX)]).unwrap();
        assert_eq!(parts, [eur(i64::MIN / 2); 2]);
        assert_eq!(allocate(eur(i64::MIN), &[(1, u64::MAX)]).unwrap(), [eur(i64::MIN)]);
        assert_eq!(share(eur(i64::MIN), u64::MAX, u64::MAX).unwrap(), eur(-1));
    }

    fn weight() -> impl Strategy<Value = u64> {
        prop_oneof![1 => Just(0), 4 => 0..10_u64, 2 => 0..1_000_000_u64, 1 => any::<u64>()]
    }

    fn total() -> impl Strategy<Value = i64> {
        prop_oneof![4 => -100..100_i64, 2 => any::<i32>().prop_map(i64::from), 1 => any::<i64>()]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1024))]

        #[test]
        fn money_4_allocation(total in total(), weights in prop::collection::vec(weight(), 1..20), turn in 0..20_usize) {
            let keyed: Vec<(usize, u64)> = weights.iter().copied().enumerate().collect();
            let sum: i128 = weights.iter().map(|w| i128::from(*w)).sum();
            let Ok(parts) = allocate(eur(total), &keyed) else {
                prop_assert_eq!(sum, 0);
                return Ok(());
            };
            prop_assert_eq!(parts.iter().map(|part| i128::from(part.minor())).sum::<i128>(), i128::from(total));
            for (part, weight) in parts.iter().zip(&weights) {
                prop_assert!(part.is_zero() || part.is_negative() == (total < 0));
                prop_assert!(*weight != 0 || part.is_zero());
                // |part - total * weight / sum| < 1, without a product that could overflow.
                let exact = i128::from(total) * i128::from(*weight);
                let (low, high) = (exact.div_euclid(sum), exact.div_euclid(sum) + i128::from(exact.rem_euclid(sum) != 0));
                prop_assert!((low..=high).contains(&i128::from(part.minor())));
                for (other, lighter) in parts.iter().zip(&weights) {
                    prop_assert!(weight <= lighter || part.minor().unsigned_abs() >= other.minor().unsigned_abs());
                }
            }
            let mut turned = keyed.clone();
            turned.rotate_left(turn % keyed.len());
            let again = allocate(eur(total), &turned).unwrap();
            for ((key, _), part) in turned.iter().zip(again) {
                prop_assert_eq!(parts[*key], part);
            }
        }

        #[test]
        fn money_5_cumulative_split(total in total(), n in 1..60_u64) {
            let mut sum = 0_i128;
            for k in 1..=n {
                let part = share(eur(total), k, n).unwrap();
                prop_assert!(part.is_zero() || part.is_negative() == (total < 0));
                sum += i128::from(part.minor());
                prop_assert_eq!(sum, i128::from(prefix_share(eur(total), k, n).unwrap().minor()));
                // The prefix times n is within n of the exact total times k.
                let off = sum * i128::from(n) - i128::from(total) * i128::from(k);
                prop_assert!(off.abs() < i128::from(n));
            }
            prop_assert_eq!(sum, i128::from(total));
        }
    }
}
