//! An auditor with a trust file, a journal or a proof, and no reason to believe anyone.

use std::path::Path;

use domain::Digest;

use super::{
    EvidenceError, Standing, TrustFile, TrustFileError, verify_checkpoint, verify_journal,
};
use crate::checkpoint::Checkpoint;
use crate::entry::{Opening, Position};
use crate::frame;
use crate::journal::{CHECKPOINT_FILE, JOURNAL_FILE, Scan, first_line};
use crate::merkle::{Tree, leaf_hash};
use crate::note::LogKey;
use crate::testing::{key, open, whole_run};

const VECTOR: &str = include_str!("../../testdata/checkpoint.txt");
const VECTOR_LOG: &str =
    "audit.example.com/dbg/prod+9490bea8+AaCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw";

fn witness_vkey() -> String {
    use base64::Engine as _;
    use sha2::Digest as _;
    let public = ed25519_dalek::SigningKey::from_bytes(&[0x33; 32]).verifying_key();
    let blob = [&[4][..], public.as_bytes()].concat();
    let id = sha2::Sha256::digest([&b"witness.example.org/w1\n"[..], &blob].concat());
    let blob = base64::engine::general_purpose::STANDARD.encode(blob);
    format!("witness.example.org/w1+{}+{blob}", hex::encode(&id[..4]))
}

fn trust_text(log: &str, witness: Option<&str>) -> String {
    let keyring = Digest::of(b"keyring");
    let witness = witness.map(|w| format!("[[witness]]\nvkey = \"{w}\"\n")).unwrap_or_default();
    format!(
        "trust_domain = \"example.com/prod\"\nkeyring = \"{keyring}\"\n[[log]]\nvkey = \"{log}\"\n{witness}"
    )
}

fn trust(log: &str, witness: Option<&str>) -> TrustFile {
    TrustFile::parse(&trust_text(log, witness)).unwrap()
}

fn ours() -> TrustFile {
    trust(&key().verifier().to_string(), None)
}

/// A closed ledger of two runs with its checkpoint, ten entries.
fn ledger(dir: &Path) -> String {
    let (ledger, _) = open(dir);
    for entry in whole_run(1, 1).into_iter().chain(whole_run(2, 1)) {
        ledger.append(entry).unwrap();
    }
    while ledger.size() < 9 {
        std::thread::yield_now();
    }
    ledger.checkpoint().unwrap()
}

#[test]
fn a_journal_is_authenticated_only_by_a_trusted_log() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let report = verify_journal(dir.path(), Some(&ours())).unwrap();
    assert_eq!((report.entries, report.covered, report.runs, report.erased), (9, 9, 2, 0));
    assert_eq!(
        report.standing.to_string(),
        "authenticated: signed by example.com/prod/runner-1, not witnessed"
    );
    let without = verify_journal(dir.path(), None).unwrap();
    assert_eq!(without.standing.to_string(), "self-consistent, NOT authenticated");
    let other = verify_journal(dir.path(), Some(&trust(VECTOR_LOG, None)));
    assert!(matches!(other, Err(EvidenceError::UntrustedLog(_))), "{other:?}");
    std::fs::remove_file(dir.path().join(CHECKPOINT_FILE)).unwrap();
    let missing = verify_journal(dir.path(), Some(&ours()));
    assert!(matches!(missing, Err(EvidenceError::NoCheckpoint { .. })), "{missing:?}");
}

#[test]
fn erasing_every_payload_breaks_no_proof() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let path = dir.path().join(JOURNAL_FILE);
    let (ledger, _) = open(dir.path());
    let before: Vec<_> = (0..9).map(|i| ledger.proof(Position::from_index(i)).unwrap()).collect();
    drop(ledger);
    let mut bytes = std::fs::read(&path).unwrap();
    let mut scan = Scan::open(&path).unwrap();
    while let Some(entry) = scan.next_entry().unwrap() {
        let end = usize::try_from(scan.offset()).unwrap();
        let erasable = 32 + usize::try_from(entry.leaf.len).unwrap();
        bytes[end - erasable..end].fill(0);
    }
    std::fs::write(&path, &bytes).unwrap();
    assert!(!String::from_utf8_lossy(&bytes).contains("Lovelace"));
    let report = verify_journal(dir.path(), Some(&ours())).unwrap();
    assert_eq!((report.entries, report.erased), (10, 10));
    let (ledger, recovered) = open(dir.path());
    assert!(recovered.map(Result::unwrap).all(|entry| entry.payload().is_none()));
    for (index, proof) in before.iter().enumerate() {
        proof.verify(Some(&ours())).unwrap();
        let at = Position::from_index(index as u64);
        assert_eq!(ledger.proof(at).unwrap().leaf, proof.leaf);
    }
}

#[test]
fn a_journal_rewritten_by_someone_without_the_key_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    // The forger makes a flawless journal of the same length with another payload.
    let path = dir.path().join(JOURNAL_FILE);
    let mut scan = Scan::open(&path).unwrap();
    let mut forged = first_line(key().verifier().name()).into_bytes();
    let mut chains = crate::chain::Chains::default();
    let mut tree = Tree::new();
    while let Some(entry) = scan.next_entry().unwrap() {
        let opening = Opening { key: [9; 32], payload: b"nothing to see".to_vec() };
        let link = chains.link(&entry.leaf.event).unwrap();
        let leaf = crate::entry::Leaf::new(entry.leaf.at_ms, entry.leaf.event, link, &opening);
        let bytes = leaf.to_bytes().unwrap();
        let hash = leaf_hash(&bytes);
        frame::encode(entry.position.index(), &bytes, &hash, &opening, &mut forged);
        chains.advance(&leaf.event, hash);
        tree.push(hash);
    }
    std::fs::write(&path, forged).unwrap();
    let refused = verify_journal(dir.path(), Some(&ours()));
    assert!(matches!(refused, Err(EvidenceError::Rewritten { covered: 9 })), "{refused:?}");

    // With a checkpoint of their own it is consistent, and nobody's.
    let root = tree.root_at(9).unwrap();
    let checkpoint = Checkpoint { origin: key().verifier().name().clone(), size: 9, root };
    let thief = LogKey::from_seed(key().verifier().name().clone(), &[0x44; 32]);
    let note = checkpoint.sign(&thief).unwrap().to_string();
    std::fs::write(dir.path().join(CHECKPOINT_FILE), note).unwrap();
    assert_eq!(verify_journal(dir.path(), None).unwrap().standing, Standing::SelfConsistent);
    let refused = verify_journal(dir.path(), Some(&ours()));
    assert!(matches!(refused, Err(EvidenceError::UntrustedLog(_))), "{refused:?}");
}

#[test]
fn cut_entries_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let path = dir.path().join(JOURNAL_FILE);
    let mut scan = Scan::open(&path).unwrap();
    for _ in 0..8 {
        scan.next_entry().unwrap();
    }
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(scan.offset()).unwrap();
    for trust in [None, Some(&ours())] {
        let refused = verify_journal(dir.path(), trust);
        let missing = matches!(refused, Err(EvidenceError::Missing { entries: 8, covered: 9 }));
        assert!(missing, "{refused:?}");
    }
}

#[test]
fn a_proof_holds_for_its_own_leaf_only() {
    let dir = tempfile::tempdir().unwrap();
    ledger(dir.path());
    let (ledger, _) = open(dir.path());
    let trust = ours();
    for index in 0..9 {
        let proof = ledger.proof(Position::from_index(index)).unwrap();
        proof.verify(Some(&trust)).unwrap();
        assert_eq!(proof.verify(None).unwrap().1, Standing::SelfConsistent);
        let text = serde_json::to_string(&proof).unwrap();
        assert_eq!(serde_json::from_str::<super::LogProof>(&text).unwrap(), proof);

        let mut moved = proof.clone();
        moved.index = (index + 1) % 9;
        assert!(moved.verify(None).is_err());
        let mut changed = proof.clone();
        changed.leaf = proof.leaf.replace("\"at\":1795464000000", "\"at\":1795464000001");
        assert!(matches!(changed.verify(None), Err(EvidenceError::Proof(_))));
        let mut resized = proof.clone();
        resized.checkpoint = proof.checkpoint.replacen("\n9\n", "\n8\n", 1);
        resized.checkpoint = resized.checkpoint.replacen("\n10\n", "\n8\n", 1);
        assert!(resized.verify(Some(&trust)).is_err());
    }
}

#[test]
fn witnesses_count_when_the_trust_file_lists_them() {
    let witness = witness_vkey();
    let (_, standing) =
        verify_checkpoint(VECTOR, Some(&trust(VECTOR_LOG, Some(&witness)))).unwrap();
    assert_eq!(
        standing.to_string(),
        "authenticated: signed by audit.example.com/dbg/prod, witnessed by witness.example.org/w1"
    );
    let (_, standing) = verify_checkpoint(VECTOR, Some(&trust(VECTOR_LOG, None))).unwrap();
    assert_eq!(
        standing,
        Standing::Authenticated { log: "audit.example.com/dbg/prod".into(), witnesses: vec![] }
    );
    let alone = VECTOR.rsplit_once("\u{2014} witness").unwrap().0;
    let refused = verify_checkpoint(alone, Some(&trust(VECTOR_LOG, Some(&witness))));
    assert!(matches!(refused, Err(EvidenceError::NotWitnessed(_))), "{refused:?}");
    // A false cosignature is worse than none.
    let false_one = VECTOR.replace("EJ8HAg==", "EJ8HAw==");
    assert_ne!(false_one, VECTOR);
    let refused = verify_checkpoint(&false_one, Some(&trust(VECTOR_LOG, Some(&witness))));
    assert!(matches!(refused, Err(EvidenceError::Checkpoint(_))), "{refused:?}");
}

#[test]
fn a_trust_file_with_anything_unknown_is_refused() {
    let good = trust_text(VECTOR_LOG, Some(&witness_vkey()));
    TrustFile::parse(&good).unwrap();
    for bad in [
        good.replace("trust_domain", "trustdomain"),
        format!("surprise = 1\n{good}"),
        format!("{good}extra = 1\n"),
        good.replace("sha256:", "sha512:"),
        good.replace("example.com/prod\"\n", "example.com/prod/x\"\n"),
        good.replacen("keyring", "#", 1),
    ] {
        let refused = TrustFile::parse(&bad);
        assert!(matches!(refused, Err(TrustFileError::Toml(_))), "{bad}: {refused:?}");
    }
    let no_log = good.replace(&format!("[[log]]\nvkey = \"{VECTOR_LOG}\"\n"), "");
    assert!(matches!(TrustFile::parse(&no_log), Err(TrustFileError::NoLog)));
    let damaged = good.replace("9490bea8", "9490bea9");
    assert!(matches!(TrustFile::parse(&damaged), Err(TrustFileError::Key { .. })));
    for swapped in [trust_text(&witness_vkey(), None), trust_text(VECTOR_LOG, Some(VECTOR_LOG))] {
        let refused = TrustFile::parse(&swapped);
        assert!(matches!(refused, Err(TrustFileError::WrongType { .. })), "{refused:?}");
    }
}
