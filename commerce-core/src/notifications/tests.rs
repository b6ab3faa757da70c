use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::notification::{MAX_DATA, SEND};
use super::*;
use crate::history::{Step, at, drive, id};
use crate::kernel::aggregate::Aggregate;
use crate::kernel::effects::TimerEffect;
use crate::kernel::replay::fold;
use crate::value::time::Timestamp;
use crate::value::{Code, Reason};

fn code(text: &str) -> Code {
    Code::new(text).unwrap()
}

fn reason() -> Reason {
    Reason::new("mailbox full").unwrap()
}

fn message() -> Message {
    let data = BTreeMap::from([(code("order"), code("A-1"))]);
    Message { event: id(1), template: code("confirmed"), channel: Channel::Email, subject: id(7), data }
}

fn queue() -> NotificationCommand {
    NotificationCommand::Queue { message: message(), policy: RetryPolicy::default() }
}

fn start(until: i64) -> NotificationCommand {
    NotificationCommand::StartSending { until: at(until) }
}

fn sent(attempt: u8) -> NotificationCommand {
    NotificationCommand::RecordSent { attempt, reference: None }
}

fn failed(attempt: u8) -> NotificationCommand {
    NotificationCommand::RecordFailed { attempt, reason: reason() }
}

fn bounced() -> NotificationCommand {
    NotificationCommand::RecordBounced { reason: reason() }
}

fn after(commands: impl IntoIterator<Item = (i64, NotificationCommand)>) -> Notification {
    let mut state = None;
    for (now, command) in std::iter::once((0, queue())).chain(commands) {
        let events = Notification::decide(state.as_ref(), command, at(now)).unwrap();
        state = fold(state, &events).unwrap();
    }
    state.unwrap()
}

fn refusal(known: &Notification, now: i64, command: NotificationCommand) -> NotificationError {
    Notification::decide(Some(known), command, at(now)).unwrap_err()
}

fn any_command() -> impl Strategy<Value = NotificationCommand> {
    prop_oneof![
        6 => (1..60_i64).prop_map(start),
        1 => (0..6_u8).prop_map(sent),
        5 => (0..6_u8).prop_map(failed),
        1 => Just(NotificationCommand::RecordDelivered),
        1 => Just(bounced()),
        1 => Just(NotificationCommand::Suppress { reason: reason() }),
        1 => Just(queue()),
    ]
}

fn history() -> impl Strategy<Value = Vec<(Timestamp, NotificationCommand)>> {
    proptest::collection::vec((0..4_i64, any_command()), 0..40).prop_map(|commands| {
        let mut now = 0;
        let later = commands.into_iter().map(move |(pause, command)| {
            now += pause;
            (at(now), command)
        });
        std::iter::once((at(0), queue())).chain(later).collect()
    })
}

proptest! {
    #[test]
    fn notifications_1_one_worker_at_a_time(commands in history()) {
        let times: Vec<_> = commands.iter().map(|(now, _)| *now).collect();
        let mut number = 0;
        let mut busy_until: Option<Timestamp> = None;
        drive::<Notification>(commands, |step: Step<'_, Notification>| {
            let now = times[number];
            number += 1;
            for event in step.outcome.iter().flatten() {
                if let NotificationEvent::SendingStarted { until, .. } = event {
                    assert!(busy_until.is_none_or(|busy| now >= busy), "the worker before is done or given up");
                    busy_until = Some(*until);
                } else {
                    busy_until = None;
                }
            }
        });
    }

    #[test]
    fn notifications_1_the_id_tells_rows_apart(
        rows in proptest::collection::btree_set((1..4_u128, 1..4_u128, any::<bool>(), "[ab]"), 0..20),
    ) {
        let row = |(event, subject, email, template): &(u128, u128, bool, String)| {
            let channel = if *email { Channel::Email } else { Channel::Sms };
            notification_id(id(*event), id(*subject), channel, &code(template))
        };
        let ids: BTreeSet<_> = rows.iter().map(row).collect();
        prop_assert_eq!(ids.len(), rows.len());
        prop_assert_eq!(ids, rows.iter().map(row).collect::<BTreeSet<_>>());
    }

    #[test]
    fn notifications_2_attempts_stay_within_the_policy_and_every_row_ends(commands in history()) {
        let events = drive::<Notification>(commands, |step: Step<'_, Notification>| {
            let known = step.after.unwrap();
            assert!(known.attempts() <= RetryPolicy::default().attempts);
            let name = |status: Status| format!("{status:?}");
            if step.before.map(Notification::status) != Some(known.status()) {
                let from = step.before.map_or("–".to_owned(), |before| name(before.status()));
                let command = format!("{:?}", step.command);
                assert!(TRANSITIONS.iter().any(|(row_from, row_command, to)| {
                    *row_from == from && command.starts_with(row_command) && *to == name(known.status())
                }), "{from} to {:?} by {command}", known.status());
            }
        });
        // The timer is there exactly while something is left to do.
        let mut timer = None;
        for event in &events {
            for effect in Notification::effects(id(1), event).timers {
                timer = match effect {
                    TimerEffect::Set { name, due, .. } => { assert_eq!(name, SEND); Some(due) }
                    TimerEffect::Cancel { .. } => None,
                };
            }
        }
        let mut known = fold::<Notification>(None, &events).unwrap().unwrap();
        let open = matches!(known.status(), Status::Queued | Status::Sending);
        prop_assert_eq!(timer.is_some(), open);
        // From here a sender that always fails leads to the end.
        let mut now = timer.unwrap_or(at(0));
        for _ in 0..20 {
            if !matches!(known.status(), Status::Queued | Status::Sending) { break }
            let until = now.plus(std::time::Duration::from_secs(5));
            let events = Notification::decide(Some(&known), NotificationCommand::StartSending { until }, now).unwrap();
            known = fold(Some(known), &events).unwrap().unwrap();
            now = until;
        }
        prop_assert!(!matches!(known.status(), Status::Queued | Status::Sending));
    }

    #[test]
    fn notifications_6_reports_count_once_and_in_any_order(
        reports in Just(vec![sent(1), NotificationCommand::RecordDelivered, NotificationCommand::RecordDelivered, bounced(), bounced()])
            .prop_shuffle(),
        with_bounce in any::<bool>(),
        late in any::<bool>(),
    ) {
        let mut commands = vec![(0, start(30))];
        if late {
            commands.push((1, failed(1)));
        }
        let wanted = |command: &NotificationCommand| with_bounce || !matches!(command, NotificationCommand::RecordBounced { .. });
        commands.extend(reports.into_iter().filter(wanted).map(|command| (2, command)));
        let known = after(commands);
        let end = if with_bounce { Status::Bounced } else { Status::Delivered };
        prop_assert_eq!((known.status(), known.attempts()), (end, 1));
    }
}

#[test]
fn notifications_2_the_pauses_are_exact() {
    let mut state = Some(after([]));
    let (mut now, mut pauses) = (at(0), Vec::new());
    for attempt in 1..=4 {
        for command in [start(1000), failed(attempt)] {
            let events = Notification::decide(state.as_ref(), command, now).unwrap();
            if let [NotificationEvent::RetryScheduled { due, .. }] = events.as_slice() {
                pauses.push(due.since(now).as_millis());
                now = *due;
            }
            state = fold(state, &events).unwrap();
        }
    }
    assert_eq!(pauses, [1000, 2000, 4000]);
    assert_eq!(state.map(|known| known.status()), Some(Status::Dead));
    let long = RetryPolicy { attempts: u8::MAX, first_pause_ms: u32::MAX };
    assert_eq!(long.next(200, at(0)), Some(Timestamp::MAX));
}

#[test]
fn a_notification_refuses() {
    let decide = |command| Notification::decide(None, command, at(0)).unwrap_err();
    assert_eq!(decide(NotificationCommand::RecordDelivered), NotificationError::NotFound);
    let policy = RetryPolicy { attempts: 0, ..RetryPolicy::default() };
    assert_eq!(
        decide(NotificationCommand::Queue { message: message(), policy }),
        NotificationError::NoAttempts
    );
    let data = (0..=MAX_DATA).map(|number| (code(&number.to_string()), code("x"))).collect();
    let large =
        NotificationCommand::Queue { message: Message { data, ..message() }, policy: RetryPolicy::default() };
    assert_eq!(decide(large), NotificationError::TooMuchData { max: MAX_DATA });
    let queued = after([]);
    assert_eq!(Notification::decide(Some(&queued), queue(), at(9)), Ok(vec![]));
    let other = Message { template: code("other"), ..message() };
    let other = NotificationCommand::Queue { message: other, policy: RetryPolicy::default() };
    assert_eq!(refusal(&queued, 0, other), NotificationError::AlreadyQueued);
    assert_eq!(refusal(&queued, 5, start(5)), NotificationError::BadLease { until: at(5) });
    assert_eq!(refusal(&queued, 0, sent(1)), NotificationError::NoSuchAttempt { attempt: 1 });
    assert!(matches!(refusal(&queued, 0, bounced()), NotificationError::IllegalTransition { .. }));
    let sending = after([(0, start(30))]);
    assert_eq!(refusal(&sending, 29, start(60)), NotificationError::BeingSent { until: at(30) });
    let suppress = NotificationCommand::Suppress { reason: reason() };
    assert_eq!(after([(0, start(30)), (1, suppress.clone())]).status(), Status::Suppressed);
    let gone = after([(0, start(30)), (1, sent(1))]);
    assert!(matches!(refusal(&gone, 2, suppress.clone()), NotificationError::IllegalTransition { .. }));
    let waiting = after([(0, start(30)), (3, failed(1))]);
    assert_eq!(refusal(&waiting, 3, start(60)), NotificationError::NotDue { at: at(4) });
    let suppressed = after([(0, suppress)]);
    assert!(matches!(refusal(&suppressed, 9, start(60)), NotificationError::IllegalTransition { .. }));
}

#[test]
fn a_message_may_be_as_large_as_its_bound() {
    let data = (0..MAX_DATA).map(|number| (code(&number.to_string()), code("x"))).collect();
    let message = Message { data, ..message() };
    let queue = NotificationCommand::Queue { message, policy: RetryPolicy::default() };
    assert_eq!(Notification::decide(None, queue, at(0)).map(|events| events.len()), Ok(1));
}

#[test]
fn the_last_attempt_whose_worker_is_gone_is_the_end() {
    let policy = RetryPolicy { attempts: 2, ..RetryPolicy::default() };
    let queue = NotificationCommand::Queue { message: message(), policy };
    let mut state = None;
    for (now, command) in [(0, queue), (0, start(30)), (30, start(60))] {
        let events = Notification::decide(state.as_ref(), command, at(now)).unwrap();
        state = fold(state, &events).unwrap();
    }
    let known: Notification = state.unwrap();
    assert_eq!((known.status(), known.attempts()), (Status::Sending, 2));
    let events = Notification::decide(Some(&known), start(90), at(60));
    assert_eq!(events, Ok(vec![NotificationEvent::Failed { attempts: 2, reason: None }]));
}

#[test]
fn a_message_that_is_suppressed_stays_so() {
    let suppress = NotificationCommand::Suppress { reason: reason() };
    let suppressed = after([(0, suppress.clone())]);
    assert_eq!(Notification::decide(Some(&suppressed), suppress, at(1)), Ok(vec![]));
}
