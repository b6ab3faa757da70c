//! Postal codes, country by country.

use super::country::Country;

/// The postal code is refused. Never holds the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidPostcode {
    /// The country delivers nothing without one.
    #[error("postal code is missing")]
    Missing,
    /// Not of a shape that the country uses.
    #[error("postal code does not have a shape that its country uses")]
    Shape,
}

/// What a country's addresses look like.
struct Rule {
    country: &'static str,
    /// `9` is a digit, `A` a letter, `*` either; blank and dash are written, but need not be given.
    shapes: &'static [&'static str],
    required: bool,
}

const fn must(country: &'static str, shapes: &'static [&'static str]) -> Rule {
    Rule { country, shapes, required: true }
}

const fn may(country: &'static str, shapes: &'static [&'static str]) -> Rule {
    Rule { country, shapes, required: false }
}

const RULES: &[Rule] = &[
    must("US", &["99999", "99999-9999"]),
    must("CA", &["A9A 9A9"]),
    must("GB", &["A9 9AA", "A99 9AA", "AA9 9AA", "AA99 9AA", "A9A 9AA", "AA9A 9AA"]),
    may("IE", &["A9* ****"]),
    must("DE", &["99999"]),
    must("FR", &["99999"]),
    must("IT", &["99999"]),
    must("ES", &["99999"]),
    must("NL", &["9999 AA"]),
    must("BE", &["9999"]),
    must("AT", &["9999"]),
    must("CH", &["9999"]),
    must("PL", &["99-999"]),
    must("SE", &["999 99"]),
    must("DK", &["9999"]),
    must("NO", &["9999"]),
    must("PT", &["9999-999"]),
    must("CZ", &["999 99"]),
    must("AU", &["9999"]),
    must("NZ", &["9999"]),
    must("JP", &["999-9999"]),
    must("KR", &["99999"]),
    must("CN", &["999999"]),
    must("IN", &["999999"]),
    must("BR", &["99999-999"]),
    must("MX", &["99999"]),
    may("VN", &["99999", "999999"]),
    must("SG", &["999999"]),
];

/// The longest code taken for a country without a rule, separators included.
const MAX_FREE: usize = 12;

/// Checks a postal code and brings it into the form in which its country writes it.
///
/// # Errors
///
/// [`InvalidPostcode`].
pub(super) fn canonical(country: Country, raw: Option<&str>) -> Result<Option<String>, InvalidPostcode> {
    let rule = RULES.iter().find(|rule| rule.country == country.code());
    let Some(raw) = raw.map(str::trim).filter(|raw| !raw.is_empty()) else {
        let required = rule.is_some_and(|rule| rule.required);
        return if required { Err(InvalidPostcode::Missing) } else { Ok(None) };
    };
    let Some(rule) = rule else { return free(raw).map(Some) };
    rule.shapes.iter().find_map(|shape| fit(shape, raw)).map(Some).ok_or(InvalidPostcode::Shape)
}

/// Fits a code to a shape: separators of the shape are written, those of the code are skipped.
fn fit(shape: &str, raw: &str) -> Option<String> {
    let mut given = raw.chars().filter(|c| *c != ' ' && *c != '-').map(|c| c.to_ascii_uppercase());
    let mut written = String::with_capacity(shape.len());
    for wanted in shape.chars() {
        if wanted == ' ' || wanted == '-' {
            written.push(wanted);
            continue;
        }
        let c = given.next()?;
        let fits = match wanted {
            '9' => c.is_ascii_digit(),
            'A' => c.is_ascii_uppercase(),
            _ => c.is_ascii_alphanumeric(),
        };
        if !fits {
            return None;
        }
        written.push(c);
    }
    given.next().is_none().then_some(written)
}

/// The permissive rule: letters and digits, single blanks and dashes, at most twelve.
fn free(raw: &str) -> Result<String, InvalidPostcode> {
    let words: Vec<String> = raw.split(' ').filter(|w| !w.is_empty()).map(str::to_ascii_uppercase).collect();
    let code = words.join(" ");
    let known = code.chars().all(|c| c.is_ascii_alphanumeric() || c == ' ' || c == '-');
    let holds = code.chars().any(|c| c.is_ascii_alphanumeric());
    if known && holds && code.len() <= MAX_FREE { Ok(code) } else { Err(InvalidPostcode::Shape) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(country: &str, raw: &str) -> Result<Option<String>, InvalidPostcode> {
        canonical(Country::new(country).unwrap(), Some(raw))
    }

    #[test]
    fn codes_are_written_as_their_country_writes_them() {
        for (country, raw, written) in [
            ("GB", "sw1a1aa", "SW1A 1AA"),
            ("GB", "M1 1AE", "M1 1AE"),
            ("CA", "k1a0b1", "K1A 0B1"),
            ("US", "941031234", "94103-1234"),
            ("IE", "d6wxy00", "D6W XY00"),
            ("NL", "1012ab", "1012 AB"),
            ("PL", "00950", "00-950"),
            ("JP", "1000001", "100-0001"),
            ("HU", " 1051 ", "1051"),
            ("AR", "c1425   abc", "C1425 ABC"),
        ] {
            assert_eq!(code(country, raw).unwrap().unwrap(), written, "{country}");
        }
    }

    #[test]
    fn other_shapes_are_refused() {
        for (country, raw) in [
            ("US", "9410"),
            ("DE", "1234a"),
            ("GB", "123456"),
            ("CA", "K1A 0B12"),
            ("HU", "1051;"),
            ("HU", "-"),
        ] {
            assert_eq!(code(country, raw), Err(InvalidPostcode::Shape), "{country} {raw}");
        }
        assert_eq!(code("DE", " "), Err(InvalidPostcode::Missing));
        assert_eq!(code("HK", " "), Ok(None));
    }

    #[test]
    fn every_rule_belongs_to_a_country_and_fits_itself() {
        for rule in RULES {
            assert!(Country::new(rule.country).is_ok());
            for shape in rule.shapes {
                let sample = shape.replace('*', "X");
                assert_eq!(code(rule.country, &sample).unwrap(), Some(sample), "{}", rule.country);
            }
        }
    }
}
