//! `borescope request`: ask to run a revision on targets, with this input.

mod emergency;

use api::types::Filed;
use clap::Args;
use domain::decide::{InputRule, RequestFact, Window};
use domain::{
    Denial, Digest, FreeText, Pair, PersonId, RequestId, Rule, RunnerName, Ticket, Timestamp,
    explain,
};
use serde_json::json;
use trust::imagine::who::Act;
use trust::{AccessRequest, Policy};

use super::Call;
use crate::blast::words;
use crate::bundle::Bundle;
use crate::chosen::{self, Chosen, WhatArgs, check_input};
use crate::dossier::{Dossier, Imagined};
use crate::exit::{Exit, Failure};
use crate::narrow::NarrowArgs;
use crate::out::{hang, width};
use crate::session::{Session, wire};
use crate::{next, people, when};

/// Where `--until` is not given: the request can be used for a day.
pub(super) const WINDOW_S: i64 = 86_400;
/// Where `--duration` is not given: the grant lasts an hour.
pub(super) const DURATION_S: u64 = 3600;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope request stuck-orders --on shop-replica --since 2h \\
      --reason \"INC-1234 customers complain about late parcels\"
  borescope request stuck-orders@1.2.0 --on shop=shop-replica --input input.json \\
      --reason \"on call\" --uses 3 --duration 2h --until \"2026-11-24 18:00\"
  borescope request stuck-orders --on shop-replica --since 2h --reason \"checkout is down\" \\
      --ticket INC-1234 --break-glass
  borescope request stuck-orders --help    the options of that script

borescope run asks by itself where that is needed; this is for asking ahead, for several uses or for
an emergency. The approval covers exactly this input, byte for byte. --break-glass marks an emergency:
fewer approvals, but all reviews; less and shorter, by the target's policy; everybody sees it, and
somebody else must look at it afterwards, or your next emergency is refused.")]
pub(crate) struct RequestArgs {
    #[command(flatten)]
    pub(crate) what: WhatArgs,
    /// How often it may run
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1000))]
    uses: u64,
    /// How long the grant lasts once approved [default: 1h, in an emergency what policy allows]
    #[arg(long, value_name = "TIME", value_parser = when::duration_s)]
    duration: Option<u64>,
    /// Last moment at which it may be used: 2h, a time, or a local date and time [default: 1d]
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// An emergency: fewer approvals, less, shorter, seen by all, and looked at afterwards
    #[arg(long)]
    break_glass: bool,
    #[command(flatten)]
    narrow: NarrowArgs,
}

/// What is asked for, resolved.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    /// Bindings.
    pub(crate) pairs: Vec<Pair>,
    /// The exact input.
    pub(crate) input: Vec<u8>,
    /// Why.
    pub(crate) reason: FreeText,
    /// The incident.
    pub(crate) ticket: Option<Ticket>,
    /// How often.
    pub(crate) uses: u64,
    /// Seconds that the grant lasts.
    pub(crate) duration_s: u64,
    /// Last second of the window.
    pub(crate) until: Timestamp,
    /// Whether it is an emergency.
    pub(crate) break_glass: bool,
    /// Less than the manifest asks for.
    pub(crate) narrow: NarrowArgs,
}

/// Files the request and shows what to do next.
pub(crate) async fn command(call: &Call<'_>, args: RequestArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let now = session.world.now();
    let until = match &args.until {
        Some(text) => when::time(text, now, &call.env.zone)
            .map_err(|e| Failure::usage(e, "see borescope request --help"))?,
        None => now.plus_s(WINDOW_S),
    };
    if until <= now {
        return Err(
            Failure::usage(format!("--until {until} is in the past"), "give a later time").into()
        );
    }
    let all = match chosen::choose(call, &session, "request", &args.what).await? {
        Ok(all) => all,
        Err(exit) => return Ok(exit),
    };
    let Some(reason) = args.what.reason.clone() else {
        let help = "say why, whoever approves it will ask: --reason TEXT";
        return Err(Failure::usage("no reason is given, and nothing was asked for", help).into());
    };
    let mut worst = Exit::Ok;
    for Chosen { dossier, pairs, input } in all {
        let long = args.duration.unwrap_or_else(|| default_s(&dossier, &pairs, args.break_glass));
        let ask = Ask {
            pairs,
            input,
            reason: reason.clone(),
            ticket: args.what.ticket(),
            uses: args.uses,
            duration_s: long,
            until,
            break_glass: args.break_glass,
            narrow: args.narrow.clone(),
        };
        worst = worst.max(one(call, &session, &dossier, ask).await?);
    }
    Ok(worst)
}

/// Files one, and says what comes next.
async fn one(
    call: &Call<'_>,
    session: &Session,
    dossier: &Dossier,
    ask: Ask,
) -> anyhow::Result<Exit> {
    let request = document(session, &dossier.bundle, &ask, dossier.authority.policy())?;
    let lacks = lacking(session, dossier, &request)?;
    if ask.break_glass {
        emergency::tell(call, dossier, &request)?;
        if let Some(denial) = lacks.iter().find(|d| emergency::refuses(d.rule)) {
            let revision = dossier.bundle.revision.short();
            let story = next::Story::of_revision(revision, &ask.pairs);
            return next::refuse(call.out, Exit::Denied, denial, &denial.help, &story);
        }
    }
    let filed = send(session, &request, ask.input).await?;
    show(call, dossier, &request, &filed, &lacks)
}

/// An hour; in an emergency what every target allows, if that is less.
fn default_s(dossier: &Dossier, pairs: &[Pair], break_glass: bool) -> u64 {
    let rules = |p: &Pair| dossier.authority.target(&p.target)?.break_glass.as_ref();
    let most = pairs.iter().filter_map(rules).map(|b| b.duration_s_max).min();
    most.filter(|_| break_glass).map_or(DURATION_S, |most| most.min(DURATION_S))
}

fn show(
    call: &Call<'_>,
    dossier: &Dossier,
    request: &AccessRequest,
    filed: &Filed,
    lacks: &[Denial],
) -> anyhow::Result<Exit> {
    let until = request.window.not_after;
    if call.out.json {
        call.out.json(&json!({
            "id": filed.id, "digest": filed.digest, "revision": request.revision, "until": until,
            "break_glass": request.break_glass, "lacks": lacks,
        }))?;
        return Ok(Exit::Ok);
    }
    let m = &dossier.bundle.manifest;
    call.out.line(format!("access request {}", filed.id))?;
    let until = when::show(until, &call.env.zone);
    call.out.line(format!("for {} {} until {until}", m.name, m.version))?;
    for denial in lacks.iter().filter(|d| d.rule != Rule::ApprovalMissing) {
        call.out.note(format!("  lacks  {}: {}", denial.rule.code(), denial.fact));
    }
    let paint = |style, text: &str| call.out.style_err(style, text);
    for (label, what) in words::in_short(dossier, &request.scope, request.uses, paint) {
        call.out.notes(hang(&format!("  {label:<7}"), &what, width()));
    }
    if let Some(ticket) = &request.ticket {
        call.out.note(format!("  ticket {ticket}"));
    }
    let helps = helpers(dossier, request);
    call.out.note(format!(
        "next: {} approves it: borescope approve {}",
        people::in_words(&helps),
        filed.id
    ));
    call.out.note(format!("      then it runs by: borescope run --resume {}", filed.id));
    Ok(Exit::Ok)
}

/// Who may approve it.
pub(super) fn helpers(dossier: &Dossier, request: &AccessRequest) -> Vec<PersonId> {
    let pairs: Vec<Pair> = request.scope.pairs().collect();
    let act = if request.break_glass { Act::ApproveBreakGlass } else { Act::Approve };
    people::who(dossier, &pairs, act, std::slice::from_ref(&request.caller))
}

/// What would be denied were it ordered now, besides what only approvals can give.
pub(super) fn lacking(
    session: &Session,
    dossier: &Dossier,
    request: &AccessRequest,
) -> anyhow::Result<Vec<Denial>> {
    let pairs: Vec<Pair> = request.scope.pairs().collect();
    let input = match &request.input {
        InputRule::Exact { digest } => *digest,
        InputRule::Schema => Digest::of(b"{}"),
    };
    let run = Imagined {
        caller: &request.caller,
        pairs: &pairs,
        runner: &request.runner,
        input,
        requested: None,
        now: session.world.now(),
    };
    let mut facts = dossier.advise(session, run)?.facts;
    // Its digest, before it is signed.
    let digest = Digest::of(&trust::payload(request)?);
    (facts.run.request, facts.run.use_number) = (Some(digest), 1);
    facts.request = Some(RequestFact {
        id: request.header.id.clone(),
        digest,
        caller: facts.run.caller.clone(),
        revision: request.revision,
        scope: request.scope.capabilities()?,
        input: request.input.clone(),
        window: request.window,
        duration_s: request.duration_s,
        uses: request.uses,
        break_glass: request.break_glass,
    });
    let lacks = explain(&facts).into_iter().filter(|s| !s.satisfied);
    Ok(lacks.map(|s| Denial::new(s.rule, s.fact, s.help.unwrap_or_default())).collect())
}

/// Signs and files an access request for a revision that was hashed here.
pub(crate) async fn file(session: &Session, bundle: &Bundle, ask: &Ask) -> anyhow::Result<Filed> {
    let authority = session.authority().await?;
    let request = document(session, bundle, ask, authority.policy())?;
    send(session, &request, ask.input.clone()).await
}

/// Signs and files an access request with its input.
pub(super) async fn send(
    session: &Session,
    request: &AccessRequest,
    input: Vec<u8>,
) -> anyhow::Result<Filed> {
    // The approver's client and the runner need the input's bytes, not only their digest.
    let digest = Digest::of(&input);
    let stored = session.client.store_input(input).await?;
    if stored.digest != digest {
        return Err(
            Failure::evidence("the server stored other bytes than were sent", "try again").into()
        );
    }
    let envelope = wire(&session.sign(request)?)?;
    Ok(session.client.request_access(&envelope).await?)
}

/// The access request, checked as far as that is possible here.
pub(crate) fn document(
    session: &Session,
    bundle: &Bundle,
    ask: &Ask,
    policy: &Policy,
) -> anyhow::Result<AccessRequest> {
    crate::on::check(&bundle.manifest, &ask.pairs)?;
    check_input(bundle, &ask.input)?;
    let id = RequestId::new(&*session.world.clock, &*session.world.entropy);
    let now = session.world.now();
    Ok(AccessRequest {
        header: session.header(id, ask.until.unix_s() - now.unix_s()),
        caller: session.person.clone(),
        revision: bundle.revision,
        scope: ask.narrow.apply(bundle.manifest.asks(&ask.pairs).scope())?,
        input: InputRule::Exact { digest: Digest::of(&ask.input) },
        window: Window { not_before: now, not_after: ask.until },
        duration_s: ask.duration_s,
        uses: ask.uses,
        runner: runner_for(policy, &ask.pairs)?,
        reason: ask.reason.clone(),
        ticket: ask.ticket.clone(),
        break_glass: ask.break_glass,
    })
}

/// A runner that reaches all of the targets, by the verified policy.
pub(crate) fn runner_for(policy: &Policy, pairs: &[Pair]) -> anyhow::Result<RunnerName> {
    let mut common: Option<Vec<RunnerName>> = None;
    for pair in pairs {
        let target = policy.target(&pair.target).ok_or_else(|| {
            let known: Vec<&str> = policy.targets.iter().map(|t| t.id.as_str()).collect();
            Failure::usage(
                format!("the policy has no target {}", pair.target),
                format!("targets are: {}", known.join(", ")),
            )
        })?;
        let mut here = target.runners.clone();
        if let Some(before) = common {
            here.retain(|r| before.contains(r));
        }
        common = Some(here);
    }
    common.and_then(|c| c.into_iter().next()).ok_or_else(|| {
        Failure::usage(
            "no runner reaches all of these targets",
            "ask for them in separate requests",
        )
        .into()
    })
}
