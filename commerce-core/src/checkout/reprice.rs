//! From an edit to prices: what is stored with the order counts, not what shop and catalogue say today.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::catalog::Product;
use crate::kernel::aggregate::Instance;
use crate::kernel::personal::Personal;
use crate::orders::edit::{Addition, OrderEditError, Proposal};
use crate::orders::{LineTarget, Order, OrderEdit, OrderLine};
use crate::pricing::{PricingError, price};
use crate::settings::TaxRule;
use crate::value::id::{CategoryId, ProductId, PromotionId};
use crate::value::{
    Address, Fee, InvalidLabel, Label, Money, Outcome, PriceBook, PriceRequestLine, PricedCharge,
    PricingInput, PromotionRule, Quantity, Rate, RejectReason, ShippingCharge, TaxClass, TaxLine, TaxRate,
    TraceStep,
};

/// Everything that the prices behind an edit follow from.
#[derive(Debug)]
pub struct RepriceInput<'e> {
    /// The order, with the prices that were stored.
    pub order: &'e Order,
    /// What is to change.
    pub edit: &'e OrderEdit,
    /// The products of all lines: categories, for the conditions of promotions, and what is added.
    pub products: &'e HashMap<ProductId, Arc<Instance<Product>>>,
    /// The promotions that were looked at when the order was priced, in the version of that time.
    pub rules: Vec<PromotionRule>,
    /// What budgets granted to this order; more is refused.
    pub granted: &'e BTreeMap<PromotionId, Money>,
    /// The taxes on lines that are added.
    pub taxes: &'e [TaxRule],
}

/// An edit cannot be priced.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RepriceError {
    /// The edit asks for something that cannot be.
    #[error("the edit cannot be made")]
    Edit(#[from] OrderEditError),
    /// The amounts do not fit.
    #[error("it cannot be priced")]
    Pricing(#[from] PricingError),
    /// A tax cannot be named: a defect.
    #[error("a tax cannot be named")]
    Label(#[from] InvalidLabel),
}

/// The taxes of the order, under names for what is taxed alike: rates are snapshots, and what was rounded
/// together is rounded together again.
#[derive(Default)]
struct Kept {
    classes: Vec<Vec<(Label, Rate)>>,
}

impl Kept {
    fn class(&mut self, taxes: &[TaxLine]) -> Result<TaxClass, InvalidLabel> {
        let set: Vec<_> = taxes.iter().map(|tax| (tax.name.clone(), tax.rate)).collect();
        let at = self.classes.iter().position(|known| *known == set).unwrap_or_else(|| {
            self.classes.push(set);
            self.classes.len().saturating_sub(1)
        });
        named(at)
    }

    fn rates(&self) -> Result<Vec<TaxRate>, InvalidLabel> {
        let mut rates = Vec::new();
        for (at, set) in self.classes.iter().enumerate() {
            for (name, rate) in set {
                rates.push(TaxRate { name: name.clone(), class: named(at)?, rate: *rate });
            }
        }
        Ok(rates)
    }
}

const KEPT: &str = "as stored with the order, ";

fn named(at: usize) -> Result<TaxClass, InvalidLabel> {
    Label::new(&format!("{KEPT}{at}")).map(TaxClass::Custom)
}

/// Prices an order as an edit would make it. Pure: equal inputs give equal proposals, and an edit without
/// changes gives the amounts that are stored.
///
/// Unit prices, taxes, shipping, fees and promotions are those of the order. What is added costs what the
/// catalogue says now. Categories are looked up in the catalogue, because orders do not store them.
///
/// # Errors
///
/// [`RepriceError`] where nothing would be left, something is not for sale, or a budget would be exceeded.
pub fn reprice(input: &RepriceInput<'_>) -> Result<Proposal, RepriceError> {
    let old: &PriceBook = &input.order.content().book;
    let mut pricing = PricingInput::new(old.currency, old.priced_at);
    let (mut kept, mut targets) = (Kept::default(), Vec::new());
    for (line, ledger) in input.order.lines() {
        let wanted = input.edit.wanted().get(&line.id).copied().unwrap_or(ledger.wanted());
        if wanted != ledger.wanted() {
            targets.push(LineTarget { line: line.id, wanted });
        }
        let Ok(quantity) = Quantity::new(wanted) else { continue };
        let Some(priced) = old.line(line.id.cast()) else {
            return Err(OrderEditError::GivenUp(line.id).into());
        };
        pricing.lines.push(PriceRequestLine {
            line: line.id.cast(),
            product: line.product,
            variant: line.variant,
            sku: line.sku.clone(),
            categories: categories(input, line.product),
            quantity,
            unit_price: priced.unit_price,
            taxable: kept.class(&priced.taxes)?,
            shippable: line.shippable,
        });
    }
    let mut added = Vec::new();
    for addition in input.edit.additions() {
        let (line, request) = add(input, addition)?;
        added.push(line);
        pricing.lines.push(request);
    }
    if pricing.lines.is_empty() {
        return Err(OrderEditError::NothingLeft.into());
    }
    charges(&mut pricing, old, &mut kept)?;
    pricing.tax_rates = kept.rates()?;
    pricing.tax_rates.extend(todays_rates(input));
    pricing.promotions = rules(old, &input.rules);
    pricing.requested_codes = old.codes.iter().map(|known| known.code.clone()).collect();
    (pricing.tax_mode, pricing.rounding) = (old.tax_mode, old.rounding);
    let mut book = price(&pricing)?;
    book.trace.retain(|step| !matches!(step, TraceStep::Untaxed { class } if is_kept(class)));
    within_budgets(&book, input.granted)?;
    let balance = input.order.balance_of(book.total).map_err(OrderEditError::from)?;
    Ok(Proposal { targets, added, book: Arc::new(book), balance })
}

fn is_kept(class: &TaxClass) -> bool {
    matches!(class, TaxClass::Custom(label) if label.as_str().starts_with(KEPT))
}

fn categories(input: &RepriceInput<'_>, product: ProductId) -> Vec<CategoryId> {
    let known = input.products.get(&product).and_then(|known| known.state.as_ref());
    known.map_or_else(Vec::new, |known| known.categories().iter().copied().collect())
}

fn add(
    input: &RepriceInput<'_>,
    addition: &Addition,
) -> Result<(OrderLine, PriceRequestLine), OrderEditError> {
    let product = input.products.get(&addition.product).and_then(|known| known.state.as_ref());
    let offer = product.and_then(|known| known.offer(addition.variant, input.order.content().book.currency));
    let offer = offer.ok_or(OrderEditError::NotForSale(addition.line))?;
    let line = OrderLine {
        id: addition.line,
        product: addition.product,
        variant: addition.variant,
        sku: offer.sku.clone(),
        name: offer.name,
        variant_name: product.and_then(|known| super::quote::variant_name(known, addition.variant)),
        seller: offer.seller,
        quantity: addition.quantity,
        tracked: offer.tracked,
        shippable: offer.shippable,
        override_reason: None,
    };
    let request = PriceRequestLine {
        line: addition.line.cast(),
        product: addition.product,
        variant: addition.variant,
        sku: offer.sku,
        categories: offer.categories.iter().copied().collect(),
        quantity: addition.quantity,
        unit_price: offer.unit_price,
        taxable: offer.tax_class,
        shippable: offer.shippable,
    };
    Ok((line, request))
}

/// Shipping and fees stay what was agreed on.
fn charges(pricing: &mut PricingInput, old: &PriceBook, kept: &mut Kept) -> Result<(), InvalidLabel> {
    let mut class = |charge: &PricedCharge| kept.class(&charge.taxes);
    if let Some(shipping) = &old.shipping {
        pricing.shipping = Some(ShippingCharge {
            method: shipping.name.clone(),
            amount: shipping.list,
            tax_class: class(shipping)?,
        });
    }
    for fee in &old.fees {
        pricing.fees.push(Fee { name: fee.name.clone(), amount: fee.list, tax_class: class(fee)? });
    }
    Ok(())
}

fn todays_rates(input: &RepriceInput<'_>) -> impl Iterator<Item = TaxRate> {
    let address = input.order.content().shipping_address.as_ref();
    let country = address.and_then(Personal::get).map(Address::country);
    let levied = input.taxes.iter().filter(move |tax| tax.country.is_none() || tax.country == country);
    levied.map(|tax| tax.rate.clone())
}

/// Promotions that were withheld from the order stay withheld.
fn rules(old: &PriceBook, rules: &[PromotionRule]) -> Vec<PromotionRule> {
    let mut rules = rules.to_vec();
    for rule in &mut rules {
        let tried = old.trace.iter().find_map(|step| match step {
            TraceStep::Promotion { promotion, outcome, .. } if *promotion == rule.promotion => Some(*outcome),
            _ => None,
        });
        rule.withheld = match tried {
            Some(Outcome::Rejected {
                reason:
                    reason @ (RejectReason::Inactive | RejectReason::Exhausted | RejectReason::NotEligible),
            }) => Some(reason),
            _ => None,
        };
    }
    rules
}

fn within_budgets(book: &PriceBook, granted: &BTreeMap<PromotionId, Money>) -> Result<(), OrderEditError> {
    for (promotion, wanted) in book.granted()? {
        if let Some(granted) = granted.get(&promotion).filter(|granted| wanted.minor() > granted.minor()) {
            return Err(OrderEditError::BeyondGrant { promotion, granted: *granted, wanted });
        }
    }
    Ok(())
}
