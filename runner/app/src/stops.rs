//! Stops in force, as the store has them. Lifts come later, so every stop that was accepted counts.

use std::collections::BTreeSet;

use domain::PersonId;
use domain::decide::StopSubject;
use store::{DocumentKind, Filter};
use trust::{Envelope, Stop};

use crate::{App, AppError};

/// What is stopped.
pub(crate) struct Stops {
    pub(crate) subjects: Vec<StopSubject>,
    /// Fingerprints of stopped keys.
    pub(crate) keys: BTreeSet<String>,
}

impl Stops {
    pub(crate) fn has_person(&self, person: &PersonId) -> bool {
        self.subjects.iter().any(|s| matches!(s, StopSubject::Person(p) if p == person))
    }
}

impl App {
    pub(crate) async fn stops(&self) -> Result<Stops, AppError> {
        let filter = Filter { kind: Some(DocumentKind::Stop), ..Filter::default() };
        let mut subjects = Vec::new();
        // All of them: the oldest stop bans as much as the newest.
        for document in self.store.documents_all(&filter).await? {
            // A tombstone bans nothing any more here; the runner refuses to start without its stops.
            let Ok(envelope) = Envelope::from_json(&document.envelope) else {
                continue;
            };
            if let Ok(stop) = trust::read_unverified::<Stop>(&envelope) {
                subjects.push(stop.subject);
            }
        }
        let key = |s: &StopSubject| match s {
            StopSubject::Key(fingerprint) => Some(fingerprint.clone()),
            StopSubject::Person(_)
            | StopSubject::Revision(_)
            | StopSubject::Request(_)
            | StopSubject::Target(_)
            | StopSubject::Everything => None,
        };
        let keys = subjects.iter().filter_map(key).collect();
        Ok(Stops { subjects, keys })
    }
}
