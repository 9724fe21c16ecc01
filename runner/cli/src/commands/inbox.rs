//! `borescope inbox`: what waits for you.

use api::types::{DocumentView, EmergencyView, ProposalKind};
use clap::Args;
use domain::Timestamp;
use trust::AccessRequest;

use super::Call;
use crate::exit::Exit;
use crate::session::envelope;
use crate::view::table;
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  borescope inbox\n  borescope inbox --json")]
pub(crate) struct InboxArgs {}

/// Lists revisions to review, access requests to approve, emergencies to look at and those that you
/// owe a look for, proposals to sign, key claims to accept, and your live runs.
pub(crate) async fn command(call: &Call<'_>, _args: InboxArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let inbox = session.client.inbox().await?;
    if call.out.json {
        call.out.json(&inbox)?;
        return Ok(Exit::Ok);
    }
    let reviews = inbox.to_review.iter().map(|s| {
        [
            "review".to_owned(),
            format!("{}@{}", s.script, s.version),
            s.uploader.to_string(),
            format!("borescope review {}", s.revision.short()),
        ]
    });
    let approvals = inbox.to_approve.iter().map(|d| {
        let caller = caller(d);
        let id = d.id.clone();
        let what = if breaks_glass(d) { "EMERGENCY to approve" } else { "approve" };
        [what.to_owned(), id.clone(), caller, format!("borescope approve {id}")]
    });
    let runs = inbox.live_runs.iter().map(|r| {
        let next = format!("borescope show {}", r.id);
        [r.state.code().to_owned(), r.id.to_string(), r.caller.to_string(), next]
    });
    let now = session.world.now();
    let looks = inbox.to_look_at.iter().map(|e| {
        let next = format!("borescope after-review {}", e.request.id);
        ["EMERGENCY to look at".to_owned(), due(call, now, e), caller(&e.request), next]
    });
    let owed = inbox.owed.iter().map(|e| {
        let next = format!("somebody else: borescope after-review {}", e.request.id);
        ["EMERGENCY of yours".to_owned(), due(call, now, e), caller(&e.request), next]
    });
    let proposals = inbox.to_sign.iter().map(|p| {
        let (verb, what) = match p.kind {
            ProposalKind::Keyring => ("keys", "keyring"),
            ProposalKind::Directory => ("keys", "directory"),
            ProposalKind::Policy => ("policy", "policy"),
        };
        let next = format!("borescope {verb} sign {}", p.digest.short());
        let what = format!("{what} version {}", p.version);
        ["sign".to_owned(), what, p.proposed_by.to_string(), next]
    });
    let claims = inbox.key_claims.iter().map(|c| {
        let next = format!("borescope keys accept {} --group GROUP", c.digest.short());
        ["accept".to_owned(), c.key_fingerprint.clone(), c.person.to_string(), next]
    });
    let waiting = owed.chain(looks).chain(reviews).chain(approvals);
    let rows: Vec<_> = waiting.chain(proposals).chain(claims).chain(runs).collect();
    if rows.is_empty() {
        call.out.note("nothing waits for you");
        return Ok(Exit::Ok);
    }
    call.out.lines(table::list(["what", "which", "whose", "next"], &rows))?;
    Ok(Exit::Ok)
}

fn caller(view: &DocumentView) -> String {
    view.person.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string)
}

/// What the access request says of itself; whether it is genuine is asked when it is approved.
fn breaks_glass(view: &DocumentView) -> bool {
    let request = envelope(view).ok().and_then(|e| trust::read_unverified(&e).ok());
    request.is_some_and(|r: AccessRequest| r.break_glass)
}

fn due(call: &Call<'_>, now: Timestamp, emergency: &EmergencyView) -> String {
    let seconds = i64::try_from(emergency.due_ms / 1000).unwrap_or(i64::MAX);
    let due = Timestamp::from_unix_s(seconds);
    let late = if due < now { "OVERDUE since" } else { "due" };
    format!("{late} {}", when::show(due, &call.env.zone))
}
