//! The seeded generator: every byte of randomness that a script sees is a function of the seed in
//! the recording's header. Block `i` is SHA-256(`borescope-random-v1` ‖ 0 ‖ label ‖ 0 ‖ seed ‖ i as
//! 64 bits, big-endian). Ours, so that no library's choices are in the replay contract.

use sha2::{Digest as _, Sha256};

/// One stream of bytes.
pub(crate) struct Stream {
    label: &'static str,
    seed: [u8; 32],
    next_block: u64,
    block: [u8; 32],
    used: usize,
}

impl Stream {
    pub(crate) fn new(label: &'static str, seed: [u8; 32]) -> Self {
        Self { label, seed, next_block: 0, block: [0; 32], used: 32 }
    }

    /// The next `len` bytes.
    pub(crate) fn bytes(&mut self, len: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(len);
        while out.len() < len {
            if self.used == self.block.len() {
                self.refill();
            }
            let take = (len - out.len()).min(self.block.len() - self.used);
            out.extend_from_slice(&self.block[self.used..self.used + take]);
            self.used += take;
        }
        out
    }

    /// The next 8 bytes as a number, little-endian.
    pub(crate) fn number(&mut self) -> u64 {
        self.bytes(8).iter().rev().fold(0, |n, b| n << 8 | u64::from(*b))
    }

    fn refill(&mut self) {
        let mut h = Sha256::new();
        h.update(b"borescope-random-v1\0");
        h.update(self.label.as_bytes());
        h.update([0]);
        h.update(self.seed);
        h.update(self.next_block.to_be_bytes());
        self.block = h.finalize().into();
        self.next_block += 1;
        self.used = 0;
    }
}
