//! What a failed call means to those that stand around it: whether it may be made again, and whether it
//! speaks against the other side. Decided by the error's kind and effect alone.

use crate::kernel::error::{Effect, PortError, PortErrorKind};

/// What makes a call safe to repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// It only reads.
    Read,
    /// It bears a key by which the other side knows a repeat.
    Keyed,
    /// Nothing does: a second call may have a second effect.
    Once,
}

/// Whether the same call may be made again behind this failure.
///
/// A call whose effect is unknown is repeated only where it reads or bears a key; any other is to be looked
/// up by its caller. A request that is not accepted, or refused to this caller, stays so, and an answer that
/// makes no sense is not asked for again.
pub fn may_repeat(error: &PortError, repeat: Repeat) -> bool {
    let passing = match error.kind {
        PortErrorKind::Unavailable | PortErrorKind::Timeout | PortErrorKind::Throttled => true,
        PortErrorKind::Invalid | PortErrorKind::Denied | PortErrorKind::Corrupt => false,
    };
    passing && (error.effect == Effect::None || repeat != Repeat::Once)
}

/// Whether the failure speaks against the other side, so that a circuit counts it.
///
/// Where the request was not accepted, or this caller was refused, the other side works: it answered. One
/// caller's bad requests do not take it from all others.
pub const fn speaks_against(error: &PortError) -> bool {
    match error.kind {
        PortErrorKind::Unavailable
        | PortErrorKind::Timeout
        | PortErrorKind::Throttled
        | PortErrorKind::Corrupt => true,
        PortErrorKind::Invalid | PortErrorKind::Denied => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    const KINDS: [PortErrorKind; 6] = [
        PortErrorKind::Unavailable,
        PortErrorKind::Timeout,
        PortErrorKind::Invalid,
        PortErrorKind::Denied,
        PortErrorKind::Throttled,
        PortErrorKind::Corrupt,
    ];

    fn error(kind: PortErrorKind, effect: Effect) -> PortError {
        PortError::new(kind, effect, "fake", "call")
    }

    #[test]
    fn what_passes_is_tried_again_and_what_stays_is_not() {
        let known = |kind| may_repeat(&error(kind, Effect::None), Repeat::Once);
        assert_eq!(KINDS.map(known), [true, true, false, false, true, false]);
        let keyed = |kind| may_repeat(&error(kind, Effect::Unknown), Repeat::Keyed);
        assert_eq!(KINDS.map(keyed), [true, true, false, false, true, false]);
    }

    #[test]
    fn the_callers_own_mistakes_open_no_circuit() {
        let counted = |kind| speaks_against(&error(kind, Effect::None));
        assert_eq!(KINDS.map(counted), [true, true, false, false, true, true]);
    }

    proptest! {
        #[test]
        fn patterns_5_an_unknown_effect_is_never_repeated_without_a_key(kind in select(&KINDS[..])) {
            prop_assert!(!may_repeat(&error(kind, Effect::Unknown), Repeat::Once));
            // A read has no effect to double: it is as safe as a call with a key.
            for effect in [Effect::None, Effect::Unknown] {
                let failed = error(kind, effect);
                prop_assert_eq!(may_repeat(&failed, Repeat::Read), may_repeat(&failed, Repeat::Keyed));
            }
        }

        #[test]
        fn patterns_7_a_circuit_counts_by_kind_and_not_by_effect(kind in select(&KINDS[..])) {
            let [none, unknown] = [Effect::None, Effect::Unknown].map(|effect| error(kind, effect));
            prop_assert_eq!(speaks_against(&none), speaks_against(&unknown));
        }
    }
}
