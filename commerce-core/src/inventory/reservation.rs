//! Units taken from pools for one buyer: held, promised, gone or given back.

use serde::{Deserialize, Serialize};

use super::command::ReservationCommand;
use super::error::ReservationError;
use super::event::{LineUnits, ReservationEvent, ReservedLine};
use super::policy::stock_pool;
use super::state::{Line, Status};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::effects::Effects;
use crate::kernel::pool::PoolOp;
use crate::value::id::{CheckoutId, Id, marker};
use crate::value::time::Timestamp;
use crate::value::{Quantity, Reason};

/// The name of the timer that ends a hold.
pub const EXPIRY: &str = "expiry";
/// The most lines of one reservation.
pub const MAX_LINES: usize = 10_000;

/// Stock that is reserved for one checkout.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reservation {
    checkout: CheckoutId,
    status: Status,
    lines: Vec<Line>,
    expires_at: Option<Timestamp>,
    extendable_until: Timestamp,
}

impl Reservation {
    /// For which checkout.
    pub const fn checkout(&self) -> CheckoutId {
        self.checkout
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Its lines and what became of them.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// When the hold ends by itself; `None` once it is pinned or no hold any more.
    pub const fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    /// Whether it still holds units for its buyer at this time.
    pub fn is_live(&self, now: Timestamp) -> bool {
        match self.status {
            Status::Held => self.expires_at.is_none_or(|end| now < end),
            Status::Committed | Status::PartiallyConsumed => true,
            Status::Consumed | Status::Released | Status::Expired => false,
        }
    }

    fn units(&self, count: impl Fn(&Line) -> u32) -> Vec<LineUnits> {
        let numbered = self.lines.iter().zip(0..);
        numbered.filter_map(|(line, number)| line_units(number, line, count(line))).collect()
    }

    fn open_line(&self, number: u32, wanted: Quantity) -> Result<&Line, ReservationError> {
        let line = usize::try_from(number).ok().and_then(|index| self.lines.get(index));
        let line = line.ok_or(ReservationError::NoSuchLine { line: number })?;
        if wanted.get() > line.open() {
            let (open, wanted) = (line.open(), wanted.get());
            return Err(ReservationError::NotThatMany { line: number, open, wanted });
        }
        Ok(line)
    }

    fn not(&self, command: &'static str) -> ReservationError {
        ReservationError::IllegalTransition { status: self.status, command }
    }

    fn extend(&self, to: Timestamp, now: Timestamp) -> Result<Vec<ReservationEvent>, ReservationError> {
        match (self.status, self.expires_at) {
            (Status::Held, Some(end)) if now >= end => Err(ReservationError::Expired { expired_at: end }),
            (Status::Held, Some(end)) if to <= end => Ok(Vec::new()),
            (Status::Held, Some(_)) if to > self.extendable_until => {
                Err(ReservationError::BadExpiry { expires_at: to })
            }
            (Status::Held, Some(_)) => Ok(vec![ReservationEvent::Extended { expires_at: to }]),
            (Status::Held, None) => Ok(Vec::new()),
            _ => Err(self.not("extend")),
        }
    }

    fn live(&self, now: Timestamp) -> Result<(), ReservationError> {
        match self.expires_at {
            Some(expired_at) if now >= expired_at => Err(ReservationError::Expired { expired_at }),
            _ => Ok(()),
        }
    }

    fn release(&self, reason: Reason) -> Result<Vec<ReservationEvent>, ReservationError> {
        match self.status {
            Status::Held => {
                Ok(vec![ReservationEvent::Released { units: self.units(|line| line.held), reason }])
            }
            Status::Committed | Status::PartiallyConsumed => {
                Ok(vec![ReservationEvent::CommitmentReleased { units: self.units(Line::open), reason }])
            }
            Status::Released | Status::Expired => Ok(Vec::new()),
            Status::Consumed => Err(self.not("release")),
        }
    }

    fn consume(&self, wanted: &[(u32, Quantity)]) -> Result<Vec<ReservationEvent>, ReservationError> {
        if !matches!(self.status, Status::Committed | Status::PartiallyConsumed) {
            return Err(self.not("consume"));
        }
        let mut units: Vec<LineUnits> = Vec::with_capacity(wanted.len());
        for (number, quantity) in wanted {
            let line = self.open_line(*number, *quantity)?;
            let before = units.iter().filter(|unit| unit.line == *number).map(|unit| unit.quantity.get());
            let total = before.sum::<u32>().saturating_add(quantity.get());
            if total > line.open() {
                return Err(ReservationError::NotThatMany {
                    line: *number,
                    open: line.open(),
                    wanted: total,
                });
            }
            units.extend(line_units(*number, line, quantity.get()));
        }
        Ok(if units.is_empty() { Vec::new() } else { vec![ReservationEvent::Consumed { units }] })
    }

    fn release_part(
        &self,
        number: u32,
        quantity: Quantity,
        reason: Reason,
    ) -> Result<Vec<ReservationEvent>, ReservationError> {
        if !matches!(self.status, Status::Committed | Status::PartiallyConsumed) {
            return Err(self.not("release part"));
        }
        let line = self.open_line(number, quantity)?;
        let units = line_units(number, line, quantity.get()).into_iter().collect();
        Ok(vec![ReservationEvent::CommitmentReleased { units, reason }])
    }

    fn expire(&self, now: Timestamp) -> Result<Vec<ReservationEvent>, ReservationError> {
        match (self.status, self.expires_at) {
            (Status::Held, Some(end)) if now >= end => {
                Ok(vec![ReservationEvent::Expired { units: self.units(|line| line.held) }])
            }
            (Status::Held, _) => Err(ReservationError::NotExpired),
            // The timer was late: somebody else ended the hold.
            _ => Ok(Vec::new()),
        }
    }

    /// What follows for the status once units of promised lines have moved.
    fn settle(&mut self) {
        let open = self.lines.iter().any(|line| line.open() > 0);
        let gone = self.lines.iter().any(|line| line.consumed > 0);
        self.status = match (open, gone) {
            (true, false) => Status::Committed,
            (true, true) => Status::PartiallyConsumed,
            (false, true) => Status::Consumed,
            (false, false) => Status::Released,
        };
    }

    fn each(
        &mut self,
        event: &ReservationEvent,
        units: &[LineUnits],
        apply: impl Fn(&mut Line, u32) -> Option<()>,
    ) -> Result<(), EvolveError> {
        for unit in units {
            let line = usize::try_from(unit.line).ok().and_then(|index| self.lines.get_mut(index));
            line.and_then(|line| apply(line, unit.quantity.get())).ok_or_else(|| EvolveError::of(event))?;
        }
        Ok(())
    }
}

fn line_units(number: u32, line: &Line, count: u32) -> Option<LineUnits> {
    let quantity = Quantity::new(count).ok()?;
    let ReservedLine { sku, location, .. } = &line.reserved;
    Some(LineUnits { line: number, sku: sku.clone(), location: *location, quantity })
}

fn hold(
    checkout: CheckoutId,
    lines: Vec<ReservedLine>,
    expires_at: Timestamp,
    extendable_until: Timestamp,
    now: Timestamp,
) -> Result<Vec<ReservationEvent>, ReservationError> {
    if lines.is_empty() {
        return Err(ReservationError::Empty);
    }
    if lines.len() > MAX_LINES {
        return Err(ReservationError::TooManyLines { max: MAX_LINES });
    }
    if expires_at <= now || expires_at > extendable_until {
        return Err(ReservationError::BadExpiry { expires_at });
    }
    Ok(vec![ReservationEvent::Reserved { checkout, lines, expires_at, extendable_until }])
}

impl Aggregate for Reservation {
    const NAME: &'static str = "reservation";
    type Root = marker::Reservation;
    type Command = ReservationCommand;
    type Event = ReservationEvent;
    type Error = ReservationError;

    fn decide(
        state: Option<&Self>,
        command: ReservationCommand,
        now: Timestamp,
    ) -> Result<Vec<ReservationEvent>, ReservationError> {
        use ReservationCommand as C;
        match (state, command) {
            (None, C::Hold { checkout, lines, expires_at, extendable_until }) => {
                hold(checkout, lines, expires_at, extendable_until, now)
            }
            (None, _) => Err(ReservationError::NotFound),
            (Some(known), C::Hold { checkout, lines, .. }) => {
                let same = known.checkout == checkout
                    && known.lines.iter().map(|line| &line.reserved).eq(lines.iter());
                if same { Ok(Vec::new()) } else { Err(ReservationError::AlreadyHeld) }
            }
            (Some(known), C::Extend { expires_at }) => known.extend(expires_at, now),
            (Some(known), C::Pin) => match (known.status, known.expires_at) {
                (Status::Held, None) => Ok(Vec::new()),
                (Status::Held, Some(_)) => known.live(now).map(|()| vec![ReservationEvent::Pinned]),
                _ => Err(known.not("pin")),
            },
            (Some(known), C::Commit) => match known.status {
                Status::Held => {
                    known.live(now)?;
                    Ok(vec![ReservationEvent::Committed { units: known.units(|line| line.held) }])
                }
                Status::Committed | Status::PartiallyConsumed | Status::Consumed => Ok(Vec::new()),
                Status::Released | Status::Expired => Err(known.not("commit")),
            },
            (Some(known), C::Release { reason }) => known.release(reason),
            (Some(known), C::ReleasePart { line, quantity, reason }) => {
                known.release_part(line, quantity, reason)
            }
            (Some(known), C::Consume { units }) => known.consume(&units),
            (Some(known), C::Expire) => known.expire(now),
        }
    }

    fn evolve(state: Option<Self>, event: &ReservationEvent) -> Result<Self, EvolveError> {
        use ReservationEvent as E;
        let Some(mut known) = state else {
            let E::Reserved { checkout, lines, expires_at, extendable_until } = event else {
                return Err(EvolveError::of(event));
            };
            return Ok(Self {
                checkout: *checkout,
                status: Status::Held,
                lines: lines.iter().cloned().map(Line::held).collect(),
                expires_at: Some(*expires_at),
                extendable_until: *extendable_until,
            });
        };
        match event {
            E::Reserved { .. } => return Err(EvolveError::of(event)),
            E::Extended { expires_at } => known.expires_at = Some(*expires_at),
            E::Pinned => known.expires_at = None,
            E::Committed { units } => {
                known.each(event, units, |line, count| {
                    line.held = line.held.checked_sub(count)?;
                    line.committed = line.committed.checked_add(count)?;
                    Some(())
                })?;
                known.expires_at = None;
                known.status = Status::Committed;
            }
            E::Released { units, .. } | E::Expired { units } => {
                known.each(event, units, |line, count| {
                    line.held = line.held.checked_sub(count)?;
                    line.freed = line.freed.checked_add(count)?;
                    Some(())
                })?;
                known.expires_at = None;
                let expired = matches!(event, E::Expired { .. });
                known.status = if expired { Status::Expired } else { Status::Released };
            }
            E::CommitmentReleased { units, .. } => {
                known.each(event, units, |line, count| {
                    line.released = line.released.checked_add(count)?;
                    Some(())
                })?;
                known.settle();
            }
            E::Consumed { units } => {
                known.each(event, units, |line, count| {
                    line.consumed = line.consumed.checked_add(count)?;
                    Some(())
                })?;
                known.settle();
            }
        }
        Ok(known)
    }

    fn effects(_id: Id<marker::Reservation>, event: &ReservationEvent) -> Effects {
        use ReservationEvent as E;
        let moves = |effects: Effects, units: &[LineUnits], op: fn(u64) -> PoolOp| {
            units.iter().fold(effects, |effects, unit| {
                effects.pool(stock_pool(&unit.sku, unit.location), op(u64::from(unit.quantity.get())))
            })
        };
        match event {
            E::Reserved { lines, expires_at, .. } => {
                lines.iter().fold(Effects::none().timer(EXPIRY, *expires_at), |effects, line| {
                    effects.pool(
                        stock_pool(&line.sku, line.location),
                        PoolOp::Hold(u64::from(line.quantity.get())),
                    )
                })
            }
            E::Extended { expires_at } => Effects::none().timer(EXPIRY, *expires_at),
            E::Pinned => Effects::none().cancel_timer(EXPIRY),
            E::Committed { units } => moves(Effects::none().cancel_timer(EXPIRY), units, PoolOp::Allocate),
            E::Released { units, .. } | E::Expired { units } => {
                moves(Effects::none().cancel_timer(EXPIRY), units, PoolOp::Release)
            }
            E::CommitmentReleased { units, .. } => moves(Effects::none(), units, PoolOp::Return),
            E::Consumed { units } => moves(Effects::none(), units, PoolOp::Consume),
        }
    }
}
