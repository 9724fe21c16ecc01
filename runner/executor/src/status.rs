//! The newest status: a statement of what is in force, without which production is not reached. It is
//! kept in memory only; it lives for minutes, and every order for production brings one.

use domain::{Pair, Timestamp};
use trust::{Authority, Envelope, InForce, Status};

use crate::accept::NotAccepted;
use crate::runner::Inner;

/// A status that was valid when it came.
#[derive(Debug, Clone)]
pub(crate) struct KeptStatus {
    envelope: Envelope,
    status: Status,
    /// When it ends, on the clock that nobody sets.
    ends_ms: u64,
}

impl KeptStatus {
    /// The one that begins later is the newer; of two that begin together, the one that ends later; of
    /// two that do both together, the one that came later.
    pub(crate) fn replaces(&self, other: &Self) -> bool {
        let age = |s: &Self| (s.status.header.not_before, s.status.header.not_after);
        age(self) >= age(other)
    }

    /// Whether it says what this runner has in force.
    fn says(&self, authority: &Authority, in_force: &InForce) -> bool {
        self.status.keyring == authority.keyring_ref()
            && self.status.directory == authority.directory_ref()
            && self.status.policy == authority.policy_ref()
            && self.status.stops == in_force.digest()
    }
}

/// `seconds` from now on, on the clock that nobody sets.
pub(crate) fn ends_ms(elapsed_ms: u64, now: Timestamp, ends: Timestamp) -> u64 {
    let left_s = ends.unix_s().saturating_sub(now.unix_s()).max(0);
    elapsed_ms.saturating_add(u64::try_from(left_s).unwrap_or(0).saturating_mul(1000))
}

impl Inner {
    /// Keeps a status that is valid now, if it is the newest. It is no entry of the log: who relied on
    /// it is, with the run.
    pub(crate) fn accept_status(
        &self,
        authority: &Authority,
        envelope: &Envelope,
    ) -> Result<(), NotAccepted> {
        let (now, elapsed_ms) = (self.now(), self.clock.elapsed_ms());
        let status = authority.verify_status(envelope, &self.state.in_force())?.live(now)?;
        let status = status.into_doc();
        let ends_ms = ends_ms(elapsed_ms, now, status.header.not_after);
        self.state.keep_status(KeptStatus { envelope: envelope.clone(), status, ends_ms });
        Ok(())
    }

    /// The status that a run on `pairs` is judged by: the newest, whether it came with the order or
    /// before. One that is not valid stays in the order, which is refused for it.
    pub(crate) fn status_for(
        &self,
        authority: &Authority,
        pairs: &[Pair],
        came: Option<Envelope>,
    ) -> Option<Envelope> {
        let prod = |p: &Pair| authority.target(&p.target).is_some_and(|t| t.prod);
        if !pairs.iter().any(prod) {
            return came;
        }
        if let Some(envelope) = &came
            && self.accept_status(authority, envelope).is_err()
        {
            return came;
        }
        let kept = self.state.status()?;
        Some(kept.envelope)
    }

    /// Until when the newest status lets a live run go on, on the clock that nobody sets; `None` when
    /// it is over or says something else than this runner has in force.
    pub(crate) fn fresh_until(&self) -> Option<u64> {
        let kept = self.state.status()?;
        let authority = self.authority_in_force()?;
        let over = self.now() > kept.status.header.not_after;
        (!over && kept.says(&authority, &self.state.in_force())).then_some(kept.ends_ms)
    }
}
