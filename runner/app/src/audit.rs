//! What happened, for search: rows from ledger entries, and who may see which.
//!
//! Everybody in the directory may see what is about documents; what belongs to a run is seen by those
//! who may see the run. Calls within a run are not listed: they are in its evidence.

use domain::decide::StopSubject;
use domain::{Digest, FreeText, PersonId, RunId, TargetId, Ticket};
use ledger::{Event, StoredEntry};
use serde::Deserialize;
use store::{AuditFilter, AuditRow, Document, DocumentKind, Run, Tx};
use trust::{AccessRequest, Lift, RunRequest, Stop, Withdrawal};

use crate::advice::unverified;
use crate::login::Who;
use crate::notify::signed_in;
use crate::reads::reader;
use crate::{App, AppError};

/// Characters of what is searched for; no id, digest or name is longer.
const SUBJECT_CHARS_MAX: usize = 128;

/// Events of one page.
pub const AUDIT_ROWS_MAX: u32 = 200;

/// One page of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditPage {
    /// Newest first. There may be fewer than asked for although there are more on the next page:
    /// what this person may not see is left out.
    pub events: Vec<AuditRow>,
    /// Where the next page begins; `None` after the last one.
    pub next: Option<u64>,
}

/// What an entry is about.
enum About<'a> {
    Nothing,
    Document(&'a Digest),
    /// What a target was asked for somebody; the payload says for whom.
    Target,
    Run(&'a RunId),
}

impl App {
    /// Events that match, newest first, at most `rows`, of [`AUDIT_ROWS_MAX`].
    ///
    /// # Errors
    /// When the kind is unknown, a bound is beyond its limit, or the store fails.
    pub async fn audit(
        &self,
        who: &Who,
        filter: &AuditFilter,
        rows: u32,
    ) -> Result<AuditPage, AppError> {
        if let Some(kind) = filter.kind.as_deref().filter(|k| !api::shapes::AUDIT_KINDS.contains(k))
        {
            let shown = domain::display::neutralise(&kind.chars().take(40).collect::<String>());
            let known = api::shapes::AUDIT_KINDS.join(", ");
            return Err(AppError::BadRequest(format!(
                "{shown} is no kind of event; there are {known}"
            )));
        }
        if filter.subject.as_ref().is_some_and(|s| s.chars().count() > SUBJECT_CHARS_MAX) {
            let problem = format!("`subject` has more than {SUBJECT_CHARS_MAX} characters");
            return Err(AppError::BadRequest(problem));
        }
        if !(1..=AUDIT_ROWS_MAX).contains(&rows) {
            let problem = format!("`limit` is not between 1 and {AUDIT_ROWS_MAX}");
            return Err(AppError::BadRequest(problem));
        }
        let found = self.store.audit(filter, rows).await?;
        let full = found.len() == rows as usize;
        let next = found.last().map(|e| e.index).filter(|_| full);
        let mut events = Vec::new();
        for event in found {
            if self.may_see(who, &event).await? {
                events.push(event);
            }
        }
        Ok(AuditPage { events, next })
    }

    async fn may_see(&self, who: &Who, event: &AuditRow) -> Result<bool, AppError> {
        let Some(run) = &event.run else {
            return Ok(true);
        };
        match self.readable_run(who, run).await {
            Ok(_) => Ok(true),
            Err(AppError::NotFound(_)) => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// What the payload of a catalog's or plan's reading begins with; erased, nobody knows whose it was.
#[derive(Deserialize)]
struct TargetNote {
    person: PersonId,
    target: TargetId,
}

/// Lists an entry that is being projected. Doing it again changes nothing.
pub(crate) async fn audit_entry(tx: &mut Tx, entry: &StoredEntry) -> Result<(), AppError> {
    let Some((kind, about)) = about(&entry.leaf.event) else {
        return Ok(());
    };
    let mut event = AuditRow {
        index: entry.position.index(),
        at_ms: entry.leaf.at_ms,
        kind: kind.to_owned(),
        person: None,
        run: None,
        subjects: Vec::new(),
    };
    match about {
        About::Nothing => {}
        About::Document(digest) => {
            if let Some(document) = tx.document_by_digest(digest).await? {
                of_document(&mut event, &document);
            }
        }
        About::Target => {
            let note = entry.payload().and_then(|p| serde_json::from_slice::<TargetNote>(p).ok());
            if let Some(TargetNote { person, target }) = note {
                event.person = Some(person);
                event.subjects.push(target.to_string());
            }
        }
        About::Run(run) => {
            event.run = Some(run.clone());
            event.subjects.push(run.to_string());
            if let Some(run) = tx.run(run).await? {
                of_run(&mut event, &run);
            }
            if let Event::RunStarted { .. } = &entry.leaf.event {
                event.subjects.extend(of_order(entry));
            }
            if let Event::RunRead { what, .. } = &entry.leaf.event {
                event.person = entry.payload().and_then(reader);
                event.subjects.push(what.code().to_owned());
            }
        }
    }
    Ok(tx.insert_audit(&event).await?)
}

fn of_document(event: &mut AuditRow, document: &Document) {
    event.person.clone_from(&document.person);
    event.subjects.extend([document.id.clone(), document.digest.to_string()]);
    event.subjects.extend(document.revision.map(|r| r.to_string()));
    // An access request's own id is there already.
    let request = document.request.as_ref().map(ToString::to_string);
    event.subjects.extend(request.filter(|r| *r != document.id));
    if document.kind == DocumentKind::AccessRequest {
        event.subjects.extend(tickets(document));
    }
    // What is stopped, or whose end it is.
    let about = match document.kind {
        DocumentKind::Stop => unverified::<Stop>(document).map(|stop| name(&stop.subject)),
        DocumentKind::Lift => unverified::<Lift>(document).map(|lift| lift.lifts.to_string()),
        DocumentKind::Withdrawal => {
            unverified::<Withdrawal>(document).map(|w| w.review.to_string())
        }
        DocumentKind::Submission
        | DocumentKind::Review
        | DocumentKind::AccessRequest
        | DocumentKind::Approval
        | DocumentKind::RunRequest
        | DocumentKind::AfterReview
        | DocumentKind::Keyring
        | DocumentKind::Directory
        | DocumentKind::Policy
        | DocumentKind::Receipt => None,
    };
    event.subjects.extend(about);
}

/// The ticket of an access request, and those that its reason names.
fn tickets(document: &Document) -> Vec<String> {
    let Some(access) = unverified::<AccessRequest>(document) else { return Vec::new() };
    named(access.ticket, access.reason.as_str())
}

/// The same of an order to run, which says it where there is no access request.
fn of_order(entry: &StoredEntry) -> Vec<String> {
    let order = signed_in(entry).and_then(|e| trust::read_unverified::<RunRequest>(&e).ok());
    let Some(RunRequest { ticket, reason, .. }) = order else { return Vec::new() };
    named(ticket, reason.as_ref().map_or("", FreeText::as_str))
}

fn named(ticket: Option<Ticket>, reason: &str) -> Vec<String> {
    let all = ticket.into_iter().chain(Ticket::named_in(reason));
    let mut all: Vec<String> = all.map(|t| t.to_string()).collect();
    all.sort();
    all.dedup();
    all
}

/// What is stopped, as people search for it.
fn name(subject: &StopSubject) -> String {
    match subject {
        StopSubject::Person(person) => person.to_string(),
        StopSubject::Key(fingerprint) => fingerprint.clone(),
        StopSubject::Revision(revision) => revision.to_string(),
        StopSubject::Request(request) => request.to_string(),
        StopSubject::Target(target) => target.to_string(),
        StopSubject::Everything => "everything".to_owned(),
    }
}

fn of_run(event: &mut AuditRow, run: &Run) {
    event.person = Some(run.caller.clone());
    event.subjects.extend([run.revision.to_string(), run.run_request.to_string()]);
    event.subjects.extend(run.request.as_ref().map(ToString::to_string));
    event.subjects.extend(run.receipt.as_ref().map(ToString::to_string));
}

/// The kind of an event, as leaves name it, and what it is about; `None` for those that are not
/// listed.
fn about(event: &Event) -> Option<(&'static str, About<'_>)> {
    Some(match event {
        Event::LogOpened { .. } => ("log-opened", About::Nothing),
        Event::SubmissionAccepted { document, .. } => {
            ("submission-accepted", About::Document(document))
        }
        Event::ReviewAccepted { document, .. } => ("review-accepted", About::Document(document)),
        Event::RequestAccepted { document, .. } => ("request-accepted", About::Document(document)),
        Event::ApprovalAccepted { document, .. } => {
            ("approval-accepted", About::Document(document))
        }
        Event::StopAccepted { document, .. } => ("stop-accepted", About::Document(document)),
        Event::RejectionAccepted { document, .. } => {
            ("rejection-accepted", About::Document(document))
        }
        Event::LiftAccepted { document, .. } => ("lift-accepted", About::Document(document)),
        Event::WithdrawalAccepted { document, .. } => {
            ("withdrawal-accepted", About::Document(document))
        }
        Event::AfterReviewAccepted { document, .. } => {
            ("after-review-accepted", About::Document(document))
        }
        Event::KeyringAdopted { document, .. } => ("keyring-adopted", About::Document(document)),
        Event::DirectoryAdopted { document, .. } => {
            ("directory-adopted", About::Document(document))
        }
        Event::PolicyAdopted { document, .. } => ("policy-adopted", About::Document(document)),
        Event::RunDenied { run } => ("run-denied", About::Run(run)),
        Event::RunStarted { run, .. } => ("run-started", About::Run(run)),
        Event::RunFinished { run, .. } => ("run-finished", About::Run(run)),
        Event::RunLost { run } => ("run-lost", About::Run(run)),
        Event::RunRead { run, .. } => ("run-read", About::Run(run)),
        Event::CatalogRead { .. } => ("catalog-read", About::Target),
        Event::PlanRead { .. } => ("plan-read", About::Target),
        Event::CallIntent { .. } | Event::CallOutcome { .. } | Event::OutputReleased { .. } => {
            return None;
        }
    })
}
