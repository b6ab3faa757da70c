//! A bulkhead as a pure machine: one slow other side does not take every worker.

/// How many calls may be under way at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulkhead {
    most: u32,
    under_way: u32,
}

impl Bulkhead {
    /// Room for this many calls; zero counts as one.
    pub const fn new(most: u32) -> Self {
        Self { most: if most == 0 { 1 } else { most }, under_way: 0 }
    }

    /// Calls under way.
    pub const fn under_way(&self) -> u32 {
        self.under_way
    }

    /// Whether a call may be made now. Each `true` is to be followed by [`leave`](Self::leave), also where
    /// the call is given up.
    pub const fn enter(&mut self) -> bool {
        let admitted = self.under_way < self.most;
        if admitted {
            self.under_way = self.under_way.saturating_add(1);
        }
        admitted
    }

    /// A call that was admitted is over.
    pub const fn leave(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn there_is_room_for_one_at_least() {
        let mut bulkhead = Bulkhead::new(0);
        assert!(bulkhead.enter() && !bulkhead.enter());
        bulkhead.leave();
        assert!(bulkhead.enter());
    }

    proptest! {
        #[test]
        fn patterns_7_calls_under_way_are_bounded(
            most in 1_u32..6,
            steps in prop::collection::vec(any::<bool>(), 1..100),
        ) {
            let mut bulkhead = Bulkhead::new(most);
            let mut under_way = 0;
            for enters in steps {
                if enters {
                    // Full is the only reason to be turned away.
                    prop_assert_eq!(bulkhead.enter(), under_way < most);
                    under_way = most.min(under_way + 1);
                } else if under_way > 0 {
                    bulkhead.leave();
                    under_way -= 1;
                }
                prop_assert_eq!(bulkhead.under_way(), under_way);
            }
        }
    }
}
