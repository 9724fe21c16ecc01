//! What a runner remembers of its own entries: read back at start, changed as entries are made.

use std::collections::{BTreeMap, BTreeSet};

use domain::decide::SelfServeRun;
use domain::{Digest, PersonId, RunId, TargetId, Timestamp};
use ledger::{Event, ReadError, StoredEntry};
use serde::{Deserialize, Serialize};
use trust::{
    AfterReview, Authority, Document, Envelope, InForce, Lift, Negative, OwedAfterReview,
    Rejection, Review, Seen, Stop, VersionRef, Withdrawal, read_unverified,
};

use super::StateError;
use crate::recorded::Recorded;

/// Milliseconds for which runs without an approval are remembered: more than the day that is counted.
const SERVED_MS: u64 = 25 * 60 * 60 * 1000;

/// What a start takes from what is left.
#[derive(Debug, Clone)]
pub(crate) enum Claim {
    /// A use of an access request; of an emergency, with what is owed for it.
    Use { request: Digest, number: u64, owes: Option<OwedAfterReview> },
    /// One of the runs of a day. `counted` is how many the decision knew of.
    SelfServe { to: ServedTo, counted: usize },
}

impl Claim {
    /// The digest of the access request's payload.
    pub(crate) fn request(&self) -> Option<Digest> {
        match self {
            Self::Use { request, .. } => Some(*request),
            Self::SelfServe { .. } => None,
        }
    }

    pub(crate) fn use_number(&self) -> u64 {
        match self {
            Self::Use { number, .. } => *number,
            Self::SelfServe { .. } => 0,
        }
    }

    pub(crate) fn owes(&self) -> Option<&OwedAfterReview> {
        match self {
            Self::Use { owes, .. } => owes.as_ref(),
            Self::SelfServe { .. } => None,
        }
    }

    pub(crate) fn served(&self) -> Option<&ServedTo> {
        match self {
            Self::SelfServe { to, .. } => Some(to),
            Self::Use { .. } => None,
        }
    }
}

/// Who runs what where without an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ServedTo {
    /// Counted as a person.
    pub(crate) caller: PersonId,
    pub(crate) revision: Digest,
    pub(crate) targets: Vec<TargetId>,
}

/// A run without an approval. Of one whose payload is gone nobody knows whose it was; it counts as
/// everybody's, of every revision, everywhere.
#[derive(Debug)]
struct Served {
    at_ms: u64,
    to: Option<ServedTo>,
}

/// What is read back of the payload beside a run's start.
#[derive(Deserialize)]
struct StartNote {
    #[serde(default)]
    self_serve: Option<ServedTo>,
    #[serde(default)]
    owes: Option<OwedAfterReview>,
}

/// What a runner remembers.
#[derive(Debug, Default)]
pub(super) struct Memory {
    runs: BTreeSet<RunId>,
    uses: BTreeMap<Digest, BTreeSet<u64>>,
    served: Vec<Served>,
    owed: Vec<OwedAfterReview>,
    /// Starts of emergencies of which only the access request is known, and their entries.
    owed_by_nobody: BTreeMap<Digest, u64>,
    in_force: InForce,
    /// Documents of the above kinds that are in the log, by the digest of their payload.
    recorded: BTreeSet<Digest>,
    newest: Seen,
    /// What the adoptions before this start left.
    documents: Recorded,
    /// Recordings that were released, by run.
    released: BTreeMap<RunId, Digest>,
}

/// Versions only go forward, in whatever order they arrive.
fn newer(a: Option<VersionRef>, b: Option<VersionRef>) -> Option<VersionRef> {
    match (a, b) {
        (Some(a), Some(b)) if b.version <= a.version => Some(a),
        (a, b) => b.or(a),
    }
}

impl Memory {
    pub(super) fn recover(
        recovered: impl IntoIterator<Item = Result<StoredEntry, ReadError>>,
    ) -> Result<Self, StateError> {
        let mut memory = Self::default();
        for entry in recovered {
            memory.read_back(&entry?)?;
        }
        match memory.owed_by_nobody.values().next() {
            Some(index) => Err(StateError::EmergencyUnreadable(*index)),
            None => Ok(memory),
        }
    }

    pub(super) fn in_force(&self) -> &InForce {
        &self.in_force
    }

    pub(super) fn documents(&self) -> &Recorded {
        &self.documents
    }

    pub(super) fn newest(&self) -> Seen {
        self.newest
    }

    pub(super) fn is_spent(&self, run: &RunId) -> bool {
        self.runs.contains(run)
    }

    pub(super) fn uses_spent(&self, request: &Digest) -> Vec<u64> {
        self.uses.get(request).map(|u| u.iter().copied().collect()).unwrap_or_default()
    }

    pub(super) fn owed(&self) -> &[OwedAfterReview] {
        &self.owed
    }

    pub(super) fn released(&self, run: &RunId) -> Option<Digest> {
        self.released.get(run).copied()
    }

    pub(super) fn release(&mut self, run: &RunId, recording: Digest) {
        self.released.insert(run.clone(), recording);
    }

    pub(super) fn apply(&mut self, negative: Negative) {
        self.in_force.apply(negative);
    }

    pub(super) fn is_recorded(&self, document: &Digest) -> bool {
        self.recorded.contains(document)
    }

    pub(super) fn recorded(&mut self, document: Digest) {
        self.recorded.insert(document);
    }

    pub(super) fn adopt(&mut self, seen: Seen) {
        let newest = &mut self.newest;
        newest.keyring = newer(newest.keyring, seen.keyring);
        newest.directory = newer(newest.directory, seen.directory);
        newest.policy = newer(newest.policy, seen.policy);
    }

    /// What counts against the quota of `about`, once for each of its targets.
    pub(super) fn self_serve_runs(&self, about: &ServedTo) -> Vec<SelfServeRun> {
        let mut runs = Vec::new();
        for served in &self.served {
            let at = Timestamp::from_unix_s(i64::try_from(served.at_ms / 1000).unwrap_or(i64::MAX));
            let targets = match &served.to {
                None => &about.targets,
                Some(to) if to.caller == about.caller && to.revision == about.revision => {
                    &to.targets
                }
                Some(_) => continue,
            };
            runs.extend(targets.iter().map(|t| SelfServeRun { target: t.clone(), at }));
        }
        runs
    }

    pub(super) fn spend(&mut self, run: &RunId, claim: &Claim, at_ms: u64) -> bool {
        let spent = match claim {
            Claim::Use { request, number, .. } => {
                self.uses.get(request).is_some_and(|u| u.contains(number))
            }
            // Whoever decided did not know of a run that started since.
            Claim::SelfServe { to, counted } => self.self_serve_runs(to).len() > *counted,
        };
        if spent || !self.runs.insert(run.clone()) {
            return false;
        }
        match claim {
            Claim::Use { request, number, owes } => {
                self.uses.entry(*request).or_default().insert(*number);
                if let Some(owes) = owes {
                    self.owe(owes.clone());
                }
            }
            Claim::SelfServe { to, .. } => self.serve(at_ms, Some(to.clone())),
        }
        true
    }

    fn serve(&mut self, at_ms: u64, to: Option<ServedTo>) {
        self.served.retain(|s| s.at_ms.saturating_add(SERVED_MS) > at_ms);
        self.served.push(Served { at_ms, to });
    }

    /// Who looked at the first use has not seen the second; when it is due stays.
    fn owe(&mut self, owes: OwedAfterReview) {
        match self.owed.iter_mut().find(|o| o.request == owes.request) {
            None => self.owed.push(owes),
            Some(known) => {
                known.reviewers.clear();
                known.due = known.due.min(owes.due);
                let more: Vec<TargetId> =
                    owes.targets.into_iter().filter(|t| !known.targets.contains(t)).collect();
                known.targets.extend(more);
            }
        }
    }

    pub(super) fn looked(
        &mut self,
        request: &Digest,
        reviewer: &PersonId,
        authority: &Authority,
    ) -> Option<bool> {
        let place = self.owed.iter().position(|o| o.request == *request)?;
        let owed = self.owed.get_mut(place)?;
        if !owed.reviewers.contains(reviewer) {
            owed.reviewers.push(reviewer.clone());
        }
        let settled = owed.is_settled(authority, &[], &self.in_force);
        if settled {
            self.owed.remove(place);
        }
        Some(settled)
    }

    fn read_back(&mut self, entry: &StoredEntry) -> Result<(), StateError> {
        match &entry.leaf.event {
            Event::RunStarted { run, request, use_number, break_glass, .. } => {
                self.runs.insert(run.clone());
                if let Some(request) = request {
                    self.uses.entry(*request).or_default().insert(*use_number);
                }
                self.start_read_back(entry, *request, *break_glass);
            }
            Event::StopAccepted { .. }
            | Event::RejectionAccepted { .. }
            | Event::LiftAccepted { .. }
            | Event::WithdrawalAccepted { .. } => {
                let negative = negative(entry)?;
                self.in_force.apply(negative);
            }
            Event::AfterReviewAccepted { document, settles, .. } => {
                self.recorded.insert(*document);
                self.look_read_back(entry, *settles);
            }
            Event::KeyringAdopted { version, document, .. } => {
                let seen = VersionRef { version: *version, digest: *document };
                self.newest.keyring = newer(self.newest.keyring, Some(seen));
                self.documents.keyring(entry.payload());
            }
            Event::DirectoryAdopted { version, document, .. } => {
                let seen = VersionRef { version: *version, digest: *document };
                self.newest.directory = newer(self.newest.directory, Some(seen));
                self.documents.directory(entry.payload());
            }
            Event::PolicyAdopted { version, document, .. } => {
                let seen = VersionRef { version: *version, digest: *document };
                self.newest.policy = newer(self.newest.policy, Some(seen));
                self.documents.policy(entry.payload());
            }
            Event::RunFinished { run, recording, .. } => {
                self.released.insert(run.clone(), *recording);
            }
            Event::LogOpened { .. }
            | Event::SubmissionAccepted { .. }
            | Event::ReviewAccepted { .. }
            | Event::RequestAccepted { .. }
            | Event::ApprovalAccepted { .. }
            | Event::RunDenied { .. }
            | Event::RunRead { .. }
            | Event::CatalogRead { .. }
            | Event::PlanRead { .. }
            | Event::CallIntent { .. }
            | Event::CallOutcome { .. }
            | Event::OutputReleased { .. }
            | Event::RunLost { .. } => {}
        }
        if let Some(document) = negative_document(&entry.leaf.event) {
            self.recorded.insert(document);
        }
        Ok(())
    }

    fn start_read_back(&mut self, entry: &StoredEntry, request: Option<Digest>, broken: bool) {
        if request.is_some() && !broken {
            return;
        }
        let note = entry.payload().and_then(|p| serde_json::from_slice::<StartNote>(p).ok());
        let (served, owes) = note.map_or((None, None), |n| (n.self_serve, n.owes));
        match (request, owes) {
            (None, _) => self.serve(entry.leaf.at_ms, served),
            (Some(_), Some(owes)) => self.owe(owes),
            (Some(request), None) => {
                self.owed_by_nobody.insert(request, entry.position.index());
            }
        }
    }

    /// An after-review that cannot be read settles nothing.
    fn look_read_back(&mut self, entry: &StoredEntry, settles: bool) {
        let envelope = entry.payload().and_then(|p| Envelope::from_json(p).ok());
        let review = envelope.and_then(|e| read_unverified::<AfterReview>(&e).ok());
        let Some(review) = review else { return };
        self.owed_by_nobody.remove(&review.request);
        if settles {
            self.owed.retain(|o| o.request != review.request);
        } else if let Some(owed) = self.owed.iter_mut().find(|o| o.request == review.request)
            && !owed.reviewers.contains(&review.reviewer)
        {
            owed.reviewers.push(review.reviewer);
        }
    }
}

/// What an entry says against runs. It was verified when it was accepted; the journal's own checks
/// cover it since.
fn negative(entry: &StoredEntry) -> Result<Negative, StateError> {
    let index = entry.position.index();
    match &entry.leaf.event {
        Event::RejectionAccepted { .. } => {
            let (digest, review): (_, Review) = read(entry)?;
            let rejection = Rejection::of(&review);
            let rejection = rejection.ok_or(StateError::Unreadable(index, Review::DOC))?;
            Ok(Negative::Rejection(digest, rejection))
        }
        Event::LiftAccepted { .. } => read(entry).map(|(_, l): (_, Lift)| Negative::Lift(l.lifts)),
        Event::WithdrawalAccepted { .. } => {
            read(entry).map(|(_, w): (_, Withdrawal)| Negative::Withdrawal(w.review, w.reviewer))
        }
        _ => read(entry).map(|(digest, s): (_, Stop)| Negative::Stop(digest, s.subject)),
    }
}

fn negative_document(event: &Event) -> Option<Digest> {
    match event {
        Event::StopAccepted { document, .. }
        | Event::RejectionAccepted { document, .. }
        | Event::LiftAccepted { document, .. }
        | Event::WithdrawalAccepted { document, .. } => Some(*document),
        _ => None,
    }
}

fn read<D: Document>(entry: &StoredEntry) -> Result<(Digest, D), StateError> {
    let unreadable = || StateError::Unreadable(entry.position.index(), D::DOC);
    let envelope = Envelope::from_json(entry.payload().ok_or_else(unreadable)?);
    let envelope = envelope.map_err(|_| unreadable())?;
    let document = read_unverified(&envelope).map_err(|_| unreadable())?;
    Ok((envelope.payload_digest(), document))
}

#[cfg(test)]
mod tests;
