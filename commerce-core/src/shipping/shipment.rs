//! One parcel from one location to one address.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::command::ShipmentCommand;
use super::error::ShipmentError;
use super::event::{ShipmentEvent, ShipmentLine, Tracking};
use super::state::{CarrierNews, CarrierStatus, Status};
use crate::kernel::aggregate::{Aggregate, EvolveError};
use crate::kernel::personal::Personal;
use crate::value::Address;
use crate::value::actor::Owner;
use crate::value::id::{LocationId, OrderId, ReservationId, marker};
use crate::value::time::Timestamp;

/// The most lines of one shipment.
pub const MAX_LINES: usize = 10_000;

/// One parcel from one location to one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shipment {
    order: OrderId,
    lines: Vec<ShipmentLine>,
    reservation: ReservationId,
    location: LocationId,
    address: Personal<Address>,
    status: Status,
    /// Where it goes back to when the reason of its being held is gone.
    held_from: Option<Status>,
    tracking: Option<Tracking>,
    news: BTreeSet<CarrierNews>,
    latest: Option<CarrierNews>,
}

impl Shipment {
    /// Of which order.
    pub const fn order(&self) -> OrderId {
        self.order
    }

    /// What is in it.
    pub fn lines(&self) -> &[ShipmentLine] {
        &self.lines
    }

    /// The reservation that promises the units.
    pub const fn reservation(&self) -> ReservationId {
        self.reservation
    }

    /// Where it starts.
    pub const fn location(&self) -> LocationId {
        self.location
    }

    /// Where it goes; nothing inside once it is erased.
    pub const fn address(&self) -> &Personal<Address> {
        &self.address
    }

    /// Where it stands.
    pub const fn status(&self) -> Status {
        self.status
    }

    /// By which the carrier knows it.
    pub const fn tracking(&self) -> Option<&Tracking> {
        self.tracking.as_ref()
    }

    /// Everything the carrier has told, the oldest first.
    pub fn news(&self) -> impl ExactSizeIterator<Item = &CarrierNews> {
        self.news.iter()
    }

    const fn not(&self, command: &'static str) -> ShipmentError {
        ShipmentError::IllegalTransition { status: self.status, command }
    }

    /// The step from one of `from`; nothing when it was made before.
    fn step(
        &self,
        from: &[Status],
        to: Status,
        command: &'static str,
        event: ShipmentEvent,
    ) -> Result<Vec<ShipmentEvent>, ShipmentError> {
        if self.status == to {
            Ok(Vec::new())
        } else if from.contains(&self.status) {
            Ok(vec![event])
        } else {
            Err(self.not(command))
        }
    }

    fn repack(&self, lines: Vec<ShipmentLine>) -> Result<Vec<ShipmentEvent>, ShipmentError> {
        if !matches!(self.status, Status::Pending | Status::ReadyToShip | Status::OnHold) {
            return Err(self.not("be repacked"));
        }
        packable(&lines)?;
        Ok(if lines == self.lines { Vec::new() } else { vec![ShipmentEvent::Repacked { lines }] })
    }

    fn dispatch(&self, tracking: Option<Tracking>) -> Result<Vec<ShipmentEvent>, ShipmentError> {
        match self.status {
            Status::ReadyToShip => Ok(vec![ShipmentEvent::Dispatched { order: self.order, tracking }]),
            Status::Pending | Status::OnHold | Status::Cancelled => Err(self.not("be dispatched")),
            _ if tracking == self.tracking => Ok(Vec::new()),
            _ => Err(ShipmentError::DispatchedOtherwise),
        }
    }

    fn record(&self, news: CarrierNews) -> Result<Vec<ShipmentEvent>, ShipmentError> {
        if matches!(self.status, Status::Pending | Status::ReadyToShip | Status::OnHold | Status::Cancelled) {
            return Err(self.not("be tracked"));
        }
        if self.news.contains(&news) {
            return Ok(Vec::new());
        }
        let newer = self.latest.is_none_or(|latest| !news.is_stale_after(&latest));
        let counts = newer && self.status.is_on_the_way();
        let mut events = vec![ShipmentEvent::TrackingUpdated { news, counts }];
        let (order, at) = (self.order, news.at);
        match news.status {
            CarrierStatus::Delivered if counts => events.push(ShipmentEvent::Delivered { order, at }),
            CarrierStatus::Exception if counts && self.status != Status::Exception => {
                events.push(ShipmentEvent::ExceptionRaised { order, at });
            }
            _ => {}
        }
        Ok(events)
    }
}

/// Something is in it, and no line of the reservation twice.
fn packable(lines: &[ShipmentLine]) -> Result<(), ShipmentError> {
    if lines.is_empty() {
        return Err(ShipmentError::Empty);
    }
    if lines.len() > MAX_LINES {
        return Err(ShipmentError::TooManyLines { max: MAX_LINES });
    }
    let mut taken = BTreeSet::new();
    let mut numbers = lines.iter().filter_map(|line| line.reservation_line);
    match numbers.find(|number| !taken.insert(*number)) {
        Some(reservation_line) => Err(ShipmentError::RepeatedLine { reservation_line }),
        None => Ok(()),
    }
}

fn create(
    order: OrderId,
    lines: Vec<ShipmentLine>,
    reservation: ReservationId,
    location: LocationId,
    address: Personal<Address>,
) -> Result<Vec<ShipmentEvent>, ShipmentError> {
    packable(&lines)?;
    Ok(vec![ShipmentEvent::Created { order, lines, reservation, location, address }])
}

impl Aggregate for Shipment {
    const NAME: &'static str = "shipment";
    type Root = marker::Shipment;
    type Command = ShipmentCommand;
    type Event = ShipmentEvent;
    type Error = ShipmentError;

    fn decide(
        state: Option<&Self>,
        command: ShipmentCommand,
        _now: Timestamp,
    ) -> Result<Vec<ShipmentEvent>, ShipmentError> {
        use ShipmentCommand as C;
        use ShipmentEvent as E;
        use Status as S;
        let Some(known) = state else {
            return match command {
                C::Create { order, lines, reservation, location, address } => {
                    create(order, lines, reservation, location, address)
                }
                _ => Err(ShipmentError::NotFound),
            };
        };
        let order = known.order;
        match command {
            C::Create { order, lines, reservation, location, .. } => {
                let what = (order, reservation, location);
                let same = what == (known.order, known.reservation, known.location) && lines == known.lines;
                if same { Ok(Vec::new()) } else { Err(ShipmentError::AlreadyExists) }
            }
            C::MarkReady => known.step(&[S::Pending], S::ReadyToShip, "be ready", E::Ready),
            C::Repack { lines } => known.repack(lines),
            C::Hold { reason } => {
                known.step(&[S::Pending, S::ReadyToShip], S::OnHold, "be held", E::Held { reason })
            }
            C::Unhold => match known.status {
                S::OnHold => Ok(vec![E::Unheld]),
                S::Pending | S::ReadyToShip => Ok(Vec::new()),
                _ => Err(known.not("be unheld")),
            },
            C::Cancel { reason } => known.step(
                &[S::Pending, S::ReadyToShip, S::OnHold],
                S::Cancelled,
                "be cancelled",
                E::Cancelled { order, reason },
            ),
            C::Dispatch { tracking } => known.dispatch(tracking),
            C::RecordTracking { status, at, rank } => known.record(CarrierNews { at, rank, status }),
            C::ReturnToSender => {
                let event = E::ReturnedToSender { order };
                known.step(&[S::Exception], S::ReturnedToSender, "come back", event)
            }
            C::Lose => known.step(&[S::Exception], S::Lost, "be lost", E::Lost { order }),
        }
    }

    fn evolve(state: Option<Self>, event: &ShipmentEvent) -> Result<Self, EvolveError> {
        use ShipmentEvent as E;
        let Some(mut known) = state else {
            let E::Created { order, lines, reservation, location, address } = event else {
                return Err(EvolveError::of(event));
            };
            return Ok(Self {
                order: *order,
                lines: lines.clone(),
                reservation: *reservation,
                location: *location,
                address: address.clone(),
                status: Status::Pending,
                held_from: None,
                tracking: None,
                news: BTreeSet::new(),
                latest: None,
            });
        };
        match event {
            E::Created { .. } => return Err(EvolveError::of(event)),
            E::Ready => known.status = Status::ReadyToShip,
            E::Repacked { lines } => known.lines.clone_from(lines),
            E::Held { .. } => {
                known.held_from = Some(known.status);
                known.status = Status::OnHold;
            }
            E::Unheld => {
                known.status = known.held_from.take().ok_or_else(|| EvolveError::of(event))?;
            }
            E::Cancelled { .. } => known.status = Status::Cancelled,
            E::Dispatched { tracking, .. } => {
                known.tracking.clone_from(tracking);
                known.status = Status::Dispatched;
            }
            E::TrackingUpdated { news, counts } => {
                known.news.insert(*news);
                if *counts {
                    known.latest = Some(*news);
                    known.status = news.status.status();
                }
            }
            E::Delivered { .. } => known.status = Status::Delivered,
            E::ExceptionRaised { .. } => known.status = Status::Exception,
            E::ReturnedToSender { .. } => known.status = Status::ReturnedToSender,
            E::Lost { .. } => known.status = Status::Lost,
        }
        Ok(known)
    }

    fn owner(&self) -> Owner {
        Owner::Subject(self.address.subject())
    }
}
