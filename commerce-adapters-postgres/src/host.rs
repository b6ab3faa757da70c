//! The host's rows and ours in the host's own transaction.

use commerce_core::kernel::commit::{Commit, Receipt};
use commerce_core::kernel::error::{CommitError, Effect};
use sqlx::PgConnection;

use crate::PgStore;
use crate::commit::{Prepared, apply};
use crate::error::{corrupt, port_error};

impl PgStore {
    /// Applies a commit in a transaction of the host, which makes it durable or undoes it.
    ///
    /// Call it once per transaction, as the last thing before its `COMMIT`, with no call on the library
    /// in between: streams and pools of the commit stay locked until then, and a call that needs one of
    /// them would wait for its own caller (until the host's `lock_timeout`, where one is set). The
    /// transaction needs the isolation level read committed, which is the server's default.
    ///
    /// The receipt holds once the transaction is committed. A refusal writes nothing and leaves the
    /// transaction usable; after a [`CommitError::Port`] it must be rolled back.
    ///
    /// # Errors
    ///
    /// As `Store::commit`.
    pub async fn commit_in(
        &self,
        transaction: &mut PgConnection,
        commit: Commit,
    ) -> Result<Receipt, CommitError> {
        let prepared = Prepared::new(commit, self.inner.locks)?;
        let batch = std::slice::from_ref(&prepared);
        match apply(transaction, &self.inner.applier.statement, batch, None, self.moment()).await {
            Ok(mut outcomes) => outcomes.pop().unwrap_or(Err(CommitError::Port(corrupt("commit_in")))),
            // Nothing is durable before the host's own COMMIT.
            Err(error) => Err(CommitError::Port(port_error("commit_in", Effect::None, &error))),
        }
    }
}
