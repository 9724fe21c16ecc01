//! The evidence of one run, put together from what the runner signed and the log proves.

use domain::RunId;
use executor::AuthorityDocuments;
use executor::evidence::RunEvidence;
use ledger::{LogProof, Position};
use store::{Document, DocumentKind};
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
    /// [`AppError::NotFound`] when there is no run that the person may read;
    /// [`AppError::NoEvidence`] when it has no receipt.
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
        let AuthorityDocuments { keyring, successors, directory, policy } =
            self.documents_at(proof.index).await?;
        Ok(RunEvidence {
            v: 1,
            receipt: Envelope::from_json(&receipt.envelope).map_err(unreadable)?,
            proof,
            keyring,
            successors,
            directory,
            policy,
        })
    }

    /// What was in force at entry `index`: later keyrings, directories and policies say nothing about a
    /// run that is over.
    async fn documents_at(&self, index: u64) -> Result<AuthorityDocuments, AppError> {
        let mut documents = self.adopted().documents.clone();
        for (kind, newest) in [
            (DocumentKind::Directory, &mut documents.directory),
            (DocumentKind::Policy, &mut documents.policy),
        ] {
            let then = self.store.document_before(kind, index).await?;
            if let Some(then) = then.and_then(|d| Envelope::from_json(&d.envelope).ok()) {
                *newest = then;
            }
        }
        let named = trust::named(&documents.directory);
        if let Some(keyring) = named.ok().and_then(|n| n.keyring) {
            let later = documents.successors.iter();
            let known = later.take_while(|k| {
                trust::named(k).is_ok_and(|n| n.version.version <= keyring.version)
            });
            documents.successors.truncate(known.count());
        }
        Ok(documents)
    }
}
