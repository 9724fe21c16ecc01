//! Keys of hashed columns. Whoever opens a session derives them; here they are only used.

use std::collections::BTreeMap;
use std::fmt;

use domain::mask::HashClass;
use zeroize::Zeroizing;

/// Bytes of a block of SHA-256, to which HMAC pads its key.
const BLOCK: usize = 64;

/// The key of one class of hashes. It leaves memory when dropped and is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct HashKey(Zeroizing<[u8; 32]>);

/// The keys of a session, by class.
pub type HashKeys = BTreeMap<HashClass, HashKey>;

impl HashKey {
    /// A key.
    #[must_use]
    pub fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// What HMAC's inner and outer hash begin with.
    pub(crate) fn pads(&self) -> [Zeroizing<[u8; BLOCK]>; 2] {
        [0x36, 0x5c].map(|pad| {
            let mut block = Zeroizing::new([pad; BLOCK]);
            block.iter_mut().zip(self.0.iter()).for_each(|(byte, key)| *byte ^= key);
            block
        })
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(hidden)")
    }
}
