//! From rows and use-case results to the API's types. Every struct is taken apart by name, so that a
//! new field is a compile error until somebody decides whether it is shown.

mod authority;

use api::types;
use app::{
    AppError, AuditPage, Emergency, Filed, HookStatus, Inbox, Opened, Place, Readers, Receipted,
    RequestState, RequestStatus, RevisionStatus, RunStatus, SentBack, SignedStatus, Uploaded, Who,
};
use domain::SessionId;
use serde_json::value::RawValue;
use store::{AuditRow, Document, Revision, RevisionFile, Run, RunEvent};

pub(crate) use authority::{claimed, key_claim, key_claims, proposal, proposal_in_list};

/// An envelope whose exact bytes survive.
fn raw(bytes: Vec<u8>, what: &str) -> Result<Box<RawValue>, AppError> {
    let text = String::from_utf8(bytes).ok().and_then(|s| RawValue::from_string(s).ok());
    text.ok_or_else(|| AppError::NotFound(format!("{what}: its content was erased")))
}

pub(crate) fn document(d: Document) -> Result<types::DocumentView, AppError> {
    let Document { kind, id, digest, envelope, revision: _, request: _, person, created_ms } = d;
    let envelope = raw(envelope, &id)?;
    Ok(types::DocumentView {
        kind: kind.code().to_owned(),
        id,
        digest,
        person,
        created_ms,
        envelope,
    })
}

/// Those that can be shown; an erased one has nothing to show.
pub(crate) fn documents(all: Vec<Document>) -> Vec<types::DocumentView> {
    all.into_iter().filter_map(|d| document(d).ok()).collect()
}

pub(crate) fn script(r: Revision) -> types::ScriptView {
    let Revision { digest, script, version, summary, index: _, uploader, created_ms } = r;
    types::ScriptView { script, version, revision: digest, summary, uploader, created_ms }
}

pub(crate) fn revision(r: RevisionStatus) -> types::RevisionView {
    let RevisionStatus { revision, files, documents: said } = r;
    let file = |f: RevisionFile| {
        let RevisionFile { path, digest, size_bytes } = f;
        types::FileView { path, digest, size_bytes }
    };
    types::RevisionView {
        index: String::from_utf8_lossy(&revision.index).into_owned(),
        script: script(revision),
        files: files.into_iter().map(file).collect(),
        documents: documents(said),
    }
}

pub(crate) fn access_request(r: RequestStatus) -> Result<types::RequestView, AppError> {
    let RequestStatus {
        request,
        submissions,
        reviews,
        approvals,
        state,
        missing,
        wants_approval: _,
        uses_spent,
    } = r;
    Ok(types::RequestView {
        request: document(request)?,
        submissions: documents(submissions),
        reviews: documents(reviews),
        approvals: documents(approvals),
        state: match state {
            RequestState::Pending => types::RequestState::Waiting,
            RequestState::Approved => types::RequestState::Open,
            RequestState::Expired => types::RequestState::Expired,
            RequestState::UsedUp => types::RequestState::Spent,
            RequestState::Stopped => types::RequestState::Stopped,
        },
        missing,
        uses_spent: uses_spent.len() as u64,
        use_numbers_spent: uses_spent,
    })
}

/// Those whose access request can be shown.
pub(crate) fn emergencies(all: Vec<Emergency>) -> Vec<types::EmergencyView> {
    let view = |e: Emergency| {
        let Emergency { request, due, looked } = e;
        let due_ms = u64::try_from(due.unix_s()).unwrap_or(0).saturating_mul(1000);
        Some(types::EmergencyView { request: document(request).ok()?, due_ms, looked })
    };
    all.into_iter().filter_map(view).collect()
}

/// A status lives for minutes and is no row.
pub(crate) fn signed_status(s: SignedStatus) -> Result<types::DocumentView, AppError> {
    let SignedStatus { id, digest, envelope, since } = s;
    let (kind, id) = ("status".to_owned(), id.to_string());
    let created_ms = u64::try_from(since.unix_s()).unwrap_or(0).saturating_mul(1000);
    let envelope = raw(envelope, &id)?;
    Ok(types::DocumentView { kind, id, digest, person: None, created_ms, envelope })
}

pub(crate) fn inbox(i: Inbox) -> types::Inbox {
    let Inbox {
        to_review,
        sent_back,
        to_approve,
        live_runs,
        to_look_at,
        owed,
        to_sign,
        key_claims: claims,
    } = i;
    let back = |s: SentBack| {
        let SentBack { revision, review } = s;
        Some(types::SentBackView { script: script(revision), review: document(review).ok()? })
    };
    types::Inbox {
        to_review: to_review.into_iter().map(script).collect(),
        sent_back: sent_back.into_iter().filter_map(back).collect(),
        to_approve: documents(to_approve),
        live_runs: live_runs.into_iter().map(run).collect(),
        to_look_at: emergencies(to_look_at),
        owed: emergencies(owed),
        to_sign: to_sign.into_iter().map(proposal_in_list).collect(),
        key_claims: key_claims(claims),
    }
}

pub(crate) fn audit(p: AuditPage) -> types::AuditPageView {
    let AuditPage { events, next } = p;
    let view = |e: AuditRow| {
        let AuditRow { index, at_ms, kind, person, run, subjects } = e;
        types::AuditEventView { index, at_ms, kind, person, run, subjects }
    };
    types::AuditPageView { events: events.into_iter().map(view).collect(), next }
}

pub(crate) fn filed(f: Filed) -> types::Filed {
    let Filed { id, digest } = f;
    types::Filed { id, digest }
}

pub(crate) fn run(r: Run) -> types::RunView {
    let Run {
        id,
        run_request,
        request,
        caller,
        revision,
        state,
        queued_ms,
        started_ms,
        ended_ms,
        denial,
        receipt,
        recording,
        result,
    } = r;
    types::RunView {
        id,
        run_request,
        state,
        caller,
        revision,
        request,
        queued_ms,
        started_ms,
        ended_ms,
        denial,
        receipt,
        recording,
        result,
        access: None,
        queue: None,
    }
}

/// A run by itself: also who may read it, and where it waits.
pub(crate) fn run_status(s: RunStatus) -> types::RunView {
    let RunStatus { run: row, may_read, readers, place } = s;
    let of_target = |r: Readers| {
        let Readers { target, groups } = r;
        types::TargetReaders { target, groups }
    };
    let readers = readers.into_iter().map(of_target).collect();
    types::RunView {
        access: Some(types::RunAccess { may_read, readers }),
        queue: place.map(|Place { place, running, target }| types::QueuePlace {
            place,
            running,
            target,
        }),
        ..run(row)
    }
}

pub(crate) fn event(e: RunEvent) -> Result<types::EventView, AppError> {
    let RunEvent { seq, at_ms, body } = e;
    let event = raw(body.into_bytes(), "event")?;
    Ok(types::EventView { seq, at_ms, event })
}

pub(crate) fn receipt(r: Receipted) -> Result<types::ReceiptView, AppError> {
    let Receipted { receipt, proof: p } = r;
    Ok(types::ReceiptView { receipt: raw(receipt.envelope, &receipt.id)?, proof: proof(p) })
}

pub(crate) fn proof(p: ledger::LogProof) -> types::ProofView {
    let ledger::LogProof { index, leaf, inclusion, checkpoint } = p;
    types::ProofView { index, leaf, inclusion, checkpoint }
}

pub(crate) fn opened(o: Opened) -> types::SessionOpened {
    let Opened { token, who } = o;
    types::SessionOpened { token, expires_ms: who.expires_ms, person: who.person }
}

pub(crate) fn uploaded(u: Uploaded) -> types::Uploaded {
    let Uploaded { revision, script, version, warnings } = u;
    types::Uploaded { revision, script, version, warnings }
}

pub(crate) fn hook(h: HookStatus) -> types::HookView {
    let HookStatus { name, delivered, dropped, failing_since_ms, problem } = h;
    types::HookView { name, delivered, dropped, failing_since_ms, problem }
}

/// A session as its person sees it with session `this`.
pub(crate) fn session(session: Who, this: &SessionId) -> types::SessionView {
    let Who { person, session: id, created_ms, expires_ms, key_fingerprint } = session;
    let current = id == *this;
    types::SessionView { id, person, created_ms, expires_ms, key_fingerprint, current }
}
