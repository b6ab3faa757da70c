//! What pricing yields.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::request::{LineRef, TaxClass, TaxMode};
use crate::value::currency::Currency;
use crate::value::id::PromotionId;
use crate::value::label::{Label, PromotionCode};
use crate::value::money::{Money, MoneyError};
use crate::value::price::Price;
use crate::value::quantity::Quantity;
use crate::value::rate::Rate;
use crate::value::rounding::RoundingPolicy;
use crate::value::sku::Sku;
use crate::value::time::Timestamp;

/// The prices of an order, computed once and stored with it.
///
/// # Invariants
///
/// All amounts are of one currency and not negative. On every line and charge `net + taxes = gross`, and
/// `list − discounts` is `net` where tax comes on top and `gross` where prices contain it.
/// `total` is the sum of the gross amounts of lines, shipping and fees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    /// The currency of every amount.
    pub currency: Currency,
    /// The lines, in the order of the input.
    pub lines: Vec<PricedLine>,
    /// Shipping, if it was chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<PricedCharge>,
    /// Fees, in the order of the input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<PricedCharge>,
    /// What the lines cost before discounts.
    pub subtotal: Money,
    /// All discounts on lines; those on shipping are with shipping.
    pub discount_total: Money,
    /// What shipping costs after discounts, with tax.
    pub shipping_total: Money,
    /// What the fees cost, with tax.
    pub fee_total: Money,
    /// All taxes, on lines, shipping and fees.
    pub tax_total: Money,
    /// What the buyer pays.
    pub total: Money,
    /// What became of each requested code, in the order of the request, each code once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<CodeOutcome>,
    /// What became of each promotion, in the order in which they were tried. Those with a code that was
    /// not requested are not tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<TraceStep>,
    /// Whether the list prices contain tax.
    pub tax_mode: TaxMode,
    /// How amounts were rounded.
    pub rounding: RoundingPolicy,
    /// The time for which promotions were looked at.
    pub priced_at: Timestamp,
}

/// One line with its prices.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// The line.
    pub line: LineRef,
    /// What is sold.
    pub sku: Sku,
    /// How many units.
    pub quantity: Quantity,
    /// What one unit costs before discounts.
    pub unit_price: Price,
    /// What all units cost before discounts.
    pub list: Money,
    /// What is taken off, in the order in which it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<LineDiscount>,
    /// What is left, without tax.
    pub net: Money,
    /// The taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// What is left, with tax: what the buyer pays for the line.
    pub gross: Money,
}

/// Shipping or a fee with its prices; the fields are those of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedCharge {
    /// The shipping method or the name of the fee.
    pub name: Label,
    /// What it costs before discounts.
    pub list: Money,
    /// What is taken off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<LineDiscount>,
    /// What is left, without tax.
    pub net: Money,
    /// The taxes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<TaxLine>,
    /// What is left, with tax.
    pub gross: Money,
}

/// What one promotion takes off one line or charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineDiscount {
    /// The promotion.
    pub promotion: PromotionId,
    /// Its version when the order was priced.
    pub version: u64,
    /// The code that let it apply.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<PromotionCode>,
    /// How much, above zero.
    pub amount: Money,
    /// What for.
    pub reason: DiscountReason,
}

/// What a discount is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DiscountReason {
    /// A part of what was left to pay.
    Percent(Rate),
    /// A share of an amount on the order.
    FixedPerOrder,
    /// An amount for each unit.
    FixedPerUnit,
    /// Some units are gifts.
    Gift {
        /// How many of the line's units.
        units: u32,
    },
    /// Shipping is free.
    FreeShipping,
}

/// One tax on one line or charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    /// What to call it.
    pub name: Label,
    /// The rate.
    pub rate: Rate,
    /// How much; zero for a zero rate.
    pub amount: Money,
}

/// What became of a code that the buyer gave.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeOutcome {
    /// The code.
    pub code: PromotionCode,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a code or promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It gave a discount; the lines say where.
    Applied {
        /// How much in all, above zero.
        amount: Money,
    },
    /// It gave nothing.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
}

/// Why a code or promotion gave nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RejectReason {
    /// No promotion has this code.
    UnknownCode,
    /// Not active, by a decision of the shop.
    Inactive,
    /// Its uses or its budget are used up.
    Exhausted,
    /// Not for this customer.
    NotEligible,
    /// Before its first moment.
    NotStarted,
    /// After its last moment.
    Ended,
    /// For another currency, or with amounts of another currency.
    CurrencyMismatch,
    /// The benefit or threshold makes no sense in its phase, or an amount is negative.
    NotApplicable,
    /// No line matches.
    NoMatchingLine,
    /// The matching lines come to too little.
    BelowThreshold {
        /// How much is missing.
        missing: Money,
    },
    /// Too few units on the matching lines.
    TooFewUnits {
        /// How many are missing.
        missing: u32,
    },
    /// Another promotion of its group applies, and one of the two is exclusive.
    Excluded {
        /// The other one.
        by: PromotionId,
    },
    /// Nothing is left to take something off, or the discount rounds to nothing.
    NothingToDiscount,
    /// No shipping was chosen.
    NoShipping,
}

/// One step of how the prices came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TraceStep {
    /// A promotion was tried.
    Promotion {
        /// The promotion.
        promotion: PromotionId,
        /// Its version.
        version: u64,
        /// What became of it.
        outcome: Outcome,
    },
    /// Something has a tax class for which no rate was handed in, so it was not taxed.
    Untaxed {
        /// The class.
        class: TaxClass,
    },
}

impl PriceBook {
    /// What each promotion gives, over lines and shipping.
    ///
    /// # Errors
    ///
    /// [`MoneyError`] where a sum does not fit.
    pub fn granted(&self) -> Result<BTreeMap<PromotionId, Money>, MoneyError> {
        let lines = self.lines.iter().flat_map(|line| &line.discounts);
        let shipping = self.shipping.iter().flat_map(|charge| &charge.discounts);
        let mut sums: BTreeMap<PromotionId, Money> = BTreeMap::new();
        for discount in lines.chain(shipping) {
            let sum = sums.entry(discount.promotion).or_insert_with(|| Money::zero(self.currency));
            *sum = sum.checked_add(discount.amount)?;
        }
        Ok(sums)
    }

    /// The prices of a line.
    pub fn line(&self, line: LineRef) -> Option<&PricedLine> {
        self.lines.iter().find(|priced| priced.line == line)
    }
}
