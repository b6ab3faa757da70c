//! Goods that come back: counted against the order, put back on sale, paid for.

use serde::Serialize;

use super::{Deed, OperationError, Span, outcome, retried, told};
use crate::app::commerce::Commerce;
use crate::app::commit::MAX_ATTEMPTS;
use crate::app::reading::Ask;
use crate::checkout::error::InternalRefusal;
use crate::checkout::{CheckoutError, payment_of};
use crate::identity::authorise;
use crate::inventory::{StockCommand, StockItem, stock_item_id};
use crate::kernel::aggregate::{Aggregate, Command, Instance, Permission};
use crate::kernel::batch::Batch;
use crate::kernel::error::CommitError;
use crate::orders::event::LineMovement;
use crate::orders::ledger::Movement;
use crate::orders::{Order, OrderCommand, OrderError};
use crate::payments::{Payment, PaymentCommand, PaymentError, RefundStatus};
use crate::returns::{
    CountedLine, InspectedLine, RequestedLine, Resolution, Return, ReturnCommand, ReturnError,
};
use crate::value::id::{LocationId, OrderId, OrderLineId, PaymentId, RefundId, ReturnId};
use crate::value::{Quantity, Reason};

/// Units that a buyer wants to send back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReturnUnits {
    /// The line of the order.
    pub line: OrderLineId,
    /// Units.
    pub quantity: Quantity,
    /// Why.
    pub reason: Reason,
}

/// The refund of a return: derived, so that there is one.
pub fn refund_of(id: ReturnId) -> RefundId {
    RefundId::derived(id.uuid(), b"refund")
}

impl Commerce {
    /// Asks to send delivered goods back: at most what was delivered and is in no return yet.
    ///
    /// The same request again changes nothing.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn request_return(
        &self,
        id: ReturnId,
        order: OrderId,
        lines: Vec<ReturnUnits>,
    ) -> Result<(), OperationError> {
        let deed =
            self.deed((Permission::new(Return::NAME, "request-return"), id.uuid()), &(id, order, &lines));
        retried!(self, deed, shop => shop.try_request_return(id, order, &lines, &deed))
    }

    async fn try_request_return(
        &self,
        id: ReturnId,
        order: OrderId,
        lines: &[ReturnUnits],
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let cache = &self.shared.cache;
        let (known, order) = (cache.take::<Return>(id), cache.take::<Order>(order));
        let mut ask = Ask::default();
        ask.stream(&known);
        ask.stream(&order);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let (mut goods, mut order) = (answer.fold(known)?, answer.fold(order)?);
        let bought = order.state.as_ref().ok_or(OrderError::NotFound)?;
        let returnable =
            |line| bought.ledger(line).map_or(0, |ledger| ledger.room(Movement::ReturnRequested));
        let requested = lines.iter().map(|unit| RequestedLine {
            line: unit.line,
            quantity: unit.quantity,
            returnable: returnable(unit.line),
            reason: unit.reason.clone(),
        });
        let command = ReturnCommand::Request {
            order: order.id,
            subject: bought.content().subject,
            lines: requested.collect(),
            window_ends: None,
        };
        authorise(&self.request.principal, command.permission(), Some(bought.owner()))?;
        if deed.is_done(&answer)? {
            return Ok(());
        }
        let mut batch = self.batch();
        if !told(&mut batch, &mut goods, command)?.is_empty() {
            let units = lines.iter().map(|unit| (unit.line, unit.quantity.get()));
            shift(&mut batch, &mut order, Movement::ReturnRequested, units)?;
        }
        self.apply(batch, deed).await
    }

    /// Counts goods that arrived. Counts add up, so a repeat needs the command id of the first. Once they are
    /// complete, units that are missing can be returned another time.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened.
    pub async fn receive_return(
        &self,
        id: ReturnId,
        counts: Vec<CountedLine>,
        complete: bool,
    ) -> Result<(), OperationError> {
        let deed =
            self.deed((Permission::new(Return::NAME, "receive-return"), id.uuid()), &(id, &counts, complete));
        let command = ReturnCommand::Receive { counts, complete };
        retried!(self, deed, shop => shop.try_change_return(id, &command, &deed))
    }

    /// Says what each received unit is good for. Units that go on sale again are stock of this location
    /// from then on.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused where no stock is kept of the goods at the location.
    pub async fn inspect_return(
        &self,
        id: ReturnId,
        location: LocationId,
        lines: Vec<InspectedLine>,
    ) -> Result<(), OperationError> {
        let deed =
            self.deed((Permission::new(Return::NAME, "inspect-return"), id.uuid()), &(id, location, &lines));
        retried!(self, deed, shop => shop.try_inspect_return(id, location, &lines, &deed))
    }

    async fn try_inspect_return(
        &self,
        id: ReturnId,
        location: LocationId,
        lines: &[InspectedLine],
        deed: &Deed,
    ) -> Result<(), OperationError> {
        let command = ReturnCommand::Inspect { lines: lines.to_vec() };
        let Some((mut goods, mut order)) = self.goods(id, &command, deed).await? else { return Ok(()) };
        let mut batch = self.batch();
        told(&mut batch, &mut goods, command)?;
        let bought = order.state.as_ref().ok_or(OrderError::NotFound)?;
        let mut items: Vec<Instance<StockItem>> = Vec::new();
        for line in lines {
            let sold = bought.content().lines.iter().find(|sold| sold.id == line.line);
            let sold = sold.ok_or(OrderError::NoSuchLine(line.line))?;
            let Some(quantity) = Quantity::new(line.restocked).ok().filter(|_| sold.tracked) else {
                continue;
            };
            let item = stock_item_id(&sold.sku, location);
            let at = if let Some(at) = items.iter().position(|known| known.id == item) {
                at
            } else {
                items.push(self.fetch(item).await?);
                items.len().saturating_sub(1)
            };
            if let Some(item) = items.get_mut(at) {
                told(&mut batch, item, StockCommand::Restock { quantity })?;
            }
        }
        let restocked = lines.iter().map(|line| (line.line, line.restocked));
        shift(&mut batch, &mut order, Movement::Restocked, restocked)?;
        let damaged = lines.iter().map(|line| (line.line, line.damaged));
        shift(&mut batch, &mut order, Movement::WrittenOff, damaged)?;
        self.apply(batch, deed).await
    }

    /// Says what the buyer gets. Money goes back by the payment of the order, once; when it has, the
    /// return is closed. Store credit and other goods are given by whoever keeps them.
    ///
    /// # Errors
    ///
    /// [`OperationError`]; nothing happened. Refused beyond what was paid and not yet given back.
    pub async fn resolve_return(
        &self,
        id: ReturnId,
        resolution: Resolution,
    ) -> Result<Option<RefundStatus>, OperationError> {
        let deed =
            self.deed((Permission::new(Return::NAME, "resolve-return"), id.uuid()), &(id, &resolution));
        let payment = retried!(self, deed, shop => shop.try_resolve_return(id, &resolution, &deed))?;
        let Some(payment) = payment else { return Ok(None) };
        self.follow_up(Some(payment)).await;
        let status = self.refund_status(payment, refund_of(id)).await?;
        if status == RefundStatus::Succeeded {
            let mut other = self.clone();
            other.request.command_id = None;
            let deed = other.deed((Permission::new(Return::NAME, "close-return"), id.uuid()), &());
            retried!(other, deed, shop => shop.try_close_return(id, &deed))?;
        }
        Ok(Some(status))
    }

    async fn try_close_return(&self, id: ReturnId, deed: &Deed) -> Result<(), OperationError> {
        let mut goods = self.fetch::<Return>(id).await?;
        let mut batch = self.batch();
        told(&mut batch, &mut goods, ReturnCommand::Close)?;
        self.apply(batch, deed).await
    }

    async fn try_resolve_return(
        &self,
        id: ReturnId,
        resolution: &Resolution,
        deed: &Deed,
    ) -> Result<Option<PaymentId>, OperationError> {
        let command = ReturnCommand::Resolve { resolution: resolution.clone() };
        let goods = self.goods(id, &command, deed).await?;
        let amount = resolution.amount();
        let pays = amount.is_positive() && !matches!(resolution, Resolution::StoreCredit { .. });
        let Some((mut goods, order)) = goods else {
            let known = self.fetch::<Return>(id).await?;
            let order = known.state.as_ref().ok_or(ReturnError::NotFound)?.order();
            let order = self.fetch::<Order>(order).await?;
            return if pays { paid_by(&order).map(Some) } else { Ok(None) };
        };
        let mut batch = self.batch();
        told(&mut batch, &mut goods, command)?;
        let mut payment = None;
        if pays {
            let mut paid: Instance<Payment> = self.fetch(paid_by(&order)?).await?;
            let resolve_at = batch.now().plus(self.settings().await?.resume());
            let reason =
                Reason::new("goods came back").map_err(|_| CheckoutError::Internal(InternalRefusal::Text))?;
            let refund = refund_of(id);
            told(
                &mut batch,
                &mut paid,
                PaymentCommand::RequestRefund { refund, amount, reason, resolve_at },
            )?;
            payment = Some(paid.id);
        }
        self.apply(batch, deed).await?;
        Ok(payment)
    }

    /// A return and its order, once the actor may give the command; `None` where it was carried out.
    pub(super) async fn goods(
        &self,
        id: ReturnId,
        command: &ReturnCommand,
        deed: &Deed,
    ) -> Result<Option<(Instance<Return>, Instance<Order>)>, OperationError> {
        let known = self.shared.cache.take::<Return>(id);
        let mut ask = Ask::default();
        ask.stream(&known);
        deed.ask(&mut ask);
        let answer = self.ask(ask).await?;
        let goods = answer.fold(known)?;
        let owner = goods.state.as_ref().map(Aggregate::owner);
        authorise(&self.request.principal, command.permission(), owner)?;
        if deed.is_done(&answer)? {
            return Ok(None);
        }
        let order = goods.state.as_ref().ok_or(ReturnError::NotFound)?.order();
        let order = self.fetch(order).await?;
        Ok(Some((goods, order)))
    }
}

/// The payment of an order.
fn paid_by(order: &Instance<Order>) -> Result<PaymentId, OperationError> {
    let checkout = order.state.as_ref().and_then(|order| order.content().checkout);
    checkout.map(payment_of).ok_or(OperationError::Payment(PaymentError::NotFound))
}

/// Moves units of an order; zeros do not move.
pub(super) fn shift(
    batch: &mut Batch<'_>,
    order: &mut Instance<Order>,
    movement: Movement,
    units: impl Iterator<Item = (OrderLineId, u32)>,
) -> Result<(), OperationError> {
    let units = units.filter_map(|(line, count)| {
        Quantity::new(count).ok().map(|quantity| LineMovement { line, quantity })
    });
    told(batch, order, OrderCommand::Move { movement, units: units.collect() })?;
    Ok(())
}
