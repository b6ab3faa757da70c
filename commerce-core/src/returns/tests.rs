use proptest::prelude::*;

use super::goods_return::{EXPIRY, NUMBER_SCOPE};
use super::*;
use crate::history::{Step, at, drive, id};
use crate::kernel::aggregate::{Aggregate, Command};
use crate::kernel::effects::TimerEffect;
use crate::kernel::replay::fold;
use crate::value::actor::Owner;
use crate::value::time::Timestamp;
use crate::value::{Code, Currency, Money, Quantity, Reason};

fn reason() -> Reason {
    Reason::new("too small").unwrap()
}

fn units(count: u32) -> Quantity {
    Quantity::new(count).unwrap()
}

fn wanted(line: u128, quantity: u32, returnable: u32) -> RequestedLine {
    RequestedLine { line: id(line), quantity: units(quantity), returnable, reason: reason() }
}

fn request(lines: Vec<RequestedLine>) -> ReturnCommand {
    ReturnCommand::Request { order: id(1), subject: id(7), lines, window_ends: Some(at(50)) }
}

fn approve(lines: &[(u128, u32)]) -> ReturnCommand {
    let line = |(line, quantity): &(u128, u32)| ApprovedLine { line: id(*line), quantity: units(*quantity) };
    ReturnCommand::Approve {
        number: Code::new("R-1").unwrap(),
        lines: lines.iter().map(line).collect(),
        expires_at: at(100),
    }
}

fn receive(counts: &[(u128, u32, u32)], complete: bool) -> ReturnCommand {
    let count = |(line, received, wrong): &(u128, u32, u32)| CountedLine {
        line: id(*line),
        received: *received,
        wrong: *wrong,
    };
    ReturnCommand::Receive { counts: counts.iter().map(count).collect(), complete }
}

fn inspect(lines: &[(u128, u32, u32, u32)]) -> ReturnCommand {
    let line = |(line, restocked, damaged, rejected): &(u128, u32, u32, u32)| InspectedLine {
        line: id(*line),
        restocked: *restocked,
        damaged: *damaged,
        rejected: *rejected,
    };
    ReturnCommand::Inspect { lines: lines.iter().map(line).collect() }
}

fn resolve(minor: i64) -> ReturnCommand {
    ReturnCommand::Resolve {
        resolution: Resolution::Refund { amount: Money::from_minor(minor, Currency::EUR) },
    }
}

fn after(commands: impl IntoIterator<Item = ReturnCommand>) -> Return {
    let mut state = None;
    for command in std::iter::once(request(vec![wanted(1, 2, 3), wanted(2, 1, 1)])).chain(commands) {
        let events = Return::decide(state.as_ref(), command, at(1)).unwrap();
        state = fold(state, &events).unwrap();
    }
    state.unwrap()
}

fn refusal(known: &Return, command: ReturnCommand) -> ReturnError {
    Return::decide(Some(known), command, at(1)).unwrap_err()
}

fn any_command() -> impl Strategy<Value = ReturnCommand> {
    let line = 1..3_u128;
    prop_oneof![
        3 => proptest::collection::vec((line.clone(), 1..4_u32), 1..3).prop_map(|lines| approve(&lines)),
        1 => Just(ReturnCommand::Reject { reason: reason() }),
        1 => Just(ReturnCommand::Cancel),
        1 => Just(ReturnCommand::Expire),
        2 => Just(ReturnCommand::MarkInTransit),
        6 => (proptest::collection::vec((line.clone(), 0..3_u32, 0..2_u32), 0..3), any::<bool>())
            .prop_map(|(counts, complete)| receive(&counts, complete)),
        6 => (0..3_u32, 0..2_u32, 0..2_u32).prop_map(|(a, b, c)| inspect(&[(1, a, b, c), (2, b, c, 0)])),
        2 => (0..3_i64).prop_map(resolve),
        2 => Just(ReturnCommand::Close),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Timestamp, ReturnCommand)>> {
    let lines =
        (1..4_u32, 1..3_u32).prop_map(|(one, two)| request(vec![wanted(1, one, 3), wanted(2, two, 2)]));
    (lines, proptest::collection::vec((1..140_i64, any_command()), 0..60)).prop_map(|(first, commands)| {
        let later = commands.into_iter().map(|(now, command)| (at(now), command));
        std::iter::once((at(1), first)).chain(later).collect()
    })
}

proptest! {
    #[test]
    fn returns_1_counts_stay_ordered(commands in history()) {
        drive::<Return>(commands, |step: Step<'_, Return>| {
            for (id, line) in step.after.unwrap().lines() {
                assert!(line.inspected() <= line.received);
                assert!(line.received <= line.approved);
                assert!(line.approved <= line.requested);
                assert!(line.requested <= line.returnable);
                let before = step.before.and_then(|before| before.lines().find(|known| known.0 == id));
                if let Some((_, before)) = before {
                    assert!(before.received <= line.received && before.wrong <= line.wrong);
                }
            }
        });
    }

    #[test]
    fn returns_2_every_received_unit_is_inspected(received in (0..3_u32, 0..2_u32), found in (0..3_u32, 0..3_u32, 0..3_u32)) {
        prop_assume!(received.0 + received.1 > 0);
        let known = after([approve(&[(1, 2), (2, 1)]), receive(&[(1, received.0, 0), (2, received.1, 0)], true)]);
        let command = inspect(&[(1, found.0, found.1, found.2), (2, 0, received.1, 0)]);
        match Return::decide(Some(&known), command, at(1)) {
            Ok(events) => {
                let known = fold(Some(known), &events).unwrap().unwrap();
                prop_assert!(known.lines().all(|(_, line)| line.inspected() == line.received));
            }
            Err(error) => {
                prop_assert!(found.0 + found.1 + found.2 != received.0);
                let incomplete = matches!(error, ReturnError::IncompleteInspection { .. });
                prop_assert!(incomplete);
            }
        }
    }

    #[test]
    fn returns_3_steps_follow_the_table(commands in history()) {
        let events = drive::<Return>(commands, |step: Step<'_, Return>| {
            let after = step.after.unwrap().status();
            let before = step.before.map(Return::status);
            if before == Some(after) { return }
            let name = |status: Status| format!("{status:?}");
            let from = before.map_or("–".to_owned(), name);
            let command = format!("{:?}", step.command);
            assert!(TRANSITIONS.iter().any(|(row_from, row_command, to)| {
                *row_from == from && command.starts_with(row_command) && *to == name(after)
            }), "{from} to {after:?} by {command}");
            assert!(before.is_none_or(|before| !before.is_terminal()));
        });
        let (mut timer, known) = (false, fold::<Return>(None, &events).unwrap().unwrap());
        for effect in events.iter().flat_map(|event| Return::effects(id(1), event).timers) {
            timer = matches!(effect, TimerEffect::Set { ref name, .. } if name == EXPIRY);
        }
        prop_assert_eq!(timer, known.status() == Status::Approved);
    }
}

#[test]
fn requests_are_refused() {
    let decide = |command| Return::decide(None, command, at(1)).unwrap_err();
    assert_eq!(decide(ReturnCommand::Close), ReturnError::NotFound);
    assert_eq!(decide(request(vec![])), ReturnError::Empty);
    let twice = request(vec![wanted(1, 1, 3), wanted(1, 1, 3)]);
    assert_eq!(decide(twice), ReturnError::RepeatedLine { line: id(1) });
    let many = ReturnError::NotThatMany { line: id(1), possible: 3, wanted: 4 };
    assert_eq!(decide(request(vec![wanted(1, 4, 3)])), many);
    let late = Return::decide(None, request(vec![wanted(1, 1, 1)]), at(50));
    assert_eq!(late, Err(ReturnError::WindowOver { until: at(50) }));
    let known = after([]);
    assert_eq!(refusal(&known, request(vec![wanted(1, 1, 3)])), ReturnError::AlreadyExists);
    let same = request(vec![wanted(2, 1, 1), wanted(1, 2, 3)]);
    assert_eq!(same.claims_owner(), Some(Owner::Subject(id(7))));
    assert_eq!(Return::decide(Some(&known), same, at(60)), Ok(vec![]));
}

#[test]
fn approvals_and_counts_are_refused() {
    let known = after([]);
    let many = ReturnError::NotThatMany { line: id(1), possible: 2, wanted: 3 };
    assert_eq!(refusal(&known, approve(&[(1, 3)])), many);
    assert_eq!(refusal(&known, approve(&[(9, 1)])), ReturnError::NoSuchLine { line: id(9) });
    assert_eq!(refusal(&known, approve(&[])), ReturnError::Empty);
    let late = Return::decide(Some(&known), approve(&[(1, 1)]), at(100));
    assert_eq!(late, Err(ReturnError::BadExpiry { expires_at: at(100) }));
    let approved = after([approve(&[(1, 2)])]);
    assert_eq!(refusal(&approved, ReturnCommand::Expire), ReturnError::NotExpired);
    let many = ReturnError::NotThatMany { line: id(2), possible: 0, wanted: 1 };
    assert_eq!(refusal(&approved, receive(&[(2, 1, 0)], false)), many);
    assert_eq!(refusal(&approved, receive(&[], true)), ReturnError::Empty);
    assert!(matches!(refusal(&approved, ReturnCommand::Cancel), ReturnError::IllegalTransition { .. }));
    let number = Return::decide(Some(&known), approve(&[(1, 2)]), at(1)).unwrap();
    let claims = Return::effects(id(1), &number[0]).claims;
    assert_eq!((claims[0].key.scope.as_ref(), &*claims[0].key.key), (NUMBER_SCOPE, "R-1"));
}

#[test]
fn a_short_return_with_a_wrong_thing_is_resolved() {
    let counted = after([approve(&[(1, 2), (2, 1)]), receive(&[(1, 1, 0)], false)]);
    assert_eq!(counted.status(), Status::PartiallyReceived);
    let events = Return::decide(Some(&counted), receive(&[(2, 0, 1)], true), at(1)).unwrap();
    assert_eq!(events.last(), Some(&ReturnEvent::Received { order: id(1), missing: 2 }));
    let received = fold(Some(counted), &events).unwrap().unwrap();
    assert!(matches!(refusal(&received, resolve(5)), ReturnError::IllegalTransition { .. }));
    let events = Return::decide(Some(&received), inspect(&[(1, 1, 0, 0)]), at(1)).unwrap();
    let inspected = fold(Some(received), &events).unwrap().unwrap();
    assert_eq!(refusal(&inspected, resolve(-1)), ReturnError::NegativeRefund);
    let events = Return::decide(Some(&inspected), resolve(5), at(1)).unwrap();
    let resolved = fold(Some(inspected), &events).unwrap().unwrap();
    assert_eq!(resolved.resolution().map(|known| known.amount().minor()), Some(5));
    assert_eq!(Return::decide(Some(&resolved), resolve(5), at(1)), Ok(vec![]));
    assert_eq!(refusal(&resolved, resolve(6)), ReturnError::ResolvedOtherwise);
}

#[test]
fn a_request_is_the_same_only_with_all_that_it_says() {
    let known = after([]);
    let lines = || vec![wanted(2, 1, 1), wanted(1, 2, 3)];
    let asked = |order: u128, subject: u128, lines| {
        let window_ends = Some(at(50));
        let request = ReturnCommand::Request { order: id(order), subject: id(subject), lines, window_ends };
        Return::decide(Some(&known), request, at(1))
    };
    assert_eq!(asked(1, 7, lines()), Ok(vec![]));
    let others = [
        asked(2, 7, lines()),
        asked(1, 8, lines()),
        asked(1, 7, vec![wanted(2, 1, 1)]),
        asked(1, 7, vec![wanted(2, 1, 1), wanted(1, 1, 3)]),
        asked(1, 7, [lines(), vec![wanted(3, 1, 1)]].concat()),
    ];
    for other in others {
        assert_eq!(other, Err(ReturnError::AlreadyExists));
    }
}

#[test]
fn an_approval_is_the_same_only_under_its_number() {
    let approved = after([approve(&[(1, 2)])]);
    assert_eq!(approved.number(), Some(&Code::new("R-1").unwrap()));
    assert_eq!(approved.expires_at(), Some(at(100)));
    let known = after([]);
    assert_eq!((known.number(), known.expires_at()), (None, None));
    assert_eq!(Return::decide(Some(&approved), approve(&[(1, 2)]), at(1)), Ok(vec![]));
    let ReturnCommand::Approve { lines, expires_at, .. } = approve(&[(1, 2)]) else { unreachable!() };
    let other = ReturnCommand::Approve { number: Code::new("R-2").unwrap(), lines, expires_at };
    assert!(matches!(refusal(&approved, other), ReturnError::IllegalTransition { .. }));
    assert!(Return::decide(Some(&known), approve(&[(1, 2)]), at(1)).is_ok_and(|events| events.len() == 1));
}

#[test]
fn an_approval_ends_at_its_time_and_a_request_never() {
    let approved = after([approve(&[(1, 2)])]);
    let expire = |known: &Return, now| Return::decide(Some(known), ReturnCommand::Expire, at(now));
    assert_eq!(expire(&approved, 99), Err(ReturnError::NotExpired));
    assert_eq!(expire(&approved, 100), Ok(vec![ReturnEvent::Expired]));
    assert!(matches!(expire(&after([]), 500), Err(ReturnError::IllegalTransition { .. })));
}

#[test]
fn a_count_of_nothing_is_no_count() {
    let approved = after([approve(&[(1, 2), (2, 1)])]);
    let counted = |counts: &[(u128, u32, u32)]| {
        let events = Return::decide(Some(&approved), receive(counts, false), at(1)).unwrap();
        match events.as_slice() {
            [ReturnEvent::Counted { counts }] => counts.len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(counted(&[(1, 1, 0), (2, 0, 0)]), 1);
    assert_eq!(counted(&[(1, 0, 1), (2, 0, 0)]), 1);
    assert_eq!(counted(&[(1, 1, 0), (2, 0, 1)]), 2);
    assert_eq!(refusal(&approved, receive(&[(1, 0, 0)], false)), ReturnError::Empty);
}
