//! The catalog of a target, for people who review queries there: by statements of ours only, of what
//! the signed policy grants only, and recorded before anybody gets it.

use std::sync::Arc;

use domain::analysis::Catalog;
use domain::decide::StopSubject;
use domain::{PersonId, TargetId};
use ledger::{AppendError, Entry, Event as Logged};
use serde::Serialize;
use targets::TargetError;

use crate::host::json;
use crate::ports::{NoConnector, Sight};
use crate::runner::Inner;

/// Why there is no catalog.
#[derive(Debug, thiserror::Error)]
pub enum NoCatalog {
    /// No policy says what is granted, or it is valid no more.
    #[error("this runner has no keyring, directory and policy that are valid now")]
    NoAuthority,
    /// No target of this runner's.
    #[error("the policy has no target {0} for this runner")]
    Unknown(TargetId),
    /// Somebody stopped it.
    #[error("{0} is stopped; a stop ends only by a signed lift")]
    Stopped(StopSubject),
    /// Nobody says what is in force, and the target is production.
    #[error(
        "{0} is marked prod, and nobody says what is in force now: have a status signed by a holder \
         of the role `status`"
    )]
    NotFresh(TargetId),
    /// No way to it.
    #[error(transparent)]
    NoWay(#[from] NoConnector),
    /// It does not answer, or is not what policy says.
    #[error("{0}")]
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
        let authority = self.authority_in_force().ok_or(NoCatalog::NoAuthority)?;
        let now = self.now();
        let valid = [
            authority.keyring().header.window(),
            authority.directory().header.window(),
            authority.policy().header.window(),
        ];
        if !valid.iter().all(|window| window.contains(now)) {
            return Err(NoCatalog::NoAuthority);
        }
        let known = authority.target(target).filter(|t| t.runners.contains(&self.name));
        let policy = known.ok_or_else(|| NoCatalog::Unknown(target.clone()))?;
        let in_force = self.state.in_force();
        let against = |s: &StopSubject| match s {
            StopSubject::Everything => true,
            StopSubject::Target(t) => t == target,
            StopSubject::Person(person) => person == reader,
            StopSubject::Key(_) | StopSubject::Revision(_) | StopSubject::Request(_) => false,
        };
        if let Some((_, stop)) = in_force.stops().find(|(_, stop)| against(stop)) {
            return Err(NoCatalog::Stopped(stop.clone()));
        }
        if policy.prod && self.fresh_until().is_none() {
            return Err(NoCatalog::NotFresh(target.clone()));
        }
        // One at a time, whoever asks: reviewers do not take a replica's sessions from runs.
        let _one = self.reading_catalogs.lock().await;
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
