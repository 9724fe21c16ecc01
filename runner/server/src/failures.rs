//! Calls of nobody: how many are answered, and how the rest is summed up.
//!
//! Attempts to log in and calls with a wrong token are counted for each address and for all together.
//! Over the limit, attempts to log in are refused before they cost anything; a valid token always
//! works. Nothing is written for a single one, nor for a TLS handshake that fails: the log gets one line
//! an interval, with counts. Behind a proxy all addresses are the proxy's, so that its limit is then
//! everybody's.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use domain::Clock;

use crate::ServerLimits;
use crate::connections::Peer;

/// Addresses that are counted apart; later ones count for all together only, until some have gone.
const PEERS_MAX: usize = 4_096;
/// The window of the limits, and the interval of the summary, milliseconds.
const WINDOW_MS: u64 = 60_000;

/// Counts in one window.
#[derive(Debug, Clone, Copy)]
struct Window {
    began_ms: u64,
    failed: u64,
}

impl Window {
    /// The same, or a new one when this is over.
    fn at(self, now_ms: u64) -> Self {
        if now_ms.saturating_sub(self.began_ms) < WINDOW_MS {
            self
        } else {
            Self { began_ms: now_ms, failed: 0 }
        }
    }

    /// Seconds until it is over, when it has `max`.
    fn full(self, max: u64, now_ms: u64) -> Option<u64> {
        let ends_ms = self.began_ms.saturating_add(WINDOW_MS);
        (self.failed >= max).then(|| ends_ms.saturating_sub(now_ms).div_ceil(1000).max(1))
    }
}

/// What happened in an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Summary {
    /// Calls that were refused because nobody was logged in.
    pub(crate) refused: u64,
    /// Those of them that were over a limit.
    pub(crate) limited: u64,
    /// Addresses that they came from, as far as they were counted apart.
    pub(crate) peers: usize,
    /// TLS handshakes that failed.
    pub(crate) handshakes: u64,
}

#[derive(Debug)]
struct Counts {
    all: Window,
    peers: BTreeMap<IpAddr, Window>,
    interval_began_ms: u64,
    refused: u64,
    limited: u64,
    handshakes: u64,
}

/// All failures of one server.
pub(crate) struct Failures {
    per_peer_max: u64,
    all_max: u64,
    clock: Arc<dyn Clock>,
    total: AtomicU64,
    counts: Mutex<Counts>,
}

impl Failures {
    pub(crate) fn new(limits: ServerLimits, clock: Arc<dyn Clock>) -> Self {
        let began_ms = clock.now_ms();
        let counts = Counts {
            all: Window { began_ms, failed: 0 },
            peers: BTreeMap::new(),
            interval_began_ms: began_ms,
            refused: 0,
            limited: 0,
            handshakes: 0,
        };
        Self {
            per_peer_max: limits.failures_per_peer_per_minute_max,
            all_max: limits.failures_per_minute_max,
            clock,
            total: AtomicU64::new(0),
            counts: Mutex::new(counts),
        }
    }

    /// How many there were since the start.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Seconds after which this address may try again; `None` when it may now.
    pub(crate) fn full(&self, peer: IpAddr) -> Option<u64> {
        let now_ms = self.clock.now_ms();
        let counts = self.lock();
        let of_all = counts.all.at(now_ms).full(self.all_max, now_ms);
        let of_peer = counts.peers.get(&network(peer)).copied();
        of_all.or_else(|| of_peer.and_then(|w| w.at(now_ms).full(self.per_peer_max, now_ms)))
    }

    /// Counts an attempt.
    pub(crate) fn attempt(&self, peer: IpAddr) {
        let now_ms = self.clock.now_ms();
        let mut counts = self.lock();
        counts.all = counts.all.at(now_ms);
        counts.all.failed += 1;
        let peer = network(peer);
        if !counts.peers.contains_key(&peer) && counts.peers.len() >= PEERS_MAX {
            counts.peers.retain(|_, w| now_ms.saturating_sub(w.began_ms) < WINDOW_MS);
        }
        if counts.peers.len() < PEERS_MAX || counts.peers.contains_key(&peer) {
            let new = Window { began_ms: now_ms, failed: 0 };
            let window = counts.peers.entry(peer).or_insert(new);
            *window = window.at(now_ms);
            window.failed += 1;
        }
    }

    /// Takes attempts back: they were a login.
    pub(crate) fn forgive(&self, peer: IpAddr, attempts: u64) {
        let mut counts = self.lock();
        counts.all.failed = counts.all.failed.saturating_sub(attempts);
        if let Some(window) = counts.peers.get_mut(&network(peer)) {
            window.failed = window.failed.saturating_sub(attempts);
        }
    }

    /// Counts a refusal for the summary, and says when an interval is over.
    pub(crate) fn refused(&self, limited: bool) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let mut counts = self.lock();
        counts.refused += 1;
        counts.limited += u64::from(limited);
        drop(counts);
        self.tell(false);
    }

    /// Counts a TLS handshake that failed. One who says nothing at all has only looked whether
    /// somebody listens.
    pub(crate) fn handshake(&self, error: &io::Error) {
        tracing::debug!(%error, "a TLS handshake failed");
        if error.kind() != io::ErrorKind::UnexpectedEof {
            self.lock().handshakes += 1;
            self.tell(false);
        }
    }

    /// Writes the summary of an interval that is over, or of the time until now: one line.
    pub(crate) fn tell(&self, at_end: bool) {
        if let Some(Summary { refused, limited, peers, handshakes }) = self.summary(at_end) {
            tracing::warn!(
                calls.refused = refused,
                calls.limited = limited,
                calls.peers = peers,
                tls.handshakes_failed = handshakes,
                "calls of nobody who is logged in were refused, or did not come to TLS"
            );
        }
    }

    fn summary(&self, at_end: bool) -> Option<Summary> {
        let now_ms = self.clock.now_ms();
        let mut counts = self.lock();
        if now_ms.saturating_sub(counts.interval_began_ms) < WINDOW_MS && !at_end {
            return None;
        }
        counts.interval_began_ms = now_ms;
        let (refused, limited) = (counts.refused, counts.limited);
        let handshakes = std::mem::take(&mut counts.handshakes);
        (counts.refused, counts.limited) = (0, 0);
        let peers = counts.peers.len();
        (refused > 0 || handshakes > 0).then_some(Summary { refused, limited, peers, handshakes })
    }

    fn lock(&self) -> MutexGuard<'_, Counts> {
        // Counters and single insertions, so a panic elsewhere leaves them whole.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The network that a call comes from, as it is counted.
pub(crate) struct Network(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Network {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<ConnectInfo<Peer>>().map(|c| c.0.0.ip());
        Ok(Self(network(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)))))
    }
}

/// Whoever has one IPv6 address has its /64, too.
fn network(peer: IpAddr) -> IpAddr {
    match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => {
                let [a, b, c, d, ..] = v6.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
        },
    }
}

#[cfg(test)]
mod tests;
