//! Challenges, sessions, idempotency keys.

use domain::{Digest, SessionId};

use super::{anna, store};
use crate::{Challenge, Claim, IdempotencyKey, Session, Store};

async fn challenge(store: &Store) {
    let challenge = Challenge {
        nonce: "n1".to_owned(),
        origin: "http://127.0.0.1:1".to_owned(),
        person: anna(),
        expires_ms: 60_000,
    };
    store.put_challenge(&challenge, 0).await.unwrap();
}

#[tokio::test]
async fn of_many_concurrent_takers_one_gets_the_challenge() {
    let (_dir, store) = store().await;
    for _ in 0..10 {
        challenge(&store).await;
        let takers: Vec<_> = (0..8)
            .map(|_| {
                let store = store.clone();
                tokio::spawn(async move { store.take_challenge("n1", 1).await.unwrap() })
            })
            .collect();
        let mut got = 0;
        for taker in takers {
            got += usize::from(taker.await.unwrap().is_some());
        }
        assert_eq!(got, 1);
    }
}

#[tokio::test]
async fn an_expired_challenge_is_not_taken() {
    let (_dir, store) = store().await;
    challenge(&store).await;
    assert_eq!(store.take_challenge("n1", 60_000).await.unwrap(), None);
    assert!(store.take_challenge("n1", 59_999).await.unwrap().is_some());
}

#[tokio::test]
async fn a_session_ends_by_time_and_by_revocation() {
    let (_dir, store) = store().await;
    let id: SessionId = "ses_0190b5a0-0000-7000-8000-000000000001".parse().unwrap();
    let session = Session {
        id: id.clone(),
        token_hash: Digest::of(b"token"),
        person: anna(),
        key_fingerprint: "SHA256:abc".to_owned(),
        created_ms: 0,
        expires_ms: 1_000,
    };
    store.insert_session(&session).await.unwrap();
    let live = async |now| store.live_session(&Digest::of(b"token"), now).await.unwrap();
    assert_eq!(live(999).await, Some(session.clone()));
    assert_eq!(live(1_000).await, None);
    assert_eq!(store.live_session(&Digest::of(b"other"), 1).await.unwrap(), None);
    assert!(store.insert_session(&session).await.is_err());
    assert_eq!(store.sessions_of(&anna(), 999).await.unwrap(), std::slice::from_ref(&session));
    assert_eq!(store.sessions_of(&anna(), 1_000).await.unwrap(), []);
    assert!(store.session_is_live(&id, 999).await.unwrap());
    assert!(!store.session_is_live(&id, 1_000).await.unwrap());
    assert_eq!(store.revoke_session(&id, &"bob".parse().unwrap(), 5).await.unwrap(), None);
    assert!(live(6).await.is_some(), "another person ends nothing");
    for now in [6, 7] {
        let revoked = store.revoke_session(&id, &anna(), now).await.unwrap();
        assert_eq!(revoked.as_ref(), Some(&session), "again is as once");
    }
    assert_eq!(live(8).await, None);
    assert_eq!(store.sessions_of(&anna(), 8).await.unwrap(), []);
    assert!(!store.session_is_live(&id, 8).await.unwrap());
}

#[tokio::test]
async fn stopping_a_key_or_a_person_ends_their_sessions() {
    let (_dir, store) = store().await;
    for n in 1..=2u8 {
        let session = Session {
            id: format!("ses_0190b5a0-0000-7000-8000-00000000000{n}").parse().unwrap(),
            token_hash: Digest::of(&[n]),
            person: anna(),
            key_fingerprint: format!("SHA256:{n}"),
            created_ms: 0,
            expires_ms: 1_000,
        };
        store.insert_session(&session).await.unwrap();
    }
    let mut tx = store.begin().await.unwrap();
    assert_eq!(tx.revoke_key("SHA256:1", 1).await.unwrap(), 1);
    assert_eq!(tx.revoke_person(&anna(), 1).await.unwrap(), 1);
    tx.commit().await.unwrap();
    assert_eq!(store.live_session(&Digest::of(&[2]), 2).await.unwrap(), None);
}

#[tokio::test]
async fn a_retried_call_gets_the_first_answer_and_another_body_none() {
    let (dir, store) = store().await;
    let key =
        IdempotencyKey { person: anna(), route: "POST /v1/runs".to_owned(), key: "k1".to_owned() };
    let (body, other) = (Digest::of(b"body"), Digest::of(b"other"));
    let claim = async |body: &Digest, now| store.claim(&key, body, now, 1_000).await.unwrap();
    assert_eq!(claim(&body, 1).await, Claim::New);
    assert_eq!(claim(&body, 1).await, Claim::AtWork);
    assert_eq!(claim(&other, 1).await, Claim::OtherBody);
    store.abandon(&key).await.unwrap();
    assert_eq!(claim(&body, 1).await, Claim::New);
    let mut tx = store.begin().await.unwrap();
    tx.complete(&key, 201, b"answer").await.unwrap();
    assert!(tx.complete(&key, 201, b"again").await.is_err());
    tx.commit().await.unwrap();
    let answered = Claim::Answered { status: 201, response: b"answer".to_vec() };
    assert_eq!(claim(&body, 1).await, answered);
    assert_eq!(claim(&body, 2_000).await, Claim::New, "old answers are forgotten");
    // The process dies with the key claimed: the next one may make the call again.
    store.close().await;
    let store = Store::open(&dir.path().join("store.db")).await.unwrap();
    assert_eq!(store.claim(&key, &body, 2_000, 1_000).await.unwrap(), Claim::New);
}

#[tokio::test]
async fn one_person_keeps_so_many_answers_and_takes_nobody_elses_place() {
    let (_dir, store) = store().await;
    let key = |person: &str, n: u64| IdempotencyKey {
        person: person.parse().unwrap(),
        route: "POST /v1/runs".to_owned(),
        key: format!("k{n}"),
    };
    let body = Digest::of(b"body");
    let once = async |key: IdempotencyKey, now| {
        let claim = store.claim(&key, &body, now, 1_000_000).await.unwrap();
        if claim == Claim::New {
            store.complete(&key, 200, b"answer").await.unwrap();
        }
        claim
    };
    assert_eq!(once(key("bob", 0), 0).await, Claim::New);
    for n in 0..=u64::from(crate::KEYS_PER_PERSON_MAX) {
        assert_eq!(once(key("anna", n), n).await, Claim::New);
    }
    let last = u64::from(crate::KEYS_PER_PERSON_MAX);
    let kept = Claim::Answered { status: 200, response: b"answer".to_vec() };
    assert_eq!(once(key("anna", last), last).await, kept);
    assert_eq!(once(key("bob", 0), last).await, kept);
    assert_eq!(once(key("anna", 0), last).await, Claim::New, "the oldest has gone");
}
