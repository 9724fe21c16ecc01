//! Offline verification, with nothing but files and a trust file in hand.
//!
//! Without a trust file everything can be checked except who made it, and the answer says so:
//! [`Standing::SelfConsistent`] is not authentic. Receipts and signed documents are not verified
//! here, only that their log entries exist; crates `trust` and `executor` do the rest.
//! Neighbours: [`crate::ledger`] makes the proofs, [`crate::merkle::proof`] has the arithmetic.

#[cfg(test)]
mod tests;
mod trust_file;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use domain::Digest;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Checkpoint, CheckpointError};
use crate::entry::{Leaf, LeafError};
use crate::journal::{CHECKPOINT_FILE, JOURNAL_FILE, JournalError, Scan};
use crate::merkle::leaf_hash;
use crate::merkle::proof::{ProofError, verify_inclusion};
use crate::note::{Note, NoteError};

pub use trust_file::{TrustFile, TrustFileError};

/// That one leaf is in a log, checkable offline. It travels with receipts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogProof {
    /// The leaf's index.
    pub index: u64,
    /// The leaf's bytes, as hashed.
    pub leaf: String,
    /// The inclusion proof for the checkpoint's size.
    pub inclusion: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// What a verification established.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// A log of the trust file signed it.
    Authenticated {
        /// The log's name.
        log: String,
        /// The trust file's witnesses that cosigned. Empty: the holder of the log key is trusted
        /// not to have rewritten history.
        witnesses: Vec<String>,
    },
    /// Nothing contradicts itself; anyone could have made it.
    SelfConsistent,
}

impl fmt::Display for Standing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfConsistent => f.write_str("self-consistent, NOT authenticated"),
            Self::Authenticated { log, witnesses } if witnesses.is_empty() => {
                write!(f, "authenticated: signed by {log}, not witnessed")
            }
            Self::Authenticated { log, witnesses } => {
                write!(f, "authenticated: signed by {log}, witnessed by {}", witnesses.join(", "))
            }
        }
    }
}

/// Why evidence is invalid.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// The checkpoint is malformed or falsely signed.
    #[error("the checkpoint is invalid")]
    Checkpoint(#[from] CheckpointError),
    /// Signed by no log of the trust file.
    #[error("the checkpoint of {0} is signed by no log of the trust file")]
    UntrustedLog(String),
    /// The trust file lists witnesses, and none cosigned.
    #[error("no witness of the trust file has cosigned the checkpoint of {0}")]
    NotWitnessed(String),
    /// The leaf is malformed.
    #[error("the leaf is invalid")]
    Leaf(#[from] LeafError),
    /// The leaf is not where the proof says.
    #[error("the leaf is not proved to be in the log")]
    Proof(#[from] ProofError),
    /// The journal cannot be read to its end.
    #[error("the journal is invalid")]
    Journal(#[from] JournalError),
    /// There is no checkpoint, or it cannot be read; only a checkpoint authenticates a journal.
    #[error("cannot read {}: without a checkpoint the journal cannot be authenticated", path.display())]
    NoCheckpoint {
        /// The missing file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Checkpoint and journal are of different logs.
    #[error("the checkpoint is of log {checkpoint}, the journal of log {journal}")]
    OtherLog {
        /// The checkpoint's log.
        checkpoint: String,
        /// The journal's log.
        journal: String,
    },
    /// The journal is shorter than its checkpoint.
    #[error(
        "the journal has {entries} entries, the checkpoint covers {covered}: entries are missing"
    )]
    Missing {
        /// Entries in the journal.
        entries: u64,
        /// Entries that the checkpoint covers.
        covered: u64,
    },
    /// The journal's entries are not those that were signed.
    #[error("the journal's first {covered} entries are not the ones that the checkpoint covers")]
    Rewritten {
        /// Entries that the checkpoint covers.
        covered: u64,
    },
}

/// Verifies the signatures of a checkpoint against a trust file.
///
/// # Errors
/// When it is malformed, signed by no listed log, or cosigned by no listed witness although there
/// are some. A false signature under a listed name is an error even beside a true one.
pub fn verify_checkpoint(
    text: &str,
    trust: Option<&TrustFile>,
) -> Result<(Checkpoint, Standing), EvidenceError> {
    let (checkpoint, note) = Checkpoint::parse(text)?;
    let Some(trust) = trust else {
        return Ok((checkpoint, Standing::SelfConsistent));
    };
    let origin = checkpoint.origin.to_string();
    let mut signed = false;
    for key in trust.logs.iter().filter(|key| *key.name() == checkpoint.origin) {
        signed |= present(note.verify(key))?.is_some();
    }
    if !signed {
        return Err(EvidenceError::UntrustedLog(origin));
    }
    let witnesses = witnesses(&note, trust)?;
    if witnesses.is_empty() && !trust.witnesses.is_empty() {
        return Err(EvidenceError::NotWitnessed(origin));
    }
    Ok((checkpoint, Standing::Authenticated { log: origin, witnesses }))
}

fn witnesses(note: &Note, trust: &TrustFile) -> Result<Vec<String>, EvidenceError> {
    let mut names = Vec::new();
    for witness in &trust.witnesses {
        if present(note.verify_cosignature(witness))?.is_some() {
            names.push(witness.name().to_string());
        }
    }
    Ok(names)
}

/// A key's missing signature is no error, a false one is.
fn present<T>(verified: Result<T, NoteError>) -> Result<Option<T>, EvidenceError> {
    match verified {
        Ok(value) => Ok(Some(value)),
        Err(NoteError::Unsigned(_)) => Ok(None),
        Err(e @ (NoteError::BadSignature(_) | NoteError::Malformed(_))) => {
            Err(CheckpointError::from(e).into())
        }
    }
}

impl LogProof {
    /// Verifies leaf, inclusion and checkpoint; returns the parsed leaf and what was established.
    ///
    /// # Errors
    /// When any of them is invalid.
    pub fn verify(&self, trust: Option<&TrustFile>) -> Result<(Leaf, Standing), EvidenceError> {
        let (checkpoint, standing) = verify_checkpoint(&self.checkpoint, trust)?;
        let leaf = Leaf::parse(self.leaf.as_bytes())?;
        let hash = leaf_hash(self.leaf.as_bytes());
        verify_inclusion(&hash, self.index, checkpoint.size, &self.inclusion, &checkpoint.root)?;
        Ok((leaf, standing))
    }
}

/// What a whole journal was found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalReport {
    /// The log.
    pub log: String,
    /// Entries, all sound.
    pub entries: u64,
    /// Entries whose payload has been erased.
    pub erased: u64,
    /// Runs that have started.
    pub runs: u64,
    /// Runs that have started and not ended.
    pub runs_open: u64,
    /// Entries that the checkpoint covers; later ones are not authenticated.
    pub covered: u64,
    /// Bytes of an incomplete last frame: a crash, or a writer at work.
    pub torn_bytes: u64,
    /// Root over all entries.
    pub root: Digest,
    /// What the checkpoint establishes for the entries that it covers.
    pub standing: Standing,
}

/// Verifies the journal in `dir` from genesis: every frame, commitment, chain and time, and that
/// its tree has the root of the signed checkpoint beside it. Changes nothing; a writer may be at
/// work.
///
/// # Errors
/// At the first thing that is wrong, with its place.
pub fn verify_journal(
    dir: &Path,
    trust: Option<&TrustFile>,
) -> Result<JournalReport, EvidenceError> {
    // The checkpoint is read first: a writer at work only makes the journal longer than it.
    let path = dir.join(CHECKPOINT_FILE);
    let checkpoint = match (std::fs::read_to_string(&path), trust) {
        (Ok(text), _) => Some(verify_checkpoint(&text, trust)?),
        (Err(e), None) if e.kind() == io::ErrorKind::NotFound => None,
        (Err(source), _) => return Err(EvidenceError::NoCheckpoint { path, source }),
    };
    let mut scan = Scan::open(&dir.join(JOURNAL_FILE))?;
    let mut erased = 0;
    while let Some(entry) = scan.next_entry()? {
        erased += u64::from(entry.opening.is_none());
    }
    let entries = scan.tree.size();
    let (covered, standing) = match checkpoint {
        None => (0, Standing::SelfConsistent),
        Some((checkpoint, standing)) => {
            if checkpoint.origin != scan.origin {
                let (checkpoint, journal) =
                    (checkpoint.origin.to_string(), scan.origin.to_string());
                return Err(EvidenceError::OtherLog { checkpoint, journal });
            }
            let covered = checkpoint.size;
            match scan.tree.root_at(covered) {
                None => return Err(EvidenceError::Missing { entries, covered }),
                Some(root) if root != checkpoint.root => {
                    return Err(EvidenceError::Rewritten { covered });
                }
                Some(_) => (covered, standing),
            }
        }
    };
    Ok(JournalReport {
        log: scan.origin.to_string(),
        entries,
        erased,
        runs: scan.chains.runs(),
        runs_open: scan.chains.open_runs().len() as u64,
        covered,
        torn_bytes: scan.torn_bytes(),
        // The scan's own tree always has a root at its own size.
        root: scan.tree.root_at(entries).unwrap_or_else(|| Digest::of(b"")),
        standing,
    })
}
