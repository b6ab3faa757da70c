//! Properties of the values that describe persons: they refuse, and they come back unchanged.

use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{Address, AddressInput, Country, Description, Email, Name, PersonName, Phone, Slug};

fn through_serde<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

fn input() -> impl Strategy<Value = AddressInput> {
    let postal = prop_oneof![
        Just(("DE", "", "10117")),
        Just(("US", "CA", "94103-1234")),
        Just(("GB", "", "sw1a1aa")),
        Just(("VN", "Hà Nội", "")),
        Just(("HK", "", "")),
        Just(("BR", "SP", "01310100")),
        Just(("XX", "", "1")),
    ];
    let words = "[\\PC \\n]{0,40}";
    (words, words, words, words, postal, "(\\+[1-9][0-9 ]{6,12})?").prop_map(
        |(recipient, line1, line2, city, (country, region, code), phone)| AddressInput {
            recipient,
            line1,
            line2: Some(line2),
            city,
            region: Some(region.to_owned()),
            postcode: Some(code.to_owned()),
            country: country.to_owned(),
            phone: Some(phone),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// customers-2: what is accepted survives display, parsing and serde; the rest is refused.
    #[test]
    fn customers_2_values_refuse_and_round_trip(
        local in "[A-Za-z0-9._%+öÉΣ-]{1,66}",
        domain in "[A-Za-z0-9-]{1,20}(\\.[A-Za-z0-9-]{1,20}){0,3}",
        phone in "\\+?[0-9 ()/.-]{5,20}",
        input in input(),
    ) {
        let raw = format!(" {local}@{domain}");
        if let Ok(email) = Email::new(&raw) {
            prop_assert!(email_address::EmailAddress::is_valid(email.as_str()), "{}", email);
            for back in [email.to_string().parse().unwrap(), through_serde(&email)] {
                prop_assert_eq!(back.as_str(), email.as_str());
            }
            let canonical = Email::new(email.canonical()).unwrap();
            prop_assert_eq!(canonical.canonical(), email.canonical());
            prop_assert_eq!(format!("{:?}", email), "Email(***)");
        }
        if let Ok(phone) = Phone::new(&phone) {
            prop_assert_eq!(&phone.to_string().parse::<Phone>().unwrap(), &phone);
            prop_assert_eq!(&through_serde(&phone), &phone);
            prop_assert!((8..=16).contains(&phone.as_str().len()));
            prop_assert_eq!(format!("{:?}", phone), "Phone(***)");
        }
        if let Ok(address) = Address::new(&input) {
            prop_assert_eq!(&through_serde(&address), &address);
            prop_assert_eq!(&Address::new(&address.clone().into()).unwrap(), &address);
            prop_assert_eq!(format!("{:?}", address), "Address(***)");
        } else {
            prop_assert!(serde_json::from_value::<Address>(serde_json::to_value(&input).unwrap()).is_err());
        }
    }

    /// customers-2: no input makes a constructor panic, and what text accepts it accepts again.
    #[test]
    fn customers_2_arbitrary_text_never_panics(raw in any::<String>()) {
        let _ = (Email::new(&raw), Phone::new(&raw), Country::new(&raw), Slug::new(&raw));
        let _ = Address::new(&AddressInput {
            recipient: raw.clone(),
            line1: raw.clone(),
            city: raw.clone(),
            postcode: Some(raw.clone()),
            country: "HK".to_owned(),
            ..AddressInput::default()
        });
        if let Ok(email) = Email::new(&format!("{raw}@example.com")) {
            prop_assert!(email_address::EmailAddress::is_valid(email.as_str()), "{}", email);
        }
        if let Ok(text) = Description::new(&raw) {
            prop_assert_eq!(&text.to_string().parse::<Description>().unwrap(), &text);
            prop_assert_eq!(&through_serde(&text), &text);
        }
        if let Ok(name) = PersonName::new(&raw) {
            prop_assert_eq!(format!("{:?}", name), "PersonName(***)");
            let again = Name::new(name.as_str()).unwrap();
            prop_assert_eq!(again.as_str(), name.as_str());
        }
    }
}
