//! A run's chain has one start, one end, and nothing missing in between.

use domain::{Digest, RunId};

use super::{ChainError, Chains};
use crate::entry::Event;

fn run(n: u8) -> RunId {
    format!("run_019ab000-0000-7000-8000-0000000000{n:02}").parse().unwrap()
}

fn started(n: u8) -> Event {
    let digest = Digest::of(b"document");
    Event::RunStarted {
        run: run(n),
        order: digest,
        request: Some(digest),
        use_number: 1,
        break_glass: false,
    }
}

fn call(n: u8) -> Event {
    Event::CallIntent { run: run(n), call: 0 }
}

fn lost(n: u8) -> Event {
    Event::RunLost { run: run(n) }
}

fn hash(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

#[test]
fn two_interleaved_runs_have_a_chain_each() {
    let mut chains = Chains::default();
    for (event, name) in
        [(started(1), "a0"), (started(2), "b0"), (call(1), "a1"), (call(2), "b1"), (lost(1), "a2")]
    {
        let link = chains.link(&event).unwrap();
        chains.check(&event, link.as_ref(), hash(name)).unwrap();
    }
    assert_eq!(chains.open_runs(), [run(2)]);
    assert_eq!(chains.runs(), 2);
    let end = chains.link(&lost(2)).unwrap().unwrap();
    assert_eq!((end.n, end.prev, end.count), (2, hash("b1"), Some(3)));
}

#[test]
fn a_run_id_is_spent_once_even_after_its_end() {
    let mut chains = Chains::default();
    chains.advance(&started(1), hash("0"));
    assert_eq!(chains.link(&started(1)), Err(ChainError::Spent(run(1))));
    chains.advance(&lost(1), hash("1"));
    assert_eq!(chains.link(&started(1)), Err(ChainError::Spent(run(1))));
    assert_eq!(chains.link(&call(1)), Err(ChainError::NotRunning(run(1))));
    assert_eq!(chains.link(&lost(1)), Err(ChainError::NotRunning(run(1))));
    assert_eq!(chains.link(&call(2)), Err(ChainError::NotRunning(run(2))));
}

#[test]
fn a_replayed_order_is_recorded_without_touching_the_live_run() {
    let mut chains = Chains::default();
    chains.advance(&started(1), hash("0"));
    let denied = Event::RunDenied { run: run(1) };
    assert_eq!(chains.link(&denied), Ok(None));
    chains.check(&denied, None, hash("denied")).unwrap();
    assert_eq!(chains.link(&call(1)).unwrap().unwrap().prev, hash("0"));
}

#[test]
fn a_removed_leaf_breaks_the_chain() {
    let mut whole = Chains::default();
    whole.advance(&started(1), hash("0"));
    whole.advance(&call(1), hash("1"));
    let end = whole.link(&lost(1)).unwrap();

    let mut without_call = Chains::default();
    without_call.advance(&started(1), hash("0"));
    let checked = without_call.check(&lost(1), end.as_ref(), hash("2"));
    assert_eq!(checked, Err(ChainError::Broken(run(1))));
    assert_eq!(without_call.check(&lost(1), None, hash("2")), Err(ChainError::Broken(run(1))));
}
