//! The invariants of money that are about pricing, and what is no cart.

use proptest::prelude::*;

use commerce_core::pricing::{PricingError, price};
use commerce_core::value::{
    Benefit, Currency, Label, LineDiscount, Money, MoneyError, Phase, Price, PriceBook, PricingInput,
    PromotionRule, Rate, RoundingLevel, RoundingMode, RoundingPolicy, ShippingCharge, TaxClass, TaxLine,
    TaxMode, TaxRate,
};
use commerce_testkit::strategy::pricing::{CURRENCY, NOW, input, line, line_id, money, promotion_id, time};

fn empty() -> PricingInput {
    PricingInput::new(CURRENCY, time(NOW))
}

fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    Money::sum(amounts, CURRENCY).unwrap()
}

fn off(discounts: &[LineDiscount]) -> Money {
    sum(discounts.iter().map(|discount| discount.amount))
}

fn tax(taxes: &[TaxLine]) -> Money {
    sum(taxes.iter().map(|tax| tax.amount))
}

/// List, discounts, net, taxes, gross of every line, shipping and fee.
type Row<'a> = (Money, &'a [LineDiscount], Money, &'a [TaxLine], Money);

fn rows(book: &PriceBook) -> Vec<Row<'_>> {
    let lines = book.lines.iter().map(|l| (l.list, &*l.discounts, l.net, &*l.taxes, l.gross));
    let charges = book.shipping.iter().chain(&book.fees);
    lines.chain(charges.map(|c| (c.list, &*c.discounts, c.net, &*c.taxes, c.gross))).collect()
}

fn turn<T>(items: &mut [T], by: usize) {
    if !items.is_empty() {
        items.rotate_left(by % items.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn money_6_pricing_twice_is_idempotent(input in input()) {
        let book = price(&input).unwrap();
        let json = serde_json::to_string(&book).unwrap();
        prop_assert_eq!(serde_json::to_string(&price(&input).unwrap()).unwrap(), json.clone());
        prop_assert_eq!(&serde_json::from_str::<PriceBook>(&json).unwrap(), &book);
        // What went through text prices the same.
        let copy: PricingInput = serde_json::from_str(&serde_json::to_string(&input).unwrap()).unwrap();
        prop_assert_eq!(price(&copy).unwrap(), book);
    }

    #[test]
    fn money_7_net_and_tax_are_gross(input in input()) {
        let book = price(&input).unwrap();
        for (list, discounts, net, taxes, gross) in rows(&book) {
            prop_assert_eq!(net.checked_add(tax(taxes)).unwrap(), gross);
            let left = list.checked_sub(off(discounts)).unwrap();
            prop_assert_eq!(left, if input.tax_mode == TaxMode::Exclusive { net } else { gross });
            prop_assert!(!net.is_negative() && taxes.iter().all(|tax| !tax.amount.is_negative()));
        }
        let net = sum(rows(&book).into_iter().map(|(_, _, net, _, _)| net));
        prop_assert_eq!(net.checked_add(book.tax_total).unwrap(), book.total);
    }

    #[test]
    fn money_8_the_order_of_the_input_does_not_matter(input in input(), lines in 0..9_usize, rules in 0..9_usize) {
        let book = price(&input).unwrap();
        let mut other = input.clone();
        turn(&mut other.lines, lines);
        turn(&mut other.promotions, rules);
        turn(&mut other.tax_rates, rules);
        if lines % 2 == 0 {
            other.lines.reverse();
            other.promotions.reverse();
        }
        let again = price(&other).unwrap();
        for line in &book.lines {
            prop_assert_eq!(again.line(line.line), Some(line));
        }
        let rest = |book: PriceBook| PriceBook { lines: vec![], ..book };
        prop_assert_eq!(rest(again), rest(book));
    }

    #[test]
    fn money_9_the_total_is_the_sum_of_its_parts(input in input()) {
        let book = price(&input).unwrap();
        prop_assert_eq!(book.total, sum(rows(&book).into_iter().map(|(_, _, _, _, gross)| gross)));
        prop_assert_eq!(book.subtotal, sum(book.lines.iter().map(|line| line.list)));
        prop_assert_eq!(book.discount_total, sum(book.lines.iter().map(|line| off(&line.discounts))));
        prop_assert_eq!(book.tax_total, sum(rows(&book).into_iter().map(|(_, _, _, taxes, _)| tax(taxes))));
        prop_assert_eq!(book.shipping_total, sum(book.shipping.iter().map(|shipping| shipping.gross)));
        prop_assert_eq!(book.fee_total, sum(book.fees.iter().map(|fee| fee.gross)));
        for (line, asked) in book.lines.iter().zip(&input.lines) {
            prop_assert_eq!(line.line, asked.line);
            prop_assert_eq!(line.list, asked.unit_price.extend(asked.quantity, input.rounding.mode).unwrap());
        }
    }

    #[test]
    fn money_10_no_line_goes_below_zero_or_above_its_list_price(input in input()) {
        let book = price(&input).unwrap();
        for (list, discounts, _, _, _) in rows(&book) {
            prop_assert!((0..=list.minor()).contains(&off(discounts).minor()));
            prop_assert!(discounts.iter().all(|discount| discount.amount.is_positive()));
        }
        prop_assert!(!book.total.is_negative());
    }
}

#[test]
fn what_is_no_cart_is_refused() {
    let twice = PricingInput { lines: vec![line(1, 1, "1"), line(1, 2, "1")], ..empty() };
    assert_eq!(price(&twice), Err(PricingError::DuplicateLine { line: line_id(1) }));

    let mismatch = MoneyError::CurrencyMismatch { left: CURRENCY, right: Currency::USD };
    let mut dollars = PricingInput { lines: vec![line(1, 1, "1")], ..empty() };
    dollars.lines[0].unit_price = Price::parse("1", Currency::USD).unwrap();
    assert_eq!(price(&dollars), Err(mismatch.into()));

    let largest = "9223372036854.775807";
    let heavy = PricingInput { lines: (0..200).map(|n| line(n, 1000, largest)).collect(), ..empty() };
    assert_eq!(price(&heavy), Err(MoneyError::Overflow.into()));

    let rule = PromotionRule::new(promotion_id(1), Phase::Line, Benefit::Percent(Rate::HUNDRED));
    let doubled = PricingInput { promotions: vec![rule.clone(), rule], ..empty() };
    let error = PricingError::DuplicatePromotion { promotion: promotion_id(1), phase: Phase::Line };
    assert_eq!(price(&doubled), Err(error));

    let post = |amount| ShippingCharge {
        method: Label::new("post").unwrap(),
        amount,
        tax_class: TaxClass::Standard,
    };
    let negative = PricingInput { shipping: Some(post(money(-1))), ..empty() };
    assert_eq!(price(&negative), Err(PricingError::NegativeCharge));
    let dollars = PricingInput { shipping: Some(post(Money::zero(Currency::USD))), ..empty() };
    assert_eq!(price(&dollars), Err(mismatch.into()));
}

#[test]
fn an_empty_cart_costs_nothing() {
    let book = price(&empty()).unwrap();
    assert_eq!((book.total, book.lines.len()), (money(0), 0));
}

/// Nine units of ten cents at 15 %: one and a half cents each, four and a half per line of three.
#[test]
fn tax_is_rounded_where_the_policy_says() {
    let at = |level, units, lines| {
        let rate = TaxRate {
            name: Label::new("VAT").unwrap(),
            class: TaxClass::Standard,
            rate: Rate::parse("15").unwrap(),
        };
        let input = PricingInput {
            lines: (0..lines).map(|n| line(n, units, "0.10")).collect(),
            tax_rates: vec![rate],
            rounding: RoundingPolicy { mode: RoundingMode::HalfUp, level },
            ..empty()
        };
        price(&input).unwrap().tax_total.minor()
    };
    assert_eq!(at(RoundingLevel::Unit, 3, 3), 18);
    assert_eq!(at(RoundingLevel::Line, 3, 3), 15);
    assert_eq!(at(RoundingLevel::Order, 3, 3), 14);
}

#[test]
fn four_rates_in_one_order_are_all_on_the_book() {
    let rate = |name: &str, class, percent| TaxRate {
        name: Label::new(name).unwrap(),
        class,
        rate: Rate::parse(percent).unwrap(),
    };
    let mut input = PricingInput {
        lines: vec![line(1, 1, "119.00"), line(2, 1, "107.00"), line(3, 1, "50.00"), line(4, 1, "110.00")],
        tax_rates: vec![
            rate("A", TaxClass::Standard, "19"),
            rate("B", TaxClass::Reduced, "7"),
            rate("C", TaxClass::Zero, "0"),
            rate("state", TaxClass::Custom(Label::new("two").unwrap()), "6"),
            rate("city", TaxClass::Custom(Label::new("two").unwrap()), "4"),
        ],
        tax_mode: TaxMode::Inclusive,
        ..empty()
    };
    input.lines[1].taxable = TaxClass::Reduced;
    input.lines[2].taxable = TaxClass::Zero;
    input.lines[3].taxable = TaxClass::Custom(Label::new("two").unwrap());
    let book = price(&input).unwrap();
    let taxes = |number| -> Vec<i64> {
        book.line(line_id(number)).unwrap().taxes.iter().map(|tax| tax.amount.minor()).collect()
    };
    assert_eq!([taxes(1), taxes(2), taxes(3), taxes(4)], [vec![1900], vec![700], vec![0], vec![400, 600]]);
    assert_eq!(book.total, money(38_600));
}

/// Lines of one cent and rates of a hundred percent: every cell of the table is at its limit.
#[test]
fn tax_of_the_order_never_exceeds_a_line_that_contains_it() {
    let rate = |name: &str| TaxRate {
        name: Label::new(name).unwrap(),
        class: TaxClass::Standard,
        rate: Rate::HUNDRED,
    };
    let input = PricingInput {
        lines: (0..3).map(|n| line(n, 1, "0.01")).collect(),
        tax_rates: ["a", "b", "c", "d"].map(rate).to_vec(),
        tax_mode: TaxMode::Inclusive,
        rounding: RoundingPolicy { mode: RoundingMode::HalfEven, level: RoundingLevel::Order },
        ..empty()
    };
    let book = price(&input).unwrap();
    // Four fifths of three cents are tax.
    assert_eq!((book.tax_total, book.total), (money(2), money(3)));
    assert!(book.lines.iter().all(|line| !line.net.is_negative()));
}
