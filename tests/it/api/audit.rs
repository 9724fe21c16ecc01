//! Finding out what happened, and what one may not find out.

use domain::decide::StopSubject;
use tests::company::p;
use tests::served::{Served, wire};

#[tokio::test(flavor = "multi_thread")]
async fn events_are_found_by_person_subject_kind_and_time_page_by_page() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let run = served.ran(&alice, &granted, 1).await;
    let stopped_ms = served.now_ms() + 60_000;
    served.clock.advance_s(60);
    let c = &served.company;
    let stop = c.sign("carol", &c.stop(StopSubject::Person(p("mallory"))));
    carol.stop(&wire(&stop)).await.unwrap();
    let kinds = async |query: &str| {
        let page = alice.audit(query).await.unwrap();
        page.events.into_iter().map(|e| e.kind).collect::<Vec<_>>()
    };
    let of_alice = ["run-finished", "run-started", "request-accepted", "submission-accepted"];
    assert_eq!(kinds("person=alice").await, of_alice);
    assert_eq!(kinds("person=bob").await, ["approval-accepted", "review-accepted"]);
    assert_eq!(kinds(&format!("subject={}", run.id)).await, ["run-finished", "run-started"]);
    let request = run.request.clone().unwrap();
    let about = ["run-finished", "run-started", "approval-accepted", "request-accepted"];
    assert_eq!(kinds(&format!("subject={request}")).await, about);
    assert_eq!(kinds("subject=mallory").await, ["stop-accepted"]);
    assert_eq!(kinds(&format!("from_ms={stopped_ms}")).await, ["stop-accepted"]);
    assert_eq!(kinds(&format!("until_ms={stopped_ms}&kind=run-finished")).await, ["run-finished"]);
    assert!(alice.audit("kind=teapot").await.is_err());

    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let page = alice.audit(&format!("limit=3{before}")).await.unwrap();
        assert!(page.events.len() <= 3);
        all.extend(page.events.into_iter().map(|e| e.index));
        match page.next {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    let once = alice.audit("limit=200").await.unwrap().events;
    assert_eq!(all, once.iter().map(|e| e.index).collect::<Vec<_>>());
    assert!(all.windows(2).all(|w| w[0] > w[1]), "{all:?}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_see_a_run_does_not_find_its_events() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let (alice, mallory) = (served.login("alice").await, served.login("mallory").await);
    let run = served.ran(&alice, &granted, 1).await;
    let seen = mallory.audit("limit=200").await.unwrap().events;
    assert!(seen.iter().all(|e| e.run.is_none() && !e.kind.starts_with("run-")), "{seen:?}");
    assert!(seen.iter().any(|e| e.kind == "review-accepted"), "documents are for everybody");
    let about = mallory.audit(&format!("subject={}", run.id)).await.unwrap();
    assert!(about.events.is_empty(), "{about:?}");
    served.close().await;
}
