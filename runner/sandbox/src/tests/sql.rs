//! The gate in front of every query, and the order of intent, effect and record.

use domain::{LimitName, Outcome, Value};

use super::guests::{LOG_QUERIES, MUST_OPEN, NEXT, OPEN_RECENT, RETURN_OPEN_ERROR, guest, times};
use super::host::{Did, FakeHost, everything, run, run_and_replay, run_with};
use crate::recording::CallResult;
use crate::{CallError, Cancel, Event};

const OPEN: &str = "borescope:debug/sql#open";

fn returns(host: &FakeHost) -> Vec<CallResult> {
    let result = |e: &Event| match e {
        Event::Return { result, .. } => Some(result.clone()),
        _ => None,
    };
    host.events.iter().filter_map(result).collect()
}

#[tokio::test]
async fn the_intent_is_durable_before_the_query_leaves_and_cursors_are_closed() {
    let mut host = FakeHost::with_rows(&[2, 0]);
    let body = format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{NEXT}");
    let finished = run_and_replay(guest(&body), &mut host, &Cancel::new()).await;
    assert_eq!(finished.outcome, Outcome::Succeeded);
    assert_eq!(
        host.did[1..4],
        [
            Did::Intent(OPEN.to_owned()),
            Did::Opened("recent".to_owned(), vec![]),
            Did::Recorded("return".to_owned()),
        ]
    );
    assert!(host.did.contains(&Did::Closed(1)), "a cursor that the guest forgot is closed");
}

#[tokio::test]
async fn when_the_intent_cannot_be_recorded_nothing_leaves() {
    let mut host = FakeHost { fail_intent: true, ..FakeHost::default() };
    let finished = run(guest(OPEN_RECENT), &mut host).await;
    assert_eq!(finished.outcome, Outcome::Lost);
    assert!(finished.recording_failed.unwrap().contains("disk full"));
    assert!(!host.did.iter().any(|d| matches!(d, Did::Opened(..))));
}

#[tokio::test]
async fn when_a_result_cannot_be_recorded_the_guest_never_sees_it() {
    let mut host = FakeHost { fail_record: Some("return"), ..FakeHost::with_rows(&[1]) };
    let finished =
        run(guest(&format!("{OPEN_RECENT}{MUST_OPEN}{}", super::guests::HELLO)), &mut host).await;
    assert!(finished.recording_failed.is_some());
    assert!(finished.log.is_empty(), "the guest did not go on");
}

#[tokio::test]
async fn when_the_header_cannot_be_recorded_nothing_runs() {
    let mut host = FakeHost { fail_record: Some("header"), ..FakeHost::default() };
    let finished = run(guest(super::guests::HELLO), &mut host).await;
    assert_eq!((finished.outcome, finished.host_calls), (Outcome::Lost, 0));
}

#[tokio::test]
async fn a_label_outside_the_capabilities_is_denied_as_a_value_and_recorded() {
    let mut host = FakeHost::default();
    let open =
        "(call $open (i32.const 1072) (i32.const 6) (i32.const 0) (i32.const 0) (i32.const 16))";
    let finished =
        run_and_replay(guest(&format!("{open}{RETURN_OPEN_ERROR}")), &mut host, &Cancel::new())
            .await;
    assert_eq!(finished.outcome, Outcome::Failed, "a denied value is not the state denied");
    assert!(finished.error.unwrap().message.contains("secret is not among"));
    assert!(!host.did.iter().any(|d| matches!(d, Did::Opened(..) | Did::Intent(_))));
    assert!(matches!(&returns(&host)[..], [CallResult::Error(CallError::Denied(_))]));
}

#[tokio::test]
async fn a_query_that_was_granted_away_is_denied_though_the_manifest_has_it() {
    let mut less = everything();
    for on in less.pairs.values_mut() {
        on.queries.remove(&"recent".parse().unwrap());
    }
    let mut host = FakeHost::default();
    run_with(guest(OPEN_RECENT), &less, &mut host, &Cancel::new()).await;
    assert!(matches!(&returns(&host)[..], [CallResult::Error(CallError::Denied(_))]));
}

/// `params` with one entry at 200: the name at `name`, then a value of int64 7.
fn open_batch(name: u32) -> String {
    format!(
        "(i32.store (i32.const 200) (i32.const {name})) (i32.store (i32.const 204) (i32.const 5))
         (i32.store8 (i32.const 208) (i32.const 2)) (i64.store (i32.const 216) (i64.const 7))
         (call $open (i32.const 1088) (i32.const 5) (i32.const 200) (i32.const 1) (i32.const 16))"
    )
}

#[tokio::test]
async fn approved_input_fills_its_parameters_and_the_script_the_others() {
    let mut host = FakeHost::default();
    run_and_replay(guest(&open_batch(1088)), &mut host, &Cancel::new()).await;
    let params = vec![Value::Text("yesterday".to_owned()), Value::Int64(7)];
    assert!(host.did.contains(&Did::Opened("batch".to_owned(), params)));
}

#[tokio::test]
async fn a_script_cannot_pass_what_the_approved_input_fills() {
    let mut host = FakeHost::default();
    run(guest(&open_batch(1104)), &mut host).await;
    assert!(
        matches!(&returns(&host)[..], [CallResult::Error(CallError::Invalid(why))] if why.contains("since"))
    );
}

#[tokio::test]
async fn calls_above_the_maximum_are_a_value_and_listed() {
    let mut host = FakeHost::default();
    let finished = run_and_replay(guest(&times(5, OPEN_RECENT)), &mut host, &Cancel::new()).await;
    assert_eq!(finished.outcome, Outcome::Succeeded);
    assert_eq!(finished.limits_hit, [LimitName::QueryCalls]);
    assert_eq!(host.did.iter().filter(|d| matches!(d, Did::Opened(..))).count(), 3);
}

#[tokio::test]
async fn rows_above_the_total_never_reach_the_guest() {
    let mut host = FakeHost::with_rows(&[4, 4]);
    let body = format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{NEXT}");
    let finished = run_and_replay(guest(&body), &mut host, &Cancel::new()).await;
    assert_eq!(finished.limits_hit, [LimitName::QueryRows]);
    assert!(matches!(returns(&host)[2], CallResult::Error(CallError::Limit(LimitName::QueryRows))));
}

#[tokio::test]
async fn bytes_above_the_total_never_reach_the_guest() {
    let mut few = everything();
    for limits in few.pairs.values_mut().flat_map(|on| on.queries.values_mut()) {
        limits.bytes_total_max = 20;
    }
    let mut host = FakeHost::with_rows(&[2, 1]);
    let body = format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{NEXT}");
    let finished = run_with(guest(&body), &few, &mut host, &Cancel::new()).await;
    assert_eq!(finished.limits_hit, [LimitName::QueryBytes]);
    assert!(matches!(returns(&host)[1], CallResult::Page { .. }));
    assert_eq!(returns(&host)[2], CallResult::Error(CallError::Limit(LimitName::QueryBytes)));
}

#[tokio::test]
async fn no_page_is_larger_than_pages_are_however_many_rows_a_guest_wants() {
    let mut many = everything();
    for limits in many.pairs.values_mut().flat_map(|on| on.queries.values_mut()) {
        limits.rows_total_max = 1_000_000;
    }
    let mut host = FakeHost::with_rows(&[1]);
    let greedy = NEXT.replace("(i32.const 10)", "(i32.const -1)");
    let body = format!("{OPEN_RECENT}{MUST_OPEN}{greedy}");
    run_with(guest(&body), &many, &mut host, &Cancel::new()).await;
    assert_eq!(host.asked, [10_000]);
}

#[tokio::test]
async fn exactly_the_total_of_rows_is_no_limit() {
    let mut host = FakeHost::with_rows(&[5, 0]);
    let body = format!("{OPEN_RECENT}{MUST_OPEN}{NEXT}{NEXT}");
    let finished = run(guest(&body), &mut host).await;
    assert_eq!(finished.limits_hit, []);
}

#[tokio::test]
async fn cursors_that_are_never_dropped_run_out() {
    let mut many = everything();
    for limits in many.pairs.values_mut().flat_map(|on| on.queries.values_mut()) {
        limits.calls_max = 40;
    }
    let mut host = FakeHost::default();
    let component = guest(&times(20, OPEN_RECENT));
    let finished = run_with(component, &many, &mut host, &Cancel::new()).await;
    assert_eq!(finished.limits_hit, [LimitName::Handles]);
    assert_eq!(host.did.iter().filter(|d| matches!(d, Did::Closed(_))).count(), 16);

    let dropped = format!("{OPEN_RECENT}{MUST_OPEN}(call $drop (i32.load (i32.const 20)))");
    let mut host = FakeHost::default();
    let finished = run_with(guest(&times(20, &dropped)), &many, &mut host, &Cancel::new()).await;
    assert_eq!((finished.outcome, finished.limits_hit), (Outcome::Succeeded, vec![]));
    assert_eq!(host.did.iter().filter(|d| matches!(d, Did::Closed(_))).count(), 20);
}

#[tokio::test]
async fn the_queries_that_are_listed_are_those_that_may_be_opened() {
    let names = |finished: &crate::Finished| -> Vec<String> {
        finished.log.iter().map(|line| line.message.clone()).collect()
    };
    let mut host = FakeHost::default();
    let all = run_and_replay(guest(LOG_QUERIES), &mut host, &Cancel::new()).await;
    assert_eq!(names(&all), ["batch", "recent"]);
    assert!(host.events.iter().any(|e| e.name() == "borescope:debug/sql#queries"));

    let mut less = everything();
    for on in less.pairs.values_mut() {
        on.queries.remove(&"recent".parse().unwrap());
    }
    let mut host = FakeHost::default();
    let fewer = run_with(guest(LOG_QUERIES), &less, &mut host, &Cancel::new()).await;
    assert_eq!(names(&fewer), ["batch"], "what was granted away is not even named");
}
