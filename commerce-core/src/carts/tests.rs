use std::collections::BTreeSet;

use proptest::prelude::*;

use super::lines::visits;
use super::*;
use crate::history::{Step, at, drive, id};
use crate::kernel::aggregate::{Aggregate, Command};
use crate::kernel::replay::fold;
use crate::value::actor::Owner;
use crate::value::time::Timestamp;
use crate::value::{Address, AddressInput, Code, Currency, Email, Price, PromotionCode, Quantity, Reason};

fn code(number: u8) -> PromotionCode {
    PromotionCode::new(&format!("code{number}")).unwrap()
}

fn reason() -> Reason {
    Reason::new("declined").unwrap()
}

fn address() -> Address {
    let text = str::to_owned;
    Address::new(&AddressInput {
        recipient: text("Ada"),
        line1: text("Street 1"),
        city: text("Berlin"),
        postcode: Some(text("10115")),
        country: text("DE"),
        ..AddressInput::default()
    })
    .unwrap()
}

fn line(number: u128, variant: u128, quantity: u32) -> CartLine {
    CartLine {
        id: id(number),
        product: id(variant),
        variant: id(variant),
        quantity: Quantity::new(quantity).unwrap(),
        customisation: None,
        price_override: None,
    }
}

fn add(line: CartLine) -> CartCommand {
    let CartLine { id: line, product, variant, quantity, customisation, price_override } = line;
    CartCommand::AddLine { line, product, variant, quantity, customisation, price_override }
}

fn create() -> CartCommand {
    CartCommand::Create { owner: Owner::Subject(id(7)), currency: Currency::EUR }
}

fn start(number: u32) -> CartCommand {
    CartCommand::StartCheckout { checkout: id(number.into()), number, deadline: at(1000) }
}

fn cart(commands: impl IntoIterator<Item = CartCommand>) -> Cart {
    let mut state = None;
    for command in std::iter::once(create()).chain(commands) {
        let events = Cart::decide(state.as_ref(), command, at(1)).unwrap();
        state = fold(state, &events).unwrap();
    }
    state.unwrap()
}

fn refusal(cart: &Cart, command: CartCommand) -> CartError {
    Cart::decide(Some(cart), command, at(1)).unwrap_err()
}

fn any_line() -> impl Strategy<Value = CartLine> {
    let price = Price::parse("1.50", Currency::EUR).unwrap();
    let set = PriceOverride { price, reason: reason() };
    (1..8_u128, 1..5_u128, prop_oneof![1..4_u32, Just(999_999)], any::<bool>(), any::<bool>()).prop_map(
        move |(number, variant, quantity, engraved, cheaper)| CartLine {
            customisation: engraved.then(|| Code::new("engraved").unwrap()),
            price_override: cheaper.then(|| set.clone()),
            ..line(number, variant, quantity)
        },
    )
}

fn any_edit() -> impl Strategy<Value = CartCommand> {
    prop_oneof![
        4 => any_line().prop_map(add),
        2 => (1..8_u128, 0..4_u32).prop_map(|(line, quantity)| CartCommand::ChangeQuantity { line: id(line), quantity }),
        1 => (1..8_u128).prop_map(|line| CartCommand::RemoveLine { line: id(line) }),
        1 => (0..3_u8).prop_map(|number| CartCommand::ApplyCode { code: code(number) }),
        1 => (0..3_u8).prop_map(|number| CartCommand::RemoveCode { code: code(number) }),
        1 => Just(CartCommand::SetContact { email: Email::new("ada@example.org").unwrap() }),
        1 => Just(CartCommand::SetShippingAddress { address: address() }),
        1 => Just(CartCommand::SetBillingAddress { address: address() }),
        1 => Just(CartCommand::ChooseShipping { method: Code::new("post").unwrap() }),
        1 => (1..3_u128).prop_map(|customer| CartCommand::Identify { customer: id(customer) }),
        1 => (20..22_u128, proptest::collection::vec(any_line(), 0..4)).prop_map(|(source, lines)| CartCommand::Merge {
            source: id(source),
            currency: Currency::EUR,
            lines,
            codes: vec![code(0)],
            strategy: MergeStrategy::Sum,
        }),
    ]
}

fn any_command() -> impl Strategy<Value = CartCommand> {
    let checkout = (1..4_u32, 1..4_u128).prop_flat_map(|(number, other)| {
        prop_oneof![
            6 => Just(start(number)),
            1 => Just(CartCommand::ExtendCheckout { checkout: id(other), deadline: at(2000) }),
            4 => Just(CartCommand::FailCheckout { checkout: id(other), reason: reason() }),
            1 => Just(CartCommand::Convert { checkout: id(other), order: id(other) }),
        ]
    });
    prop_oneof![
        12 => any_edit(),
        5 => checkout,
        1 => Just(create()),
        1 => Just(CartCommand::Abandon),
        2 => Just(CartCommand::Reactivate),
        1 => (30..32_u128).prop_map(|target| CartCommand::MergeInto { target: id(target) }),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Timestamp, CartCommand)>> {
    proptest::collection::vec(any_command(), 0..60).prop_map(|commands| {
        std::iter::once(create()).chain(commands).map(|command| (at(1), command)).collect()
    })
}

fn of_checkout(command: &CartCommand) -> bool {
    matches!(
        command,
        CartCommand::StartCheckout { .. }
            | CartCommand::ExtendCheckout { .. }
            | CartCommand::FailCheckout { .. }
            | CartCommand::Convert { .. }
    )
}

proptest! {
    #[test]
    fn carts_1_one_currency_and_quantities_above_zero(commands in history()) {
        drive::<Cart>(commands, |step: Step<'_, Cart>| {
            let after = step.after.unwrap();
            assert_eq!(after.currency(), Currency::EUR);
            assert!(after.lines().iter().all(|line| line.quantity >= Quantity::ONE));
            if let (CartCommand::ChangeQuantity { line, quantity: 0 }, Ok(_)) = (step.command, step.outcome) {
                assert_eq!(after.lines().get(*line), None);
            }
        });
    }

    #[test]
    fn carts_2_equal_keys_are_one_line(commands in history()) {
        drive::<Cart>(commands, |step: Step<'_, Cart>| {
            let after = step.after.unwrap();
            let keys: BTreeSet<_> = after.lines().iter().map(CartLine::key).collect();
            assert_eq!(keys.len(), after.lines().len());
            if let (CartCommand::AddLine { .. }, Ok(_), Some(before)) = (step.command, step.outcome, step.before) {
                let units = |cart: &Cart| cart.lines().iter().map(|line| line.quantity.get()).sum::<u32>();
                let CartCommand::AddLine { quantity, .. } = step.command else { unreachable!() };
                assert_eq!(units(after), units(before) + quantity.get());
            }
        });
    }

    #[test]
    fn carts_4_a_locked_cart_changes_by_its_checkout_only(commands in history()) {
        drive::<Cart>(commands, |step: Step<'_, Cart>| {
            let Some(before) = step.before.filter(|cart| cart.status() == Status::CheckingOut) else { return };
            if Some(before) != step.after {
                assert!(of_checkout(step.command));
                let lock = before.lock().unwrap().checkout;
                let (CartCommand::ExtendCheckout { checkout, .. }
                | CartCommand::FailCheckout { checkout, .. }
                | CartCommand::Convert { checkout, .. }) = step.command else { panic!("{:?}", step.command) };
                assert_eq!(*checkout, lock);
                assert_eq!(before.lines(), step.after.unwrap().lines());
            }
        });
    }

    #[test]
    fn carts_5_a_converted_cart_is_immutable_and_names_one_order(commands in history()) {
        drive::<Cart>(commands, |step: Step<'_, Cart>| {
            assert_eq!(step.after.unwrap().order().is_some(), step.after.unwrap().status() == Status::Converted);
            if let Some(order) = step.before.and_then(Cart::order) {
                assert_eq!(step.before, step.after);
                assert_eq!(step.after.unwrap().order(), Some(order));
                if let CartCommand::Convert { order: again, .. } = step.command {
                    assert_eq!(step.outcome.is_ok(), *again == order);
                }
            }
        });
    }

    #[test]
    fn carts_6_merging_is_idempotent_and_loses_nothing(
        own in proptest::collection::vec(any_line(), 0..8),
        lines in proptest::collection::vec(any_line(), 0..8),
        strategy in prop_oneof![
            Just(MergeStrategy::Sum), Just(MergeStrategy::Larger), Just(MergeStrategy::KeepTarget)
        ],
    ) {
        let lines: Vec<_> = (100..).zip(lines).map(|(number, line)| CartLine { id: id(number), ..line }).collect();
        let target = cart(own.iter().enumerate().filter(|(index, line)| {
            own.iter().take(*index).all(|other| other.key() != line.key() && other.id != line.id)
        }).map(|(_, line)| add(line.clone())).chain([CartCommand::ApplyCode { code: code(1) }]));
        let codes = vec![code(1), code(2), code(2)];
        let merge = CartCommand::Merge { source: id(9), currency: Currency::EUR, lines: lines.clone(), codes, strategy };
        let events = Cart::decide(Some(&target), merge.clone(), at(1)).unwrap();
        let merged = fold(Some(target.clone()), &events).unwrap().unwrap();
        for key in lines.iter().chain(target.lines().iter()).map(CartLine::key) {
            let source = lines.iter().filter(|line| line.key() == key).map(|line| line.quantity.get()).sum::<u32>();
            let source = source.min(Quantity::MAX.get());
            let before = target.lines().find(&key).map_or(0, |line| line.quantity.get());
            let wanted = match strategy {
                MergeStrategy::Sum => (before + source).min(Quantity::MAX.get()),
                MergeStrategy::Larger => before.max(source),
                MergeStrategy::KeepTarget => if before > 0 { before } else { source },
            };
            prop_assert_eq!(merged.lines().find(&key).map(|line| line.quantity.get()), Some(wanted));
        }
        prop_assert_eq!(merged.codes().cloned().collect::<Vec<_>>(), vec![code(1), code(2)]);
        prop_assert_eq!(Cart::decide(Some(&merged), merge, at(2)), Ok(vec![]));
        let source = cart([CartCommand::MergeInto { target: id(3) }]);
        prop_assert_eq!((source.status(), source.merged_into()), (Status::Merged, Some(id(3))));
        prop_assert_eq!(Cart::decide(Some(&source), CartCommand::MergeInto { target: id(3) }, at(2)), Ok(vec![]));
    }

    #[test]
    fn carts_7_a_code_applied_twice_is_applied_once(edits in proptest::collection::vec(any_edit(), 0..20)) {
        let mut state = Some(cart([]));
        for edit in edits {
            if let Ok(events) = Cart::decide(state.as_ref(), edit, at(1)) {
                state = fold(state, &events).unwrap();
            }
        }
        let before = state.unwrap();
        let apply = |cart: &Cart, command| {
            let events = Cart::decide(Some(cart), command, at(1)).unwrap();
            fold(Some(cart.clone()), &events).unwrap().unwrap()
        };
        let spellings = ["new", " NEW "].map(|text| PromotionCode::new(text).unwrap());
        let once = apply(&before, CartCommand::ApplyCode { code: spellings[0].clone() });
        let twice = apply(&once, CartCommand::ApplyCode { code: spellings[1].clone() });
        prop_assert_eq!(&once, &twice);
        prop_assert_eq!(before, apply(&twice, CartCommand::RemoveCode { code: spellings[0].clone() }));
    }
}

#[test]
fn carts_10_a_thousand_lines_are_built_without_a_scan() {
    let visits_of = |lines: u32| {
        let ((), visits) = visits::during(|| {
            let mut state = Some(cart([]));
            let mut run = |command| {
                let events = Cart::decide(state.as_ref(), command, at(1)).unwrap();
                state = fold(state.take(), &events).unwrap();
            };
            for number in 1..=lines {
                run(add(line(number.into(), number.into(), 1)));
                run(CartCommand::ChangeQuantity { line: id(number.into()), quantity: 5 });
            }
            (1..=lines).for_each(|number| run(CartCommand::RemoveLine { line: id(number.into()) }));
        });
        visits / u64::from(lines)
    };
    let (few, many) = (visits_of(100), visits_of(1000));
    assert!(many <= 200, "{many} visits for each line");
    assert!(many <= few * 3, "{few} visits for each of 100 lines, {many} for each of 1000");
}

#[test]
fn without_a_cart_only_create_is_possible() {
    assert_eq!(Cart::decide(None, CartCommand::Abandon, at(1)), Err(CartError::NotFound));
    let shop = CartCommand::Create { owner: Owner::Shop, currency: Currency::EUR };
    assert_eq!(Cart::decide(None, shop, at(1)), Err(CartError::OwnerIsNoBuyer));
    assert_eq!(Cart::decide(Some(&cart([])), create(), at(1)), Ok(vec![]));
    let other = CartCommand::Create { owner: Owner::Subject(id(7)), currency: Currency::USD };
    assert_eq!(refusal(&cart([]), other), CartError::AlreadyExists);
}

#[test]
fn lines_are_refused() {
    let known = cart([add(line(1, 1, 999_999))]);
    assert_eq!(refusal(&known, add(line(2, 1, 2))), CartError::TooManyUnits { line: id(1), max: 1_000_000 });
    assert_eq!(refusal(&known, add(line(1, 2, 1))), CartError::LineIdInUse { line: id(1) });
    let far = CartCommand::ChangeQuantity { line: id(1), quantity: 1_000_001 };
    assert_eq!(refusal(&known, far), CartError::TooManyUnits { line: id(1), max: 1_000_000 });
    assert_eq!(
        refusal(&known, CartCommand::RemoveLine { line: id(3) }),
        CartError::NoSuchLine { line: id(3) }
    );
    let set = PriceOverride { price: Price::zero(Currency::USD), reason: reason() };
    let foreign = CartLine { price_override: Some(set), ..line(4, 4, 1) };
    assert_eq!(add(foreign.clone()).permission().action, "override-price");
    let mismatch = CartError::CurrencyMismatch { cart: Currency::EUR, given: Currency::USD };
    assert_eq!(refusal(&known, add(foreign)), mismatch);
}

#[test]
fn checkouts_are_refused() {
    assert_eq!(refusal(&cart([]), start(1)), CartError::Empty);
    let filled = cart([add(line(1, 1, 1))]);
    assert_eq!(refusal(&filled, start(2)), CartError::WrongCheckoutNumber { expected: 1 });
    let past = CartCommand::StartCheckout { checkout: id(1), number: 1, deadline: at(1) };
    assert_eq!(refusal(&filled, past), CartError::BadDeadline { deadline: at(1) });
    let locked = cart([add(line(1, 1, 1)), start(1)]);
    assert_eq!(Cart::decide(Some(&locked), start(1), at(5000)), Ok(vec![]));
    let by_first = CartError::Locked { checkout: id(1), deadline: at(1000) };
    assert_eq!(refusal(&locked, start(2)), by_first);
    assert_eq!(refusal(&locked, CartCommand::Expire), by_first);
    let fail = |checkout| CartCommand::FailCheckout { checkout, reason: reason() };
    assert_eq!(refusal(&locked, fail(id(2))), CartError::NotLockedBy { checkout: id(2) });
    let failed = cart([add(line(1, 1, 1)), start(1), fail(id(1))]);
    assert_eq!(Cart::decide(Some(&failed), fail(id(1)), at(1)), Ok(vec![]));
    let convert = CartCommand::Convert { checkout: id(1), order: id(5) };
    assert_eq!(refusal(&failed, convert.clone()), CartError::NotLockedBy { checkout: id(1) });
    let converted = cart([add(line(1, 1, 1)), start(1), convert]);
    assert_eq!(refusal(&converted, fail(id(1))), CartError::AlreadyConverted { order: id(5) });
}

#[test]
fn a_guest_who_logs_in_takes_the_personal_parts_over() {
    let email = Email::new("ada@example.org").unwrap();
    let identify = CartCommand::Identify { customer: id(3) };
    let known = cart([CartCommand::SetContact { email: email.clone() }, identify]);
    assert_eq!(known.owner(), Owner::Subject(id(3)));
    assert_eq!(known.email().map(|email| (email.subject(), email.get())), Some((id(3), Some(&email))));
    assert_eq!(refusal(&known, CartCommand::Identify { customer: id(4) }), CartError::AlreadyIdentified);
}
