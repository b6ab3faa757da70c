//! Between events in Rust and bytes in a store.

use std::sync::Arc;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeSeed, EnumAccess, IntoDeserializer, VariantAccess, Visitor};

use super::event::{DomainEvent, EventType, NewEvent};
use super::personal::{PersonalValue, Vault};

/// An event or a snapshot cannot be written or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodecError {
    /// The store holds a newer schema, or a type that this version does not know.
    #[error("{name} schema {schema} is newer than this version of the program")]
    TooNew {
        /// The stored name.
        name: String,
        /// The stored schema.
        schema: u16,
    },
    /// The bytes are not what the type says.
    #[error("{name} cannot be read: {reason}")]
    Malformed {
        /// The stored name.
        name: String,
        /// What the reader found, without values.
        reason: String,
    },
    /// The value cannot be written.
    #[error("{name} cannot be written: {reason}")]
    Unwritable {
        /// The name.
        name: String,
        /// Why.
        reason: String,
    },
}

/// An event as bytes: payload and the personal values taken out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoded {
    /// JSON of the variant's fields; `null` for a variant without any.
    pub data: Arc<[u8]>,
    /// In the order in which they stand in the payload.
    pub personal: Vec<PersonalValue>,
}

/// The type of an event.
pub fn event_type<E: DomainEvent>(name: &str) -> Option<&'static EventType> {
    E::TYPES.iter().find(|known| known.name == name)
}

/// Writes an event; the name of its Rust variant is not part of the bytes.
///
/// # Errors
///
/// [`CodecError::Unwritable`] where the event refuses to be serialised.
pub fn encode<E: DomainEvent>(event: &E) -> Result<Encoded, CodecError> {
    let name = event.name();
    let unwritable = |reason: String| CodecError::Unwritable { name: name.to_owned(), reason };
    // Most payloads fit, so that the buffer seldom grows.
    let (json, personal) = Vault::collect(|| {
        let mut json = Vec::with_capacity(1024);
        serde_json::to_writer(&mut json, event).map(|()| json)
    });
    let json = json.map_err(|error| unwritable(error.to_string()))?;
    let variant = event_type::<E>(name).map_or("", |known| known.variant);
    let unit = json.first() == Some(&b'"');
    let data: Arc<[u8]> = if unit {
        Arc::from(&b"null"[..])
    } else {
        // `{"Variant":PAYLOAD}`: four bytes of punctuation before the payload, one behind it.
        let start = variant.len().saturating_add(4);
        let end = json.len().saturating_sub(1);
        let matches = json.get(2..start.saturating_sub(2)) == Some(variant.as_bytes());
        let payload = json.get(start..end).filter(|_| matches);
        Arc::from(payload.ok_or_else(|| unwritable("not an externally tagged enum".to_owned()))?)
    };
    Ok(Encoded { data, personal })
}

/// Reads an event, lifting older schemas to today's.
///
/// # Errors
///
/// [`CodecError::TooNew`] for an unknown type or a newer schema, [`CodecError::Malformed`] where the
/// bytes do not fit the type or an upcaster refuses.
pub fn decode<E: DomainEvent>(stored: &NewEvent) -> Result<E, CodecError> {
    let malformed = |reason: String| CodecError::Malformed { name: stored.name.clone().into_owned(), reason };
    let known =
        event_type::<E>(&stored.name).filter(|known| stored.schema <= known.schema).ok_or_else(|| {
            CodecError::TooNew { name: stored.name.clone().into_owned(), schema: stored.schema }
        })?;
    let lifted;
    let data: &[u8] = if stored.schema == known.schema {
        &stored.data
    } else {
        let mut payload =
            serde_json::from_slice(&stored.data).map_err(|error| malformed(error.to_string()))?;
        for schema in stored.schema..known.schema {
            payload = E::upcast(known.name, schema, payload).map_err(malformed)?;
        }
        lifted = serde_json::to_vec(&payload).map_err(|error| malformed(error.to_string()))?;
        &lifted
    };
    Vault::provide(&stored.personal, || E::deserialize(Tagged { variant: known.variant, data }))
        .map_err(|error| malformed(error.to_string()))
}

/// Gives serde the enum whose tag and payload are stored apart.
struct Tagged<'de> {
    variant: &'static str,
    data: &'de [u8],
}

impl<'de> de::Deserializer<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        // serde wants every type named; all of them lead to the enum
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str // no float is read or written
        string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Self::Error> {
        let tag: StrDeserializer<'_, Self::Error> = self.variant.into_deserializer();
        Ok((seed.deserialize(tag)?, self))
    }
}

impl<'de> VariantAccess<'de> for Tagged<'de> {
    type Error = serde_json::Error;

    fn unit_variant(self) -> Result<(), Self::Error> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Self::Error> {
        seed.deserialize(&mut serde_json::Deserializer::from_slice(self.data))
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Self::Error> {
        de::Deserializer::deserialize_tuple(
            &mut serde_json::Deserializer::from_slice(self.data),
            len,
            visitor,
        )
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        let mut json = serde_json::Deserializer::from_slice(self.data);
        de::Deserializer::deserialize_struct(&mut json, "", fields, visitor)
    }
}
