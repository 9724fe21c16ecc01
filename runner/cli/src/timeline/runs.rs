//! Runs: who ordered them, when they started, how they ended, by the runner's signed word.

use api::types::RunView;
use domain::{FreeText, Outcome, RunId, RunState, Ticket};
use serde_json::json;
use trust::{Receipt, RunRequest};

use super::documents::{is_about, read};
use super::{Gathering, Happened, Proof, audit, proof};
use crate::commands::run;
use crate::view::{bytes, count};

impl Gathering<'_> {
    /// A run that needed no access request, if its order is about the ticket.
    pub(super) async fn ordered(&mut self, id: &RunId, ticket: &Ticket) -> anyhow::Result<()> {
        if self.runs.contains(id) {
            return Ok(());
        }
        let view = self.session.client.run(id).await?;
        run::is_ours(&view, id)?;
        let digest = view.run_request.to_string();
        let order = self.session.statement::<RunRequest>(self.authority, &digest).await;
        // One that does not verify is told as what the server says, and marked.
        if let Ok(order) = order {
            let d = order.doc();
            let reason = d.reason.as_ref().map_or("", FreeText::as_str);
            if d.run != *id || !is_about(d.ticket.as_ref(), reason, ticket) {
                let note = format!("the server lists {id}, which is not about {ticket}: left out");
                self.notes.push(note);
                return Ok(());
            }
            self.fetch(&d.revision).await?;
            self.orders.push(order);
        }
        for event in audit(self.session, id.as_str()).await? {
            self.events.extend((event.kind == "run-read").then(|| read(&event)).flatten());
        }
        self.runs.insert(id.clone());
        Ok(())
    }

    /// Every run that was found.
    pub(super) async fn runs(&mut self) -> anyhow::Result<()> {
        for id in self.runs.clone() {
            let view = self.session.client.run(&id).await?;
            run::is_ours(&view, &id)?;
            self.start(&view).await;
            match view.state {
                RunState::Ended { outcome } => self.end(&view, outcome).await,
                RunState::Queued | RunState::Running => {
                    self.notes.push(format!("{id} is {} still", view.state.code()));
                }
            }
        }
        Ok(())
    }

    /// The order that a run began with.
    async fn start(&mut self, view: &RunView) {
        let Some(at_ms) = view.started_ms else { return };
        let digest = view.run_request.to_string();
        let order = self.session.statement::<RunRequest>(self.authority, &digest).await;
        let reason = order.as_ref().ok().and_then(|order| order.doc().reason.clone());
        let (what, who, proof) = match &order {
            Ok(order) if order.doc().run == view.id => {
                let d = order.doc();
                let on: Vec<String> = d.pairs.iter().map(|p| p.target.to_string()).collect();
                let by = match d.request {
                    Some(_) => format!("use {}", d.use_number),
                    None => "open to them without an approval".to_owned(),
                };
                let (who, script) = (&d.caller, self.script(&d.revision));
                let what = format!("{who} runs {script} on {} ({by})", on.join(", "));
                (what, d.caller.clone(), Proof::Verified)
            }
            Ok(_) => {
                let problem = "its order is for another run".to_owned();
                (format!("{} runs", view.caller), view.caller.clone(), Proof::Invalid(problem))
            }
            Err(error) => (format!("{} runs", view.caller), view.caller.clone(), proof(error)),
        };
        self.events.push(Happened {
            at_ms,
            kind: "run-started",
            id: view.id.to_string(),
            who: Some(who),
            what,
            words: reason.map(|r| r.to_string()).unwrap_or_default(),
            proof,
            facts: json!({ "run_request": view.run_request, "request": view.request }),
        });
    }

    async fn end(&mut self, view: &RunView, outcome: Outcome) {
        let mut line = Happened {
            at_ms: view.ended_ms.unwrap_or(view.queued_ms),
            kind: "run-ended",
            id: view.id.to_string(),
            who: None,
            what: format!("the run is {}", outcome.code()),
            words: String::new(),
            proof: Proof::ServerOnly,
            facts: json!({ "outcome": outcome.code(), "request": view.request }),
        };
        if let Some(denial) = &view.denial {
            line.what = format!("the run is denied ({})", denial.rule.code());
            line.words.clone_from(&denial.fact);
        }
        if view.receipt.is_some() {
            self.receipt(view, outcome, &mut line).await;
        }
        self.events.push(line);
    }

    /// What the runner signed about a run's end, in place of what the server says.
    async fn receipt(&mut self, view: &RunView, claimed: Outcome, line: &mut Happened) {
        let proved = match run::evidence(self.session, self.authority, &view.id).await {
            Ok(proved) => proved,
            Err(error) => {
                line.proof = Proof::Invalid(crate::exit::chain(&error));
                return;
            }
        };
        let r = &proved.verified.receipt;
        let outcome = match r.outcome {
            Outcome::LimitExceeded { limit } => format!("limit-exceeded ({limit})"),
            other => other.code().to_owned(),
        };
        line.at_ms = ended(view, r);
        line.what = format!("the run {outcome}: read {}, {}", count(r.rows, "row"), bytes(r.bytes));
        line.proof = if r.outcome == claimed {
            Proof::Verified
        } else {
            Proof::Invalid(format!("the server says {}, and the receipt does not", claimed.code()))
        };
        line.facts = json!({
            "outcome": r.outcome, "receipt": r.header.id, "rows": r.rows, "bytes": r.bytes,
            "input": r.input, "output": r.output, "recording": r.recording,
            "log_entry": proved.verified.log_index, "runner": r.runner,
        });
        self.proved.push(proved);
    }
}

/// When a run ended, by its receipt, which has whole seconds; within its second as the server says, so
/// that it does not seem to end before it began.
fn ended(view: &RunView, receipt: &Receipt) -> u64 {
    let signed_ms = u64::try_from(receipt.ended_at.unix_s()).unwrap_or(0).saturating_mul(1000);
    let within = |ms: &u64| (signed_ms..signed_ms.saturating_add(2000)).contains(ms);
    view.ended_ms.filter(within).unwrap_or(signed_ms)
}
