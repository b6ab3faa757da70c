//! The figures of a shop, read from its store.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use commerce_core::app::commerce::Commerce;
use commerce_core::app::log::{LogError, LoggedEvent};
use commerce_core::imports::{ImportNote, ImportedReturn, ImportedReturnEvent, NoteEvent, OddLine};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::stream::Position;
use commerce_core::orders::event::OrderEvent;
use commerce_core::orders::number::OrderNumber;
use commerce_core::orders::snapshot::OrderContent;
use commerce_core::orders::state::Order;
use commerce_core::value::id::{CustomerId, OrderId, OrderLineId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{RoundingMode, Sku, div_round};
use serde_json::{Value, json};

use super::history::is_product;

/// Events of the log looked at in one go.
const PAGE: u32 = 1000;
/// How many products the lists of the best name.
const TOP: usize = 10;
/// Millionths of a main unit.
const MICROS: i128 = 1_000_000;

/// What is known of a shop's history. Amounts are exact, in millionths of the main unit.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) lines: u64,
    pub(crate) gross: i128,
    pub(crate) returns: i128,
    pub(crate) net: i128,
    pub(crate) months: BTreeMap<String, i128>,
    pub(crate) linked: u64,
    pub(crate) unlinked: u64,
    pub(crate) skipped: BTreeMap<&'static str, u64>,
    numbers: HashSet<String>,
    sale_invoices: u64,
    return_invoices: u64,
    buyers: HashMap<CustomerId, BTreeSet<OrderId>>,
    products: HashMap<Sku, (i128, u64)>,
    odd: HashMap<OrderLineId, OddLine>,
}

/// Reads all events of one kind, page by page.
pub(crate) async fn each<A: Aggregate>(
    shop: &Commerce,
    mut visit: impl FnMut(LoggedEvent<A>) + Send,
) -> Result<(), LogError> {
    let mut after = Position::START;
    loop {
        let page = shop.events_of::<A>(after, PAGE).await?;
        page.events.into_iter().for_each(&mut visit);
        if page.end {
            return Ok(());
        }
        after = page.next;
    }
}

/// Reads the figures.
pub(crate) async fn read(shop: &Commerce) -> Result<Figures, LogError> {
    let mut figures = Figures::default();
    // Notes first: they say what orders cannot say of their lines.
    each::<ImportNote>(shop, |logged| figures.note(logged.event)).await?;
    each::<Order>(shop, |logged| {
        if let OrderEvent::Imported { number, content, placed_at } = logged.event {
            figures.order(logged.id, &number, &content, placed_at);
        }
    })
    .await?;
    each::<ImportedReturn>(shop, |logged| figures.returned(logged.event)).await?;
    Ok(figures)
}

impl Figures {
    fn note(&mut self, event: NoteEvent) {
        let NoteEvent::Noted { record } = event;
        self.numbers.extend(record.invoice.map(String::from));
        for line in &record.skipped {
            self.lines += 1;
            self.net += line.value_micros().unwrap_or_default();
            *self.skipped.entry(line.reason.as_str()).or_default() += 1;
        }
        self.odd.extend(record.odd.into_iter().map(|odd| (odd.line, odd)));
    }

    fn order(&mut self, id: OrderId, number: &OrderNumber, content: &OrderContent, placed_at: Timestamp) {
        self.numbers.insert(number.as_str().to_owned());
        self.sale_invoices += 1;
        let mut month_at = (placed_at, month(placed_at));
        for priced in &content.book.lines {
            let (at, customer) = match self.odd.get(&priced.line.cast()) {
                Some(odd) => (odd.at, odd.customer),
                None => (placed_at, content.customer),
            };
            if month_at.0 != at {
                month_at = (at, month(at));
            }
            let units = u64::from(priced.quantity.get());
            let value = i128::from(priced.unit_price.micros()) * i128::from(units);
            self.lines += 1;
            self.gross += value;
            self.net += value;
            match self.months.get_mut(&month_at.1) {
                Some(sum) => *sum += value,
                None => drop(self.months.insert(month_at.1.clone(), value)),
            }
            if let Some(customer) = customer {
                self.buyers.entry(customer).or_default().insert(id);
            }
            if is_product(priced.sku.as_str()) {
                let product = self.products.entry(priced.sku.clone()).or_default();
                *product = (product.0 + value, product.1 + units);
            }
        }
    }

    fn returned(&mut self, event: ImportedReturnEvent) {
        let ImportedReturnEvent::Imported { record } = event;
        self.numbers.insert(record.number.into());
        self.return_invoices += 1;
        for line in &record.lines {
            self.lines += 1;
            self.returns += line.value_micros();
            self.net += line.value_micros();
            let count = if line.is_linked() { &mut self.linked } else { &mut self.unlinked };
            *count += 1;
        }
    }

    /// Gross over the invoices with a sale line, two decimals, half to even.
    pub(crate) fn average_order_value(&self) -> String {
        fixed(ratio(self.gross, i128::from(self.sale_invoices) * MICROS, 2), 2)
    }

    /// Buyers with two orders or more over all buyers, four decimals, half to even.
    pub(crate) fn repeat_rate(&self) -> String {
        let repeat = self.buyers.values().filter(|orders| orders.len() > 1).count();
        fixed(ratio(repeat as i128, self.buyers.len() as i128, 4), 4)
    }

    /// The best products by what they sold for.
    pub(crate) fn top_by_gross(&self) -> Vec<(&Sku, i128)> {
        top(self.products.iter().map(|(sku, (gross, _))| (sku, *gross)))
    }

    /// The best products by units sold.
    pub(crate) fn top_by_units(&self) -> Vec<(&Sku, u64)> {
        top(self.products.iter().map(|(sku, (_, units))| (sku, *units)))
    }

    /// The figures as one object.
    pub(crate) fn json(&self) -> Value {
        let months: BTreeMap<_, _> =
            self.months.iter().map(|(month, gross)| (month, amount(*gross))).collect();
        let by_gross: Vec<_> = self
            .top_by_gross()
            .into_iter()
            .map(|(sku, gross)| json!({ "sku": sku.as_str(), "gross": amount(gross) }))
            .collect();
        let by_units: Vec<_> = self
            .top_by_units()
            .into_iter()
            .map(|(sku, units)| json!({ "sku": sku.as_str(), "units": units }))
            .collect();
        json!({
            "lines": self.lines,
            "invoices": self.numbers.len(),
            "sale_invoices": self.sale_invoices,
            "return_invoices": self.return_invoices,
            "gross_sales": amount(self.gross),
            "returns": amount(self.returns),
            "net": amount(self.net),
            "average_order_value": self.average_order_value(),
            "buyers": self.buyers.len(),
            "repeat_rate": self.repeat_rate(),
            "sales_per_month": months,
            "top_by_gross": by_gross,
            "top_by_units": by_units,
            "returns_linked": self.linked,
            "returns_unlinked": self.unlinked,
            "skipped": self.skipped,
        })
    }
}

/// The month as the source writes it.
fn month(at: Timestamp) -> String {
    at.to_datetime().format("%Y-%m").to_string()
}

/// The largest ten, ties by SKU.
fn top<'f, N: Ord + Copy>(products: impl Iterator<Item = (&'f Sku, N)>) -> Vec<(&'f Sku, N)> {
    let mut sorted: Vec<_> = products.collect();
    sorted.sort_by(|(left, more), (right, less)| less.cmp(more).then_with(|| left.cmp(right)));
    sorted.truncate(TOP);
    sorted
}

/// A quotient in units of its last decimal, half to even; zero where there is nothing to divide by.
fn ratio(numerator: i128, denominator: i128, decimals: u32) -> i128 {
    div_round(numerator * 10_i128.pow(decimals), denominator, RoundingMode::HalfEven).unwrap_or_default()
}

/// A number of units of the last decimal, as text.
fn fixed(value: i128, decimals: usize) -> String {
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = decimals + 1);
    let (whole, fraction) = digits.split_at(digits.len() - decimals);
    let sign = if value < 0 { "-" } else { "" };
    format!("{sign}{whole}.{fraction}")
}

/// An amount, exact, with two decimals at least and no zeros behind them.
pub(crate) fn amount(micros: i128) -> String {
    let text = fixed(micros, 6);
    let least = text.len() - 4;
    let zeros = text.bytes().rev().take_while(|c| *c == b'0').count();
    text.get(..(text.len() - zeros).max(least)).unwrap_or_default().to_owned()
}
