//! Generated histories of stock and reservations.

use commerce_core::inventory::{
    Reservation, ReservationCommand, ReservedLine, StockCommand, StockItem, StockPolicy, stock_item_id,
    stock_pool,
};
use commerce_core::kernel::pool::{PoolKey, PoolLevel, PoolOp};
use commerce_core::value::id::{CommandId, LocationId, ReservationId, StockItemId};
use commerce_core::value::time::Timestamp;
use commerce_core::value::{Quantity, Reason, Sku};
use proptest::collection::vec;
use proptest::prelude::*;
use std::time::Duration;

use crate::world::{World, id, is_refusal};

/// One SKU at one location.
#[derive(Debug, Clone)]
pub struct Place {
    /// What.
    pub sku: Sku,
    /// Where.
    pub location: LocationId,
    /// Its stock item.
    pub item: StockItemId,
    /// Its pool.
    pub pool: PoolKey,
}

/// How many places the histories use.
pub const PLACES: usize = 3;
/// How many reservations the histories use.
pub const RESERVATIONS: usize = 3;

/// Two SKUs, one of them at two locations.
pub fn place(index: usize) -> Place {
    let (sku, location) = [("MUG", "north"), ("MUG", "south"), ("CUP", "north")][index % PLACES];
    let (sku, location) = (Sku::new(sku).unwrap(), id(location));
    let (item, pool) = (stock_item_id(&sku, location), stock_pool(&sku, location));
    Place { sku, location, item, pool }
}

/// All places.
pub fn places() -> Vec<Place> {
    (0..PLACES).map(place).collect()
}

/// The reservation with this number.
pub fn reservation(index: usize) -> ReservationId {
    id(&format!("reservation {index}"))
}

/// Units; at least one.
pub fn units(count: u32) -> Quantity {
    Quantity::new(count.max(1)).unwrap()
}

/// A reason.
pub fn reason() -> Reason {
    Reason::new("because").unwrap()
}

/// Lines of a reservation.
pub fn lines(wanted: &[(usize, u32)]) -> Vec<ReservedLine> {
    let line = |(index, count): &(usize, u32)| {
        let Place { sku, location, .. } = place(*index);
        ReservedLine { sku, location, quantity: units(*count) }
    };
    wanted.iter().map(line).collect()
}

/// A step of a history; times are relative to when it is taken.
#[derive(Debug, Clone)]
pub enum Step {
    /// A command on the stock of a place.
    Stock(usize, StockCommand),
    /// Starts to keep stock of a place.
    Open(usize),
    /// Holds lines for some seconds.
    Hold(usize, Vec<(usize, u32)>, u64),
    /// Holds on for some seconds from now.
    Extend(usize, u64),
    /// A command on a reservation.
    Reserve(usize, ReservationCommand),
    /// Time passes: seconds.
    Wait(u64),
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// It was accepted and led to this many events.
    Accepted(usize),
    /// It was refused.
    Refused,
    /// The clock moved.
    Waited,
}

/// How far a hold can be extended, in seconds.
pub const EXTENDABLE: u64 = 120;

/// The command that holds lines from `now` for some seconds.
pub fn hold(index: usize, wanted: &[(usize, u32)], now: Timestamp, ttl: u64) -> ReservationCommand {
    ReservationCommand::Hold {
        checkout: id(&format!("checkout {index}")),
        lines: lines(wanted),
        expires_at: now.plus(Duration::from_secs(ttl)),
        extendable_until: now.plus(Duration::from_secs(EXTENDABLE)),
    }
}

/// A step as a command for one of the two aggregates.
#[derive(Debug, Clone)]
pub enum Target {
    /// For a stock item.
    Stock(usize, StockCommand),
    /// For a reservation.
    Reservation(usize, ReservationCommand),
    /// For nobody: the clock moves by some seconds.
    Clock(u64),
}

impl Step {
    /// The command of this step at this time.
    pub fn at(self, now: Timestamp) -> Target {
        match self {
            Self::Stock(index, command) => Target::Stock(index, command),
            Self::Open(index) => {
                let Place { sku, location, .. } = place(index);
                Target::Stock(index, StockCommand::Open { sku, location })
            }
            Self::Hold(index, wanted, ttl) => Target::Reservation(index, hold(index, &wanted, now, ttl)),
            Self::Extend(index, by) => {
                let expires_at = now.plus(Duration::from_secs(by));
                Target::Reservation(index, ReservationCommand::Extend { expires_at })
            }
            Self::Reserve(index, command) => Target::Reservation(index, command),
            Self::Wait(seconds) => Target::Clock(seconds),
        }
    }
}

/// Takes a step through the facade, under a command id where one is given.
///
/// Anything but success and refusal is a defect and panics.
pub fn take(world: &World, step: Step, command: Option<CommandId>) -> Done {
    act(world, step.at(world.now()), command)
}

/// Gives the command of a step through the facade.
pub fn act(world: &World, target: Target, command_id: Option<CommandId>) -> Done {
    match target {
        Target::Clock(seconds) => {
            world.clock.advance(Duration::from_secs(seconds));
            Done::Waited
        }
        Target::Stock(index, command) => {
            let item = place(index).item;
            let outcome = match command_id {
                Some(command_id) => world.run_as(command_id, item, command),
                None => world.run(item, command),
            };
            match outcome {
                Ok(executed) => Done::Accepted(executed.events.len()),
                Err(error) if is_refusal(&error) => Done::Refused,
                Err(error) => panic!("{error:?}"),
            }
        }
        Target::Reservation(index, command) => {
            let reservation = reservation(index);
            let outcome = match command_id {
                Some(command_id) => world.run_as(command_id, reservation, command),
                None => world.run(reservation, command),
            };
            match outcome {
                Ok(executed) => Done::Accepted(executed.events.len()),
                Err(error) if is_refusal(&error) => Done::Refused,
                Err(error) => panic!("{error:?}"),
            }
        }
    }
}

/// A world whose places are open and hold this much.
pub fn stocked(amounts: [u32; PLACES]) -> World {
    let world = World::new();
    for (index, amount) in amounts.into_iter().enumerate() {
        take(&world, Step::Open(index), None);
        if amount > 0 {
            take(&world, Step::Stock(index, StockCommand::Receive { quantity: units(amount) }), None);
        }
    }
    world
}

/// What a place starts with.
pub fn amounts() -> impl Strategy<Value = [u32; PLACES]> {
    proptest::array::uniform3(0..15_u32)
}

/// Places and units of a reservation; repeats are likely.
pub fn wanted() -> impl Strategy<Value = Vec<(usize, u32)>> {
    vec((0..PLACES, prop_oneof![3 => 1..4_u32, 1 => 1..9_u32]), 1..4)
}

/// Commands that change what is there, without counts and policies.
pub fn goods() -> impl Strategy<Value = Step> {
    let at = 0..PLACES;
    prop_oneof![
        3 => (at.clone(), 1..12_u32)
            .prop_map(|(index, count)| Step::Stock(index, StockCommand::Receive { quantity: units(count) })),
        1 => (at.clone(), 1..5_u32)
            .prop_map(|(index, count)| Step::Stock(index, StockCommand::Restock { quantity: units(count) })),
        2 => (at, 1..8_u32).prop_map(|(index, count)| {
            Step::Stock(index, StockCommand::Withdraw { quantity: units(count), reason: reason() })
        }),
    ]
}

/// Counts.
pub fn counts() -> impl Strategy<Value = Step> {
    (0..PLACES, -6..6_i32)
        .prop_map(|(index, delta)| Step::Stock(index, StockCommand::Adjust { delta, reason: reason() }))
}

/// Policies.
pub fn policies() -> impl Strategy<Value = Step> {
    let policy = prop_oneof![
        Just(StockPolicy::Deny),
        (0..6_u32).prop_map(|limit| StockPolicy::AllowBackorder { limit }),
        (0..6_u32).prop_map(|limit| StockPolicy::PreOrder { limit, available_from: Timestamp::UNIX_EPOCH }),
    ];
    (0..PLACES, policy, 0..4_u32).prop_map(|(index, policy, safety_stock)| {
        Step::Stock(index, StockCommand::SetPolicy { policy, safety_stock })
    })
}

/// Commands on reservations, and time passing.
pub fn reserving() -> impl Strategy<Value = Step> {
    use ReservationCommand as C;
    let which = 0..RESERVATIONS;
    let units_of = || vec((0..3_u32, (1..3_u32).prop_map(units)), 0..3);
    prop_oneof![
        6 => (which.clone(), wanted(), 0..40_u64).prop_map(|(at, wanted, ttl)| Step::Hold(at, wanted, ttl)),
        1 => (which.clone(), 0..150_u64).prop_map(|(at, by)| Step::Extend(at, by)),
        1 => which.clone().prop_map(|at| Step::Reserve(at, C::Pin)),
        5 => which.clone().prop_map(|at| Step::Reserve(at, C::Commit)),
        2 => which.clone().prop_map(|at| Step::Reserve(at, C::Release { reason: reason() })),
        2 => (which.clone(), 0..4_u32, 1..4_u32).prop_map(|(at, line, count)| {
            Step::Reserve(at, C::ReleasePart { line, quantity: units(count), reason: reason() })
        }),
        8 => (which.clone(), units_of()).prop_map(|(at, units)| Step::Reserve(at, C::Consume { units })),
        2 => which.prop_map(|at| Step::Reserve(at, C::Expire)),
        2 => (1..30_u64).prop_map(Step::Wait),
    ]
}

/// Every kind of step.
pub fn any_step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => goods(),
        1 => counts(),
        1 => policies(),
        1 => (0..PLACES).prop_map(Step::Open),
        12 => reserving(),
    ]
}

/// A history of any steps.
pub fn history() -> impl Strategy<Value = Vec<Step>> {
    vec(any_step(), 1..40)
}

/// Pools as the log gives them: the effects of every stored event, summed without any guard.
pub fn rebuilt(world: &World, pool: &PoolKey) -> PoolLevel {
    use commerce_core::inventory::{ReservationEvent, StockEvent};
    use commerce_core::kernel::aggregate::Aggregate;
    use commerce_core::kernel::codec::decode;

    let mut level = PoolLevel::default();
    for recorded in world.log() {
        let effects = if recorded.stream.kind == StockItem::NAME {
            let event: StockEvent = decode(&recorded.event).unwrap();
            StockItem::effects(StockItemId::from_uuid(recorded.stream.id).unwrap(), &event)
        } else if recorded.stream.kind == Reservation::NAME {
            let event: ReservationEvent = decode(&recorded.event).unwrap();
            Reservation::effects(ReservationId::from_uuid(recorded.stream.id).unwrap(), &event)
        } else {
            continue;
        };
        for step in effects.moves.iter().filter(|step| step.pool == *pool) {
            apply(&mut level, step.op);
        }
    }
    level
}

fn apply(level: &mut PoolLevel, op: PoolOp) {
    let count = |n: u64| i64::try_from(n).unwrap();
    match op {
        PoolOp::Supply(n) | PoolOp::Correct(n) => level.available += n,
        PoolOp::Hold(n) | PoolOp::HoldAbove { amount: n, .. } => {
            level.available -= count(n);
            level.held += count(n);
        }
        PoolOp::Release(n) => {
            level.held -= count(n);
            level.available += count(n);
        }
        PoolOp::Allocate(n) => {
            level.held -= count(n);
            level.allocated += count(n);
        }
        PoolOp::Consume(n) => level.allocated -= count(n),
        PoolOp::Return(n) => {
            level.allocated -= count(n);
            level.available += count(n);
        }
        PoolOp::Floor(floor) => level.floor = floor,
    }
}

/// Units that were ever received, put back, withdrawn, counted and shipped, read from the log: on hand.
pub fn journal(world: &World, place: &Place) -> i64 {
    use commerce_core::inventory::{ReservationEvent, StockEvent};
    let mut on_hand = 0;
    for event in world.events::<StockItem>(place.item) {
        on_hand += match event {
            StockEvent::Received { quantity, .. } | StockEvent::Restocked { quantity, .. } => {
                i64::from(quantity.get())
            }
            StockEvent::Withdrawn { quantity, .. } => -i64::from(quantity.get()),
            StockEvent::Adjusted { delta, .. } => i64::from(delta),
            _ => 0,
        };
    }
    for index in 0..RESERVATIONS {
        for event in world.events::<Reservation>(reservation(index)) {
            let ReservationEvent::Consumed { units } = event else { continue };
            let here = units.iter().filter(|unit| (&unit.sku, unit.location) == (&place.sku, place.location));
            on_hand -= here.map(|unit| i64::from(unit.quantity.get())).sum::<i64>();
        }
    }
    on_hand
}
