//! The checks of the `Store` port, a module per group of clauses.

pub(super) mod atomic;
pub(super) mod directory;
pub(super) mod durable;
pub(super) mod erase;
pub(super) mod form;
pub(super) mod guard;
pub(super) mod key;
pub(super) mod load;
pub(super) mod log;
pub(super) mod mark;
pub(super) mod personal;
pub(super) mod pool;
pub(super) mod precedence;
pub(super) mod race;
pub(super) mod scan;
pub(super) mod stream;
pub(super) mod timer;
pub(super) mod timer_lease;
