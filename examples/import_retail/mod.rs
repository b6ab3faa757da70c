//! From a file in the Online Retail layout to a shop's history, and from there to figures.

pub(crate) mod enter;
pub(crate) mod figures;
pub(crate) mod history;
pub(crate) mod plan;
pub(crate) mod replay;
pub(crate) mod source;

use std::error::Error;

use commerce_core::app::commerce::Commerce;
use commerce_core::identity::Principal;

use enter::Entered;
use figures::Figures;
use history::{History, Oddities};
use source::RawRow;

/// What came of an import.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What was entered.
    pub(crate) entered: Entered,
    /// What was odd in the source.
    pub(crate) oddities: Oddities,
    /// What the store says.
    pub(crate) figures: Figures,
}

/// Sorts rows into invoices, `times` times with shifted numbers and dates.
pub(crate) fn read(rows: &[RawRow], times: u32) -> History {
    let mut history = History::default();
    for turn in 0..times {
        for row in rows {
            if turn == 0 {
                history.add(row);
            } else {
                history.add(&row.shifted(turn, rows.len()));
            }
        }
    }
    history
}

/// Enters rows as history, `times` times with shifted numbers and dates, and reads the figures back.
pub(crate) async fn run(
    shop: &Commerce,
    rows: &[RawRow],
    times: u32,
    opening: Option<u32>,
) -> Result<Outcome, Box<dyn Error + Send + Sync>> {
    let shop = shop.acting_as(Principal::system());
    let history = read(rows, times);
    let oddities = history.oddities().clone();
    let entered = enter::enter(&shop, history, opening).await?;
    let figures = figures::read(&shop).await?;
    Ok(Outcome { entered, oddities, figures })
}
