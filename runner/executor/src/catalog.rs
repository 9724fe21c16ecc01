//! The catalog of a target, for people who review queries there: by statements of ours only, of what
//! the signed policy grants only, and recorded before anybody gets it.

use std::sync::Arc;

use domain::analysis::Catalog;
use domain::{PersonId, TargetId};
use ledger::{AppendError, Entry, Event as Logged};
use serde::Serialize;
use targets::TargetError;

use crate::host::json;
use crate::ports::{NoConnector, Sight};
use crate::reach::NotReached;
use crate::runner::Inner;

/// Why there is no catalog.
#[derive(Debug, thiserror::Error)]
pub enum NoCatalog {
    /// The target is not to be reached now.
    #[error(transparent)]
    NotReached(#[from] NotReached),
    /// No way to it.
    #[error(transparent)]
    NoWay(#[from] NoConnector),
    /// It does not answer, or is not what policy says.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Nothing leaves unrecorded.
    #[error("that it is read cannot be recorded")]
    NotRecorded(#[from] AppendError),
}

/// The payload of the entry.
#[derive(Serialize)]
struct Note<'a> {
    person: &'a PersonId,
    target: &'a TargetId,
}

impl Inner {
    /// Reads the catalog of `target`, for `reader`, as the control plane names them.
    pub(crate) async fn catalog(
        &self,
        target: &TargetId,
        reader: &PersonId,
    ) -> Result<Vec<u8>, NoCatalog> {
        let authority = self.authority_now()?;
        let policy = self.reached(&authority, target, reader)?;
        // One at a time, whoever asks: reviewers do not take a replica's sessions from runs.
        let _one = self.asking_for_others.lock().await;
        let connector = self.connectors.connector(policy, Sight::default())?;
        let catalog: Catalog = connector.catalog().await?;
        let bytes = json(&catalog);
        let event = Logged::CatalogRead { bytes: bytes.len() as u64 };
        self.ledger
            .append_durable(Entry::new(event, json(&Note { person: reader, target })))
            .await?;
        Ok(bytes)
    }
}

/// Does it in a task of its own: a caller that goes away leaves no session open half-way.
pub(crate) async fn catalog(
    inner: &Arc<Inner>,
    target: &TargetId,
    reader: &PersonId,
) -> Result<Vec<u8>, NoCatalog> {
    let (inner, target, reader) = (Arc::clone(inner), target.clone(), reader.clone());
    let read = tokio::spawn(async move { inner.catalog(&target, &reader).await });
    read.await.unwrap_or(Err(NoCatalog::Target(TargetError::SessionLost)))
}
