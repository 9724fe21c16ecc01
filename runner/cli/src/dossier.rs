//! Everything on file about a run that somebody has in mind, fetched and verified by this client; and
//! what would be decided on it, by the functions that the runner decides with.
//!
//! The server is believed in nothing that is signed. What only the runner knows (uses and runs that
//! were started, what is owed) is taken from the server: it makes advice better, and lying about it
//! gains nothing, because the runner decides.

mod approved;
mod earlier;
mod served;

use api::types::{DocumentView, EmergencyView};
use domain::decide::{InputRule, SelfServeRun};
use domain::{
    Denial, Digest, Facts, Pair, PersonId, RequestId, Rule, RunId, RunnerName, Timestamp,
};
use trust::{
    AccessRequest, Advice, AfterReview, Authority, BaseDocuments, ChainError, Envelope, Local,
    OnFile, OwedAfterReview, Submission, Verified, Wish,
};

use crate::against::{Against, Listed};
use crate::bundle::Bundle;
use crate::exit::Failure;
use crate::session::{Session, envelope, verified};

pub(crate) use approved::{Approved, approved_before};

/// What is on file about a revision on targets.
pub(crate) struct Dossier {
    /// Who may say what.
    pub(crate) authority: Authority,
    /// What is said against runs.
    listed: Listed,
    /// What of it is in force.
    pub(crate) against: Against,
    /// What would run, hashed here.
    pub(crate) bundle: Bundle,
    /// Submissions of it.
    pub(crate) submissions: Vec<Envelope>,
    /// Reviews of it.
    pub(crate) reviews: Vec<Envelope>,
    /// The newest signed status.
    status: Option<Envelope>,
    base: Option<BaseDocuments>,
    owed: Vec<OwedAfterReview>,
    /// The caller's runs without an approval in the last day, once they were counted.
    served: Vec<SelfServeRun>,
}

/// An access request with its approvals.
#[derive(Clone)]
pub(crate) struct Requested {
    /// The request.
    pub(crate) request: Verified<AccessRequest>,
    envelope: Envelope,
    /// Its approvals.
    pub(crate) approvals: Vec<Envelope>,
    /// Numbers of uses that were started.
    pub(crate) spent: Vec<u64>,
}

/// The run that somebody has in mind.
#[derive(Clone, Copy)]
pub(crate) struct Imagined<'d> {
    /// Who would run.
    pub(crate) caller: &'d PersonId,
    /// Where.
    pub(crate) pairs: &'d [Pair],
    /// By whom it is executed.
    pub(crate) runner: &'d RunnerName,
    /// The digest of the input's bytes.
    pub(crate) input: Digest,
    /// Under which access request; `None`: self-serve.
    pub(crate) requested: Option<&'d Requested>,
    /// When.
    pub(crate) now: Timestamp,
}

impl Requested {
    /// Fetches and verifies.
    pub(crate) async fn fetch(
        session: &Session,
        authority: &Authority,
        id: &RequestId,
    ) -> anyhow::Result<Self> {
        let view = session.client.access_request(id).await?;
        let request: Verified<AccessRequest> = verified(authority, &view.request)?;
        // Another one, approved as well, would run what nobody asked for here.
        if request.doc().header.id != *id {
            return Err(Failure::evidence(
                format!("the server shows {} for {id}", request.doc().header.id),
                "the server is broken or lies; sign nothing",
            )
            .into());
        }
        Ok(Self {
            request,
            envelope: envelope(&view.request)?,
            approvals: view.approvals.iter().map(envelope).collect::<Result<_, _>>()?,
            spent: view.use_numbers_spent,
        })
    }

    /// The same before this use and those after it were started.
    pub(crate) fn as_of_use(&self, number: u64) -> Self {
        Self { spent: (1..number).collect(), ..self.clone() }
    }

    /// What it asks for.
    pub(crate) fn doc(&self) -> &AccessRequest {
        self.request.doc()
    }

    /// The lowest number that is not spent; the last one when all are.
    pub(crate) fn next_use(&self) -> u64 {
        let uses = self.doc().uses;
        (1..=uses).find(|n| !self.spent.contains(n)).unwrap_or(uses)
    }

    /// The bindings that it names.
    pub(crate) fn pairs(&self) -> Vec<Pair> {
        self.doc().scope.pairs().collect()
    }

    /// Its next use, by its caller, with its input.
    pub(crate) fn imagined<'d>(&'d self, pairs: &'d [Pair], now: Timestamp) -> Imagined<'d> {
        let input = match &self.doc().input {
            InputRule::Exact { digest } => *digest,
            InputRule::Schema => Digest::of(b"{}"),
        };
        let (caller, runner) = (&self.doc().caller, &self.doc().runner);
        Imagined { caller, pairs, runner, input, requested: Some(self), now }
    }
}

impl Dossier {
    /// Fetches and verifies what is on file about a revision on these targets.
    pub(crate) async fn about(
        session: &Session,
        authority: Authority,
        bundle: Bundle,
        pairs: &[Pair],
    ) -> anyhow::Result<Self> {
        let listed = Listed::fetch(session).await?;
        let against = listed.in_force(&authority, None);
        let said = session.client.revision(&bundle.revision).await?.documents;
        let (submissions, reviews) = split(&said)?;
        let status = signed_status(session).await?;
        let stopped = against.in_force.stopped_keys();
        let base = earlier::find(session, &authority, &bundle, pairs, &stopped).await?;
        let owed = owed(session, &authority).await?;
        Ok(Self {
            authority,
            listed,
            against,
            bundle,
            submissions,
            reviews,
            status,
            base,
            owed,
            served: Vec::new(),
        })
    }

    /// The facts about a run that somebody has in mind.
    pub(crate) fn advise<'a>(
        &'a self,
        session: &Session,
        run: Imagined<'a>,
    ) -> Result<Advice<'a>, ChainError> {
        self.advise_against(session, run, &self.against)
    }

    /// The same where something else is in force.
    pub(crate) fn advise_against<'a>(
        &'a self,
        session: &Session,
        run: Imagined<'a>,
        against: &'a Against,
    ) -> Result<Advice<'a>, ChainError> {
        let wish = Wish {
            run: RunId::new(&*session.world.clock, &*session.world.entropy),
            caller: run.caller.clone(),
            pairs: run.pairs.to_vec(),
            use_number: run.requested.map_or(0, Requested::next_use),
            access_request: run.requested.map(|r| &r.envelope),
        };
        let file = OnFile {
            approvals: run.requested.map_or(&[], |r| &r.approvals),
            submissions: &self.submissions,
            reviews: &self.reviews,
            after_reviews: &[],
            status: self.status.as_ref(),
            base: self.base.as_ref(),
        };
        let local = Local {
            now: run.now,
            runner: run.runner,
            manifest: &self.bundle.manifest,
            bundle: &self.bundle.index,
            input: run.input,
            in_force: &against.in_force,
            run_id_spent: false,
            uses_spent: run.requested.map_or_else(Vec::new, |r| r.spent.clone()),
            self_serve_runs: self.served.clone(),
            owed: &self.owed,
        };
        trust::advise(&self.authority, &wish, file, local)
    }

    /// Who submitted it, by signatures that hold.
    pub(crate) fn authors(&self) -> Vec<PersonId> {
        let stopped = self.against.in_force.stopped_keys();
        let author = |e| self.authority.verify::<Submission>(e, &stopped).ok();
        self.submissions.iter().filter_map(author).map(|s| s.doc().author.clone()).collect()
    }

    /// What was in force at a time, as far as that can be known afterwards.
    pub(crate) fn then(&self, at: Timestamp) -> Against {
        let until_ms = u64::try_from(at.unix_s()).unwrap_or(0).saturating_mul(1000);
        self.listed.in_force(&self.authority, Some(until_ms.saturating_add(999)))
    }
}

/// What it comes to when no facts can be made at all.
pub(crate) fn invalid(error: &ChainError) -> Denial {
    let (rule, help) = match error {
        ChainError::Stranger(_) => {
            (Rule::CallerNotAllowed, "check the name, or have the person enrolled in the directory")
        }
        ChainError::Authority(_) => {
            (Rule::DocumentInvalid, "have keyring, directory and policy renewed")
        }
        _ => (Rule::DocumentInvalid, "file a new access request"),
    };
    Denial::new(rule, error.to_string(), help)
}

/// A server that shows documents of something else was asked for these.
pub(crate) fn is_about_it(left_out: &[ChainError]) -> Result<(), Failure> {
    let unrelated = left_out.iter().find(|e| matches!(e, ChainError::Unrelated { .. }));
    match unrelated {
        None => Ok(()),
        Some(error) => Err(Failure::evidence(
            format!("the server shows documents about something else: {error}"),
            "the server is broken or lies; sign nothing",
        )),
    }
}

/// Whether what the server lists is not what the signed status names. Where nothing is production
/// that bars nothing, but people should hear it.
pub(crate) fn doubt(facts: &Facts<'_>) -> Option<String> {
    let status = facts.status.as_ref().filter(|s| s.window.contains(facts.now))?;
    let parts: Vec<String> = status.differs.iter().map(ToString::to_string).collect();
    (!parts.is_empty()).then(|| {
        format!(
            "{} names another {} than the server shows: something came since, or it is kept from you",
            status.id,
            parts.join(" and another ")
        )
    })
}

fn second(ms: u64) -> Timestamp {
    Timestamp::from_unix_s(i64::try_from(ms / 1000).unwrap_or(i64::MAX))
}

pub(crate) fn split(said: &[DocumentView]) -> anyhow::Result<(Vec<Envelope>, Vec<Envelope>)> {
    let (mut submissions, mut reviews) = (Vec::new(), Vec::new());
    for view in said {
        match view.kind.as_str() {
            "submission" => submissions.push(envelope(view)?),
            _ => reviews.push(envelope(view)?),
        }
    }
    Ok((submissions, reviews))
}

async fn signed_status(session: &Session) -> anyhow::Result<Option<Envelope>> {
    match session.client.signed_status().await {
        Ok(view) => Ok(Some(envelope(&view)?)),
        Err(api::ClientError::Problem(problem)) if problem.code == api::Code::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What is owed, as far as the documents bear it out.
async fn owed(session: &Session, authority: &Authority) -> anyhow::Result<Vec<OwedAfterReview>> {
    let all = session.client.emergencies().await?;
    if all.is_empty() {
        return Ok(Vec::new());
    }
    let looks = session.client.after_reviews().await?;
    let looks: Vec<Verified<AfterReview>> =
        looks.iter().filter_map(|view| verified(authority, view).ok()).collect();
    Ok(all.iter().filter_map(|e| one_owed(authority, e, &looks)).collect())
}

fn one_owed(
    authority: &Authority,
    emergency: &EmergencyView,
    looks: &[Verified<AfterReview>],
) -> Option<OwedAfterReview> {
    let request: Verified<AccessRequest> = verified(authority, &emergency.request).ok()?;
    let digest = request.digest();
    let looked =
        |p: &&PersonId| looks.iter().any(|l| l.doc().request == digest && l.doc().reviewer == **p);
    let doc = request.doc();
    Some(OwedAfterReview {
        request: digest,
        request_id: doc.header.id.clone(),
        caller: authority.person(&doc.caller)?.counted().clone(),
        targets: doc.scope.targets.iter().map(|t| t.target.clone()).collect(),
        due: second(emergency.due_ms),
        reviewers: emergency.looked.iter().filter(looked).cloned().collect(),
    })
}
