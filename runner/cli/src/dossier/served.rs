//! Runs that somebody started without an approval, for the quota: as far as this client may see them.
//! Only the runner has them all.

use domain::PersonId;
use domain::decide::SelfServeRun;
use trust::{RunRequest, Verified};

use super::Dossier;
use crate::session::Session;

/// Milliseconds of a day, over which such runs are counted.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// Runs that are looked into, newest first: more than anybody may start a day.
const LOOKED_AT_MAX: usize = 128;

impl Dossier {
    /// Counts the caller's runs of this revision in the last day.
    pub(crate) async fn count_served(
        &mut self,
        session: &Session,
        caller: &PersonId,
    ) -> anyhow::Result<()> {
        let since_ms = session.world.clock.now_ms().saturating_sub(DAY_MS);
        let counted = |p: &PersonId| self.authority.person(p).map(|p| p.counted().clone());
        let own = counted(caller);
        let all = session.client.runs().await?;
        let mine = all.iter().filter(|run| {
            run.request.is_none()
                && run.revision == self.bundle.revision
                && run.started_ms.is_some_and(|at| at > since_ms)
                && counted(&run.caller) == own
        });
        let mut served = Vec::new();
        for run in mine.take(LOOKED_AT_MAX) {
            let digest = run.run_request.to_string();
            let order = session.statement::<RunRequest>(&self.authority, &digest).await;
            // One that this person may not see is the runner's to count.
            let Ok(order): Result<Verified<RunRequest>, _> = order else { continue };
            let at = super::second(run.started_ms.unwrap_or_default());
            let targets = order.doc().pairs.iter().map(|p| p.target.clone());
            served.extend(targets.map(|target| SelfServeRun { target, at }));
        }
        self.served = served;
        Ok(())
    }
}
