//! Giving money back.

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Command, Permission};
use crate::kernel::error::CommitError;
use crate::payments::{Payment, PaymentCommand, PaymentError, RefundStatus};
use crate::value::id::{PaymentId, RefundId};
use crate::value::{Money, Reason};

impl Commerce {
    /// Gives money of a payment back and tells where that stands.
    ///
    /// The same refund again never pays twice: a repeat tells where the first one stands. Where the
    /// gateway's answer is lost, the refund is pending, and the payment's timer looks it up.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused beyond what was taken and not yet given back.
    pub async fn refund(
        &self,
        payment: PaymentId,
        refund: RefundId,
        amount: Money,
        reason: Reason,
    ) -> Result<RefundStatus, OperationError> {
        let deed = self.deed(
            (Permission::new(Payment::NAME, "refund"), payment.uuid()),
            &(payment, refund, amount, &reason),
        );
        retried!(self, deed, shop => shop.try_refund(payment, refund, amount, &reason, &deed))?;
        self.follow_up(Some(payment)).await;
        self.refund_status(payment, refund).await
    }

    async fn try_refund(
        &self,
        id: PaymentId,
        refund: RefundId,
        amount: Money,
        reason: &Reason,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let known = self.shared.cache.take::<Payment>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let mut payment = answer.fold(known)?;
        let resolve_at = self.now().plus(self.settings().await?.resume());
        let command = PaymentCommand::RequestRefund { refund, amount, reason: reason.clone(), resolve_at };
        let owner = payment.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, command.permission(), owner)?;
        if deed.is_done(&answer)? {
            return Ok(());
        }
        let mut batch = self.batch();
        told(&mut batch, &mut payment, command)?;
        self.apply(batch, deed).await
    }

    /// Where a refund stands.
    pub(super) async fn refund_status(
        &self,
        payment: PaymentId,
        refund: RefundId,
    ) -> Result<RefundStatus, OperationError> {
        let payment = self.fetch::<Payment>(payment).await?;
        let known = payment.state.as_ref().and_then(|payment| payment.refunds().get(&refund));
        Ok(known.ok_or(PaymentError::NotFound)?.status)
    }
}
