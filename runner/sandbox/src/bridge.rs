//! The hand-over between the guest's fiber and the loop that drives it.
//!
//! The guest runs inside a store that must own everything it touches; the host is borrowed. So a
//! host function leaves what it asks here and suspends; the loop ([`crate::drive`]) takes it, serves
//! it, leaves the reply, and resumes the guest. One guest, one ask at a time: a slot, not a queue.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use domain::Value;

use crate::recording::{CallResult, Event};

/// What the guest asks.
pub(crate) enum Ask {
    /// Record only; the result follows from the run's facts.
    Local { event: Event },
    /// Record, then tell whoever waits.
    Progress { event: Event, percent: u8, note: String },
    /// Open a query.
    Open { event: Event, seq: u64, query: String, params: Vec<(String, Value)> },
    /// Read rows.
    Next { event: Event, seq: u64, cursor: u64, rows_max: u32 },
}

impl Ask {
    pub(crate) fn event(&self) -> &Event {
        match self {
            Self::Local { event }
            | Self::Progress { event, .. }
            | Self::Open { event, .. }
            | Self::Next { event, .. } => event,
        }
    }

    pub(crate) fn seq(&self) -> u64 {
        self.event().seq().unwrap_or_default()
    }
}

/// What the guest gets.
pub(crate) enum Reply {
    /// It may go on.
    Done,
    /// The result of a call.
    Call(CallResult),
}

#[derive(Default)]
struct Slots {
    ask: Option<Ask>,
    reply: Option<Reply>,
    /// Cursors that the guest dropped.
    closes: Vec<u64>,
}

/// Both ends share it.
#[derive(Clone, Default)]
pub(crate) struct Bridge(Arc<Mutex<Slots>>);

impl Bridge {
    fn slots(&self) -> MutexGuard<'_, Slots> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The guest's end: suspends until the loop has answered.
    pub(crate) async fn ask(&self, ask: Ask) -> Reply {
        self.slots().ask = Some(ask);
        // No waker: the loop resumes the guest right after it has left the reply.
        poll_fn(|_| self.slots().reply.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// The guest's end: a cursor is no longer used.
    pub(crate) fn close(&self, cursor: u64) {
        self.slots().closes.push(cursor);
    }

    /// The loop's end.
    pub(crate) fn take_ask(&self) -> Option<Ask> {
        self.slots().ask.take()
    }

    /// The loop's end.
    pub(crate) fn reply(&self, reply: Reply) {
        self.slots().reply = Some(reply);
    }

    /// The loop's end.
    pub(crate) fn take_closes(&self) -> Vec<u64> {
        std::mem::take(&mut self.slots().closes)
    }
}
