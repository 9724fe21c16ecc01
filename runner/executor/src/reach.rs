//! Whether a target may be reached for people, outside of any run: what must hold of policy, stops and
//! status before a connector is made.

use std::ops::Deref;
use std::sync::Arc;

use domain::decide::StopSubject;
use domain::{PersonId, TargetId};
use trust::{Authority, PolicyTarget};

use crate::runner::Inner;

/// Why a target is not to be reached now.
#[derive(Debug, thiserror::Error)]
pub enum NotReached {
    /// No policy says what is granted, or it is valid no more.
    #[error("this runner has no keyring, directory and policy that are valid now")]
    NoAuthority,
    /// No target of this runner's.
    #[error("the policy has no target {0} for this runner")]
    Unknown(TargetId),
    /// Somebody stopped it.
    #[error("{0} is stopped; a stop ends only by a signed lift")]
    Stopped(StopSubject),
    /// Nobody says what is in force, and the target is production.
    #[error(
        "{0} is marked prod, and nobody says what is in force now: have a status signed by a holder \
         of the role `status`"
    )]
    NotFresh(TargetId),
}

/// An authority whose documents are valid now.
pub(crate) struct Reached(Arc<Authority>);

impl Deref for Reached {
    type Target = Authority;
    fn deref(&self) -> &Authority {
        &self.0
    }
}

impl Inner {
    /// The authority in force, if it is valid now.
    pub(crate) fn authority_now(&self) -> Result<Reached, NotReached> {
        let authority = self.authority_in_force().ok_or(NotReached::NoAuthority)?;
        let now = self.now();
        let valid = [
            authority.keyring().header.window(),
            authority.directory().header.window(),
            authority.policy().header.window(),
        ];
        if !valid.iter().all(|window| window.contains(now)) {
            return Err(NotReached::NoAuthority);
        }
        Ok(Reached(authority))
    }

    /// The policy of a target that `person` may have reached now.
    pub(crate) fn reached<'a>(
        &self,
        authority: &'a Reached,
        target: &TargetId,
        person: &PersonId,
    ) -> Result<&'a PolicyTarget, NotReached> {
        let known = authority.target(target).filter(|t| t.runners.contains(&self.name));
        let policy = known.ok_or_else(|| NotReached::Unknown(target.clone()))?;
        let in_force = self.state.in_force();
        let against = |s: &StopSubject| match s {
            StopSubject::Everything => true,
            StopSubject::Target(t) => t == target,
            StopSubject::Person(p) => p == person,
            StopSubject::Key(_) | StopSubject::Revision(_) | StopSubject::Request(_) => false,
        };
        if let Some((_, stop)) = in_force.stops().find(|(_, stop)| against(stop)) {
            return Err(NotReached::Stopped(stop.clone()));
        }
        if policy.prod && self.fresh_until().is_none() {
            return Err(NotReached::NotFresh(target.clone()));
        }
        Ok(policy)
    }
}
