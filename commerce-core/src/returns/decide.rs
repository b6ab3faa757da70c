//! What a return makes of a command.

use std::collections::{BTreeMap, BTreeSet};

use super::command::ReturnCommand;
use super::error::ReturnError;
use super::event::{ApprovedLine, CountedLine, InspectedLine, RequestedLine, Resolution, ReturnEvent};
use super::goods_return::{MAX_LINES, Return};
use super::state::{Line, Status};
use crate::value::Code;
use crate::value::id::OrderLineId;
use crate::value::time::Timestamp;

type Decision = Result<Vec<ReturnEvent>, ReturnError>;

pub(super) fn decide(state: Option<&Return>, command: ReturnCommand, now: Timestamp) -> Decision {
    use ReturnCommand as C;
    use Status as S;
    let Some(known) = state else {
        let C::Request { order, subject, lines, window_ends } = command else {
            return Err(ReturnError::NotFound);
        };
        check_request(&lines, window_ends, now)?;
        return Ok(vec![ReturnEvent::Requested { order, subject, lines }]);
    };
    match command {
        C::Request { order, subject, lines, .. } => {
            let same = order == known.order && subject == known.subject && known.is_for(&lines);
            if same { Ok(Vec::new()) } else { Err(ReturnError::AlreadyExists) }
        }
        C::Approve { number, lines, expires_at } => known.approve(number, lines, expires_at, now),
        C::Reject { reason } => {
            known.step(S::Requested, S::Rejected, "be rejected", ReturnEvent::Rejected { reason })
        }
        C::Cancel => known.step(S::Requested, S::Cancelled, "be cancelled", ReturnEvent::Cancelled),
        C::Expire => match (known.status, known.expires_at) {
            (S::Approved, Some(end)) if now < end => Err(ReturnError::NotExpired),
            (S::Approved, _) => Ok(vec![ReturnEvent::Expired]),
            (S::Requested, _) => Err(known.not("expire")),
            // The timer was late: the goods are on their way, or it ended otherwise.
            _ => Ok(Vec::new()),
        },
        C::MarkInTransit => known.step(S::Approved, S::InTransit, "be in transit", ReturnEvent::InTransit),
        C::Receive { counts, complete } => known.receive(counts, complete),
        C::Inspect { lines } => known.inspect(lines),
        C::Resolve { resolution } => known.resolve(resolution),
        C::Close => known.step(S::Resolved, S::Closed, "be closed", ReturnEvent::Closed),
    }
}

fn once(lines: impl IntoIterator<Item = OrderLineId>) -> Result<(), ReturnError> {
    let mut seen = BTreeSet::new();
    match lines.into_iter().find(|line| !seen.insert(*line)) {
        Some(line) => Err(ReturnError::RepeatedLine { line }),
        None => Ok(()),
    }
}

fn at_most(line: OrderLineId, wanted: u32, possible: u32) -> Result<(), ReturnError> {
    if wanted <= possible { Ok(()) } else { Err(ReturnError::NotThatMany { line, possible, wanted }) }
}

fn check_request(
    lines: &[RequestedLine],
    window_ends: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), ReturnError> {
    if lines.is_empty() {
        return Err(ReturnError::Empty);
    }
    if lines.len() > MAX_LINES {
        return Err(ReturnError::TooManyLines { max: MAX_LINES });
    }
    once(lines.iter().map(|line| line.line))?;
    lines.iter().try_for_each(|line| at_most(line.line, line.quantity.get(), line.returnable))?;
    match window_ends.filter(|end| now >= *end) {
        Some(until) => Err(ReturnError::WindowOver { until }),
        None => Ok(()),
    }
}

impl Return {
    const fn not(&self, command: &'static str) -> ReturnError {
        ReturnError::IllegalTransition { status: self.status, command }
    }

    /// The step from `from`; nothing when it was made before.
    fn step(&self, from: Status, to: Status, command: &'static str, event: ReturnEvent) -> Decision {
        if self.status == to {
            Ok(Vec::new())
        } else if self.status == from {
            Ok(vec![event])
        } else {
            Err(self.not(command))
        }
    }

    fn known_line(&self, line: OrderLineId) -> Result<&Line, ReturnError> {
        self.lines.get(&line).ok_or(ReturnError::NoSuchLine { line })
    }

    fn is_for(&self, lines: &[RequestedLine]) -> bool {
        let units = |line: &RequestedLine| (line.line, line.quantity.get());
        let wanted: BTreeMap<_, _> = lines.iter().map(units).collect();
        lines.len() == self.lines.len()
            && self.lines.iter().all(|(id, line)| wanted.get(id) == Some(&line.requested))
    }

    fn approve(
        &self,
        number: Code,
        lines: Vec<ApprovedLine>,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Decision {
        if self.status == Status::Approved && self.number.as_ref() == Some(&number) {
            return Ok(Vec::new());
        }
        if self.status != Status::Requested {
            return Err(self.not("be approved"));
        }
        if lines.is_empty() {
            return Err(ReturnError::Empty);
        }
        once(lines.iter().map(|line| line.line))?;
        for one in &lines {
            at_most(one.line, one.quantity.get(), self.known_line(one.line)?.requested)?;
        }
        if expires_at <= now {
            return Err(ReturnError::BadExpiry { expires_at });
        }
        Ok(vec![ReturnEvent::Approved { number, lines, expires_at }])
    }

    fn receive(&self, mut counts: Vec<CountedLine>, complete: bool) -> Decision {
        let open = matches!(self.status, Status::Approved | Status::InTransit | Status::PartiallyReceived);
        if !open {
            return Err(self.not("be received"));
        }
        once(counts.iter().map(|one| one.line))?;
        for one in &counts {
            let line = self.known_line(one.line)?;
            at_most(one.line, one.received, line.missing())?;
            at_most(one.line, one.wrong, u32::MAX.saturating_sub(line.wrong))?;
        }
        counts.retain(|one| one.received > 0 || one.wrong > 0);
        if counts.is_empty() && !(complete && self.status == Status::PartiallyReceived) {
            return Err(ReturnError::Empty);
        }
        let arriving: BTreeMap<_, _> = counts.iter().map(|one| (one.line, one.received)).collect();
        let missing = self.lines.iter().fold(0_u32, |sum, (id, line)| {
            let left = line.missing().saturating_sub(arriving.get(id).copied().unwrap_or(0));
            sum.saturating_add(left)
        });
        let mut events = Vec::new();
        if !counts.is_empty() {
            events.push(ReturnEvent::Counted { counts });
        }
        if complete || missing == 0 {
            events.push(ReturnEvent::Received { order: self.order, missing });
        }
        Ok(events)
    }

    fn inspect(&self, lines: Vec<InspectedLine>) -> Decision {
        if self.status != Status::Received {
            return Err(self.not("be inspected"));
        }
        once(lines.iter().map(|one| one.line))?;
        let mut found = BTreeMap::new();
        for one in &lines {
            self.known_line(one.line)?;
            let parts = [one.restocked, one.damaged, one.rejected];
            found.insert(one.line, parts.into_iter().fold(0_u32, u32::saturating_add));
        }
        for (id, line) in &self.lines {
            let (received, inspected) = (line.received, found.get(id).copied().unwrap_or(0));
            if received != inspected {
                return Err(ReturnError::IncompleteInspection { line: *id, received, inspected });
            }
        }
        Ok(vec![ReturnEvent::Inspected { lines }])
    }

    fn resolve(&self, resolution: Resolution) -> Decision {
        match (self.status, &self.resolution) {
            (Status::Inspected, _) if resolution.amount().is_negative() => Err(ReturnError::NegativeRefund),
            (Status::Inspected, _) => Ok(vec![ReturnEvent::Resolved { order: self.order, resolution }]),
            (_, Some(known)) if *known == resolution => Ok(Vec::new()),
            (_, Some(_)) => Err(ReturnError::ResolvedOtherwise),
            (_, None) => Err(self.not("be resolved")),
        }
    }
}
