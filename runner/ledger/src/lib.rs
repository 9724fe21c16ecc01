//! The ledger: what happened, in an order that cannot be changed unnoticed.
//!
//! A *journal* (the durable append-only file) and a *log* (the Merkle tree over its leaves). An
//! entry has a leaf, which is public and hashed, and a payload, which is private and erasable.
//! `FORMAT.md` beside this crate's manifest has every byte.
//!
//! The core ([`merkle`], [`note`], [`checkpoint`], [`entry`], [`chain`], [`frame`]) takes values and
//! returns values. [`ledger`] adds the one durable group-commit writer, [`evidence`] the offline
//! verification. What is *not* here: what an entry means (crate `executor` and `app`), signed
//! documents and receipts (crate `trust`), witnesses, tiles, encryption of payloads.

pub mod chain;
pub mod checkpoint;
pub mod entry;
pub mod evidence;
pub mod frame;
pub mod journal;
pub mod ledger;
pub mod merkle;
pub mod note;
pub mod storage;
#[cfg(test)]
mod testing;
pub mod writer;

pub use checkpoint::Checkpoint;
pub use entry::{CallStatus, Entry, Event, Leaf, Opening, Position, RunPart, StoredEntry};
pub use evidence::{
    JournalReport, LogProof, Standing, TrustFile, verify_checkpoint, verify_journal,
};
pub use ledger::{Health, Ledger, OpenError, Options, ReadError, Recovered};
pub use note::{LogKey, Origin, VerifierKey};
pub use storage::{FileStorage, Storage};
pub use writer::{AppendError, Poisoned};
