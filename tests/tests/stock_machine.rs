//! Stock and reservations against plain counters: a state machine of every command, valid or not.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::inventory::state::Status;
use commerce_core::inventory::{Reservation, ReservationCommand as Ask, StockCommand, StockItem};
use commerce_core::kernel::aggregate::Aggregate;
use commerce_core::kernel::replay::fold;
use commerce_core::value::id::{CommandId, Id};
use commerce_tests::cases;
use commerce_tests::stock::{
    EXTENDABLE, PLACES, RESERVATIONS, Step, Target, any_step, place, places, rebuilt, reservation,
};
use commerce_tests::world::{World, id, is_refusal};
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// A pool as a shopkeeper would note it.
#[derive(Debug, Clone, Copy, Default)]
struct Shelf {
    open: bool,
    on_hand: i64,
    held: i64,
    allocated: i64,
    floor: i64,
}

impl Shelf {
    const fn available(self) -> i64 {
        self.on_hand - self.held - self.allocated
    }
}

/// What is asked for at which place, and what became of it.
#[derive(Debug, Clone)]
struct Row {
    place: usize,
    count: i64,
    open: i64,
    consumed: i64,
}

/// A reservation as a shopkeeper would note it.
#[derive(Debug, Clone)]
struct Slip {
    status: Status,
    rows: Vec<Row>,
    /// Seconds since the start; `None` for ever.
    end: Option<u64>,
    until: u64,
}

/// The model.
#[derive(Debug, Clone, Default)]
struct Book {
    now: u64,
    shelves: [Shelf; PLACES],
    slips: [Option<Slip>; RESERVATIONS],
    /// Whether the last command was to be accepted.
    accepted: bool,
}

impl Book {
    /// Notes the step, or leaves the book as it is and says no.
    fn note(&mut self, step: &Step) -> Option<()> {
        match step {
            Step::Wait(seconds) => self.now += seconds,
            Step::Open(index) => self.shelves[*index].open = true,
            Step::Stock(index, command) => self.stock(*index, command)?,
            Step::Hold(index, wanted, ttl) => self.hold(*index, wanted, *ttl)?,
            Step::Extend(index, by) => self.extend(*index, self.now + by)?,
            Step::Reserve(index, ask) => self.reserve(*index, ask)?,
        }
        Some(())
    }

    fn stock(&mut self, index: usize, command: &StockCommand) -> Option<()> {
        let shelf = &mut self.shelves[index];
        if !shelf.open {
            return None;
        }
        match command {
            StockCommand::Receive { quantity } | StockCommand::Restock { quantity } => {
                shelf.on_hand += i64::from(quantity.get());
            }
            StockCommand::Withdraw { quantity, .. } => {
                let count = i64::from(quantity.get());
                if shelf.available() - count < shelf.floor {
                    return None;
                }
                shelf.on_hand -= count;
            }
            StockCommand::Adjust { delta, .. } => shelf.on_hand += i64::from(*delta),
            StockCommand::SetPolicy { policy, safety_stock } => {
                shelf.floor = i64::from(*safety_stock) - i64::from(policy.backorder_limit());
            }
            other => panic!("{other:?} is not generated"),
        }
        Some(())
    }

    fn hold(&mut self, index: usize, wanted: &[(usize, u32)], ttl: u64) -> Option<()> {
        let rows = wanted.iter().map(|(place, count)| Row {
            place: *place,
            count: i64::from(*count),
            open: 0,
            consumed: 0,
        });
        let rows: Vec<Row> = rows.collect();
        if let Some(slip) = &self.slips[index] {
            let same = slip.rows.iter().map(|row| (row.place, row.count));
            return same.eq(rows.iter().map(|row| (row.place, row.count))).then_some(());
        }
        let mut demand: BTreeMap<usize, i64> = BTreeMap::new();
        for row in &rows {
            *demand.entry(row.place).or_default() += row.count;
        }
        let fits = |(index, count): (&usize, &i64)| {
            self.shelves[*index].available() - count >= self.shelves[*index].floor
        };
        if ttl == 0 || ttl > EXTENDABLE || !demand.iter().all(fits) {
            return None;
        }
        for (index, count) in demand {
            self.shelves[index].held += count;
        }
        let (end, until) = (Some(self.now + ttl), self.now + EXTENDABLE);
        self.slips[index] = Some(Slip { status: Status::Held, rows, end, until });
        Some(())
    }

    fn extend(&mut self, index: usize, to: u64) -> Option<()> {
        let now = self.now;
        let slip = self.slips[index].as_mut().filter(|slip| slip.status == Status::Held)?;
        match slip.end {
            Some(end) if now >= end || (to > end && to > slip.until) => return None,
            Some(end) => slip.end = Some(end.max(to)),
            None => {}
        }
        Some(())
    }

    fn reserve(&mut self, index: usize, ask: &Ask) -> Option<()> {
        let now = self.now;
        let slip = self.slips[index].as_mut()?;
        let promised = matches!(slip.status, Status::Committed | Status::PartiallyConsumed);
        let over = slip.end.is_some_and(|end| now >= end);
        match ask {
            Ask::Pin if slip.status == Status::Held && !over => slip.end = None,
            Ask::Commit if slip.status == Status::Held && !over => {
                for row in &mut slip.rows {
                    row.open = row.count;
                    self.shelves[row.place].held -= row.count;
                    self.shelves[row.place].allocated += row.count;
                }
                (slip.status, slip.end) = (Status::Committed, None);
            }
            Ask::Commit if promised || slip.status == Status::Consumed => {}
            Ask::Release { .. } if slip.status == Status::Held => self.free(index, Status::Released),
            Ask::Release { .. } if promised => {
                for row in &mut slip.rows {
                    self.shelves[row.place].allocated -= row.open;
                    row.open = 0;
                }
                slip.settle();
            }
            Ask::Release { .. } if matches!(slip.status, Status::Released | Status::Expired) => {}
            Ask::ReleasePart { line, quantity, .. } if promised => {
                let row = slip.rows.get_mut(usize::try_from(*line).unwrap())?;
                let count = i64::from(quantity.get());
                if count > row.open {
                    return None;
                }
                row.open -= count;
                self.shelves[row.place].allocated -= count;
                slip.settle();
            }
            Ask::Consume { units } if promised => {
                let (mut slip, mut shelves) = (slip.clone(), self.shelves);
                for (line, quantity) in units {
                    let row = slip.rows.get_mut(usize::try_from(*line).unwrap())?;
                    let count = i64::from(quantity.get());
                    row.open -= count;
                    row.consumed += count;
                    shelves[row.place].allocated -= count;
                    shelves[row.place].on_hand -= count;
                    if row.open < 0 || shelves[row.place].on_hand < 0 {
                        return None;
                    }
                }
                slip.settle();
                (self.slips[index], self.shelves) = (Some(slip), shelves);
            }
            Ask::Expire if slip.status == Status::Held && over => self.free(index, Status::Expired),
            Ask::Expire if slip.status != Status::Held => {}
            _ => return None,
        }
        Some(())
    }

    /// Gives held units back.
    fn free(&mut self, index: usize, status: Status) {
        if let Some(slip) = &mut self.slips[index] {
            for row in &slip.rows {
                self.shelves[row.place].held -= row.count;
            }
            (slip.status, slip.end) = (status, None);
        }
    }
}

impl Slip {
    fn settle(&mut self) {
        let open = self.rows.iter().any(|row| row.open > 0);
        let gone = self.rows.iter().any(|row| row.consumed > 0);
        self.status = match (open, gone) {
            (true, true) => Status::PartiallyConsumed,
            (true, false) => Status::Committed,
            (false, true) => Status::Consumed,
            (false, false) => Status::Released,
        };
    }
}

impl ReferenceStateMachine for Book {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(book: &Self) -> BoxedStrategy<Step> {
        let shut: Vec<usize> = (0..PLACES).filter(|index| !book.shelves[*index].open).collect();
        if shut.is_empty() {
            return any_step().boxed();
        }
        prop_oneof![2 => proptest::sample::select(shut).prop_map(Step::Open), 3 => any_step()].boxed()
    }

    fn apply(mut book: Self, step: &Step) -> Self {
        book.accepted = book.note(step).is_some();
        book
    }
}

/// The system: a shop in memory, and the states as they follow from what its answers say.
#[derive(Debug)]
struct Shop {
    world: World,
    commands: u32,
    items: [Option<StockItem>; PLACES],
    reservations: [Option<Reservation>; RESERVATIONS],
}

/// Gives a command and folds its events onto the live state; then gives it again.
fn give<A: Aggregate>(
    world: &World,
    command_id: CommandId,
    id: Id<A::Root>,
    command: &A::Command,
    live: &mut Option<A>,
) -> bool {
    let accepted = match world.run_as(command_id, id, command.clone()) {
        Ok(executed) => {
            *live = fold(live.take(), &executed.events).unwrap();
            true
        }
        Err(error) if is_refusal(&error) => false,
        Err(error) => panic!("{error:?}"),
    };
    let contents = world.contents();
    match world.run_as(command_id, id, command.clone()) {
        Ok(repeated) => assert!(accepted && repeated.repeated && repeated.events.is_empty()),
        Err(error) => assert!(!accepted, "a repeat is refused: {error:?}"),
    }
    assert_eq!(world.contents(), contents, "a repeat changes something");
    accepted
}

impl StateMachineTest for Shop {
    type SystemUnderTest = Self;
    type Reference = Book;

    fn init_test(_: &Book) -> Self {
        Self { world: World::new(), commands: 0, items: Default::default(), reservations: Default::default() }
    }

    fn apply(mut shop: Self, book: &Book, step: Step) -> Self {
        shop.commands += 1;
        let command_id = id(&format!("command {}", shop.commands));
        let asked = format!("{step:?}");
        let accepted = match step.at(shop.world.now()) {
            Target::Clock(seconds) => {
                shop.world.clock.advance(Duration::from_secs(seconds));
                true
            }
            Target::Stock(index, command) => {
                give(&shop.world, command_id, place(index).item, &command, &mut shop.items[index])
            }
            Target::Reservation(index, command) => {
                let live = &mut shop.reservations[index];
                give(&shop.world, command_id, reservation(index), &command, live)
            }
        };
        assert_eq!(accepted, book.accepted, "{asked}");
        shop
    }

    fn check_invariants(shop: &Self, book: &Book) {
        for (index, place) in places().into_iter().enumerate() {
            let (level, shelf) = (shop.world.level(&place.pool), book.shelves[index]);
            assert_eq!(
                (level.available, level.held, level.allocated, level.floor),
                (shelf.available(), shelf.held, shelf.allocated, shelf.floor)
            );
            assert_eq!(rebuilt(&shop.world, &place.pool), level);
            assert_eq!(shop.world.replayed::<StockItem>(place.item), shop.items[index]);
            assert_eq!(shop.world.from_snapshot::<StockItem>(place.item).state, shop.items[index]);
        }
        for index in 0..RESERVATIONS {
            let (live, slip) = (&shop.reservations[index], &book.slips[index]);
            let statuses = (live.as_ref().map(Reservation::status), slip.as_ref().map(|slip| slip.status));
            assert_eq!(statuses.0, statuses.1);
            assert_eq!(&shop.world.replayed::<Reservation>(reservation(index)), live);
            assert_eq!(&shop.world.from_snapshot::<Reservation>(reservation(index)).state, live);
        }
    }
}

prop_state_machine! {
    #![proptest_config(cases(256))]

    #[test]
    fn stock_behaves_like_plain_counters(sequential 1..50 => Shop);
}

/// A stream that is long enough for snapshots gives the same state with and without them.
#[test]
fn a_snapshot_and_its_tail_are_the_whole_stream() {
    let world = World::new();
    let place = place(0);
    let open = StockCommand::Open { sku: place.sku.clone(), location: place.location };
    world.run(place.item, open).unwrap();
    let mut snapshots = 0;
    for count in 1..=130_u32 {
        world.run(place.item, StockCommand::SetThreshold { threshold: Some(count) }).unwrap();
        let loaded = world.from_snapshot::<StockItem>(place.item);
        snapshots = loaded.snapshot.get();
        assert_eq!(loaded.state, world.replayed::<StockItem>(place.item));
        assert_eq!(loaded.folded, loaded.version.get() - loaded.snapshot.get());
    }
    assert!(snapshots >= 2 * StockItem::SNAPSHOT_EVERY, "{snapshots}");
}
