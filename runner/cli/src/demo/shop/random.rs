//! Numbers that look random and are the same every time (SplitMix64). Not for secrets.

/// A generator; the seed is its whole state.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `end`, which is positive.
    pub(super) fn below(&mut self, end: i64) -> i64 {
        // 63 bits are never negative; the bias of the remainder does not matter to a shop.
        (self.next() >> 1).cast_signed() % end
    }

    /// True once in `times`.
    pub(super) fn once_in(&mut self, times: i64) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let len = i64::try_from(from.len()).unwrap_or(i64::MAX);
        from[usize::try_from(self.below(len)).unwrap_or(0)]
    }
}
