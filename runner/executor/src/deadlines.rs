//! When a live run ends without anybody's word: with its wall time, its grant, or what is known of
//! what is in force. Measured on a clock that nobody sets and that goes on while the machine is
//! suspended, so that neither prolongs a grant.

use std::convert::Infallible;
use std::time::Duration;

use domain::{Decision, RunId, Timestamp};
use sandbox::Cancel;

use crate::runner::Inner;
use crate::status::ends_ms;

/// How often the clock is looked at. The timers of the runtime stand still while the machine does.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The ends of one run, in milliseconds of [`domain::Clock::elapsed_ms`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadlines {
    /// Of the grant.
    grant_ms: u64,
    grant_ends: Timestamp,
    /// Of the status; `None`: it touches no production.
    status_ms: Option<u64>,
}

impl Deadlines {
    /// The ends of a run that is decided at `now`.
    pub(crate) fn of(decision: &Decision, now: Timestamp, elapsed_ms: u64) -> Self {
        Self {
            grant_ms: ends_ms(elapsed_ms, now, decision.grant_ends),
            grant_ends: decision.grant_ends,
            status_ms: decision.status_ends.map(|ends| ends_ms(elapsed_ms, now, ends)),
        }
    }
}

impl Inner {
    /// Ends the run when its time is over. It goes on for ever; whoever runs the run drops it.
    pub(crate) async fn watch(
        &self,
        run: &RunId,
        mut ends: Deadlines,
        wall_ms_max: u64,
        cancel: &Cancel,
    ) -> Infallible {
        let wall_ms = self.clock.elapsed_ms().saturating_add(wall_ms_max);
        let over_ms = wall_ms.min(ends.grant_ms);
        let mut looks = tokio::time::interval(LOOK_EVERY);
        loop {
            looks.tick().await;
            let elapsed_ms = self.clock.elapsed_ms();
            // The wall clock may be set forward, too; whichever says first that it is over is believed.
            if elapsed_ms >= over_ms || self.now() > ends.grant_ends {
                cancel.expire();
            }
            if ends.status_ms.is_some_and(|ms| elapsed_ms >= ms) {
                // A newer one may have come, and only one that says what is in force here counts.
                ends.status_ms = self.fresh_until().filter(|ms| elapsed_ms < *ms);
                if ends.status_ms.is_none() {
                    tracing::warn!(run.id = %run, "live run ends: no fresh status has come");
                    cancel.cancel();
                    // Once is enough; the run ends by it.
                    return std::future::pending().await;
                }
            }
        }
    }
}
