//! What a replay sells: one cart per sale invoice, the products in them, and the stock that is just enough.

use std::collections::{BTreeMap, HashMap};

use commerce_core::app::import::ImportedLine;
use commerce_core::carts::lines::MAX_LINES;
use commerce_core::imports::customer_id;
use commerce_core::orders::number::OrderNumber;
use commerce_core::value::actor::Actor;
use commerce_core::value::id::{CartId, CustomerId};
use commerce_core::value::{
    Address, AddressInput, Code, Email, InvalidAddress, InvalidEmail, Money, Name, Price, Quantity,
    RoundingMode, Sku,
};

use super::history::{CURRENCY, History, Invoice};

/// How the library rounds what a line costs to pennies.
pub(crate) const ROUNDING: RoundingMode = RoundingMode::HalfEven;

/// A product or service that is sold.
#[derive(Debug)]
pub(crate) struct Article {
    pub(crate) name: Name,
    /// What it is listed for; every line has a price of its own.
    pub(crate) price: Price,
    pub(crate) tracked: bool,
    /// Units sold over all carts.
    pub(crate) units: u64,
}

/// A cart to be bought.
#[derive(Debug)]
pub(crate) struct Sale {
    pub(crate) cart: CartId,
    pub(crate) number: OrderNumber,
    /// Who buys: the customer of the invoice, or a guest of its own.
    pub(crate) buyer: Actor,
    pub(crate) lines: Vec<ImportedLine>,
    /// Lines of the cart: lines of one SKU and price are one.
    pub(crate) joined: u64,
    /// What the cart costs when each of its lines is rounded.
    pub(crate) total: Money,
    /// What it costs exactly, in millionths.
    pub(crate) exact: i128,
}

/// Everything that a replay does.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) articles: BTreeMap<Sku, Article>,
    pub(crate) sales: Vec<Sale>,
    /// Lines that are not sold, by reason.
    pub(crate) left_out: BTreeMap<&'static str, u64>,
}

/// The lines of a cart, as the cart will join them.
#[derive(Default)]
struct Joined {
    quantities: HashMap<(Sku, i64), Quantity>,
    total: i64,
}

impl Joined {
    /// Puts a line in, or says why a cart cannot hold it.
    fn add(&mut self, line: &ImportedLine) -> Result<(), &'static str> {
        let extend = |units: Quantity| {
            let amount = line.unit_price.extend(units, ROUNDING).map_err(|_| "amount_too_large")?;
            Ok::<_, &'static str>(amount.minor())
        };
        let key = (line.sku.clone(), line.unit_price.micros());
        let known = self.quantities.get(&key).copied();
        if known.is_none() && self.quantities.len() >= MAX_LINES {
            return Err("too_many_lines");
        }
        let (units, before) = match known {
            Some(known) => (known.checked_add(line.quantity).map_err(|_| "too_many_units")?, extend(known)?),
            None => (line.quantity, 0),
        };
        let more = extend(units)? - before;
        self.total = self.total.checked_add(more).ok_or("amount_too_large")?;
        self.quantities.insert(key, units);
        Ok(())
    }
}

impl Plan {
    /// Plans the sale invoices of a history.
    pub(crate) fn of(history: History) -> Self {
        let mut plan = Self::default();
        for invoice in history.into_invoices() {
            for skipped in &invoice.skipped {
                plan.leave_out(skipped.reason.as_str(), 1);
            }
            plan.leave_out("return", invoice.returns.len() as u64);
            plan.invoice(invoice);
        }
        plan
    }

    fn leave_out(&mut self, reason: &'static str, lines: u64) {
        if lines > 0 {
            *self.left_out.entry(reason).or_default() += lines;
        }
    }

    fn invoice(&mut self, invoice: Invoice) {
        let Invoice { number, head, sales, .. } = invoice;
        let number = number.as_ref().map(Code::as_str).and_then(|number| OrderNumber::new(number).ok());
        let (Some(number), Some((_, customer))) = (number, head) else {
            return self.leave_out("without_number", sales.len() as u64);
        };
        let (mut joined, mut lines, mut exact) = (Joined::default(), Vec::with_capacity(sales.len()), 0);
        for line in sales {
            if let Err(reason) = joined.add(&line) {
                self.leave_out(reason, 1);
                continue;
            }
            exact += i128::from(line.unit_price.micros()) * i128::from(line.quantity.get());
            let article = self.articles.entry(line.sku.clone()).or_insert_with(|| Article {
                name: line.name.clone(),
                price: line.unit_price,
                tracked: line.tracked,
                units: 0,
            });
            article.units += u64::from(line.quantity.get());
            lines.push(line);
        }
        if !lines.is_empty() {
            self.sales.push(Sale {
                cart: customer_id(&format!("cart of {number}")).cast(),
                buyer: buyer(&number, customer),
                number,
                lines,
                joined: joined.quantities.len() as u64,
                total: Money::from_minor(joined.total, CURRENCY),
                exact,
            });
        }
    }
}

fn buyer(number: &OrderNumber, customer: Option<CustomerId>) -> Actor {
    let guest = || Actor::Guest(customer_id(&format!("guest of {number}")).cast());
    customer.map_or_else(guest, Actor::User)
}

impl Sale {
    /// An address that nobody reads; the source has none.
    pub(crate) fn email(&self) -> Result<Email, InvalidEmail> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
        let number: String = self.number.as_str().chars().map(plain).collect();
        Email::new(&format!("invoice-{number}@example.com"))
    }

    /// A place where nobody lives; the source names a country at most.
    pub(crate) fn address(&self) -> Result<Address, InvalidAddress> {
        Address::new(&AddressInput {
            recipient: format!("Buyer of invoice {}", self.number),
            line1: format!("{} Sample Street", self.number),
            line2: None,
            city: "London".to_owned(),
            region: None,
            postcode: Some("EC1A 1BB".to_owned()),
            country: "GB".to_owned(),
            phone: None,
        })
    }
}
