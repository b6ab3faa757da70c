//! Erasing a customer: their data goes everywhere at once, money and counts stay.

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::error::CommandError;
use super::observing::{outcome, span::Span};
use super::reading::Ask;
use crate::customers::{Customer, CustomerCommand, CustomerError};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::CommitError;
use crate::value::id::CustomerId;

impl Commerce {
    /// Erases everything personal that the store keeps of a customer, in one commit.
    ///
    /// Values in events lose their content, the e-mail address becomes free, snapshots with values go, and
    /// so does what this process has in memory. Other processes lose it with their next change of the
    /// aggregate or when they end.
    ///
    /// # Errors
    ///
    /// [`CommandError`]; nothing happened.
    pub async fn erase_customer(&self, id: CustomerId) -> Result<(), CommandError<CustomerError>> {
        let what = Permission::new(Customer::NAME, CustomerCommand::Erase.permission().action);
        let shop = self.traced();
        let watched = shop.begins(what, id.uuid());
        let mut attempts = 0;
        let span = Span::command(what, id.uuid(), shop.trace());
        let done = span.around(shop.erased(id, &mut attempts)).await;
        shop.ends(watched, shop.trace(), outcome(&done, CommandError::class), attempts);
        done
    }

    async fn erased(&self, id: CustomerId, attempts: &mut u32) -> Result<(), CommandError<CustomerError>> {
        for attempt in 1..=MAX_ATTEMPTS {
            *attempts = attempt;
            let known = self.shared.cache.take::<Customer>(id);
            let mut ask = Ask::default();
            ask.stream(&known);
            let mut customer = self.ask(ask).await?.fold(known)?;
            let owner = customer.state.as_ref().map(Aggregate::owner);
            authorise(&self.request.principal, CustomerCommand::Erase.permission(), owner)?;
            let now = self.now();
            let events = Customer::decide(customer.state.as_ref(), CustomerCommand::Erase, now)
                .map_err(CommandError::Rejected)?;
            let mut batch = Batch::new(self.ids(), now, self.metadata());
            batch.append(&mut customer, &events)?;
            batch.commit_mut().erase.push(id.cast());
            match self.commit_resolved(batch.into_commit()).await {
                Ok(_) => {
                    self.shared.cache.clear();
                    return Ok(());
                }
                Err(CommitError::Stale { .. }) => self.pause(attempt).await,
                Err(error) => return Err(CommandError::from_commit(error, attempt)),
            }
        }
        Err(CommandError::Conflict { attempts: MAX_ATTEMPTS })
    }
}
