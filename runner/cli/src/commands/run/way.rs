//! On which way a person may run something now: because reviewers opened it, or under an access request
//! of theirs that covers exactly this. Advice by the runner's own functions; the runner decides.

use domain::decide::InputRule;
use domain::{Denial, Digest, Pair, PersonId, RequestId, Rule, decide};
use trust::{AccessRequest, Verified};

use super::super::Call;
use super::super::request::{check_input, on, runner_for};
use super::super::review::check_pairs;
use super::Under;
use crate::dossier::{self, Dossier, Imagined, Requested};
use crate::exit::Exit;
use crate::next;
use crate::session::{Session, verified};

/// Access requests that are looked into, newest first.
const LOOKED_AT_MAX: usize = 16;

/// What somebody wants to run.
pub(super) struct Wanted<'a> {
    /// The revision as it was typed.
    pub(super) reference: &'a str,
    /// The bindings.
    pub(super) pairs: &'a [Pair],
    /// The input's bytes.
    pub(super) input: &'a [u8],
    /// Where they are.
    pub(super) place: String,
}

/// Finds the way, or says what to do to have one.
pub(super) async fn choose(
    call: &Call<'_>,
    session: &Session,
    wanted: Wanted<'_>,
) -> anyhow::Result<Result<Under, Exit>> {
    let revision = session.resolve(wanted.reference).await?;
    let mut dossier = Dossier::fetch(session, &revision, wanted.pairs).await?;
    dossier.count_served(session, &session.person).await?;
    check_pairs(&dossier.bundle, wanted.pairs)?;
    check_input(&dossier.bundle, wanted.input)?;
    let m = &dossier.bundle.manifest;
    call.out.note(format!("{} {}  {revision}", m.name, m.version));
    let runner = runner_for(dossier.authority.policy(), wanted.pairs)?;
    let run = Imagined {
        caller: &session.person,
        pairs: wanted.pairs,
        runner: &runner,
        input: Digest::of(wanted.input),
        requested: None,
        now: session.world.now(),
    };
    let alone = advised(session, &dossier, run)?;
    let Err(denial) = alone else {
        call.out.note("reviewers opened it to you: no approval is needed");
        return Ok(Ok(Under::SelfServe { revision, pairs: wanted.pairs.to_vec(), runner }));
    };
    let (open, waiting) = requests(session, &dossier, &wanted).await?;
    if let Some(id) = open {
        call.out.note(format!("under {id}, which is approved"));
        return Ok(Ok(Under::Request(id)));
    }
    refusal(call, &dossier, &wanted, &denial, waiting).map(Err)
}

/// What would be decided.
fn advised(
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

/// The newest access request of this person for exactly this that can be used now; and the newest that
/// only waits, with what it lacks.
async fn requests(
    session: &Session,
    dossier: &Dossier,
    wanted: &Wanted<'_>,
) -> anyhow::Result<(Option<RequestId>, Option<(RequestId, Denial)>)> {
    let mut waiting = None;
    let all = session.client.access_requests().await?;
    let mine = all.iter().filter_map(|view| verified(&dossier.authority, view).ok());
    let mine = mine.filter(|r: &Verified<AccessRequest>| {
        is_for(r.doc(), &session.person, &dossier.bundle.revision, wanted)
    });
    for request in mine.take(LOOKED_AT_MAX) {
        let id = request.doc().header.id.clone();
        let requested = Requested::fetch(session, &dossier.authority, &id).await?;
        let pairs = requested.pairs();
        let run = requested.imagined(&pairs, session.world.now());
        let run = Imagined { input: Digest::of(wanted.input), ..run };
        match advised(session, dossier, run)? {
            Ok(()) => return Ok((Some(id), None)),
            Err(denial) if comes(denial.rule) => {
                waiting.get_or_insert((id, denial));
            }
            Err(_) => {}
        }
    }
    Ok((None, waiting))
}

/// Whether waiting may help.
const fn comes(rule: Rule) -> bool {
    matches!(rule, Rule::ApprovalMissing | Rule::GrantNotYet | Rule::ReviewMissing)
}

fn is_for(
    request: &AccessRequest,
    person: &PersonId,
    revision: &Digest,
    wanted: &Wanted<'_>,
) -> bool {
    let mut asked: Vec<Pair> = request.scope.pairs().collect();
    let mut pairs = wanted.pairs.to_vec();
    asked.sort_unstable();
    pairs.sort_unstable();
    let input = match &request.input {
        InputRule::Exact { digest } => *digest == Digest::of(wanted.input),
        InputRule::Schema => true,
    };
    request.caller == *person && request.revision == *revision && asked == pairs && input
}

/// Whether an access request would help where self-serve does not.
const fn asking_helps(rule: Rule) -> bool {
    matches!(rule, Rule::SelfServeNotAllowed | Rule::SelfServeNotReviewed | Rule::SelfServeSpent)
}

fn refusal(
    call: &Call<'_>,
    dossier: &Dossier,
    wanted: &Wanted<'_>,
    denial: &Denial,
    waiting: Option<(RequestId, Denial)>,
) -> anyhow::Result<Exit> {
    let (m, place) = (&dossier.bundle.manifest, &wanted.place);
    if let Some((id, lacks)) = waiting {
        let why = format!("borescope show {id} --why");
        let help = format!("{}; then: borescope run --request {id} --input {place}", lacks.help);
        return next::refuse(call.out, Exit::NotInTime, &lacks, &help, &why);
    }
    let (name, on) = (format!("{}@{}", m.name, m.version), on(wanted.pairs));
    let help = if asking_helps(denial.rule) {
        format!("ask for it: borescope request {name} --on {on} --input {place} --reason TEXT")
    } else {
        denial.help.clone()
    };
    let why = format!("borescope show {name} --why --on {on}");
    next::refuse(call.out, Exit::Denied, denial, &help, &why)
}
