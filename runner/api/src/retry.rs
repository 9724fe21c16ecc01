//! Calls that are repeated when the connection is lost. Only those that carry an idempotency key: for
//! any other nobody can say whether the first try had its effect.

use std::time::Duration;

use reqwest::RequestBuilder;
use serde::de::DeserializeOwned;

use crate::client::{Answer, json};
use crate::{ClientError, Code, IDEMPOTENCY_KEY};

/// Tries after which a lost connection is told.
const LOST_MAX: u32 = 4;
/// Tries after which a first call that does not end is told.
const IN_USE_MAX: u32 = 20;
/// The pause after the first lost connection; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// What went wrong so far.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    lost: u32,
    in_use: u32,
}

impl Tries {
    /// Waits until the call may be made again.
    ///
    /// # Errors
    /// The error itself, when another try would not help.
    pub(crate) async fn again(&mut self, error: ClientError) -> Answer<()> {
        let pause = match &error {
            // A call that ran out of time is not lost: its caller has waited long enough.
            ClientError::Transport(e) if !e.is_timeout() && !e.is_builder() => {
                self.lost += 1;
                (self.lost < LOST_MAX).then(|| PAUSE.saturating_mul(1 << (self.lost - 1)))
            }
            ClientError::Problem(p) if p.code == Code::IdempotencyKeyInUse => {
                self.in_use += 1;
                let seconds = p.retry_after_s.unwrap_or(1);
                (self.in_use < IN_USE_MAX).then(|| Duration::from_secs(seconds))
            }
            _ => None,
        };
        match pause {
            Some(pause) => {
                tokio::time::sleep(pause).await;
                Ok(())
            }
            None => Err(error),
        }
    }
}

/// Makes a call whose body is in memory, as often as it takes.
pub(crate) async fn once<T: DeserializeOwned>(call: RequestBuilder, key: &str) -> Answer<T> {
    let call = call.header(IDEMPOTENCY_KEY, key);
    let mut tries = Tries::default();
    loop {
        let Some(this) = call.try_clone() else {
            return json(call).await;
        };
        match json(this).await {
            Err(e) => tries.again(e).await?,
            done => return done,
        }
    }
}
