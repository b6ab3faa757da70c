//! Operations on amounts: add, allocate, extend, rate.
#![allow(missing_docs, clippy::unwrap_used)]

use std::hint::black_box;

use commerce_core::value::{Currency, Money, Price, Quantity, Rate, RoundingMode, allocate};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

fn operations(c: &mut Criterion) {
    let mut group = c.benchmark_group("money");
    let (a, b) = (Money::from_minor(123_456, Currency::EUR), Money::from_minor(789, Currency::EUR));
    group.bench_function("checked_add", |bench| bench.iter(|| black_box(a).checked_add(black_box(b))));
    let (price, units) = (Price::parse("12.3456", Currency::EUR).unwrap(), Quantity::new(7).unwrap());
    group.bench_function("extend", |bench| {
        bench.iter(|| black_box(price).extend(black_box(units), RoundingMode::HalfEven));
    });
    let rate = Rate::parse("7.7").unwrap();
    group.bench_function("rate_of", |bench| {
        bench.iter(|| black_box(rate).of(black_box(a), RoundingMode::HalfEven));
    });
    group.bench_function("rate_included_in", |bench| {
        bench.iter(|| black_box(rate).included_in(black_box(a), RoundingMode::HalfEven));
    });
    group.bench_function("parse", |bench| bench.iter(|| Money::parse(black_box("1234.56"), Currency::EUR)));
    for lines in [10_u64, 200, 2000] {
        let weights: Vec<_> = (0..lines).map(|line| (line, line * 7919 % 1009)).collect();
        group.bench_with_input(BenchmarkId::new("allocate", lines), &weights, |bench, weights| {
            bench.iter(|| allocate(black_box(a), weights));
        });
    }
    group.finish();
}

criterion_group!(benches, operations);
criterion_main!(benches);
