//! How many units.

use serde::{Deserialize, Serialize};

/// A number of units, 1 to 1 000 000. Serialised as the integer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Quantity(u32);

/// The number is zero or above [`Quantity::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("quantity outside 1 to 1000000")]
#[non_exhaustive]
pub struct InvalidQuantity;

impl Quantity {
    /// One unit.
    pub const ONE: Self = Self(1);
    /// The most units one line can have.
    pub const MAX: Self = Self(1_000_000);

    /// Takes a number of units.
    ///
    /// # Errors
    ///
    /// [`InvalidQuantity`] for zero and above [`Self::MAX`].
    pub const fn new(units: u32) -> Result<Self, InvalidQuantity> {
        if units == 0 || units > Self::MAX.0 { Err(InvalidQuantity) } else { Ok(Self(units)) }
    }

    /// The number of units.
    pub const fn get(self) -> u32 {
        self.0
    }

    /// The sum.
    ///
    /// # Errors
    ///
    /// [`InvalidQuantity`] above [`Self::MAX`].
    pub const fn checked_add(self, other: Self) -> Result<Self, InvalidQuantity> {
        Self::new(self.0.saturating_add(other.0))
    }

    /// What is left after taking `other` away.
    ///
    /// # Errors
    ///
    /// [`InvalidQuantity`] when nothing would be left.
    pub const fn checked_sub(self, other: Self) -> Result<Self, InvalidQuantity> {
        Self::new(self.0.saturating_sub(other.0))
    }
}

impl TryFrom<u32> for Quantity {
    type Error = InvalidQuantity;

    fn try_from(units: u32) -> Result<Self, InvalidQuantity> {
        Self::new(units)
    }
}

impl From<Quantity> for u32 {
    fn from(quantity: Quantity) -> Self {
        quantity.0
    }
}

impl std::fmt::Display for Quantity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_guarded() {
        assert_eq!(Quantity::new(0), Err(InvalidQuantity));
        assert_eq!(Quantity::new(1_000_001), Err(InvalidQuantity));
        assert_eq!(Quantity::MAX.checked_add(Quantity::ONE), Err(InvalidQuantity));
        assert_eq!(Quantity::ONE.checked_sub(Quantity::ONE), Err(InvalidQuantity));
        for bad in ["0", "1000001", "-1", "1.5", "\"1\""] {
            assert!(serde_json::from_str::<Quantity>(bad).is_err(), "{bad}");
        }
        assert_eq!(serde_json::to_string(&Quantity::ONE).unwrap(), "1");
    }

    #[test]
    fn a_quantity_is_written_as_its_number() {
        assert_eq!(Quantity::new(42).unwrap().to_string(), "42");
    }
}
