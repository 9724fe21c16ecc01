//! Access requests with a ticket, their approvals and looks afterwards; submissions and reviews of
//! what they run.

use std::collections::BTreeSet;

use api::types::AuditEventView;
use domain::decide::Verdict;
use domain::{Digest, Pair, RequestId, RunId, Ticket};
use serde_json::json;
use trust::{
    AccessRequest, AfterReview, AfterReviewVerdict, Approval, Review, Submission, Verified,
};

use super::{Gathering, Happened, Proof, Told, audit, one};
use crate::session::verified;

/// What of a run people read, as the audit names it.
const READABLE: [&str; 3] = ["result", "recording", "evidence"];

impl Gathering<'_> {
    /// An access request and what belongs to it alone.
    pub(super) async fn request(&mut self, id: &RequestId, ticket: &Ticket) -> anyhow::Result<()> {
        let view = self.session.client.access_request(id).await?;
        let found: anyhow::Result<Verified<AccessRequest>> =
            verified(self.authority, &view.request);
        let Ok(request) = found else {
            let digest = |d: &AccessRequest| requested(d, &d.revision.short());
            self.events.push(one::<AccessRequest>(self.authority, &view.request, digest));
            return Ok(());
        };
        let doc = request.doc();
        if doc.header.id != *id || !is_about(doc.ticket.as_ref(), doc.reason.as_str(), ticket) {
            self.notes
                .push(format!("the server lists {id}, which is not about {ticket}: left out"));
            return Ok(());
        }
        self.fetch(&doc.revision).await?;
        let script = self.script(&doc.revision);
        let line = one::<AccessRequest>(self.authority, &view.request, |d| requested(d, &script));
        self.events.push(line);
        for approval in &view.approvals {
            let line = one::<Approval>(self.authority, approval, |d| Told {
                who: Some(d.approver.clone()),
                what: format!("{} approves {}", d.approver, d.request_id),
                words: d.comment.to_string(),
            });
            self.events.push(line);
        }
        let mut runs: BTreeSet<RunId> = BTreeSet::new();
        for event in audit(self.session, id.as_str()).await? {
            runs.extend(event.run.clone());
            match event.kind.as_str() {
                "after-review-accepted" => self.look(&event.subjects).await?,
                "run-read" => self.events.extend(read(&event)),
                _ => {}
            }
        }
        let (seen, spent) = (runs.len() as u64, view.uses_spent);
        if seen < spent {
            self.notes.push(format!(
                "{} of the {spent} runs under {id} are not shown to you: ask a reader of the target",
                spent - seen
            ));
        }
        self.runs.extend(runs);
        self.requests.push(request);
        Ok(())
    }

    async fn look(&mut self, subjects: &[String]) -> anyhow::Result<()> {
        let Some(id) = subjects.iter().find(|s| s.starts_with("arv_")) else {
            return Ok(());
        };
        let view = self.session.client.document(id).await?;
        let line = one::<AfterReview>(self.authority, &view, |d| {
            let verdict = match d.verdict {
                AfterReviewVerdict::Justified => "justified",
                AfterReviewVerdict::NotJustified => "NOT justified",
            };
            Told {
                who: Some(d.reviewer.clone()),
                what: format!("{} looks at the emergency {}: {verdict}", d.reviewer, d.request_id),
                words: d.comment.to_string(),
            }
        });
        self.events.push(line);
        Ok(())
    }

    pub(super) async fn fetch(&mut self, revision: &Digest) -> anyhow::Result<()> {
        if !self.revisions.contains_key(revision) {
            let view = self.session.client.revision(revision).await?;
            self.revisions.insert(*revision, view);
        }
        Ok(())
    }

    /// The name and version of a revision, as its author signed them.
    pub(super) fn script(&self, revision: &Digest) -> String {
        let documents = self.revisions.get(revision).map_or(&[][..], |view| &view.documents);
        let mut signed = documents.iter().filter_map(|view| {
            let submission: Verified<Submission> = verified(self.authority, view).ok()?;
            let d = submission.into_doc();
            (d.revision == *revision).then(|| format!("{}@{}", d.script, d.version))
        });
        signed.next().unwrap_or_else(|| revision.short())
    }

    /// Who submitted and reviewed what the access requests run.
    pub(super) fn revisions(&mut self) {
        let mut lines = Vec::new();
        for (revision, view) in &self.revisions {
            let script = self.script(revision);
            lines.extend(view.documents.iter().map(|document| match document.kind.as_str() {
                "submission" => one::<Submission>(self.authority, document, submitted),
                _ => one::<Review>(self.authority, document, |d| reviewed(d, &script)),
            }));
        }
        self.events.extend(lines);
    }
}

/// Somebody saw what a run left. That is in the log, and nobody signs it.
pub(super) fn read(event: &AuditEventView) -> Option<Happened> {
    let (run, person) = (event.run.as_ref()?, event.person.as_ref());
    let who = person.map_or("somebody", |p| p.as_str());
    let what = READABLE.iter().find(|what| event.subjects.iter().any(|s| s == *what));
    Some(Happened {
        at_ms: event.at_ms,
        kind: "run-read",
        id: run.to_string(),
        who: person.cloned(),
        what: format!("{who} reads the {} of the run", what.unwrap_or(&"result")),
        words: String::new(),
        proof: Proof::ServerOnly,
        facts: json!({ "log_entry": event.index }),
    })
}

/// Whether something has a ticket, or names it in its reason.
pub(super) fn is_about(own: Option<&Ticket>, reason: &str, ticket: &Ticket) -> bool {
    own == Some(ticket) || Ticket::named_in(reason).any(|named| named == *ticket)
}

fn requested(d: &AccessRequest, script: &str) -> Told {
    let asks = if d.break_glass { "BREAKS THE GLASS to run" } else { "asks to run" };
    let on: Vec<String> = d.scope.targets.iter().map(|t| t.target.to_string()).collect();
    let times = if d.uses == 1 { "once".to_owned() } else { format!("{} times", d.uses) };
    Told {
        who: Some(d.caller.clone()),
        what: format!("{} {asks} {script} on {}, {times}", d.caller, on.join(", ")),
        words: d.reason.to_string(),
    }
}

fn submitted(d: &Submission) -> Told {
    Told {
        who: Some(d.author.clone()),
        what: format!("{} submits {}@{} ({})", d.author, d.script, d.version, d.revision.short()),
        words: String::new(),
    }
}

fn reviewed(d: &Review, script: &str) -> Told {
    let verdict = match d.verdict {
        Verdict::Approve => "accepts",
        Verdict::RequestChanges => "requests changes to",
        Verdict::Reject => "REJECTS",
    };
    let pairs: Vec<String> = d.ceiling.pairs().map(|p: Pair| p.to_string()).collect();
    Told {
        who: Some(d.reviewer.clone()),
        what: format!("{} {verdict} {script} for {}", d.reviewer, pairs.join(", ")),
        words: d.comment.to_string(),
    }
}
