//! The same over HTTP, with the control plane's own part: what it says is missing from an access
//! request, and how the run of its next use ends.

use domain::Rule;
use domain::decide::{StopSubject, Verdict};
use tests::company::{TARGET, p};
use tests::town::{KeyState, PROD, Plan, Scene, Town};
use trust::{AccessRequest, Approval, Envelope};

/// What is said to be missing, and what the run is denied by; `None`: nothing.
async fn asked(town: &Town, scene: &Scene) -> (Option<String>, Option<String>) {
    let request = scene.request.as_ref().unwrap();
    let read: AccessRequest = trust::read_unverified(request).unwrap();
    let line = format!("GET /v1/access-requests/{}", read.header.id);
    let view = town.call(Some("rhea"), &line, &[], b"").await.json();
    let spent = view["uses_spent"].as_u64().unwrap();
    let run = town.run_request(scene, &scene.caller, (spent + 1).min(read.uses));
    let run = town.order(&scene.caller, &town.sign(&scene.caller, &run)).await.json();
    let rule = |denial: &serde_json::Value| denial["rule"].as_str().map(str::to_owned);
    (rule(&view["missing"]), rule(&run["denial"]))
}

/// Both say the same, and it is this.
async fn agree(town: &Town, scene: &Scene, want: Option<Rule>, when: &str) {
    let want = want.map(|rule| rule.code().to_owned());
    assert_eq!(asked(town, scene).await, (want.clone(), want), "{when}");
}

fn plans() -> Vec<Plan<'static>> {
    let ordinary = Plan::ordinary();
    let mut plans = vec![ordinary.clone()];
    for person in ["alice", "ada", "bob", "vera", "cleo", "otto", "bot", "ci", "rhea", "mallory"] {
        let by = vec![(person, KeyState::Active)];
        plans.extend([
            Plan { authors: vec![person], ..ordinary.clone() },
            Plan { reviewers: vec![person], ..ordinary.clone() },
            Plan { approvers: by.clone(), ..ordinary.clone() },
            Plan { caller: person, ..ordinary.clone() },
            Plan { caller: person, break_glass: true, ..ordinary.clone() },
            Plan { caller: "bot", approvers: by, ..ordinary.clone() },
        ]);
    }
    plans.push(Plan { reviewers: vec![], approvers: vec![], ..ordinary.clone() });
    plans.push(Plan { approvers: vec![], ..ordinary.clone() });
    plans.push(Plan { approvers: vec![], break_glass: true, ..ordinary });
    plans
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_said_to_be_missing_is_what_a_run_is_denied_by() {
    let town = Town::found().await;
    let (mut compared, mut ran) = (0, 0);
    for plan in plans() {
        // What the server does not even take is in the matrix.
        let Ok(scene) = town.play(&plan).await else { continue };
        let (missing, denied) = asked(&town, &scene).await;
        assert_eq!(missing, denied, "{plan:?}");
        compared += 1;
        ran += u32::from(denied.is_none());
    }
    assert!(compared > 30 && ran > 10, "{compared} compared, {ran} ran");
    words_against(&town).await;
    production(&town).await;
    spent_and_over(&town).await;
    town.served.close().await;
}

async fn fresh(town: &Town, plan: &Plan<'_>) -> Scene {
    let script = town.fresh_script(plan).await.unwrap();
    town.play_with(plan, script).await.unwrap()
}

async fn words_against(town: &Town) {
    let c = town.company();
    let scene = fresh(town, &Plan::ordinary()).await;
    let read: AccessRequest = trust::read_unverified(scene.request.as_ref().unwrap()).unwrap();
    let lift = async |of: &Envelope| {
        let lift = town.sign("carol", &c.lift(of.payload_digest()));
        town.files("cleo", "/v1/lifts", "lift", &lift).await.unwrap();
    };
    for subject in [
        StopSubject::Revision(scene.script.revision),
        StopSubject::Request(read.header.id),
        StopSubject::Target(p(TARGET)),
        StopSubject::Everything,
        StopSubject::Person(p("ada")),
    ] {
        let stop = town.sign("carol", &c.stop(subject.clone()));
        town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
        agree(town, &scene, Some(Rule::Stopped), &format!("a stop of {subject}")).await;
        lift(&stop).await;
    }
    town.enters("ada").await;
    // Neither does the word of somebody who is stopped count, nor does it stand in others' way.
    for (person, rule) in [("vera", Rule::ApprovalMissing), ("bob", Rule::ReviewMissing)] {
        let scene = fresh(town, &Plan::ordinary()).await;
        let stop = town.sign("carol", &c.stop(StopSubject::Person(p(person))));
        town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
        agree(town, &scene, Some(rule), &format!("a stop of {person}")).await;
        lift(&stop).await;
        town.enters(person).await;
        agree(town, &scene, None, &format!("a lifted stop of {person}")).await;
    }
    let scene = fresh(town, &Plan { reviewers: vec!["otto"], ..Plan::ordinary() }).await;
    let key = town.key("otto", KeyState::Active).fingerprint().as_str().to_owned();
    let stop = town.sign("carol", &c.stop(StopSubject::Key(key)));
    town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
    agree(town, &scene, Some(Rule::ReviewMissing), "a stop of the reviewer's key").await;
    lift(&stop).await;
    town.enters("otto").await;
    agree(town, &scene, None, "a lifted stop of the reviewer's key").await;
    let scene = fresh(town, &Plan::ordinary()).await;
    let mut rejection = town.review(&scene.script, "ada");
    rejection.verdict = Verdict::Reject;
    let by_author = town.sign("ada", &rejection);
    drop(town.files("ada", "/v1/reviews", "rejection", &by_author).await);
    agree(town, &scene, None, "an author's rejection").await;
    rejection = town.review(&scene.script, "cleo");
    rejection.verdict = Verdict::Reject;
    let rejection = town.sign("cleo", &rejection);
    town.files("cleo", "/v1/reviews", "rejection", &rejection).await.unwrap();
    agree(town, &scene, Some(Rule::ReviewRejected), "a rejection").await;
    lift(&rejection).await;
    agree(town, &scene, None, "a lifted rejection").await;
}

async fn production(town: &Town) {
    let scene = fresh(town, &Plan { target: PROD, ..Plan::ordinary() }).await;
    agree(town, &scene, Some(Rule::StatusMissing), "no status").await;
    town.freshen().await;
    agree(town, &scene, None, "a status").await;
    let stop = town.company().stop(StopSubject::Revision(domain::Digest::of(b"another")));
    let stop = town.sign("carol", &stop);
    town.files("carol", "/v1/stops", "stop", &stop).await.unwrap();
    agree(town, &scene, Some(Rule::StatusDiffers), "a status that has not heard of a stop").await;
    town.freshen().await;
    agree(town, &scene, None, "the next status").await;
    agree(town, &scene, Some(Rule::UseSpent), "both uses are spent").await;
}

/// An approval that ends in half a minute.
fn short(town: &Town, scene: &Scene, by: &str) -> Envelope {
    let approval = town.approval(&scene.script, scene.request.as_ref().unwrap(), by);
    let ends = domain::Clock::now(&*town.served.clock).plus_s(30);
    let mut approval: Approval = approval;
    approval.header.not_after = ends;
    town.sign(by, &approval)
}

/// Time goes by, so this comes last.
async fn spent_and_over(town: &Town) {
    let none = Plan { approvers: vec![], ..Plan::ordinary() };
    let (one, both) = (fresh(town, &none).await, fresh(town, &none).await);
    for scene in [&one, &both] {
        let approval = short(town, scene, "vera");
        town.files("vera", "/v1/approvals", "approval", &approval).await.unwrap();
    }
    let request = both.request.as_ref().unwrap();
    let lasting = town.sign("otto", &town.approval(&both.script, request, "otto"));
    town.files("otto", "/v1/approvals", "approval", &lasting).await.unwrap();
    let over = fresh(town, &Plan::ordinary()).await;
    let emergency = fresh(town, &Plan { break_glass: true, ..Plan::ordinary() }).await;
    agree(town, &emergency, None, "an emergency").await;
    town.served.clock.advance_s(60);
    agree(town, &one, Some(Rule::ApprovalMissing), "the only approval is over").await;
    // One that is over is not sent any more, so it does not end what the other one grants.
    agree(town, &both, None, "one of two approvals is over").await;
    town.served.clock.advance_s(700);
    agree(town, &emergency, Some(Rule::AfterReviewOverdue), "nobody has looked").await;
    town.served.clock.advance_s(3600);
    agree(town, &over, Some(Rule::GrantExpired), "the window is over").await;
}
