//! Live push: news of stock and orders as they happen, and what whoever was away has missed.

mod follow;
mod id;
mod inbox;
mod push;
mod update;

use std::sync::Arc;

pub use follow::{LiveFollower, LiveUpdates};
pub use id::{InvalidLiveId, LiveId};
pub use push::LivePush;
pub use update::{LiveEvent, LiveUpdate};

/// What can be followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum LiveChannel {
    /// Stock: levels, alerts, and what is reserved, promised, given back and gone.
    Stock,
    /// The status of orders, parcels included: that of all orders. A host shows buyers their own.
    Orders,
}

impl LiveChannel {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Stock, Self::Orders];

    /// Its name: `stock` or `orders`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stock => "stock",
            Self::Orders => "orders",
        }
    }
}

/// The keys of a shop's live push. All share the shop's hash slot.
#[derive(Debug, Clone)]
struct Names {
    shop: Arc<str>,
}

impl Names {
    /// The number of the last update of all, and of each channel.
    fn last(&self) -> String {
        format!("{{{}}}:live", self.shop)
    }

    /// The replay buffer of a channel, under the name on which it is pushed.
    fn buffer(&self, channel: LiveChannel) -> String {
        format!("{{{}}}:live:{}", self.shop, channel.name())
    }

    /// The keys of a script about some channels.
    fn keys(&self, channels: &[LiveChannel]) -> Vec<String> {
        let buffers = channels.iter().map(|channel| self.buffer(*channel));
        std::iter::once(self.last()).chain(buffers).collect()
    }
}
