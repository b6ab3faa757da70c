//! What is to be priced.

use serde::{Deserialize, Serialize};

use super::rule::PromotionRule;
use crate::value::currency::Currency;
use crate::value::id::{CartLineId, CategoryId, ProductId, VariantId};
use crate::value::label::{Label, PromotionCode};
use crate::value::money::Money;
use crate::value::price::Price;
use crate::value::quantity::Quantity;
use crate::value::rate::Rate;
use crate::value::rounding::RoundingPolicy;
use crate::value::sku::Sku;
use crate::value::time::Timestamp;

/// Identifies a line through cart, pricing and order: the id it got in the cart.
pub type LineRef = CartLineId;

/// One line to price. The unit price is the one that the price lists yielded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceRequestLine {
    /// The line.
    pub line: LineRef,
    /// The product, for the filters of promotions.
    pub product: ProductId,
    /// The variant that is sold.
    pub variant: VariantId,
    /// Its code.
    pub sku: Sku,
    /// The categories of the product, with their ancestors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub categories: Vec<CategoryId>,
    /// How many units.
    pub quantity: Quantity,
    /// The price of one unit before promotions.
    pub unit_price: Price,
    /// Which tax rates apply.
    pub taxable: TaxClass,
    /// Whether the line is sent to somebody.
    pub shippable: bool,
}

/// Whether the prices that go in contain tax.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxMode {
    /// Tax comes on top of prices.
    #[default]
    Exclusive,
    /// Prices contain tax, which is what the buyer pays whatever the rate.
    Inclusive,
}

/// Which rates apply to a thing.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaxClass {
    /// What most things have.
    #[default]
    Standard,
    /// For example food or books.
    Reduced,
    /// Exempt or zero-rated.
    Zero,
    /// A class of the host.
    Custom(Label),
}

/// A tax on things of one class. Several rates of one class are all levied on the same base.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRate {
    /// What to call it on the invoice, for example the jurisdiction.
    pub name: Label,
    /// On what it is levied.
    pub class: TaxClass,
    /// How much.
    pub rate: Rate,
}

/// What sending the order costs before promotions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShippingCharge {
    /// The method that the buyer chose.
    pub method: Label,
    /// Its price, not negative, in the currency of the input; with or without tax as the tax mode says.
    pub amount: Money,
    /// Which tax rates apply.
    pub tax_class: TaxClass,
}

/// A charge that no promotion touches: gift wrapping, a surcharge for the means of payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fee {
    /// What for.
    pub name: Label,
    /// How much, not negative, in the currency of the input; with or without tax as the tax mode says.
    pub amount: Money,
    /// Which tax rates apply.
    pub tax_class: TaxClass,
}

/// Everything that prices follow from: equal inputs give equal price books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricingInput {
    /// The currency of every amount.
    pub currency: Currency,
    /// The lines, each id once.
    pub lines: Vec<PriceRequestLine>,
    /// The promotions that may apply. One with a code applies only when the code is requested.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<PromotionRule>,
    /// The codes that the buyer gave; each gets an outcome.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub requested_codes: Vec<PromotionCode>,
    /// The chosen shipping, if chosen yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shipping: Option<ShippingCharge>,
    /// The rates of the place that taxes the order. A class without rate is not taxed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tax_rates: Vec<TaxRate>,
    /// Whether prices, shipping and fees contain tax.
    #[serde(default)]
    pub tax_mode: TaxMode,
    /// How and where to round.
    #[serde(default)]
    pub rounding: RoundingPolicy,
    /// Charges beside lines and shipping.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
    /// The time for which promotions are looked at.
    pub now: Timestamp,
}

impl PricingInput {
    /// An empty cart: no promotions, no shipping, no taxes, the default rounding.
    pub fn new(currency: Currency, now: Timestamp) -> Self {
        Self {
            currency,
            lines: Vec::new(),
            promotions: Vec::new(),
            requested_codes: Vec::new(),
            shipping: None,
            tax_rates: Vec::new(),
            tax_mode: TaxMode::default(),
            rounding: RoundingPolicy::default(),
            fees: Vec::new(),
            now,
        }
    }
}
