//! What the API says about itself: the golden description, and that each of its operations works.

use std::collections::BTreeSet;

use api::Client;
use api::types::{EmergencyView, RunView};
use domain::decide::StopSubject;
use serde_json::Value;
use tests::company::p;
use tests::served::{Granted, Served, wire};
use trust::InForce;

#[test]
fn the_description_changes_only_in_review() {
    // `UPDATE_EXPECT=1 cargo test --workspace --test it description` writes it anew.
    expect_test::expect_file!["../golden/openapi.json"].assert_eq(&(server::openapi_json() + "\n"));
}

fn description() -> Value {
    serde_json::from_str(&server::openapi_json()).unwrap()
}

/// Every operation: method in capitals and path.
fn operations() -> BTreeSet<(String, String)> {
    let description = description();
    let paths = description["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &Value)| {
        let methods: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        let path = path.clone();
        methods.into_iter().map(move |m| (m.to_uppercase(), path.clone()))
    };
    paths.iter().flat_map(of_path).collect()
}

#[test]
fn every_operation_names_its_refusals_and_who_may_call() {
    let description = description();
    let open = [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /openapi.json",
        "POST /v1/challenges",
        "POST /v1/sessions",
        "POST /v1/key-claims",
        "GET /v1/keyring",
        "GET /v1/keyrings",
    ];
    let logs_in = ["POST /v1/challenges", "POST /v1/sessions"];
    for (method, path) in operations() {
        let operation = &description["paths"][&path][method.to_lowercase()];
        let at = format!("{method} {path}");
        assert!(operation["summary"].is_string(), "{at} has a summary");
        let responses = operation["responses"].as_object().unwrap();
        for status in ["200", "500", "503"] {
            assert!(responses.contains_key(status), "{at} has {status}");
        }
        for (status, response) in responses.iter().filter(|(status, _)| status.as_str() >= "400") {
            let problem = &response["content"]["application/problem+json"]["schema"]["$ref"];
            assert_eq!(problem, "#/components/schemas/Problem", "{at} {status}");
        }
        let closed = !open.contains(&at.as_str());
        assert_eq!(operation["security"][0]["session"].is_array(), closed, "{at}");
        let refused = closed || logs_in.contains(&at.as_str());
        assert_eq!(responses.contains_key("401"), refused, "{at}");
    }
}

/// The operations that the server has answered with success, as it counts them itself.
async fn succeeded(served: &Served) -> BTreeSet<(String, String)> {
    let metrics = served.raw("GET /metrics", &[], b"").await;
    let text = String::from_utf8(metrics.body).unwrap();
    let label = |line: &str, name: &str| {
        let (_, rest) = line.split_once(&format!("{name}=\""))?;
        Some(rest.split_once('"')?.0.to_owned())
    };
    let requests = text.lines().filter(|l| l.starts_with("borescope_http_requests_total{"));
    let ok = requests.filter(|l| label(l, "status").is_some_and(|s| s == "200"));
    ok.filter_map(|l| Some((label(l, "method")?, label(l, "route")?.replace("{*", "{")))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_works_at_least_once() {
    let served = Served::start().await;
    let granted = served.granted("echo", r#"{"text":"hello"}"#, |_| {}).await;
    let (alice, bob) = (served.login("alice").await, served.login("bob").await);
    let run = served.ran(&alice, &granted, 1).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");

    let session = alice.session().await.unwrap();
    assert!(alice.sessions().await.unwrap().contains(&session));
    let other = served.login("alice").await;
    let other = other.session().await.unwrap().id;
    assert_eq!(alice.revoke_session(&other).await.unwrap().id, other);
    let scripts = alice.scripts().await.unwrap();
    let revision = alice.revision(&scripts[0].revision).await.unwrap();
    let path = p("script.toml");
    let file = alice.file(&scripts[0].revision, &path).await.unwrap();
    assert!(revision.files.iter().any(|f| f.path == path && f.size_bytes == file.len() as u64));
    let requests = alice.access_requests().await.unwrap();
    assert_eq!(requests[0].digest, granted.request.payload_digest());
    let asked = requests[0].id.parse().unwrap();
    alice.access_request(&asked).await.unwrap();
    let input = br#"{"text":"hello"}"#;
    assert_eq!(bob.request_input(&asked).await.unwrap(), input, "who approves reads it");
    assert_eq!(alice.run_input(&run.id).await.unwrap(), input);
    alice.document(&requests[0].id).await.unwrap();
    alice.inbox().await.unwrap();
    let alone = alice.run(&run.id).await.unwrap();
    let listed = RunView { access: None, queue: None, ..alone };
    assert_eq!(alice.runs().await.unwrap(), [listed]);
    assert_eq!(alice.cancel(&run.id).await.unwrap().state, run.state, "over is over");
    let mut events = alice.events(&run.id, None);
    while events.next().await.unwrap().is_some() {}
    alice.result(&run.id).await.unwrap();
    alice.receipt(&run.id).await.unwrap();
    alice.recording(&run.id).await.unwrap();
    alice.evidence(&run.id).await.unwrap();
    for document in [alice.keyring().await, alice.directory().await, alice.policy().await] {
        document.unwrap();
    }
    assert_eq!(alice.keyrings().await.unwrap().len(), 1);
    let target = &alice.targets().await.unwrap()[0].id;
    let catalog = alice.catalog(target).await.unwrap();
    assert!(String::from_utf8(catalog).unwrap().contains("placed_at"));
    let analysis = br#"{"queries":[]}"#.to_vec();
    let stored = alice.store_analysis(analysis.clone()).await.unwrap().digest;
    assert_eq!(bob.analysis(&stored).await.unwrap(), analysis);
    let asked = served.company.plan_request("bob", &granted.manifest, scripts[0].revision);
    let plan = bob.plan(&wire(&served.company.sign("bob", &asked))).await.unwrap();
    assert_eq!(String::from_utf8(plan).unwrap(), r#"{"queries":[]}"#, "it asks nothing");
    let c = &served.company;
    let carol = served.login("carol").await;
    emergency(&served, &granted, &alice, &bob).await;
    let no = c.sign("carol", &c.rejection("carol", &granted.manifest, scripts[0].revision));
    carol.review(&wire(&no)).await.unwrap();
    carol.withdraw(&wire(&c.sign("carol", &c.withdrawal(&no)))).await.unwrap();
    let everything = c.sign("carol", &c.stop(StopSubject::Everything));
    carol.stop(&wire(&everything)).await.unwrap();
    let lift = c.sign("carol", &c.lift(everything.payload_digest()));
    bob.lift(&wire(&lift)).await.unwrap();
    assert!(bob.signed_status().await.is_err(), "nobody has signed one");
    bob.new_status(&wire(&c.sign("carol", &c.status(&InForce::default())))).await.unwrap();
    assert_eq!(alice.signed_status().await.unwrap().kind, "status");
    let stop = c.sign("carol", &c.stop(StopSubject::Revision(scripts[0].revision)));
    carol.stop(&wire(&stop)).await.unwrap();
    let said = bob.against(0).await.unwrap();
    let kinds: Vec<&str> = said.documents.iter().map(|d| d.kind.as_str()).collect();
    assert_eq!(kinds, ["review", "withdrawal", "stop", "lift", "stop"], "and nothing else");
    let rest = bob.against(said.next).await.unwrap();
    assert!(rest.documents.is_empty() && rest.next == said.next);
    assert!(!bob.audit("").await.unwrap().events.is_empty());
    let status = bob.status().await.unwrap();
    assert!(status.ready && status.stops == 1 && status.policy.version == 1, "{status:?}");
    let size = status.log_size;
    alice.checkpoint().await.unwrap();
    alice.proof(0, size).await.unwrap();
    alice.consistency(1, size).await.unwrap();
    assert_eq!(alice.leaves(0, 2).await.unwrap().leaves.len(), 2);
    assert!(alice.ready().await.unwrap().ready);
    for path in ["/healthz", "/metrics", "/openapi.json"] {
        assert_eq!(served.raw(&format!("GET {path}"), &[], b"").await.status, 200, "{path}");
    }

    changes(&served, &carol).await;

    let uncovered: Vec<_> = operations().difference(&succeeded(&served).await).cloned().collect();
    assert_eq!(uncovered, [], "operations that nothing has used");
    served.close().await;
}

/// A stranger claims a key, and carol proposes directories.
async fn changes(served: &Served, carol: &Client) {
    let c = &served.company;
    let claim = c.key_claim("nina", &c.fresh_key());
    served.client().claim_key(&wire(&claim)).await.unwrap();
    assert_eq!(carol.key_claims().await.unwrap().len(), 1);
    carol.drop_key_claim(&claim.payload_digest()).await.unwrap();
    let next = || c.sign("carol", &c.next_directory(|_| {}));
    let (adopted, dropped) = (next(), next());
    for envelope in [&adopted, &dropped] {
        carol.propose(&wire(envelope)).await.unwrap();
    }
    assert_eq!(carol.proposals().await.unwrap().len(), 2);
    carol.proposal(&adopted.payload_digest()).await.unwrap();
    carol.drop_proposal(&dropped.payload_digest()).await.unwrap();
    carol.adopt(&adopted.payload_digest()).await.unwrap();
}

/// Alice breaks the glass for the script once, and bob looks at it.
async fn emergency(served: &Served, granted: &Granted, alice: &Client, bob: &Client) {
    let c = &served.company;
    let manifest = &granted.manifest;
    let revision = alice.scripts().await.unwrap()[0].revision;
    let mut request = c.access_request(manifest, revision, granted.input);
    request.break_glass = true;
    let request = c.sign("alice", &request);
    alice.request_access(&wire(&request)).await.unwrap();
    let reviews = alice.revision(&revision).await.unwrap().documents;
    let review = reviews.iter().find(|d| d.kind == "review").unwrap();
    let mut approval = c.approval(manifest, &request, &[]);
    approval.reviews = vec![review.digest];
    bob.approve(&wire(&c.sign("bob", &approval))).await.unwrap();
    let broken = Granted { manifest: manifest.clone(), request, input: granted.input };
    let run = served.ran(alice, &broken, 1).await;
    assert_eq!(run.state.code(), "succeeded", "{run:?}");
    let owed = async |who: &Client| {
        let inbox = who.inbox().await.unwrap();
        let mine = |all: Vec<EmergencyView>| all.into_iter().map(|e| e.request.digest).collect();
        (mine(inbox.to_look_at), mine(inbox.owed))
    };
    let digest = broken.request.payload_digest();
    assert_eq!(owed(alice).await, (vec![], vec![digest]), "nobody looks at their own");
    assert_eq!(owed(bob).await, (vec![digest], vec![]));
    assert_eq!(bob.emergencies().await.unwrap()[0].request.digest, digest);
    let look = c.sign("bob", &c.after_review("bob", &broken.request));
    bob.after_review(&wire(&look)).await.unwrap();
    assert_eq!(alice.after_reviews().await.unwrap()[0].digest, look.payload_digest());
    assert_eq!(owed(bob).await, (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_leaves_of_the_log_have_the_checkpoints_root() {
    let served = Served::start().await;
    served.granted("echo", "{}", |_| {}).await;
    let alice = served.login("alice").await;
    let checkpoint = String::from_utf8(alice.checkpoint().await.unwrap()).unwrap();
    let (checkpoint, _) = ledger::Checkpoint::parse(&checkpoint).unwrap();
    let mut leaves = Vec::new();
    while (leaves.len() as u64) < checkpoint.size {
        leaves.extend(alice.leaves(leaves.len() as u64, 3).await.unwrap().leaves);
    }
    let mut tree = ledger::merkle::Tree::new();
    for leaf in &leaves {
        tree.push(ledger::merkle::leaf_hash(leaf.as_bytes()));
    }
    assert_eq!(tree.root_at(checkpoint.size), Some(checkpoint.root));
    served.close().await;
}
