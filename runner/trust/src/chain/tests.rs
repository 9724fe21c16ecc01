//! An order with one wrong document is refused by name; a right one becomes facts.

use std::collections::BTreeMap;

use domain::decide::{Rule, StopSubject};
use domain::{Digest, Facts, Manifest, decide};

use super::*;
use crate::document::{Document, sign};
use crate::documents::{KeyStatus, PersonKind, Stop};
use crate::testing::*;
use crate::{Authority, Problem};

fn manifest() -> Manifest {
    let text = r#"
[script]
name = "stuck-orders"
version = "1.2.0"
summary = "Orders paid but not shipped"
[targets.orders]
engine = "sqlite"
[[query]]
name = "stuck"
target = "orders"
file = "queries/stuck.sql"
"#;
    Manifest::parse(text.as_bytes()).unwrap()
}

fn documents() -> ChainDocuments {
    ChainDocuments {
        run_request: sign(&run_request(), &key(OTTO)).unwrap(),
        access_request: sign(&access_request(), &key(OTTO)).unwrap(),
        approvals: vec![sign(&approval(), &key(RUTH)).unwrap()],
        submissions: vec![sign(&submission(), &key(ANNA)).unwrap()],
        reviews: vec![sign(&review(), &key(CAROL)).unwrap()],
        stops: vec![],
    }
}

struct Runner {
    authority: Authority,
    manifest: Manifest,
    stops: Vec<StopSubject>,
    name: RunnerName,
}

impl Runner {
    fn new() -> Self {
        Self { authority: authority(), manifest: manifest(), stops: vec![], name: t("local") }
    }

    fn facts(&self, documents: &ChainDocuments) -> Result<Facts<'_>, ChainError> {
        let local = Local {
            now: now(),
            runner: &self.name,
            manifest: &self.manifest,
            revision: revision(),
            input: Digest::of(b"{}"),
            stops: &self.stops,
            run_id_spent: false,
            uses_spent: vec![],
        };
        facts(&self.authority, documents, local)
    }

    fn refusal(&self, documents: &ChainDocuments) -> String {
        self.facts(documents).unwrap_err().to_string()
    }
}

#[test]
fn a_complete_order_is_decided_with_a_yes() {
    let runner = Runner::new();
    let facts = runner.facts(&documents()).unwrap();
    let decision = decide(&facts).unwrap();
    assert_eq!(decision.reviews, vec![id("rev", 5)]);
    assert_eq!(decision.approvals, vec![id("apr", 7)]);
    assert_eq!(decision.effective.limits, domain::Limits::DEFAULT);
}

#[test]
fn an_order_survives_json() {
    let order = serde_json::to_vec(&documents()).unwrap();
    assert_eq!(serde_json::from_slice::<ChainDocuments>(&order).unwrap(), documents());
}

#[test]
fn a_carrier_who_changes_any_statement_is_found_out() {
    let runner = Runner::new();
    let with = |change: &dyn Fn(&mut ChainDocuments)| {
        let mut d = documents();
        change(&mut d);
        runner.refusal(&d)
    };
    // Otto's key signs what the others would have to say.
    let mut forged = review();
    forged.ceiling.limits.fuel_max += 1;
    let forged = sign(&forged, &key(OTTO)).unwrap();
    assert_eq!(
        with(&|d| d.reviews = vec![forged.clone()]),
        "review 1 of the order is refused: review: it names carol, and otto signed it"
    );
    let mut other = submission();
    other.revision = Digest::of(b"another");
    let other = sign(&other, &key(ANNA)).unwrap();
    assert!(with(&|d| d.submissions = vec![other.clone()]).contains("about another revision"));
    let mut other = approval();
    other.request = Digest::of(b"another");
    let other = sign(&other, &key(RUTH)).unwrap();
    assert!(with(&|d| d.approvals = vec![other.clone()]).contains("another access request"));
    let mut order = run_request();
    order.input = Digest::of(b"{\"since\":0}");
    let order = sign(&order, &key(OTTO)).unwrap();
    assert!(with(&|d| d.run_request = order.clone()).contains("about another input"));
    let mut order = run_request();
    order.runner = t("elsewhere");
    let order = sign(&order, &key(OTTO)).unwrap();
    assert!(with(&|d| d.run_request = order.clone()).contains("about another runner"));
    assert!(
        with(&|d| d.reviews.push(d.reviews[0].clone()))
            .contains("review 2 of the order is there twice")
    );
    let many = vec![documents().reviews[0].clone(); DOCUMENTS_MAX + 1];
    assert!(with(&|d| d.reviews = many.clone()).contains("at most 64"));
    assert!(with(&|d| d.approvals = d.reviews.clone()).contains("the envelope carries"));
}

#[test]
fn a_stopped_key_no_longer_speaks() {
    let mut runner = Runner::new();
    runner.stops = vec![StopSubject::Key(key(CAROL).fingerprint().to_string())];
    assert!(runner.refusal(&documents()).contains("is stopped; sign with another key"));
}

#[test]
fn a_stop_in_the_order_denies_even_after_its_window() {
    let mut late = stop();
    late.header.not_after = at(-5);
    let mut order = documents();
    order.stops = vec![sign(&late, &key(RUTH)).unwrap()];
    let runner = Runner::new();
    let facts = runner.facts(&order).unwrap();
    assert_eq!(decide(&facts).unwrap_err().rule, Rule::Stopped);
}

#[test]
fn only_a_holder_of_the_role_stops() {
    let mut by_anna: Stop = stop();
    by_anna.by = t("anna");
    let mut order = documents();
    order.stops = vec![sign(&by_anna, &key(ANNA)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("stop 1 of the order is refused"));
    let mut by_rosa: Stop = stop();
    by_rosa.by = t("rosa");
    order.stops = vec![sign(&by_rosa, &key(ROOT2)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("rosa does not hold the role `stop`"));
}

#[test]
fn an_expired_grant_is_a_denial_and_an_expired_submission_a_refusal() {
    let mut request = access_request();
    request.header.not_after = at(-1);
    let mut approved = approval();
    approved.request = digest_of(&request);
    let mut run = run_request();
    run.request = Some(digest_of(&request));
    let mut order = documents();
    order.access_request = sign(&request, &key(OTTO)).unwrap();
    order.approvals = vec![sign(&approved, &key(RUTH)).unwrap()];
    order.run_request = sign(&run, &key(OTTO)).unwrap();
    let runner = Runner::new();
    assert_eq!(decide(&runner.facts(&order).unwrap()).unwrap_err().rule, Rule::GrantExpired);

    let mut old = submission();
    old.header.not_after = at(-1);
    let mut order = documents();
    order.submissions = vec![sign(&old, &key(ANNA)).unwrap()];
    assert!(runner.refusal(&order).contains("submission 1"));
}

#[test]
fn an_approval_made_under_a_newer_policy_waits_for_the_runner() {
    let mut newer = approval();
    newer.policy.version = 2;
    let mut order = documents();
    order.approvals = vec![sign(&newer, &key(RUTH)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("policy version 2"));
    // The same version with another text is a twin that somebody made up.
    let mut twin = approval();
    twin.directory.digest = Digest::of(b"twin");
    order.approvals = vec![sign(&twin, &key(RUTH)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("directory version 1"));
}

#[test]
fn an_agent_counts_as_its_owner_and_does_not_get_the_owners_grant() {
    let mut order = documents();
    let mut run = run_request();
    run.caller = t("bot");
    order.run_request = sign(&run, &key(BOT)).unwrap();
    assert!(Runner::new().refusal(&order).contains("about another caller: otto, not bot"));

    // An agent's submission makes its owner an author.
    let mut by_bot = submission();
    by_bot.author = t("bot");
    let mut order = documents();
    order.submissions.push(sign(&by_bot, &key(BOT)).unwrap());
    let runner = Runner::new();
    let facts = runner.facts(&order).unwrap();
    let authors: Vec<String> = facts.submissions.iter().map(|s| s.author.to_string()).collect();
    assert_eq!(authors, ["anna", "otto"]);

    let mut runner = Runner::new();
    runner.stops = vec![StopSubject::Person(t("bot"))];
    assert!(runner.refusal(&order).contains("submission 2 of the order is signed by bot"));
}

#[test]
fn keys_that_are_not_active_do_not_sign() {
    for (n, word) in [(12, "retired"), (13, "compromised")] {
        let mut order = documents();
        order.reviews = vec![sign(&review(), &key(n)).unwrap()];
        assert!(Runner::new().refusal(&order).contains(word));
    }
    let mut order = documents();
    order.reviews = vec![sign(&review(), &key(99)).unwrap()];
    assert!(Runner::new().refusal(&order).contains("nobody known holds the key"));
}

fn every_byte<D: Document>(doc: &D, n: u8) {
    let authority = authority();
    let good = sign(doc, &key(n)).unwrap();
    // Its signature is known from here on, and must lend nothing to any other document.
    assert!(authority.verify::<D>(&good, &BTreeSet::new()).is_ok());
    let payload = good.payload().to_vec();
    for i in 0..payload.len() {
        for bit in [0x01, 0x80] {
            let mut bytes = payload.clone();
            bytes[i] ^= bit;
            let bad = crate::Envelope::assemble(
                good.payload_type().to_owned(),
                bytes,
                good.signatures().to_vec(),
            )
            .unwrap();
            let refused = authority.verify::<D>(&bad, &BTreeSet::new());
            assert!(refused.is_err(), "{} byte {i} bit {bit:#x}", D::DOC);
        }
    }
    assert!(authority.verify::<D>(&good, &BTreeSet::new()).is_ok());
}

#[test]
fn no_byte_of_a_statement_can_change() {
    every_byte(&submission(), ANNA);
    every_byte(&review(), CAROL);
    every_byte(&access_request(), OTTO);
    every_byte(&approval(), RUTH);
    every_byte(&run_request(), OTTO);
    every_byte(&stop(), RUTH);
    every_byte(&login(), OTTO);
}

#[test]
fn a_known_signature_lends_nothing_to_another() {
    let authority = authority();
    let good = sign(&review(), &key(CAROL)).unwrap();
    let verify =
        |envelope: &crate::Envelope| authority.verify::<Review>(envelope, &BTreeSet::new());
    assert!(verify(&good).is_ok() && verify(&good).is_ok());
    let blob = good.signatures()[0].to_blob();
    for i in 0..blob.len() {
        let mut blob = blob.clone();
        blob[i] ^= 1;
        let Ok(forged) = crate::Sshsig::from_blob(&blob) else { continue };
        let (kind, payload) = (good.payload_type().to_owned(), good.payload().to_vec());
        let bad = crate::Envelope::assemble(kind, payload, vec![forged]).unwrap();
        assert!(verify(&bad).is_err(), "byte {i} of the signature");
    }
    // Known or not: a key that is stopped by now no longer speaks.
    let stopped = BTreeSet::from([key(CAROL).fingerprint().to_string()]);
    assert!(authority.verify::<Review>(&good, &stopped).is_err());
}

#[test]
fn a_signature_serves_one_kind_of_document_in_one_trust_domain() {
    let authority = authority();
    let good = sign(&review(), &key(CAROL)).unwrap();
    // The signature over the right bytes, made for another purpose.
    let message = crate::pae(good.payload_type(), good.payload());
    for namespace in
        ["borescope-approval-v1@shop.example/test", "borescope-review-v1@shop.example/prod", "git"]
    {
        let signature = crate::Sshsig::sign(&key(CAROL), namespace, &message);
        let bad = crate::Envelope::assemble(
            good.payload_type().to_owned(),
            good.payload().to_vec(),
            vec![signature],
        )
        .unwrap();
        let refused = authority.verify::<Review>(&bad, &BTreeSet::new()).unwrap_err();
        assert!(matches!(refused.problem, Problem::Signature(_)), "{refused}");
    }
    let mut elsewhere = review();
    elsewhere.header.trust_domain = t("shop.example/prod");
    let elsewhere = sign(&elsewhere, &key(CAROL)).unwrap();
    let refused = authority.verify::<Review>(&elsewhere, &BTreeSet::new()).unwrap_err();
    assert!(matches!(refused.problem, Problem::TrustDomain { .. }), "{refused}");
}

#[test]
fn a_persons_document_has_one_signature() {
    let two = crate::sign_all(&review(), &[&key(CAROL), &key(ANNA)]).unwrap();
    let refused = authority().verify::<Review>(&two, &BTreeSet::new()).unwrap_err();
    assert_eq!(refused.problem, Problem::SignatureCount(2));
}

#[test]
fn a_receipt_is_the_runners_alone() {
    let authority = authority();
    assert!(authority.verify_receipt(&sign(&receipt(), &key(RUNNER)).unwrap()).is_ok());
    let forged = authority.verify_receipt(&sign(&receipt(), &key(OTTO)).unwrap()).unwrap_err();
    assert!(forged.to_string().contains("it names runner local"), "{forged}");
}

#[test]
fn a_login_answers_this_challenge_of_this_server_now() {
    let a = authority();
    let signed = sign(&login(), &key(OTTO)).unwrap();
    let none = BTreeSet::new();
    let nonce = crate::Salt([11; 16]);
    let origin = "http://127.0.0.1:7000";
    assert!(a.verify_login(&signed, origin, &nonce, &none, now()).is_ok());
    assert!(a.verify_login(&signed, "http://evil", &nonce, &none, now()).is_err());
    assert!(a.verify_login(&signed, origin, &crate::Salt([0; 16]), &none, now()).is_err());
    assert!(a.verify_login(&signed, origin, &nonce, &none, at(61)).is_err());
}

#[test]
fn fixture_people_are_who_the_tests_say() {
    let kinds: BTreeMap<_, _> =
        directory().people.iter().map(|p| (p.id.to_string(), p.kind)).collect();
    assert_eq!(kinds["bot"], PersonKind::Agent);
    assert!(directory().people.iter().all(|p| p.keys[0].status == KeyStatus::Active));
}
