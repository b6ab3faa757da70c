//! Values, valid as all of them are; [`text`] has what they are read from, also where it is refused.

pub mod text;

use commerce_core::value::actor::Actor;
use commerce_core::value::id::Id;
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Address, AddressInput, Country, Currency, Email, Label, Money, Phone, Price, PromotionCode, Quantity,
    Rate, Sku, Slug, Text,
};
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use uuid::Uuid;

/// A currency: in use, or a unit of the host.
pub fn currency() -> impl Strategy<Value = Currency> {
    text::currency().prop_filter_map("a currency", |text| text.parse().ok())
}

/// An amount, small mostly, of either sign and up to the largest.
pub fn money() -> impl Strategy<Value = Money> {
    let minor = prop_oneof![
        6 => -100_000_i64..1_000_000,
        1 => select(&[0, 1, -1, i64::MIN, i64::MAX][..]),
        1 => any::<i64>(),
    ];
    (minor, currency()).prop_map(|(minor, currency)| Money::from_minor(minor, currency))
}

/// A price of one unit, also finer than the smallest coin.
pub fn price() -> impl Strategy<Value = Price> {
    let micros = prop_oneof![
        4 => (0_i64..100_000).prop_map(|pennies| pennies * 10_000),
        2 => 0_i64..10_000_000,
        1 => select(&[0, 1, i64::MAX][..]),
        1 => 0..=i64::MAX,
    ];
    (micros, currency())
        .prop_filter_map("a price", |(micros, currency)| Price::from_micros(micros, currency).ok())
}

/// A percentage.
pub fn rate() -> impl Strategy<Value = Rate> {
    text::rate().prop_filter_map("a rate", |text| Rate::parse(&text).ok())
}

/// Units, few mostly.
pub fn quantity() -> impl Strategy<Value = Quantity> {
    let most = Quantity::MAX.get();
    let units = prop_oneof![6 => 1_u32..20, 1 => 1..=most, 1 => Just(most)];
    units.prop_filter_map("a quantity", |units| Quantity::new(units).ok())
}

/// A SKU.
pub fn sku() -> impl Strategy<Value = Sku> {
    text::sku().prop_filter_map("a sku", |text| Sku::new(&text).ok())
}

/// A slug.
pub fn slug() -> impl Strategy<Value = Slug> {
    text::slug().prop_filter_map("a slug", |text| Slug::new(&text).ok())
}

/// A code that a buyer types.
pub fn promotion_code() -> impl Strategy<Value = PromotionCode> {
    text::promotion_code().prop_filter_map("a code", |text| PromotionCode::new(&text).ok())
}

/// A label.
pub fn label() -> impl Strategy<Value = Label> {
    text::label().prop_filter_map("a label", |text| Label::new(&text).ok())
}

/// A text, for example a `Name`, which is one of at most 200 characters.
pub fn line<const MAX: usize>() -> impl Strategy<Value = Text<MAX>> {
    text::line(MAX.min(120)).prop_filter_map("a text", |text| Text::new(&text).ok())
}

/// An e-mail address.
pub fn email() -> impl Strategy<Value = Email> {
    text::email().prop_filter_map("an e-mail address", |text| Email::new(&text).ok())
}

/// A telephone number.
pub fn phone() -> impl Strategy<Value = Phone> {
    text::phone().prop_filter_map("a telephone number", |text| Phone::new(&text).ok())
}

/// A country.
pub fn country() -> impl Strategy<Value = Country> {
    text::country().prop_filter_map("a country", |text| Country::new(&text).ok())
}

/// The parts of an address that is complete for its country.
pub fn address_input() -> impl Strategy<Value = AddressInput> {
    let places = [
        ("DE", None, Some("10117")),
        ("US", Some("CA"), Some("94103-1234")),
        ("GB", None, Some("sw1a1aa")),
        ("NL", None, Some("1012 AB")),
        ("BR", Some("SP"), Some("01310100")),
        ("JP", Some("Tokyo"), Some("1000001")),
        ("VN", Some("Hà Nội"), None),
        ("HK", None, None),
    ];
    let short = || text::line(120);
    let parts = (short(), short(), option::of(short()), short(), select(places.to_vec()));
    (parts, option::of(text::phone())).prop_map(|((recipient, line1, line2, city, place), phone)| {
        let (country, region, postcode) = place;
        AddressInput {
            recipient,
            line1,
            line2,
            city,
            region: region.map(str::to_owned),
            postcode: postcode.map(str::to_owned),
            country: country.to_owned(),
            phone,
        }
    })
}

/// An address.
pub fn address() -> impl Strategy<Value = Address> {
    address_input().prop_filter_map("an address", |input| Address::new(&input).ok())
}

/// A time: of this century mostly, up to the first and the last.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    let micros = prop_oneof![
        6 => 946_684_800_000_000_i64..4_102_444_800_000_000,
        1 => Timestamp::MIN.as_micros()..=Timestamp::MAX.as_micros(),
        1 => select(vec![Timestamp::MIN, Timestamp::UNIX_EPOCH, Timestamp::MAX]).prop_map(Timestamp::as_micros),
    ];
    micros.prop_filter_map("a time", |micros| Timestamp::from_micros(micros).ok())
}

/// An id of anything.
pub fn id<T: 'static>() -> impl Strategy<Value = Id<T>> {
    any::<u128>().prop_filter_map("an id", |number| Id::from_uuid(Uuid::from_u128(number)).ok())
}

/// Anybody.
pub fn actor() -> impl Strategy<Value = Actor> {
    prop_oneof![
        1 => Just(Actor::System),
        2 => id().prop_map(Actor::Guest),
        2 => id().prop_map(Actor::User),
        1 => id().prop_map(Actor::Seller),
        1 => id().prop_map(Actor::Admin),
    ]
}

#[cfg(test)]
mod tests;
