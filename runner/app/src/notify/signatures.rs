//! Whose key signed what an entry of the ledger records.

use std::collections::BTreeMap;

use domain::PersonId;
use executor::Together;
use ledger::{Event, StoredEntry};
use serde::Deserialize;
use serde_json::json;
use trust::{ChainDocuments, Envelope};

use super::kind::Kind;
use super::notice::Draft;
use crate::App;

/// What is read of the runner's note beside a run's start.
#[derive(Deserialize)]
pub(super) struct StartNote {
    pub(super) documents: ChainDocuments,
}

impl App {
    /// A draft for each person whose key signed what an entry records.
    pub(super) fn keys_used(&self, entry: &StoredEntry) -> Vec<Draft> {
        let Some((what, id)) = document(&entry.leaf.event) else { return Vec::new() };
        let command = match &entry.leaf.event {
            Event::RunStarted { run, .. } => format!("borescope show {run}"),
            _ => format!("borescope show {id}"),
        };
        let draft = |(key, person): (String, PersonId)| Draft {
            kind: Kind::KeyUsed,
            text: format!(
                "{person}'s key {key} signed {what}; if that was not {person}: borescope stop key {key}"
            ),
            wants: self.with_owner(&person),
            about: id.clone(),
            command: command.clone(),
            path: format!("/v1/documents/{id}"),
            facts: vec![("by", json!(person)), ("key", json!(key))],
        };
        self.signers(entry).into_iter().map(draft).collect()
    }

    /// Whose keys signed what an entry records, by fingerprint. The signatures were verified when it
    /// was accepted.
    pub(super) fn signers(&self, entry: &StoredEntry) -> BTreeMap<String, PersonId> {
        let adopted = self.adopted();
        let people = &adopted.authority.directory().people;
        let keys = people.iter().flat_map(|p| p.keys.iter().map(move |k| (k, &p.id)));
        let whose: BTreeMap<_, _> = keys.map(|(k, id)| (k.key.fingerprint(), id)).collect();
        let Some(envelope) = signed_in(entry) else { return BTreeMap::new() };
        let signed = envelope.signatures().iter().filter_map(|s| {
            let key = s.key().fingerprint();
            whose.get(&key).map(|id| (key.as_str().to_owned(), (*id).clone()))
        });
        signed.collect()
    }
}

/// What an entry records that somebody signed, and its id or digest.
fn document(event: &Event) -> Option<(&'static str, String)> {
    Some(match event {
        Event::SubmissionAccepted { id, .. } => ("a submission", id.to_string()),
        Event::ReviewAccepted { id, .. } => ("a review", id.to_string()),
        Event::RejectionAccepted { id, .. } => ("a rejection", id.to_string()),
        Event::RequestAccepted { id, .. } => ("an access request", id.to_string()),
        Event::ApprovalAccepted { id, .. } => ("an approval", id.to_string()),
        Event::StopAccepted { id, .. } => ("a stop", id.to_string()),
        Event::LiftAccepted { id, .. } => ("a lift", id.to_string()),
        Event::WithdrawalAccepted { id, .. } => ("a withdrawal", id.to_string()),
        Event::AfterReviewAccepted { id, .. } => ("an after-review", id.to_string()),
        Event::KeyringAdopted { id, .. } => ("a keyring", id.to_string()),
        Event::DirectoryAdopted { id, .. } => ("a directory", id.to_string()),
        Event::PolicyAdopted { id, .. } => ("a policy", id.to_string()),
        Event::RunStarted { order, .. } => ("an order to run", order.to_string()),
        Event::LogOpened { .. }
        | Event::RunDenied { .. }
        | Event::CallIntent { .. }
        | Event::CallOutcome { .. }
        | Event::OutputReleased { .. }
        | Event::RunFinished { .. }
        | Event::RunLost { .. }
        | Event::RunRead { .. }
        | Event::CatalogRead { .. }
        | Event::PlanRead { .. } => return None,
    })
}

/// The envelope that an entry records.
pub(crate) fn signed_in(entry: &StoredEntry) -> Option<Envelope> {
    let payload = entry.payload()?;
    match &entry.leaf.event {
        Event::KeyringAdopted { .. } => Together::parse(payload).ok()?.keyring().cloned(),
        Event::RunStarted { .. } => {
            serde_json::from_slice::<StartNote>(payload).ok().map(|n| n.documents.run_request)
        }
        _ => Envelope::from_json(payload).ok(),
    }
}
