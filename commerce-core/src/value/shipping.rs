//! Ways to send goods and what they cost: data that settings keep and `shipping` evaluates.

use serde::{Deserialize, Serialize};

use super::{Code, Country, Label, Money};

/// What a table of rates looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The subtotal, in minor units of the currency of the prices.
    Subtotal,
    /// The number of units.
    Quantity,
}

/// A price from a threshold on, up to the next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Band {
    /// The least measure to which it applies.
    pub from: u64,
    /// The price.
    pub price: Money,
}

/// How a method is priced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RateRule {
    /// Always the same.
    Flat(Money),
    /// By bands; below the lowest the method is not offered. The order of the bands does not matter, and
    /// of two with the same threshold the dearer counts.
    Table {
        /// What the bands look at.
        by: Measure,
        /// The bands.
        bands: Vec<Band>,
    },
}

/// A way to send something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingMethod {
    /// Its code, unique within the shop.
    pub code: Code,
    /// Its name, for the buyer.
    pub label: Label,
    /// What it costs.
    pub rate: RateRule,
    /// How many days it takes at most, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<u16>,
    /// Where it delivers; empty for everywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<Country>,
}
