//! Carts whose buyers do nothing any more: abandoned after a while, expired after a longer one.
//!
//! A timer of the cart wakes whoever looks; edits do not move it. Whoever looks reads in the cart's stream
//! when the buyer did something last, and decides by that.

use super::commerce::Commerce;
use super::reading::ReadError;
use crate::carts::{Cart, CartCommand, Status as CartStatus};
use crate::kernel::aggregate::{Aggregate, Instance};
use crate::kernel::batch::Batch;
use crate::kernel::error::{CommitError, Effect, PortError, PortErrorKind};
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::Version;
use crate::value::id::CartId;
use crate::value::time::Timestamp;

/// How many events are read at a time, from the end of a stream.
const WINDOW: u64 = 20;
/// What happens to a cart without its buyer.
const NOT_THE_BUYERS: [&str; 2] = ["CartWatched", "CartAbandoned"];

/// Nobody could look after a cart; its timer comes back.
#[derive(Debug, thiserror::Error)]
pub(super) enum IdleCartError {
    #[error("the cart cannot be read")]
    Read(#[from] ReadError),
    #[error("the store failed")]
    Port(#[from] PortError),
    #[error("the events of the cart do not fit")]
    Replay(#[from] ReplayError),
    #[error("the store refuses")]
    Commit(#[from] CommitError),
    #[error("the cart refuses")]
    Cart(#[from] crate::carts::CartError),
    #[error("the settings cannot be read")]
    Settings(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Commerce {
    /// Looks whether a cart is still used: abandons it, lets it expire, or looks again later.
    pub(super) async fn look_after_cart(&self, id: CartId) -> Result<(), IdleCartError> {
        let known = self.read::<Cart>(id).await?;
        let Some(cart) = known.state.as_ref().filter(|cart| !cart.status().is_terminal()) else {
            return Ok(());
        };
        let settings = self.settings().await.map_err(|error| IdleCartError::Settings(Box::new(error)))?;
        let (idle, kept) = (settings.cart_idle(), settings.cart_kept());
        let (status, last) = (cart.status(), self.last_use(&known).await?);
        let unused = self.now().since(last);
        let commands = match status {
            // Its checkout has timers of its own.
            CartStatus::CheckingOut => vec![CartCommand::Watch { look_at: self.now().plus(idle) }],
            _ if unused >= kept => vec![CartCommand::Expire],
            CartStatus::Active if unused < idle => vec![CartCommand::Watch { look_at: last.plus(idle) }],
            CartStatus::Active => vec![CartCommand::Abandon, CartCommand::Watch { look_at: last.plus(kept) }],
            _ => vec![CartCommand::Watch { look_at: last.plus(kept) }],
        };
        let mut cart = Instance::clone(&known);
        let mut batch = Batch::new(self.ids(), self.now(), self.metadata());
        for command in commands {
            let events = Cart::decide(cart.state.as_ref(), command, batch.now())?;
            batch.append(&mut cart, &events)?;
        }
        match self.commit_resolved(batch.into_commit()).await {
            // Its buyer is there: the timer comes back and finds that out.
            Err(CommitError::Stale { .. }) => Ok(()),
            done => Ok(done.map(drop)?),
        }
    }

    /// When the buyer did something last.
    async fn last_use(&self, cart: &Instance<Cart>) -> Result<Timestamp, PortError> {
        let stream = cart.stream();
        let mut end = cart.version.get();
        while end > 0 {
            let start = end.saturating_sub(WINDOW);
            let count = u32::try_from(end.saturating_sub(start)).unwrap_or(u32::MAX);
            let events = self.store().read_stream(&stream, Version::new(start), count).await?;
            let used = events.iter().rev().find(|event| !NOT_THE_BUYERS.contains(&event.event.name.as_ref()));
            if let Some(event) = used {
                return Ok(event.event.at);
            }
            end = start;
        }
        // A stream begins with its creation.
        Err(PortError::new(PortErrorKind::Corrupt, Effect::None, "store", "read_stream"))
    }
}
