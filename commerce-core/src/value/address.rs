//! Postal addresses.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::country::{Country, InvalidCountry};
use super::phone::{InvalidPhone, Phone};
use super::postcode::{self, InvalidPostcode};
use super::text::{InvalidText, Name, Text};

/// The parts of an address as a person enters them, unchecked; [`Address::new`] checks them.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct AddressInput {
    /// Who receives.
    pub recipient: String,
    /// Street and number.
    pub line1: String,
    /// Flat, floor, company.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State, province, prefecture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postcode: Option<String>,
    /// ISO 3166-1 alpha-2 code.
    pub country: String,
    /// A number for the carrier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
}

impl fmt::Debug for AddressInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AddressInput(***)")
    }
}

/// An address to which something can be sent.
///
/// Complete for its country, with the postal code in the form that the country uses; see
/// [`AddressInput`] for the parts. Shown as `***` in `Debug`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "AddressInput", into = "AddressInput")]
pub struct Address {
    recipient: Name,
    line1: Name,
    line2: Option<Name>,
    city: Name,
    region: Option<Text<100>>,
    postcode: Option<String>,
    country: Country,
    phone: Option<Phone>,
}

/// The address is refused. Never holds a part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidAddress {
    /// A part is empty, too long or holds forbidden characters.
    #[error("{part} of the address is refused")]
    Part {
        /// Which, for example `city`.
        part: &'static str,
        /// Why.
        #[source]
        reason: InvalidText,
    },
    /// The country does not deliver without a region.
    #[error("region of the address is missing")]
    RegionMissing,
    /// The postal code.
    #[error("postal code of the address is refused")]
    Postcode(#[from] InvalidPostcode),
    /// The country.
    #[error("country of the address is refused")]
    Country(#[from] InvalidCountry),
    /// The number for the carrier.
    #[error("phone of the address is refused")]
    Phone(#[from] InvalidPhone),
}

/// Countries whose post sorts by state or province first.
const REGION_REQUIRED: &[&str] = &["AU", "BR", "CA", "IN", "MX", "US"];

fn part<const MAX: usize>(part: &'static str, raw: &str) -> Result<Text<MAX>, InvalidAddress> {
    Text::new(raw).map_err(|reason| InvalidAddress::Part { part, reason })
}

fn optional<const MAX: usize>(
    name: &'static str,
    raw: Option<&str>,
) -> Result<Option<Text<MAX>>, InvalidAddress> {
    raw.filter(|raw| !raw.trim().is_empty()).map(|raw| part(name, raw)).transpose()
}

impl Address {
    /// Checks the parts; empty optional parts count as absent.
    ///
    /// # Errors
    ///
    /// [`InvalidAddress`] for the first part that is refused.
    pub fn new(input: &AddressInput) -> Result<Self, InvalidAddress> {
        let country = Country::new(&input.country)?;
        let region = optional("region", input.region.as_deref())?;
        if region.is_none() && REGION_REQUIRED.contains(&country.code()) {
            return Err(InvalidAddress::RegionMissing);
        }
        let phone = input.phone.as_deref().filter(|raw| !raw.trim().is_empty());
        Ok(Self {
            recipient: part("recipient", &input.recipient)?,
            line1: part("line1", &input.line1)?,
            line2: optional("line2", input.line2.as_deref())?,
            city: part("city", &input.city)?,
            region,
            postcode: postcode::canonical(country, input.postcode.as_deref())?,
            country,
            phone: phone.map(Phone::new).transpose()?,
        })
    }

    /// Who receives.
    pub fn recipient(&self) -> &str {
        self.recipient.as_str()
    }

    /// Street and number.
    pub fn line1(&self) -> &str {
        self.line1.as_str()
    }

    /// Flat, floor, company.
    pub fn line2(&self) -> Option<&str> {
        self.line2.as_ref().map(Text::as_str)
    }

    /// Town.
    pub fn city(&self) -> &str {
        self.city.as_str()
    }

    /// State, province, prefecture.
    pub fn region(&self) -> Option<&str> {
        self.region.as_ref().map(Text::as_str)
    }

    /// Postal code, as its country writes it.
    pub fn postcode(&self) -> Option<&str> {
        self.postcode.as_deref()
    }

    /// Country.
    pub const fn country(&self) -> Country {
        self.country
    }

    /// A number for the carrier.
    pub const fn phone(&self) -> Option<&Phone> {
        self.phone.as_ref()
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Address(***)")
    }
}

impl TryFrom<AddressInput> for Address {
    type Error = InvalidAddress;

    fn try_from(input: AddressInput) -> Result<Self, InvalidAddress> {
        Self::new(&input)
    }
}

impl From<Address> for AddressInput {
    fn from(address: Address) -> Self {
        Self {
            recipient: address.recipient.into(),
            line1: address.line1.into(),
            line2: address.line2.map(Into::into),
            city: address.city.into(),
            region: address.region.map(Into::into),
            postcode: address.postcode,
            country: address.country.into(),
            phone: address.phone.map(Into::into),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> AddressInput {
        AddressInput {
            recipient: "Ana López".into(),
            line1: "Unter den Linden 1".into(),
            city: "Berlin".into(),
            postcode: Some("10117".into()),
            country: "de".into(),
            phone: Some(" ".into()),
            ..AddressInput::default()
        }
    }

    #[test]
    fn an_address_is_complete_for_its_country() {
        let address = Address::new(&berlin()).unwrap();
        assert_eq!((address.country().code(), address.phone()), ("DE", None));
        let us = AddressInput { country: "US".into(), ..berlin() };
        assert_eq!(Address::new(&us), Err(InvalidAddress::RegionMissing));
        let nowhere = AddressInput { city: String::new(), ..berlin() };
        let reason = InvalidText::Empty;
        assert_eq!(Address::new(&nowhere), Err(InvalidAddress::Part { part: "city", reason }));
        let uncoded = AddressInput { postcode: None, ..berlin() };
        assert_eq!(Address::new(&uncoded), Err(InvalidPostcode::Missing.into()));
    }

    #[test]
    fn nothing_of_it_shows() {
        let address = Address::new(&berlin()).unwrap();
        assert_eq!(format!("{address:?} {:?}", berlin()), "Address(***) AddressInput(***)");
    }

    #[test]
    fn every_part_is_where_it_belongs() {
        let full = AddressInput {
            line2: Some("3. Stock".into()),
            region: Some("Berlin-Mitte".into()),
            phone: Some("+49 30 123456".into()),
            ..berlin()
        };
        let address = Address::new(&full).unwrap();
        assert_eq!((address.recipient(), address.line1()), ("Ana López", "Unter den Linden 1"));
        assert_eq!((address.line2(), address.city()), (Some("3. Stock"), "Berlin"));
        assert_eq!((address.region(), address.postcode()), (Some("Berlin-Mitte"), Some("10117")));
        assert!(address.phone().is_some());
        let short = Address::new(&berlin()).unwrap();
        assert_eq!((short.line2(), short.region(), short.phone()), (None, None, None));
    }
}
