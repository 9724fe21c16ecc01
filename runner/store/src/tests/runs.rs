//! A run moves only as runs move.

use domain::{Denial, Digest, Outcome, Rule, RunId, RunState};

use super::{anna, store};
use crate::{Run, RunEnd, RunFilter, Store, StoreError};

fn id(n: u8) -> RunId {
    format!("run_0190b5a0-0000-7000-8000-0000000000{n:02x}").parse().unwrap()
}

async fn queue(store: &Store, n: u8) -> Run {
    let run = Run {
        id: id(n),
        run_request: Digest::of(b"run request"),
        request: None,
        caller: anna(),
        revision: Digest::of(b"revision"),
        state: RunState::Queued,
        queued_ms: 1_000 + u64::from(n),
        started_ms: None,
        ended_ms: None,
        denial: None,
        receipt: None,
        recording: None,
        result: None,
    };
    let mut tx = store.begin().await.unwrap();
    tx.insert_run(&run).await.unwrap();
    tx.commit().await.unwrap();
    run
}

fn end(outcome: Outcome) -> RunEnd {
    let result = Some(Digest::of(b"result"));
    RunEnd { outcome, at_ms: 3_000, denial: None, receipt: None, recording: None, result }
}

#[tokio::test]
async fn a_run_goes_from_queued_to_its_end_and_never_back() {
    let (_dir, store) = store().await;
    let queued = queue(&store, 1).await;
    assert_eq!(store.run(&id(1)).await.unwrap().unwrap(), queued);
    let mut tx = store.begin().await.unwrap();
    tx.start_run(&id(1), 2_000).await.unwrap();
    tx.end_run(&id(1), &end(Outcome::Succeeded)).await.unwrap();
    let error = tx.end_run(&id(1), &end(Outcome::Lost)).await.unwrap_err();
    assert!(matches!(error, StoreError::Move { .. }));
    tx.commit().await.unwrap();
    let run = store.run(&id(1)).await.unwrap().unwrap();
    assert_eq!(run.state, RunState::Ended { outcome: Outcome::Succeeded });
    assert_eq!((run.started_ms, run.ended_ms), (Some(2_000), Some(3_000)));
    assert_eq!(run.result, Some(Digest::of(b"result")));
}

#[tokio::test]
async fn a_denied_run_says_why() {
    let (_dir, store) = store().await;
    queue(&store, 1).await;
    let denial = Denial {
        rule: Rule::UseSpent,
        fact: "use 1 of 1 is spent".to_owned(),
        help: "file another access request".to_owned(),
    };
    let mut tx = store.begin().await.unwrap();
    let why = RunEnd { denial: Some(denial.clone()), ..end(Outcome::Denied) };
    tx.end_run(&id(1), &why).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.run(&id(1)).await.unwrap().unwrap().denial, Some(denial));
}

#[tokio::test]
async fn a_run_id_is_used_once_and_an_absent_run_does_not_move() {
    let (_dir, store) = store().await;
    let run = queue(&store, 1).await;
    let mut tx = store.begin().await.unwrap();
    assert!(matches!(tx.insert_run(&run).await, Err(StoreError::Exists { .. })));
    assert!(matches!(tx.start_run(&id(2), 1).await, Err(StoreError::Absent { .. })));
}

#[tokio::test]
async fn unfinished_runs_are_listed_for_recovery() {
    let (_dir, store) = store().await;
    for n in 1..=3 {
        queue(&store, n).await;
    }
    let mut tx = store.begin().await.unwrap();
    tx.end_run(&id(2), &end(Outcome::Cancelled)).await.unwrap();
    tx.commit().await.unwrap();
    let open = RunFilter { caller: Some(anna()), open_only: true };
    let ids: Vec<RunId> = store.runs(&open).await.unwrap().into_iter().map(|r| r.id).collect();
    assert_eq!(ids, [id(3), id(1)]);
    assert_eq!(store.runs(&RunFilter::default()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn events_are_numbered_without_gaps() {
    let (_dir, store) = store().await;
    queue(&store, 1).await;
    for n in 0..3 {
        assert_eq!(store.append_event(&id(1), 5, "{}").await.unwrap(), n);
    }
    let seqs: Vec<u64> =
        store.events(&id(1), 1, 9).await.unwrap().into_iter().map(|e| e.seq).collect();
    assert_eq!(seqs, [1, 2]);
    let absent = store.append_event(&id(2), 5, "{}").await;
    assert!(matches!(absent, Err(StoreError::Absent { .. })));
}
