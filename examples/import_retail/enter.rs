//! Enters a history in batches.

use std::collections::BTreeSet;

use commerce_core::app::commerce::Commerce;
use commerce_core::app::error::CommandError;
use commerce_core::app::import::{
    ImportBatch, ImportError, Imported, ImportedOrder, MAX_LINES, MAX_RECORDS, OpeningStock,
};
use commerce_core::imports::{NoteRecord, ReturnRecord, customer_id};
use commerce_core::orders::number::OrderNumber;
use commerce_core::value::id::{Id, LocationId, SubjectId};
use commerce_core::value::{Quantity, Sku};

use super::history::{CURRENCY, History, Invoice};

/// What was entered.
pub(crate) type Entered = Imported;

/// Enters everything; with `opening`, every product begins with that many units in stock.
pub(crate) async fn enter(
    shop: &Commerce,
    history: History,
    opening: Option<u32>,
) -> Result<Entered, CommandError<ImportError>> {
    let mut entered = Entered::default();
    let mut products = BTreeSet::new();
    let mut batch = ImportBatch::default();
    for invoice in history.into_invoices() {
        let lines = invoice.sales.len() + invoice.returns.len() + invoice.odd.len() + invoice.skipped.len();
        if batch.records() + 2 > MAX_RECORDS || batch.lines() + lines > MAX_LINES {
            add(&mut entered, shop.import(&std::mem::take(&mut batch)).await?);
        }
        let tracked = invoice.sales.iter().filter(|line| line.tracked && opening.is_some());
        products.extend(tracked.map(|line| line.sku.clone()));
        put(&mut batch, invoice);
    }
    add(&mut entered, shop.import(&batch).await?);
    if let Some(quantity) = opening.and_then(|units| Quantity::new(units).ok()) {
        let products: Vec<Sku> = products.into_iter().collect();
        for skus in products.chunks(MAX_RECORDS) {
            let location: LocationId = customer_id("the warehouse").cast();
            let opening = |sku: &Sku| OpeningStock { sku: sku.clone(), location, quantity };
            let batch = ImportBatch { opening: skus.iter().map(opening).collect(), ..ImportBatch::default() };
            add(&mut entered, shop.import(&batch).await?);
        }
    }
    Ok(entered)
}

fn add(sum: &mut Entered, part: Imported) {
    sum.orders += part.orders;
    sum.returns += part.returns;
    sum.notes += part.notes;
    sum.opened += part.opened;
    sum.already += part.already;
    sum.position = part.position.or(sum.position);
}

/// An invoice becomes an order or a return, and a note where neither can hold all of it.
fn put(batch: &mut ImportBatch, invoice: Invoice) {
    let Invoice { key, number, head, sales, returns, odd, skipped } = invoice;
    if let (Some(number), Some((at, customer))) = (&number, head) {
        let guest = || customer_id(&format!("guest of {number}")).cast();
        let subject: SubjectId = customer.map_or_else(guest, Id::cast);
        match OrderNumber::new(number.as_str()) {
            Ok(number) if !sales.is_empty() => {
                batch.orders.push(ImportedOrder { number, customer, subject, placed_at: at, lines: sales });
            }
            _ => batch.returns.push(ReturnRecord {
                number: number.clone(),
                customer,
                subject,
                currency: CURRENCY,
                returned_at: at,
                lines: returns,
            }),
        }
    }
    if !odd.is_empty() || !skipped.is_empty() {
        batch.notes.push(NoteRecord { key, invoice: number, skipped, odd });
    }
}
