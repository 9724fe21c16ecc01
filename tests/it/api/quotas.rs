//! Using too much: of one person's quota, and by nobody.

use app::{AppLimits, QuotaLimits};
use server::ServerLimits;
use tests::raw_http::Answer;
use tests::served::{Served, wire};

fn retry_after_s(refused: &Answer) -> u64 {
    refused.header("retry-after").unwrap().parse().unwrap()
}

async fn with(quotas: QuotaLimits) -> Served {
    Served::with(AppLimits { quotas, ..AppLimits::DEFAULT }, ServerLimits::DEFAULT).await
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_and_their_bytes_are_counted_by_person_and_come_back_with_time() {
    let quotas = QuotaLimits {
        uploads_per_hour_max: 2,
        upload_bytes_per_day_max: 10_000,
        ..QuotaLimits::DEFAULT
    };
    let served = with(quotas).await;
    let tokens = [served.token("alice").await, served.token("bob").await];
    let [alice, bob] = tokens.map(|token| format!("authorization: Bearer {token}"));
    let part = "content-type: multipart/form-data; boundary=x";
    let upload =
        async |who: &str| served.raw("POST /v1/revisions", &[who, part], b"--x--\r\n").await;
    for _ in 0..2 {
        assert_eq!(upload(&alice).await.code(), "bundle-invalid");
    }
    let refused = upload(&alice).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota-exceeded"));
    assert_eq!(retry_after_s(&refused), 3600);
    assert_eq!(refused.json()["retry_after_s"], 3600);
    assert_eq!(upload(&bob).await.code(), "bundle-invalid", "bob has his own");
    served.clock.advance_s(3600);
    assert_eq!(upload(&alice).await.code(), "bundle-invalid");

    let input = async |who: &str, bytes: usize| {
        served.raw("POST /v1/inputs", &[who], &vec![b'1'; bytes]).await
    };
    assert_eq!(input(&alice, 5_500).await.status, 200);
    let refused = input(&alice, 5_500).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota-exceeded"));
    assert_eq!(input(&alice, 1).await.status, 200, "what was refused is not counted");
    let refused = input(&alice, 2).await;
    assert_eq!(refused.status, 429, "a file costs a block, however small it is");
    assert_eq!(input(&bob, 5_500).await.status, 200);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn access_requests_that_nobody_has_approved_have_an_end() {
    let served = with(QuotaLimits { pending_requests_max: 2, ..QuotaLimits::DEFAULT }).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let (manifest, revision) = served.upload(&alice, "echo", |_| {}).await;
    let c = &served.company;
    alice.submit(&wire(&c.sign("alice", &c.submission(&manifest, revision)))).await.unwrap();
    let review = c.sign("bob", &c.review(&manifest, revision));
    bob.review(&wire(&review)).await.unwrap();
    let input = alice.store_input(b"{}".to_vec()).await.unwrap().digest;
    let request = || c.sign("alice", &c.access_request(&manifest, revision, input));
    let [first, second, third] = [request(), request(), request()];
    alice.request_access(&wire(&first)).await.unwrap();
    alice.request_access(&wire(&second)).await.unwrap();
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let body = wire(&third);
    let refused = served.raw("POST /v1/access-requests", &[&token], body.get().as_bytes()).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota-exceeded"));
    assert!((1..=3601).contains(&retry_after_s(&refused)), "{refused:?}");
    alice.request_access(&wire(&first)).await.expect("it is on file already");
    let approval = c.sign("bob", &c.approval(&manifest, &first, &[&review]));
    bob.approve(&wire(&approval)).await.unwrap();
    alice.request_access(&wire(&third)).await.expect("one of them waits no more");
    served.clock.advance_s(3601);
    alice.request_access(&wire(&request())).await.expect("their windows are over");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_no_seconds_of_compiling_left_waits() {
    let served = with(QuotaLimits { compile_s_per_hour_max: 0, ..QuotaLimits::DEFAULT }).await;
    let granted = served.granted("echo", "{}", |_| {}).await;
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let order = serde_json::to_vec(&served.order(&granted, 1)).unwrap();
    let refused = served.raw("POST /v1/runs", &[&token], &order).await;
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota-exceeded"));
    assert_eq!(retry_after_s(&refused), 3600);
    let alice = served.login("alice").await;
    assert!(alice.runs().await.unwrap().is_empty(), "no use is spent");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_is_slowed_down_and_who_is_logged_in_is_not() {
    let limits = ServerLimits { failures_per_peer_per_minute_max: 5, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let alice = format!("authorization: Bearer {}", served.token("alice").await);
    let before = served.login("alice").await.checkpoint().await.unwrap();
    let guess = async || {
        let guess = "authorization: Bearer 00000000000000000000000000000000";
        served.raw("GET /v1/runs", &[guess], b"").await
    };
    for _ in 0..5 {
        assert_eq!(guess().await.code(), "unauthorized");
    }
    let limited = guess().await;
    assert_eq!((limited.status, limited.code().as_str()), (429, "rate-limited"));
    assert_eq!(retry_after_s(&limited), 60);
    let login = served.raw("POST /v1/challenges", &[], b"{}").await;
    assert_eq!((login.status, login.code().as_str()), (429, "rate-limited"), "not looked at");
    assert_eq!(served.raw("GET /v1/runs", &[&alice], b"").await.status, 200);
    let metrics = String::from_utf8(served.raw("GET /metrics", &[], b"").await.body).unwrap();
    assert!(metrics.contains("borescope_unauthenticated_refusals_total 7\n"), "{metrics}");
    served.clock.advance_s(60);
    assert_eq!(guess().await.code(), "unauthorized");
    let after = served.login("alice").await.checkpoint().await.unwrap();
    assert_eq!(before, after, "no guess is an entry of the log");
    served.close().await;
}
