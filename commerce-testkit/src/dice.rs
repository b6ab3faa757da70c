//! Chance that is the same in every run of a seed.

use crate::fake::mix;

/// A small generator of pseudo-random numbers; equal seeds give equal throws.
#[derive(Debug, Clone)]
pub struct Dice {
    seed: u64,
    thrown: u64,
}

impl Dice {
    /// The dice of this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self { seed: mix(seed), thrown: 0 }
    }

    /// Dice of their own for somebody else, so that neither disturbs the other's throws.
    #[must_use]
    pub fn fork(&mut self) -> Self {
        Self::seeded(self.throw())
    }

    /// Any number.
    pub fn throw(&mut self) -> u64 {
        self.thrown = self.thrown.wrapping_add(1);
        mix(self.seed ^ mix(self.thrown))
    }

    /// A number below this one; zero where there is none.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.throw().checked_rem(limit).unwrap_or(0)
    }

    /// Whether something happens that happens so many times in a thousand.
    pub fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < u64::from(per_mille)
    }

    /// One of these; `None` where there is none.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::try_from(self.below(from.len() as u64)).unwrap_or(0);
        from.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_seeds_throw_the_same() {
        let throws = |seed| {
            let mut dice = Dice::seeded(seed);
            (0..100).map(|_| dice.below(6)).collect::<Vec<_>>()
        };
        assert_eq!(throws(1), throws(1));
        assert_ne!(throws(1), throws(2));
        assert!((0..6).all(|side| throws(1).contains(&side)));
    }

    #[test]
    fn chance_comes_about_as_often_as_it_says() {
        let mut dice = Dice::seeded(3);
        let hits = (0..10_000).filter(|_| dice.chance(100)).count();
        assert!((900..1100).contains(&hits), "{hits}");
        assert!(!(0..1000).any(|_| dice.chance(0)));
        assert_eq!((dice.below(0), dice.pick::<u8>(&[])), (0, None));
    }
}
