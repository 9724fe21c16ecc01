//! A small mutator: repeats with its seed, knows nothing of formats but that they have lengths.

/// Bytes of a mutated input.
const BYTES_MAX: usize = 1 << 20;

/// Where bytes come from; `SplitMix64`.
pub struct Mutator(u64);

impl Mutator {
    /// One sequence for each seed.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, or 0.
    fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap_or_default()
    }

    /// A part of `len` bytes, mostly short.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        let most = (len - start).min([4, 64, len][self.below(3)]);
        start..start + self.below(most + 1)
    }

    /// One of `corpus` with one to four changes.
    pub fn mutate(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = corpus[self.below(corpus.len())].clone();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes, corpus);
        }
        bytes.truncate(BYTES_MAX);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.below(bytes.len());
        match self.below(8) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 => bytes.truncate(at),
            // The rest of another input.
            2 => {
                let other = &corpus[self.below(corpus.len())];
                let from = self.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
            // A length that lies.
            3 => {
                let lies = [0, 1, 0x7f, 0x80, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff_u32];
                let lie = lies[self.below(lies.len())];
                let lie = if self.below(2) == 0 { lie.to_be_bytes() } else { lie.to_le_bytes() };
                let end = bytes.len().min(at + 4);
                bytes.splice(at..end, lie);
            }
            4 => {
                let range = self.range(bytes.len());
                let part = bytes[range].to_vec();
                let times = 1 + self.below(3) + 200 * usize::from(self.below(20) == 0);
                bytes.splice(at..at, part.repeat(times));
            }
            5 => drop(bytes.drain(self.range(bytes.len()))),
            6 if !bytes.is_empty() => {
                let likely = b"\0\xff\x80\"\\{}[]()=,.:;'\n\r\t \x1b-+0123456789eE/$@A";
                bytes[at] = likely[self.below(likely.len())];
            }
            _ => {
                let more: Vec<u8> =
                    (0..self.below(9)).map(|_| self.next().to_be_bytes()[0]).collect();
                bytes.splice(at..at, more);
            }
        }
    }
}
