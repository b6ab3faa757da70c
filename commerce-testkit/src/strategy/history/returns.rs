//! Histories of returns.

use commerce_core::returns::{
    ApprovedLine, CountedLine, InspectedLine, RequestedLine, Resolution, Return, ReturnCommand,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;

use super::{Storied, code, euros, few, mostly_first, nth, reason, soon, units};

impl Storied for Return {
    fn begins() -> BoxedStrategy<ReturnCommand> {
        let line = || (units(), 0_u32..9, reason());
        (prop_oneof![3 => vec(line(), 1..2), 1 => vec(line(), 1..4)], option::of(soon()))
            .prop_map(|(lines, window_ends)| {
                let lines = (0_u8..).zip(lines).map(|(number, (quantity, more, reason))| RequestedLine {
                    line: nth(number),
                    quantity,
                    returnable: quantity.get() + more,
                    reason,
                });
                let lines = lines.collect();
                ReturnCommand::Request { order: nth(0), subject: nth(0), lines, window_ends }
            })
            .boxed()
    }

    fn continues() -> BoxedStrategy<ReturnCommand> {
        use ReturnCommand as C;
        let approved = (mostly_first(), units()).prop_map(|(line, quantity)| ApprovedLine { line, quantity });
        let counted = (mostly_first(), 0_u32..4, prop_oneof![3 => 0_u32..1, 1 => 0_u32..2])
            .prop_map(|(line, received, wrong)| CountedLine { line, received, wrong });
        let found = select(vec![(1, 0, 0), (0, 1, 0), (0, 0, 1), (2, 0, 0), (1, 1, 1), (3, 1, 0)]);
        let inspected = (mostly_first(), found).prop_map(|(line, (restocked, damaged, rejected))| {
            InspectedLine { line, restocked, damaged, rejected }
        });
        let resolution = prop_oneof![
            euros().prop_map(|amount| Resolution::Refund { amount }),
            euros().prop_map(|amount| Resolution::StoreCredit { amount }),
            (few(), euros()).prop_map(|(order, refund)| Resolution::Exchange { order, refund }),
        ];
        prop_oneof![
            6 => (code(), vec(approved, 1..3), soon())
                .prop_map(|(number, lines, expires_at)| C::Approve { number, lines, expires_at }),
            1 => reason().prop_map(|reason| C::Reject { reason }),
            1 => Just(C::Cancel),
            1 => Just(C::Expire),
            2 => Just(C::MarkInTransit),
            6 => (vec(counted, 1..3), any::<bool>())
                .prop_map(|(counts, complete)| C::Receive { counts, complete }),
            5 => vec(inspected, 1..3).prop_map(|lines| C::Inspect { lines }),
            4 => resolution.prop_map(|resolution| C::Resolve { resolution }),
            2 => Just(C::Close),
        ]
        .boxed()
    }
}
