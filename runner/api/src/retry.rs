//! Calls that are made again: when the server was not reached, when the connection is lost and the call
//! can be repeated without a second effect, when the session has ended.
//!
//! A call can be repeated that only shows something, or that carries an idempotency key; any other only
//! while nothing was sent, because nobody can say whether the first try had its effect.

use std::pin::Pin;
use std::time::Duration;

use crate::{ClientError, Code};

/// Tries after which a server that does not answer is told.
pub(crate) const TRIES: u32 = 5;
/// The same for somebody who waits for something that goes on at the server: half a minute.
pub(crate) const TRIES_PATIENT: u32 = 12;
/// Tries after which a first call that does not end is told.
const IN_USE_MAX: u32 = 20;
/// The pause after the first lost connection; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Somebody at the client's side who is told of trouble, and helps where only a person's key does.
pub trait Attendant: Send + Sync {
    /// A call is made again after a pause.
    fn again(&self, why: &ClientError, pause: Duration);

    /// The session is over: logs in and gives the new token; `None` when that does not go.
    fn renew(&self) -> Pin<Box<dyn Future<Output = Option<String>> + Send + '_>>;
}

/// What went wrong so far with one call.
#[derive(Debug)]
pub(crate) struct Tries {
    max: u32,
    lost: u32,
    in_use: u32,
}

impl Tries {
    pub(crate) const fn new(max: u32) -> Self {
        Self { max, lost: 0, in_use: 0 }
    }

    /// How long to wait before the call is made again; `None` when another try would not help.
    pub(crate) fn pause(&mut self, error: &ClientError, repeatable: bool) -> Option<Duration> {
        match error {
            // A call that ran out of time is not lost: its caller has waited long enough.
            ClientError::Silent(s) if s.is_late() => None,
            ClientError::Silent(s) if repeatable || !s.was_sent() => self.after_loss(),
            ClientError::Between { .. } if repeatable => self.after_loss(),
            ClientError::Problem(p) if p.code == Code::Unavailable && repeatable => {
                self.after_loss()
            }
            ClientError::Problem(p) if p.code == Code::IdempotencyKeyInUse => {
                self.in_use += 1;
                let seconds = p.retry_after_s.unwrap_or(1);
                (self.in_use < IN_USE_MAX).then(|| Duration::from_secs(seconds))
            }
            _ => None,
        }
    }

    /// After a loss, without a look at its cause.
    pub(crate) fn after_loss(&mut self) -> Option<Duration> {
        self.lost += 1;
        let pause = PAUSE.saturating_mul(1 << (self.lost - 1).min(10)).min(PAUSE_MAX);
        (self.lost < self.max).then_some(pause)
    }

    /// The call has got somewhere.
    pub(crate) const fn succeeded(&mut self) {
        self.lost = 0;
    }
}
