//! What a script can reach: the interfaces and queries that are effective, and nothing else.

use std::sync::Arc;

use domain::{Outcome, Rule};
use executor::Runner as _;
use sandbox::recording::{CallResult, Event, Recording};
use sandbox::{CallError, Sandbox};
use tests::company::pairs;
use tests::rig::{Rig, STUCK_ORDERS_INPUT};

#[tokio::test(flavor = "multi_thread")]
async fn an_interface_outside_the_effective_set_is_not_linked() {
    let rig = Rig::new().await;
    let story = rig.story("fuel-burner", "{}");
    let sandbox = rig.runner.sandbox();
    let all = story.uploaded.manifest.asks(&pairs(&story.uploaded.manifest));
    let mut none = all.clone();
    none.pairs.values_mut().for_each(|on| on.queries.clear());

    let quiet: Arc<[u8]> = tests::guests::file("echo", "component.wasm").into();
    let quiet = sandbox.admit(quiet).await.unwrap();
    let linked = |capabilities| sandbox.link(&quiet, capabilities).unwrap().interfaces().to_vec();
    let sql = "borescope:debug/sql";
    assert!(linked(&all).iter().any(|i| i.starts_with(sql)));
    assert!(!linked(&none).iter().any(|i| i.starts_with(sql)), "{:?}", linked(&none));

    let component: Arc<[u8]> = tests::guests::file("fuel-burner", "component.wasm").into();
    let admitted = sandbox.admit(component).await.unwrap();
    let refused = sandbox.link(&admitted, &none).err().unwrap().to_string();
    assert!(refused.contains(sql), "{refused}");
    assert!(sandbox.link(&admitted, &all).is_ok());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_imports_what_is_not_effective_never_starts() {
    let rig = Rig::new().await;
    let mut story = rig.story("fuel-burner", "{}");
    story.request.scope.targets[0].queries.clear();
    let (run, order) = rig.order(&story, |_, _| {});
    let (events, ended) = rig.run(&run, &order).await;
    let denial = ended.denial.unwrap();
    assert_eq!(denial.rule, Rule::ComponentRefused);
    assert!(denial.fact.contains("borescope:debug/sql"), "{denial}");
    assert!(events.is_empty());
    assert_eq!(rig.seen.sessions(), 0);
    assert_eq!(
        rig.runner.state().uses_spent(&order.documents.access_request.unwrap().payload_digest()),
        [] as [u64; 0]
    );
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_outside_the_set_is_denied_recorded_and_unseen_by_the_target() {
    let rig = Rig::new().await;
    let story = rig.story("unknown-query", r#"{"order":"SO-100042"}"#);
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Succeeded, "a denial is a value: {ended:?}");
    let value = rig.output(&ended).result.value;
    assert!(value["unknown_query"].as_str().unwrap().contains("denied"), "{value}");
    assert!(value["other_order"].as_str().unwrap().contains("invalid"), "{value}");
    assert_eq!(value["honest_rows"], 1);
    assert_eq!(rig.seen.statements().len(), 1, "only the honest call reached the target");

    let recording = Recording::parse(&rig.recording(&run).await).unwrap();
    let denied = recording.events().iter().any(|e| {
        matches!(e, Event::Return { result: CallResult::Error(CallError::Denied(_)), .. })
    });
    assert!(denied, "the denial is recorded");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_who_took_a_query_out_took_it_out() {
    let rig = Rig::new().await;
    let mut story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let queries = &mut story.review.ceiling.targets[0].queries;
    queries.retain(|q| q.name.as_str() != "last-event");
    assert_eq!(queries.len(), 1, "the other query stays");
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Failed, "{ended:?}");
    let error = rig.output(&ended).error.unwrap().message;
    assert!(error.contains("denied") && error.contains("last-event"), "{error}");
    let seen = rig.seen.statements();
    assert!(!seen.is_empty() && seen.iter().all(|sql| !sql.contains("events")), "{seen:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_narrows_the_number_of_rows() {
    let mut rig = Rig::new().await;
    let mut policy = rig.company.policy_document();
    policy.targets[0].query.rows_total_max = 400;
    rig.company.policy = rig.company.sign("carol", &policy);
    let (run, order) = rig.order(&rig.story("row-hog", "{}"), |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(rig.output(&ended).result.value["rows"], 400);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_narrows_the_number_of_rows() {
    let rig = Rig::new().await;
    for (who, rows) in [("nobody", 1500), ("review", 700), ("request", 600), ("approval", 500)] {
        let mut story = rig.story("row-hog", "{}");
        let narrow = |s: &mut domain::Scope| s.targets[0].queries[0].rows_total_max = rows;
        match who {
            "review" => narrow(&mut story.review.ceiling),
            "request" => narrow(&mut story.request.scope),
            _ => {}
        }
        let (run, order) = rig.order(&story, |approval, _| {
            if who == "approval" {
                narrow(&mut approval.scope);
            }
        });
        let (_, ended) = rig.run(&run, &order).await;
        assert_eq!(ended.outcome, Outcome::Succeeded, "{ended:?}");
        let output = rig.output(&ended);
        assert_eq!(output.result.value["rows"], rows, "{who} narrowed");
        assert!(output.result.value["rows_limit"].as_str().unwrap().contains("query-rows"));
    }
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_who_writes_more_does_not_widen() {
    let rig = Rig::new().await;
    let story = rig.story("row-hog", "{}");
    let (run, order) = rig.order(&story, |approval, _| {
        approval.scope.targets[0].queries[0].rows_total_max = 1_000_000;
        approval.scope.limits = domain::Limits::CEILING;
    });
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(rig.output(&ended).result.value["rows"], 1500);
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_outside_the_policy_cannot_be_read() {
    let rig = Rig::new().await;
    let uploaded = rig.upload("row-hog", |files| {
        let query = files.iter_mut().find(|(path, _)| path == "queries/orders.sql").unwrap();
        query.1 = b"select email from customers".to_vec();
    });
    let mut story = rig.story_of(uploaded, "{}");
    let (run, order) = rig.order(&story, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Failed, "{ended:?}");
    let text = ended.output.unwrap();
    assert!(text.contains("drift") && text.contains("no analysis of this query"), "{text}");
    assert_eq!(rig.seen.statements(), [] as [&str; 0], "no analysis has it, so nothing was asked");

    // Reviewers who sign that they saw it: the gate at the target refuses it all the same.
    let forged = br#"{"queries":[{"name":"orders","catalog":{"relations":[],"functions":[]},"masks":[],"filters":[]}]}"#;
    story.review.analysis[0].digest = rig.blobs.put(forged);
    let (run, order) = rig.order_use(&story, 2, |_, _| {});
    let (_, ended) = rig.run(&run, &order).await;
    assert_eq!(ended.outcome, Outcome::Failed, "{ended:?}");
    let text = ended.output.unwrap();
    assert!(text.contains("not-allowed") && !text.contains('@'), "{text}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_hostile_guest_ends_in_its_named_outcome_and_the_next_run_is_honest() {
    let rig = Rig::new().await;
    let mut told = String::new();
    for guest in
        ["fuel-burner", "host-call-loop", "memory-bomb", "output-flood", "panics", "sleeper"]
    {
        let story = rig.story(guest, "{}");
        let (run, order) = rig.order(&story, |_, _| {});
        let (_, ended) = rig.run(&run, &order).await;
        let output = rig.output(&ended);
        let limits: Vec<&str> = output.limits_hit.iter().map(|l| l.code()).collect();
        let own = format!("{}::", guest.replace('-', "_"));
        let frames = output.error.map(|e| e.frames).unwrap_or_default();
        let trap = frames.into_iter().map(|f| f.function).find(|f| f.starts_with(&own));
        let line =
            format!("{guest}: {} {limits:?} {}\n", ended.outcome.code(), trap.unwrap_or_default());
        told.push_str(&line);
    }
    expect_test::expect![[r#"
        fuel-burner: limit-exceeded ["fuel"] fuel_burner::find_the_end
        host-call-loop: limit-exceeded ["host-calls"] 
        memory-bomb: succeeded ["memory"] 
        output-flood: limit-exceeded ["output"] 
        panics: failed [] panics::divide_the_shop
        sleeper: succeeded [] 
    "#]]
    .assert_eq(&told);
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (run, order) = rig.order(&story, |_, _| {});
    assert_eq!(rig.run(&run, &order).await.1.outcome, Outcome::Succeeded);
    rig.close().await;
}

#[test]
fn a_guest_imports_only_the_interfaces_that_it_uses() {
    for (guest, sql) in
        [("echo", false), ("panics", false), ("stuck-orders", true), ("unknown-query", true)]
    {
        let component = tests::guests::file(guest, "component.wasm");
        let facts = Sandbox::inspect(&component).unwrap();
        let imports_sql = facts.interfaces().any(|i| i.starts_with("borescope:debug/sql"));
        assert_eq!(imports_sql, sql, "{guest}: {:?}", facts.imports);
    }
}
