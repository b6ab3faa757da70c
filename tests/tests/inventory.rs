//! The invariants of stock and reservations over generated histories, checked against the store.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use commerce_core::app::error::CommandError;
use commerce_core::inventory::command::ReservationCommand as Ask;
use commerce_core::inventory::state::Status;
use commerce_core::inventory::view::StockLevel;
use commerce_core::inventory::{
    Reservation, ReservationError, ReservationEvent, StockCommand, StockEvent, StockItem, StockPolicy,
};
use commerce_core::kernel::error::{CommitError, Shortage};
use commerce_tests::cases;
use commerce_tests::stock::{
    Done, PLACES, RESERVATIONS, Step, Target, act, amounts, any_step, counts, goods, history, hold, journal,
    lines, place, places, policies, reason, reservation, reserving, stocked, take, units, wanted,
};
use commerce_tests::world::{World, id};
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

/// Units of a place that reservations hold, and units that they have promised and not given up.
fn promised(world: &World, index: usize) -> (i64, i64) {
    let place = place(index);
    let (mut held, mut open) = (0, 0);
    for number in 0..RESERVATIONS {
        let Some(state) = world.replayed::<Reservation>(reservation(number)) else { continue };
        for line in state.lines() {
            if (&line.reserved.sku, line.reserved.location) == (&place.sku, place.location) {
                held += i64::from(line.held);
                open += i64::from(line.open());
            }
        }
    }
    (held, open)
}

/// Demand per place.
fn demand(wanted: &[(usize, u32)]) -> BTreeMap<usize, i64> {
    wanted.iter().fold(BTreeMap::new(), |mut demand, (index, count)| {
        *demand.entry(*index).or_default() += i64::from(*count);
        demand
    })
}

proptest! {
    #![proptest_config(cases(256))]

    /// Where no count and no change of policy has opened a shortfall. A withdrawal is judged by the floor
    /// (kernel rules, pools), so under a backorder limit it is left out: nothing says what is there.
    #[test]
    fn inventory_1_nothing_is_promised_beyond_what_is_there(
        amounts in amounts(),
        steps in vec(prop_oneof![4 => goods(), 1 => counts(), 2 => policies(), 12 => reserving()], 1..40),
    ) {
        let world = stocked(amounts);
        let mut shortfall = [false; PLACES];
        for step in steps {
            let facts = matches!(
                step,
                Step::Stock(_, StockCommand::Adjust { .. } | StockCommand::SetPolicy { .. })
            );
            if let Step::Stock(index, StockCommand::Withdraw { .. }) = step
                && world.level(&place(index).pool).floor < 0
            {
                continue;
            }
            take(&world, step, None);
            for (index, place) in places().into_iter().enumerate() {
                let level = world.level(&place.pool);
                prop_assert!(level.held >= 0 && level.allocated >= 0, "{level:?}");
                let sound = level.available >= level.floor && level.physical() >= 0;
                shortfall[index] = !sound && (shortfall[index] || facts);
                prop_assert!(sound || shortfall[index], "{level:?}");
                let item = world.replayed::<StockItem>(place.item).unwrap();
                let limit = i64::from(item.policy().backorder_limit());
                prop_assert!(shortfall[index] || level.held + level.allocated <= level.physical() + limit);
            }
        }
    }

    #[test]
    fn inventory_2_what_is_shown_as_available_is_granted(amounts in amounts(), steps in history()) {
        let world = stocked(amounts);
        for step in steps {
            take(&world, step, None);
        }
        for (index, place) in places().into_iter().enumerate() {
            let (mut safety, mut limit) = (0, 0);
            for event in world.events::<StockItem>(place.item) {
                if let StockEvent::PolicySet { policy, safety_stock, .. } = event {
                    safety = i64::from(safety_stock);
                    limit = i64::from(policy.backorder_limit());
                }
            }
            let shown = StockLevel::from(world.level(&place.pool));
            let (held, open) = promised(&world, index);
            let free = journal(&world, &place) - held - open - safety + limit;
            prop_assert_eq!(shown.available, free.max(0));

            let now = world.now();
            if let Ok(count) = u32::try_from(shown.available) && count > 0 {
                let all = hold(index, &[(index, count)], now, 60);
                let granted = world.run(id(&format!("all of {index}")), all);
                prop_assert!(granted.is_ok(), "{granted:?}");
            }
            let more = world.run(id(&format!("more of {index}")), hold(index, &[(index, 1)], now, 60));
            let short = matches!(&more, Err(CommandError::Commit(CommitError::Short(_))));
            prop_assert!(short, "{more:?}");
        }
    }

    #[test]
    fn inventory_3_what_is_there_follows_from_the_journal(amounts in amounts(), steps in history()) {
        let world = stocked(amounts);
        for step in steps {
            take(&world, step, None);
            for place in places() {
                prop_assert_eq!(world.level(&place.pool).physical(), journal(&world, &place));
            }
        }
    }

    #[test]
    fn inventory_4_held_and_allocated_are_sums_over_reservations(amounts in amounts(), steps in history()) {
        let world = stocked(amounts);
        for step in steps {
            take(&world, step, None);
            for index in 0..PLACES {
                let level = world.level(&place(index).pool);
                prop_assert_eq!((level.held, level.allocated), promised(&world, index));
            }
        }
    }

    #[test]
    fn inventory_5_all_lines_are_held_or_none(
        amounts in amounts(),
        (wanted, shuffled) in wanted().prop_flat_map(|wanted| {
            (Just(wanted.clone()), Just(wanted).prop_shuffle())
        }),
    ) {
        let world = stocked(amounts);
        let before = world.contents();
        let demand = demand(&wanted);
        let mut short: Vec<_> = demand
            .iter()
            .filter(|(index, wanted)| **wanted > i64::from(amounts[**index]))
            .map(|(index, wanted)| Shortage {
                pool: place(*index).pool,
                wanted: *wanted,
                available: i64::from(amounts[*index]),
            })
            .collect();
        short.sort();
        match world.run(reservation(0), hold(0, &wanted, world.now(), 60)) {
            Ok(_) => {
                prop_assert!(short.is_empty());
                for (index, amount) in amounts.into_iter().enumerate() {
                    let level = world.level(&place(index).pool);
                    let held = demand.get(&index).copied().unwrap_or(0);
                    prop_assert_eq!((level.held, level.available), (held, i64::from(amount) - held));
                }
            }
            Err(CommandError::Commit(CommitError::Short(found))) => {
                prop_assert_eq!(found, short);
                prop_assert_eq!(world.contents(), before);
            }
            other => prop_assert!(false, "{other:?}"),
        }
        // The order of lines has no influence.
        let other = stocked(amounts);
        let again = other.run(reservation(0), hold(0, &shuffled, other.now(), 60));
        prop_assert_eq!(again.is_ok(), world.replayed::<Reservation>(reservation(0)).is_some());
        for place in places() {
            prop_assert_eq!(other.level(&place.pool), world.level(&place.pool));
        }
    }

    #[test]
    fn inventory_6_a_repeat_changes_nothing(amounts in amounts(), steps in history()) {
        let world = stocked(amounts);
        for (number, step) in steps.into_iter().enumerate() {
            let command = id(&format!("command {number}"));
            let target = step.at(world.now());
            let done = act(&world, target.clone(), Some(command));
            if matches!(target, Target::Clock(_)) {
                continue;
            }
            let contents = world.contents();
            if matches!(done, Done::Accepted(_)) {
                // The first answer again, from another handle too, and also when time has passed since.
                world.clock.advance(Duration::from_secs(1));
                if let Target::Reservation(index, command_of) = &target {
                    let shop = world.fresh_shop().with_command_id(command);
                    let ask = shop.execute(reservation(*index), command_of.clone());
                    let repeated = block_on(ask).unwrap();
                    prop_assert!(repeated.repeated && repeated.events.is_empty());
                }
                prop_assert_eq!(act(&world, target, Some(command)), Done::Accepted(0));
            } else {
                prop_assert_eq!(act(&world, target, Some(command)), Done::Refused);
            }
            prop_assert_eq!(world.contents(), contents);
        }
        for index in 0..RESERVATIONS {
            let give_back = || world.run(reservation(index), Ask::Release { reason: reason() });
            let Some(state) = world.replayed::<Reservation>(reservation(index)) else { continue };
            let first = give_back();
            if state.status() == Status::Consumed {
                let refused = matches!(
                    &first,
                    Err(CommandError::Rejected(ReservationError::IllegalTransition { .. }))
                );
                prop_assert!(refused, "{first:?}");
            } else {
                prop_assert!(first.is_ok(), "{first:?}");
            }
            let left = state.lines().iter().any(|line| line.consumed > 0);
            let contents = world.contents();
            let second = give_back();
            prop_assert_eq!(second.is_err(), left);
            prop_assert_eq!(world.contents(), contents);
        }
    }

    #[test]
    fn inventory_7_every_reserved_unit_ends_once(amounts in amounts(), steps in history()) {
        let world = stocked(amounts);
        let mut ended: [Option<Reservation>; RESERVATIONS] = Default::default();
        for step in steps {
            take(&world, step, None);
            for (index, ended) in ended.iter_mut().enumerate() {
                let Some(state) = world.replayed::<Reservation>(reservation(index)) else { continue };
                for line in state.lines() {
                    let requested = line.reserved.quantity.get();
                    prop_assert_eq!(requested, line.held + line.freed + line.committed);
                    prop_assert_eq!(line.committed, line.consumed + line.released + line.open());
                    if state.status().is_terminal() {
                        prop_assert_eq!((line.held, line.open()), (0, 0));
                    }
                }
                if let Some(ended) = ended.as_ref() {
                    prop_assert_eq!(ended, &state, "a terminal state was left");
                }
                *ended = state.status().is_terminal().then_some(state);
            }
        }
        // The same sums from the log instead of from the state.
        for index in 0..RESERVATIONS {
            let mut sums: BTreeMap<u32, [u32; 4]> = BTreeMap::new();
            let Some(state) = world.replayed::<Reservation>(reservation(index)) else { continue };
            for event in world.events::<Reservation>(reservation(index)) {
                let (column, units) = match event {
                    ReservationEvent::Released { units, .. } | ReservationEvent::Expired { units } => (0, units),
                    ReservationEvent::Committed { units } => (1, units),
                    ReservationEvent::CommitmentReleased { units, .. } => (2, units),
                    ReservationEvent::Consumed { units } => (3, units),
                    _ => continue,
                };
                for unit in units {
                    sums.entry(unit.line).or_default()[column] += unit.quantity.get();
                }
            }
            for (line, number) in state.lines().iter().zip(0..) {
                let sums = sums.get(&number).copied().unwrap_or_default();
                prop_assert_eq!(sums, [line.freed, line.committed, line.released, line.consumed]);
            }
        }
    }

    #[test]
    fn inventory_8_an_expired_hold_grants_nothing(
        amounts in amounts(),
        steps in history(),
        before in 0..20_u64,
        after in 0..20_u64,
        late_first in any::<bool>(),
    ) {
        let world = stocked(amounts);
        for step in steps {
            take(&world, step, None);
            for index in 0..RESERVATIONS {
                let Some(state) = world.replayed::<Reservation>(reservation(index)) else { continue };
                let Some(end) = state.expires_at().filter(|end| *end <= world.now()) else { continue };
                prop_assert!(!state.is_live(world.now()));
                let contents = world.contents();
                for ask in [Ask::Commit, Ask::Pin, Ask::Extend { expires_at: world.now() }] {
                    let refused = world.run(reservation(index), ask);
                    let expired = matches!(
                        &refused,
                        Err(CommandError::Rejected(ReservationError::Expired { expired_at }))
                            if *expired_at == end
                    );
                    prop_assert!(expired, "{refused:?}");
                }
                prop_assert_eq!(world.contents(), contents);
            }
        }
        // Two workers decide on the same version, one by a clock before the end and one behind it.
        let world = stocked([5, 5, 5]);
        world.run(reservation(0), hold(0, &[(0, 3)], world.now(), 30)).unwrap();
        let loaded = world.from_snapshot::<Reservation>(reservation(0));
        let (mut early, mut late) = (loaded.clone(), loaded);
        let end = early.state.as_ref().unwrap().expires_at().unwrap();
        let in_time = end.minus(Duration::from_secs(before + 1));
        let too_late = end.plus(Duration::from_secs(after));
        let mut commits = vec![(&mut early, Ask::Commit, in_time), (&mut late, Ask::Expire, too_late)];
        if late_first {
            commits.reverse();
        }
        let mut won = 0;
        for (instance, ask, now) in commits {
            world.clock.set(now);
            won += i32::from(world.commit(instance, ask).is_ok());
        }
        prop_assert_eq!(won, 1);
        let status = world.replayed::<Reservation>(reservation(0)).unwrap().status();
        prop_assert_eq!(status, if late_first { Status::Expired } else { Status::Committed });
        let level = world.level(&place(0).pool);
        let expected = if late_first { (5, 0, 0) } else { (2, 0, 3) };
        prop_assert_eq!((level.available, level.held, level.allocated), expected);
    }

    #[test]
    fn inventory_9_one_alert_per_downward_crossing(
        amounts in amounts(),
        steps in vec(prop_oneof![
            6 => any_step(),
            1 => (0..PLACES, proptest::option::of(0..10_u32))
                .prop_map(|(index, threshold)| Step::Stock(index, StockCommand::SetThreshold { threshold })),
        ], 1..40),
    ) {
        let world = stocked(amounts);
        // Per place: the threshold, whether the alert is out, alerts so far.
        let mut expected = [(None, false, 0_usize); PLACES];
        for step in steps {
            let asked = step.clone();
            let done = take(&world, step, None);
            if let (Step::Stock(index, StockCommand::SetThreshold { threshold }), Done::Accepted(1)) =
                (asked, done)
            {
                (expected[index].0, expected[index].1) = (threshold, false);
            }
            for (index, place) in places().into_iter().enumerate() {
                let level = world.level(&place.pool);
                let seen = StockCommand::ObserveLevel { available: level.available, on_hand: level.physical() };
                world.run(place.item, seen.clone()).unwrap();
                // Seen again, for example by a redelivery: nothing.
                prop_assert_eq!(world.run(place.item, seen).unwrap().events.len(), 0);

                let (threshold, low, alerts) = &mut expected[index];
                let below = threshold.is_some_and(|threshold| level.available < i64::from(threshold));
                *alerts += usize::from(below && !*low);
                *low = below;
                let stored = world.events::<StockItem>(place.item);
                let stored = stored.iter().filter(|event| matches!(event, StockEvent::LowStock { .. }));
                prop_assert_eq!(stored.count(), *alerts);
            }
        }
    }

    /// On threads of the operating system, over two places that are named in both orders.
    #[test]
    fn inventory_10_as_many_succeed_as_there_is_stock_for(
        stock in 0..25_u32,
        each in 1..5_u32,
        both in any::<bool>(),
    ) {
        const RESERVERS: usize = 6;
        let world = stocked([stock, stock, 0]);
        let start = Barrier::new(RESERVERS);
        let won: usize = thread::scope(|scope| {
            let threads: Vec<_> = (0..RESERVERS)
                .map(|number| {
                    let (world, start) = (&world, &start);
                    scope.spawn(move || {
                        let mut wanted = if both { vec![(0, each), (1, each)] } else { vec![(0, each)] };
                        if number % 2 == 1 {
                            wanted.reverse();
                        }
                        let shop = world.fresh_shop();
                        let ask = |round| hold(number, &wanted, world.now(), 60 + round);
                        start.wait();
                        let rounds = (0..3_u64).filter(|round| {
                            let reservation = id(&format!("{number} in round {round}"));
                            match block_on(shop.execute(reservation, ask(*round))) {
                                Ok(_) => true,
                                Err(CommandError::Commit(CommitError::Short(_))) => false,
                                Err(error) => panic!("{error:?}"),
                            }
                        });
                        rounds.count()
                    })
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        let possible = usize::try_from(stock / each).unwrap().min(RESERVERS * 3);
        prop_assert_eq!(won, possible);
        let held = i64::try_from(won).unwrap() * i64::from(each);
        prop_assert_eq!(world.level(&place(0).pool).held, held);
        prop_assert_eq!(world.level(&place(1).pool).held, if both { held } else { 0 });
    }
}

#[test]
fn the_generators_reach_every_state_of_a_reservation() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..256 {
        let steps = vec(any_step(), 40).new_tree(&mut runner).unwrap().current();
        let world = stocked([10, 10, 10]);
        for step in steps {
            take(&world, step, None);
        }
        for index in 0..RESERVATIONS {
            if let Some(state) = world.replayed::<Reservation>(reservation(index)) {
                *seen.entry(format!("{:?}", state.status())).or_default() += 1;
            }
        }
    }
    let states = ["Held", "Committed", "PartiallyConsumed", "Consumed", "Released", "Expired"];
    assert!(states.iter().all(|state| seen.get(*state).is_some_and(|count| *count > 5)), "{seen:?}");
}

#[test]
fn a_backordered_unit_does_not_leave() {
    let world = stocked([0, 0, 0]);
    let policy = StockPolicy::AllowBackorder { limit: 2 };
    take(&world, Step::Stock(0, StockCommand::SetPolicy { policy, safety_stock: 0 }), None);
    assert_eq!(lines(&[(0, 2)]).len(), 1);
    world.run(reservation(0), hold(0, &[(0, 2)], world.now(), 60)).unwrap();
    world.run(reservation(0), Ask::Commit).unwrap();
    let leave = || world.run(reservation(0), Ask::Consume { units: vec![(0, units(2))] });
    assert!(matches!(leave(), Err(CommandError::Commit(CommitError::Unbalanced(_)))));
    world.run(place(0).item, StockCommand::Receive { quantity: units(2) }).unwrap();
    assert!(leave().is_ok());
}
