//! A store that breaks one clause of its contract on demand.
//!
//! Without a [`Break`] it is a second, simple implementation of the contract, against which others can
//! be compared. With one it proves that the suite bites: the check that
//! [`caught_by`](Break::caught_by) names fails, and every check is failed by some break.

/// Writes an enum of breaks: each with the check that must fail because of it.
macro_rules! breaks {
    ($(#[$about:meta])+ pub enum $flaw:ident; $($(#[$doc:meta])+ $name:ident => $check:ident,)+) => {
        $(#[$about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum $flaw { $($(#[$doc])+ $name,)+ }

        impl $flaw {
            /// Every break.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The check that must fail because of it; others may.
            pub const fn caught_by(self) -> &'static str {
                match self { $(Self::$name => stringify!($check),)+ }
            }
        }
    };
}

mod apply;
mod check;
mod flaw;
mod gateway;
mod lease;
mod part;
mod pool;
mod read;
mod state;
mod store;
mod timer;
mod view;
mod view_flaw;

pub use flaw::Break;
pub use gateway::{BrokenGateway, GatewayBreak};
pub use store::{BrokenStore, fixture};
pub use view::BrokenViews;
pub use view_flaw::ViewBreak;
