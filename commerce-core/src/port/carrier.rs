//! Carriers that say what sending costs.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::kernel::error::PortError;
use crate::value::{Address, Code, Country, Label, Money, Quantity, Sku};

/// Where something goes, as far as prices and taxes depend on it: no name, no street.
#[derive(Clone, PartialEq, Eq)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// State, province, prefecture.
    pub region: Option<String>,
    /// Postal code, as its country writes it.
    pub postcode: Option<String>,
}

impl Debug for Destination {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A postal code can be one house; the country tells what went wrong just as well.
        f.debug_struct("Destination").field("country", &self.country).finish_non_exhaustive()
    }
}

impl From<&Address> for Destination {
    fn from(address: &Address) -> Self {
        Self {
            country: address.country(),
            region: address.region().map(Into::into),
            postcode: address.postcode().map(Into::into),
        }
    }
}

/// What would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateRequest {
    /// Where to.
    pub to: Destination,
    /// What it is worth at list prices; its currency is that of the answer.
    pub subtotal: Money,
    /// The goods, by SKU: what they weigh is known to whoever made the catalogue.
    pub goods: Vec<(Sku, Quantity)>,
}

/// A way to send it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CarrierRate {
    /// Its code, by which a buyer chooses it.
    pub method: Code,
    /// Its name, for the buyer.
    pub label: Label,
    /// What it costs.
    pub price: Money,
    /// How many days it takes at most, where that is known.
    pub days: Option<u16>,
}

/// Says what sending costs and how long it takes.
///
/// For rates that a table in the shop's settings cannot say. The shop's own methods need no carrier, and of
/// two with one code the shop's own counts.
#[async_trait]
pub trait Carrier: Debug + Send + Sync + 'static {
    /// The ways to send this, in any order; empty where it does not deliver.
    ///
    /// # Contract
    ///
    /// A question: nothing is booked, and asking again does no harm. Every price is in the currency of the
    /// subtotal and not negative; every code is there once. The price may be another the next time: a
    /// checkout whose total has changed is refused, and the buyer sees the new one.
    async fn rates(&self, request: RateRequest) -> Result<Vec<CarrierRate>, PortError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_shows_its_country_only() {
        let destination = Destination {
            country: "DE".parse().unwrap(),
            region: Some("Berlin".into()),
            postcode: Some("10117".into()),
        };
        assert_eq!(format!("{destination:?}"), "Destination { country: DE, .. }");
    }
}
