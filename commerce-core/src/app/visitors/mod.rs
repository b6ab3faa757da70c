//! Who is there, and which cart is theirs.
//!
//! A visitor shows a secret: a cookie, which the host makes of at least 128 random bits. The session behind it
//! lasts as long as it is used; carts last longer, and none depends on a session. The ids of a guest's carts
//! follow from the secret, those of a customer's carts from the customer, and the carts of each are used one
//! after the other. So a session store that loses everything logs people out, and loses no cart.
//!
//! ```
//! use std::sync::Arc;
//! use commerce_core::app::visitors::VisitorError;
//! use commerce_core::port::session::SessionStore;
//! use commerce_core::prelude::*;
//!
//! async fn add(
//!     shop: &Commerce,
//!     sessions: Arc<dyn SessionStore>,
//!     cookie: &[u8],
//!     sku: &Sku,
//! ) -> Result<bool, VisitorError> {
//!     let visitors = shop.visitors(sessions)?;
//!     let visitor = match visitors.visit(cookie).await {
//!         // Without sessions everybody is a guest, which is better than nobody.
//!         Err(VisitorError::Sessions(_)) => visitors.guest(cookie).await?,
//!         visitor => visitor?,
//!     };
//!     let shop = shop.acting_as(visitor.actor);
//!     Ok(shop.add_to_cart(visitor.cart, sku, Quantity::ONE, Currency::EUR).await.is_ok())
//! }
//! ```

mod carts;

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::commerce::Commerce;
use super::operations::OperationError;
use super::reading::ReadError;
use crate::carts::{Cart, CartError};
use crate::identity::{Denied, authorise};
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::error::{ErrorClass, PortError};
use crate::port::session::{Expected, IDLE, Session, SessionKey, SessionStore, SessionWrite};
use crate::value::actor::{Actor, Owner};
use crate::value::id::{CartId, CustomerId, SubjectId};

/// The namespace of ids that follow from a secret or a customer.
const VISITORS: Uuid = Uuid::from_u128(0x1157_1265_0000_5000_8000_0000_0000_0002);

/// Whom a request is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// As whom the shop is asked.
    pub actor: Actor,
    /// The cart to show and to fill; [`add_to_cart`](Commerce::add_to_cart) begins it where there is none yet.
    pub cart: CartId,
}

/// What came of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedIn {
    /// The customer, with a cart in which all is that the guest had.
    pub visitor: Visitor,
    /// The guest's cart where it could not go into the customer's, and why; it stays as it is.
    pub apart: Option<(CartId, CartError)>,
}

/// A visitor cannot be served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VisitorError {
    /// The actor may not do this.
    #[error("not permitted")]
    Denied(#[from] Denied),
    /// The session store failed. [`Visitors::guest`] does without.
    #[error("the sessions cannot be reached")]
    Sessions(#[source] PortError),
    /// The cart cannot be read.
    #[error("the cart cannot be read")]
    Read(#[from] ReadError),
    /// The guest's cart could not be put into the customer's.
    #[error("the carts cannot become one")]
    Merge(#[from] OperationError),
    /// Who logs in needs a new secret: the old one may be known to whoever gave it to them.
    #[error("a login needs a secret of its own")]
    SameSecret,
}

impl VisitorError {
    /// What to do about it: the HTTP status in one match.
    pub const fn class(&self) -> ErrorClass {
        match self {
            Self::Denied(_) | Self::SameSecret => ErrorClass::Refused,
            Self::Sessions(_) => ErrorClass::Unavailable,
            Self::Read(error) => error.class(),
            Self::Merge(error) => error.class(),
        }
    }
}

/// What is kept in a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Who has logged in.
    customer: Option<CustomerId>,
    /// How many carts are over, at least: where to look for the present one.
    carts: u32,
}

/// Knows visitors by their secrets. Clones share the sessions.
#[derive(Debug, Clone)]
pub struct Visitors {
    shop: Commerce,
    sessions: Arc<dyn SessionStore>,
    idle: Duration,
}

impl Commerce {
    /// Knows visitors by their sessions. For staff and the system: whoever has it may act as anybody who shows
    /// a secret.
    ///
    /// # Errors
    ///
    /// [`Denied`].
    pub fn visitors(&self, sessions: Arc<dyn SessionStore>) -> Result<Visitors, Denied> {
        let permission = Permission::new(Cart::NAME, "merge");
        authorise(&self.request.principal, permission, Some(Owner::Shop))?;
        Ok(Visitors { shop: self.acting_as(Actor::System), sessions, idle: IDLE })
    }
}

impl Visitors {
    /// Sessions last so long while nobody uses them; [`IDLE`] unless it is said.
    #[must_use]
    pub const fn idle_for(mut self, idle: Duration) -> Self {
        self.idle = idle;
        self
    }

    /// Whom this secret belongs to: the customer who has logged in with it, a guest otherwise. The session lasts
    /// its whole idle time again. A guest leaves nothing in the session store before a first cart is over.
    ///
    /// # Errors
    ///
    /// [`VisitorError`].
    pub async fn visit(&self, secret: &[u8]) -> Result<Visitor, VisitorError> {
        let key = key(secret);
        let session = self.sessions.get(&key).await.map_err(VisitorError::Sessions)?;
        let kept = session.as_ref().map(kept).unwrap_or_default();
        let (actor, subject) = kept.customer.map_or_else(|| guest(&key), user);
        let (carts, cart) = carts::present(&self.shop, subject, kept.carts).await?;
        if carts != kept.carts {
            let expected = session.map_or(Expected::New, |session| Expected::Revision(session.revision));
            // Where somebody else was faster the next visit looks again.
            self.keep(&key, Kept { carts, ..kept }, expected).await?;
        }
        Ok(Visitor { actor, cart })
    }

    /// As whom to serve whoever shows this secret while no session can be read: as a guest, with the guest's
    /// cart. Asks the store only.
    ///
    /// # Errors
    ///
    /// [`VisitorError`].
    pub async fn guest(&self, secret: &[u8]) -> Result<Visitor, VisitorError> {
        let (actor, subject) = guest(&key(secret));
        let (_, cart) = carts::present(&self.shop, subject, 0).await?;
        Ok(Visitor { actor, cart })
    }

    /// The visitor of the secret `before` is this customer, as the host has made sure, and shows `secret` from
    /// now on. What the guest's cart holds goes into the customer's, in one commit; `before` ends.
    ///
    /// Repeating it is harmless, also behind a call of which nobody knows what it did.
    ///
    /// # Errors
    ///
    /// [`VisitorError`].
    pub async fn log_in(
        &self,
        before: &[u8],
        secret: &[u8],
        customer: CustomerId,
    ) -> Result<LoggedIn, VisitorError> {
        if before == secret {
            return Err(VisitorError::SameSecret);
        }
        let visitor = self.visit(before).await?;
        let (actor, subject) = user(customer);
        let (carts, cart) = carts::present(&self.shop, subject, 0).await?;
        let mut apart = None;
        if let Actor::Guest(_) = visitor.actor {
            match carts::merge(&self.shop, visitor.cart, (cart, subject)).await {
                Ok(()) => {}
                Err(OperationError::Cart(refusal)) => apart = Some((visitor.cart, refusal)),
                Err(error) => return Err(error.into()),
            }
        }
        self.keep(&key(secret), Kept { customer: Some(customer), carts }, Expected::Any).await?;
        self.log_out(before).await?;
        Ok(LoggedIn { visitor: Visitor { actor, cart }, apart })
    }

    /// Ends the session of this secret; whether there was one.
    ///
    /// # Errors
    ///
    /// [`VisitorError`].
    pub async fn log_out(&self, secret: &[u8]) -> Result<bool, VisitorError> {
        self.sessions.remove(&key(secret)).await.map_err(VisitorError::Sessions)
    }

    async fn keep(&self, key: &SessionKey, kept: Kept, expected: Expected) -> Result<(), VisitorError> {
        // It holds an id and a number: that cannot fail.
        let data = serde_json::to_vec(&kept).unwrap_or_default().into();
        let write = SessionWrite { data, idle: self.idle, expected };
        self.sessions.put(key, write).await.map(drop).map_err(VisitorError::Sessions)
    }
}

fn key(secret: &[u8]) -> SessionKey {
    SessionKey::new("visitor", secret)
}

/// What a session holds; what nobody can read is none.
fn kept(session: &Session) -> Kept {
    serde_json::from_slice(&session.data).unwrap_or_default()
}

/// The subject of a guest follows from a hash of the secret, and does not tell it.
fn guest(key: &SessionKey) -> (Actor, SubjectId) {
    let subject = SubjectId::derived(VISITORS, key.as_str().as_bytes());
    (Actor::Guest(subject), subject)
}

const fn user(customer: CustomerId) -> (Actor, SubjectId) {
    (Actor::User(customer), customer.cast())
}
