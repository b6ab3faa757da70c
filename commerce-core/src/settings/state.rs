//! The settings of a shop as an aggregate.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::values::SettingsValues;
use crate::event_types;
use crate::kernel::aggregate::{Aggregate, Command, EvolveError, Permission};
use crate::value::id::{SettingsId, marker};
use crate::value::shipping::RateRule;
use crate::value::time::Timestamp;

/// The settings of a shop: one stream per store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShopSettings {
    values: SettingsValues,
}

/// The id of the settings: the same in every store.
pub fn settings_id() -> SettingsId {
    SettingsId::derived(Uuid::from_u128(0x5e77_1265), b"settings")
}

impl ShopSettings {
    /// How the shop sells.
    pub const fn values(&self) -> &SettingsValues {
        &self.values
    }
}

/// Asks something of the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum SettingsCommand {
    /// Replaces all values.
    Update {
        /// The new ones.
        values: Box<SettingsValues>,
    },
}

impl Command for SettingsCommand {
    type Target = ShopSettings;

    fn permission(&self) -> Permission {
        Permission::new("settings", "update")
    }
}

/// A fact about the settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum SettingsEvent {
    /// All values were replaced.
    Updated {
        /// The new ones.
        values: Box<SettingsValues>,
    },
}

event_types! { SettingsEvent { Updated => "ShopSettingsUpdated" v1 } }

/// Why settings are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// A shop sells in something.
    #[error("a shop needs at least one currency")]
    NoCurrency,
    /// A value lies outside its range.
    #[error("{field} must lie between {min} and {max}")]
    OutOfRange {
        /// The field.
        field: &'static str,
        /// The smallest value.
        min: u32,
        /// The greatest value.
        max: u32,
    },
    /// Order numbers begin with letters, digits or dashes.
    #[error("order numbers begin with at most 20 letters, digits or dashes")]
    BadPrefix,
    /// Two shipping methods have one code.
    #[error("two shipping methods have one code")]
    DuplicateMethod,
    /// A shipping fee is below zero.
    #[error("a shipping fee is below zero")]
    NegativeFee,
}

fn check(values: &SettingsValues) -> Result<(), SettingsError> {
    let range = |field, value: u32, min, max| {
        if (min..=max).contains(&value) { Ok(()) } else { Err(SettingsError::OutOfRange { field, min, max }) }
    };
    if values.currencies.is_empty() {
        return Err(SettingsError::NoCurrency);
    }
    range("hold_seconds", values.hold_seconds, 60, 86_400)?;
    range("grace_seconds", values.grace_seconds, 1, values.hold_seconds)?;
    let longest = values.hold_seconds.saturating_sub(values.grace_seconds);
    range("payment_seconds", values.payment_seconds, 1, longest)?;
    range("resume_seconds", values.resume_seconds, 1, 600)?;
    range("cart_idle_seconds", values.cart_idle_seconds, 300, 2_592_000)?;
    range("cart_kept_seconds", values.cart_kept_seconds, values.cart_idle_seconds, 31_536_000)?;
    let prefix = &values.order_prefix;
    if prefix.len() > 20 || !prefix.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-') {
        return Err(SettingsError::BadPrefix);
    }
    for (index, method) in values.shipping.iter().enumerate() {
        if values.shipping.iter().take(index).any(|other| other.code == method.code) {
            return Err(SettingsError::DuplicateMethod);
        }
        let negative = match &method.rate {
            RateRule::Flat(price) => price.is_negative(),
            RateRule::Table { bands, .. } => bands.iter().any(|band| band.price.is_negative()),
        };
        if negative {
            return Err(SettingsError::NegativeFee);
        }
    }
    Ok(())
}

impl Aggregate for ShopSettings {
    const NAME: &'static str = "settings";
    type Root = marker::Settings;
    type Command = SettingsCommand;
    type Event = SettingsEvent;
    type Error = SettingsError;

    fn decide(
        state: Option<&Self>,
        command: SettingsCommand,
        _now: Timestamp,
    ) -> Result<Vec<SettingsEvent>, SettingsError> {
        let SettingsCommand::Update { values } = command;
        check(&values)?;
        let same = state.is_some_and(|settings| settings.values == *values);
        Ok(if same { Vec::new() } else { vec![SettingsEvent::Updated { values }] })
    }

    fn evolve(_state: Option<Self>, event: &SettingsEvent) -> Result<Self, EvolveError> {
        let SettingsEvent::Updated { values } = event;
        Ok(Self { values: SettingsValues::clone(values) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_settings_that_would_be_accepted() {
        assert_eq!(check(&SettingsValues::default()), Ok(()));
    }

    #[test]
    fn a_payment_may_not_outlast_its_hold() {
        let values = SettingsValues { payment_seconds: 900, ..SettingsValues::default() };
        assert!(matches!(check(&values), Err(SettingsError::OutOfRange { field: "payment_seconds", .. })));
    }
}
