//! JSON as the documents write it: fields in the document's order and spelling, amounts as exact decimals.

use std::fmt::Write as _;

use chrono::SecondsFormat;
use serde_json::Value;
use uuid::Uuid;

use crate::value::id::Id;
use crate::value::time::Timestamp;
use crate::value::{Money, Price};

/// How a document spells the names of fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `order_id`.
    Snake,
    /// `orderId`.
    Camel,
    /// `OrderId`.
    Pascal,
}

impl Spelling {
    /// Spells a name that is written with underscores.
    fn spell(self, name: &str) -> String {
        if self == Self::Snake {
            return name.to_owned();
        }
        let mut spelled = String::with_capacity(name.len());
        let mut upper = self == Self::Pascal;
        for letter in name.chars() {
            if letter == '_' {
                upper = true;
            } else {
                spelled.push(if upper { letter.to_ascii_uppercase() } else { letter });
                upper = false;
            }
        }
        spelled
    }
}

/// A value, written out. Numbers are never floats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Json(String);

impl Json {
    /// A value that serde has made.
    pub(super) fn value(value: &Value) -> Self {
        Self(value.to_string())
    }

    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.0.into_bytes()
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::value(&Value::from(text))
    }
}

impl From<Uuid> for Json {
    fn from(id: Uuid) -> Self {
        Self(format!("\"{id}\""))
    }
}

impl<T> From<Id<T>> for Json {
    fn from(id: Id<T>) -> Self {
        id.uuid().into()
    }
}

/// RFC 3339 in UTC, with a fraction only where there is one: `2024-01-01T00:00:00Z`.
impl From<Timestamp> for Json {
    fn from(time: Timestamp) -> Self {
        Self(format!("\"{}\"", time.to_datetime().to_rfc3339_opts(SecondsFormat::AutoSi, true)))
    }
}

/// A number in the main unit, with the decimals of the currency: `12.50`.
impl From<Money> for Json {
    fn from(amount: Money) -> Self {
        Self(amount.to_decimal_string())
    }
}

/// A number in the main unit.
impl From<Price> for Json {
    fn from(price: Price) -> Self {
        Self(price.to_decimal_string())
    }
}

macro_rules! plain {
    ($($kind:ty),+) => {$(
        impl From<$kind> for Json {
            fn from(plain: $kind) -> Self {
                Self(plain.to_string())
            }
        }
    )+};
}

plain!(bool, u16, u32, u64, i64);

impl<T: Into<Self>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(|| Self("null".to_owned()), Into::into)
    }
}

impl<T: Into<Self>> From<Vec<T>> for Json {
    fn from(values: Vec<T>) -> Self {
        let texts: Vec<String> = values.into_iter().map(|value| value.into().0).collect();
        Self(format!("[{}]", texts.join(",")))
    }
}

impl From<Object> for Json {
    fn from(object: Object) -> Self {
        Self(format!("{{{}}}", object.fields))
    }
}

/// An object under construction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Object {
    spelling: Spelling,
    fields: String,
}

impl Object {
    /// No fields yet.
    pub(super) const fn new(spelling: Spelling) -> Self {
        Self { spelling, fields: String::new() }
    }

    /// One more field; its name is given with underscores and written as the document spells it.
    pub(super) fn put(self, name: &str, value: impl Into<Json>) -> Self {
        let name = self.spelling.spell(name);
        self.put_as(&name, value)
    }

    /// One more field, under exactly this name.
    pub(super) fn put_as(mut self, name: &str, value: impl Into<Json>) -> Self {
        let comma = if self.fields.is_empty() { "" } else { "," };
        // Writing to a text cannot fail.
        let _ = write!(self.fields, "{comma}{}:{}", Json::from(name).0, value.into().0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Currency;

    fn written(value: impl Into<Json>) -> String {
        String::from_utf8(value.into().into_bytes()).unwrap()
    }

    #[test]
    fn every_document_spells_in_its_way() {
        assert_eq!(Spelling::Snake.spell("order_id"), "order_id");
        assert_eq!(Spelling::Camel.spell("order_id"), "orderId");
        assert_eq!(Spelling::Pascal.spell("order_id"), "OrderId");
    }

    #[test]
    fn amounts_are_exact_numbers() {
        let vnd = Currency::from_code("VND").unwrap();
        assert_eq!(written(Money::from_minor(29_990_000, vnd)), "29990000");
        assert_eq!(written(Money::from_minor(1250, Currency::EUR)), "12.50");
        assert_eq!(written(Money::from_minor(-5, Currency::EUR)), "-0.05");
        assert_eq!(written(Money::from_minor(i64::MAX, Currency::EUR)), "92233720368547758.07");
        assert_eq!(written(Price::parse("0.0375", Currency::EUR).unwrap()), "0.0375");
    }

    #[test]
    fn times_have_a_fraction_where_there_is_one() {
        let time = |micros| written(Timestamp::from_micros(micros).unwrap());
        assert_eq!(time(1_704_067_200_000_000), "\"2024-01-01T00:00:00Z\"");
        assert_eq!(time(1_704_067_200_000_001), "\"2024-01-01T00:00:00.000001Z\"");
    }

    #[test]
    fn objects_keep_the_order_of_their_fields_and_are_json() {
        let inner = Object::new(Spelling::Camel).put("z_last", "a \"quoted\"\nline");
        let object = Object::new(Spelling::Pascal)
            .put("order_id", 7_u32)
            .put("items", vec![inner])
            .put("code", None::<&str>)
            .put_as("on_hand", true);
        let text = written(object);
        assert_eq!(
            text,
            r#"{"OrderId":7,"Items":[{"zLast":"a \"quoted\"\nline"}],"Code":null,"on_hand":true}"#
        );
        assert!(serde_json::from_str::<Value>(&text).is_ok());
        assert_eq!(written(Object::new(Spelling::Snake)), "{}");
    }
}
