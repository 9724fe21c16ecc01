//! Guessing, flooding, and what is written about it.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Clock;

use super::{Failures, PEERS_MAX, Summary, WINDOW_MS};
use crate::ServerLimits;

#[derive(Default)]
struct Manual(AtomicU64);

impl Clock for Manual {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
    fn elapsed_ms(&self) -> u64 {
        self.now_ms()
    }
}

fn failures() -> (Arc<Manual>, Failures) {
    let clock = Arc::new(Manual::default());
    let limits = ServerLimits {
        failures_per_peer_per_minute_max: 3,
        failures_per_minute_max: 10,
        ..ServerLimits::DEFAULT
    };
    (Arc::clone(&clock), Failures::new(limits, clock))
}

fn peer(n: u32) -> IpAddr {
    IpAddr::V4(n.into())
}

#[test]
fn an_address_that_guesses_has_to_wait_and_others_do_not() {
    let (clock, failures) = failures();
    for _ in 0..3 {
        assert_eq!(failures.full(peer(1)), None);
        failures.attempt(peer(1));
    }
    assert_eq!((failures.full(peer(1)), failures.full(peer(2))), (Some(60), None));
    clock.0.fetch_add(59_500, Ordering::SeqCst);
    assert_eq!(failures.full(peer(1)), Some(1));
    clock.0.fetch_add(500, Ordering::SeqCst);
    assert_eq!(failures.full(peer(1)), None);
}

#[test]
fn a_network_of_addresses_is_one_and_all_together_have_a_limit() {
    let (_, failures) = failures();
    for n in 0..3 {
        failures.attempt(format!("2001:db8::{n}").parse().unwrap());
    }
    assert!(failures.full("2001:db8::ffff".parse().unwrap()).is_some());
    for n in 0..7 {
        assert_eq!(failures.full(peer(100 + n)), None);
        failures.attempt(peer(n));
    }
    assert!(failures.full(peer(1000)).is_some(), "ten in all");
}

#[test]
fn a_login_takes_its_attempts_back() {
    let (_, failures) = failures();
    for _ in 0..100 {
        failures.attempt(peer(1));
        failures.attempt(peer(1));
        failures.forgive(peer(1), 2);
    }
    assert_eq!(failures.full(peer(1)), None);
}

#[test]
fn a_flood_from_everywhere_holds_so_much_memory_and_no_more() {
    let (clock, failures) = failures();
    let most = u32::try_from(PEERS_MAX).unwrap();
    for n in 0..3 * most {
        failures.attempt(peer(n));
    }
    assert_eq!(failures.lock().peers.len(), PEERS_MAX);
    clock.0.fetch_add(WINDOW_MS, Ordering::SeqCst);
    failures.attempt(peer(u32::MAX));
    assert_eq!(failures.lock().peers.len(), 1, "those whose window is over have gone");
}

#[test]
fn ten_thousand_refusals_are_one_line() {
    let (clock, failures) = failures();
    for n in 0..10_000 {
        failures.attempt(peer(1));
        failures.refused(n >= 3);
    }
    assert_eq!(failures.summary(false), None, "the interval is not over");
    clock.0.fetch_add(WINDOW_MS, Ordering::SeqCst);
    let told = Summary { refused: 10_000, limited: 9_997, peers: 1, handshakes: 0 };
    assert_eq!(failures.summary(false), Some(told));
    assert_eq!(failures.summary(true), None, "it is told once");
    assert_eq!(failures.total(), 10_000);
}
