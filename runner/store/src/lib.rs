//! The control plane's state on SQLite, and its blobs as files.
//!
//! A projection of the ledger: a [`Tx`] from [`Store::project`] carries the index of the ledger
//! entry that it projects, and projecting the same entry again does nothing. Documents are stored as
//! the bytes that came. What this is *not*: the truth (that is crate `ledger`), anything that a
//! runner believes (it verifies signed bytes itself, crate `executor`), or a place for rules (crates
//! `domain`, `trust`). Neighbours: crate `app` is the only user; `migrations/sqlite` is the schema.
//!
//! Reads are methods of [`Store`]; writes that project the ledger are methods of [`Tx`]; single
//! writes that only this process needs (sessions, challenges, idempotency) are methods of [`Store`].

mod audit;
mod blobs;
mod documents;
mod error;
mod idempotency;
mod key_claims;
mod meta;
mod notify;
mod open;
mod proposals;
mod revisions;
mod row;
mod runs;
mod sessions;
mod sql;
mod tx;

pub use audit::{AuditFilter, AuditRow};
pub use blobs::{BlobError, BlobWriter, Blobs};
pub use documents::{Document, DocumentEntry, DocumentKind, Filter, Reference};
pub use error::StoreError;
pub use idempotency::{Claim, IdempotencyKey, KEYS_PER_PERSON_MAX, RESPONSE_BYTES_MAX};
pub use key_claims::{KEY_CLAIMS_MAX, KEY_CLAIMS_PER_PEER_MAX, KeyClaim};
pub use meta::Anchor;
pub use open::Store;
pub use proposals::{PROPOSALS_MAX, Proposal};
pub use revisions::{Revision, RevisionFile};
pub use runs::{Run, RunEnd, RunEvent, RunFilter};
pub use sessions::{CHALLENGES_OPEN_MAX, Challenge, Session};
pub use tx::Tx;

/// Rows that one list returns; a longer list would not be read by a person.
pub const LIST_ROWS_MAX: u32 = 1_000;

#[cfg(test)]
mod tests;
