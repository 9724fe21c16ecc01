//! `borescope approve`: verify an access request and everything that it rests on, then sign.
//!
//! The approver's own client decides with the same `decide()` as the runner, over documents that it
//! verified itself; what it signs names exactly the reviews that it counted.

use std::collections::BTreeSet;

use api::types::{DocumentView, Filed};
use clap::Args;
use domain::decide::{
    ApprovalFact, InputRule, RequestFact, ReviewFact, RunFact, SubmissionFact, Window,
};
use domain::{
    ApprovalId, Decision, Denial, Digest, Facts, FreeText, GroupName, PersonId, RequestId, RunId,
    decide,
};
use serde_json::json;
use trust::{AccessRequest, Approval, Authority, Review, Submission, Verified};

use super::Call;
use crate::bundle::Bundle;
use crate::exit::{Exit, Failure};
use crate::out::{Out, Style};
use crate::session::{Session, verified, wire};
use crate::view::limits;
use crate::when;

/// Seconds that an approval document outlives the window of its access request.
const AFTER_S: i64 = 86_400;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope approve req_0198f0c0-0000-7000-8000-000000000000
  borescope approve req_0198f0c0-0000-7000-8000-000000000000 --yes --comment \"looks right\"

Verifies caller, author and reviewers against the keyring that your context pins, and refuses to
sign what the runner would not run.")]
pub(crate) struct ApproveArgs {
    /// The access request
    request: RequestId,
    /// For whoever asks later
    #[arg(long, default_value = "", hide_default_value = true)]
    comment: FreeText,
    /// Sign without asking
    #[arg(long)]
    yes: bool,
}

/// An access request with everything that it rests on, verified here.
pub(crate) struct Checked {
    authority: Authority,
    /// The request.
    pub(crate) request: Verified<AccessRequest>,
    submissions: Vec<Verified<Submission>>,
    reviews: Vec<Verified<Review>>,
    /// What would run.
    pub(crate) bundle: Bundle,
}

/// Shows and signs.
pub(crate) async fn command(call: &Call<'_>, args: ApproveArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let checked = check(&session, &args.request).await?;
    let decision = checked.advise(&session).map_err(|d| refusal(&session.person, &d))?;
    let out = call.out;
    if !out.json {
        show(&checked, &decision, call)?;
    }
    let question = format!("Approve {} as {}?", args.request, session.person);
    if !args.yes && !out.confirm(&question)? {
        out.note("nothing was signed");
        return Ok(Exit::Denied);
    }
    let filed = file(&session, &checked, &decision, args.comment).await?;
    if out.json {
        out.json(&json!({ "id": filed.id, "digest": filed.digest, "request": args.request }))?;
    } else {
        out.line(format!("approved {} ({})", args.request, filed.id))?;
        out.note(format!(
            "next: {} runs it: borescope run --request {} --input FILE",
            checked.request.doc().caller,
            args.request
        ));
    }
    Ok(Exit::Ok)
}

/// What the runner would say with this person's approval is not worth a signature.
fn refusal(person: &PersonId, denial: &Denial) -> Failure {
    let message = format!("an approval by {person} would not let it run: {}", denial.fact);
    Failure::new(Exit::Denied, message, denial.help.clone())
}

/// Fetches and verifies.
pub(crate) async fn check(session: &Session, id: &RequestId) -> anyhow::Result<Checked> {
    let authority = session.authority().await?;
    let view = session.client.access_request(id).await?;
    let request: Verified<AccessRequest> = verified(&authority, &view.request)?;
    if request.doc().header.id != *id {
        return Err(Failure::evidence(
            format!("the server shows {} for {id}", request.doc().header.id),
            "the server is broken or lies; sign nothing",
        )
        .into());
    }
    let revision = request.doc().revision;
    let about = |got: Digest, what: &str| {
        if got == revision {
            return Ok(());
        }
        Err(Failure::evidence(
            format!("the server shows a {what} of {got} for {revision}"),
            "sign nothing",
        ))
    };
    let submissions = many::<Submission>(&authority, &view.submissions);
    let reviews = many::<Review>(&authority, &view.reviews);
    submissions.iter().try_for_each(|s| about(s.doc().revision, "submission"))?;
    reviews.iter().try_for_each(|r| about(r.doc().revision, "review"))?;
    let bundle = session.fetch(&revision).await?;
    Ok(Checked { authority, request, submissions, reviews, bundle })
}

/// Those that verify. What somebody signed who has left counts no more, and must not keep others from
/// approving; the order that the runner gets is without it, too.
fn many<D: trust::Document>(authority: &Authority, views: &[DocumentView]) -> Vec<Verified<D>> {
    views.iter().filter_map(|view| verified(authority, view).ok()).collect()
}

impl Checked {
    /// What the runner would decide now, were this person's approval there.
    pub(crate) fn advise(&self, session: &Session) -> Result<Decision, Denial> {
        decide(&self.facts(session))
    }

    fn groups(&self, id: &PersonId) -> Vec<GroupName> {
        self.authority.person(id).map(|p| p.groups.clone()).unwrap_or_default()
    }

    fn is_human(&self, id: &PersonId) -> bool {
        self.authority.person(id).is_some_and(trust::Person::is_human)
    }

    fn counted(&self, id: &PersonId) -> PersonId {
        self.authority.person(id).map_or_else(|| id.clone(), |p| p.counted().clone())
    }

    fn review_facts(&self) -> Vec<ReviewFact> {
        let fact = |r: &Verified<Review>| ReviewFact {
            id: r.doc().header.id.clone(),
            digest: r.digest(),
            reviewer: self.counted(&r.doc().reviewer),
            human: self.is_human(&r.doc().reviewer),
            groups: self.groups(&r.doc().reviewer),
            verdict: r.doc().verdict,
            ceiling: capabilities(&r.doc().ceiling),
            self_serve: r.doc().self_serve.clone(),
            window: r.doc().header.window(),
        };
        self.reviews.iter().map(fact).collect()
    }

    fn facts(&self, session: &Session) -> Facts<'_> {
        let now = session.world.now();
        let request = self.request.doc();
        let scope = capabilities(&request.scope);
        let reviews = self.review_facts();
        let mine = ApprovalFact {
            id: ApprovalId::new(&*session.world.clock, &*session.world.entropy),
            approver: self.counted(&session.person),
            human: self.is_human(&session.person),
            groups: self.groups(&session.person),
            request: self.request.digest(),
            reviews: reviews.iter().map(|r| r.digest).collect(),
            policy_version: self.authority.policy().version,
            scope: scope.clone(),
            window: Window { not_before: now, not_after: request.window.not_after },
        };
        // Mine is one of the approvals needed; how many others there are is the runner's to count.
        let targets = self.authority.policy().targets.iter().map(|t| {
            let mut rules = t.rules();
            rules.approvals.required = rules.approvals.required.min(1);
            rules
        });
        Facts {
            now,
            run: self.imagined_run(session),
            manifest: &self.bundle.manifest,
            submissions: self
                .submissions
                .iter()
                .map(|s| SubmissionFact {
                    id: s.doc().header.id.clone(),
                    author: self.counted(&s.doc().author),
                })
                .collect(),
            reviews,
            rejections: Vec::new(),
            base: None,
            request: Some(RequestFact {
                id: request.header.id.clone(),
                digest: self.request.digest(),
                caller: self.counted(&request.caller),
                revision: request.revision,
                scope,
                input: request.input.clone(),
                window: request.window,
                duration_s: request.duration_s,
                uses: request.uses,
                break_glass: request.break_glass,
            }),
            approvals: vec![mine],
            stops: Vec::new(),
            status: None,
            targets: targets.collect(),
            policy_version: self.authority.policy().version,
            self_serve_floor: self.authority.keyring().floors.self_serve,
            solo: self.authority.is_solo(),
            caller_groups: self.groups(&request.caller),
            run_id_spent: false,
            uses_spent: Vec::new(),
            self_serve_runs: Vec::new(),
            after_reviews_overdue: Vec::new(),
        }
    }

    /// The first run that the caller could order.
    fn imagined_run(&self, session: &Session) -> RunFact {
        let now = session.world.now();
        let request = self.request.doc();
        let input = match &request.input {
            InputRule::Exact { digest } => *digest,
            InputRule::Schema => Digest::of(b""),
        };
        RunFact {
            id: RunId::new(&*session.world.clock, &*session.world.entropy),
            caller: self.counted(&request.caller),
            revision: request.revision,
            request: Some(self.request.digest()),
            runner: request.runner.clone(),
            pairs: request.scope.pairs().collect(),
            input,
            use_number: 1,
            window: Window { not_before: now, not_after: now.plus_s(60) },
        }
    }
}

/// A scope of a verified document; its form was checked when it was read.
fn capabilities(scope: &domain::Scope) -> domain::Capabilities {
    scope.capabilities().unwrap_or(domain::Capabilities {
        pairs: std::collections::BTreeMap::new(),
        limits: scope.limits,
    })
}

/// Signs and files the approval of what was checked; it lists the reviews that were counted.
pub(crate) async fn file(
    session: &Session,
    checked: &Checked,
    decision: &Decision,
    comment: FreeText,
) -> anyhow::Result<Filed> {
    let request = checked.request.doc();
    let now = session.world.now();
    // A little longer than the grant, so that its end is told as the grant's and not as a missing
    // approval; the earlier end counts.
    let life_s = request.window.not_after.unix_s() - now.unix_s() + AFTER_S;
    let id = ApprovalId::new(&*session.world.clock, &*session.world.entropy);
    let counted: BTreeSet<_> = decision.reviews.iter().collect();
    let reviews = checked.reviews.iter().filter(|r| counted.contains(&r.doc().header.id));
    let approval = Approval {
        header: session.header(id, life_s.max(0)),
        approver: session.person.clone(),
        request: checked.request.digest(),
        request_id: request.header.id.clone(),
        reviews: reviews.map(Verified::digest).collect(),
        keyring: checked.authority.keyring_ref(),
        directory: checked.authority.directory_ref(),
        policy: checked.authority.policy_ref(),
        scope: request.scope.clone(),
        comment,
    };
    let envelope = wire(&session.sign(&approval)?)?;
    Ok(session.client.approve(&envelope).await?)
}

fn show(checked: &Checked, decision: &Decision, call: &Call<'_>) -> anyhow::Result<()> {
    let (out, request): (Out, &AccessRequest) = (call.out, checked.request.doc());
    let m = &checked.bundle.manifest;
    out.line(format!(
        "{} wants to run {} {}",
        out.style(Style::Bold, request.caller.as_str()),
        m.name,
        m.version
    ))?;
    out.line(format!("  revision {}", request.revision))?;
    for pair in request.scope.pairs() {
        out.line(format!("  on       {pair}"))?;
    }
    if let InputRule::Exact { digest } = &request.input {
        out.line(format!("  input    {digest}"))?;
    }
    out.field("  reason   ", request.reason.as_str())?;
    if let Some(ticket) = &request.ticket {
        out.line(format!("  ticket   {ticket}"))?;
    }
    let until = when::show(request.window.not_after, &call.env.zone);
    out.line(format!(
        "  uses     {}, for {}, until {until}",
        request.uses,
        when::show_s(request.duration_s)
    ))?;
    out.field("  limits   ", &limits(&decision.effective.limits))?;
    for submission in &checked.submissions {
        out.line(format!("  author   {} ✓ signature verified here", submission.doc().author))?;
    }
    for review in &checked.reviews {
        let counted = decision.reviews.contains(&review.doc().header.id);
        let mark = if counted { "✓ signature verified here, counted" } else { "does not count" };
        let verdict = super::review::word(review.doc().verdict);
        out.line(format!("  review   {}: {verdict} {mark}", review.doc().reviewer))?;
    }
    Ok(())
}
