//! Facts about this run; the same again in a replay.

use crate::bindings::borescope::debug::run_context as host;

/// The host's own maximum for one call, in bytes.
const RANDOM_CALL_BYTES_MAX: usize = 65_536;

/// The run's id.
#[must_use]
pub fn run_id() -> String {
    host::run_id()
}

/// The start of the run, RFC 3339 in UTC. It does not move while the script runs.
#[must_use]
pub fn started_at() -> String {
    host::started_at()
}

/// `len` bytes from a generator that the runner seeded. Not secret: the seed is recorded.
#[must_use]
pub fn random_bytes(len: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(len);
    while bytes.len() < len {
        let wanted = (len - bytes.len()).min(RANDOM_CALL_BYTES_MAX);
        // At most 65,536, so it fits; a host that returned nothing would be a broken contract.
        let part = host::random_bytes(u32::try_from(wanted).unwrap_or(u32::MAX));
        assert!(!part.is_empty(), "the host returned no random bytes");
        bytes.extend(part);
    }
    bytes
}

/// Instructions that the run may still use, as the host counts them.
#[must_use]
pub fn fuel_left() -> u64 {
    host::fuel_left()
}
