//! Consumers: each message once in effect and in the order of its stream; what fails waits alone, and what
//! fails for good is kept.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)] // a failing step is a failing test

mod copying;

use std::collections::BTreeMap;
use std::time::Duration;

use commerce_core::app::consumer::ConsumerError;
use commerce_core::kernel::stream::Slice;
use commerce_core::messaging::dead_letter::{DeadLetterError, RETENTION};
use commerce_core::messaging::{DeadLetter, DeadLetterCommand, DeadLetterStatus};
use commerce_core::prelude::*;
use commerce_core::value::Reason;
use commerce_testkit::faulty::{Fault, Faults, Port, Rates};
use commerce_tests::cases;
use copying::{Copying, Failures, STREAMS, World};
use pollster::block_on;
use proptest::collection::vec;
use proptest::prelude::*;

/// Which message fails how often; more than the policy's four attempts means for ever.
fn failures() -> impl Strategy<Value = Failures> {
    proptest::collection::btree_map((0..STREAMS, 1..6_u64), (1..8_u32, any::<bool>()), 0..6)
}

proptest! {
    #![proptest_config(cases(256))]

    /// patterns-4: the effect of every message happens once and in order, whatever fails, dies and is
    /// delivered again, and however many runners there are.
    #[test]
    fn patterns_4_effects_happen_once_and_in_order(
        writes in vec(0..STREAMS, 1..30),
        seed in any::<u64>(),
        slices in 1..4_u16,
    ) {
        let world = World::new();
        let rates = Rates::default()
            .of(Port::Store, Fault::FailBefore, 40)
            .of(Port::Store, Fault::FailAfter, 40)
            .of(Port::Store, Fault::DieBefore, 30)
            .of(Port::Store, Fault::DieAfter, 30)
            .of(Port::Store, Fault::Duplicate, 40);
        let faults = Faults::seeded(seed, rates);
        for (at, stream) in writes.iter().enumerate() {
            world.write(*stream);
            for slice in 0..slices {
                let slice = Slice::new(slice, slices).unwrap();
                // Two runners of one consumer and slice, each in a process that may die.
                for _ in 0..=at % 2 {
                    world.round_or_death(&faults, Copying::faultless(), slice);
                }
            }
        }
        faults.stop();
        for slice in 0..slices {
            world.catch_up(Copying::faultless(), Slice::new(slice, slices).unwrap());
        }
        let mut written: BTreeMap<usize, u64> = BTreeMap::new();
        for stream in &writes {
            *written.entry(*stream).or_default() += 1;
        }
        for stream in 0..STREAMS {
            let all: Vec<u64> = (1..=written.get(&stream).copied().unwrap_or(0)).collect();
            prop_assert_eq!(world.copied(stream), all);
        }
    }

    /// patterns-6: a message that fails is tried four times in all, after 1, 2 and 4 seconds; then it is put
    /// aside with its error, attempts and times. It holds back its own stream and no other. Delivered again
    /// it takes the same path; it goes when seven days are over, and not before.
    #[test]
    fn patterns_6_dead_letters_keep_what_is_needed(failures in failures()) {
        let world = World::new();
        for _ in 0..5 {
            (0..STREAMS).for_each(|stream| world.write(stream));
        }
        let consumer = Copying::failing(failures.clone());
        let runner = world.runner(consumer.clone(), Slice::ALL);
        let start = world.shop.commerce.now();
        world.reads_to_the_end(&runner);
        // Nothing but the streams with a failing message is held back.
        for stream in 0..STREAMS {
            let first = failures.keys().find(|(failing, _)| *failing == stream).map(|(_, version)| *version);
            let until = first.filter(|version| !failures[&(stream, *version)].1);
            if first.is_none() || until.is_some() {
                let all: Vec<u64> = (1..until.unwrap_or(6)).collect();
                prop_assert_eq!(world.copied(stream), all);
            }
        }
        for _ in 0..60 {
            world.shop.clock.advance(Duration::from_secs(1));
            block_on(runner.round()).unwrap();
        }
        let dead = |failure: &(u32, bool)| failure.1 || failure.0 > 3;
        for stream in 0..STREAMS {
            let all: Vec<u64> =
                (1..6).filter(|version| !failures.get(&(stream, *version)).is_some_and(dead)).collect();
            prop_assert_eq!(world.copied(stream), all);
        }
        let letters = block_on(runner.dead_letters(500)).unwrap();
        prop_assert_eq!(letters.len(), failures.values().filter(|failure| dead(failure)).count());
        for letter in &letters {
            let letter = letter.state.as_ref().unwrap();
            let (message, failed) = (letter.message(), letter.failed());
            let stream = (0..STREAMS).find(|stream| World::note(*stream).uuid() == message.stream.id).unwrap();
            let permanent = failures[&(stream, message.version.get())].1;
            prop_assert_eq!(failed.attempts, if permanent { 1 } else { 4 });
            prop_assert_eq!(failed.error.as_str(), format!("attempt {}", failed.attempts));
            let waited = failed.last.since(failed.first);
            prop_assert_eq!(waited, Duration::from_secs(if permanent { 0 } else { 7 }));
            prop_assert!(failed.first >= start);
            prop_assert_eq!(letter.purge_at(), failed.last.plus(RETENTION));
            prop_assert_eq!(consumer.attempts(stream, message.version.get()), failed.attempts);
        }
        redelivers_discards_and_purges(&world, &consumer)?;
    }
}

/// One letter is delivered again, one discarded, the others go with time.
fn redelivers_discards_and_purges(world: &World, consumer: &Copying) -> Result<(), TestCaseError> {
    let runner = world.runner(consumer.clone(), Slice::ALL);
    let status = |letter: &Id<DeadLetter>| {
        let known = block_on(world.shop.staff().query(ById::<DeadLetter>(*letter))).unwrap().unwrap();
        (known.status(), known.failed().attempts)
    };
    let letters: Vec<_> = block_on(runner.dead_letters(500)).unwrap();
    let events: Vec<_> =
        letters.iter().map(|letter| letter.state.as_ref().unwrap().message().event).collect();
    let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
    if let (Some(id), Some(event)) = (ids.first(), events.first()) {
        // It fails again, which is kept; once the cause is mended it is handled, once.
        let before = status(id).1;
        let again = block_on(runner.redeliver(*event));
        prop_assert!(matches!(again, Err(ConsumerError::Failed(_))), "{:?}", again);
        prop_assert_eq!(status(id), (DeadLetterStatus::Dead, before + 1));
        consumer.mend();
        let message = letters[0].state.as_ref().unwrap().message().clone();
        let stream = (0..STREAMS).find(|stream| World::note(*stream).uuid() == message.stream.id).unwrap();
        for _ in 0..2 {
            block_on(runner.redeliver(*event)).unwrap();
        }
        prop_assert_eq!(status(id).0, DeadLetterStatus::Redelivered);
        let times = world.copied(stream).into_iter().filter(|copied| *copied == message.version.get());
        prop_assert_eq!(times.count(), 1);
    }
    let staff = world.shop.staff();
    if let Some(id) = ids.get(1) {
        let reason = Reason::new("not needed").unwrap();
        block_on(staff.execute(*id, DeadLetterCommand::Discard { reason })).unwrap();
        prop_assert_eq!(status(id).0, DeadLetterStatus::Discarded);
    }
    if let Some(id) = ids.get(2) {
        let early = block_on(staff.execute(*id, DeadLetterCommand::Purge));
        let kept = matches!(early, Err(CommandError::Rejected(DeadLetterError::Kept { .. })));
        prop_assert!(kept, "{:?}", early);
    }
    world.shop.clock.advance(RETENTION.saturating_sub(Duration::from_secs(120)));
    block_on(world.shop.commerce.run_due()).unwrap();
    let left = ids.len().saturating_sub(2);
    prop_assert_eq!(block_on(runner.dead_letters(500)).unwrap().len(), left);
    world.shop.clock.advance(Duration::from_secs(120));
    block_on(world.shop.commerce.run_due()).unwrap();
    prop_assert_eq!(block_on(runner.dead_letters(500)).unwrap().len(), 0);
    for id in ids.iter().skip(2) {
        prop_assert_eq!(status(id).0, DeadLetterStatus::Purged);
    }
    Ok(())
}

#[test]
fn a_replay_handles_everything_anew_and_says_so() {
    let world = World::new();
    (0..STREAMS).for_each(|stream| world.write(stream));
    let consumer = Copying::faultless();
    world.catch_up(consumer.clone(), Slice::ALL);
    assert_eq!((consumer.seen(), consumer.replayed()), (STREAMS, 0));
    let replay = world.runner(consumer.clone(), Slice::ALL).replaying(1);
    world.reads_to_the_end(&replay);
    assert_eq!((consumer.seen(), consumer.replayed()), (2 * STREAMS, STREAMS));
}

#[test]
fn lag_is_what_is_left_to_read() {
    let world = World::new();
    let runner = world.runner(Copying::faultless(), Slice::ALL);
    let before = block_on(runner.lag()).unwrap().events;
    (0..STREAMS).for_each(|stream| world.write(stream));
    assert_eq!(block_on(runner.lag()).unwrap().events, before + STREAMS as u64);
    world.catch_up(Copying::faultless(), Slice::ALL);
    let lag = block_on(runner.lag()).unwrap();
    assert_eq!((lag.events, lag.more), (0, false));
    // A consumer that has nothing to do writes nothing, or it would read what it wrote for ever.
    let end = world.log_length();
    for _ in 0..5 {
        assert!(block_on(runner.round()).unwrap().end);
    }
    assert_eq!(world.log_length(), end);
}

#[test]
fn a_runner_follows_the_log_until_the_host_stops() {
    let world = World::new();
    (0..STREAMS).for_each(|stream| world.write(stream));
    let consumer = Copying::faultless();
    let runner = world.runner(consumer.clone(), Slice::ALL);
    // A host that stops at once gets the round that is under way.
    block_on(runner.run(std::future::ready(())));
    assert_eq!(consumer.seen(), STREAMS);
    (0..STREAMS).for_each(|stream| world.write(stream));
    let before = world.shop.commerce.now();
    let mut asked = 0;
    block_on(runner.run(std::future::poll_fn(|_| {
        asked += 1;
        if asked > 20 { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })));
    assert_eq!(consumer.seen(), 2 * STREAMS);
    assert_eq!(block_on(runner.lag()).unwrap().events, 0);
    // At the end of the log it sleeps, which moves this clock.
    assert!(world.shop.commerce.now() > before.plus(Duration::from_secs(1)));
}

#[test]
fn only_staff_runs_consumers() {
    let world = World::new();
    assert!(world.shop.buyer(1).consumer(Copying::faultless()).is_err());
}
