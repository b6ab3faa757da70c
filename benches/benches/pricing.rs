//! Pricing of carts: lines times promotions. The target is 200 lines and 20 promotions in a millisecond.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use commerce_core::pricing::price;
use commerce_core::value::id::{CartLineId, PromotionId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{
    Benefit, Conditions, Currency, Label, Money, Phase, Price, PriceRequestLine, PricingInput, PromotionRule,
    Quantity, Rate, ShippingCharge, Sku, TaxClass, TaxRate,
};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use uuid::Uuid;

fn line(number: u32) -> PriceRequestLine {
    let id = CartLineId::derived(Uuid::from_u128(1), &number.to_be_bytes());
    let price = Money::from_minor(i64::from(199 + number * 7919 % 10_007), Currency::EUR);
    PriceRequestLine {
        line: id,
        product: id.cast(),
        variant: id.cast(),
        sku: Sku::new(&format!("SKU-{number}")).unwrap(),
        categories: vec![id.cast()],
        quantity: Quantity::new(1 + number % 5).unwrap(),
        unit_price: Price::from_money(price).unwrap(),
        taxable: if number.is_multiple_of(3) { TaxClass::Reduced } else { TaxClass::Standard },
        shippable: true,
    }
}

/// A mix of all kinds; every other one of the line phase is filtered by a hundred codes.
fn promotion(number: u32) -> PromotionRule {
    let id = PromotionId::derived(Uuid::from_u128(2), &number.to_be_bytes());
    let percent = Benefit::Percent(Rate::parse("3.5").unwrap());
    let amount = Money::from_minor(150, Currency::EUR);
    let (phase, benefit) = match number % 5 {
        0 => (Phase::Order, percent),
        1 => (Phase::Line, percent),
        2 => (Phase::Order, Benefit::FixedPerOrder(amount)),
        3 => {
            let (buy, get) = (4.try_into().unwrap(), 1.try_into().unwrap());
            (Phase::Line, Benefit::BuyXGetY { buy, get, rate: Rate::HUNDRED, max_gifts: None })
        }
        _ => (Phase::Line, Benefit::FixedPerUnit(Money::from_minor(2, Currency::EUR))),
    };
    let codes = if number % 10 == 1 { 100 } else { 0 };
    let skus = (0..codes).map(|sku| Sku::new(&format!("SKU-{}", sku * 2)).unwrap()).collect();
    let condition = Conditions { skus, ..Conditions::default() };
    PromotionRule { condition, ..PromotionRule::new(id, phase, benefit) }
}

fn input(lines: u32, promotions: u32) -> PricingInput {
    let label = |text| Label::new(text).unwrap();
    let rate =
        |name, class, percent| TaxRate { name: label(name), class, rate: Rate::parse(percent).unwrap() };
    PricingInput {
        lines: (0..lines).map(line).collect(),
        promotions: (0..promotions).map(promotion).collect(),
        shipping: Some(ShippingCharge {
            method: label("post"),
            amount: Money::from_minor(490, Currency::EUR),
            tax_class: TaxClass::Standard,
        }),
        tax_rates: vec![rate("VAT", TaxClass::Standard, "19"), rate("VAT reduced", TaxClass::Reduced, "7")],
        ..PricingInput::new(Currency::EUR, Timestamp::UNIX_EPOCH)
    }
}

fn pricing(c: &mut Criterion) {
    let mut group = c.benchmark_group("pricing");
    for lines in [10, 200, 1000, 2000] {
        for promotions in [0, 1, 20] {
            let input = input(lines, promotions);
            assert!(price(&input).is_ok());
            group.throughput(Throughput::Elements(u64::from(lines)));
            let id = BenchmarkId::new(format!("{promotions}_promotions"), lines);
            group.bench_with_input(id, &input, |bench, input| bench.iter(|| price(black_box(input))));
        }
    }
    group.finish();
}

criterion_group!(benches, pricing);
criterion_main!(benches);
