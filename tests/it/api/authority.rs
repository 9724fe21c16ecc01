//! Who may say what, through the API: what is said against runs and its ends, production, and a run
//! without an approval.

use std::time::Duration;

use api::Client;
use api::types::{RequestState, RunOrdered, RunView};
use domain::Rule;
use domain::decide::{SelfServeClause, SelfServeRules, StopSubject};
use tests::company::{TARGET, p};
use tests::served::{Granted, Served, wire};
use trust::{AccessRequest, InForce};

const INPUT: &str = r#"{"text":"hello"}"#;

/// Where an access request is, and by which rule.
async fn stands(alice: &Client, granted: &Granted) -> (RequestState, Option<Rule>) {
    let access: AccessRequest = trust::read_unverified(&granted.request).unwrap();
    let view = alice.access_request(&access.header.id).await.unwrap();
    (view.state, view.missing.map(|denial| denial.rule))
}

fn denied_by(run: &RunView) -> Option<Rule> {
    run.denial.as_ref().map(|denial| denial.rule)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_against_a_script_bars_until_it_is_ended() {
    let served = Served::start().await;
    let granted = served.granted("echo", INPUT, |_| {}).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let carol = served.login("carol").await;
    let revision = alice.scripts().await.unwrap()[0].revision;
    let c = &served.company;
    let open = (RequestState::Open, None);
    assert_eq!(stands(&alice, &granted).await, open);

    let stop = c.sign("carol", &c.stop(StopSubject::Revision(revision)));
    carol.stop(&wire(&stop)).await.unwrap();
    let stopped = (RequestState::Stopped, Some(Rule::Stopped));
    assert_eq!(stands(&alice, &granted).await, stopped);
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(denied_by(&run), Some(Rule::Stopped), "{run:?}");
    let stray = c.sign("carol", &c.lift(revision));
    assert!(carol.lift(&wire(&stray)).await.is_err(), "a lift of nothing");
    let lift = c.sign("carol", &c.lift(stop.payload_digest()));
    bob.lift(&wire(&lift)).await.unwrap();
    assert_eq!(stands(&alice, &granted).await, open);
    assert_eq!(alice.status().await.unwrap().stops, 0);

    let no = c.sign("carol", &c.rejection("carol", &granted.manifest, revision));
    carol.review(&wire(&no)).await.unwrap();
    let rejected = (RequestState::Waiting, Some(Rule::ReviewRejected));
    assert_eq!(stands(&alice, &granted).await, rejected);
    let withdrawal = c.sign("carol", &c.withdrawal(&no));
    assert!(bob.withdraw(&wire(&withdrawal)).await.is_err(), "it is carol's to bring");
    carol.withdraw(&wire(&withdrawal)).await.unwrap();
    assert_eq!(stands(&alice, &granted).await, open);
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");

    let kinds = async |subject: String| {
        let page = alice.audit(&format!("subject={subject}")).await.unwrap();
        page.events.into_iter().map(|e| e.kind).collect::<Vec<_>>()
    };
    let about = kinds(stop.payload_digest().to_string()).await;
    assert_eq!(about, ["lift-accepted", "stop-accepted"]);
    let about = kinds(no.payload_digest().to_string()).await;
    assert_eq!(about, ["withdrawal-accepted", "rejection-accepted"]);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_on_production_carries_the_newest_status() {
    let served = Served::founded_with(|_, policy| policy.targets[0].prod = true).await;
    let granted = served.granted("echo", INPUT, |_| {}).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let missing = (RequestState::Waiting, Some(Rule::StatusMissing));
    assert_eq!(stands(&alice, &granted).await, missing);
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(denied_by(&run), Some(Rule::StatusMissing), "{run:?}");

    let c = &served.company;
    let status = c.status(&InForce::default());
    let forged = c.sign("bob", &status);
    assert!(bob.new_status(&wire(&forged)).await.is_err(), "bob does not hold the role");
    bob.new_status(&wire(&c.sign("carol", &status))).await.unwrap();
    assert_eq!(stands(&alice, &granted).await, (RequestState::Open, None));
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");

    served.clock.advance_s(300);
    let run = served.ran(&alice, &granted, 2).await;
    let rule = denied_by(&run);
    assert!(matches!(rule, Some(Rule::StatusMissing | Rule::StatusExpired)), "{run:?}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reviewers_opened_runs_without_an_access_request() {
    let served = Served::founded_with(|keyring, policy| {
        keyring.floors.self_serve = true;
        let rules = SelfServeRules { groups: vec![p("dev")], runs_per_day: 1 };
        policy.targets[0].self_serve = Some(rules);
    })
    .await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let (manifest, revision) = served.upload(&alice, "echo", |_| {}).await;
    let c = &served.company;
    let submission = c.sign("alice", &c.submission(&manifest, revision));
    alice.submit(&wire(&submission)).await.unwrap();
    let mut review = c.review(&manifest, revision);
    let clause =
        SelfServeClause { groups: vec![p("dev")], targets: vec![p(TARGET)], runs_per_day: 5 };
    review.self_serve = vec![clause];
    bob.review(&wire(&c.sign("bob", &review))).await.unwrap();
    let input = alice.store_input(INPUT.as_bytes().to_vec()).await.unwrap().digest;
    let ran = async || {
        let request = c.self_serve_request(&manifest, revision, input);
        let order = RunOrdered { run_request: wire(&c.sign("alice", &request)), input: None };
        alice.order_run(&order, Duration::from_secs(60), None).await.unwrap()
    };
    let run = ran().await;
    assert_eq!((run.state.code(), &run.request), ("succeeded", &None), "{run:?}");
    let run = ran().await;
    assert_eq!(denied_by(&run), Some(Rule::SelfServeSpent), "{run:?}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_of_which_only_the_component_changed_runs_with_fewer_reviews() {
    let served = Served::founded_with(|_, policy| {
        policy.targets[0].reviews.required = 2;
        policy.targets[0].reviews_unchanged = Some(1);
    })
    .await;
    let first = served.granted("echo", INPUT, |_| {}).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let carol = served.login("carol").await;
    let c = &served.company;
    let earlier = alice.scripts().await.unwrap()[0].revision;
    let next = |files: &mut Vec<(String, Vec<u8>)>| {
        for (path, bytes) in files {
            match path.as_str() {
                // An empty custom section is another component that does the same.
                "component.wasm" => bytes.extend([0, 2, 1, b'x']),
                "script.toml" => {
                    let text = String::from_utf8(bytes.clone()).unwrap();
                    let (before, rest) = text.split_once("version = \"").unwrap();
                    let (_, after) = rest.split_once('"').unwrap();
                    *bytes = format!("{before}version = \"99.0.0\"{after}").into_bytes();
                }
                _ => {}
            }
        }
    };
    let second = served.granted("echo", INPUT, next).await;
    let run = served.ran(&alice, &second, 1).await;
    assert_eq!(denied_by(&run), Some(Rule::ReviewMissing), "the earlier has one of two: {run:?}");

    let mut review = c.review(&first.manifest, earlier);
    review.reviewer = p("carol");
    carol.review(&wire(&c.sign("carol", &review))).await.unwrap();
    assert_eq!(stands(&bob, &second).await, (RequestState::Open, None));
    let run = served.ran(&alice, &second, 1).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");
    served.close().await;
}
