//! Named, fenced leases: one holder at a time.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::kernel::commit::Fence;
use crate::kernel::error::PortError;
use crate::value::time::Timestamp;

/// A lease that was granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Granted {
    /// To be named in commits made under the lease; its token grows with every holder.
    pub fence: Fence,
    /// When it ends by the clock of whoever granted it, unless it is renewed.
    pub until: Timestamp,
}

/// Grants names to one holder at a time.
#[async_trait]
pub trait Lease: Debug + Send + Sync + 'static {
    /// Takes the name for `span`, or says that somebody has it.
    ///
    /// # Contract
    ///
    /// `None` while another lease of this name lasts. A token is greater than every earlier token of the
    /// name, also after a release. Judged by the adapter's own clock. An unknown effect ends by itself
    /// when the span is over.
    async fn acquire(&self, name: &str, span: Duration) -> Result<Option<Granted>, PortError>;

    /// Extends a lease by `span` from now, or says that it was lost.
    ///
    /// # Contract
    ///
    /// `None` where the token is not that of the present holder or the lease is over; the token stays
    /// the same otherwise. Repeating it is harmless.
    async fn renew(&self, fence: &Fence, span: Duration) -> Result<Option<Granted>, PortError>;

    /// Gives a lease up.
    ///
    /// # Contract
    ///
    /// Does nothing where the token is not that of the present holder. Repeating it is harmless.
    async fn release(&self, fence: &Fence) -> Result<(), PortError>;
}
