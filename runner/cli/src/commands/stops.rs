//! `borescope stops`: what is in force against runs, with who, why and since when.

use clap::Args;
use domain::Timestamp;
use domain::display::neutralise;
use serde_json::json;

use super::Call;
use crate::against::{Ban, Banned, Listed};
use crate::exit::Exit;
use crate::out::{Style, hang, width};
use crate::when;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  borescope stops\n  borescope stops --json

Stops and rejections that nobody has ended, made out here from the signed documents. A stop ends by
borescope lift, a rejection also by its reviewer's borescope withdraw.")]
pub(crate) struct StopsArgs {}

/// Lists them.
pub(crate) async fn command(call: &Call<'_>, _args: StopsArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    let authority = session.authority().await?;
    let against = Listed::fetch(&session).await?.in_force(&authority, None);
    let (out, bans) = (call.out, against.bans());
    if out.json {
        bans.iter().try_for_each(|ban| out.json(&as_json(ban)))?;
        return Ok(Exit::Ok);
    }
    if bans.is_empty() {
        out.note("nothing is stopped, and nothing is rejected");
    }
    for ban in bans {
        out.line(out.style(Style::Bold, &ban.id))?;
        out.lines(in_words(ban, call))?;
    }
    for refused in &against.refused {
        out.note(format!("{} {refused}", out.style_err(Style::Warn, "warning:")));
    }
    Ok(Exit::Ok)
}

fn as_json(ban: &Ban) -> serde_json::Value {
    let Ban { id, digest, by, since_ms, what, reason, doubt } = ban;
    let what = match what {
        Banned::Subject(subject) => json!({ "stop": subject }),
        Banned::Revision(revision, pairs) => json!({ "reject": revision, "pairs": pairs }),
    };
    json!({
        "id": id, "digest": digest, "by": by, "since_ms": since_ms, "what": what, "reason": reason,
        "doubt": doubt,
    })
}

/// One ban as lines.
pub(super) fn in_words(ban: &Ban, call: &Call<'_>) -> Vec<String> {
    let what = match &ban.what {
        Banned::Subject(subject) => format!("{subject} is stopped"),
        Banned::Revision(revision, pairs) => {
            let pairs: Vec<String> = pairs.iter().map(ToString::to_string).collect();
            format!("revision {revision} is rejected for {}", pairs.join(", "))
        }
    };
    let seconds = i64::try_from(ban.since_ms / 1000).unwrap_or(i64::MAX);
    let since = when::show(Timestamp::from_unix_s(seconds), &call.env.zone);
    let mut lines = hang("  what     ", &neutralise(&what), width());
    lines.push(format!("  by       {} since {since}", ban.by));
    lines.extend(hang("  because  ", &neutralise(ban.reason.as_str()), width()));
    if let Some(doubt) = &ban.doubt {
        let doubt = format!("{doubt}; it bars all the same");
        lines.extend(hang("  doubt    ", &neutralise(&doubt), width()));
    }
    lines
}
