//! What a host can set.

use std::sync::Arc;
use std::time::Duration;

/// The most letters of a shop's name.
const LONGEST: usize = 64;

/// How the stream of a topic is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StreamNames {
    /// `{mugs}:topic:order-events`: apart from other shops, and in the hash slot of this one.
    #[default]
    OfShop,
    /// `order-events`: for consumers that know streams by the names of their topics. Shops on one server then
    /// share streams, so each needs a server or a database of its own; and the streams of several topics share no
    /// slot, so that a server of a cluster is refused.
    Bare,
}

/// How a [`RedisStore`](crate::RedisStore) or a [`RedisBroker`](crate::RedisBroker) works.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The shop, which begins the name of every key: `{mugs}:log`.
    pub shop: Arc<str>,
    /// Whether a server is taken that may lose data: without persistence, or with eviction.
    pub accept_data_loss: bool,
    /// How long any answer of the server is waited for.
    pub answer_timeout: Duration,
    /// How a broker names its streams.
    pub streams: StreamNames,
}

/// A shop's name is empty, too long, or holds more than letters, digits, dashes and underscores.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a shop's name has up to 64 letters, digits, dashes and underscores")]
pub struct InvalidShop;

impl Settings {
    /// The settings of a shop of this name.
    ///
    /// # Errors
    ///
    /// [`InvalidShop`].
    pub fn for_shop(name: &str) -> Result<Self, InvalidShop> {
        let fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > LONGEST || !name.chars().all(fine) {
            return Err(InvalidShop);
        }
        Ok(Self {
            shop: name.into(),
            accept_data_loss: false,
            answer_timeout: Duration::from_secs(10),
            streams: StreamNames::OfShop,
        })
    }

    /// On a server that may lose data.
    #[must_use]
    pub const fn accepting_data_loss(mut self) -> Self {
        self.accept_data_loss = true;
        self
    }

    /// With streams that are named as their topics are.
    #[must_use]
    pub const fn with_bare_streams(mut self) -> Self {
        self.streams = StreamNames::Bare;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_slot() {
        for wrong in ["", "a b", "a{b", "a}b", "ä", &"a".repeat(65)] {
            assert_eq!(Settings::for_shop(wrong), Err(InvalidShop), "{wrong}");
        }
        assert!(Settings::for_shop("Mugs_and-cups2").is_ok());
    }
}
