//! Asking a target's planner: whose word lets a revision's text reach production, outside of any run.

use domain::decide::{StopSubject, Verdict};
use domain::plan::Plan;
use executor::{PlanOrder, Runner as _};
use tests::rig::{Rig, STUCK_ORDERS_INPUT, Story};
use trust::PlanRequest;

/// What the runner says to `person`'s request, which `change` may alter before it is signed by `signer`.
async fn asked_as(
    rig: &Rig,
    story: &Story,
    (person, signer): (&str, &str),
    change: impl FnOnce(&mut PlanRequest),
) -> Result<Plan, String> {
    let (c, uploaded) = (&rig.company, &story.uploaded);
    let mut request = c.plan_request(person, &uploaded.manifest, uploaded.revision);
    change(&mut request);
    let order = PlanOrder {
        request: c.sign(signer, &request),
        submissions: vec![c.sign("alice", &story.submission)],
    };
    ordered(rig, &order).await
}

async fn ordered(rig: &Rig, order: &PlanOrder) -> Result<Plan, String> {
    let told = rig.runner.plan(serde_json::to_vec(order).unwrap()).await;
    told.map(|bytes| serde_json::from_slice(&bytes).unwrap()).map_err(|e| tests::rig::told(&e))
}

async fn asked(rig: &Rig, story: &Story, person: &str) -> Result<Plan, String> {
    asked_as(rig, story, (person, person), |_| {}).await
}

fn says(told: Result<Plan, String>, why: &str) {
    let told = told.unwrap_err();
    assert!(told.contains(why), "`{told}` does not say `{why}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_reviews_may_ask_and_nobody_else_sends_a_text_to_the_target() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let plan = asked(&rig, &story, "bob").await.unwrap();
    let told: Vec<_> = plan.queries.iter().map(|q| (q.name.as_str(), q.expected)).collect();
    assert_eq!(told, [("stuck", None), ("last-event", None)], "SQLite expects nothing in numbers");

    says(asked(&rig, &story, "alice").await, "or wrote the revision");
    says(asked(&rig, &story, "mallory").await, "neither reviews nor approves");
    says(asked_as(&rig, &story, ("bob", "mallory"), |_| {}).await, "the request is not valid");
    let long = |r: &mut PlanRequest| r.header.not_before = r.header.not_after.plus_s(-301);
    says(asked_as(&rig, &story, ("bob", "bob"), long).await, "longer than 300 seconds");
    let over = |r: &mut PlanRequest| {
        r.header.not_after = r.header.not_before;
    };
    says(asked_as(&rig, &story, ("bob", "bob"), over).await, "the request is not valid");
    let elsewhere = |r: &mut PlanRequest| r.runner = "runner-2".parse().unwrap();
    says(asked_as(&rig, &story, ("bob", "bob"), elsewhere).await, "for another runner");
    let unknown = |r: &mut PlanRequest| r.pair.target = "shop-primary".parse().unwrap();
    says(asked_as(&rig, &story, ("bob", "bob"), unknown).await, "no target shop-primary");
    let absent = |r: &mut PlanRequest| r.revision = domain::Digest::of(b"nothing");
    says(
        asked_as(&rig, &story, ("bob", "bob"), absent).await,
        "a submission is of another revision",
    );
    assert_eq!(rig.seen.statements(), [] as [&str; 0]);
    rig.close().await;
}

/// The attack: a control plane that leaves out who wrote the revision.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_the_revisions_authors_is_refused() {
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let uploaded = &story.uploaded;
    let request = rig.company.plan_request("bob", &uploaded.manifest, uploaded.revision);
    let order = PlanOrder { request: rig.company.sign("bob", &request), submissions: vec![] };
    says(ordered(&rig, &order).await, "nobody, or far too many, submitted");
    says(
        rig.runner.plan(b"{}".to_vec()).await.map(|_| unreachable!()).map_err(|e| e.to_string()),
        "cannot be read",
    );
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stopped_or_rejected_is_not_asked_about() {
    for subject in 0..4 {
        let rig = Rig::new().await;
        rig.adopt().await;
        let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
        let uploaded = &story.uploaded;
        let subject = match subject {
            0 => StopSubject::Everything,
            1 => StopSubject::Target("shop-replica".parse().unwrap()),
            2 => StopSubject::Revision(uploaded.revision),
            _ => StopSubject::Person("bob".parse().unwrap()),
        };
        let stop = rig.company.sign("carol", &rig.company.stop(subject.clone()));
        rig.runner.accept(stop.to_json().unwrap()).await.unwrap();
        says(asked(&rig, &story, "bob").await, &format!("{subject} is stopped"));
        rig.close().await;
    }
    let rig = Rig::new().await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let uploaded = &story.uploaded;
    let no = rig.company.rejection("carol", &uploaded.manifest, uploaded.revision);
    assert_eq!(no.verdict, Verdict::Reject);
    let no = rig.company.sign("carol", &no);
    rig.runner.accept(no.to_json().unwrap()).await.unwrap();
    says(asked(&rig, &story, "bob").await, "a reviewer has rejected the revision");
    rig.close().await;
}

/// Production stays closed while nobody says what is in force, for catalogs as well.
#[tokio::test(flavor = "multi_thread")]
async fn production_is_asked_only_while_somebody_says_what_is_in_force() {
    let rig = Rig::founded_with("prod", |_, policy| policy.targets[0].prod = true).await;
    rig.adopt().await;
    let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
    let (target, bob) = ("shop-replica".parse().unwrap(), "bob".parse().unwrap());
    says(asked(&rig, &story, "bob").await, "marked prod");
    let told = rig.runner.catalog(&target, &bob).await.unwrap_err().to_string();
    assert!(told.contains("marked prod"), "{told}");
    let status = rig.company.status(&rig.runner.state().in_force());
    let status = rig.company.sign("carol", &status);
    rig.runner.accept(status.to_json().unwrap()).await.unwrap();
    asked(&rig, &story, "bob").await.unwrap();
    rig.runner.catalog(&target, &bob).await.unwrap();
    // What nobody can record does not leave.
    rig.disk.set_after(0, tests::faults::Disk::Full);
    says(asked(&rig, &story, "bob").await, "cannot be recorded");
    let told = rig.runner.catalog(&target, &bob).await.unwrap_err().to_string();
    assert!(told.contains("cannot be recorded"), "{told}");
}
