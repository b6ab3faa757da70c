//! Histories of consumers: how far they are, what failed, and what was put aside.

use commerce_core::kernel::stream::{Position, StreamId, Version};
use commerce_core::messaging::backlog::FailedMessage;
use commerce_core::messaging::{
    Backlog, BacklogCommand, ConsumerName, ConsumerProgress, DeadLetter, DeadLetterCommand, Inbox,
    InboxCommand, MessageRef, ProgressCommand, Reader,
};
use commerce_core::value::Code;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use uuid::Uuid;

use super::{Storied, few, reason, soon};

fn reader() -> impl Strategy<Value = Reader> {
    Just("mail").prop_filter_map("a consumer", |name| Some(Reader::new(ConsumerName::new(name).ok()?)))
}

fn message() -> impl Strategy<Value = MessageRef> {
    (few(), 1_u64..5).prop_filter_map("a message", |(event, version)| {
        let (name, stream) = (Code::new("OrderPlaced").ok()?, StreamId::new("order", Uuid::from_u128(1)));
        Some(MessageRef { event, name, stream, version: Version::new(version) })
    })
}

fn failed() -> impl Strategy<Value = Box<FailedMessage>> {
    (message(), reason(), 1_u32..4, soon(), option::of(soon())).prop_map(
        |(message, error, attempts, first, retry_at)| {
            Box::new(FailedMessage { message, error, attempts, first, last: first, retry_at })
        },
    )
}

fn fails() -> impl Strategy<Value = BacklogCommand> {
    (reader(), message(), reason(), option::of(soon())).prop_map(|(reader, message, error, retry_at)| {
        BacklogCommand::Fail { reader, message, error, retry_at }
    })
}

impl Storied for Backlog {
    fn begins() -> BoxedStrategy<BacklogCommand> {
        fails().boxed()
    }

    fn continues() -> BoxedStrategy<BacklogCommand> {
        prop_oneof![
            5 => fails(),
            4 => (1_u64..6).prop_map(|version| BacklogCommand::Advance { version: Version::new(version) }),
            1 => Just(BacklogCommand::Clear),
        ]
        .boxed()
    }
}

fn buries() -> BoxedStrategy<DeadLetterCommand> {
    (reader(), failed()).prop_map(|(reader, failed)| DeadLetterCommand::Bury { reader, failed }).boxed()
}

impl Storied for DeadLetter {
    fn begins() -> BoxedStrategy<DeadLetterCommand> {
        buries()
    }

    fn continues() -> BoxedStrategy<DeadLetterCommand> {
        use DeadLetterCommand as C;
        prop_oneof![
            2 => buries(),
            3 => reason().prop_map(|error| C::Fail { error }),
            1 => Just(C::Redeliver),
            1 => reason().prop_map(|reason| C::Discard { reason }),
            3 => Just(C::Purge),
        ]
        .boxed()
    }
}

fn advances() -> BoxedStrategy<ProgressCommand> {
    let position = (0_u64..3, 0_u64..9).prop_map(|(high, low)| Position::from_parts(high, low));
    position.prop_map(|position| ProgressCommand::Advance { position }).boxed()
}

impl Storied for ConsumerProgress {
    fn begins() -> BoxedStrategy<ProgressCommand> {
        advances()
    }

    fn continues() -> BoxedStrategy<ProgressCommand> {
        advances()
    }
}

impl Storied for Inbox {
    fn begins() -> BoxedStrategy<InboxCommand> {
        Self::continues()
    }

    fn continues() -> BoxedStrategy<InboxCommand> {
        use InboxCommand as C;
        let version = || (1_u64..9).prop_map(Version::new);
        let retry_at = option::of(soon());
        prop_oneof![
            4 => version().prop_map(|version| C::Handle { version }),
            2 => (version(), reason(), retry_at)
                .prop_map(|(version, error, retry_at)| C::Fail { version, error, retry_at }),
            1 => version().prop_map(|before| C::PassOver { before }),
        ]
        .boxed()
    }
}
