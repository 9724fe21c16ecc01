//! The run order: what the control plane hands to a runner, as bytes.
//!
//! It carries signed documents and nothing else that matters: every unsigned byte of it could be an
//! attacker's. Files and input come by digest through [`crate::ports::Blobs`].

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use trust::{ChainDocuments, Envelope};

/// Bytes of an order: a policy, and as many reviews and approvals as anybody needs.
pub const ORDER_BYTES_MAX: usize = 8 << 20;

/// The documents of one run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunOrder {
    /// The order format's version: 1.
    pub v: u8,
    /// Who may sign what: the pinned keyring, or an earlier one.
    pub keyring: Envelope,
    /// The keyrings that follow it, every version up to the newest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<Envelope>,
    /// The people.
    pub directory: Envelope,
    /// The targets.
    pub policy: Envelope,
    /// Everything about this run.
    pub documents: ChainDocuments,
}

/// An order whose largest documents are not read yet.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOrder<'o> {
    v: u8,
    keyring: Envelope,
    #[serde(default)]
    successors: Vec<Envelope>,
    #[serde(borrow)]
    directory: &'o RawValue,
    #[serde(borrow)]
    policy: &'o RawValue,
    documents: ChainDocuments,
}

/// Why bytes are no order.
#[derive(Debug, thiserror::Error)]
pub enum OrderError {
    /// Too long.
    #[error("the run order has {0} bytes; at most {ORDER_BYTES_MAX} are read")]
    Size(usize),
    /// Not the JSON of an order.
    #[error("the run order cannot be parsed")]
    Json(#[from] serde_json::Error),
    /// Another version.
    #[error("the run order has version {0}; this runner reads version 1")]
    Version(u8),
}

impl RunOrder {
    /// The order's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::host::json(self)
    }
}

/// Reads orders. Nearly all of them bring the same people and targets again, hundreds of kilobytes, so
/// these are remembered as they were read last.
#[derive(Default)]
pub struct OrderReader {
    directory: Remembered,
    policy: Remembered,
}

impl OrderReader {
    /// Parses an order; nothing in it is believed yet.
    ///
    /// # Errors
    /// When it is too long or not of this format.
    pub fn read(&self, bytes: &[u8]) -> Result<RunOrder, OrderError> {
        if bytes.len() > ORDER_BYTES_MAX {
            return Err(OrderError::Size(bytes.len()));
        }
        let RawOrder { v, keyring, successors, directory, policy, documents } =
            serde_json::from_slice(bytes)?;
        if v != 1 {
            return Err(OrderError::Version(v));
        }
        let (directory, policy) = (self.directory.read(directory)?, self.policy.read(policy)?);
        Ok(RunOrder { v, keyring, successors, directory, policy, documents })
    }
}

/// A text and what it says.
#[derive(Default)]
struct Remembered(Mutex<Option<(Box<str>, Envelope)>>);

impl Remembered {
    fn read(&self, raw: &RawValue) -> Result<Envelope, serde_json::Error> {
        // Replaced as a whole, so a panic elsewhere leaves it whole.
        let last = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, envelope)) = last().as_ref().filter(|(text, _)| **text == *raw.get()) {
            return Ok(envelope.clone());
        }
        let envelope: Envelope = serde_json::from_str(raw.get())?;
        *last() = Some((raw.get().into(), envelope.clone()));
        Ok(envelope)
    }
}
