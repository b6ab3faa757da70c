//! What is taken over.

use serde::{Deserialize, Serialize};

use crate::value::id::{CustomerId, OrderId, OrderLineId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{Code, Currency, Name, Quantity, Sku};

/// Sold units that came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnPiece {
    /// The order.
    pub order: OrderId,
    /// Its line.
    pub line: OrderLineId,
    /// Units.
    pub quantity: Quantity,
}

/// A line of a return, with quantity and price as the other shop wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnedLine {
    /// What.
    pub sku: Sku,
    /// What it was called.
    pub name: Name,
    /// Units; what came back is below zero.
    pub quantity: i64,
    /// The price of one unit in millionths of the main unit; history also knows prices below zero.
    pub unit_micros: i64,
    /// The sold units that it undoes; empty where they are not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pieces: Vec<ReturnPiece>,
}

impl ReturnedLine {
    /// Quantity × unit price, exact, in millionths of the main unit.
    pub fn value_micros(&self) -> i128 {
        i128::from(self.quantity) * i128::from(self.unit_micros)
    }

    /// Whether it is known what it undoes.
    pub fn is_linked(&self) -> bool {
        !self.pieces.is_empty()
    }
}

/// A return or cancellation of the other shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnRecord {
    /// Its number there.
    pub number: Code,
    /// The customer, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    /// The person it belongs to.
    pub subject: SubjectId,
    /// The currency of its prices.
    pub currency: Currency,
    /// When it was made there.
    pub returned_at: Timestamp,
    /// What came back.
    pub lines: Vec<ReturnedLine>,
}

/// Why a line is neither a sale nor a return. The first that applies is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It cannot be read, or none of the others explains it.
    Malformed,
    /// Its price is below zero.
    NegativePrice,
    /// Its quantity is below zero, without being a return.
    NegativeQuantity,
    /// It costs nothing.
    ZeroPrice,
}

impl SkipReason {
    /// The reason in a word for machines.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::NegativePrice => "negative_price",
            Self::NegativeQuantity => "negative_quantity",
            Self::ZeroPrice => "zero_price",
        }
    }
}

/// A line that is neither a sale nor a return, as far as it could be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedLine {
    /// Where it stood in the source, from 1.
    pub row: u64,
    /// Why.
    pub reason: SkipReason,
    /// The code of the thing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// What it was called, or what the stock clerk wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<Name>,
    /// Units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantity: Option<i64>,
    /// The price of one unit in millionths of the main unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_micros: Option<i64>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Whose it is, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}

impl SkippedLine {
    /// Quantity × unit price, exact, in millionths of the main unit; `None` where either is unreadable.
    pub fn value_micros(&self) -> Option<i128> {
        Some(i128::from(self.quantity?) * i128::from(self.unit_micros?))
    }
}

/// A line of an imported order that differs from the order's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OddLine {
    /// The line.
    pub line: OrderLineId,
    /// When it was entered.
    pub at: Timestamp,
    /// Whose it is, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
}

/// What an import had to leave aside, for one invoice or for one row without a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRecord {
    /// Names the note within everything imported.
    pub key: Code,
    /// The number of the invoice, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invoice: Option<Code>,
    /// Lines that are neither sales nor returns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<SkippedLine>,
    /// Lines of the invoice's order that differ from its head.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odd: Vec<OddLine>,
}
