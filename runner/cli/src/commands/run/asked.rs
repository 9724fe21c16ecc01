//! Asking for what is missing, and waiting for it.

use std::time::Duration;

use domain::decide::InputRule;
use domain::{Denial, RequestId, Rule};
use serde_json::json;
use tokio::time::{Instant, timeout_at};
use trust::imagine::who::Act;

use super::super::request;
use super::interrupt::{Interrupt, Left};
use super::way::{self, advised, asking_helps, comes};
use crate::chosen::{self, Chosen, WhatArgs};
use crate::commands::Call;
use crate::dossier::{Dossier, Requested};
use crate::exit::{Exit, Failure};
use crate::narrow::NarrowArgs;
use crate::session::{Session, hashed};
use crate::{next, people};

/// Between two looks at an access request that waits.
const POLL: Duration = Duration::from_secs(1);

/// Files an access request for what is chosen; or says what else would help.
pub(super) async fn ask(
    call: &Call<'_>,
    session: &Session,
    what: &WhatArgs,
    chosen: &Chosen,
    denial: &Denial,
    other: Option<&RequestId>,
    interrupt: &Interrupt,
) -> anyhow::Result<Result<RequestId, Exit>> {
    if let Some(id) = other {
        call.out.note(format!(
            "an access request of yours is open for another input: borescope run --resume {id}"
        ));
    }
    let Chosen { dossier, pairs, input } = chosen;
    let (Some(reason), true) = (&what.reason, asking_helps(denial.rule)) else {
        return refuse(call, what, chosen, denial).map(Err);
    };
    let ask = request::Ask {
        pairs: pairs.clone(),
        input: input.clone(),
        reason: reason.clone(),
        ticket: what.ticket(),
        uses: 1,
        duration_s: request::DURATION_S,
        until: session.world.now().plus_s(request::WINDOW_S),
        break_glass: false,
        narrow: NarrowArgs::default(),
    };
    let document = request::document(session, &dossier.bundle, &ask, dossier.authority.policy())?;
    let lacks = request::lacking(session, dossier, &document)?;
    if let Some(lacks) = lacks.iter().find(|d| !comes(d.rule)) {
        return refuse(call, what, chosen, lacks).map(Err);
    }
    let filed = request::send(session, &document, input.clone()).await?;
    let id: RequestId = filed.id.parse()?;
    interrupt.leaves(Left::Asked(id.clone()));
    let helps = request::helpers(dossier, &document);
    let out = call.out;
    if out.json {
        out.json(&json!({ "event": "asked", "request": id, "approvers": helps }))?;
    }
    let ticket = ask.ticket.as_ref().map_or_else(String::new, |t| format!(", for {t}"));
    out.note(format!("not open to you without an approval, so it is asked for: {id}{ticket}"));
    out.note(format!("  {} approves it: borescope approve {id}", people::in_words(&helps)));
    Ok(Ok(id))
}

/// Says what is missing, and the command that asks for it.
fn refuse(
    call: &Call<'_>,
    what: &WhatArgs,
    chosen: &Chosen,
    denial: &Denial,
) -> anyhow::Result<Exit> {
    let Chosen { dossier, pairs, .. } = chosen;
    let m = &dossier.bundle.manifest;
    let named = format!("{}@{}", m.name, m.version);
    let story = next::Story::of_revision(named.clone(), pairs);
    let help = match denial.rule {
        rule if asking_helps(rule) => {
            format!("ask for it: {}", chosen::again(&what.typed, "--reason TEXT"))
        }
        Rule::ReviewMissing => {
            let authors = dossier.authors();
            let helps = people::who(dossier, pairs, Act::Review, &authors);
            let targets: Vec<String> = pairs.iter().map(|p| format!("--target {p}")).collect();
            let targets = targets.join(" ");
            format!("{} reviews it: borescope review {named} {targets}", people::in_words(&helps))
        }
        _ => denial.help.clone(),
    };
    next::refuse(call.out, Exit::Denied, denial, &help, &story)
}

/// Waits until an access request can be used, by what is verified here. The inner error: it is told
/// already that it cannot, or not in time.
pub(super) async fn wait(
    call: &Call<'_>,
    session: &Session,
    dossier: &Dossier,
    id: &RequestId,
    until: Instant,
) -> anyhow::Result<Result<(), Exit>> {
    let mut line = None;
    let mut known = None;
    loop {
        let view = session.client.access_request(id).await?;
        let seen = (view.state, view.approvals.len(), view.reviews.len());
        if known.as_ref() != Some(&seen) {
            known = Some(seen);
            match standing(session, dossier, id).await? {
                Ok(()) => return Ok(Ok(())),
                Err(denial) if comes(denial.rule) => {
                    let fact = format!("waiting: {}", denial.fact);
                    line.get_or_insert_with(|| call.out.progress(&fact)).say(&fact);
                }
                Err(denial) => {
                    drop(line.take());
                    let story = next::Story::of_request(id);
                    return next::refuse(call.out, Exit::Denied, &denial, &denial.help, &story)
                        .map(Err);
                }
            }
        }
        if timeout_at(until, tokio::time::sleep(POLL)).await.is_err() {
            drop(line.take());
            let Err(denial) = standing(session, dossier, id).await? else { return Ok(Ok(())) };
            let help = format!("nothing ran, and {id} is kept; go on: borescope run --resume {id}");
            let story = next::Story::of_request(id);
            return next::refuse(call.out, Exit::NotInTime, &denial, &help, &story).map(Err);
        }
    }
}

/// What would be decided on its next use, by what is on file now.
async fn standing(
    session: &Session,
    dossier: &Dossier,
    id: &RequestId,
) -> anyhow::Result<Result<(), Denial>> {
    let authority = session.authority().await?;
    let requested = Requested::fetch(session, &authority, id).await?;
    let pairs = requested.pairs();
    let dossier = Dossier::about(session, authority, dossier.bundle.clone(), &pairs).await?;
    advised(session, &dossier, requested.imagined(&pairs, session.world.now()))
}

/// What an access request of this person asks for, its input fetched and hashed here.
pub(super) async fn of_request(session: &Session, id: &RequestId) -> anyhow::Result<Chosen> {
    let authority = session.authority().await?;
    let requested = Requested::fetch(session, &authority, id).await?;
    let doc = requested.doc();
    if doc.caller != session.person {
        let help = format!("its caller runs it; see borescope show {id}");
        return Err(Failure::usage(format!("{id} is of {}", doc.caller), help).into());
    }
    let input = match &doc.input {
        InputRule::Exact { digest } => hashed(session.client.request_input(id).await?, digest)?,
        InputRule::Schema => {
            let help = "give an input: borescope run SCRIPT --on TARGET …";
            return Err(Failure::usage(format!("{id} is for any input"), help).into());
        }
    };
    let pairs = requested.pairs();
    let bundle = session.fetch(&doc.revision).await?;
    let dossier = Dossier::about(session, authority, bundle, &pairs).await?;
    Ok(Chosen { dossier, pairs, input })
}

/// Says by which way it runs.
pub(super) fn tell(call: &Call<'_>, way: &way::Way) {
    match way {
        way::Way::Open(super::Under::SelfServe { .. }) => {
            call.out.note("reviewers opened it to you: no approval is needed");
        }
        way::Way::Open(super::Under::Request(id)) => {
            call.out.note(format!("under {id}, which is approved"));
        }
        way::Way::Waits(id, denial) => {
            call.out.note(format!("{id} asks for exactly this and waits: {}", denial.fact));
        }
        way::Way::Closed(..) => {}
    }
}
