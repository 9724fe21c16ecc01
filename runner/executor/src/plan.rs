//! What a target's planner expects of a revision's queries, for whoever reviews or approves and signs that
//! the queries' text may reach the target for it. Executed is nothing, recorded is who asked and what left.

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::decide::StopSubject;
use domain::plan::{Plan, PlannedQuery};
use domain::{PersonId, RunnerName, TargetId};
use ledger::{AppendError, Entry, Event as Logged};
use serde::{Deserialize, Serialize};
use targets::{Connector, TargetError};
use trust::{
    Authority, DocumentError, Envelope, InForce, PlanRequest, PolicyTarget, Submission, Verified,
};

use crate::bundle::{Bundle, BundleFault};
use crate::host::json;
use crate::ports::{NoConnector, Sight};
use crate::reach::NotReached;
use crate::runner::Inner;

/// Seconds that a request lives at most.
const LIFE_S_MAX: i64 = 300;
/// Submissions that are looked at.
const SUBMISSIONS_MAX: usize = 100;

/// What the runner gets: the request, and the revision's submissions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanOrder {
    /// A signed [`PlanRequest`].
    pub request: Envelope,
    /// Signed [`Submission`]s of its revision, one at least.
    pub submissions: Vec<Envelope>,
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum NoPlan {
    /// The bytes are no such order.
    #[error("the request cannot be read")]
    Malformed(#[source] serde_json::Error),
    /// It, or a submission, is not validly signed or not about this.
    #[error("the request is not valid")]
    Invalid(#[from] DocumentError),
    /// It is another runner's, lives too long, or nobody submitted the revision.
    #[error("{0}")]
    Refused(&'static str),
    /// Who asks may not.
    #[error(
        "{0} neither reviews nor approves for {1}, or wrote the revision; ask somebody who may"
    )]
    NotAllowed(PersonId, TargetId),
    /// The target is not to be reached now.
    #[error(transparent)]
    NotReached(#[from] NotReached),
    /// The files are not those of the revision.
    #[error(transparent)]
    Bundle(#[from] BundleFault),
    /// No way to it.
    #[error(transparent)]
    NoWay(#[from] NoConnector),
    /// It does not answer, or is not what policy says.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// Nothing leaves unrecorded.
    #[error("that it is asked cannot be recorded")]
    NotRecorded(#[from] AppendError),
}

/// The payload of the entry.
#[derive(Serialize)]
struct Note<'a> {
    person: &'a PersonId,
    target: &'a TargetId,
    request: &'a Envelope,
    plan: &'a Plan,
}

impl Inner {
    /// Asks the target's planner.
    pub(crate) async fn plan(&self, order: &[u8]) -> Result<Vec<u8>, NoPlan> {
        let order: PlanOrder = serde_json::from_slice(order).map_err(NoPlan::Malformed)?;
        let in_force = self.state.in_force();
        let reached = self.authority_now()?;
        let request = self.plan_request(&reached, &order, &in_force)?;
        let request = request.doc();
        let policy = self.reached(&reached, &request.pair.target, &request.person)?;
        may_ask(&reached, policy, request)?;
        let bans = |s: &StopSubject| *s == StopSubject::Revision(request.revision);
        if let Some((_, stop)) = in_force.stops().find(|(_, stop)| bans(stop)) {
            return Err(NotReached::Stopped(stop.clone()).into());
        }
        let rejects = |r: &trust::Rejection| {
            r.revision == request.revision && r.pairs.contains(&request.pair)
        };
        if in_force.rejections().any(|(_, rejection)| rejects(rejection)) {
            return Err(NoPlan::Refused("a reviewer has rejected the revision there"));
        }
        let bundle = self.bundles.get(&*self.blobs, &request.revision).await?;
        let _one = self.asking_for_others.lock().await;
        let connector = self.connectors.connector(policy, Sight::default())?;
        let plan = planned(&bundle, request, &*connector).await?;
        let bytes = json(&plan);
        let (person, target) = (&request.person, &request.pair.target);
        let event =
            Logged::PlanRead { request: order.request.payload_digest(), bytes: bytes.len() as u64 };
        let note = Note { person, target, request: &order.request, plan: &plan };
        self.ledger.append_durable(Entry::new(event, json(&note))).await?;
        Ok(bytes)
    }

    /// The request, validly signed, for now and for this runner, of a revision that is not the asker's own.
    fn plan_request(
        &self,
        authority: &Authority,
        order: &PlanOrder,
        in_force: &InForce,
    ) -> Result<Verified<PlanRequest>, NoPlan> {
        let stopped = in_force.stopped_keys();
        let request =
            authority.verify::<PlanRequest>(&order.request, &stopped)?.live(self.now())?;
        let doc = request.doc();
        if doc.header.window().seconds() > LIFE_S_MAX {
            return Err(NoPlan::Refused("the request lives longer than 300 seconds"));
        }
        let own: &RunnerName = &self.name;
        if doc.runner != *own {
            return Err(NoPlan::Refused("the request is for another runner"));
        }
        if order.submissions.is_empty() || order.submissions.len() > SUBMISSIONS_MAX {
            return Err(NoPlan::Refused("nobody, or far too many, submitted the revision"));
        }
        let asker = authority.person(&doc.person).map(trust::Person::counted);
        for envelope in &order.submissions {
            // An author is one also after their key's end.
            let submission = authority.verify::<Submission>(envelope, &BTreeSet::new())?;
            let submission = submission.doc();
            if submission.revision != doc.revision {
                return Err(NoPlan::Refused("a submission is of another revision"));
            }
            let author = authority.person(&submission.author).map(trust::Person::counted);
            if !authority.is_solo() && author == asker {
                return Err(not_allowed(doc));
            }
        }
        Ok(request)
    }
}

fn not_allowed(request: &PlanRequest) -> NoPlan {
    NoPlan::NotAllowed(request.person.clone(), request.pair.target.clone())
}

/// A human who reviews or approves there.
fn may_ask(
    authority: &Authority,
    policy: &PolicyTarget,
    request: &PlanRequest,
) -> Result<(), NoPlan> {
    let person = authority.person(&request.person).filter(|p| p.is_human());
    let may = person
        .is_some_and(|p| policy.reviews.admits(&p.groups) || policy.approvals.admits(&p.groups));
    if may { Ok(()) } else { Err(not_allowed(request)) }
}

/// One query after the other. What is the query's own fault is told with it.
async fn planned(
    bundle: &Bundle,
    request: &PlanRequest,
    connector: &dyn Connector,
) -> Result<Plan, NoPlan> {
    let mut queries = Vec::new();
    for query in bundle.manifest.queries.iter().filter(|q| q.target == request.pair.logical) {
        let text = bundle.queries.get(&query.name).map_or("", String::as_str);
        let params: Vec<_> = query.params.iter().map(|p| p.param_type).collect();
        let (expected, problem) = match connector.plan(text, &params).await {
            Ok(Some(expected)) => (Some(expected), None),
            Ok(None) => (None, Some("this engine expects nothing in numbers".to_owned())),
            Err(refused @ (TargetError::NotAllowed { .. } | TargetError::TooBig { .. })) => {
                (None, Some(refused.to_string()))
            }
            Err(error) => return Err(error.into()),
        };
        queries.push(PlannedQuery { name: query.name.clone(), expected, problem });
    }
    Ok(Plan { queries })
}

/// Does it in a task of its own: a caller that goes away leaves no session open half-way.
pub(crate) async fn plan(inner: &Arc<Inner>, order: Vec<u8>) -> Result<Vec<u8>, NoPlan> {
    let inner = Arc::clone(inner);
    let asked = tokio::spawn(async move { inner.plan(&order).await });
    asked.await.unwrap_or(Err(NoPlan::Target(TargetError::SessionLost)))
}
