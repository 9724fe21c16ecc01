//! On which way a person may run something now: because reviewers opened it, or under an access request
//! of theirs that covers exactly this. Advice by the runner's own functions; the runner decides.

use domain::decide::InputRule;
use domain::{Denial, Digest, Pair, PersonId, RequestId, Rule, RunnerName, decide};
use trust::{AccessRequest, Verified};

use super::super::request::runner_for;
use super::Under;
use crate::chosen::Chosen;
use crate::dossier::{self, Dossier, Imagined, Requested};
use crate::session::{Session, verified};

/// Access requests that are looked into, newest first.
const LOOKED_AT_MAX: usize = 16;

/// How far somebody is.
pub(super) enum Way {
    /// It may run now.
    Open(Under),
    /// An access request for exactly this waits, for what the denial says.
    Waits(RequestId, Denial),
    /// It may not; another access request of theirs for the same script there, with another input,
    /// can be used.
    Closed(Denial, Option<RequestId>),
}

/// Finds the way.
pub(super) async fn find(session: &Session, chosen: &mut Chosen) -> anyhow::Result<Way> {
    chosen.dossier.count_served(session, &session.person).await?;
    let Chosen { dossier, pairs, input } = chosen;
    let runner = runner_for(dossier.authority.policy(), pairs)?;
    let input = Digest::of(input);
    let (caller, now) = (&session.person, session.world.now());
    let run = Imagined { caller, pairs, runner: &runner, input, requested: None, now };
    match advised(session, dossier, run)? {
        Ok(()) => Ok(Way::Open(opened(dossier.bundle.revision, pairs, runner))),
        Err(denial) => requests(session, dossier, pairs, input, denial).await,
    }
}

fn opened(revision: Digest, pairs: &[Pair], runner: RunnerName) -> Under {
    Under::SelfServe { revision, pairs: pairs.to_vec(), runner }
}

/// What would be decided.
pub(super) fn advised(
    session: &Session,
    dossier: &Dossier,
    run: Imagined<'_>,
) -> anyhow::Result<Result<(), Denial>> {
    let advice = match dossier.advise(session, run) {
        Ok(advice) => advice,
        Err(error) => return Ok(Err(dossier::invalid(&error))),
    };
    dossier::is_about_it(&advice.left_out)?;
    Ok(decide(&advice.facts).map(drop))
}

/// The newest access request of this person that can be used for exactly this now; else the newest
/// that only waits, with what it lacks.
async fn requests(
    session: &Session,
    dossier: &Dossier,
    pairs: &[Pair],
    input: Digest,
    alone: Denial,
) -> anyhow::Result<Way> {
    let (mut waits, mut other) = (None, None);
    let all = session.client.access_requests().await?;
    let mine = all.iter().filter_map(|view| verified(&dossier.authority, view).ok());
    let mine = mine.filter(|r: &Verified<AccessRequest>| {
        is_for(r.doc(), &session.person, &dossier.bundle.revision, pairs)
    });
    for request in mine.take(LOOKED_AT_MAX) {
        let id = request.doc().header.id.clone();
        let requested = Requested::fetch(session, &dossier.authority, &id).await?;
        let same = match &request.doc().input {
            InputRule::Exact { digest } => *digest == input,
            InputRule::Schema => true,
        };
        let run = requested.imagined(pairs, session.world.now());
        let run = if same { Imagined { input, ..run } } else { run };
        match (advised(session, dossier, run)?, same) {
            (Ok(()), true) => return Ok(Way::Open(Under::Request(id))),
            (Err(denial), true) if comes(denial.rule) => {
                waits.get_or_insert((id, denial));
            }
            (Ok(()), false) => {
                other.get_or_insert(id);
            }
            (Err(_), _) => {}
        }
    }
    Ok(waits.map_or(Way::Closed(alone, other), |(id, denial)| Way::Waits(id, denial)))
}

/// Whether waiting may help.
pub(super) const fn comes(rule: Rule) -> bool {
    matches!(rule, Rule::ApprovalMissing | Rule::GrantNotYet | Rule::ReviewMissing)
}

/// Whether an access request would help where self-serve does not.
pub(super) const fn asking_helps(rule: Rule) -> bool {
    matches!(rule, Rule::SelfServeNotAllowed | Rule::SelfServeNotReviewed | Rule::SelfServeSpent)
}

fn is_for(request: &AccessRequest, person: &PersonId, revision: &Digest, pairs: &[Pair]) -> bool {
    let mut asked: Vec<Pair> = request.scope.pairs().collect();
    let mut pairs = pairs.to_vec();
    asked.sort_unstable();
    pairs.sort_unstable();
    request.caller == *person && request.revision == *revision && asked == pairs
}
