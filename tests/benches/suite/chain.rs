//! Verification of a run's documents: three reviews, two approvals, submission, access request, run
//! request, against a directory of 500 people; from the order's bytes to the decision. Beside it, as
//! many bare ed25519 verifications as the chain has signatures.

use std::sync::Arc;

use domain::manifest::Engine;
use domain::{Clock as _, Digest, decide};
use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use executor::{OrderReader, OsEntropy, SystemClock};
use tests::company::{Company, RUNNER, p};
use tokio::runtime::Runtime;
use trust::{Authority, InForce, Local, Pinned, Seen};

use super::Scale;
use super::bed::{Meter, company, order, run_request, story};
use super::readings::Readings;
use super::stats::{Goal, Row, Samples, Unit, alternate, seconds};

/// Signatures of one chain.
const SIGNATURES: u8 = 8;

pub(super) fn run(_: &Runtime, scale: Scale) -> Vec<Row> {
    let readings = Readings::sqlite(10);
    let (company, meter) = (company(&readings), Meter::of(Engine::Sqlite));
    company.sit(Arc::clone(&readings.connectors), Box::new(|_| ()));
    company.read(meter.revision, &meter.manifest, &meter.files);
    let story = story(&company, &meter, "{}");
    let (_, request) = run_request(&company, &meter, &story, 1);
    let bytes = order(&company, &story, request).to_bytes();
    let in_force = InForce::default();
    let (runner, input) = (p(RUNNER), Digest::of(&story.input));
    // A runner has read the directory and the policy of an order before.
    let reader = OrderReader::default();
    reader.read(&bytes).unwrap();
    let verify = |authority: &Authority| {
        let order = reader.read(&bytes).unwrap();
        let local = Local {
            now: SystemClock.now(),
            runner: &runner,
            manifest: &meter.manifest,
            bundle: &meter.index,
            input,
            in_force: &in_force,
            run_id_spent: false,
            uses_spent: Vec::new(),
            self_serve_runs: Vec::new(),
            owed: &[],
        };
        let verified = trust::facts(authority, &order.documents, local).unwrap();
        decide(&verified.facts).unwrap()
    };
    let signed = signed();
    let raw = || signed.iter().for_each(|(key, s, m)| key.verify_strict(m, s).unwrap());
    // An authority remembers the signatures that it has seen, so a new one is made for each sample.
    let cold = || {
        let authority = establish(&company);
        seconds(|| verify(&authority))
    };
    let (cold, plain) = alternate(scale, 50, cold, || seconds(raw));
    let cold = row("verify a run's chain, cold", cold, plain).goal(Goal::AtMost(1e-3));
    let authority = establish(&company);
    verify(&authority);
    let (warm, plain) = alternate(scale, 200, || seconds(|| verify(&authority)), || seconds(raw));
    let warm = row("verify a run's chain, signatures known", warm, plain);
    let (whole, plain) = alternate(scale, 30, || seconds(|| establish(&company)), || seconds(raw));
    vec![cold, warm, row("verify keyring, directory of 500 people and policy", whole, plain)]
}

fn row(what: &str, ours: Samples, plain: Samples) -> Row {
    Row::pair(what, Unit::Seconds, ours, ("8 × ed25519", plain))
}

fn establish(company: &Company) -> Authority {
    let pinned = Pinned { trust_domain: company.domain.clone(), keyring: company.keyring_ref() };
    Authority::establish(
        &company.keyring,
        &[],
        &company.directory,
        &company.policy,
        &pinned,
        &Seen::default(),
        SystemClock.now(),
    )
    .unwrap()
}

/// Keys and signatures over messages as long as what an SSH signature covers.
fn signed() -> Vec<(VerifyingKey, Signature, [u8; 140])> {
    use domain::Entropy as _;
    let one = |number| {
        let mut seed = [0; 32];
        OsEntropy.fill(&mut seed);
        let (key, message) = (SigningKey::from_bytes(&seed), [number; 140]);
        (key.verifying_key(), key.sign(&message), message)
    };
    (0..SIGNATURES).map(one).collect()
}
