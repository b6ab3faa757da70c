//! Rows of the Online Retail layout, as text.

use std::error::Error;
use std::io::Read;

use chrono::{Days, NaiveDateTime};

/// The columns, in order.
const COLUMNS: [&str; 8] = [
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
];
/// How times are written.
const TIME: &str = "%Y-%m-%d %H:%M:%S";
/// How far the numbers of one repetition lie from those of the next.
const NUMBERS: u64 = 1_000_000;
/// How far the dates of one repetition lie from those of the next.
const DAYS: u64 = 28;

/// A row as it stands in the file; a missing column is empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct RawRow {
    /// Where it stands, from 1.
    pub(crate) row: u64,
    /// Whether it has as many columns as the layout, in UTF-8.
    pub(crate) whole: bool,
    pub(crate) number: String,
    pub(crate) code: String,
    pub(crate) description: String,
    pub(crate) quantity: String,
    pub(crate) date: String,
    pub(crate) price: String,
    pub(crate) customer: String,
    pub(crate) country: String,
}

/// Reads all rows.
pub(crate) fn read(input: impl Read) -> Result<Vec<RawRow>, Box<dyn Error + Send + Sync>> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(input);
    let header = reader.byte_headers()?;
    if !header.iter().eq(COLUMNS.map(str::as_bytes)) {
        return Err(format!("not the Online Retail layout: {header:?}").into());
    }
    let (mut rows, mut record) = (Vec::new(), csv::ByteRecord::new());
    while reader.read_byte_record(&mut record)? {
        let readable = record.iter().all(|field| std::str::from_utf8(field).is_ok());
        let mut fields = record.iter().map(|field| String::from_utf8_lossy(field).into_owned());
        let mut next = || fields.next().unwrap_or_default();
        rows.push(RawRow {
            row: rows.len() as u64 + 1,
            whole: readable && record.len() == COLUMNS.len(),
            number: next(),
            code: next(),
            description: next(),
            quantity: next(),
            date: next(),
            price: next(),
            customer: next(),
            country: next(),
        });
    }
    Ok(rows)
}

/// Reads a time; the layout names no zone, so that it is kept as it is written.
pub(crate) fn time(text: &str) -> Option<NaiveDateTime> {
    if text.len() != "2011-01-04 10:00:00".len() {
        return None;
    }
    NaiveDateTime::parse_from_str(text, TIME).ok()
}

impl RawRow {
    /// The row in a later repetition of the file: other numbers and dates, the same customers and things.
    pub(crate) fn shifted(&self, turn: u32, rows: usize) -> Self {
        let split = self.number.find(|c: char| c.is_ascii_digit()).unwrap_or(self.number.len());
        let (letters, digits) = self.number.split_at(split);
        let number = match digits.parse::<u64>() {
            Ok(digits) => format!("{letters}{}", digits + NUMBERS * u64::from(turn)),
            Err(_) => self.number.clone(),
        };
        let later =
            time(&self.date).and_then(|time| time.checked_add_days(Days::new(DAYS * u64::from(turn))));
        let date = later.map_or_else(|| self.date.clone(), |time| time.format(TIME).to_string());
        Self { row: self.row + u64::from(turn) * rows as u64, number, date, ..self.clone() }
    }
}
