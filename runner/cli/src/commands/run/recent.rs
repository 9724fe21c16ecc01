//! Whether somebody has just asked the same. Advice only, from what the server lists: whoever runs it
//! again costs the replica a query and themselves the time.

use domain::{Digest, Pair, RunState};

use super::again;
use crate::chosen::Chosen;
use crate::commands::Call;
use crate::out::Style;
use crate::session::Session;
use crate::when;

/// How long ago such a run is news, milliseconds.
const NEWS_MS: u64 = 10 * 60 * 1000;
/// Runs of the same revision that are looked into, newest first.
const LOOKED_AT_MAX: usize = 8;

/// Warns of the newest run with the same revision, input and targets in the last ten minutes.
pub(super) async fn warn(
    call: &Call<'_>,
    session: &Session,
    chosen: &Chosen,
) -> anyhow::Result<()> {
    let now_ms = session.world.clock.now_ms();
    let news = now_ms.saturating_sub(NEWS_MS);
    let all = session.client.runs().await?;
    let revision = chosen.dossier.bundle.revision;
    let (input, pairs) = (Digest::of(&chosen.input), sorted(&chosen.pairs));
    let recent = all.iter().filter(|r| r.revision == revision && r.queued_ms >= news);
    for run in recent.take(LOOKED_AT_MAX) {
        let order = again::order(session, &chosen.dossier.authority, &run.run_request).await;
        // One that this person may not see, or that never started, is not theirs to read.
        let Ok(order) = order else { continue };
        if order.doc().input != input || sorted(&order.doc().pairs) != pairs {
            continue;
        }
        let ago = when::show_s(now_ms.saturating_sub(run.queued_ms) / 1000);
        let how = match run.state {
            RunState::Ended { .. } => run.state.code().to_owned(),
            RunState::Queued | RunState::Running => format!("still {}", run.state.code()),
        };
        let label = call.out.style_err(Style::Warn, "warning:");
        let who = if run.caller == session.person { "you" } else { run.caller.as_str() };
        call.out.note(format!(
            "{label} {who} ran exactly this {ago} ago ({how}): borescope show {}",
            run.id
        ));
        return Ok(());
    }
    Ok(())
}

fn sorted(pairs: &[Pair]) -> Vec<Pair> {
    let mut pairs = pairs.to_vec();
    pairs.sort_unstable();
    pairs
}
