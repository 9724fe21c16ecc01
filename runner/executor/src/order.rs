//! The run order: what the control plane hands to a runner, as bytes.
//!
//! It carries signed documents and nothing else that matters: every unsigned byte of it could be an
//! attacker's. Files and input come by digest through [`crate::ports::Blobs`].

use serde::{Deserialize, Serialize};
use trust::{ChainDocuments, Envelope};

/// Bytes of an order: a policy, and as many reviews and approvals as anybody needs.
pub const ORDER_BYTES_MAX: usize = 8 << 20;

/// The documents of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunOrder {
    /// The order format's version: 1.
    pub v: u8,
    /// Who may sign what: the pinned keyring, or an earlier one.
    pub keyring: Envelope,
    /// The keyrings that follow it, every version up to the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<Envelope>,
    /// The people.
    pub directory: Envelope,
    /// The targets.
    pub policy: Envelope,
    /// Everything about this run.
    pub documents: ChainDocuments,
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

    /// Parses an order; nothing in it is believed yet.
    ///
    /// # Errors
    /// When it is too long or not of this format.
    pub fn parse(bytes: &[u8]) -> Result<Self, OrderError> {
        if bytes.len() > ORDER_BYTES_MAX {
            return Err(OrderError::Size(bytes.len()));
        }
        let order: Self = serde_json::from_slice(bytes)?;
        if order.v == 1 { Ok(order) } else { Err(OrderError::Version(order.v)) }
    }
}
