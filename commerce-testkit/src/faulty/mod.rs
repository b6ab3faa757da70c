//! Ports that fail on demand: before or after their effect, late, twice, out of order, or for good.
//!
//! [`Faulty`] wraps a port and asks [`Faults`] before every call what goes wrong with it. Faults come by
//! chance ([`Rates`] and a seed) or by a [`Script`], and are counted in a [`Tally`]. What the wrapped port
//! does is never changed: a lost answer is the answer to a call that was carried out.
//!
//! A process dies where a call never comes back. Whoever drives the process looks at
//! [`Faults::is_dead`] and drops everything that belonged to it; [`until_it_dies`] does so for one future.
//!
//! ```
//! use std::sync::Arc;
//! use commerce_core::port::store::Store;
//! use commerce_testkit::faulty::{Fault, Faults, Faulty, Port, Script};
//!
//! # fn shop(store: Arc<dyn Store>) {
//! // The second commit is carried out, but its answer is lost.
//! let faults = Faults::scripted(Script::default().nth(Port::Store, "commit", 2, Fault::FailAfter));
//! let store: Faulty<dyn Store> = Faulty::on(store, faults.clone());
//! // … use the store …
//! assert_eq!(faults.tally().of(Port::Store, Fault::FailAfter), 0);
//! # }
//! ```

mod around;
mod assessing;
mod death;
mod fault;
mod faults;
mod gateway;
mod ids;
mod lease;
mod notifier;
mod plan;
mod publisher;
mod side;
mod store;
mod tally;
mod time;
mod view;

use std::sync::Arc;

pub use death::until_it_dies;
pub use fault::{Fault, Port};
pub use faults::{Call, Faults};
pub use plan::{Rates, Script};
pub use tally::Tally;

/// A port whose calls go wrong as [`Faults`] say.
#[derive(Debug)]
pub struct Faulty<P: ?Sized> {
    port: Arc<P>,
    faults: Faults,
}

impl<P: ?Sized> Faulty<P> {
    /// Puts faults in front of a port.
    pub const fn on(port: Arc<P>, faults: Faults) -> Self {
        Self { port, faults }
    }

    /// The port behind the faults.
    pub const fn inner(&self) -> &Arc<P> {
        &self.port
    }
}

impl<P: ?Sized> Clone for Faulty<P> {
    fn clone(&self) -> Self {
        Self { port: self.port.clone(), faults: self.faults.clone() }
    }
}
