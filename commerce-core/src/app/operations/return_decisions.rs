//! Whether goods may come back: decided on the return and counted against the order in one commit, so that
//! units of a return that came to nothing can be returned another time.

use std::collections::BTreeMap;

use super::returns::shift;
use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::error::CommitError;
use crate::orders::ledger::Movement;
use crate::returns::event::ApprovedLine;
use crate::returns::{Return, ReturnCommand, ReturnError, ReturnEvent};
use crate::value::id::ReturnId;
use crate::value::time::Timestamp;
use crate::value::{Code, Reason};

impl Commerce {
    /// Allows a return, whole or in part, until a time.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn approve_return(
        &self,
        id: ReturnId,
        number: Code,
        lines: Vec<ApprovedLine>,
        expires_at: Timestamp,
    ) -> Result<(), OperationError> {
        self.change_return("approve-return", id, ReturnCommand::Approve { number, lines, expires_at }).await
    }

    /// Does not allow a return.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn reject_return(&self, id: ReturnId, reason: Reason) -> Result<(), OperationError> {
        self.change_return("reject-return", id, ReturnCommand::Reject { reason }).await
    }

    /// Gives a return up that was not decided yet. For its buyer, and for staff.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn cancel_return(&self, id: ReturnId) -> Result<(), OperationError> {
        self.change_return("cancel-return", id, ReturnCommand::Cancel).await
    }

    /// Ends an approval that nobody used in time; one that is not over, or was used, is left as it is.
    pub(crate) async fn expire_return(&self, id: ReturnId) -> Result<(), OperationError> {
        match self.change_return("expire-return", id, ReturnCommand::Expire).await {
            Err(OperationError::Return(ReturnError::NotExpired)) => Ok(()),
            done => done,
        }
    }

    async fn change_return(
        &self,
        name: &'static str,
        id: ReturnId,
        command: ReturnCommand,
    ) -> Result<(), OperationError> {
        let deed = self.deed((Permission::new(Return::NAME, name), id.uuid()), &(id, &command));
        retried!(self, deed, shop => shop.try_change_return(id, &command, &deed))
    }

    /// Gives a command to a return, and has the order know which units came back, and which are in no
    /// return any more.
    pub(super) async fn try_change_return(
        &self,
        id: ReturnId,
        command: &ReturnCommand,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let Some((mut goods, mut order)) = self.goods(id, command, deed).await? else { return Ok(()) };
        let before: BTreeMap<_, _> = goods.state.iter().flat_map(Return::bound).collect();
        let mut batch = self.batch();
        for event in told(&mut batch, &mut goods, command.clone())? {
            if let ReturnEvent::Counted { counts } = event {
                let units = counts.into_iter().map(|count| (count.line, count.received));
                shift(&mut batch, &mut order, Movement::ReturnReceived, units)?;
            }
        }
        let after = goods.state.iter().flat_map(Return::bound);
        let freed = after
            .map(|(line, units)| (line, before.get(&line).map_or(0, |before| before.saturating_sub(units))));
        shift(&mut batch, &mut order, Movement::ReturnWithdrawn, freed)?;
        self.apply(batch, deed).await
    }
}
