//! Takes over the history of another shop: its numbers, times and prices as they were.
//!
//! A path of its own beside the checkout: nothing is priced, held, paid or sent. The only effect of an
//! imported order or return is that its number is taken; opening stock is a supply like any other.

use std::collections::HashSet;
use std::sync::Arc;

use super::commerce::Commerce;
use super::commit::MAX_ATTEMPTS;
use super::error::CommandError;
use super::execute::instance_of;
use crate::identity::authorise;
use crate::imports::{
    self, ImportNote, ImportRecordError, ImportedReturn, ImportedReturnCommand, NoteCommand, NoteRecord,
    ReturnRecord,
};
use crate::inventory::{StockCommand, StockError, StockItem, stock_item_id};
use crate::kernel::aggregate::{Aggregate, Command, Instance, Permission, stream_of};
use crate::kernel::batch::Batch;
use crate::kernel::commit::{Commit, Load, Loaded, StreamQuery};
use crate::kernel::error::CommitError;
use crate::kernel::replay::ReplayError;
use crate::kernel::stream::{Position, StreamId, Version};
use crate::orders::command::OrderCommand;
use crate::orders::error::OrderError;
use crate::orders::number::OrderNumber;
use crate::orders::snapshot::{OrderContent, OrderLine};
use crate::orders::state::Order;
use crate::value::actor::Owner;
use crate::value::id::{CustomerId, Id, LocationId, SubjectId};
use crate::value::time::Timestamp;
use crate::value::{
    Money, MoneyError, Name, Price, PriceBook, PricedLine, Quantity, RoundingPolicy, Sku, TaxMode,
};

/// The most records of one batch.
pub const MAX_RECORDS: usize = 500;
/// The most lines of one batch, over all its records.
pub const MAX_LINES: usize = 50_000;

/// A line as it was sold in the other shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedLine {
    /// What.
    pub sku: Sku,
    /// What it was called.
    pub name: Name,
    /// Units.
    pub quantity: Quantity,
    /// The price of one unit, exact; all of an order in one currency.
    pub unit_price: Price,
    /// Whether it is a thing of which stock is kept, not a service.
    pub tracked: bool,
}

/// An order as it was placed in the other shop.
///
/// Its id and those of its lines follow from its number (see [`imports`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedOrder {
    /// Its number there, which it keeps.
    pub number: OrderNumber,
    /// The customer, where one is known.
    pub customer: Option<CustomerId>,
    /// The person it belongs to.
    pub subject: SubjectId,
    /// When it was placed there.
    pub placed_at: Timestamp,
    /// What was sold.
    pub lines: Vec<ImportedLine>,
}

/// Stock to begin with: one supply per SKU and location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpeningStock {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Units.
    pub quantity: Quantity,
}

/// What to take over in one commit: all of it or nothing, each record once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImportBatch {
    /// What was sold.
    pub orders: Vec<ImportedOrder>,
    /// What came back.
    pub returns: Vec<ReturnRecord>,
    /// What has no place in either.
    pub notes: Vec<NoteRecord>,
    /// Stock to begin with.
    pub opening: Vec<OpeningStock>,
}

impl ImportBatch {
    /// How many records it holds.
    pub fn records(&self) -> usize {
        self.orders.len() + self.returns.len() + self.notes.len() + self.opening.len()
    }

    /// How many lines its records have.
    pub fn lines(&self) -> usize {
        let orders: usize = self.orders.iter().map(|order| order.lines.len()).sum();
        let returns: usize = self.returns.iter().map(|record| record.lines.len()).sum();
        let notes: usize = self.notes.iter().map(|note| note.skipped.len() + note.odd.len()).sum();
        orders + returns + notes
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Imported {
    /// Orders taken over.
    pub orders: u64,
    /// Returns taken over.
    pub returns: u64,
    /// Notes written.
    pub notes: u64,
    /// SKUs whose stock was opened.
    pub opened: u64,
    /// Records that had been taken over before, unchanged.
    pub already: u64,
    /// The log's end behind the commit; `None` where nothing had to be committed.
    pub position: Option<Position>,
}

/// Why a batch is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// More than [`MAX_RECORDS`] records or [`MAX_LINES`] lines.
    #[error("a batch has at most {MAX_RECORDS} records and {MAX_LINES} lines")]
    TooLarge,
    /// A record stands twice in the batch.
    #[error("{0} stands twice in the batch")]
    Repeated(StreamId),
    /// Another order was taken over under this number.
    #[error("another order was imported as {0}")]
    AlreadyImported(OrderNumber),
    /// An order is refused.
    #[error("order {0} is refused")]
    Order(OrderNumber, #[source] OrderError),
    /// The amounts of an order cannot be added up.
    #[error("the amounts of order {0} cannot be added up")]
    Amount(OrderNumber, #[source] MoneyError),
    /// A return or a note is refused.
    #[error("record {0} is refused")]
    Record(Arc<str>, #[source] ImportRecordError),
    /// Opening stock is refused.
    #[error("stock of {0} is refused")]
    Stock(Sku, #[source] StockError),
}

impl Commerce {
    /// Takes over a batch of history in one commit.
    ///
    /// Repeating a batch changes nothing; a record that differs from the one taken over under its number is
    /// refused. For staff and the system.
    ///
    /// # Errors
    ///
    /// [`CommandError`] with an [`ImportError`] where a record is refused; nothing of the batch happened,
    /// except where a port's effect is unknown, in which case the same batch gives the right answer.
    pub async fn import(&self, batch: &ImportBatch) -> Result<Imported, CommandError<ImportError>> {
        self.may_import(batch)?;
        if batch.records() > MAX_RECORDS || batch.lines() > MAX_LINES {
            return Err(CommandError::Rejected(ImportError::TooLarge));
        }
        let streams = streams_of(batch).map_err(CommandError::Rejected)?;
        let mut attempt = 0;
        loop {
            attempt += 1;
            let loaded = self.store().load(Load { streams: streams.clone(), ..Load::default() }).await?;
            let (commit, mut imported) = self.decide_import(batch, &loaded)?;
            if commit.is_empty() {
                return Ok(imported);
            }
            match self.commit_resolved(commit).await {
                Ok(receipt) => {
                    imported.position = Some(receipt.position);
                    return Ok(imported);
                }
                Err(CommitError::Stale { .. }) if attempt < MAX_ATTEMPTS => self.pause(attempt).await,
                Err(error) => return Err(CommandError::from_commit(error, attempt)),
            }
        }
    }

    fn may_import(&self, batch: &ImportBatch) -> Result<(), CommandError<ImportError>> {
        let who = &self.request.principal;
        authorise(who, Permission::new("order", "import"), Some(Owner::Shop))?;
        if !batch.returns.is_empty() {
            authorise(who, Permission::new("return", "import"), Some(Owner::Shop))?;
        }
        if let Some(stock) = batch.opening.first() {
            let receive = StockCommand::Receive { quantity: stock.quantity };
            authorise(who, receive.permission(), Some(Owner::Shop))?;
        }
        Ok(())
    }

    fn decide_import(
        &self,
        batch: &ImportBatch,
        loaded: &Loaded,
    ) -> Result<(Commit, Imported), CommandError<ImportError>> {
        let batching = Batch::new(self.ids(), self.now(), self.metadata());
        let mut writer = Writer { loaded, index: 0, batch: batching, imported: Imported::default() };
        for order in &batch.orders {
            writer.order(order)?;
        }
        for record in &batch.returns {
            let refuse = |error| ImportError::Record(record.number.as_str().into(), error);
            let command = ImportedReturnCommand::Import { record: record.clone() };
            let id = imports::return_id(record.number.as_str());
            writer.imported.returns += writer.add::<ImportedReturn>(id, [command], refuse)?;
        }
        for record in &batch.notes {
            let refuse = |error| ImportError::Record(record.key.as_str().into(), error);
            let command = NoteCommand::Import { record: record.clone() };
            let id = imports::note_id(record.key.as_str());
            writer.imported.notes += writer.add::<ImportNote>(id, [command], refuse)?;
        }
        for stock in &batch.opening {
            writer.opening(stock)?;
        }
        Ok((writer.batch.into_commit(), writer.imported))
    }
}

/// The streams of a batch, in the order in which [`Writer`] asks for them.
fn streams_of(batch: &ImportBatch) -> Result<Vec<StreamQuery>, ImportError> {
    let orders =
        batch.orders.iter().map(|order| stream_of::<Order>(imports::order_id(order.number.as_str())));
    let returns = batch
        .returns
        .iter()
        .map(|record| stream_of::<ImportedReturn>(imports::return_id(record.number.as_str())));
    let notes =
        batch.notes.iter().map(|record| stream_of::<ImportNote>(imports::note_id(record.key.as_str())));
    let stock =
        batch.opening.iter().map(|stock| stream_of::<StockItem>(stock_item_id(&stock.sku, stock.location)));
    let mut seen = HashSet::new();
    let query = |stream: StreamId| {
        if seen.insert(stream.clone()) {
            Ok(StreamQuery { stream, after: Version::NONE, snapshot_schema: None })
        } else {
            Err(ImportError::Repeated(stream))
        }
    };
    orders.chain(returns).chain(notes).chain(stock).map(query).collect()
}

/// Decides one record after the other on what was loaded for it.
struct Writer<'i> {
    loaded: &'i Loaded,
    index: usize,
    batch: Batch<'i>,
    imported: Imported,
}

impl Writer<'_> {
    fn load<A: Aggregate>(&mut self, id: Id<A::Root>) -> Result<Instance<A>, ReplayError> {
        let instance = instance_of(Instance::absent(id), self.loaded, self.index)?;
        self.index += 1;
        Ok(instance)
    }

    /// Gives an aggregate its commands; gives 1 where something happened.
    fn add<A: Aggregate>(
        &mut self,
        id: Id<A::Root>,
        commands: impl IntoIterator<Item = A::Command>,
        refuse: impl Fn(A::Error) -> ImportError,
    ) -> Result<u64, CommandError<ImportError>> {
        let mut instance = self.load::<A>(id)?;
        let before = instance.version;
        for command in commands {
            let decided = A::decide(instance.state.as_ref(), command, self.batch.now());
            let events = decided.map_err(|error| CommandError::Rejected(refuse(error)))?;
            if !events.is_empty() {
                self.batch.append(&mut instance, &events)?;
            }
        }
        let happened = instance.version != before;
        self.imported.already += u64::from(!happened);
        Ok(happened.into())
    }

    fn order(&mut self, order: &ImportedOrder) -> Result<(), CommandError<ImportError>> {
        let ImportedOrder { number, placed_at, .. } = order;
        let id = imports::order_id(number.as_str());
        let content = content(order).map_err(CommandError::Rejected)?;
        let mut instance = self.load::<Order>(id)?;
        if let Some(known) = &instance.state {
            // The order itself compares numbers only: it may have been lived with since.
            if !known.is_imported() || *known.content() != content || known.placed_at() != Some(*placed_at) {
                return Err(CommandError::Rejected(ImportError::AlreadyImported(number.clone())));
            }
            self.imported.already += 1;
            return Ok(());
        }
        let command = OrderCommand::Import { number: number.clone(), content, placed_at: *placed_at };
        let events = Order::decide(None, command, self.batch.now())
            .map_err(|error| CommandError::Rejected(ImportError::Order(number.clone(), error)))?;
        self.batch.append(&mut instance, &events)?;
        self.imported.orders += 1;
        Ok(())
    }

    /// Opens the stock of a SKU, unless it is kept already.
    fn opening(&mut self, stock: &OpeningStock) -> Result<(), CommandError<ImportError>> {
        let OpeningStock { sku, location, quantity } = stock.clone();
        let id = stock_item_id(&sku, location);
        let known = self.loaded.streams.get(self.index).is_some_and(|found| found.version > Version::NONE);
        let open = StockCommand::Open { sku: sku.clone(), location };
        let commands = [Some(open), (!known).then_some(StockCommand::Receive { quantity })];
        let refuse = |error| ImportError::Stock(sku.clone(), error);
        self.imported.opened += self.add::<StockItem>(id, commands.into_iter().flatten(), refuse)?;
        Ok(())
    }
}

/// What the order remembers. Amounts in its price book are rounded to the smallest coin per line; the exact
/// value of a line is its unit price times its quantity.
fn content(order: &ImportedOrder) -> Result<OrderContent, ImportError> {
    let book = book(order)
        .map_err(|error| ImportError::Amount(order.number.clone(), error))
        .and_then(|book| book.ok_or_else(|| ImportError::Order(order.number.clone(), OrderError::Empty)))?;
    let id = imports::order_id(order.number.as_str());
    let line = |(index, line): (usize, &ImportedLine)| {
        let product = imports::product_id(&line.sku);
        OrderLine {
            id: imports::order_line_id(id, index),
            product,
            variant: product.cast(),
            sku: line.sku.clone(),
            name: line.name.clone(),
            variant_name: None,
            seller: None,
            quantity: line.quantity,
            tracked: line.tracked,
            shippable: line.tracked,
            override_reason: None,
        }
    };
    Ok(OrderContent {
        cart: None,
        checkout: None,
        customer: order.customer,
        subject: order.subject,
        email: None,
        shipping_address: None,
        billing_address: None,
        lines: order.lines.iter().enumerate().map(line).collect(),
        book: Arc::new(book),
    })
}

/// The prices as they were; `None` for an order without lines.
fn book(order: &ImportedOrder) -> Result<Option<PriceBook>, MoneyError> {
    let Some(first) = order.lines.first() else { return Ok(None) };
    let id = imports::order_id(order.number.as_str());
    let currency = first.unit_price.currency();
    let rounding = RoundingPolicy::default();
    let zero = Money::zero(currency);
    let (mut lines, mut total) = (Vec::with_capacity(order.lines.len()), zero);
    for (index, line) in order.lines.iter().enumerate() {
        let list = line.unit_price.extend(line.quantity, rounding.mode)?;
        total = total.checked_add(list)?;
        lines.push(PricedLine {
            line: imports::order_line_id(id, index).cast(),
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            list,
            discounts: Vec::new(),
            net: list,
            taxes: Vec::new(),
            gross: list,
        });
    }
    Ok(Some(PriceBook {
        currency,
        lines,
        shipping: None,
        fees: Vec::new(),
        subtotal: total,
        discount_total: zero,
        shipping_total: zero,
        fee_total: zero,
        tax_total: zero,
        total,
        codes: Vec::new(),
        trace: Vec::new(),
        tax_mode: TaxMode::Inclusive,
        rounding,
        priced_at: order.placed_at,
    }))
}
