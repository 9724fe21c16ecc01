//! The loop that drives a guest: poll it, serve what it asks, stop it where a stop is deterministic.
//!
//! A guest is only ever stopped at two kinds of points: in a host call, or at a fuel yield. Both are
//! counted, so a replay stops at the same one. The loop is the same for a run and for a replay; who
//! serves ([`Driver`]) and what stops ([`Stops`]) differ.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::Poll;

use domain::{LimitName, Outcome};
use tokio::time::{Instant, Sleep};

use crate::bridge::{Ask, Bridge, Reply};
use crate::cancel::Cancel;
use crate::recording::StopPoint;

/// Serves what the guest asks.
pub(crate) trait Driver {
    /// Why it cannot go on.
    type Broken;
    /// Serves one ask. Dropped when the run is stopped meanwhile.
    async fn serve(&mut self, ask: Ask) -> Result<Reply, Self::Broken>;
    /// The guest dropped a cursor.
    fn close(&mut self, cursor: u64);
}

/// What ends a run from outside.
pub(crate) enum Stops {
    /// A live run: somebody ends it, or the wall time is over.
    Live { cancelled: Pin<Box<dyn Future<Output = Outcome> + Send>>, wall: Pin<Box<Sleep>> },
    /// A replay: where the recorded run was stopped.
    At(StopPoint),
}

impl Stops {
    pub(crate) fn live(cancel: &Cancel, deadline: Instant) -> Self {
        let cancel = cancel.clone();
        Self::Live {
            cancelled: Box::pin(async move { cancel.cancelled().await }),
            wall: Box::pin(tokio::time::sleep_until(deadline)),
        }
    }

    /// Whether this is the recorded point; never for a live run.
    pub(crate) fn is_at(&self, point: StopPoint) -> bool {
        matches!(self, Self::At(at) if *at == point)
    }

    /// Returns when a live run is to stop.
    async fn fired(&mut self) -> Outcome {
        poll_fn(|cx| match self {
            Self::At(_) => Poll::Pending,
            Self::Live { cancelled, wall } => {
                if let outcome @ Poll::Ready(_) = cancelled.as_mut().poll(cx) {
                    outcome
                } else {
                    wall.as_mut()
                        .poll(cx)
                        .map(|()| Outcome::LimitExceeded { limit: LimitName::Wall })
                }
            }
        })
        .await
    }

    /// Whether a live run is to stop now.
    async fn now(&mut self) -> Option<Outcome> {
        let mut fired = pin!(self.fired());
        poll_fn(|cx| {
            Poll::Ready(match fired.as_mut().poll(cx) {
                Poll::Ready(outcome) => Some(outcome),
                Poll::Pending => None,
            })
        })
        .await
    }
}

/// How driving ended.
pub(crate) enum Ending<T, B> {
    /// The guest came to an end by itself.
    Guest(T),
    /// It was stopped; `None` for a replay, whose recording knows why.
    Stopped { outcome: Option<Outcome>, at: StopPoint, ask: Option<Box<Ask>> },
    /// The driver cannot go on, from here.
    Broken { broken: B, at: StopPoint },
}

/// Drives `guest` to its end and drops it. `instantiating` decides what a yield is called.
pub(crate) async fn drive<G: Future, D: Driver>(
    guest: G,
    bridge: &Bridge,
    driver: &mut D,
    stops: &mut Stops,
    instantiating: bool,
) -> Ending<G::Output, D::Broken> {
    let mut guest = pin!(guest);
    let mut yields = 0u64;
    loop {
        // Suspended without an ask means that fuel made it yield.
        let turn = poll_fn(|cx| {
            Poll::Ready(match guest.as_mut().poll(cx) {
                Poll::Ready(out) => Turn::Ended(out),
                Poll::Pending => bridge.take_ask().map_or(Turn::Yielded, Turn::Asks),
            })
        })
        .await;
        for cursor in bridge.take_closes() {
            driver.close(cursor);
        }
        let (at, ask) = match turn {
            Turn::Ended(out) => return Ending::Guest(out),
            Turn::Asks(ask) => (StopPoint::HostCall { seq: ask.seq() }, Some(ask)),
            Turn::Yielded if instantiating => (StopPoint::Instantiation, None),
            Turn::Yielded => {
                yields += 1;
                (StopPoint::Yield { count: yields }, None)
            }
        };
        if stops.is_at(at) {
            return Ending::Stopped { outcome: None, at, ask: ask.map(Box::new) };
        }
        let Some(ask) = ask else {
            tokio::task::yield_now().await;
            if let outcome @ Some(_) = stops.now().await {
                return Ending::Stopped { outcome, at, ask: None };
            }
            continue;
        };
        tokio::select! {
            biased;
            outcome = stops.fired() => return Ending::Stopped { outcome: Some(outcome), at, ask: None },
            reply = driver.serve(ask) => match reply {
                Ok(reply) => bridge.reply(reply),
                Err(broken) => return Ending::Broken { broken, at },
            },
        }
    }
}

enum Turn<T> {
    Ended(T),
    Asks(Ask),
    Yielded,
}
