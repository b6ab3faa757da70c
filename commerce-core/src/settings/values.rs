//! The values that can be set.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::value::id::LocationId;
use crate::value::shipping::ShippingMethod;
use crate::value::{Country, Currency, RoundingPolicy, TaxClass, TaxMode, TaxRate};

/// When the money is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CapturePolicy {
    /// With the authorisation, where the gateway can.
    WithAuthorization,
    /// When the order is confirmed.
    #[default]
    AtConfirm,
    /// When the goods leave.
    OnShip,
}

/// A tax and where it is levied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxRule {
    /// The country of destination; `None` for everywhere.
    pub country: Option<Country>,
    /// The rate.
    pub rate: TaxRate,
}

/// How a shop sells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsValues {
    /// The currencies it sells in, at least one.
    pub currencies: Vec<Currency>,
    /// Whether its prices contain tax.
    pub tax_mode: TaxMode,
    /// What is levied where.
    pub taxes: Vec<TaxRule>,
    /// How amounts are rounded.
    pub rounding: RoundingPolicy,
    /// How long stock and coupons are held for a checkout, in seconds (60 to 86,400).
    pub hold_seconds: u32,
    /// How long a buyer may take to pay, in seconds; at most the hold less the grace.
    pub payment_seconds: u32,
    /// How long holds outlast the payment deadline, in seconds, so that an answer in the last second still
    /// finds its stock.
    pub grace_seconds: u32,
    /// How long a gateway call is left alone before somebody else looks it up, in seconds (1 to 600).
    pub resume_seconds: u32,
    /// How long a buyer does nothing with a cart until it counts as abandoned, in seconds (300 to 2,592,000);
    /// who comes back finds it as it was.
    #[serde(default = "cart_idle")]
    pub cart_idle_seconds: u32,
    /// How long a buyer does nothing with a cart until it expires, in seconds; at least as long, at most a
    /// year.
    #[serde(default = "cart_kept")]
    pub cart_kept_seconds: u32,
    /// When the money is taken.
    pub capture: CapturePolicy,
    /// What order numbers begin with; may be empty.
    pub order_prefix: String,
    /// Where stock lies, most preferred first; by default one place, named `main`.
    pub locations: Vec<LocationId>,
    /// How goods are sent.
    pub shipping: Vec<ShippingMethod>,
    /// How sending is taxed.
    pub shipping_tax: TaxClass,
}

/// A day.
const fn cart_idle() -> u32 {
    24 * 60 * 60
}

/// Thirty days.
const fn cart_kept() -> u32 {
    30 * 24 * 60 * 60
}

impl Default for SettingsValues {
    fn default() -> Self {
        Self {
            currencies: vec![Currency::EUR],
            tax_mode: TaxMode::default(),
            taxes: Vec::new(),
            rounding: RoundingPolicy::default(),
            hold_seconds: 900,
            payment_seconds: 780,
            grace_seconds: 120,
            resume_seconds: 25,
            cart_idle_seconds: cart_idle(),
            cart_kept_seconds: cart_kept(),
            capture: CapturePolicy::default(),
            order_prefix: String::new(),
            locations: vec![LocationId::derived(Uuid::from_u128(0x10ca_7105), b"main")],
            shipping: Vec::new(),
            shipping_tax: TaxClass::default(),
        }
    }
}

impl SettingsValues {
    /// How long stock and coupons are held.
    pub fn hold(&self) -> Duration {
        Duration::from_secs(u64::from(self.hold_seconds))
    }

    /// How long until a cart counts as abandoned.
    pub fn cart_idle(&self) -> Duration {
        Duration::from_secs(u64::from(self.cart_idle_seconds))
    }

    /// How long until a cart expires.
    pub fn cart_kept(&self) -> Duration {
        Duration::from_secs(u64::from(self.cart_kept_seconds))
    }

    /// How long a buyer may take to pay.
    pub fn payment(&self) -> Duration {
        Duration::from_secs(u64::from(self.payment_seconds))
    }

    /// How long a gateway call is left alone.
    pub fn resume(&self) -> Duration {
        Duration::from_secs(u64::from(self.resume_seconds))
    }
}
