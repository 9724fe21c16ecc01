//! Saying what is in force, again and again, with the key of the role `status`: in the server's own
//! process here, elsewhere by [`crate::commands::status`].

use std::sync::Arc;
use std::time::Duration;

use app::App;
use domain::{Digest, StatusId, Timestamp};
use trust::{Envelope, Status, VersionRef};

use crate::session::World;
use crate::signer::Signer;

/// Seconds that a status lasts. Production is closed, and live runs on it end, so long after the
/// signer falls silent; and a stop can be hidden from a runner for so long.
pub(crate) const LIFE_S: i64 = 300;
/// Seconds after which it is said again although nothing has changed.
const RENEW_S: i64 = 60;
/// How often it is looked whether something has.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a status says, but for its time.
type Said = ([VersionRef; 3], Digest);

/// When which status was signed last.
#[derive(Debug, Default)]
pub(crate) struct Last(Option<(Said, Timestamp)>);

impl Last {
    /// Whether `status` has to be signed now: it says something new, or it is time.
    pub(crate) fn is_due(&self, status: &Status) -> bool {
        let (now, said) = (status.header.not_before, said(status));
        self.0.as_ref().is_none_or(|(last, at)| {
            let age_s = now.unix_s().saturating_sub(at.unix_s());
            // A clock that went back says nothing about the age.
            *last != said || !(0..RENEW_S).contains(&age_s)
        })
    }

    /// Takes note that it was signed and accepted.
    pub(crate) fn signed(&mut self, status: &Status) {
        self.0 = Some((said(status), status.header.not_before));
    }
}

fn said(status: &Status) -> Said {
    ([status.keyring, status.directory, status.policy], status.stops)
}

/// Signs for the control plane of this process, for as long as it is polled.
pub(crate) async fn in_this_process(app: Arc<App>, key: Signer, world: World) {
    let domain = app.trust_domain();
    let (mut last, mut is_well) = (Last::default(), true);
    loop {
        let id = StatusId::new(&*world.clock, &*world.entropy);
        let status = app.status_to_sign(world.header(&domain, id, LIFE_S));
        if last.is_due(&status) {
            let brought = sign_and_bring(&app, &key, &status).await;
            if brought.is_ok() {
                last.signed(&status);
            }
            tell(&brought, &mut is_well);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn sign_and_bring(app: &App, key: &Signer, status: &Status) -> anyhow::Result<()> {
    let envelope: Envelope = key.sign(status)?;
    app.new_status(&envelope.to_json()?).await.map_err(|e| anyhow::anyhow!(app::chain(&e)))?;
    Ok(())
}

/// Logs what has changed, and nothing again and again.
pub(crate) fn tell(done: &anyhow::Result<()>, is_well: &mut bool) {
    let was_well = std::mem::replace(is_well, done.is_ok());
    match done {
        Ok(()) if !was_well => tracing::info!("the status is signed again"),
        Err(e) if was_well => {
            let help = "production closes when the last status ends, until this is mended";
            tracing::error!(error = %format!("{e:#}"), help, "no status is signed");
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use domain::TrustDomain;

    use super::*;

    #[test]
    fn a_status_is_said_again_when_something_changed_or_time_has_passed() {
        let world = World::real();
        let domain: TrustDomain = "shop.example".parse().unwrap();
        let version = VersionRef { version: 1, digest: Digest::of(b"") };
        let mut status = Status {
            header: world.header(&domain, StatusId::new(&*world.clock, &*world.entropy), LIFE_S),
            keyring: version,
            directory: version,
            policy: version,
            stops: Digest::of(b""),
        };
        let mut last = Last::default();
        assert!(last.is_due(&status), "never said");
        last.signed(&status);
        assert!(!last.is_due(&status));
        let began = status.header.not_before;
        status.stops = Digest::of(b"a stop");
        assert!(last.is_due(&status));
        status.stops = Digest::of(b"");
        status.header.not_before = began.plus_s(RENEW_S - 1);
        assert!(!last.is_due(&status));
        status.header.not_before = began.plus_s(RENEW_S);
        assert!(last.is_due(&status));
        status.header.not_before = began.plus_s(-1);
        assert!(last.is_due(&status), "the clock went back");
    }
}
