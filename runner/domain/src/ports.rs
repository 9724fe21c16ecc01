//! Clock and entropy as parameters. The real ones live in `executor::ports`; tests pass manual
//! ones, which is what makes replay, golden files and fault tests possible.

use crate::Timestamp;

/// A source of time.
pub trait Clock: Send + Sync {
    /// Milliseconds since the Unix epoch. Somebody may set it, forward or back.
    fn now_ms(&self) -> u64;

    /// Milliseconds since some moment that stays the same as long as the process lives. It never goes
    /// back, nobody sets it, and it goes on while the machine is suspended.
    fn elapsed_ms(&self) -> u64;

    /// The current second.
    fn now(&self) -> Timestamp {
        Timestamp::from_unix_s(i64::try_from(self.now_ms() / 1000).unwrap_or(i64::MAX))
    }
}

/// A source of unpredictable bytes. An implementation that cannot deliver must not return.
pub trait Entropy: Send + Sync {
    /// Fills `out` with unpredictable bytes.
    fn fill(&self, out: &mut [u8]);

    /// 16 fresh bytes, the size of a document's salt.
    fn salt(&self) -> [u8; 16] {
        let mut out = [0; 16];
        self.fill(&mut out);
        out
    }
}
