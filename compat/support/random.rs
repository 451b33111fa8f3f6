//! Chance that can be replayed: the generator `SplitMix64`, seeded from the clock or from the variable `SEED`.

use std::env;
use std::time::{SystemTime, UNIX_EPOCH};

/// Not for keys: its whole sequence follows from the printed seed.
pub(crate) struct Random(u64);

impl Random {
    /// Takes `SEED` if it is set, and prints the seed in any case.
    pub(crate) fn new(test: &str) -> Self {
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let seed = env::var("SEED").map_or(clock.subsec_nanos().into(), |s| s.parse().unwrap());
        eprintln!("{test}: replay with SEED={seed}");
        Self(seed)
    }

    /// For one of several threads, whose seeds come from a common one.
    pub(crate) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but not including `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next().to_le_bytes()[0]).collect()
    }
}
