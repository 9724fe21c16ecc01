//! One person who wants to be two: by a second key, a second group, an agent, or a second signature; and
//! words of people who have left in between.

use domain::decide::{StopSubject, Verdict};
use serde_json::Value;
use tests::company::p;
use tests::raw_http::Answer;
use tests::town::{KeyState, Plan, Scene, Town};
use trust::{Approval, Envelope, Review};

use super::papers::refusal;

/// Orders use `use_number` as the scene's caller; `None`: it ran.
async fn ran(town: &Town, scene: &Scene, use_number: u64) -> Option<String> {
    let run = town.run_request(scene, &scene.caller, use_number);
    refusal(&town.order(&scene.caller, &town.sign(&scene.caller, &run)).await)
}

async fn fresh(town: &Town, plan: &Plan<'_>) -> Scene {
    let script = town.fresh_script(plan).await.unwrap();
    town.play_with(plan, script).await.unwrap()
}

/// Files an approval by one of somebody's keys.
async fn approves(town: &Town, scene: &Scene, by: &str, key: KeyState) -> Answer {
    let approval = town.approval(&scene.script, scene.request.as_ref().unwrap(), by);
    let approval = trust::sign(&approval, town.key(by, key)).unwrap();
    town.post(by, "/v1/approvals", &approval).await
}

fn unapproved() -> Plan<'static> {
    Plan { approvers: vec![], ..Plan::ordinary() }
}

async fn stops(town: &Town, subject: StopSubject) -> Envelope {
    let stop = town.sign("carol", &town.company().stop(subject));
    town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
    stop
}

#[tokio::test(flavor = "multi_thread")]
async fn two_keys_of_one_person_are_one_approval_and_one_review() {
    let town = Town::founded_with(|policy| {
        let target = &mut policy.targets[0];
        (target.approvals.required, target.reviews.required) = (2, 2);
    })
    .await;
    let scene = fresh(&town, &Plan { reviewers: vec!["bob"], ..unapproved() }).await;
    for key in [KeyState::Active, KeyState::Second] {
        let review = town.review(&scene.script, "bob");
        let review = trust::sign(&review, town.key("bob", key)).unwrap();
        town.files("bob", "/v1/reviews", "review", &review).await.unwrap();
        assert_eq!(approves(&town, &scene, "vera", key).await.status, 200);
    }
    assert_eq!(ran(&town, &scene, 1).await.as_deref(), Some("review-missing"));
    let review = town.sign("otto", &town.review(&scene.script, "otto"));
    town.files("otto", "/v1/reviews", "review", &review).await.unwrap();
    assert_eq!(ran(&town, &scene, 1).await.as_deref(), Some("approval-missing"));
    assert_eq!(approves(&town, &scene, "ada", KeyState::Second).await.status, 200);
    // The approvers relied on reviews of which bob's newer ones have taken the place.
    let after = fresh_approvals(&town, &scene).await;
    assert_eq!(after, None);
    town.served.close().await;
}

/// Two people approve what is on file by now.
async fn fresh_approvals(town: &Town, scene: &Scene) -> Option<String> {
    let line = format!("GET /v1/revisions/{}", scene.script.revision);
    let view: Value = town.call(Some("ada"), &line, &[], b"").await.json();
    let documents = view["documents"].as_array().unwrap();
    let newest = |by: &str| {
        let mine = documents.iter().filter(|d| d["kind"] == "review" && d["person"] == by);
        let id = |d: &&Value| d["id"].as_str().unwrap().to_owned();
        mine.max_by_key(id).unwrap()["digest"].as_str().unwrap().to_owned()
    };
    let reviews = vec![p(&newest("bob")), p(&newest("otto"))];
    for by in ["vera", "ada"] {
        let approval = town.approval(&scene.script, scene.request.as_ref().unwrap(), by);
        let approval = town.sign(by, &Approval { reviews: reviews.clone(), ..approval });
        town.files(by, "/v1/approvals", "approval", &approval).await.unwrap();
    }
    ran(town, scene, 1).await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_in_two_groups_stands_for_one_of_them() {
    let town = Town::founded_with(|policy| {
        let approvals = &mut policy.targets[0].approvals;
        approvals.required = 2;
        approvals.groups = vec![p("dev"), p("sec"), p("ops")];
        approvals.from_each = vec![p("sec"), p("ops")];
    })
    .await;
    // Otto is in both groups, vera in neither: two people, and nobody stands for one of the groups.
    let both = vec![("otto", KeyState::Active), ("vera", KeyState::Active)];
    let scene = fresh(&town, &Plan { approvers: both, ..Plan::ordinary() }).await;
    assert_eq!(ran(&town, &scene, 1).await.as_deref(), Some("approval-missing"));
    assert_eq!(approves(&town, &scene, "ada", KeyState::Active).await.status, 200);
    assert_eq!(ran(&town, &scene, 1).await, None, "ada is in one of them");
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_owner_and_their_agents_are_one_person() {
    let town = Town::found().await;
    let agents_request = fresh(&town, &Plan { caller: "bot", ..unapproved() }).await;
    for by in ["bot", "otto", "ci"] {
        let answer = approves(&town, &agents_request, by, KeyState::Active).await;
        assert_eq!(answer.code(), "forbidden", "{by} approves the agent's request");
    }
    let owners_request = fresh(&town, &Plan { caller: "otto", ..unapproved() }).await;
    for by in ["bot", "otto", "ci"] {
        let answer = approves(&town, &owners_request, by, KeyState::Second).await;
        assert_eq!(answer.code(), "forbidden", "{by} approves the owner's request");
    }
    for scene in [&agents_request, &owners_request] {
        assert_eq!(ran(&town, scene, 1).await.as_deref(), Some("approval-missing"));
    }
    // A grant of the one is none of the other's.
    assert_eq!(approves(&town, &owners_request, "vera", KeyState::Active).await.status, 200);
    let by_agent = town.sign("bot", &town.run_request(&owners_request, "bot", 1));
    let denied = refusal(&town.order("bot", &by_agent).await);
    assert_eq!(denied.as_deref(), Some("document-invalid"));
    assert_eq!(ran(&town, &owners_request, 1).await, None);

    // What the agent wrote, its owner does not review, whichever came first.
    let by_bot = Plan { authors: vec!["bot"], reviewers: vec![], ..unapproved() };
    let script = town.fresh_script(&by_bot).await.unwrap();
    for verdict in [Verdict::Approve, Verdict::RequestChanges, Verdict::Reject] {
        let review = Review { verdict, ..town.review(&script, "otto") };
        let answer = town.post("otto", "/v1/reviews", &town.sign("otto", &review)).await;
        assert_eq!(answer.code(), "forbidden", "{verdict:?}");
    }
    let reviewed = fresh(&town, &Plan { reviewers: vec!["otto"], ..Plan::ordinary() }).await;
    assert_eq!(ran(&town, &reviewed, 1).await, None);
    let submission = town.sign("bot", &town.submission(&reviewed.script, "bot"));
    town.files("bot", "/v1/submissions", "submission", &submission).await.unwrap();
    assert_eq!(ran(&town, &reviewed, 2).await.as_deref(), Some("review-missing"));
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_submits_what_they_have_reviewed_takes_their_review_away() {
    let town = Town::found().await;
    let scene = fresh(&town, &Plan::ordinary()).await;
    assert_eq!(ran(&town, &scene, 1).await, None);
    let submission = town.sign("bob", &town.submission(&scene.script, "bob"));
    town.files("bob", "/v1/submissions", "submission", &submission).await.unwrap();
    assert_eq!(ran(&town, &scene, 2).await.as_deref(), Some("review-missing"), "also once granted");
    let again = town.sign("bob", &town.review(&scene.script, "bob"));
    assert_eq!(town.post("bob", "/v1/reviews", &again).await.code(), "forbidden");
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_word_does_not_outlive_the_key_that_gave_it() {
    let town = Town::found().await;
    let key = |person: &str| town.key(person, KeyState::Active).fingerprint().as_str().to_owned();
    for (person, rule) in [("vera", "approval-missing"), ("bob", "review-missing")] {
        let approver = if person == "vera" { person } else { "ada" };
        let approvers = vec![(approver, KeyState::Active)];
        let plan = Plan { authors: vec!["alice"], approvers, ..Plan::ordinary() };
        let scene = fresh(&town, &plan).await;
        stops(&town, StopSubject::Key(key(person))).await;
        let denied = ran(&town, &scene, 1).await;
        assert_eq!(denied.as_deref(), Some(rule), "{person}'s key was stopped after the approval");
    }
    // The caller's own: neither that access request, nor an order by that key.
    let plan = Plan {
        reviewers: vec!["otto"],
        approvers: vec![("ada", KeyState::Active)],
        ..Plan::ordinary()
    };
    let scene = fresh(&town, &plan).await;
    let (first, run) = (key("cleo"), town.run_request(&scene, "cleo", 1));
    let by_first = town.sign("cleo", &run);
    let by_second = trust::sign(&run, town.key("cleo", KeyState::Second)).unwrap();
    stops(&town, StopSubject::Key(first)).await;
    assert_eq!(town.order("cleo", &by_first).await.code(), "unauthorized", "its session is over");
    town.enters_by("cleo", KeyState::Second).await;
    let denied = refusal(&town.order("cleo", &by_second).await);
    assert_eq!(denied.as_deref(), Some("document-invalid"), "the access request is by that key");
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn anothers_idempotency_key_and_order_give_neither_their_answer_nor_their_run() {
    let town = Town::found().await;
    let scene = fresh(&town, &Plan::ordinary()).await;
    let run = town.sign("cleo", &town.run_request(&scene, "cleo", 1));
    let body = [br#"{"run_request":"#, &run.to_json().unwrap()[..], b"}"].concat();
    let headers = ["content-type: application/json", "prefer: wait=60", "idempotency-key: cleos"];
    let first = town.call(Some("cleo"), "POST /v1/runs", &headers, &body).await;
    assert_eq!(refusal(&first), None);
    for other in ["mallory", "vera", "carol", "otto"] {
        let copied = town.call(Some(other), "POST /v1/runs", &headers, &body).await;
        assert_eq!(
            (copied.code().as_str(), copied.header("idempotency-replayed")),
            ("forbidden", None)
        );
        assert!(!String::from_utf8_lossy(&copied.body).contains("receipt"), "{copied:?}");
    }
    let nobody = town.call(None, "POST /v1/runs", &headers, &body).await;
    assert_eq!(nobody.code(), "unauthorized");
    let again = town.call(Some("cleo"), "POST /v1/runs", &headers, &body).await;
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    assert_eq!(again.json(), first.json());
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_inbox_asks_nobody_for_a_word_that_would_not_count() {
    let town = Town::found().await;
    let inbox = async |person: &str| {
        let inbox = town.call(Some(person), "GET /v1/inbox", &[], b"").await.json();
        let count = |list: &str| inbox[list].as_array().unwrap().len();
        (count("to_review"), count("to_approve"))
    };
    fresh(&town, &Plan { authors: vec!["bot"], caller: "bot", ..unapproved() }).await;
    for person in ["bot", "ci", "otto", "mallory", "carol", "rhea"] {
        assert_eq!(inbox(person).await, (0, 0), "{person}");
    }
    assert_eq!(inbox("bob").await, (0, 1), "he has reviewed it");
    assert_eq!(inbox("vera").await, (1, 1));
    town.served.close().await;
}

/// The runner keeps every rejection, and a status that has not heard of it is worth nothing: so one by
/// somebody who may not review there would keep everybody from production.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_keeps_nobody_from_production() {
    let town = Town::found().await;
    let scene = fresh(&town, &Plan { target: tests::town::PROD, ..Plan::ordinary() }).await;
    let junk =
        town.fresh_script(&Plan { authors: vec!["mallory"], ..Plan::ordinary() }).await.unwrap();
    town.freshen().await;
    for person in ["mallory", "carol", "rhea", "bot", "ci"] {
        let rejection = Review { verdict: Verdict::Reject, ..town.review(&junk, person) };
        let answer = town.post(person, "/v1/reviews", &town.sign(person, &rejection)).await;
        assert_eq!(answer.code(), "forbidden", "{person}");
    }
    assert_eq!(ran(&town, &scene, 1).await, None);
    town.served.close().await;
}
