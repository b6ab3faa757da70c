//! Sorts rows into invoices: what was sold, what came back, and what is neither.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

use commerce_core::app::import::ImportedLine;
use commerce_core::imports::{
    self, OddLine, ReturnMatcher, ReturnedLine, SkipReason, SkippedLine, customer_id,
};
use commerce_core::orders::number::OrderNumber;
use commerce_core::value::id::CustomerId;
use commerce_core::value::time::Timestamp;
use commerce_core::value::{Code, Currency, Name, Price, Quantity, Sku};

use super::source::{RawRow, time};

/// The currency of the layout.
pub(crate) const CURRENCY: Currency = Currency::GBP;

/// What was odd, and how often.
pub(crate) type Oddities = BTreeMap<&'static str, u64>;

/// One number of the source with all of its rows.
#[derive(Debug)]
pub(crate) struct Invoice {
    /// Names it within the import, also where it has no number.
    pub(crate) key: Code,
    /// Its number, where it has one that can be kept.
    pub(crate) number: Option<Code>,
    /// Of its first sale or return line.
    pub(crate) head: Option<(Timestamp, Option<CustomerId>)>,
    pub(crate) sales: Vec<ImportedLine>,
    pub(crate) returns: Vec<ReturnedLine>,
    pub(crate) odd: Vec<OddLine>,
    pub(crate) skipped: Vec<SkippedLine>,
}

/// Everything that was read, in the order of the first rows of its invoices.
#[derive(Debug, Default)]
pub(crate) struct History {
    invoices: Vec<Invoice>,
    index: HashMap<String, usize>,
    matcher: ReturnMatcher,
    oddities: Oddities,
    seen: HashSet<u64>,
}

/// What a row says, as far as it can be read.
struct Read {
    number: Option<Code>,
    code: Option<Code>,
    name: Option<Name>,
    quantity: Option<i64>,
    unit_micros: Option<i64>,
    at: Option<Timestamp>,
    customer: Option<CustomerId>,
}

/// What a row is.
enum Kind {
    Sale { at: Timestamp, line: ImportedLine },
    Return { at: Timestamp, line: ReturnedLine },
    Skipped(SkipReason),
}

impl History {
    /// What was odd.
    pub(crate) const fn oddities(&self) -> &Oddities {
        &self.oddities
    }

    /// The invoices.
    pub(crate) fn into_invoices(self) -> Vec<Invoice> {
        self.invoices
    }

    fn odd(&mut self, what: &'static str, is: bool) {
        if is {
            *self.oddities.entry(what).or_default() += 1;
        }
    }

    /// Takes the next row.
    pub(crate) fn add(&mut self, raw: &RawRow) {
        let read = Read::of(raw);
        self.note(raw, &read);
        let index = self.invoice(raw, read.number.as_ref());
        let kind = read.kind(raw.whole);
        let Some(invoice) = self.invoices.get_mut(index) else { return };
        match kind {
            Kind::Sale { at, line } => {
                let order = imports::order_id(raw.number.trim());
                let id = imports::order_line_id(order, invoice.sales.len());
                let head = *invoice.head.get_or_insert((at, read.customer));
                if head != (at, read.customer) {
                    invoice.odd.push(OddLine { line: id, at, customer: read.customer });
                    *self.oddities.entry("line differs from its order in time or customer").or_default() += 1;
                }
                if let Some(customer) = read.customer {
                    self.matcher.sold(customer, &line.sku, order, id, line.quantity);
                }
                invoice.sales.push(line);
            }
            Kind::Return { at, mut line } => {
                invoice.head.get_or_insert((at, read.customer));
                let units = line.quantity.checked_neg().and_then(|units| u64::try_from(units).ok());
                if let (Some(customer), Some(units)) = (read.customer, units) {
                    line.pieces = self.matcher.returned(customer, &line.sku, units);
                }
                invoice.returns.push(line);
            }
            Kind::Skipped(reason) => invoice.skipped.push(SkippedLine {
                row: raw.row,
                reason,
                code: read.code,
                description: read.name,
                quantity: read.quantity,
                unit_micros: read.unit_micros,
                at: read.at,
                customer: read.customer,
            }),
        }
    }

    /// The invoice of a row: by its number, or one of its own where it has none.
    fn invoice(&mut self, raw: &RawRow, number: Option<&Code>) -> usize {
        let next = self.invoices.len();
        if let Some(number) = number {
            if let Some(known) = self.index.get(number.as_str()) {
                return *known;
            }
            self.index.insert(number.as_str().to_owned(), next);
        }
        let key = match number {
            Some(number) => Code::new(&format!("invoice {number}")),
            None => Code::new(&format!("row {}", raw.row)),
        };
        let Ok(key) = key else { return next };
        self.invoices.push(Invoice {
            key,
            number: number.cloned(),
            head: None,
            sales: Vec::new(),
            returns: Vec::new(),
            odd: Vec::new(),
            skipped: Vec::new(),
        });
        next
    }

    /// Counts what is odd about a row without keeping it from being entered.
    fn note(&mut self, raw: &RawRow, read: &Read) {
        let code = raw.code.trim();
        self.odd("code in lower case", code.bytes().any(|c| c.is_ascii_lowercase()));
        self.odd(
            "code respelled to be a sku",
            sku(code).is_some_and(|sku| !sku.as_str().eq_ignore_ascii_case(code)),
        );
        self.odd("description empty", raw.description.trim().is_empty());
        self.odd("description with blanks at an end", raw.description.trim() != raw.description);
        self.odd(
            "description that cannot be kept",
            read.name.is_none() && !raw.description.trim().is_empty(),
        );
        self.odd("line without a customer", raw.customer.trim().is_empty());
        self.odd("country not kept (an order's address needs more)", !raw.country.trim().is_empty());
        self.odd("row of another width or not in utf-8", !raw.whole);
        let mut hasher = DefaultHasher::new();
        RawRow { row: 0, ..raw.clone() }.hash(&mut hasher);
        let repeated = !self.seen.insert(hasher.finish());
        self.odd("exact repeat of a row (kept: units that were sold)", repeated);
    }
}

impl Read {
    fn of(raw: &RawRow) -> Self {
        let customer = raw.customer.trim();
        Self {
            number: OrderNumber::new(raw.number.trim())
                .ok()
                .and_then(|number| Code::new(number.as_str()).ok()),
            code: Code::new(&raw.code).ok(),
            name: Name::new(&raw.description).ok(),
            quantity: raw.quantity.trim().parse().ok(),
            unit_micros: micros(raw.price.trim()),
            at: time(raw.date.trim()).and_then(|time| Timestamp::try_from(time.and_utc()).ok()),
            customer: (!customer.is_empty()).then(|| customer_id(customer)),
        }
    }

    /// Malformed is what cannot be read, and what nothing else explains.
    fn kind(&self, whole: bool) -> Kind {
        let malformed = Kind::Skipped(SkipReason::Malformed);
        let (Some(number), Some(code), Some(quantity), Some(unit_micros), Some(at)) =
            (&self.number, &self.code, self.quantity, self.unit_micros, self.at)
        else {
            return malformed;
        };
        let Some(sku) = sku(code.as_str()).filter(|_| whole) else { return malformed };
        let name = || self.name.clone().or_else(|| Name::new(code.as_str()).ok());
        if number.as_str().starts_with('C') {
            let Some(name) = name() else { return malformed };
            return Kind::Return {
                at,
                line: ReturnedLine { sku, name, quantity, unit_micros, pieces: Vec::new() },
            };
        }
        let sale = number.as_str().starts_with(|c: char| c.is_ascii_digit());
        match (quantity, unit_micros) {
            (_, ..=-1) => Kind::Skipped(SkipReason::NegativePrice),
            (..=-1, _) => Kind::Skipped(SkipReason::NegativeQuantity),
            (_, 0) => Kind::Skipped(SkipReason::ZeroPrice),
            (1.., _) if sale => {
                sold(sku, name(), quantity, unit_micros).map_or(malformed, |line| Kind::Sale { at, line })
            }
            _ => malformed,
        }
    }
}

fn sold(sku: Sku, name: Option<Name>, quantity: i64, unit_micros: i64) -> Option<ImportedLine> {
    let quantity = Quantity::new(u32::try_from(quantity).ok()?).ok()?;
    let unit_price = Price::from_micros(unit_micros, CURRENCY).ok()?;
    let tracked = is_product(sku.as_str());
    Some(ImportedLine { sku, name: name?, quantity, unit_price, tracked })
}

/// A price in millionths, of either sign.
fn micros(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    Price::parse(digits, CURRENCY).ok().map(|price| sign * price.micros())
}

/// Whether the code is that of a product; others are services, which never move stock.
pub(crate) fn is_product(code: &str) -> bool {
    code.len() >= 5 && code.bytes().take(5).all(|c| c.is_ascii_digit())
}

/// The code as a SKU. What a SKU cannot hold is written as `+` and two hexadecimal digits, so that two codes
/// stay two: `BANK CHARGES` is `BANK+20CHARGES`.
fn sku(code: &str) -> Option<Sku> {
    let mut text = String::with_capacity(code.len());
    for byte in code.trim().bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/') {
            text.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(text, "+{byte:02X}");
        }
    }
    Sku::new(&text).ok()
}
