//! `borescope approve`: verify an access request and everything that it rests on, then sign.
//!
//! The approver's own client derives with the same functions as the runner, over documents that it
//! verified itself; what it signs names exactly the reviews that it counted, and may be less than what
//! was asked for.

mod input;
mod shown;

use std::collections::BTreeSet;

use api::types::Filed;
use clap::Args;
use domain::decide::{ApprovalFact, ReviewFact, Window};
use domain::{
    ApprovalId, Denial, Digest, Facts, FreeText, RequestId, Rule, Scope, Step, Timestamp, explain,
};
use serde_json::json;
use trust::{Advice, Approval, ChainError};

use super::Call;
use crate::dossier::{self, Dossier, Requested};
use crate::exit::{Exit, Failure, report};
use crate::narrow::NarrowArgs;
use crate::session::{Session, wire};
use crate::{next, when};

/// Seconds that an approval document outlives the window of its access request.
const AFTER_S: i64 = 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope approve req_0198f0c0-0000-7000-8000-000000000000
  borescope approve req_0198f0c0-0000-7000-8000-000000000000 --yes --comment \"looks right\"
  borescope approve req_0198f0c0-0000-7000-8000-000000000000 --for 30m --rows stuck=100
  borescope approve req_0198… req_0199…          one after the other: the shards of a database

Verifies caller, author and reviewers against the keyring that your context pins, and refuses to
sign what the runner would not run. You can approve less than what was asked for, never more.")]
pub(crate) struct ApproveArgs {
    /// The access requests; each is shown and asked for by itself
    #[arg(required = true, value_name = "REQUEST")]
    requests: Vec<RequestId>,
    /// For whoever asks later
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: FreeText,
    /// Until when it may be used: a time, or 2h from now
    #[arg(long, value_name = "TIME", conflicts_with = "for_s")]
    not_after: Option<String>,
    /// How long it may be used from now
    #[arg(long = "for", id = "for_s", value_name = "TIME", value_parser = when::duration_s)]
    for_s: Option<u64>,
    #[command(flatten)]
    narrow: NarrowArgs,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// What the approver allows at most.
#[derive(Debug, Clone)]
pub(crate) struct Bounds {
    /// Queries and limits.
    pub(crate) scope: Scope,
    /// Until when; `None`: as long as was asked for.
    pub(crate) not_after: Option<Timestamp>,
}

/// An access request with everything that it rests on, verified here.
pub(crate) struct Checked {
    /// What is on file.
    pub(crate) dossier: Dossier,
    /// The access request.
    pub(crate) requested: Requested,
}

/// What the derivation comes to with this person's approval.
pub(crate) struct Judged {
    /// The reviews that bind the run.
    pub(crate) reviews: Vec<Digest>,
    /// Whether something is missing besides: other approvals, or its time.
    pub(crate) still: Option<Step>,
    /// What was left out, and why.
    left_out: Vec<ChainError>,
    /// What the signed status says otherwise.
    doubt: Option<String>,
}

/// Shows and signs each of them; the worst exit code.
pub(crate) async fn command(call: &Call<'_>, args: ApproveArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let mut worst = Exit::Ok;
    for request in &args.requests {
        let ended = one(call, &session, &args, request).await;
        // What was signed is signed; the others are independent of it.
        worst = worst.max(match ended {
            Err(error) if args.requests.len() > 1 => {
                call.out.note(format!("{request}:"));
                report(call.out, &error)
            }
            ended => ended?,
        });
    }
    Ok(worst)
}

/// Shows and signs one.
async fn one(
    call: &Call<'_>,
    session: &Session,
    args: &ApproveArgs,
    request: &RequestId,
) -> anyhow::Result<Exit> {
    let checked = check(session, request).await?;
    let bounds = bounds(session, call, args, checked.requested.doc())?;
    let judged = match checked.judge(session, &bounds)? {
        Ok(judged) => judged,
        // What the runner would not run in spite of this person's approval is not worth a signature.
        Err(denial) => {
            call.out.note(format!("an approval by {} would not let it run", session.person));
            let story = next::Story::of_request(request);
            return next::refuse(call.out, Exit::Denied, &denial, &denial.help, &story);
        }
    };
    let out = call.out;
    let input = input::lines(session, &checked.requested).await?;
    if !out.json {
        shown::show(&checked, &bounds, &judged, &input, call)?;
    }
    let question = format!("Approve {request} as {}?", session.person);
    if !args.yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(session, &checked, &bounds, &judged, args.comment.clone()).await?;
    if out.json {
        let still = judged.still.as_ref();
        out.json(
            &json!({ "id": filed.id, "digest": filed.digest, "request": request, "still": still }),
        )?;
        return Ok(Exit::Ok);
    }
    out.line(format!("approved {request} ({})", filed.id))?;
    if judged.still.is_none() {
        let caller = &checked.requested.doc().caller;
        out.note(format!("next: {caller} runs it: borescope run --resume {request}"));
    }
    Ok(Exit::Ok)
}

/// Fetches and verifies.
pub(crate) async fn check(session: &Session, id: &RequestId) -> anyhow::Result<Checked> {
    let authority = session.authority().await?;
    let requested = Requested::fetch(session, &authority, id).await?;
    let bundle = session.fetch(&requested.doc().revision).await?;
    let pairs = requested.pairs();
    let dossier = Dossier::about(session, authority, bundle, &pairs).await?;
    Ok(Checked { dossier, requested })
}

/// All that was asked for.
pub(crate) fn everything(requested: &Requested) -> Bounds {
    Bounds { scope: requested.doc().scope.clone(), not_after: None }
}

fn bounds(
    session: &Session,
    call: &Call<'_>,
    args: &ApproveArgs,
    request: &trust::AccessRequest,
) -> anyhow::Result<Bounds> {
    let now = session.world.now();
    let time = args.not_after.as_ref().map(|t| when::time(t, now, &call.env.zone)).transpose();
    let time = time.map_err(|e| Failure::usage(e, "see borescope approve --help"))?;
    let seconds = args.for_s.map(|s| now.plus_s(i64::try_from(s).unwrap_or(i64::MAX)));
    let not_after = time.or(seconds);
    let ends = not_after.unwrap_or(request.window.not_after);
    if ends <= now {
        let message = "the approval would end before it begins";
        return Err(Failure::usage(message, "give a later end").into());
    }
    if ends > request.window.not_after {
        let end = when::show(request.window.not_after, &call.env.zone);
        let message = format!("the access request ends at {end}, and an approval cannot widen it");
        return Err(Failure::usage(message, "give an earlier end").into());
    }
    let scope = args.narrow.apply(request.scope.clone())?;
    Ok(Bounds { scope, not_after })
}

impl Bounds {
    /// The window of the document. Where nothing is cut it is a little longer than what was asked
    /// for, so that the end is told as the grant's and not as a missing approval; the earlier counts.
    fn window(&self, now: Timestamp, request: &trust::AccessRequest) -> Window {
        Window {
            not_before: now,
            not_after: self.not_after.unwrap_or(request.window.not_after.plus_s(AFTER_S)),
        }
    }
}

impl Checked {
    /// What the derivation comes to, were this person's approval there.
    ///
    /// # Errors
    /// When the server shows documents about something else; the inner one is the rule that fails
    /// whatever this person signs.
    pub(crate) fn judge(
        &self,
        session: &Session,
        bounds: &Bounds,
    ) -> anyhow::Result<Result<Judged, Denial>> {
        let pairs = self.requested.pairs();
        let run = self.requested.imagined(&pairs, session.world.now());
        let advice = match self.dossier.advise(session, run) {
            Ok(advice) => advice,
            Err(error) => return Ok(Err(dossier::invalid(&error))),
        };
        dossier::is_about_it(&advice.left_out)?;
        Ok(self.judged(session, bounds, advice))
    }

    fn judged(
        &self,
        session: &Session,
        bounds: &Bounds,
        advice: Advice<'_>,
    ) -> Result<Judged, Denial> {
        let Advice { mut facts, left_out } = advice;
        let steps = explain(&facts);
        if let Some(step) = steps.iter().find(|s| !s.satisfied && !comes_later(s.rule)) {
            return Err(denial(step));
        }
        let reviews = counted(&facts, &steps);
        let mine = self.mine(session, bounds, &reviews);
        let others = std::mem::replace(&mut facts.approvals, vec![mine.clone()]);
        // Alone it has to count for something; how many are needed is asked after that.
        let rules = facts.targets.clone();
        for rules in &mut facts.targets {
            let emergency = rules.break_glass.as_mut().map(|b| &mut b.approvals);
            for quorum in [Some(&mut rules.approvals), emergency].into_iter().flatten() {
                quorum.required = quorum.required.min(1);
                quorum.from_each.clear();
            }
        }
        let counts = approvals(&explain(&facts))?.contains(&mine.id.to_string());
        if !counts {
            let person = &session.person;
            let fact = if mine.human {
                format!("{person} is in no approving group, or asks for it")
            } else {
                format!("{person} is no human, and only humans approve")
            };
            let help = "leave it to somebody whose approval counts";
            return Err(Denial::new(Rule::ApprovalMissing, fact, help));
        }
        facts.targets = rules;
        facts.approvals.extend(others);
        let steps = explain(&facts);
        if let Some(step) = steps.iter().find(|s| !s.satisfied && !comes_later(s.rule)) {
            return Err(denial(step));
        }
        let still = steps.into_iter().find(|s| !s.satisfied);
        Ok(Judged { reviews, still, left_out, doubt: dossier::doubt(&facts) })
    }

    /// The approval as a fact.
    fn mine(&self, session: &Session, bounds: &Bounds, reviews: &[Digest]) -> ApprovalFact {
        let person = self.dossier.authority.person(&session.person);
        let request = self.requested.doc();
        ApprovalFact {
            id: ApprovalId::new(&*session.world.clock, &*session.world.entropy),
            approver: person.map_or_else(|| session.person.clone(), |p| p.counted().clone()),
            human: person.is_some_and(trust::Person::is_human),
            groups: person.map(|p| p.groups.clone()).unwrap_or_default(),
            request: self.requested.request.digest(),
            reviews: reviews.to_vec(),
            policy_version: self.dossier.authority.policy().version,
            // Its form was checked when the request was read, and narrowing keeps it.
            scope: bounds.scope.capabilities().unwrap_or(domain::Capabilities {
                pairs: std::collections::BTreeMap::new(),
                limits: bounds.scope.limits,
            }),
            window: bounds.window(session.world.now(), request),
        }
    }
}

/// Rules that an approval may come before: other approvals, and its time.
const fn comes_later(rule: Rule) -> bool {
    matches!(rule, Rule::ApprovalMissing | Rule::GrantNotYet)
}

fn denial(step: &Step) -> Denial {
    Denial::new(step.rule, step.fact.clone(), step.help.clone().unwrap_or_default())
}

/// The ids of the approvals that were counted.
fn approvals(steps: &[Step]) -> Result<Vec<String>, Denial> {
    match steps.iter().find(|s| s.rule == Rule::ApprovalMissing) {
        Some(step) if step.satisfied => Ok(step.documents.clone()),
        Some(step) => Err(denial(step)),
        None => Ok(Vec::new()),
    }
}

/// The digests of the reviews that were counted.
fn counted(facts: &Facts<'_>, steps: &[Step]) -> Vec<Digest> {
    let step = steps.iter().find(|s| s.rule == Rule::ReviewMissing && s.satisfied);
    let ids: BTreeSet<&String> = step.map(|s| s.documents.iter().collect()).unwrap_or_default();
    let base = facts.base.iter().flat_map(|b| &b.reviews);
    let all = facts.reviews.iter().chain(base);
    let mine: BTreeSet<Digest> =
        all.filter(|r: &&ReviewFact| ids.contains(&r.id.to_string())).map(|r| r.digest).collect();
    mine.into_iter().collect()
}

/// Signs and files the approval of what was checked; it lists the reviews that were counted.
pub(crate) async fn file(
    session: &Session,
    checked: &Checked,
    bounds: &Bounds,
    judged: &Judged,
    comment: FreeText,
) -> anyhow::Result<Filed> {
    let (request, authority) = (checked.requested.doc(), &checked.dossier.authority);
    let window = bounds.window(session.world.now(), request);
    let id = ApprovalId::new(&*session.world.clock, &*session.world.entropy);
    let mut header = session.header(id, 0);
    (header.not_before, header.not_after) = (window.not_before, window.not_after);
    let approval = Approval {
        header,
        approver: session.person.clone(),
        request: checked.requested.request.digest(),
        request_id: request.header.id.clone(),
        reviews: judged.reviews.clone(),
        keyring: authority.keyring_ref(),
        directory: authority.directory_ref(),
        policy: authority.policy_ref(),
        scope: bounds.scope.clone(),
        comment,
    };
    let envelope = wire(&session.sign(&approval)?)?;
    Ok(session.client.approve(&envelope).await?)
}
