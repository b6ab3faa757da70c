//! Settings: how a shop sells, as one typed, versioned aggregate with defaults.
//!
//! A shop without settings sells in euros, adds tax to its prices, rounds half to even per line, holds
//! stock for fifteen minutes and refuses what it does not have. A change replaces all values in one event,
//! so that every version of the settings can be read in the log.

pub mod state;
pub mod values;

pub use state::{SettingsCommand, SettingsError, SettingsEvent, ShopSettings, settings_id};
pub use values::{CapturePolicy, SettingsValues, TaxRule};
