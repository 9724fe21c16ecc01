//! What is read back when payloads are gone: never less is spent, owed or barred than was.

use ledger::Position;
use ledger::entry::{Leaf, Opening};
use serde_json::json;

use super::*;

const AT_MS: u64 = 1_795_464_000_000;

fn run(n: u64) -> String {
    format!("run_019ab000-0000-7000-8000-{n:012}")
}

fn started(n: u64, request: Option<Digest>, broken: bool, payload: Option<Vec<u8>>) -> StoredEntry {
    let event = Event::RunStarted {
        run: run(n).parse().unwrap(),
        order: Digest::of(b"order"),
        request,
        use_number: u64::from(request.is_some()),
        break_glass: broken,
    };
    raw(n, &serde_json::to_string(&event).unwrap(), true, payload)
}

/// An entry whose payload is this one, or erased.
fn raw(n: u64, event: &str, chained: bool, payload: Option<Vec<u8>>) -> StoredEntry {
    let link = if chained {
        format!(",\"link\":{{\"n\":0,\"prev\":\"{}\"}}", Digest::of(b""))
    } else {
        String::new()
    };
    let text =
        format!("{{\"v\":1,\"at\":{AT_MS},\"event\":{event}{link},\"c\":\"{:064}\",\"len\":0}}", 0);
    StoredEntry {
        position: Position::from_index(n),
        leaf: Leaf::parse(text.as_bytes()).unwrap(),
        leaf_bytes: text.into_bytes(),
        opening: payload.map(|payload| Opening { key: [1; 32], payload }),
    }
}

fn recovered(entries: Vec<StoredEntry>) -> Result<Memory, StateError> {
    Memory::recover(entries.into_iter().map(Ok))
}

fn about(caller: &str, revision: &str) -> ServedTo {
    ServedTo {
        caller: caller.parse().unwrap(),
        revision: Digest::of(revision.as_bytes()),
        targets: vec!["shop".parse().unwrap()],
    }
}

#[test]
fn a_run_without_an_approval_counts_against_its_own_caller_and_an_erased_one_against_everybody() {
    let note = json!({ "self_serve": about("alice", "a") }).to_string().into_bytes();
    let memory = recovered(vec![started(0, None, false, Some(note))]).unwrap();
    assert_eq!(memory.self_serve_runs(&about("alice", "a")).len(), 1);
    assert_eq!(memory.self_serve_runs(&about("bob", "a")), []);
    assert_eq!(memory.self_serve_runs(&about("alice", "b")), []);

    let memory = recovered(vec![started(0, None, false, None)]).unwrap();
    for (caller, revision) in [("alice", "a"), ("bob", "b")] {
        assert_eq!(memory.self_serve_runs(&about(caller, revision)).len(), 1);
    }
}

#[test]
fn an_emergency_is_owed_after_a_restart_and_an_erased_one_refuses_the_start() {
    let request = Digest::of(b"request");
    let owes = OwedAfterReview {
        request,
        request_id: "req_019ab000-0000-7000-8000-000000000001".parse().unwrap(),
        caller: "alice".parse().unwrap(),
        targets: vec!["shop".parse().unwrap()],
        due: Timestamp::from_unix_s(1_795_464_600),
        reviewers: vec![],
    };
    let note = json!({ "owes": owes }).to_string().into_bytes();
    let memory = recovered(vec![started(0, Some(request), true, Some(note))]).unwrap();
    assert_eq!(memory.owed(), [owes]);
    assert_eq!(memory.uses_spent(&request), [1]);

    let refused = recovered(vec![started(0, Some(request), true, None)]).unwrap_err();
    assert!(matches!(refused, StateError::EmergencyUnreadable(0)), "{refused}");
}

#[test]
fn what_was_said_against_runs_refuses_the_start_when_it_cannot_be_read() {
    let document = Digest::of(b"document");
    for (t, id) in [
        ("stop-accepted", "stop"),
        ("rejection-accepted", "rev"),
        ("lift-accepted", "lift"),
        ("withdrawal-accepted", "wdr"),
    ] {
        let id = format!("{id}_019ab000-0000-7000-8000-000000000001");
        let event = format!("{{\"t\":\"{t}\",\"id\":\"{id}\",\"document\":\"{document}\"}}");
        for payload in [None, Some(b"{}".to_vec())] {
            let refused = recovered(vec![raw(3, &event, false, payload)]).unwrap_err();
            assert!(matches!(refused, StateError::Unreadable(3, _)), "{t}: {refused}");
        }
    }
}
