//! The last step: amounts with tax, totals, and what became of each code.

use super::cart::Cart;
use super::error::PricingError;
use super::promotion::Tried;
use super::tax::Taxes;
use crate::value::{
    CodeOutcome, Currency, Label, LineDiscount, Money, MoneyError, Outcome, PriceBook, PricedCharge,
    PricedLine, PricingInput, PromotionCode, RejectReason, TaxLine, TaxMode, TraceStep,
};

pub(super) fn bind(cart: Cart<'_>, tried: &[Tried<'_>], taxes: Taxes) -> Result<PriceBook, PricingError> {
    let input = cart.input;
    let mut taxes_of = taxes.of_items.into_iter();
    let lines = lines(input, &cart.list, cart.left, cart.discounts, &mut taxes_of)?;
    let shipping = match &input.shipping {
        None => None,
        Some(shipping) => Some(charge(
            input,
            (&shipping.method, shipping.amount),
            cart.shipping_left,
            cart.shipping_discounts,
            taxes_of.next().unwrap_or_default(),
        )?),
    };
    let mut fees = Vec::with_capacity(input.fees.len());
    for fee in &input.fees {
        let taxes = taxes_of.next().unwrap_or_default();
        fees.push(charge(input, (&fee.name, fee.amount), fee.amount.minor(), Vec::new(), taxes)?);
    }
    let untaxed = taxes.untaxed.into_iter().map(|class| TraceStep::Untaxed { class });
    let steps = tried.iter().map(|tried| TraceStep::Promotion {
        promotion: tried.rule.promotion,
        version: tried.rule.version,
        outcome: tried.outcome,
    });
    let trace = steps.chain(untaxed).collect();
    let codes = codes(input, tried)?;
    total(input, lines, shipping, fees, codes, trace)
}

fn lines(
    input: &PricingInput,
    list: &[i64],
    left: Vec<i64>,
    discounts: Vec<Vec<LineDiscount>>,
    taxes: &mut impl Iterator<Item = Vec<TaxLine>>,
) -> Result<Vec<PricedLine>, MoneyError> {
    let mut lines = Vec::with_capacity(input.lines.len());
    // The taxes of the lines come first; shipping and fees take the rest.
    for (((line, list), left), discounts) in input.lines.iter().zip(list).zip(left).zip(discounts) {
        let taxes = taxes.next().unwrap_or_default();
        let (net, gross) = around(input, left, &taxes)?;
        lines.push(PricedLine {
            line: line.line,
            sku: line.sku.clone(),
            quantity: line.quantity,
            unit_price: line.unit_price,
            list: Money::from_minor(*list, input.currency),
            discounts,
            net,
            taxes,
            gross,
        });
    }
    Ok(lines)
}

fn charge(
    input: &PricingInput,
    (name, list): (&Label, Money),
    left: i64,
    discounts: Vec<LineDiscount>,
    taxes: Vec<TaxLine>,
) -> Result<PricedCharge, MoneyError> {
    let (net, gross) = around(input, left, &taxes)?;
    Ok(PricedCharge { name: name.clone(), list, discounts, net, taxes, gross })
}

/// What is left without and with tax.
fn around(input: &PricingInput, left: i64, taxes: &[TaxLine]) -> Result<(Money, Money), MoneyError> {
    let left = Money::from_minor(left, input.currency);
    let tax = tax_of(taxes, input.currency)?;
    match input.tax_mode {
        TaxMode::Exclusive => Ok((left, left.checked_add(tax)?)),
        TaxMode::Inclusive => Ok((left.checked_sub(tax)?, left)),
    }
}

fn tax_of(taxes: &[TaxLine], currency: Currency) -> Result<Money, MoneyError> {
    Money::sum(taxes.iter().map(|tax| tax.amount), currency)
}

/// One outcome per requested code. A code with several promotions applied if one of them did.
fn codes(input: &PricingInput, tried: &[Tried<'_>]) -> Result<Vec<CodeOutcome>, MoneyError> {
    let mut codes: Vec<CodeOutcome> = Vec::with_capacity(input.requested_codes.len());
    for code in &input.requested_codes {
        if codes.iter().all(|known| known.code != *code) {
            codes.push(CodeOutcome { code: code.clone(), outcome: outcome_of(code, input, tried)? });
        }
    }
    Ok(codes)
}

fn outcome_of(
    code: &PromotionCode,
    input: &PricingInput,
    tried: &[Tried<'_>],
) -> Result<Outcome, MoneyError> {
    let mut given = Money::zero(input.currency);
    let mut refused = None;
    for tried in tried.iter().filter(|tried| tried.rule.code.as_ref() == Some(code)) {
        match tried.outcome {
            Outcome::Applied { amount } => given = given.checked_add(amount)?,
            Outcome::Rejected { reason } => refused = refused.or(Some(reason)),
        }
    }
    Ok(if given.is_positive() {
        Outcome::Applied { amount: given }
    } else {
        Outcome::Rejected { reason: refused.unwrap_or(RejectReason::UnknownCode) }
    })
}

fn total(
    input: &PricingInput,
    lines: Vec<PricedLine>,
    shipping: Option<PricedCharge>,
    fees: Vec<PricedCharge>,
    codes: Vec<CodeOutcome>,
    trace: Vec<TraceStep>,
) -> Result<PriceBook, PricingError> {
    let currency = input.currency;
    let charges = || shipping.iter().chain(&fees);
    let taxes = lines.iter().map(|line| &line.taxes).chain(charges().map(|charge| &charge.taxes));
    let discounts = lines.iter().flat_map(|line| &line.discounts);
    let shipping_total = Money::sum(shipping.iter().map(|shipping| shipping.gross), currency)?;
    let fee_total = Money::sum(fees.iter().map(|fee| fee.gross), currency)?;
    let line_total = Money::sum(lines.iter().map(|line| line.gross), currency)?;
    Ok(PriceBook {
        currency,
        subtotal: Money::sum(lines.iter().map(|line| line.list), currency)?,
        discount_total: Money::sum(discounts.map(|discount| discount.amount), currency)?,
        shipping_total,
        fee_total,
        tax_total: Money::sum(taxes.flatten().map(|tax| tax.amount), currency)?,
        total: line_total.checked_add(shipping_total)?.checked_add(fee_total)?,
        lines,
        shipping,
        fees,
        codes,
        trace,
        tax_mode: input.tax_mode,
        rounding: input.rounding,
        priced_at: input.now,
    })
}
