//! The amounts of an order, added up again.

use commerce_core::value::pricing::{LineDiscount, TaxLine};
use commerce_core::value::{Money, PriceBook, PricedLine, RoundingMode, TaxMode};

/// `list − discounts` and `net + taxes` of a line or a charge.
fn adds_up(
    mode: TaxMode,
    (list, net, gross): (Money, Money, Money),
    discounts: &[LineDiscount],
    taxes: &[TaxLine],
) -> bool {
    let sum = |amounts: &mut dyn Iterator<Item = i64>| amounts.fold(0_i64, i64::saturating_add);
    let off = sum(&mut discounts.iter().map(|discount| discount.amount.minor()));
    let tax = sum(&mut taxes.iter().map(|tax| tax.amount.minor()));
    let left = list.minor().saturating_sub(off);
    let shown = if mode == TaxMode::Inclusive { gross } else { net };
    left >= 0 && left == shown.minor() && net.minor().saturating_add(tax) == gross.minor()
}

/// Whether the price of all units is that of one unit so many times, however it was rounded.
fn extends(line: &PricedLine) -> bool {
    let all = |mode| line.unit_price.extend(line.quantity, mode).map(Money::minor);
    let (least, most) = (all(RoundingMode::Down), all(RoundingMode::Up));
    matches!((least, most), (Ok(least), Ok(most)) if (least..=most).contains(&line.list.minor()))
}

/// Why the amounts of a book do not add up.
pub(super) fn fault(book: &PriceBook) -> Option<String> {
    let mut total = 0_i64;
    for line in &book.lines {
        if !extends(line) {
            return Some(format!("the line of {} is not the price of {}", line.sku, line.quantity));
        }
        if !adds_up(book.tax_mode, (line.list, line.net, line.gross), &line.discounts, &line.taxes) {
            return Some(format!("the line of {} does not add up", line.sku));
        }
        total = total.saturating_add(line.gross.minor());
    }
    for charge in book.shipping.iter().chain(&book.fees) {
        if !adds_up(book.tax_mode, (charge.list, charge.net, charge.gross), &charge.discounts, &charge.taxes)
        {
            return Some(format!("{} does not add up", charge.name));
        }
        total = total.saturating_add(charge.gross.minor());
    }
    (total != book.total.minor()).then(|| format!("the parts are {total}, the total {}", book.total.minor()))
}
