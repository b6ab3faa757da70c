//! Integers with a fixed number of decimals: their text, and the way to and from `Decimal`.

use std::fmt;

use rust_decimal::Decimal;

/// Why a text or decimal is not a fixed-point number of the wanted scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotFixed {
    Malformed,
    TooManyDecimals,
    OutOfRange,
}

/// Ten to the power of `scale`; scales are at most 6 in this module's callers.
pub(super) fn pow10(scale: u8) -> i64 {
    10_i64.saturating_pow(u32::from(scale))
}

/// Parses `-?[0-9]+(\.[0-9]+)?`, counting in units of `10^-scale`. Nothing is rounded.
pub(super) fn parse(text: &str, scale: u8) -> Result<i64, NotFixed> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = match digits.split_once('.') {
        Some((_, "")) => return Err(NotFixed::Malformed),
        Some(parts) => parts,
        None => (digits, ""),
    };
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(NotFixed::Malformed);
    }
    if fraction.len() > usize::from(scale) {
        return Err(NotFixed::TooManyDecimals);
    }
    let padding = usize::from(scale).saturating_sub(fraction.len());
    let mut value = 0_i64;
    for byte in whole.bytes().chain(fraction.bytes()).chain(std::iter::repeat_n(b'0', padding)) {
        let digit = i64::from(byte.saturating_sub(b'0'));
        // Accumulated on its own side of zero, so that the smallest integer parses too.
        let digit = if negative { digit.saturating_neg() } else { digit };
        value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or(NotFixed::OutOfRange)?;
    }
    Ok(value)
}

/// Writes the number with at least `least` decimals and no trailing zeros beyond them.
pub(super) fn write(f: &mut impl fmt::Write, value: i64, scale: u8, least: u8) -> fmt::Result {
    let unit = pow10(scale).unsigned_abs();
    let magnitude = value.unsigned_abs();
    let (whole, mut fraction) = (magnitude / unit, magnitude % unit);
    let mut width = scale;
    while width > least && fraction.is_multiple_of(10) {
        fraction /= 10;
        width -= 1;
    }
    let sign = if value < 0 { "-" } else { "" };
    if width == 0 {
        write!(f, "{sign}{whole}")
    } else {
        write!(f, "{sign}{whole}.{fraction:0width$}", width = usize::from(width))
    }
}

/// The decimal in units of `10^-scale`. Trailing zeros do not count as decimals.
pub(super) fn from_decimal(value: Decimal, scale: u8) -> Result<i64, NotFixed> {
    let value = value.normalize();
    let missing = u32::from(scale).checked_sub(value.scale()).ok_or(NotFixed::TooManyDecimals)?;
    10_i128
        .checked_pow(missing)
        .and_then(|factor| value.mantissa().checked_mul(factor))
        .and_then(|units| i64::try_from(units).ok())
        .ok_or(NotFixed::OutOfRange)
}

/// The number as a decimal without trailing zeros.
pub(super) fn to_decimal(value: i64, scale: u8) -> Decimal {
    Decimal::try_new(value, u32::from(scale)).unwrap_or_default().normalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: i64, scale: u8, least: u8) -> String {
        let mut out = String::new();
        write(&mut out, value, scale, least).unwrap();
        out
    }

    #[test]
    fn text_is_strict() {
        for bad in ["", "-", ".", "1.", ".5", "+1", "1e3", " 1", "1 ", "1,5", "1.5.1", "--1", "٣", "NaN"] {
            assert_eq!(parse(bad, 2), Err(NotFixed::Malformed), "{bad:?}");
        }
        assert_eq!(parse("1.000", 2), Err(NotFixed::TooManyDecimals));
        assert_eq!(parse("79228162514264337593543950335", 2), Err(NotFixed::OutOfRange));
        assert_eq!(parse("-9223372036854775808", 0), Ok(i64::MIN));
        assert_eq!(parse("9223372036854775808", 0), Err(NotFixed::OutOfRange));
    }

    #[test]
    fn trailing_zeros_are_cut_down_to_the_wanted_width() {
        assert_eq!(text(12_500_000, 6, 2), "12.50");
        assert_eq!(text(-1, 6, 2), "-0.000001");
        assert_eq!(text(7_000_000, 6, 0), "7");
        assert_eq!(text(i64::MIN, 0, 0), "-9223372036854775808");
    }
}
