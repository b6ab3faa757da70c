//! Values: small, valid by construction, without identity.
//!
//! Every type here has private fields and one fallible constructor; `Deserialize` goes through it. The
//! plain data that crosses between contexts lives here too, because contexts never import each other.

pub mod actor;
pub mod id;
pub mod time;

// Text, persons and places.
pub mod address;
pub mod channel;
pub mod country;
pub mod email;
#[cfg(test)]
mod person_properties;
pub mod phone;
pub mod postcode;
pub mod slug;
pub mod text;

pub use address::{Address, AddressInput, InvalidAddress};
pub use channel::Channel;
pub use country::{Country, InvalidCountry};
pub use email::{Email, InvalidEmail};
pub use phone::{InvalidPhone, Phone};
pub use postcode::InvalidPostcode;
pub use slug::{InvalidSlug, Slug};
pub use text::{Code, Description, InvalidText, Name, PersonName, Reason, Text};

// Money, and what is counted and priced with it.
pub mod allocation;
pub mod currency;
mod fixed;
pub mod label;
pub mod money;
pub mod price;
pub mod pricing;
pub mod quantity;
pub mod rate;
pub mod rounding;
pub mod shipping;
pub mod sku;

pub use allocation::{AllocationError, allocate, prefix_share, share};
pub use currency::{Currency, InvalidCurrency};
pub use label::{InvalidLabel, Label, PromotionCode};
pub use money::{Money, MoneyError};
pub use price::{InvalidPrice, Price};
pub use pricing::{
    Benefit, CodeOutcome, Conditions, DiscountReason, Fee, LineDiscount, LineRef, Outcome, Phase, PriceBook,
    PriceRequestLine, PricedCharge, PricedLine, PricingInput, PromotionRule, RejectReason, ShippingCharge,
    TaxClass, TaxLine, TaxMode, TaxRate, Threshold, TotalAfter, TraceStep,
};
pub use quantity::{InvalidQuantity, Quantity};
pub use rate::{InvalidRate, Rate};
pub use rounding::{RoundingLevel, RoundingMode, RoundingPolicy, div_round};
pub use sku::{InvalidSku, Sku};
