//! Countries.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize};

/// A country by its ISO 3166-1 alpha-2 code, for example `DE`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "String")]
pub struct Country(&'static str);

/// Not the code of a country.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an iso 3166-1 alpha-2 country code")]
#[non_exhaustive]
pub struct InvalidCountry;

/// Sorted: looked up by bisection.
#[rustfmt::skip]
const CODES: &[&str] = &[
    "AD", "AE", "AF", "AG", "AI", "AL", "AM", "AO", "AQ", "AR", "AS", "AT", "AU", "AW", "AX", "AZ", "BA",
    "BB", "BD", "BE", "BF", "BG", "BH", "BI", "BJ", "BL", "BM", "BN", "BO", "BQ", "BR", "BS", "BT", "BV",
    "BW", "BY", "BZ", "CA", "CC", "CD", "CF", "CG", "CH", "CI", "CK", "CL", "CM", "CN", "CO", "CR", "CU",
    "CV", "CW", "CX", "CY", "CZ", "DE", "DJ", "DK", "DM", "DO", "DZ", "EC", "EE", "EG", "EH", "ER", "ES",
    "ET", "FI", "FJ", "FK", "FM", "FO", "FR", "GA", "GB", "GD", "GE", "GF", "GG", "GH", "GI", "GL", "GM",
    "GN", "GP", "GQ", "GR", "GS", "GT", "GU", "GW", "GY", "HK", "HM", "HN", "HR", "HT", "HU", "ID", "IE",
    "IL", "IM", "IN", "IO", "IQ", "IR", "IS", "IT", "JE", "JM", "JO", "JP", "KE", "KG", "KH", "KI", "KM",
    "KN", "KP", "KR", "KW", "KY", "KZ", "LA", "LB", "LC", "LI", "LK", "LR", "LS", "LT", "LU", "LV", "LY",
    "MA", "MC", "MD", "ME", "MF", "MG", "MH", "MK", "ML", "MM", "MN", "MO", "MP", "MQ", "MR", "MS", "MT",
    "MU", "MV", "MW", "MX", "MY", "MZ", "NA", "NC", "NE", "NF", "NG", "NI", "NL", "NO", "NP", "NR", "NU",
    "NZ", "OM", "PA", "PE", "PF", "PG", "PH", "PK", "PL", "PM", "PN", "PR", "PS", "PT", "PW", "PY", "QA",
    "RE", "RO", "RS", "RU", "RW", "SA", "SB", "SC", "SD", "SE", "SG", "SH", "SI", "SJ", "SK", "SL", "SM",
    "SN", "SO", "SR", "SS", "ST", "SV", "SX", "SY", "SZ", "TC", "TD", "TF", "TG", "TH", "TJ", "TK", "TL",
    "TM", "TN", "TO", "TR", "TT", "TV", "TW", "TZ", "UA", "UG", "UM", "US", "UY", "UZ", "VA", "VC", "VE",
    "VG", "VI", "VN", "VU", "WF", "WS", "YE", "YT", "ZA", "ZM", "ZW",
];

/// By hand, because the derived one would read from what lives for ever only, as the field does.
impl<'de> Deserialize<'de> for Country {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Country {
    /// Takes a code, in either case.
    ///
    /// # Errors
    ///
    /// [`InvalidCountry`] where no country has it.
    pub fn new(code: &str) -> Result<Self, InvalidCountry> {
        let upper = code.trim().to_ascii_uppercase();
        let index = CODES.binary_search(&upper.as_str()).map_err(|_| InvalidCountry)?;
        CODES.get(index).copied().map(Self).ok_or(InvalidCountry)
    }

    /// The code, two capital letters.
    pub const fn code(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl FromStr for Country {
    type Err = InvalidCountry;

    fn from_str(code: &str) -> Result<Self, InvalidCountry> {
        Self::new(code)
    }
}

impl TryFrom<String> for Country {
    type Error = InvalidCountry;

    fn try_from(code: String) -> Result<Self, InvalidCountry> {
        Self::new(&code)
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_read_from_text_of_any_life() {
        let read = |text: String| serde_json::from_str::<Country>(&text).map(Country::code).ok();
        assert_eq!(read("\"de\"".to_owned()), Some("DE"));
        assert_eq!(read("\"XX\"".to_owned()), None);
    }

    #[test]
    fn the_table_is_that_of_iso_3166() {
        assert!(CODES.is_sorted());
        let mut published: Vec<&str> = rust_iso3166::ALL.iter().map(|country| country.alpha2).collect();
        published.sort_unstable();
        assert_eq!(CODES, published);
    }

    #[test]
    fn other_codes_are_refused() {
        assert_eq!(Country::new("de").unwrap().code(), "DE");
        for code in ["", "D", "DEU", "XX", "UK", "276"] {
            assert_eq!(Country::new(code), Err(InvalidCountry), "{code}");
        }
    }

    #[test]
    fn a_country_shows_its_code() {
        let germany: Country = "DE".parse().unwrap();
        assert_eq!(format!("{germany} {germany:?}"), "DE DE");
    }
}
