//! What every call meets before its handler: methods, paths, sizes, times, load.

use std::collections::BTreeMap;

use api::{ClientError, Code};
use app::{AppLimits, QuotaLimits};
use domain::{BundleIndex, BundlePath, Digest, Manifest, Outcome, RunState};
use server::ServerLimits;
use tests::raw_http::Connection;
use tests::served::Served;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::streams::endless;

#[tokio::test(flavor = "multi_thread")]
async fn strange_methods_and_paths_are_problems_with_the_right_status() {
    let served = Served::start().await;
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let ask = async |line: &str| served.raw(line, &[&token], b"").await;

    let head = ask("HEAD /v1/scripts").await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    for line in ["OPTIONS /v1/runs", "DELETE /v1/runs", "BREW /v1/runs", "PUT /healthz"] {
        let refused = ask(line).await;
        assert_eq!(
            (refused.status, refused.code().as_str()),
            (405, "method-not-allowed"),
            "{line}"
        );
        assert!(refused.header("allow").is_some_and(|a| a.contains("GET")), "{line}: {refused:?}");
    }
    for path in ["/", "/v1", "/v2/runs", "/v1/runs/", "/v1/../readyz", "/%00", "/v1/runs/x/y/z"] {
        let refused = ask(&format!("GET {path}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (404, "not-found"), "{path}");
    }
    for path in [
        "/v1/runs/run_1",
        "/v1/runs/%ff",
        "/v1/runs/%00/result",
        "/v1/runs/req_0198f0c0-0000-7000-8000-000000000000",
        "/v1/revisions/sha256:abc",
        "/v1/access-requests/..%2f..%2fetc",
        "/v1/documents/%F0%9F%92%A3",
        "/v1/log/proof?index=1",
        "/v1/log/leaves?from=-1&count=1",
        "/v1/log/leaves?from=0&count=1&more=1",
        "/v1/log/proof?index=18446744073709551616&size=1",
    ] {
        let refused = ask(&format!("GET {path}")).await;
        assert_eq!((refused.status, refused.code().as_str()), (400, "bad-request"), "{path}");
    }
    let none = "GET /v1/runs/run_0198f0c0-0000-7000-8000-000000000000";
    assert_eq!(ask(none).await.status, 404);
    let anonymous = served.raw(none, &[], b"").await;
    assert_eq!((anonymous.status, anonymous.header("www-authenticate")), (401, Some("Bearer")));
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_too_large_is_refused_and_the_next_call_is_served() {
    let served = Served::start().await;
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let large = vec![b' '; (1 << 20) + 1];
    let answers = [
        served.raw("POST /v1/inputs", &[&token], &large).await,
        served.raw("POST /v1/runs", &[&token], &large).await,
        served.raw("POST /v1/challenges", &[], &large).await,
    ];
    for refused in answers {
        assert_eq!((refused.status, refused.code().as_str()), (413, "too-large"));
    }
    let part = "content-type: multipart/form-data; boundary=x";
    let mut form = b"--x\r\ncontent-disposition: form-data; name=\"script.toml\"\r\n\r\n".to_vec();
    form.resize(form.len() + (65 << 10), b' ');
    form.extend_from_slice(b"\r\n--x--\r\n");
    let refused = served.raw("POST /v1/revisions", &[&token, part], &form).await;
    assert_eq!((refused.status, refused.code().as_str()), (413, "too-large"));
    let refused = served.raw("POST /v1/revisions", &[&token], b"no form").await;
    assert_eq!((refused.status, refused.code().as_str()), (400, "bad-request"));
    assert_eq!(served.raw("POST /v1/inputs", &[&token], b"{}").await.status, 200);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_refused_while_still_sending_hears_why() {
    let quotas = QuotaLimits { uploads_per_hour_max: 0, ..QuotaLimits::DEFAULT };
    let limits = AppLimits { quotas, ..AppLimits::DEFAULT };
    let served = Served::with(limits, ServerLimits::DEFAULT).await;
    let alice = served.login("alice").await;
    let nobody = served.client().with_token("0".repeat(64));
    for (client, code) in [(&alice, Code::QuotaExceeded), (&nobody, Code::Unauthorized)].repeat(8) {
        let large = vec![
            ("component.wasm".to_owned(), vec![0; 30 << 20]),
            ("script.toml".to_owned(), b"x".to_vec()),
        ];
        match served.try_upload(client, large).await.unwrap_err() {
            ClientError::Problem(problem) => assert_eq!(problem.code, code),
            other => panic!("the reason is lost: {other:?}"),
        }
    }
    // The first try tells; a client that hears nothing tries again.
    let metrics = String::from_utf8(served.raw("GET /metrics", &[], b"").await.body).unwrap();
    for status in [429, 401] {
        let calls = format!("{{method=\"POST\",route=\"/v1/revisions\",status=\"{status}\"}} 8\n");
        assert!(metrics.contains(&calls), "{metrics}");
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_on_which_nothing_moves_keep_nobody_out_for_long() {
    let limits =
        ServerLimits { connections_max: 8, connection_silence_s_max: 1, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let mut idle = Vec::new();
    for _ in 0..8 {
        idle.push(TcpStream::connect(served.address).await.unwrap());
    }
    // Whoever sends a head slowly is as silent.
    idle[0].write_all(b"GET /healthz HTTP/1.1\r\nx: ").await.unwrap();
    assert_eq!(served.raw("GET /healthz", &[], b"").await.status, 200);
    for mut connection in idle {
        // Closed, or cut.
        drop(connection.read_to_end(&mut Vec::new()).await);
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_its_time_is_answered_and_the_run_it_waits_for_goes_on() {
    let limits = ServerLimits { request_s_max: 1, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    let granted = endless(&served).await;
    let token = format!("authorization: Bearer {}", served.token("alice").await);
    let order = serde_json::to_vec(&served.order(&granted, 1)).unwrap();
    let late = served.raw("POST /v1/runs", &[&token, "prefer: wait=60"], &order).await;
    assert_eq!((late.status, late.code().as_str()), (503, "unavailable"));
    assert!(late.header("retry-after").is_some());
    let alice = served.login("alice").await;
    let run = alice.runs().await.unwrap().remove(0);
    assert!(!matches!(run.state, RunState::Ended { .. }), "{run:?}");
    alice.cancel(&run.id).await.unwrap();
    let mut events = alice.events(&run.id, None);
    while events.next().await.unwrap().is_some() {}
    let ended = RunState::Ended { outcome: Outcome::Cancelled };
    assert_eq!(alice.run(&run.id).await.unwrap().state, ended);
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_calls_than_the_server_takes_are_shed_and_say_when_to_come_back() {
    let limits = ServerLimits { requests_max: 1, ..ServerLimits::DEFAULT };
    let served = Served::with(AppLimits::DEFAULT, limits).await;
    // A body that does not come holds the only place.
    let slow = "POST /v1/challenges HTTP/1.1\r\ncontent-length: 10";
    let (held, shed) = loop {
        // It is shed itself if it comes while the other call has the place.
        let held = Connection::send(served.address, slow, b"").await;
        let answer = served.raw("GET /healthz", &[], b"").await;
        if answer.status != 200 {
            break (held, answer);
        }
    };
    assert_eq!((shed.status, shed.code().as_str()), (503, "unavailable"));
    assert_eq!(shed.header("retry-after"), Some("1"));
    drop(held);
    while served.raw("GET /healthz", &[], b"").await.status != 200 {}
    served.close().await;
}

/// Whoever knows the digest of somebody's input could list it as a file of a script of their own.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_files_that_nobody_uploaded_opens_no_blob() {
    let served = Served::start().await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let secret = bob.store_input(br#"{"customer":"4711"}"#.to_vec()).await.unwrap().digest;
    let (manifest, honest) = served.upload(&alice, "stuck-orders", |_| {}).await;

    // What was uploaded whole can be read where it will be signed.
    let readme: BundlePath = "readme.md".parse().unwrap();
    let index = alice.file(&honest, &"bundle.sha256".parse().unwrap()).await.unwrap();
    assert_eq!(Digest::of(&index), honest);
    let toml = alice.file(&honest, &"script.toml".parse().unwrap()).await.unwrap();
    assert_eq!(Manifest::parse(&toml).unwrap().name, manifest.name);

    let mut files: BTreeMap<BundlePath, Digest> = BTreeMap::new();
    for (path, digest) in BundleIndex::parse(&index).unwrap().files() {
        files.insert(path.clone(), *digest);
    }
    files.insert(readme.clone(), secret);
    let forged = BundleIndex::new(files).unwrap();
    let stored = alice.store_input(forged.to_bytes()).await.unwrap().digest;
    assert_eq!(stored, forged.revision(), "its bytes are there, by their digest");
    let refused = alice.file(&stored, &readme).await;
    assert!(matches!(&refused, Err(ClientError::Problem(p)) if p.code == Code::NotFound));
    let submission = served.company.submission(&manifest, stored);
    let submission = served.company.sign("alice", &submission);
    let refused = alice.submit(&tests::served::wire(&submission)).await;
    let Err(ClientError::Problem(problem)) = refused else { panic!("{refused:?}") };
    assert!(problem.detail.contains("has not been uploaded"), "{problem:?}");
    assert!(alice.file(&stored, &readme).await.is_err());
    served.close().await;
}
