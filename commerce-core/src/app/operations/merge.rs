//! Two carts of one buyer become one, for example when a guest signs in.

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::carts::{Cart, CartCommand, CartError, MergeStrategy};
use crate::identity::authorise;
use crate::kernel::aggregate::{Aggregate, Permission};
use crate::kernel::error::CommitError;
use crate::value::id::CartId;

impl Commerce {
    /// Puts everything of one cart into another, in one commit; the first is closed. Repeating it changes
    /// nothing.
    ///
    /// For whom both belong to, and for staff. Prices that staff set go along.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused where the carts are of different currencies or one is
    /// not open.
    pub async fn merge_carts(
        &self,
        source: CartId,
        target: CartId,
        strategy: MergeStrategy,
    ) -> Result<(), OperationError> {
        let deed = self
            .deed((Permission::new(Cart::NAME, "merge-carts"), target.uuid()), &(source, target, strategy));
        retried!(self, deed, shop => shop.try_merge_carts(source, target, strategy, &deed))
    }

    async fn try_merge_carts(
        &self,
        source: CartId,
        target: CartId,
        strategy: MergeStrategy,
        deed: &Deed,
    ) -> Result<(), OperationError> {
        if source == target {
            return Err(CartError::SameCart.into());
        }
        let cache = &self.shared.cache;
        let (from, into) = (cache.take::<Cart>(source), cache.take::<Cart>(target));
        let mut ask = Ask::default();
        ask.stream(&from);
        ask.stream(&into);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let (mut from, mut into) = (answer.fold(from)?, answer.fold(into)?);
        for (cart, action) in [(&from, "merge-into"), (&into, "merge")] {
            let owner = cart.state.as_ref().map(Aggregate::owner);
            authorise(&self.request.principal, Permission::new(Cart::NAME, action), owner)?;
        }
        if deed.is_done(&answer)? {
            return Ok(());
        }
        let held = from.state.clone().ok_or(CartError::NotFound)?;
        let mut batch = self.batch();
        let closed = told(&mut batch, &mut from, CartCommand::MergeInto { target })?;
        if !closed.is_empty() {
            let merge = CartCommand::Merge {
                source,
                currency: held.currency(),
                lines: held.lines().iter().cloned().collect(),
                codes: held.codes().cloned().collect(),
                strategy,
            };
            told(&mut batch, &mut into, merge)?;
        }
        self.apply(batch, deed).await
    }
}
