//! Histories of what consumers and repairs have done.

use commerce_core::app::audit::{RepairCommand, StoreRepairs};
use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::messaging::backlog::FailedMessage;
use commerce_core::messaging::{
    Backlog, BacklogCommand, ConsumerProgress, DeadLetter, DeadLetterCommand, MessageRef, ProgressCommand,
    Reader,
};
use commerce_core::value::Code;
use commerce_core::value::id::OrderId;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};

use super::{Storied, code, nth, reason, soon};

fn reader() -> impl Strategy<Value = Reader> {
    (code(), 0_u32..2).prop_map(|(consumer, generation)| Reader { consumer, generation })
}

/// One of the first messages of a stream.
fn message() -> impl Strategy<Value = MessageRef> {
    let order: OrderId = nth(0);
    let stream = StreamId::new("order", order.uuid());
    let version = prop_oneof![3 => Just(1_u64), 2 => 1_u64..4];
    version.prop_filter_map("a message", move |version| {
        let name = Code::new("OrderPlaced").ok()?;
        Some(MessageRef { event: nth(0), name, stream: stream.clone(), version: Version::new(version) })
    })
}

fn fails() -> BoxedStrategy<BacklogCommand> {
    (reader(), message(), reason(), option::weighted(0.7, soon()))
        .prop_map(|(reader, message, error, retry_at)| BacklogCommand::Fail {
            reader,
            message,
            error,
            retry_at,
        })
        .boxed()
}

impl Storied for Backlog {
    fn begins() -> BoxedStrategy<BacklogCommand> {
        fails()
    }

    fn continues() -> BoxedStrategy<BacklogCommand> {
        let version = prop_oneof![2 => Just(1_u64), 1 => 1_u64..5].prop_map(Version::new);
        prop_oneof![
            3 => fails(),
            3 => version.prop_map(|version| BacklogCommand::Advance { version }),
            2 => Just(BacklogCommand::Clear),
        ]
        .boxed()
    }
}

fn advances() -> BoxedStrategy<ProgressCommand> {
    (0_u64..3, 0_u64..100)
        .prop_map(|(high, low)| ProgressCommand::Advance { position: Position::from_parts(high, low) })
        .boxed()
}

impl Storied for ConsumerProgress {
    fn begins() -> BoxedStrategy<ProgressCommand> {
        advances()
    }

    fn continues() -> BoxedStrategy<ProgressCommand> {
        advances()
    }
}

impl Storied for DeadLetter {
    fn begins() -> BoxedStrategy<DeadLetterCommand> {
        (reader(), message(), reason(), 1_u32..5, soon(), soon())
            .prop_map(|(reader, message, error, attempts, one, other)| DeadLetterCommand::Bury {
                reader,
                failed: Box::new(FailedMessage {
                    message,
                    error,
                    attempts,
                    first: one.min(other),
                    last: one.max(other),
                    retry_at: None,
                }),
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<DeadLetterCommand> {
        use DeadLetterCommand as C;
        prop_oneof![
            3 => reason().prop_map(|error| C::Fail { error }),
            1 => Just(C::Redeliver),
            1 => reason().prop_map(|reason| C::Discard { reason }),
            3 => Just(C::Purge),
        ]
        .boxed()
    }
}

fn notes() -> BoxedStrategy<RepairCommand> {
    (1_u32..99).prop_map(|mended| RepairCommand::Note { mended }).boxed()
}

impl Storied for StoreRepairs {
    fn begins() -> BoxedStrategy<RepairCommand> {
        notes()
    }

    fn continues() -> BoxedStrategy<RepairCommand> {
        notes()
    }
}
