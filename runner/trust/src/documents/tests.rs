//! Golden files: every document's payload and envelope, stable for as long as version 1 is read.
//!
//! `BORESCOPE_BLESS=1 cargo test -p trust golden` writes them anew; the difference is for review.

use crate::document::{Document, namespace, payload_type, read_unverified, sign_all};
use crate::testing::*;
use crate::{Envelope, pae};

fn golden<D: Document + PartialEq>(doc: &D, keys: &[u8]) {
    let secrets: Vec<_> = keys.iter().map(|n| key(*n)).collect();
    let envelope = sign_all(doc, &secrets.iter().collect::<Vec<_>>()).unwrap();
    let base = format!("{}/golden/{}", env!("CARGO_MANIFEST_DIR"), D::DOC);
    let files = [
        (format!("{base}.payload.json"), envelope.payload().to_vec()),
        (format!("{base}.envelope.json"), envelope.to_json().unwrap()),
    ];
    for (path, bytes) in &files {
        if std::env::var_os("BORESCOPE_BLESS").is_some() {
            std::fs::write(path, bytes).unwrap();
        }
        let stored = std::fs::read(path).unwrap_or_default();
        let same = stored == *bytes;
        assert!(same, "{path} differs; if that is meant, run with BORESCOPE_BLESS=1 and review");
    }
    if std::env::var_os("BORESCOPE_BLESS").is_some() {
        // FORMAT.md is the next to change; whoever blesses reviews both.
        return;
    }
    let payload = std::str::from_utf8(envelope.payload()).unwrap();
    let shown = include_str!("../../FORMAT.md").contains(payload);
    assert!(shown, "FORMAT.md shows another example of {}", D::DOC);
    let stored = Envelope::from_json(&std::fs::read(&files[1].0).unwrap()).unwrap();
    assert_eq!(read_unverified::<D>(&stored).unwrap(), *doc);
    verified_by_ssh_keygen(doc, &stored);
}

/// What an auditor without our code can do: stock OpenSSH accepts each signature.
fn verified_by_ssh_keygen<D: Document>(doc: &D, envelope: &Envelope) {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    for s in envelope.signatures() {
        std::fs::write(path("allowed"), format!("somebody {}\n", s.key())).unwrap();
        std::fs::write(path("sig"), s.to_armored()).unwrap();
        let message = pae(&payload_type::<D>(), envelope.payload());
        let ns = namespace::<D>(doc.trust_domain());
        let (allowed, sig) = (path("allowed"), path("sig"));
        let args = ["-Y", "verify", "-f", &allowed, "-I", "somebody", "-n", &ns, "-s", &sig];
        keygen(&args, &message);
    }
}

#[test]
fn golden_files_of_every_document() {
    golden(&keyring(), &[RUTH, ROOT2]);
    golden(&directory(), &[RUTH]);
    golden(&policy(), &[RUTH]);
    golden(&submission(), &[ANNA]);
    golden(&review(), &[CAROL]);
    golden(&access_request(), &[OTTO]);
    golden(&approval(), &[RUTH]);
    golden(&run_request(), &[OTTO]);
    golden(&plan_request(), &[CAROL]);
    golden(&stop(), &[RUTH]);
    golden(&lift(), &[RUTH, ROOT2]);
    golden(&withdrawal(), &[CAROL]);
    golden(&status(), &[ROOT2]);
    golden(&after_review(), &[RUTH]);
    golden(&key_claim(), &[NEWCOMER]);
    golden(&receipt(), &[RUNNER]);
    golden(&login(), &[OTTO]);
}
