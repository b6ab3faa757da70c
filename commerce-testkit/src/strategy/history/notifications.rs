//! Histories of notifications.

use std::collections::BTreeMap;

use commerce_core::notifications::{Channel, Message, Notification, NotificationCommand, RetryPolicy};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::sample::select;

use super::{Storied, code, few, reason, soon};

impl Storied for Notification {
    fn begins() -> BoxedStrategy<NotificationCommand> {
        let channel = select(vec![Channel::Email, Channel::Sms, Channel::Push, Channel::Webhook]);
        let policy = (1_u8..5, 100_u32..2000)
            .prop_map(|(attempts, first_pause_ms)| RetryPolicy { attempts, first_pause_ms });
        let data = (code(), code()).prop_map(|(key, value)| BTreeMap::from([(key, value)]));
        (few(), code(), channel, few(), data, policy)
            .prop_map(|(event, template, channel, subject, data, policy)| {
                let message = Message { event, template, channel, subject, data };
                NotificationCommand::Queue { message, policy }
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<NotificationCommand> {
        use NotificationCommand as C;
        prop_oneof![
            6 => soon().prop_map(|until| C::StartSending { until }),
            3 => (1_u8..4, option::of(code()))
                .prop_map(|(attempt, reference)| C::RecordSent { attempt, reference }),
            5 => (1_u8..4, reason()).prop_map(|(attempt, reason)| C::RecordFailed { attempt, reason }),
            1 => Just(C::RecordDelivered),
            1 => reason().prop_map(|reason| C::RecordBounced { reason }),
            1 => reason().prop_map(|reason| C::Suppress { reason }),
        ]
        .boxed()
    }
}
