//! Tokens: who gets one, what one is good for, and how it ends. The attacker holds a token, or stands
//! between a person and the server.

use std::time::Duration;

use api::types::{ChallengeRequest, Envelope as Wire};
use api::{ClientError, Code};
use domain::decide::StopSubject;
use tests::company::p;
use tests::served::{Served, wire};

use super::streams::endless;

fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> Code {
    match result.unwrap_err() {
        ClientError::Problem(problem) => problem.code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_sees_and_ends_only_their_own_sessions() {
    let served = Served::start().await;
    let (first, second) = (served.login("alice").await, served.login("alice").await);
    let bob = served.login("bob").await;
    let (mine, other) = (first.session().await.unwrap(), second.session().await.unwrap());
    assert!(mine.current && mine.key_fingerprint.starts_with("SHA256:"), "{mine:?}");
    assert!(mine.created_ms < mine.expires_ms);
    let listed = first.sessions().await.unwrap();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&mine) && listed.iter().any(|s| s.id == other.id && !s.current));
    let line = format!("authorization: Bearer {}", served.token("alice").await);
    let told = served.raw("GET /v1/sessions", &[&line], b"").await;
    let (_, token) = line.split_once("Bearer ").unwrap();
    assert!(!String::from_utf8_lossy(&told.body).contains(token), "a token is told once");

    // Bob sees neither, and cannot tell one that exists from one that does not.
    assert_eq!(bob.sessions().await.unwrap().len(), 1);
    let none = p("ses_0198f0c0-0000-7000-8000-000000000000");
    for id in [&mine.id, &none] {
        assert_eq!(code(bob.revoke_session(id).await), Code::NotFound);
    }
    first.session().await.unwrap();

    let ended = first.revoke_session(&other.id).await.unwrap();
    assert!(ended.id == other.id && !ended.current);
    assert_eq!(code(second.session().await), Code::Unauthorized);
    assert_eq!(code(second.runs().await), Code::Unauthorized);
    assert_eq!(code(second.store_input(b"{}".to_vec()).await), Code::Unauthorized);
    first.revoke_session(&other.id).await.unwrap();
    assert!(first.revoke_session(&mine.id).await.unwrap().current);
    assert_eq!(code(first.sessions().await), Code::Unauthorized);
    assert_eq!(code(first.revoke_session(&mine.id).await), Code::Unauthorized);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_is_logged_in_may_look_at_sessions_however_many_logins_failed() {
    let served = Served::start().await;
    let alice = served.login("alice").await;
    let refused = loop {
        let answer = served.raw("POST /v1/sessions", &[], b"{}").await;
        if answer.code() == "rate-limited" {
            break answer;
        }
    };
    assert_eq!(refused.status, 429);
    assert_eq!(alice.sessions().await.unwrap().len(), 1);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_open_ends_with_its_session() {
    let served = Served::start().await;
    let granted = endless(&served).await;
    let (watching, other) = (served.login("alice").await, served.login("alice").await);
    let order = served.order(&granted, 1);
    let run = other.order_run(&order, Duration::ZERO, None).await.unwrap();
    let mut events = watching.events(&run.id, None);
    assert_eq!(events.next().await.unwrap().unwrap().seq, 0);
    other.revoke_session(&watching.session().await.unwrap().id).await.unwrap();
    // The run goes on; who watched hears why nothing more comes.
    assert_eq!(code(events.next().await), Code::Unauthorized);
    assert!(other.run(&run.id).await.unwrap().ended_ms.is_none());

    // A stop of the person does the same.
    let mut events = other.events(&run.id, None);
    assert_eq!(events.next().await.unwrap().unwrap().seq, 0);
    let c = &served.company;
    let stop = c.sign("carol", &c.stop(StopSubject::Person(p("alice"))));
    served.login("carol").await.stop(&wire(&stop)).await.unwrap();
    loop {
        match events.next().await {
            // The stop ends the run, too; its end may have been told before.
            Ok(Some(_)) => {}
            Ok(None) => break,
            Err(ClientError::Problem(problem)) => {
                assert_eq!(problem.code, Code::Unauthorized);
                break;
            }
            Err(other) => panic!("{other:?}"),
        }
    }
    assert_eq!(code(other.sessions().await), Code::Unauthorized);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_between_a_person_and_the_server_gets_no_session() {
    let served = Served::start().await;
    let nobody = served.client();
    // Evil asks the true server, and shows the challenge to alice, whose client dialled evil: it signs
    // for the address that it dialled.
    let relayed = served.answer("alice", |login| {
        login.origin = "https://borescope-shop.example".to_owned();
    });
    assert_eq!(code(nobody.open_session(&relayed.await).await), Code::Unauthorized);
    // Evil cannot get a challenge for its own address either.
    let asked = ChallengeRequest {
        person: p("alice"),
        origin: "https://borescope-shop.example".to_owned(),
    };
    assert_eq!(code(nobody.challenge(&asked).await), Code::BadRequest);

    // What alice signs for another company is nothing here, whatever else fits.
    let elsewhere = served.answer("alice", |login| login.trust_domain = p("other.example/dev"));
    assert_eq!(code(nobody.open_session(&elsewhere.await).await), Code::Unauthorized);
    // Nor is the answer to another person's challenge, or to one that nobody gave.
    let of_bob = served.answer("alice", |login| login.person = p("bob")).await;
    assert_eq!(code(nobody.open_session(&of_bob).await), Code::Unauthorized);
    let made_up = served.answer("alice", |login| login.nonce = trust::Salt([7; 16])).await;
    assert_eq!(code(nobody.open_session(&made_up).await), Code::Unauthorized);

    // A challenge is good for one answer, right or wrong.
    let answer = served.answer("alice", |_| {}).await;
    nobody.open_session(&answer).await.unwrap();
    assert_eq!(code(nobody.open_session(&answer).await), Code::Unauthorized);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_reviews_approves_runs_and_stops_nothing() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let c = &served.company;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let carol = served.login("carol").await;
    let revision = alice.scripts().await.unwrap()[0].revision;
    let before = alice.revision(&revision).await.unwrap().documents.len();

    // Mallory has their tokens, and mallory's own key.
    let submission = c.sign("mallory", &c.submission(&granted.manifest, revision));
    let review = c.sign("mallory", &c.review(&granted.manifest, revision));
    let request = c.sign("mallory", &c.access_request(&granted.manifest, revision, granted.input));
    let approval = c.approval(&granted.manifest, &granted.request, &[&review]);
    let approval = c.sign("mallory", &approval);
    let stop = c.sign("mallory", &c.stop(StopSubject::Everything));
    let refused = [
        alice.submit(&wire(&submission)).await,
        bob.review(&wire(&review)).await,
        alice.request_access(&wire(&request)).await,
        bob.approve(&wire(&approval)).await,
        carol.stop(&wire(&stop)).await,
    ];
    for refused in refused {
        assert_eq!(code(refused), Code::DocumentInvalid);
    }
    let mut order = served.order(&granted, 1);
    let signed_by_mallory = c.run_request(&granted.manifest, &granted.request, granted.input, 1);
    order.run_request = wire(&c.sign("mallory", &signed_by_mallory));
    // An order is only a question to the runner, which says no: it is signed by nobody who may.
    let denied = alice.order_run(&order, Duration::from_secs(60), None).await.unwrap();
    let denial = denied.denial.unwrap();
    assert_eq!(denial.rule, domain::Rule::DocumentInvalid, "{denial}");
    assert!(denied.result.is_none() && denied.started_ms.is_none() && served.seen.sessions() == 0);
    // Without any signature it is no document at all.
    let bare: Wire = serde_json::from_str(r#"{"signatures":[]}"#).unwrap();
    for refused in [bob.review(&bare).await, bob.approve(&bare).await, carol.stop(&bare).await] {
        assert_eq!(code(refused), Code::DocumentInvalid);
    }

    assert_eq!(alice.revision(&revision).await.unwrap().documents.len(), before);
    assert!(alice.against(0).await.unwrap().documents.is_empty());
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(run.state.code(), "succeeded", "the use was not spent: {run:?}");
    served.close().await;
}
