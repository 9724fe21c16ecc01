//! Documents presented as what they are not: another kind, another company, another target, pair,
//! revision or request; and with fields that nobody signed for.

use domain::Digest;
use tests::company::p;
use tests::town::{PROD, Plan, Town};
use trust::{Approval, Envelope, RunRequest};

use super::papers::{Desk, Paper, payload_type, refusal};

#[tokio::test(flavor = "multi_thread")]
async fn no_document_passes_for_one_of_another_kind() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    let papers = desk.papers(&town);
    for paper in &papers {
        let honest = paper.honest(&town);
        for other in papers.iter().filter(|other| other.doc != paper.doc) {
            let story = format!("a {} as a {}", paper.doc, other.doc);
            // As it is, with the other's label, and signed for the other's purpose.
            let (payload, signatures) = (paper.payload.clone(), honest.signatures().to_vec());
            let label = payload_type(other.doc);
            let labelled = Envelope::assemble(label, payload, signatures).unwrap();
            let namespace = other.namespace(&town);
            let meant = paper.signed_as(&town, &paper.payload, other.doc, &namespace);
            for forged in [&honest, &labelled, &meant] {
                let bytes = forged.to_json().unwrap();
                let answer = paper.send_to(&town, other.route, &bytes).await;
                assert_eq!(refusal(&answer).as_deref(), Some("document-invalid"), "{story}");
            }
        }
        // The right kind, signed for another purpose.
        let namespace = format!("borescope-login-v1@{}", town.company().domain);
        let forged = paper.signed_as(&town, &paper.payload, paper.doc, &namespace);
        let forged = forged.to_json().unwrap();
        assert_eq!(paper.refused(&town, &forged, "signed as a login").await, "document-invalid");
    }
    Desk::set(&town).await.honest_ones_are_taken(&town).await;
    town.served.close().await;
}

/// Makes an envelope of a paper, its payload for another company, and the other's namespace.
type Forgery = fn(&Town, &Paper, &[u8], &str) -> Envelope;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_for_another_company_is_nothing_here() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    let forgeries: [Forgery; 3] = [
        // Their document, whole; their payload signed as ours; our payload signed as theirs.
        |town, paper, theirs, namespace| paper.signed_as(town, theirs, paper.doc, namespace),
        |town, paper, theirs, _| paper.saying(town, theirs),
        |town, paper, _, namespace| paper.signed_as(town, &paper.payload, paper.doc, namespace),
    ];
    for forgery in forgeries {
        for paper in desk.papers(&town) {
            let (here, there) = ("\"company.test\"", "\"company.test/staging\"");
            let theirs = paper.text().replacen(here, there, 1).into_bytes();
            let namespace = format!("borescope-{}-v1@company.test/staging", paper.doc);
            let forged = forgery(&town, &paper, &theirs, &namespace).to_json().unwrap();
            let code = paper.refused(&town, &forged, "of another company").await;
            assert_eq!(code, "document-invalid", "{}", paper.doc);
        }
    }
    Desk::set(&town).await.honest_ones_are_taken(&town).await;
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_unknown_twice_missing_or_written_otherwise_are_refused() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    for paper in desk.papers(&town) {
        let text = paper.text();
        let body = text.strip_prefix('{').unwrap();
        let (header, rest) = body.split_once("},").unwrap();
        let salt = text.find("\"salt\":").unwrap();
        let tampered = [
            ("unknown field", format!("{{\"skip_checks\":true,{body}")),
            ("unknown field at the end", format!("{},\"extra\":null}}", &text[..text.len() - 1])),
            ("unknown field in the header", text.replacen("\"salt\":", "\"extra\":1,\"salt\":", 1)),
            ("a field twice", format!("{{{header}}},{header}}},{rest}")),
            ("a header's field twice", {
                let field = &text[salt..salt + "\"salt\":".len() + 34];
                text.replacen(field, &format!("{field},{field}"), 1)
            }),
            ("no header", format!("{{{rest}")),
            ("another order", {
                let fields = rest.strip_suffix('}').unwrap();
                format!("{{{fields},{header}}}}}")
            }),
            ("a space", text.replacen(':', ": ", 1)),
            ("a line feed", format!("{text}\n")),
            ("an escape", text.replacen("company.test", "company\\u002etest", 1)),
        ];
        for (story, payload) in tampered {
            assert_ne!(payload, text, "{story}");
            let forged = paper.saying(&town, payload.as_bytes()).to_json().unwrap();
            let code = paper.refused(&town, &forged, story).await;
            assert_eq!(code, "document-invalid", "{}: {story}", paper.doc);
        }
    }
    Desk::set(&town).await.honest_ones_are_taken(&town).await;
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_envelope_has_one_form() {
    let town = Town::found().await;
    let desk = Desk::set(&town).await;
    for paper in desk.papers(&town) {
        let text = String::from_utf8(paper.honest(&town).to_json().unwrap()).unwrap();
        let body = text.strip_prefix('{').unwrap();
        let (payload, _) = body.split_once(',').unwrap();
        let tampered = [
            ("unknown field", format!("{{\"extra\":1,{body}")),
            ("payload twice", format!("{{{payload},{body}")),
            ("signature field twice", text.replacen("\"keyid\"", "\"keyid\":\"x\",\"keyid\"", 1)),
            ("no payload type", text.replacen("\"payloadType\"", "\"payloadtype\"", 1)),
            ("padding more", text.replacen("\",\"payloadType\"", "=\",\"payloadType\"", 1)),
            ("something after it", format!("{text}{{}}")),
        ];
        for (story, forged) in tampered {
            assert_ne!(forged, text, "{story}");
            let code = paper.refused(&town, forged.as_bytes(), story).await;
            // What is not even JSON in an order is no order.
            let known = ["document-invalid", "bad-request"].contains(&&*code);
            assert!(known, "{}: {story}: {code}", paper.doc);
        }
    }
    Desk::set(&town).await.honest_ones_are_taken(&town).await;
    town.served.close().await;
}

/// An order under cleo's access request that says something else than what was approved.
async fn ordered(town: &Town, desk: &Desk, change: impl FnOnce(&mut RunRequest)) -> Option<String> {
    let mut run = town.run_request(&desk.scene, "cleo", 1);
    change(&mut run);
    refusal(&town.order("cleo", &town.sign("cleo", &run)).await)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_is_for_its_own_target_pair_revision_input_runner_and_request() {
    let town = Town::found().await;
    let (desk, other) = (Desk::set(&town).await, Desk::set(&town).await);
    town.freshen().await;
    let denied = async |change: fn(&mut RunRequest)| ordered(&town, &desk, change).await.unwrap();
    let prod = |run: &mut RunRequest| run.pairs[0].target = p(PROD);
    assert_eq!(denied(prod).await, "review-missing");
    assert_eq!(denied(|run| run.pairs[0].target = p("shop-nowhere")).await, "target-unknown");
    assert_eq!(denied(|run| run.pairs[0].logical = p("payments")).await, "targets");
    assert_eq!(denied(|run| run.pairs.clear()).await, "targets");
    assert_eq!(denied(|run| run.runner = p("runner-2")).await, "document-invalid");
    assert_eq!(denied(|run| run.caller = p("vera")).await, "forbidden");
    // No input of this digest is there at all.
    assert_eq!(denied(|run| run.input = Digest::of(b"another")).await, "bad-request");
    assert_eq!(denied(|run| run.request = Some(Digest::of(b"another"))).await, "document-invalid");
    let alone = |run: &mut RunRequest| (run.request, run.use_number) = (None, 0);
    assert_eq!(denied(alone).await, "self-serve-not-allowed");
    let kept = town.call(Some("cleo"), "POST /v1/inputs", &[], br#"{"text":"x"}"#).await;
    assert_eq!(kept.status, 200);
    let there = |run: &mut RunRequest| run.input = Digest::of(br#"{"text":"x"}"#);
    assert_eq!(denied(there).await, "input-not-approved");
    // Another script under this grant, and this script under another's.
    let revision = other.scene.script.revision;
    let another = ordered(&town, &desk, |run| run.revision = revision).await;
    assert_eq!(another.as_deref(), Some("request-mismatch"));
    let request = other.scene.request.as_ref().unwrap().payload_digest();
    let another = ordered(&town, &desk, |run| run.request = Some(request)).await;
    assert_eq!(another.as_deref(), Some("request-mismatch"));
    assert_eq!(ordered(&town, &desk, |_| {}).await, None, "nothing was spent");
    town.served.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_for_its_own_request_reviews_and_target() {
    let town = Town::found().await;
    let script = town.fresh_script(&Plan::ordinary()).await.unwrap();
    let unapproved = Plan { approvers: vec![], ..Plan::ordinary() };
    let scene = town.play_with(&unapproved, script.clone()).await.unwrap();
    let other = town.play_with(&unapproved, script.clone()).await.unwrap();
    let request = scene.request.as_ref().unwrap();
    let files = async |change: &dyn Fn(&mut Approval)| {
        let mut approval = town.approval(&script, request, "vera");
        change(&mut approval);
        let answer = town.post("vera", "/v1/approvals", &town.sign("vera", &approval)).await;
        refusal(&answer)
    };
    let theirs = other.request.as_ref().unwrap();
    let invalid = Some("document-invalid".to_owned());
    // The digest of one request with the id of another, both ways, and of none.
    assert_eq!(files(&|a| a.request = theirs.payload_digest()).await, invalid);
    let id = trust::read_unverified::<trust::AccessRequest>(theirs).unwrap().header.id;
    assert_eq!(files(&|a| a.request_id = id.clone()).await, invalid);
    assert_eq!(files(&|a| a.request = Digest::of(b"none")).await, invalid);
    assert_eq!(files(&|a| a.reviews = vec![Digest::of(b"none")]).await, invalid);
    // An access request's digest is no review's.
    assert_eq!(files(&|a| a.reviews = vec![theirs.payload_digest()]).await, invalid);
    assert_eq!(files(&|a| a.policy.version += 1).await, invalid);
    assert_eq!(files(&|a| a.directory.digest = Digest::of(b"another")).await, invalid);

    let run = async || {
        let run = town.sign("cleo", &town.run_request(&scene, "cleo", 1));
        refusal(&town.order("cleo", &run).await)
    };
    // An approval for production is on file, and is worth nothing on the replica.
    let prod = |a: &mut Approval| a.scope.targets[0].target = p(PROD);
    assert_eq!(files(&prod).await, None);
    assert_eq!(run().await.as_deref(), Some("request-mismatch"));
    town.served.close().await;
}
