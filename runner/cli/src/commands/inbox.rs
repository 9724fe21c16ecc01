//! `borescope inbox`: what waits for you.

use api::types::ProposalKind;
use clap::Args;

use super::Call;
use crate::exit::Exit;
use crate::view::table;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  borescope inbox\n  borescope inbox --json")]
pub(crate) struct InboxArgs {}

/// Lists revisions to review, access requests to approve, proposals to sign, key claims to accept, and
/// your live runs.
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
        let caller = d.person.as_ref().map_or_else(|| "–".to_owned(), ToString::to_string);
        let id = d.id.clone();
        ["approve".to_owned(), id.clone(), caller, format!("borescope approve {id}")]
    });
    let runs = inbox.live_runs.iter().map(|r| {
        let next = format!("borescope show {}", r.id);
        [r.state.code().to_owned(), r.id.to_string(), r.caller.to_string(), next]
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
    let rows: Vec<_> =
        reviews.chain(approvals).chain(proposals).chain(claims).chain(runs).collect();
    if rows.is_empty() {
        call.out.note("nothing waits for you");
        return Ok(Exit::Ok);
    }
    call.out.lines(table::list(["what", "which", "whose", "next"], &rows))?;
    Ok(Exit::Ok)
}
