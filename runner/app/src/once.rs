//! Calls that are made once: of all calls with one idempotency key, one acts, and all get its answer.
//!
//! The key is the person's own and belongs to one route and one body. An answer is kept durably for a
//! day; a call that was refused, or died, gives its key back. Every use-case stays safe to repeat
//! without this (documents and runs are spent by their ids); a key saves the caller from finding out.

use std::sync::Arc;
use std::time::Duration;

use domain::Digest;
use store::{Claim, IdempotencyKey, RESPONSE_BYTES_MAX};
use tokio::sync::watch;

use crate::login::Who;
use crate::{App, AppError, chain};

/// How long an answer is kept, milliseconds: a day, longer than anybody retries.
pub const KEPT_MS: u64 = 24 * 3_600_000;
/// How long a second call waits for the first one's answer before it is told to come back.
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Characters of a key.
const KEY_CHARS_MAX: usize = 128;

/// What became of a call with a key.
pub enum Once {
    /// It is the first: act, then tell the ticket.
    First(Ticket),
    /// Another one has acted; this was its answer.
    Answered {
        /// HTTP status.
        status: u16,
        /// The body.
        response: Vec<u8>,
    },
}

/// The right to act for a key. Dropped without an answer, it gives the key back.
pub struct Ticket {
    app: Arc<App>,
    key: Option<IdempotencyKey>,
}

/// Changes whenever a call with a key has ended.
pub(crate) type Ended = watch::Sender<()>;

impl App {
    /// Claims a key for a call: `route` is its method and pattern, `body` commits to its path and body.
    ///
    /// # Errors
    /// When it is no key, came with another body, or its first call is still at work.
    pub async fn once(
        self: &Arc<Self>,
        who: &Who,
        route: &str,
        key: &str,
        body: Digest,
    ) -> Result<Once, AppError> {
        if !(1..=KEY_CHARS_MAX).contains(&key.len()) || !key.bytes().all(|b| b.is_ascii_graphic()) {
            let problem = "the idempotency key is not 1 to 128 visible ASCII characters";
            return Err(AppError::BadRequest(problem.to_owned()));
        }
        let key = IdempotencyKey {
            person: who.person.clone(),
            route: route.to_owned(),
            key: key.to_owned(),
        };
        match tokio::time::timeout(WAIT_MAX, self.claimed(&key, &body)).await {
            Ok(claimed) => claimed,
            Err(_) => Err(AppError::KeyInUse),
        }
    }

    async fn claimed(
        self: &Arc<Self>,
        key: &IdempotencyKey,
        body: &Digest,
    ) -> Result<Once, AppError> {
        loop {
            // Before the claim: an end in between is told afterwards.
            let mut ended = self.keys_ended.subscribe();
            match self.store.claim(key, body, self.clock.now_ms(), KEPT_MS).await? {
                Claim::New => {
                    let (app, key) = (Arc::clone(self), Some(key.clone()));
                    return Ok(Once::First(Ticket { app, key }));
                }
                Claim::Answered { status, response } => {
                    return Ok(Once::Answered { status, response });
                }
                Claim::OtherBody => return Err(AppError::KeyReused),
                // The sender is ours, so waiting cannot fail.
                Claim::AtWork => drop(ended.changed().await),
            }
        }
    }
}

impl Ticket {
    /// Keeps the answer for all who come with the same key. A refusal is not kept: it had no effect,
    /// and the same call may do better later.
    pub async fn answered(mut self, status: u16, response: &[u8]) {
        let Some(key) = self.key.take() else { return };
        let kept = if status < 400 && response.len() <= RESPONSE_BYTES_MAX {
            self.app.store.complete(&key, status, response).await
        } else {
            self.app.store.abandon(&key).await
        };
        if let Err(e) = kept {
            tracing::error!(error = %chain(&e), "an idempotency key is at work until the restart");
        }
        self.app.keys_ended.send_replace(());
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let Some(key) = self.key.take() else { return };
        let app = Arc::clone(&self.app);
        // Without a runtime the process ends, and the next start gives all keys back.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        runtime.spawn(async move {
            if let Err(e) = app.store.abandon(&key).await {
                tracing::error!(error = %chain(&e), "an idempotency key is at work until the restart");
            }
            app.keys_ended.send_replace(());
        });
    }
}
