//! One run's evidence in one file, and its verification offline against a trust file.
//!
//! The file holds the receipt, the proof that the run's last entry is in the log, and the documents
//! that say which key signs receipts. Nothing in it is believed because it is there.

use domain::decide::Window;
use domain::{Digest, Outcome, Timestamp};
use ledger::evidence::EvidenceError;
use ledger::{Event, LogProof, Standing, TrustFile};
use serde::{Deserialize, Serialize};

use trust::{
    Authority, AuthorityError, DocumentError, Envelope, Keyring, Pinned, Receipt, Seen, VersionRef,
    read_unverified,
};

/// The evidence of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunEvidence {
    /// The evidence format's version: 1.
    pub v: u8,
    /// The signed receipt.
    pub receipt: Envelope,
    /// That the run's last entry is in the log.
    pub proof: LogProof,
    /// The keyring in force at the run, or one that it follows.
    pub keyring: Envelope,
    /// The keyrings that follow it, up to the one in force at the run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub successors: Vec<Envelope>,
    /// The directory in force at the run.
    pub directory: Envelope,
    /// The policy in force at the run; it names the runner's key.
    pub policy: Envelope,
}

/// What verification established.
#[derive(Debug, Clone)]
pub struct Verified {
    /// What the runner states.
    pub receipt: Receipt,
    /// Who vouches for it.
    pub standing: Standing,
    /// Entries that the checkpoint covers.
    pub log_index: u64,
}

/// Why evidence is not valid.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceFault {
    /// Not the JSON of evidence.
    #[error("this is no evidence file of this version")]
    Malformed(#[source] serde_json::Error),
    /// Another version.
    #[error("the evidence has version {0}; use a newer borescope")]
    Version(u8),
    /// The log's part is invalid.
    #[error("the log does not prove the run")]
    Log(#[from] EvidenceError),
    /// The documents are invalid.
    #[error("keyring, directory and policy are not those of the trust domain")]
    Authority(#[from] AuthorityError),
    /// The receipt is invalid.
    #[error("the receipt is not valid")]
    Receipt(#[from] DocumentError),
    /// Pieces that are valid each, but of different runs.
    #[error("{0}")]
    Mismatch(&'static str),
    /// The recording or output given is not the one of the receipt.
    #[error("the {what} is {got}, the receipt says {expected}")]
    Other {
        /// `recording` or `output`.
        what: &'static str,
        /// The digest of what was given.
        got: Digest,
        /// The digest in the receipt.
        expected: Digest,
    },
}

/// Parses an evidence file.
///
/// # Errors
/// When it is malformed or of another version.
pub fn parse(bytes: &[u8]) -> Result<RunEvidence, EvidenceFault> {
    let evidence: RunEvidence = serde_json::from_slice(bytes).map_err(EvidenceFault::Malformed)?;
    if evidence.v == 1 { Ok(evidence) } else { Err(EvidenceFault::Version(evidence.v)) }
}

impl RunEvidence {
    /// Verifies everything that can be verified offline. Without a trust file the result is at most
    /// self-consistent.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self, trust: Option<&TrustFile>) -> Result<Verified, EvidenceFault> {
        let (leaf, standing) = self.proof.verify(trust)?;
        // The documents were in force when the run ended, which the receipt states and the log dates.
        let at = Timestamp::from_unix_s(i64::try_from(leaf.at_ms / 1000).unwrap_or(i64::MAX));
        let authority = self.authority(trust, at)?;
        let receipt = authority.verify_receipt(&self.receipt)?.into_doc();
        let Event::RunFinished { run, outcome, recording, receipt: digest } = &leaf.event else {
            return Err(EvidenceFault::Mismatch("the proof is not of a run's last entry"));
        };
        if *run != receipt.run || *digest != Some(self.receipt.payload_digest()) {
            return Err(EvidenceFault::Mismatch("receipt and log entry are of different runs"));
        }
        if *outcome != receipt.outcome || Some(*recording) != receipt.recording {
            return Err(EvidenceFault::Mismatch(
                "receipt and log entry disagree about the outcome or the recording",
            ));
        }
        let window = Window { not_before: receipt.started_at, not_after: receipt.ended_at };
        if window.seconds() < 0 || receipt.outcome == Outcome::Denied {
            return Err(EvidenceFault::Mismatch("the receipt contradicts itself"));
        }
        Ok(Verified { receipt, standing, log_index: self.proof.index })
    }

    /// The authority of the trust file's keyring; without one, of the keyring that came along.
    fn authority(
        &self,
        trust: Option<&TrustFile>,
        at: Timestamp,
    ) -> Result<Authority, EvidenceFault> {
        let digest = trust.map_or_else(|| self.keyring.payload_digest(), |t| t.keyring);
        let mut all = [&self.keyring].into_iter().chain(&self.successors);
        // A pin is a digest; which version that is, the keyring itself says.
        let named = all.find(|k| k.payload_digest() == digest).unwrap_or(&self.keyring);
        let claimed: Keyring = read_unverified(named)?;
        let domain = trust.map(|t| t.trust_domain.clone());
        let pinned = Pinned {
            trust_domain: domain.unwrap_or(claimed.header.trust_domain),
            keyring: VersionRef { version: claimed.version, digest },
        };
        Ok(Authority::establish(
            &self.keyring,
            &self.successors,
            &self.directory,
            &self.policy,
            &pinned,
            &Seen::default(),
            at,
        )?)
    }
}

impl Verified {
    /// Checks that bytes at hand are the recording that the receipt names.
    ///
    /// # Errors
    /// When they are not.
    pub fn check_recording(&self, bytes: &[u8]) -> Result<(), EvidenceFault> {
        check("recording", bytes, self.receipt.recording)
    }

    /// Checks that bytes at hand are the output that the receipt names.
    ///
    /// # Errors
    /// When they are not.
    pub fn check_output(&self, bytes: &[u8]) -> Result<(), EvidenceFault> {
        check("output", bytes, self.receipt.output)
    }
}

fn check(what: &'static str, bytes: &[u8], expected: Option<Digest>) -> Result<(), EvidenceFault> {
    let got = Digest::of(bytes);
    let expected = expected.ok_or(EvidenceFault::Mismatch("the receipt names no such file"))?;
    if got == expected { Ok(()) } else { Err(EvidenceFault::Other { what, got, expected }) }
}
