//! Strangers learn nothing about what exists: every operation, with things that exist and things that
//! do not, without a token, with a wrong one, and as somebody who may not see a run.

use serde_json::Value;
use tests::company::{Company, TARGET, change_person, p};
use tests::raw_http::Answer;
use tests::served::{Served, wire};

/// An analysis.
const NO_QUERIES: &[u8] = br#"{"queries":[]}"#;

/// What belongs in the place of each variable of a path: what exists, and what does not.
struct Things {
    run: String,
    request: String,
    revision: String,
    document: String,
    session: String,
    proposal: String,
    claim: String,
    analysis: String,
    target: String,
}

impl Things {
    fn none() -> Self {
        let id = |kind: &str| format!("{kind}_0198f0c0-0000-7000-8000-000000000000");
        let digest = domain::Digest::of(b"nothing").to_string();
        Self {
            run: id("run"),
            request: id("req"),
            revision: digest.clone(),
            document: digest.clone(),
            session: id("ses"),
            proposal: digest.clone(),
            analysis: digest.clone(),
            target: "no-such-target".to_owned(),
            claim: digest,
        }
    }

    fn fill(&self, path: &str) -> String {
        let of = |name: &str| match (path, name) {
            (path, "id") if path.starts_with("/v1/runs/") => &self.run,
            (path, "id") if path.starts_with("/v1/access-requests/") => &self.request,
            (path, "id") if path.starts_with("/v1/sessions/") => &self.session,
            (path, "digest") if path.starts_with("/v1/revisions/") => &self.revision,
            (path, "digest") if path.starts_with("/v1/proposals/") => &self.proposal,
            (path, "digest") if path.starts_with("/v1/key-claims/") => &self.claim,
            (path, "digest") if path.starts_with("/v1/analyses/") => &self.analysis,
            (path, "id") if path.starts_with("/v1/targets/") => &self.target,
            (_, "reference") => &self.document,
            other => panic!("nothing is known to fill {other:?} with"),
        };
        let parts = path.split('/').map(|part| {
            match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
                Some("path") => "script.toml".to_owned(),
                Some(name) => of(name).clone(),
                None => part.to_owned(),
            }
        });
        parts.collect::<Vec<_>>().join("/")
    }
}

/// Operations that need a session, and the paths that are open to everybody.
fn closed() -> Vec<(String, String)> {
    let description: Value = serde_json::from_str(&server::openapi_json()).unwrap();
    let mut closed = Vec::new();
    for (path, item) in description["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation["security"][0]["session"].is_array() {
                closed.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(closed.len() > 40, "{closed:?}");
    closed
}

/// An answer without what differs between any two calls.
fn told(answer: &Answer, things: &Things) -> (u16, String, Option<String>) {
    let mut body = String::from_utf8_lossy(&answer.body).into_owned();
    if let Ok(mut json) = serde_json::from_slice::<Value>(&answer.body) {
        if let Some(object) = json.as_object_mut() {
            object.remove("instance");
        }
        body = json.to_string();
    }
    // What was asked for may be repeated.
    let Things { run, request, revision, document, session, proposal, claim, analysis, target } =
        things;
    for thing in [run, request, revision, document, session, proposal, claim, analysis, target] {
        body = body.replace(thing.as_str(), "…");
    }
    (answer.status, body, answer.header("content-type").map(str::to_owned))
}

async fn existing(served: &Served) -> Things {
    let granted = served.granted("echo", r#"{"text":"hello"}"#, |_| {}).await;
    let (alice, carol) = (served.login("alice").await, served.login("carol").await);
    let run = served.ran(&alice, &granted, 1).await;
    let c = &served.company;
    let proposed = c.sign("carol", &c.next_directory(|_| {}));
    carol.propose(&wire(&proposed)).await.unwrap();
    let claim = c.key_claim("nina", &c.fresh_key());
    served.client().claim_key(&wire(&claim)).await.unwrap();
    Things {
        request: alice.access_requests().await.unwrap()[0].id.clone(),
        revision: run.revision.to_string(),
        document: run.receipt.unwrap().to_string(),
        session: alice.session().await.unwrap().id.to_string(),
        proposal: proposed.payload_digest().to_string(),
        claim: claim.payload_digest().to_string(),
        run: run.id.to_string(),
        analysis: alice.store_analysis(NO_QUERIES.to_vec()).await.unwrap().digest.to_string(),
        target: TARGET.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_session_every_operation_answers_alike() {
    let limits = server::ServerLimits {
        failures_per_peer_per_minute_max: u64::MAX,
        failures_per_minute_max: u64::MAX,
        ..server::ServerLimits::DEFAULT
    };
    let served = Served::with(app::AppLimits::DEFAULT, limits).await;
    let (there, none) = (existing(&served).await, Things::none());
    let wrong = format!("authorization: Bearer {}", "0".repeat(64));
    let key = "idempotency-key: 1";
    for headers in [&[][..], &[&*wrong][..], &["authorization: Basic YTpi", key][..]] {
        let mut first = None;
        for (method, path) in closed() {
            for things in [&there, &none] {
                let line = format!("{method} {}", things.fill(&path));
                let answer = served.raw(&line, headers, b"").await;
                let told = told(&answer, things);
                assert_eq!(told.0, 401, "{line}: {told:?}");
                let first = first.get_or_insert_with(|| told.clone());
                assert_eq!(told, *first, "{line}");
            }
        }
    }
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_run_of_others_left_answers_as_if_there_were_none() {
    let served = Served::start().await;
    let (there, none) = (existing(&served).await, Things::none());
    let token = format!("authorization: Bearer {}", served.token("mallory").await);
    let of_runs = |path: &str| path.starts_with("/v1/runs/") || path.contains("{reference}");
    let of_others = |path: &str| path.starts_with("/v1/sessions/{");
    let mut asked = 0;
    for (method, path) in closed() {
        if !of_runs(&path) && !of_others(&path) {
            continue;
        }
        asked += 1;
        let mut both = Vec::new();
        for things in [&there, &none] {
            let line = format!("{method} {}", things.fill(&path));
            let answer = served.raw(&line, &[&token], b"").await;
            both.push(told(&answer, things));
        }
        if (method.as_str(), path.as_str()) == ("GET", "/v1/runs/{id}") {
            // Whoever was given a run's id learns whose it is and whom to ask, and nothing else.
            let (status, body, _) = &both[0];
            assert_eq!(*status, 200, "{body}");
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["access"]["may_read"], false);
            for hidden in ["denial", "recording", "result"] {
                assert_eq!(body[hidden], Value::Null, "{hidden}");
            }
            continue;
        }
        assert_eq!(both[0].0, 404, "{method} {path}: {both:?}");
        assert_eq!(both[0], both[1], "{method} {path}");
    }
    assert!(asked >= 8, "{asked}");
    served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_group_reads_no_more_of_its_runs() {
    let served = Served::start().await;
    let things = existing(&served).await;
    let (bob, carol) = (served.login("bob").await, served.login("carol").await);
    let run = p(&things.run);
    assert!(bob.run(&run).await.unwrap().access.unwrap().may_read);
    bob.result(&run).await.unwrap();
    let c: &Company = &served.company;
    let next =
        c.sign("carol", &c.next_directory(|d| change_person(d, "bob", |b| b.groups.clear())));
    carol.propose(&wire(&next)).await.unwrap();
    carol.adopt(&next.payload_digest()).await.unwrap();
    assert!(!bob.run(&run).await.unwrap().access.unwrap().may_read);
    for result in [bob.result(&run).await, bob.recording(&run).await, bob.evidence(&run).await] {
        let (code, _) = super::adoption::problem(result);
        assert_eq!(code, api::Code::NotFound, "his session goes on, his reading does not");
    }
    served.close().await;
}
