//! What an entry of the ledger means to people: who should hear it, in which words, and what to type.
//!
//! Names, ids, digests, versions, tickets and outcomes only: nothing that a script read or returned, no
//! input, and no reason or comment, which are free text that its author did not write for a chat room.

use std::collections::BTreeSet;

use domain::{Digest, Pair, PersonId, RunId, RunState};
use ledger::{Event, Position, StoredEntry};
use serde_json::{Value, json};
use store::Run;
use trust::{
    AccessRequest, AfterReview, AfterReviewVerdict, Lift, Review, RunRequest, Stop, Submission,
    Withdrawal,
};

use super::kind::Kind;
use super::signatures::StartNote;
use crate::advice::unverified;
use crate::project::read;
use crate::{App, AppError};

/// One thing to tell.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    /// The same whenever it is told.
    pub(super) id: String,
    pub(super) kind: Kind,
    pub(super) at_ms: u64,
    /// One line.
    pub(super) text: String,
    /// Whose attention it wants.
    pub(super) wants: BTreeSet<PersonId>,
    /// The id of what it is about.
    pub(super) about: String,
    /// What to type.
    pub(super) command: String,
    /// Where programs find it, after the origin.
    pub(super) path: String,
    /// More of it, for programs.
    pub(super) facts: Vec<(&'static str, Value)>,
}

/// A notice before it has an id and a time.
pub(super) struct Draft {
    pub(super) kind: Kind,
    pub(super) text: String,
    pub(super) wants: BTreeSet<PersonId>,
    pub(super) about: String,
    pub(super) command: String,
    pub(super) path: String,
    pub(super) facts: Vec<(&'static str, Value)>,
}

impl App {
    /// What there is to tell about an entry that is projected. Nothing about one whose content was
    /// erased.
    pub(super) async fn notices(&self, index: u64) -> Result<Vec<Notice>, AppError> {
        let entry = self.ledger.entry(Position::from_index(index))?;
        let mut drafts = match &entry.leaf.event {
            Event::RunFinished { run, .. } | Event::RunLost { run } => self.ended(run).await?,
            Event::RunDenied { run } => self.denied(run).await?,
            event if entry.payload().is_some() => match event {
                Event::SubmissionAccepted { .. } => self.submitted(&entry)?,
                Event::RequestAccepted { .. } => self.requested(&entry).await?,
                Event::RunStarted { run, .. } => self.started(&entry, run).await?,
                Event::StopAccepted { .. } => self.stopped(&entry)?,
                Event::RejectionAccepted { .. } => self.rejected(&entry).await?,
                Event::LiftAccepted { .. } => self.lifted(&entry)?,
                Event::WithdrawalAccepted { .. } => self.withdrawn(&entry).await?,
                Event::AfterReviewAccepted { .. } => self.looked_at(&entry)?,
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        drafts.extend(self.keys_used(&entry));
        Ok(drafts.into_iter().map(|draft| self.notice(&entry, draft)).collect())
    }

    fn notice(&self, entry: &StoredEntry, draft: Draft) -> Notice {
        let Draft { kind, text, wants, about, command, path, facts } = draft;
        let (domain, index) = (self.trust_domain(), entry.position.index());
        let first = wants.first().map_or("", |p| p.as_str());
        let what = format!("{domain} {index} {} {about} {first}", kind.code());
        let id = format!("msg_{}", &Digest::of(what.as_bytes()).hex()[..32]);
        Notice { id, kind, at_ms: entry.leaf.at_ms, text, wants, about, command, path, facts }
    }

    fn submitted(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: Submission = read(entry)?;
        let adopted = self.adopted();
        let targets = &adopted.authority.policy().targets;
        let may = |person: &PersonId| {
            let groups = self.groups(person);
            !self.is_same(&d.author, person) && targets.iter().any(|t| t.reviews.admits(&groups))
        };
        let (short, script) = (d.revision.short(), format!("{}@{}", d.script, d.version));
        Ok(vec![Draft {
            kind: Kind::ReviewWanted,
            text: format!("review wanted: {script}, submitted by {}", d.author),
            wants: self.people_who(may),
            about: d.header.id.to_string(),
            command: format!("borescope review {short}"),
            path: format!("/v1/revisions/{}", d.revision),
            facts: vec![
                ("by", json!(d.author)),
                ("script", json!(script)),
                ("revision", json!(d.revision)),
            ],
        }])
    }

    async fn requested(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: AccessRequest = read(entry)?;
        let id = &d.header.id;
        let what = self.what(&d.revision, d.scope.pairs()).await?;
        let ticket = d.ticket.as_ref().map(|t| format!(" ({t})")).unwrap_or_default();
        let text = if d.break_glass {
            format!("EMERGENCY: {} breaks the glass to run {what}{ticket}", d.caller)
        } else {
            format!("approval wanted: {} asks to run {what}{ticket}", d.caller)
        };
        let draft = |kind, wants| {
            let mut facts = self.of_request(&d);
            facts.push(("until", json!(d.window.not_after)));
            Draft {
                kind,
                text: text.clone(),
                wants,
                about: id.to_string(),
                command: format!("borescope approve {id}"),
                path: format!("/v1/access-requests/{id}"),
                facts,
            }
        };
        // Whoever approves must hear of an emergency also where only this kind is asked for.
        let approvers = self.people_who(|person| self.may_approve(person, &d).is_ok());
        let mut drafts = vec![draft(Kind::ApprovalWanted, approvers)];
        if d.break_glass {
            drafts.push(draft(Kind::BreakGlass, self.concerned(&d)));
        }
        Ok(drafts)
    }

    /// Only a run under a broken glass is told of when it starts.
    async fn started(&self, entry: &StoredEntry, run: &RunId) -> Result<Vec<Draft>, AppError> {
        let index = entry.position.index();
        let unreadable = |_| AppError::EntryUnreadable { index, what: "run's start" };
        let note: StartNote =
            serde_json::from_slice(entry.payload().unwrap_or_default()).map_err(unreadable)?;
        let access = note.documents.access_request.as_ref();
        let access = access.and_then(|e| trust::read_unverified::<AccessRequest>(e).ok());
        let Some(d) = access.filter(|d| d.break_glass) else { return Ok(Vec::new()) };
        let what = self.what(&d.revision, d.scope.pairs()).await?;
        let id = &d.header.id;
        let mut facts = self.of_request(&d);
        facts.push(("run", json!(run)));
        Ok(vec![Draft {
            kind: Kind::BreakGlass,
            text: format!(
                "EMERGENCY: {} runs {what} under a broken glass; somebody else must look at it",
                d.caller
            ),
            wants: self.concerned(&d),
            about: run.to_string(),
            command: format!("borescope after-review {id}"),
            path: format!("/v1/access-requests/{id}"),
            facts,
        }])
    }

    fn looked_at(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: AfterReview = read(entry)?;
        let verdict = match d.verdict {
            AfterReviewVerdict::Justified => "justified",
            AfterReviewVerdict::NotJustified => "NOT justified",
        };
        Ok(vec![Draft {
            kind: Kind::BreakGlass,
            text: format!("{} looked at the emergency {}: {verdict}", d.reviewer, d.request_id),
            wants: self.people_who(|_| true),
            about: d.header.id.to_string(),
            command: format!("borescope show {}", d.request_id),
            path: format!("/v1/access-requests/{}", d.request_id),
            facts: vec![("by", json!(d.reviewer)), ("request", json!(d.request_id))],
        }])
    }

    async fn ended(&self, run: &RunId) -> Result<Vec<Draft>, AppError> {
        let Some(row) = self.store.run(run).await? else { return Ok(Vec::new()) };
        self.over(row).await.map(|draft| vec![draft])
    }

    /// Of a run that never started nothing but the row knows who asked for it.
    async fn denied(&self, run: &RunId) -> Result<Vec<Draft>, AppError> {
        let Some(row) = self.store.run(run).await? else { return Ok(Vec::new()) };
        if row.started_ms.is_some() || !matches!(row.state, RunState::Ended { .. }) {
            return Ok(Vec::new());
        }
        self.over(row).await.map(|draft| vec![draft])
    }

    async fn over(&self, row: Run) -> Result<Draft, AppError> {
        let Run { id, caller, revision, state, request, denial, run_request, .. } = row;
        let order = self.store.document_by_digest(&run_request).await?;
        let order = order.and_then(|d| unverified::<RunRequest>(&d));
        let pairs = order.map(|o| o.pairs).unwrap_or_default();
        let what = self.what(&revision, pairs.iter().cloned()).await?;
        let rule = denial.map(|d| format!(" ({})", d.rule.code())).unwrap_or_default();
        Ok(Draft {
            kind: Kind::RunFinished,
            text: format!("{caller}'s run of {what}: {}{rule}", state.code()),
            wants: self.with_owner(&caller),
            about: id.to_string(),
            command: format!("borescope show {id}"),
            path: format!("/v1/runs/{id}"),
            facts: vec![
                ("by", json!(caller)),
                ("revision", json!(revision)),
                ("request", json!(request)),
                ("outcome", json!(state.code())),
                ("targets", json!(targets(pairs.iter()))),
            ],
        })
    }

    fn stopped(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: Stop = read(entry)?;
        let text = format!("STOP: {} stops {}", d.by, d.subject);
        Ok(vec![self.ban(d.header.id.to_string(), json!(d.by), text)])
    }

    async fn rejected(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: Review = read(entry)?;
        let what = self.what(&d.revision, d.ceiling.pairs()).await?;
        let text = format!("STOP: {} rejects {what}", d.reviewer);
        Ok(vec![self.ban(d.header.id.to_string(), json!(d.reviewer), text)])
    }

    fn lifted(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: Lift = read(entry)?;
        let text = format!("a stop or rejection is lifted: {}", d.lifts);
        // A role's document: as many people as it takes have signed it.
        let by: BTreeSet<PersonId> = self.signers(entry).into_values().collect();
        Ok(vec![self.ban(d.header.id.to_string(), json!(by), text)])
    }

    async fn withdrawn(&self, entry: &StoredEntry) -> Result<Vec<Draft>, AppError> {
        let d: Withdrawal = read(entry)?;
        let what = self.what(&d.revision, std::iter::empty()).await?;
        let text = format!("{} takes back the rejection of {what}", d.reviewer);
        Ok(vec![self.ban(d.header.id.to_string(), json!(d.reviewer), text)])
    }

    fn ban(&self, id: String, by: Value, text: String) -> Draft {
        Draft {
            kind: Kind::Stop,
            text,
            wants: self.people_who(|_| true),
            path: format!("/v1/documents/{id}"),
            about: id,
            command: "borescope stops".to_owned(),
            facts: vec![("by", by)],
        }
    }

    /// A script's name and version, and where it runs.
    async fn what(
        &self,
        revision: &Digest,
        pairs: impl Iterator<Item = Pair>,
    ) -> Result<String, AppError> {
        let known = self.store.revision(revision).await?;
        let script =
            known.map_or_else(|| revision.short(), |r| format!("{}@{}", r.script, r.version));
        let pairs: Vec<Pair> = pairs.collect();
        let on = targets(pairs.iter());
        Ok(if on.is_empty() { script } else { format!("{script} on {}", on.join(", ")) })
    }

    fn of_request(&self, d: &AccessRequest) -> Vec<(&'static str, Value)> {
        let pairs: Vec<Pair> = d.scope.pairs().collect();
        vec![
            ("by", json!(d.caller)),
            ("request", json!(d.header.id)),
            ("revision", json!(d.revision)),
            ("targets", json!(targets(pairs.iter()))),
            ("ticket", json!(d.ticket)),
        ]
    }

    /// Whom an emergency concerns: its caller, who approves it, who would have had to, and who has to
    /// look at it.
    fn concerned(&self, d: &AccessRequest) -> BTreeSet<PersonId> {
        let ordinary = AccessRequest { break_glass: false, ..d.clone() };
        let mut all = self.people_who(|person| {
            self.may_approve(person, d).is_ok()
                || self.may_approve(person, &ordinary).is_ok()
                || self.may_look(person, d).is_ok()
        });
        all.extend(self.with_owner(&d.caller));
        all
    }

    fn people_who(&self, wanted: impl Fn(&PersonId) -> bool) -> BTreeSet<PersonId> {
        let adopted = self.adopted();
        let people = adopted.authority.directory().people.iter();
        people.filter(|p| p.is_human() && wanted(&p.id)).map(|p| p.id.clone()).collect()
    }

    /// A person, and who answers for them.
    pub(super) fn with_owner(&self, person: &PersonId) -> BTreeSet<PersonId> {
        [person.clone(), self.counted(person)].into()
    }
}

/// Names of real targets, each once.
fn targets<'p>(pairs: impl Iterator<Item = &'p Pair>) -> Vec<String> {
    let all: BTreeSet<String> = pairs.map(|p| p.target.to_string()).collect();
    all.into_iter().collect()
}
