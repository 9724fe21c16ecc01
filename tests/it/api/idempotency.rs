//! Calls that are made again: because the answer was lost, because somebody clicked twice, because
//! somebody hopes that the second time does something else.

use std::time::Duration;

use api::types::RunView;
use domain::{Digest, RunState};
use tests::ambient::ManualClock;
use tests::company::p;
use tests::raw_http::{Answer, Connection};
use tests::served::{Served, wire};

use super::streams::endless;

async fn post(served: &Served, token: &str, path: &str, key: &str, body: &[u8]) -> Answer {
    let token = format!("authorization: Bearer {token}");
    let key = format!("idempotency-key: {key}");
    served.raw(&format!("POST {path}"), &[&token, &key], body).await
}

fn advance(clock: &ManualClock, hours: u64) {
    clock.advance_s(hours * 3600);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_call_gets_the_first_answer_and_has_no_second_effect() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let (alice, token) = (served.login("alice").await, served.token("alice").await);
    let order = serde_json::to_vec(&served.order(&granted, 1)).unwrap();
    let first = post(&served, &token, "/v1/runs", "k1", &order).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None), "{first:?}");
    let run: RunView = serde_json::from_slice(&first.body).unwrap();
    let mut events = alice.events(&run.id, None);
    while events.next().await.unwrap().is_some() {}
    let again = post(&served, &token, "/v1/runs", "k1", &order).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.body, first.body, "byte for byte, although the run has ended since");
    assert_eq!(again.header("content-type"), first.header("content-type"));
    assert_eq!(alice.runs().await.unwrap().len(), 1);
    let started = alice.audit("kind=run-started").await.unwrap().events;
    assert_eq!(started.len(), 1, "one use is spent: {started:?}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_belongs_to_one_person_one_route_one_path_and_one_body() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let (alice, bob) = (served.token("alice").await, served.token("bob").await);
    let client = served.login("alice").await;
    let runs = [served.ran(&client, &granted, 1).await, served.ran(&client, &granted, 2).await];

    assert_eq!(post(&served, &alice, "/v1/inputs", "k", b"{\"a\":1}").await.status, 200);
    let other = post(&served, &alice, "/v1/inputs", "k", b"{\"a\":2}").await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency-key-reused"));
    // Somebody who guesses a key of mine neither gets my answer nor takes my key.
    let bobs = post(&served, &bob, "/v1/inputs", "k", b"{\"a\":2}").await;
    assert_eq!((bobs.status, bobs.header("idempotency-replayed")), (200, None));
    let mine = post(&served, &alice, "/v1/inputs", "k", b"{\"a\":1}").await;
    assert_eq!((mine.status, mine.header("idempotency-replayed")), (200, Some("true")));
    // The same key is another one at another route; on one route the path counts.
    let cancel = |n: usize| format!("/v1/runs/{}/cancel", runs[n].id);
    assert_eq!(post(&served, &alice, &cancel(0), "k", b"").await.status, 200);
    let other = post(&served, &alice, &cancel(1), "k", b"").await;
    assert_eq!((other.status, other.code().as_str()), (422, "idempotency-key-reused"));
    let anonymous = served.raw("POST /v1/inputs", &["idempotency-key: k"], b"{\"a\":1}").await;
    assert_eq!(anonymous.status, 401, "a key opens nothing");
    for key in ["", "with space", &"k".repeat(129), "k\u{e9}"] {
        let refused = post(&served, &alice, "/v1/inputs", key, b"{}").await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "bad-request"), "{key:?}");
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_gives_the_key_back() {
    let served = Served::start().await;
    let (alice, token) = (served.login("alice").await, served.token("alice").await);
    let (manifest, revision) = served.upload(&alice, "echo", |_| {}).await;
    let c = &served.company;
    let review = wire(&c.sign("alice", &c.review(&manifest, revision)));
    for _ in 0..2 {
        let refused = post(&served, &token, "/v1/reviews", "k", review.get().as_bytes()).await;
        assert_eq!((refused.status, refused.header("idempotency-replayed")), (422, None));
    }
    let submission = wire(&c.sign("alice", &c.submission(&manifest, revision)));
    let filed = post(&served, &token, "/v1/reviews", "k", submission.get().as_bytes()).await;
    assert_eq!(filed.code(), "document-invalid", "the key was free for another body: {filed:?}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_calls_at_once_one_acts_also_when_its_connection_is_lost() {
    let served = Served::start().await;
    let granted = endless(&served).await;
    let (alice, token) = (served.login("alice").await, served.token("alice").await);
    let order = serde_json::to_vec(&served.order(&granted, 1)).unwrap();
    let head = format!(
        "POST /v1/runs HTTP/1.1\r\nauthorization: Bearer {token}\r\nidempotency-key: k\r\nprefer: wait=60"
    );
    let first = Connection::send(served.address, &head, &order).await;
    served.seen.reached().await;
    // It waits for the run's end, which does not come: the second is told to come back.
    let second = post(&served, &token, "/v1/runs", "k", &order).await;
    assert_eq!((second.status, second.code().as_str()), (409, "idempotency-key-in-use"));
    assert!(second.header("retry-after").is_some());
    drop(first);
    let run = alice.runs().await.unwrap().remove(0);
    alice.cancel(&run.id).await.unwrap();
    // The first call went on without its connection, and its answer is there.
    let third = loop {
        let answer = post(&served, &token, "/v1/runs", "k", &order).await;
        if answer.status == 200 {
            break answer;
        }
    };
    assert_eq!(third.header("idempotency-replayed"), Some("true"));
    let told: RunView = serde_json::from_slice(&third.body).unwrap();
    assert!(matches!(told.state, RunState::Ended { .. }) && told.id == run.id, "{told:?}");
    assert_eq!(alice.runs().await.unwrap().len(), 1);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_kept_for_a_day() {
    let served = Served::start().await;
    let token = served.token("alice").await;
    let replayed = async |body: &[u8]| {
        let answer = post(&served, &token, "/v1/inputs", "k", body).await;
        (answer.status, answer.header("idempotency-replayed").is_some())
    };
    assert_eq!(replayed(b"{}").await, (200, false));
    advance(&served.clock, 11);
    assert_eq!(replayed(b"{}").await, (200, true));
    let token = {
        advance(&served.clock, 14);
        served.token("alice").await
    };
    let answer = post(&served, &token, "/v1/inputs", "k", b"[]").await;
    assert_eq!((answer.status, answer.header("idempotency-replayed")), (200, None));
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_sent_again_is_the_same_upload() {
    let served = Served::start().await;
    let token = served.token("alice").await;
    let form = |boundary: &str, summary: &str| {
        let script =
            format!("[script]\nname = \"x\"\nversion = \"1.0.0\"\nsummary = \"{summary}\"\n");
        let head = "content-disposition: form-data; name=\"script.toml\"";
        format!("--{boundary}\r\n{head}\r\n\r\n{script}\r\n--{boundary}--\r\n")
    };
    let upload = async |boundary: &str, summary: &str| {
        let token = format!("authorization: Bearer {token}");
        let part = format!("content-type: multipart/form-data; boundary={boundary}");
        let headers = [&*token, &*part, "idempotency-key: k"];
        served.raw("POST /v1/revisions", &headers, form(boundary, summary).as_bytes()).await
    };
    // No component: refused, so the key is free again, also for other files.
    assert_eq!(upload("a", "one").await.code(), "bundle-invalid");
    assert_eq!(upload("b", "two").await.code(), "bundle-invalid");
    served.close().await;
    let served = Served::start().await;
    let alice = served.login("alice").await;
    let (_, first) = served.upload(&alice, "echo", |_| {}).await;
    let (_, again) = served.upload(&alice, "echo", |_| {}).await;
    assert_eq!(first, again);

    // The same key, the same files in another order and form: the first answer, and nothing anew.
    let mut files = tests::guests::files("echo");
    let digests = files.iter().map(|(path, bytes)| (p(path), Digest::of(bytes))).collect();
    let index = domain::BundleIndex::new(digests).unwrap();
    files.push(("bundle.sha256".to_owned(), index.to_bytes()));
    let tokens = [served.token("alice").await, served.token("bob").await];
    let send = async |token: &str, boundary: &str, files: &[(String, Vec<u8>)]| {
        let mut body = Vec::new();
        for (path, bytes) in files {
            let head = format!("content-disposition: form-data; name=\"{path}\"");
            body.extend_from_slice(format!("--{boundary}\r\n{head}\r\n\r\n").as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        let token = format!("authorization: Bearer {token}");
        let part = format!("content-type: multipart/form-data; boundary={boundary}");
        served.raw("POST /v1/revisions", &[&token, &part, "idempotency-key: k"], &body).await
    };
    let first = send(&tokens[0], "one", &files).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    files.reverse();
    let again = send(&tokens[0], "two", &files).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(again.json(), first.json());
    assert_eq!(send(&tokens[0], "x", &files[1..]).await.code(), "idempotency-key-reused");
    let bobs = send(&tokens[1], "x", &files).await;
    assert_eq!((bobs.status, bobs.header("idempotency-replayed")), (200, None), "bob's own key");
    served.close().await;
}

/// A server that loses the connection after it has read the call, `lose` times.
async fn losing_proxy(to: std::net::SocketAddr, lose: usize) -> std::net::SocketAddr {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for n in 0.. {
            let (mut client, _) = listener.accept().await.unwrap();
            tokio::spawn(async move {
                let mut server = tokio::net::TcpStream::connect(to).await.unwrap();
                let (mut from_client, mut to_client) = client.split();
                let (mut from_server, mut to_server) = server.split();
                let up = tokio::io::copy(&mut from_client, &mut to_server);
                let down = async {
                    if n < lose {
                        // The server has answered; the answer is lost.
                        let mut byte = [0];
                        drop(tokio::io::AsyncReadExt::read(&mut from_server, &mut byte).await);
                    } else {
                        drop(tokio::io::copy(&mut from_server, &mut to_client).await);
                    }
                };
                tokio::select! { _ = up => {}, () = down => {} }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_connection_is_lost_tries_again_and_nothing_happens_twice() {
    let served = Served::start().await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let alice = served.login("alice").await;
    let through = losing_proxy(served.address, 2).await;
    let token = served.token("alice").await;
    let client = served.client_of(&format!("http://{through}")).with_token(token);
    let order = served.order(&granted, 1);
    let run = client.order_run(&order, Duration::from_secs(60), None).await.unwrap();
    assert_eq!(run.state.code(), "succeeded");
    assert_eq!(alice.runs().await.unwrap().len(), 1);
    assert_eq!(alice.audit("kind=run-started").await.unwrap().events.len(), 1);
    served.close().await;
}
