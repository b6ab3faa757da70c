//! What a shop stands on besides its store.

use std::sync::Arc;

use super::clock::{Clock, Sleeper};
use super::ids::Ids;

/// Time, waiting and identifiers, handed to a shop once.
#[derive(Debug, Clone)]
pub struct Platform {
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Waits.
    pub sleeper: Arc<dyn Sleeper>,
    /// Makes identifiers.
    pub ids: Arc<dyn Ids>,
}
