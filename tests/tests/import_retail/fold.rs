//! The figures by a plain fold over the text of a file: no code is shared with what is tested.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDateTime};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};

/// The fields of the file, row by row, without the header. Quotes as RFC 4180 has them.
pub(crate) fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let (mut quoted, mut chars) = (false, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => field.extend(chars.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => row.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            other => field.push(other),
        }
    }
    if !row.is_empty() || !field.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows.remove(0);
    rows
}

/// The rows once more, with numbers and dates shifted.
pub(crate) fn shifted(rows: &[Vec<String>], turn: u64) -> Vec<Vec<String>> {
    let shift = |row: &Vec<String>| {
        let mut row = row.clone();
        let digits = row[0].trim_start_matches(|c: char| !c.is_ascii_digit()).to_owned();
        if let Ok(number) = digits.parse::<u64>() {
            row[0] = format!("{}{}", row[0].trim_end_matches(&digits), number + 1_000_000 * turn);
        }
        if let Ok(date) = NaiveDateTime::parse_from_str(&row[4], "%Y-%m-%d %H:%M:%S") {
            row[4] = (date + Days::new(28 * turn)).format("%Y-%m-%d %H:%M:%S").to_string();
        }
        row
    };
    rows.iter().map(shift).collect()
}

fn price(text: &str) -> Option<Decimal> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let numeric = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    let good = numeric(whole) && numeric(fraction) && fraction.len() <= 6;
    good.then(|| text.parse().ok()).flatten()
}

fn amount(value: Decimal) -> String {
    let mut value = value.normalize();
    if value.scale() < 2 {
        value.rescale(2);
    }
    value.to_string()
}

fn ratio(numerator: Decimal, denominator: usize, decimals: u32) -> String {
    let exact = if denominator == 0 { Decimal::ZERO } else { numerator / Decimal::from(denominator) };
    let mut value = exact.round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
    value.rescale(decimals);
    value.to_string()
}

fn top<N: Ord + Copy>(products: impl Iterator<Item = (String, N)>) -> Vec<(String, N)> {
    let mut sorted: Vec<_> = products.collect();
    sorted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted.into_iter().take(10).collect()
}

#[derive(Default)]
struct Sums {
    numbers: BTreeSet<String>,
    sales: BTreeSet<String>,
    returns: BTreeSet<String>,
    gross: Decimal,
    back: Decimal,
    net: Decimal,
    months: BTreeMap<String, Decimal>,
    products: BTreeMap<String, (Decimal, i64)>,
    buyers: BTreeMap<String, BTreeSet<String>>,
    open: BTreeMap<(String, String), Vec<i64>>,
    linked: u64,
    unlinked: u64,
    skipped: BTreeMap<&'static str, u64>,
}

impl Sums {
    fn row(&mut self, row: &[String]) {
        let empty = String::new();
        let at = |index: usize| row.get(index).unwrap_or(&empty).trim();
        let (number, code, customer) = (at(0).to_owned(), at(1).to_uppercase(), at(6).to_owned());
        let legal = |c: u8| c.is_ascii_alphanumeric() || b"-./".contains(&c);
        let kept = (1..=50).contains(&number.len()) && number.bytes().all(legal);
        let (quantity, unit) = (at(3).parse::<i64>().ok(), price(at(5)));
        let dated = NaiveDateTime::parse_from_str(at(4), "%Y-%m-%d %H:%M:%S").is_ok() && at(4).len() == 19;
        if let (Some(quantity), Some(unit)) = (quantity, unit) {
            self.net += Decimal::from(quantity) * unit;
        }
        if kept {
            self.numbers.insert(number.clone());
        }
        let readable = row.len() == 8 && kept && dated && (1..=64).contains(&code.len());
        let (Some(quantity), Some(unit), true) = (quantity, unit, readable) else {
            return self.skip("malformed");
        };
        let value = Decimal::from(quantity) * unit;
        let zero = Decimal::ZERO;
        if number.starts_with('C') {
            self.returned(number, code, customer, quantity, value);
        } else if unit < zero {
            self.skip("negative_price");
        } else if quantity < 0 {
            self.skip("negative_quantity");
        } else if unit == zero {
            self.skip("zero_price");
        } else if !number.starts_with(|c: char| c.is_ascii_digit()) || !(1..=1_000_000).contains(&quantity) {
            self.skip("malformed");
        } else {
            self.gross += value;
            *self.months.entry(at(4)[..7].to_owned()).or_default() += value;
            if code.len() >= 5 && code.bytes().take(5).all(|c| c.is_ascii_digit()) {
                let product = self.products.entry(code.clone()).or_default();
                *product = (product.0 + value, product.1 + quantity);
            }
            if !customer.is_empty() {
                self.buyers.entry(customer.clone()).or_default().insert(number.clone());
                self.open.entry((customer, code)).or_default().push(quantity);
            }
            self.sales.insert(number);
        }
    }

    fn skip(&mut self, reason: &'static str) {
        *self.skipped.entry(reason).or_default() += 1;
    }

    fn returned(&mut self, number: String, code: String, customer: String, quantity: i64, value: Decimal) {
        self.back += value;
        self.returns.insert(number);
        let open = self.open.entry((customer, code)).or_default();
        if quantity >= 0 || open.iter().sum::<i64>() < -quantity {
            self.unlinked += 1;
            return;
        }
        self.linked += 1;
        let mut left = -quantity;
        for units in open.iter_mut().rev() {
            let taken = left.min(*units);
            *units -= taken;
            left -= taken;
        }
    }
}

/// The figures.
pub(crate) fn figures(rows: &[Vec<String>]) -> Value {
    let mut sums = Sums::default();
    for row in rows {
        sums.row(row);
    }
    let repeat = sums.buyers.values().filter(|invoices| invoices.len() >= 2).count();
    let months: BTreeMap<_, _> =
        sums.months.iter().map(|(month, gross)| (month.clone(), amount(*gross))).collect();
    let gross = top(sums.products.iter().map(|(sku, sum)| (sku.clone(), sum.0)));
    let units = top(sums.products.iter().map(|(sku, sum)| (sku.clone(), sum.1)));
    let gross: Vec<_> =
        gross.into_iter().map(|(sku, gross)| json!({"sku": sku, "gross": amount(gross)})).collect();
    let units: Vec<_> = units.into_iter().map(|(sku, units)| json!({"sku": sku, "units": units})).collect();
    json!({
        "lines": rows.len(),
        "invoices": sums.numbers.len(),
        "sale_invoices": sums.sales.len(),
        "return_invoices": sums.returns.len(),
        "gross_sales": amount(sums.gross),
        "returns": amount(sums.back),
        "net": amount(sums.net),
        "average_order_value": ratio(sums.gross, sums.sales.len(), 2),
        "buyers": sums.buyers.len(),
        "repeat_rate": ratio(Decimal::from(repeat), sums.buyers.len(), 4),
        "sales_per_month": months,
        "top_by_gross": gross,
        "top_by_units": units,
        "returns_linked": sums.linked,
        "returns_unlinked": sums.unlinked,
        "skipped": sums.skipped,
    })
}
