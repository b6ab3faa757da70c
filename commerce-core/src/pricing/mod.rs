//! Pricing: what a cart costs, as a pure function of everything it depends on.
//!
//! [`price`] runs one pipeline, each step on what the one before it left:
//!
//! 1. list prices: unit price times quantity, rounded once;
//! 2. promotions of the line phase, line by line;
//! 3. promotions of the order phase, on the sum of the matching lines, allocated to them by what is
//!    left of each (largest remainder, ties to the smaller line id);
//! 4. shipping, and 5. its promotions;
//! 6. taxes per line and rate on what is left, rounded where the policy says;
//! 7. fees and totals.
//!
//! Store credit and gift cards are means of payment and come later. Nothing here reads a clock or a
//! store, and the order of lines and promotions in the input has no influence: promotions act in the
//! order of phase, priority, code and id. An order keeps its
//! [`PriceBook`]; edits and refunds read it and never price again.

mod book;
mod cart;
mod error;
mod gift;
mod promotion;
mod tax;

pub use error::PricingError;

use crate::value::{PriceBook, PricingInput};

/// Computes the prices of a cart.
///
/// Pure: equal inputs give equal books. A promotion that cannot apply is not an error; the book says
/// what became of it and of every requested code.
///
/// # Errors
///
/// [`PricingError`] when the input is not a cart in one currency, or a sum does not fit 64 bits.
pub fn price(input: &PricingInput) -> Result<PriceBook, PricingError> {
    let mut cart = cart::Cart::at_list_prices(input)?;
    let tried = promotion::run(&mut cart)?;
    let taxes = tax::levy(&cart)?;
    book::bind(cart, &tried, taxes)
}
