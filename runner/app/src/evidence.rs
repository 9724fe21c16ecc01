//! The evidence of one run, put together from what the runner signed and the log proves.

use domain::RunId;
use executor::evidence::RunEvidence;
use ledger::{LogProof, Position};
use store::Document;
use trust::Envelope;

use crate::login::Who;
use crate::{App, AppError};

/// A receipt with the proof that the run's last entry is in the log.
#[derive(Debug, Clone)]
pub struct Receipted {
    /// The receipt, as the runner signed it.
    pub receipt: Document,
    /// The proof.
    pub proof: LogProof,
}

impl App {
    /// A run's receipt with its proof.
    ///
    /// # Errors
    /// As [`App::run`]; [`AppError::NoEvidence`] when the run has no receipt.
    pub async fn receipt(&self, who: &Who, id: &RunId) -> Result<Receipted, AppError> {
        const NONE: AppError = AppError::NoEvidence(
            "the run has no receipt: it never started, has not ended, or was lost",
        );
        let run = self.readable_run(who, id).await?;
        let receipt = run.receipt.ok_or(NONE)?;
        let receipt = self.store.document(receipt.as_str()).await?.ok_or(NONE)?;
        let entry = self.store.document_entry(&receipt.digest).await?.ok_or(NONE)?;
        let proof = self.ledger.proof(Position::from_index(entry.index))?;
        Ok(Receipted { receipt, proof })
    }

    /// Everything that `borescope verify` needs about a run, in one file.
    ///
    /// # Errors
    /// As [`App::receipt`].
    pub async fn evidence(&self, who: &Who, id: &RunId) -> Result<RunEvidence, AppError> {
        let Receipted { receipt, proof } = self.receipt(who, id).await?;
        let unreadable = |_| AppError::NoEvidence("the receipt's content was erased");
        Ok(RunEvidence {
            v: 1,
            receipt: Envelope::from_json(&receipt.envelope).map_err(unreadable)?,
            proof,
            keyring: self.documents.keyring.clone(),
            successors: self.documents.successors.clone(),
            directory: self.documents.directory.clone(),
            policy: self.documents.policy.clone(),
        })
    }
}
