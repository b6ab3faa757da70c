//! The invariants of orders over generated histories, checked against the store.
//!
//! Invariant 7 is about order edits, which do not exist yet; the stock half of invariant 10 stands with
//! the checkout.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use commerce_core::app::error::CommandError;
use commerce_core::kernel::aggregate::{Instance, stream_of};
use commerce_core::kernel::error::CommitError;
use commerce_core::kernel::replay::fold;
use commerce_core::orders::command::OrderCommand as Ask;
use commerce_core::orders::ledger::{LineLedger, Movement};
use commerce_core::orders::snapshot::{Coverage, PaymentSums};
use commerce_core::orders::status::{
    FulfilmentStatus, OrderPaymentStatus, fulfilment_status, payment_status,
};
use commerce_core::orders::{
    CART_SCOPE, NUMBER_SCOPE, Order, OrderError, OrderEvent, OrderStatus, TRANSITIONS, Trigger,
};
use commerce_core::value::id::OrderLineId;
use commerce_core::value::{Currency, Money};
use commerce_tests::cases;
use commerce_tests::orders::{Basket, CARTS, ORDERS, basket, command, history, number, order};
use commerce_tests::stock::reason;
use commerce_tests::world::{Refusal, World, id, is_refusal};
use proptest::collection::vec;
use proptest::prelude::*;

/// Gives a command; a refusal changes nothing.
fn perform(world: &World, index: usize, ask: Ask) -> Option<Vec<OrderEvent>> {
    let contents = world.contents();
    match world.run(order(index), ask) {
        Ok(executed) => Some(executed.events),
        Err(error) => {
            assert!(is_refusal(&error), "{error:?}");
            assert_eq!(world.contents(), contents, "a refusal changes something");
            None
        }
    }
}

fn state(world: &World, index: usize) -> Option<Order> {
    world.replayed::<Order>(order(index))
}

/// What a command tries to do to the status.
const fn trigger(ask: &Ask) -> Option<Trigger> {
    Some(match ask {
        Ask::Draft { .. } => Trigger::Draft,
        Ask::Place { .. } => Trigger::Place,
        Ask::Confirm { .. } => Trigger::Confirm,
        Ask::Fail { .. } => Trigger::Fail,
        Ask::Cancel { .. } => Trigger::Cancel,
        Ask::Complete => Trigger::Complete,
        _ => return None,
    })
}

/// A confirmed order of these lines, and enough paid for it.
fn confirmed(world: &World, basket: &Basket) {
    let content = basket.content();
    let amount = content.book.total;
    perform(world, 0, Ask::Place { number: number(0), content: Some(content) }).unwrap();
    let coverage = Coverage::Captured { payment: id("payment 0"), amount };
    perform(world, 0, Ask::Confirm { coverage, backordered: false }).unwrap();
}

/// Baskets that can be placed.
fn good_basket() -> impl Strategy<Value = Basket> {
    basket().prop_filter("no lines", |basket| !basket.lines.is_empty())
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn orders_1_parts_add_up_and_numbers_are_unique(
        commands in history(),
        basket in good_basket(),
        spoil in 0..6_u8,
        by in 1..100_i64,
    ) {
        let world = World::new();
        for (index, ask) in commands {
            perform(&world, index, ask);
        }
        let mut numbers = BTreeSet::new();
        for index in 0..ORDERS {
            let Some(order_state) = state(&world, index) else { continue };
            let book = &order_state.content().book;
            let lines: i64 = book.lines.iter().map(|line| line.gross.minor()).sum();
            prop_assert!(!order_state.content().lines.is_empty());
            prop_assert_eq!(book.total.minor(), lines + book.shipping_total.minor() + book.fee_total.minor());
            prop_assert!(!book.total.is_negative());
            prop_assert!(book.lines.iter().all(|line| line.gross.currency() == book.total.currency()));
            if let Some(number) = order_state.number() {
                prop_assert!(numbers.insert(number.clone()), "{number} twice");
                let owner = world.owner(NUMBER_SCOPE, number.as_str());
                prop_assert_eq!(owner, Some(stream_of::<Order>(order(index))));
            }
        }
        // A book that does not add up is refused.
        let mut content = basket.content();
        let book = Arc::make_mut(&mut content.book);
        let foreign = Money::from_minor(book.total.minor(), Currency::USD);
        match spoil {
            0 => book.total = Money::from_minor(book.total.minor() + by, Currency::EUR),
            1 => book.total = foreign,
            2 => book.shipping_total = Money::zero(Currency::USD),
            3 => drop(book.lines.pop()),
            4 => book.lines[0].gross = Money::from_minor(-by, Currency::EUR),
            _ => content.lines[0].quantity = commerce_tests::stock::units(10),
        }
        let ask = Ask::Place { number: number(7), content: Some(content) };
        prop_assert_eq!(perform(&world, 7, ask), None);
    }

    #[test]
    fn orders_2_the_lifecycle_is_its_table(commands in history()) {
        let world = World::new();
        for (index, ask) in commands {
            let before = state(&world, index).map(|state| state.status());
            let (asked, import) = (trigger(&ask), matches!(ask, Ask::Import { .. }));
            let shown = format!("{ask:?}");
            let done = perform(&world, index, ask);
            let after = state(&world, index).map(|state| state.status());
            let leads = asked.and_then(|asked| {
                TRANSITIONS.iter().find(|(from, by, _)| (*from, *by) == (before, asked)).map(|row| row.2)
            });
            if before != after {
                prop_assert!(import && before.is_none() || leads == after, "{before:?} {shown} {after:?}");
            } else if let Some(events) = done {
                // A step of the table that is accepted is taken; any other that is accepted is a repeat.
                prop_assert!(leads.is_none(), "{before:?} {shown}");
                prop_assert!(asked.is_none() || events.is_empty(), "{before:?} {shown}");
            }
            for recorded in world.recorded::<Order>(order(index)).iter().zip(1..) {
                prop_assert_eq!(recorded.0.version.get(), recorded.1);
            }
        }
    }

    #[test]
    fn orders_3_the_quantity_ledger(basket in good_basket(), commands in vec(command(), 1..35)) {
        let world = World::new();
        confirmed(&world, &basket);
        for (_, ask) in commands {
            let wrong = match &ask {
                Ask::Move { units, .. } => {
                    units.iter().any(|unit| state(&world, 0).unwrap().ledger(unit.line).is_none())
                }
                _ => false,
            };
            let done = perform(&world, 0, ask);
            prop_assert!(!wrong || done.is_none());
            let order_state = state(&world, 0).unwrap();
            // The sums of the log, per line.
            let mut sums: BTreeMap<(OrderLineId, String), u32> = BTreeMap::new();
            for event in world.events::<Order>(order(0)) {
                let OrderEvent::Moved { movement, units } = event else { continue };
                for unit in units {
                    *sums.entry((unit.line, format!("{movement:?}"))).or_default() += unit.quantity.get();
                }
            }
            for (line, ledger) in order_state.lines() {
                let sum = |movement: Movement| {
                    sums.get(&(line.id, format!("{movement:?}"))).copied().unwrap_or(0)
                };
                prop_assert_eq!(ledger.ordered, line.quantity.get());
                prop_assert_eq!(ledger.cancelled, sum(Movement::Cancelled));
                prop_assert_eq!(ledger.shipped, sum(Movement::Shipped));
                prop_assert_eq!(ledger.delivered, sum(Movement::Delivered));
                prop_assert_eq!(ledger.return_received, sum(Movement::ReturnReceived));
                let LineLedger { ordered, cancelled, allocated, shipped, delivered, .. } = *ledger;
                prop_assert!(delivered <= shipped && shipped <= allocated, "{ledger:?}");
                prop_assert!(cancelled <= ordered && allocated <= ordered - cancelled, "{ledger:?}");
                prop_assert!(ledger.return_received <= ledger.return_requested, "{ledger:?}");
                prop_assert!(ledger.return_requested <= delivered, "{ledger:?}");
                prop_assert!(ledger.restocked + ledger.written_off <= ledger.return_received, "{ledger:?}");
            }
        }
    }

    #[test]
    fn orders_4_snapshots_never_change(commands in history()) {
        let world = World::new();
        let mut placed: [Option<String>; ORDERS] = Default::default();
        for (index, ask) in commands {
            perform(&world, index, ask);
            let Some(order_state) = state(&world, index) else { continue };
            if order_state.status() == OrderStatus::Draft {
                continue;
            }
            let bytes = serde_json::to_string(order_state.content()).unwrap();
            let placed = placed[index].get_or_insert_with(|| bytes.clone());
            prop_assert_eq!(&bytes, placed);
        }
    }

    #[test]
    fn orders_5_derived_statuses_equal_recomputation(basket in good_basket(), commands in vec(command(), 1..35)) {
        use FulfilmentStatus as F;
        use OrderPaymentStatus as P;
        let world = World::new();
        confirmed(&world, &basket);
        for (_, ask) in commands {
            perform(&world, 0, ask);
            let order_state = state(&world, 0).unwrap();
            let mut noted: BTreeMap<_, PaymentSums> = BTreeMap::new();
            for event in world.events::<Order>(order(0)) {
                if let OrderEvent::PaymentNoted { payment, sums } = event {
                    noted.insert(payment, sums);
                }
            }
            let sums: Vec<PaymentSums> = noted.into_values().collect();
            let due = order_state.total().minor();
            let status = order_state.payment_status();
            prop_assert_eq!(status, payment_status(&sums, due));
            let mut backwards = sums.clone();
            backwards.reverse();
            prop_assert_eq!(status, payment_status(&backwards, due));
            // And by what the words mean.
            let sum = |column: fn(&PaymentSums) -> i64| sums.iter().map(column).sum::<i64>();
            let captured = sum(|sums| sums.captured);
            let back = sum(|sums| sums.refunded) + sum(|sums| sums.charged_back);
            match status {
                P::Paid => prop_assert!(captured == due && back == 0),
                P::Overpaid => prop_assert!(captured > due && back == 0),
                P::PartiallyPaid => prop_assert!(0 < captured && captured < due && back == 0),
                P::Refunded => prop_assert!(captured > 0 && back >= captured),
                P::PartiallyRefunded => prop_assert!(back > 0),
                P::Disputed => prop_assert!(sum(|sums| sums.disputed) > sum(|sums| sums.charged_back)),
                P::None => prop_assert!(sums.is_empty() && due > 0),
                _ => prop_assert!(captured == 0 && back == 0),
            }

            let ledgers: Vec<LineLedger> = order_state.lines().map(|(_, ledger)| *ledger).collect();
            let fulfilled = order_state.fulfilment_status();
            prop_assert_eq!(fulfilled, fulfilment_status(&ledgers, false));
            let total = |column: fn(&LineLedger) -> u32| ledgers.iter().map(column).sum::<u32>();
            let (wanted, delivered) = (total(LineLedger::wanted), total(|line| line.delivered));
            let returned = total(|line| line.return_received);
            prop_assert_eq!(fulfilled == F::Delivered, wanted > 0 && delivered == wanted && returned == 0);
            let partly = 0 < delivered && delivered < wanted && returned == 0;
            prop_assert_eq!(fulfilled == F::PartiallyDelivered, partly);
            let nothing = total(|line| line.shipped) == 0;
            prop_assert_eq!(matches!(fulfilled, F::Unfulfilled | F::Backordered), nothing);
        }
    }

    #[test]
    fn orders_6_cancelling_needs_that_nothing_left(commands in history()) {
        let world = World::new();
        let mut cancelled = [0_u32; ORDERS];
        for (index, ask) in commands {
            let before = state(&world, index);
            let (whole, part) = match &ask {
                Ask::Cancel { .. } => (true, Vec::new()),
                Ask::Move { movement: Movement::Cancelled, units } => (false, units.clone()),
                _ => (false, Vec::new()),
            };
            let done = perform(&world, index, ask);
            if whole && let Some(before) = &before {
                let open = matches!(
                    before.status(),
                    OrderStatus::Draft | OrderStatus::Pending | OrderStatus::Confirmed
                );
                let left = before.lines().any(|(_, ledger)| ledger.shipped > 0);
                let again = before.status() == OrderStatus::Cancelled;
                prop_assert_eq!(done.is_some(), again || (open && !left));
                cancelled[index] += u32::from(done.is_some_and(|events| !events.is_empty()));
                prop_assert!(cancelled[index] <= 1);
            } else if done.is_some() && let Some(before) = before {
                for unit in part {
                    let ledger = before.ledger(unit.line).unwrap();
                    prop_assert!(unit.quantity.get() <= ledger.ordered - ledger.cancelled - ledger.shipped);
                }
            }
        }
    }

    #[test]
    fn orders_8_replay_gives_the_live_state(commands in history()) {
        let world = World::new();
        let mut live: Vec<Instance<Order>> =
            (0..ORDERS).map(|index| Instance::absent(order(index))).collect();
        for (index, ask) in commands {
            let version = live[index].version;
            match world.commit(&mut live[index], ask) {
                Ok(events) => prop_assert_eq!(live[index].version, version.after(events.len())),
                Err(Refusal::Store(error)) => {
                    prop_assert!(matches!(error, CommitError::Taken { .. }), "{error:?}");
                }
                Err(Refusal::Domain(_)) => {}
            }
        }
        for (index, live) in live.iter().enumerate() {
            prop_assert_eq!(&state(&world, index), &live.state);
            prop_assert_eq!(&world.from_snapshot::<Order>(order(index)).state, &live.state);
            let recorded = world.recorded::<Order>(order(index));
            let versions: Vec<u64> = recorded.iter().map(|recorded| recorded.version.get()).collect();
            let expected: Vec<u64> = (1..=live.version.get()).collect();
            prop_assert_eq!(versions, expected);
            // A snapshot behind every event, and the tail on it, give the same.
            let events = world.events::<Order>(order(index));
            let mut before = None;
            for cut in 0..events.len() {
                before = fold(before, [&events[cut]]).unwrap();
                let bytes = serde_json::to_vec(before.as_ref().unwrap()).unwrap();
                prop_assert!(!bytes.is_empty());
                let whole = fold(before.clone(), &events[cut + 1..]).unwrap();
                prop_assert_eq!(&whole, &live.state);
            }
        }
    }

    #[test]
    fn orders_9_one_order_per_cart(commands in history(), repeats in vec(any::<bool>(), 35)) {
        let world = World::new();
        for (number, (index, ask)) in commands.into_iter().enumerate() {
            let command_id = id(&format!("command {number}"));
            let contents = world.contents();
            let outcome = world.run_as(command_id, order(index), ask.clone());
            match outcome {
                Ok(executed) if repeats[number % repeats.len()] => {
                    let contents = world.contents();
                    let again = world.run_as(command_id, order(index), ask.clone()).unwrap();
                    prop_assert!(again.repeated && again.version == executed.version);
                    // The same command for another order is another request.
                    let other = world.run_as(command_id, order(index + 1), ask);
                    let reused = matches!(&other, Err(CommandError::Commit(CommitError::KeyReused(_))));
                    prop_assert!(reused, "{other:?}");
                    prop_assert_eq!(world.contents(), contents);
                }
                Ok(_) => {}
                Err(error) => {
                    prop_assert!(is_refusal(&error), "{error:?}");
                    prop_assert_eq!(world.contents(), contents);
                }
            }
            for cart in 0..CARTS {
                let cart = id(&format!("cart {cart}"));
                let mut holders = Vec::new();
                for index in 0..ORDERS {
                    let Some(order_state) = state(&world, index) else { continue };
                    let events = world.events::<Order>(order(index));
                    let confirmed = events.iter().any(|event| matches!(event, OrderEvent::Confirmed { .. }));
                    let live = match order_state.status() {
                        OrderStatus::Pending | OrderStatus::Confirmed | OrderStatus::Completed => true,
                        OrderStatus::Cancelled => confirmed,
                        OrderStatus::Draft | OrderStatus::Failed => false,
                    };
                    if order_state.content().cart == Some(cart) && live && !order_state.is_imported() {
                        holders.push(stream_of::<Order>(order(index)));
                    }
                }
                prop_assert!(holders.len() <= 1, "{holders:?}");
                prop_assert_eq!(world.owner(CART_SCOPE, &cart.to_string()), holders.pop());
            }
        }
    }

    #[test]
    fn orders_10_confirmed_means_covered(commands in history(), basket in good_basket(), short in 1..50_i64) {
        let world = World::new();
        for (index, ask) in commands {
            perform(&world, index, ask);
        }
        for index in 0..ORDERS {
            let Some(order_state) = state(&world, index) else { continue };
            let Some(coverage) = order_state.coverage() else { continue };
            match coverage {
                Coverage::Free => prop_assert!(order_state.total().is_zero()),
                Coverage::Authorized { amount, .. } | Coverage::Captured { amount, .. } => {
                    prop_assert!(amount.minor() >= order_state.total().minor());
                }
                Coverage::Override { reason } => prop_assert!(!reason.as_str().is_empty()),
            }
            // Who let it pass stands with the event.
            let recorded = world.recorded::<Order>(order(index));
            let confirmed = recorded.iter().filter(|recorded| recorded.event.name == "OrderConfirmed");
            prop_assert_eq!(confirmed.count(), 1);
        }
        // Less than the total is refused, unless somebody lets it pass.
        let content = basket.content();
        let total = content.book.total;
        let free = Basket { cart: None, ..basket }.content();
        perform(&world, 7, Ask::Place { number: number(7), content: Some(free) }).unwrap();
        let amount = Money::from_minor(total.minor() - short, Currency::EUR);
        let foreign = Money::from_minor(total.minor(), Currency::USD);
        let payment = id("payment 0");
        for coverage in [
            Coverage::Authorized { payment, amount },
            Coverage::Captured { payment, amount },
            Coverage::Captured { payment, amount: foreign },
        ] {
            let refused = world.run(order(7), Ask::Confirm { coverage, backordered: false });
            let short = matches!(&refused, Err(CommandError::Rejected(OrderError::NotCovered { .. })));
            prop_assert!(short, "{refused:?}");
        }
        let let_pass = Ask::Confirm { coverage: Coverage::Override { reason: reason() }, backordered: false };
        prop_assert!(perform(&world, 7, let_pass).is_some());
    }
}
