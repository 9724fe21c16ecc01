//! `borescope sessions`: where you are logged in, and ending it.

use api::types::SessionView;
use clap::Args;
use domain::SessionId;

use super::Call;
use crate::config::{self, Config};
use crate::exit::Exit;
use crate::session::World;
use crate::view::table;
use crate::when;

/// Characters of a key's fingerprint in the table, enough to tell one's own apart; `--json` has all.
const FINGERPRINT_CHARS: usize = 11;

/// Arguments.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  borescope sessions
  borescope sessions --json
  borescope sessions --revoke ses_0198f0c0-0000-7000-8000-000000000000

A session that you do not know: revoke it. If its key is not yours alone any more, that is not enough:
have the key stopped (borescope stop key --help), which ends all its sessions and bans it.")]
pub(crate) struct SessionsArgs {
    /// End this session of yours, at once
    #[arg(long, value_name = "ID")]
    revoke: Option<SessionId>,
}

/// Lists, or ends one.
pub(crate) async fn command(call: &Call<'_>, args: SessionsArgs) -> anyhow::Result<Exit> {
    let session = call.session().await?;
    if let Some(id) = &args.revoke {
        let ended = session.client.revoke_session(id).await?;
        if ended.current && call.who.url.is_none() {
            let (name, _) = Config::load(&call.env.dir)?.choose(call.who)?;
            config::forget_token(&call.env.dir, &name)?;
        }
        if call.out.json {
            call.out.json(&ended)?;
        } else {
            call.out.line(format!("{} has ended", ended.id))?;
        }
        return Ok(Exit::Ok);
    }
    let sessions = session.client.sessions().await?;
    if call.out.json {
        sessions.iter().try_for_each(|s| call.out.json(s))?;
        return Ok(Exit::Ok);
    }
    let now_s = World::real().now().unix_s();
    let rows: Vec<_> = sessions.iter().map(|s| row(s, now_s)).collect();
    call.out.lines(table::list(["session", "key", "age", "ends in", ""], &rows))?;
    Ok(Exit::Ok)
}

/// In minutes and short, so that an id, which is there to be copied, stays on its line.
fn row(session: &SessionView, now_s: i64) -> [String; 5] {
    let second = |ms: u64| i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let lasts = |from: i64, to: i64| {
        let seconds = u64::try_from(to.saturating_sub(from)).unwrap_or_default();
        when::show_s(seconds - seconds % 60)
    };
    let SessionView { id, person: _, created_ms, expires_ms, key_fingerprint, current } = session;
    [
        id.to_string(),
        key_fingerprint.chars().take(FINGERPRINT_CHARS).collect(),
        lasts(second(*created_ms), now_s),
        lasts(now_s, second(*expires_ms)),
        if *current { "this" } else { "" }.to_owned(),
    ]
}
