//! An order: decide and evolve.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::command::OrderCommand;
use super::error::OrderError;
use super::event::{LineMovement, OrderEvent};
use super::ledger::{LineLedger, Movement};
use super::lifecycle::{OrderStatus, Trigger, next};
use super::number::OrderNumber;
use super::revision::Revised;
use super::snapshot::{Coverage, OrderContent, OrderLine, PaymentSums};
use super::status::{FulfilmentStatus, OrderPaymentStatus, fulfilment_status, payment_status};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::value::actor::Owner;
use crate::value::id::{CartId, Id, OrderLineId, PaymentId, marker};
use crate::value::time::Timestamp;
use crate::value::{Money, PriceBook};

/// The scope of order numbers.
pub const NUMBER_SCOPE: &str = "order-number";
/// The scope in which a cart points to its one order.
pub const CART_SCOPE: &str = "order-of-cart";

/// What was bought, and how far it has come.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Order {
    status: OrderStatus,
    number: Option<OrderNumber>,
    content: OrderContent,
    placed_at: Option<Timestamp>,
    imported: bool,
    ledger: Vec<LineLedger>,
    coverage: Option<Coverage>,
    backordered: bool,
    payments: BTreeMap<PaymentId, PaymentSums>,
    blocked: bool,
    pub(super) revised: Revised,
}

impl Order {
    /// Where it stands in its life.
    pub const fn status(&self) -> OrderStatus {
        self.status
    }

    /// Its number; a draft has none.
    pub const fn number(&self) -> Option<&OrderNumber> {
        self.number.as_ref()
    }

    /// What was fixed when it was placed.
    pub const fn content(&self) -> &OrderContent {
        &self.content
    }

    /// Whether it was taken over from another shop.
    pub const fn is_imported(&self) -> bool {
        self.imported
    }

    /// When it was placed in the other shop, for an order that was taken over.
    pub const fn placed_at(&self) -> Option<Timestamp> {
        self.placed_at
    }

    /// What the buyer owes.
    pub fn total(&self) -> Money {
        self.content.book.total
    }

    /// The quantity ledger of a line.
    pub fn ledger(&self, line: OrderLineId) -> Option<&LineLedger> {
        self.index(line).and_then(|index| self.ledger.get(index))
    }

    /// Lines and their quantity ledgers.
    pub fn lines(&self) -> impl Iterator<Item = (&OrderLine, &LineLedger)> {
        self.content.lines.iter().zip(&self.ledger)
    }

    pub(super) fn ledgers(&self) -> &[LineLedger] {
        &self.ledger
    }

    /// Takes lines up and others' units and all prices over.
    pub(super) fn replace(&mut self, ledger: Vec<LineLedger>, added: &[OrderLine], book: Arc<PriceBook>) {
        self.ledger = ledger;
        self.content.lines.extend_from_slice(added);
        self.content.book = book;
    }

    /// Why it was confirmed.
    pub const fn coverage(&self) -> Option<&Coverage> {
        self.coverage.as_ref()
    }

    /// Whether it may not be shipped or captured for now.
    pub const fn is_blocked(&self) -> bool {
        self.blocked
    }

    /// What payments report.
    pub const fn payments(&self) -> &BTreeMap<PaymentId, PaymentSums> {
        &self.payments
    }

    /// How far it is paid.
    pub fn payment_status(&self) -> OrderPaymentStatus {
        let sums: Vec<_> = self.payments.values().copied().collect();
        payment_status(&sums, self.total().minor())
    }

    /// How far it is fulfilled.
    pub fn fulfilment_status(&self) -> FulfilmentStatus {
        fulfilment_status(&self.ledger, self.backordered)
    }

    fn index(&self, line: OrderLineId) -> Option<usize> {
        self.content.lines.iter().position(|known| known.id == line)
    }

    fn step(&self, trigger: Trigger) -> Result<OrderStatus, OrderError> {
        let from = Some(self.status);
        next(from, trigger).ok_or(OrderError::IllegalTransition { from, trigger })
    }

    /// The cart's claim on its one order ends with an order that was never confirmed.
    fn cart_to_free(&self) -> Option<CartId> {
        self.content.cart.filter(|_| matches!(self.status, OrderStatus::Pending))
    }

    fn place(
        &self,
        number: OrderNumber,
        content: Option<OrderContent>,
    ) -> Result<Vec<OrderEvent>, OrderError> {
        if self.status == OrderStatus::Draft {
            let content = content.unwrap_or_else(|| self.content.clone());
            placeable(&content)?;
            return Ok(vec![OrderEvent::Placed { number, content }]);
        }
        let same = content.is_none_or(|content| content == self.content);
        if same && self.number.as_ref() == Some(&number) && !self.imported {
            Ok(Vec::new())
        } else {
            Err(OrderError::AlreadyPlaced)
        }
    }

    /// Whether the coverage is enough; less is for somebody to let pass by name.
    fn covered(&self, coverage: &Coverage) -> Result<(), OrderError> {
        let total = self.total();
        let enough = match coverage {
            Coverage::Free => total.is_zero(),
            Coverage::Authorized { amount, .. } | Coverage::Captured { amount, .. } => {
                amount.checked_cmp(total).is_ok_and(std::cmp::Ordering::is_ge)
            }
            Coverage::Override { .. } => true,
        };
        if enough { Ok(()) } else { Err(OrderError::NotCovered { total }) }
    }

    fn cancel(&self, reason: crate::value::Reason) -> Result<Vec<OrderEvent>, OrderError> {
        if self.status == OrderStatus::Cancelled {
            return Ok(Vec::new());
        }
        self.step(Trigger::Cancel)?;
        if self.ledger.iter().any(|line| line.shipped > 0) {
            return Err(OrderError::AlreadyShipped);
        }
        Ok(vec![OrderEvent::Cancelled { reason, cart: self.cart_to_free() }])
    }

    fn movement(&self, movement: Movement, units: Vec<LineMovement>) -> Result<Vec<OrderEvent>, OrderError> {
        if !matches!(self.status, OrderStatus::Confirmed | OrderStatus::Completed) {
            return Err(OrderError::NotConfirmed(self.status));
        }
        if self.blocked && movement == Movement::Shipped {
            return Err(OrderError::Blocked);
        }
        let mut ledger = self.ledger.clone();
        for unit in &units {
            let slot = self.index(unit.line).and_then(|index| ledger.get_mut(index));
            let slot = slot.ok_or(OrderError::NoSuchLine(unit.line))?;
            let wanted = unit.quantity.get();
            let room = slot.room(movement);
            *slot = slot.moved(movement, wanted).ok_or(OrderError::NotThatMany {
                line: unit.line,
                movement,
                room,
                wanted,
            })?;
        }
        Ok(if units.is_empty() { Vec::new() } else { vec![OrderEvent::Moved { movement, units }] })
    }

    fn complete(&self) -> Result<Vec<OrderEvent>, OrderError> {
        if self.status == OrderStatus::Completed {
            return Ok(Vec::new());
        }
        self.step(Trigger::Complete)?;
        // What is not sent, such as a service, cannot arrive either.
        let delivered =
            self.lines().all(|(line, ledger)| !line.shippable || ledger.delivered >= ledger.wanted());
        let settled = matches!(
            self.payment_status(),
            OrderPaymentStatus::Paid | OrderPaymentStatus::PartiallyRefunded | OrderPaymentStatus::Refunded
        );
        if delivered && settled { Ok(vec![OrderEvent::Completed]) } else { Err(OrderError::NotSettled) }
    }

    fn begin(content: &OrderContent, status: OrderStatus, number: Option<&OrderNumber>) -> Self {
        let ledger = content
            .lines
            .iter()
            .map(|line| LineLedger { ordered: line.quantity.get(), ..LineLedger::default() })
            .collect();
        Self {
            status,
            number: number.cloned(),
            content: content.clone(),
            placed_at: None,
            imported: false,
            ledger,
            coverage: None,
            backordered: false,
            payments: BTreeMap::new(),
            blocked: false,
            revised: Revised::default(),
        }
    }
}

/// Lines, price book and contact belong together.
fn placeable(content: &OrderContent) -> Result<(), OrderError> {
    if content.customer.is_none() && content.email.is_none() {
        return Err(OrderError::NoContact);
    }
    consistent(content)
}

fn consistent(content: &OrderContent) -> Result<(), OrderError> {
    let book = &content.book;
    if content.lines.is_empty() {
        return Err(OrderError::Empty);
    }
    if content.lines.len() != book.lines.len() {
        return Err(OrderError::Inconsistent("another number of lines"));
    }
    let mut sum = i128::from(book.shipping_total.minor()) + i128::from(book.fee_total.minor());
    for (line, priced) in content.lines.iter().zip(&book.lines) {
        if line.id.uuid() != priced.line.uuid()
            || line.sku != priced.sku
            || line.quantity != priced.quantity
            || priced.gross.currency() != book.currency
        {
            return Err(OrderError::Inconsistent("a line differs"));
        }
        sum += i128::from(priced.gross.minor());
    }
    if [book.total, book.shipping_total, book.fee_total].iter().any(|sum| sum.currency() != book.currency) {
        return Err(OrderError::Inconsistent("a sum is in another currency"));
    }
    if book.total.is_negative() || sum != i128::from(book.total.minor()) {
        return Err(OrderError::Inconsistent("the total is not the sum of its parts"));
    }
    Ok(())
}

fn first(command: OrderCommand) -> Result<Vec<OrderEvent>, OrderError> {
    match command {
        OrderCommand::Draft { content } => {
            consistent(&content)?;
            Ok(vec![OrderEvent::Drafted { content }])
        }
        OrderCommand::Place { number, content: Some(content) } => {
            placeable(&content)?;
            Ok(vec![OrderEvent::Placed { number, content }])
        }
        OrderCommand::Import { number, content, placed_at } => {
            if content.lines.is_empty() {
                return Err(OrderError::Empty);
            }
            Ok(vec![OrderEvent::Imported { number, content, placed_at }])
        }
        _ => Err(OrderError::NotFound),
    }
}

impl Aggregate for Order {
    const NAME: &'static str = "order";
    const STATE_SCHEMA: u16 = 2;
    type Root = marker::Order;
    type Command = OrderCommand;
    type Event = OrderEvent;
    type Error = OrderError;

    fn decide(
        state: Option<&Self>,
        command: OrderCommand,
        _now: Timestamp,
    ) -> Result<Vec<OrderEvent>, OrderError> {
        use OrderCommand as C;
        let Some(order) = state else { return first(command) };
        match command {
            C::Draft { content } => {
                let same = order.status == OrderStatus::Draft && order.content == content;
                if same { Ok(Vec::new()) } else { Err(OrderError::AlreadyPlaced) }
            }
            C::Place { number, content } => order.place(number, content),
            C::Import { number, .. } => {
                let same = order.imported && order.number.as_ref() == Some(&number);
                if same { Ok(Vec::new()) } else { Err(OrderError::AlreadyPlaced) }
            }
            C::Confirm { .. } if order.status == OrderStatus::Confirmed => Ok(Vec::new()),
            C::Confirm { coverage, backordered } => {
                order.step(Trigger::Confirm)?;
                order.covered(&coverage)?;
                Ok(vec![OrderEvent::Confirmed { coverage, backordered }])
            }
            C::Fail { .. } if order.status == OrderStatus::Failed => Ok(Vec::new()),
            C::Fail { code, reason } => {
                order.step(Trigger::Fail)?;
                Ok(vec![OrderEvent::Failed { code, reason, cart: order.cart_to_free() }])
            }
            C::Cancel { reason } => order.cancel(reason),
            C::Edit { revision } => order.edit(revision),
            C::Move { movement, units } => order.movement(movement, units),
            C::NotePayment { payment, sums } => {
                let known = order.payments.get(&payment) == Some(&sums);
                Ok(if known { Vec::new() } else { vec![OrderEvent::PaymentNoted { payment, sums }] })
            }
            C::Block { .. } if order.blocked => Ok(Vec::new()),
            C::Block { reason } => match order.status {
                OrderStatus::Pending | OrderStatus::Confirmed => Ok(vec![OrderEvent::Blocked { reason }]),
                status => Err(OrderError::NotConfirmed(status)),
            },
            C::Unblock if order.blocked => Ok(vec![OrderEvent::Unblocked]),
            C::Unblock => Ok(Vec::new()),
            C::Complete => order.complete(),
        }
    }

    fn evolve(state: Option<Self>, event: &OrderEvent) -> Result<Self, EvolveError> {
        use OrderEvent as E;
        let stray = || EvolveError::of(event);
        let mut order = match (state, event) {
            (None, E::Drafted { content }) => return Ok(Self::begin(content, OrderStatus::Draft, None)),
            (None, E::Placed { number, content }) => {
                return Ok(Self::begin(content, OrderStatus::Pending, Some(number)));
            }
            (None, E::Imported { number, content, placed_at }) => {
                let mut order = Self::begin(content, OrderStatus::Completed, Some(number));
                order.imported = true;
                order.placed_at = Some(*placed_at);
                for line in &mut order.ledger {
                    (line.allocated, line.shipped, line.delivered) =
                        (line.ordered, line.ordered, line.ordered);
                }
                return Ok(order);
            }
            (None, _) => return Err(stray()),
            (Some(order), _) => order,
        };
        match event {
            E::Drafted { .. } | E::Imported { .. } => return Err(stray()),
            E::Placed { number, content } => {
                order = Self::begin(content, OrderStatus::Pending, Some(number));
            }
            E::Confirmed { coverage, backordered } => {
                order.status = OrderStatus::Confirmed;
                order.coverage = Some(coverage.clone());
                order.backordered = *backordered;
                for line in &mut order.ledger {
                    line.allocated = line.wanted();
                }
            }
            E::Failed { .. } => order.status = OrderStatus::Failed,
            E::Cancelled { .. } => order.status = OrderStatus::Cancelled,
            E::Moved { movement, units } => {
                for unit in units {
                    let index = order.index(unit.line).ok_or_else(stray)?;
                    let line = order.ledger.get_mut(index).ok_or_else(stray)?;
                    *line = line.moved(*movement, unit.quantity.get()).ok_or_else(stray)?;
                }
            }
            E::Edited { revision } => order = order.revise(revision)?,
            E::PaymentNoted { payment, sums } => drop(order.payments.insert(*payment, *sums)),
            E::Blocked { .. } => order.blocked = true,
            E::Unblocked => order.blocked = false,
            E::Completed => order.status = OrderStatus::Completed,
        }
        Ok(order)
    }

    fn effects(_id: Id<marker::Order>, event: &OrderEvent) -> Effects {
        match event {
            OrderEvent::Placed { number, content } => {
                let effects = Effects::none().claim(NUMBER_SCOPE, number.as_str());
                match content.cart {
                    Some(cart) => effects.claim(CART_SCOPE, cart.to_string()),
                    None => effects,
                }
            }
            OrderEvent::Imported { number, .. } => Effects::none().claim(NUMBER_SCOPE, number.as_str()),
            OrderEvent::Failed { cart: Some(cart), .. } | OrderEvent::Cancelled { cart: Some(cart), .. } => {
                Effects::none().release(CART_SCOPE, cart.to_string())
            }
            _ => Effects::none(),
        }
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.content.subject)
    }
}
