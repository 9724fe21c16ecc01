//! `borescope inbox`: what waits for you.

use std::collections::BTreeSet;
use std::time::Duration;

use api::types::{DocumentView, EmergencyView, Inbox, ProposalKind, SentBackView};
use clap::Args;
use domain::Timestamp;
use domain::decide::Verdict;
use serde_json::Value;
use trust::{AccessRequest, Authority, Review};

use super::Call;
use crate::exit::Exit;
use crate::out::{Style, foreign, hang, width};
use crate::session::{Session, envelope, verified};
use crate::view::table;
use crate::when;

/// How often a watched inbox is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope inbox
  borescope inbox --watch          stays, and shows what comes; where piped, each new line once
  borescope inbox --json")]
pub(crate) struct InboxArgs {
    /// Stay, and look again every few seconds
    #[arg(long)]
    watch: bool,
}

/// A row: what, which, whose, the command that acts on it.
type Row = [String; 4];

/// Lists revisions to review and those that came back, access requests to approve, emergencies to look at
/// and those that you owe a look for, proposals to sign, key claims to accept, and your live runs.
pub(crate) async fn command(call: &Call<'_>, args: InboxArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    if args.watch {
        tokio::select! {
            watched = watch(call, session) => watched?,
            _ = tokio::signal::ctrl_c() => {}
        }
        return Ok(Exit::Ok);
    }
    let inbox = session.client.inbox().await?;
    if call.out.json {
        call.out.json(&inbox)?;
        return Ok(Exit::Ok);
    }
    let lines = lines(call, &session, &inbox).await?;
    if lines.is_empty() {
        call.out.note("nothing waits for you");
    }
    call.out.lines(lines)?;
    Ok(Exit::Ok)
}

/// Looks again and again; a server that is away is told once and asked again.
async fn watch(call: &Call<'_>, mut session: Session) -> anyhow::Result<()> {
    let out = call.out;
    let (mut shown, mut away) = (Shown::default(), false);
    loop {
        match look(call, &session).await {
            Ok(looked) => {
                away = false;
                shown.show(call, looked)?;
            }
            Err(error) => {
                if !away {
                    out.note(format!("{}; asking again", crate::exit::chain(&error)));
                }
                away = true;
                // A session that has ended is begun anew.
                session = call.session().await.unwrap_or(session);
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// One look at the inbox, as it is shown.
enum Looked {
    /// The whole, for programs.
    Json(Value),
    /// Lines for a terminal.
    Screen(Vec<String>),
    /// Rows where somebody else reads.
    Rows(Vec<Row>),
}

async fn look(call: &Call<'_>, session: &Session) -> anyhow::Result<Looked> {
    let inbox = session.client.inbox().await?;
    Ok(if call.out.json {
        Looked::Json(serde_json::to_value(&inbox)?)
    } else if call.out.is_terminal() {
        Looked::Screen(lines(call, session, &inbox).await?)
    } else {
        Looked::Rows(rows(call, session, &inbox))
    })
}

/// What a watching person or program has seen so far.
#[derive(Default)]
struct Shown {
    json: Value,
    rows: BTreeSet<Row>,
}

impl Shown {
    fn show(&mut self, call: &Call<'_>, looked: Looked) -> std::io::Result<()> {
        let out = call.out;
        match looked {
            Looked::Json(inbox) => {
                if self.json != inbox {
                    out.json(&inbox)?;
                    self.json = inbox;
                }
            }
            Looked::Screen(mut lines) => {
                if lines.is_empty() {
                    lines.push("nothing waits for you".to_owned());
                }
                lines.push(String::new());
                lines.push(out.style(Style::Dim, "looked at every few seconds; Ctrl-C ends it"));
                out.redraw(lines)?;
            }
            Looked::Rows(rows) => {
                let rows: BTreeSet<Row> = rows.into_iter().collect();
                for row in rows.difference(&self.rows) {
                    out.line(row.join("  "))?;
                }
                self.rows = rows;
            }
        }
        Ok(())
    }
}

/// The table, and what reviewers said about what came back.
async fn lines(call: &Call<'_>, session: &Session, inbox: &Inbox) -> anyhow::Result<Vec<String>> {
    let rows = rows(call, session, inbox);
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = table::actions(["what", "which", "whose", "next"], &rows);
    if inbox.sent_back.is_empty() {
        return Ok(lines);
    }
    let authority = session.authority().await?;
    for back in &inbox.sent_back {
        lines.push(String::new());
        lines.extend(why(&authority, back));
    }
    Ok(lines)
}

/// The verdict in its reviewer's words, if it is theirs and about this revision.
fn why(authority: &Authority, back: &SentBackView) -> Vec<String> {
    let name = format!("{}@{}", back.script.script, back.script.version);
    let review = verified::<Review>(authority, &back.review);
    let review = review.ok().filter(|r| r.doc().revision == back.script.revision);
    let Some(review) = review else {
        return vec![format!(
            "what the server shows as a review of {name} is none; do not rely on it"
        )];
    };
    let doc = review.doc();
    let said = match doc.verdict {
        Verdict::Reject => "rejected it",
        Verdict::RequestChanges | Verdict::Approve => "wants changes",
    };
    let mut lines = vec![format!("{} {said} ({name}):", doc.reviewer)];
    lines.extend(doc.comment.as_str().lines().flat_map(|l| hang("  ", &foreign(l), width())));
    lines
}

fn rows(call: &Call<'_>, session: &Session, inbox: &Inbox) -> Vec<Row> {
    let reviews = inbox.to_review.iter().map(|s| {
        [
            "review".to_owned(),
            format!("{}@{}", s.script, s.version),
            s.uploader.to_string(),
            format!("borescope review {}", s.revision.short()),
        ]
    });
    let back = inbox.sent_back.iter().map(|b| {
        [
            "yours, sent back".to_owned(),
            format!("{}@{}", b.script.script, b.script.version),
            caller(&b.review),
            format!("borescope show {}", b.script.revision.short()),
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
    let waiting = owed.chain(looks).chain(back).chain(reviews).chain(approvals);
    waiting.chain(proposals).chain(claims).chain(runs).collect()
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
