//! Fuzz targets: each parser of bytes that others may have written, as a plain function over bytes.
//!
//! A target must not panic, whatever comes, and what it parses must come out the same when it is
//! written and parsed again. The tests run all of them on stable with a fixed seed ([`mutate`]);
//! `tests/fuzz` runs the same functions under cargo-fuzz, by hand.
//!
//! A new parser of foreign bytes belongs into [`TARGETS`], with a file in `tests/fuzz/fuzz_targets`
//! and a folder in `tests/fuzz/corpus`; the tests compare the three lists. An input that broke a
//! target goes into its folder and stays there.

pub mod mutate;
pub mod seeds;

use std::sync::LazyLock;

use domain::mask::DateUnit;
use domain::schema::InputSchema;
use domain::{BundleIndex, Digest, Manifest, Mask, ParamType};
use executor::OrderReader;
use ledger::frame::{HEADER_BYTES, Header};
use ledger::note::Note;
use ledger::{Checkpoint, Leaf, TrustFile, VerifierKey};
use sandbox::Sandbox;
use sandbox::recording::{MAGIC, Recording, encode_frame};
use targets::postgres::gate::{self, Grant, Relation, What};
use trust::{
    AccessRequest, Approval, Directory, Document, Envelope, Keyring, Login, Policy, PublicKey,
    Receipt, Review, RunRequest, SecretKey, Sshsig, Stop, Submission,
};

use crate::rig::SHOP_READS;

/// A parser under attack.
#[derive(Clone, Copy)]
pub struct Target {
    /// Its name, and that of its folder and file.
    pub name: &'static str,
    /// Parses the bytes; panics when it finds a fault of ours.
    pub run: fn(&[u8]),
    /// Mutated inputs in a test run. Cheap parsers get more.
    pub budget: u32,
}

/// Every target.
pub const TARGETS: &[Target] = &[
    Target { name: "bundle-index", run: bundle_index, budget: 4_000 },
    Target { name: "checkpoint", run: checkpoint, budget: 4_000 },
    Target { name: "component", run: component, budget: 600 },
    Target { name: "document", run: document, budget: 1_500 },
    Target { name: "entry", run: entry, budget: 4_000 },
    Target { name: "envelope", run: envelope, budget: 1_500 },
    Target { name: "frame", run: frame, budget: 4_000 },
    Target { name: "input", run: input, budget: 400 },
    Target { name: "manifest", run: manifest, budget: 1_500 },
    Target { name: "private-key", run: private_key, budget: 2_000 },
    Target { name: "public-key", run: public_key, budget: 4_000 },
    Target { name: "recording", run: recording, budget: 1_500 },
    Target { name: "run-order", run: run_order, budget: 300 },
    Target { name: "sql-postgres", run: sql_postgres, budget: 600 },
    Target { name: "sql-sqlite", run: sql_sqlite, budget: 1_500 },
    Target { name: "sshsig", run: sshsig, budget: 3_000 },
    Target { name: "trust-file", run: trust_file, budget: 2_000 },
];

/// `bundle.sha256`: one text for each set of files.
pub fn bundle_index(bytes: &[u8]) {
    if let Ok(index) = BundleIndex::parse(bytes) {
        assert_eq!(index.to_bytes(), bytes);
        assert_eq!(index.revision(), Digest::of(bytes));
    }
}

/// Signed notes, the checkpoints in them, and verifier keys.
pub fn checkpoint(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(note) = Note::parse(&text) {
        assert_eq!(note.to_string(), text);
    }
    if let Ok((checkpoint, note)) = Checkpoint::parse(&text) {
        assert_eq!(checkpoint.to_string(), note.body());
    }
    if let Ok(key) = text.trim_end().parse::<VerifierKey>() {
        assert_eq!(key.to_string().parse::<VerifierKey>().unwrap(), key);
    }
}

/// Static admission of components.
pub fn component(bytes: &[u8]) {
    match Sandbox::inspect(bytes) {
        Ok(facts) => assert_eq!(facts.digest, Digest::of(bytes)),
        Err(refused) => assert!(refused.to_string().len() < 2_000, "an error is for people"),
    }
}

/// Payloads of every kind of signed document.
pub fn document(bytes: &[u8]) {
    // Nobody looks at it here; making one for each input would take nearly all of the time.
    static SIGNATURE: LazyLock<Sshsig> = LazyLock::new(|| {
        let key = SecretKey::from_seed(&[1; 32]).unwrap();
        Sshsig::sign(&key, "fuzz", b"")
    });
    fn read<D: Document + PartialEq + std::fmt::Debug>(bytes: &[u8]) {
        let kind = trust::document::payload_type::<D>();
        let envelope =
            |payload: Vec<u8>| Envelope::assemble(kind.clone(), payload, vec![SIGNATURE.clone()]);
        let Ok(sent) = envelope(bytes.to_vec()) else { return };
        if let Ok(doc) = trust::read_unverified::<D>(&sent) {
            let again = envelope(trust::document::payload(&doc).unwrap()).unwrap();
            assert_eq!(trust::read_unverified::<D>(&again).unwrap(), doc);
        }
    }
    read::<Keyring>(bytes);
    read::<Directory>(bytes);
    read::<Policy>(bytes);
    read::<Submission>(bytes);
    read::<Review>(bytes);
    read::<AccessRequest>(bytes);
    read::<Approval>(bytes);
    read::<RunRequest>(bytes);
    read::<Stop>(bytes);
    read::<Receipt>(bytes);
    read::<Login>(bytes);
}

/// Leaves of the log.
pub fn entry(bytes: &[u8]) {
    drop(Leaf::parse(bytes));
}

/// Envelopes around signed documents.
pub fn envelope(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::from_json(bytes) {
        let again = Envelope::from_json(&envelope.to_json().unwrap()).unwrap();
        assert_eq!(again.to_json().unwrap(), envelope.to_json().unwrap());
        assert_eq!(again.payload_digest(), envelope.payload_digest());
    }
}

/// A frame of the journal: header, leaf, key and payload.
pub fn frame(bytes: &[u8]) {
    let Some((head, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else { return };
    let Ok(header) = Header::parse(0, head) else { return };
    if let Some(body) = rest.get(..header.body_len()) {
        drop(header.body(0, body));
    }
}

/// An input schema and an input, with a zero byte between.
pub fn input(bytes: &[u8]) {
    let at = bytes.iter().position(|b| *b == 0).unwrap_or(bytes.len());
    let (schema, input) = bytes.split_at(at);
    if let Ok(schema) = InputSchema::parse(schema) {
        drop(schema.validate(input.get(1..).unwrap_or_default()));
    }
    drop(domain::schema::parse_json(input));
}

/// `script.toml`.
pub fn manifest(bytes: &[u8]) {
    if let Err(refused) = Manifest::parse(bytes) {
        drop(refused.to_string());
    }
}

/// Private key files.
pub fn private_key(bytes: &[u8]) {
    if let Ok(key) = SecretKey::from_openssh(&String::from_utf8_lossy(bytes)) {
        let again = SecretKey::from_openssh(&key.to_openssh("")).unwrap();
        assert_eq!(again.public(), key.public());
    }
}

/// Lines of public key files, and keys as OpenSSH writes them on the wire.
pub fn public_key(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for key in [PublicKey::parse_line(&text), PublicKey::from_blob(bytes)].into_iter().flatten() {
        assert_eq!(PublicKey::from_blob(&key.to_blob()).unwrap(), key);
        assert_eq!(PublicKey::parse_line(&key.to_string()).unwrap(), key);
    }
}

/// Recordings, whole and torn.
pub fn recording(bytes: &[u8]) {
    drop(Recording::parse(bytes));
    if let Ok(torn) = Recording::parse_torn(bytes) {
        let file = |r: &Recording| {
            let frames = r.events().iter().flat_map(encode_frame);
            MAGIC.into_iter().chain(frames).collect::<Vec<u8>>()
        };
        let again = Recording::parse_torn(&file(&torn)).unwrap();
        assert_eq!(file(&again), file(&torn));
    }
}

/// Run orders, as the control plane hands them to the runner.
pub fn run_order(bytes: &[u8]) {
    let reader = OrderReader::default();
    if let Ok(order) = reader.read(bytes) {
        // From memory and afresh.
        assert_eq!(reader.read(&order.to_bytes()).unwrap(), order);
        assert_eq!(OrderReader::default().read(bytes).unwrap(), order);
    }
}

/// The gate for PostgreSQL's SQL. It catches its own panics, and refuses what its two passes disagree
/// on; both are faults of ours all the same. What it would send is a query like any other, with the
/// same columns and parameters; but not where masks and a row filter are part of it.
pub fn sql_postgres(bytes: &[u8]) {
    static GRANTS: LazyLock<[Grant; 2]> = LazyLock::new(|| [shop_grant(), hiding(shop_grant())]);
    let [grant, hiding] = &*GRANTS;
    let gated = |text: &str, grant: &Grant| match gate::gate(text, &[ParamType::Text; 2], grant) {
        Err(refused) if matches!(refused.what, What::Disagreement { .. } | What::Failed { .. }) => {
            panic!("{refused}: {text}")
        }
        answer => answer,
    };
    let text = String::from_utf8_lossy(bytes);
    drop(gated(&text, hiding));
    filtered(&text);
    let Ok(sent) = gated(&text, grant) else { return };
    match gated(&sent.sql, grant) {
        Ok(again) => {
            assert_eq!((again.columns, again.params), (sent.columns, sent.params), "{}", sent.sql);
        }
        // It is longer, and its relations are one level deeper.
        Err(refused) => {
            assert!(matches!(refused.what, What::TooLarge { .. }), "{refused}: {}", sent.sql);
        }
    }
}

/// The same text as a row filter of masked orders: a condition that passes stands in a query that the
/// second look confirms.
fn filtered(text: &str) {
    let filter = match gate::Filter::parse(text) {
        Ok(filter) => filter,
        Err(refused) => {
            assert!(!matches!(refused.what, What::Failed { .. }), "{refused}: {text}");
            return;
        }
    };
    let mut grant = shop_grant();
    for relation in &mut grant.relations {
        let masks =
            relation.columns.iter().map(|c| (c.clone(), gate::Mask::new(domain::Mask::Email)));
        relation.hidden.masks = masks.collect();
        relation.hidden.filter = Some(filter.clone());
    }
    match gate::gate("SELECT * FROM orders", &[], &grant) {
        Ok(_) => {}
        Err(refused) => assert!(matches!(refused.what, What::TooLarge { .. }), "{refused}: {text}"),
    }
}

/// What the policy of the sample shop lets queries read.
fn shop_grant() -> Grant {
    let relation = |(name, columns): &(&str, &[&str])| {
        Relation::plain("public", name, columns.iter().map(|c| (*c).to_owned()).collect())
    };
    Grant { recursion: true, ..Grant::of(SHOP_READS.iter().map(relation).collect()) }
}

/// The same with a mask on every column that has a kind for it, and a row filter.
fn hiding(mut grant: Grant) -> Grant {
    let masks = [
        ("number", Mask::Partial { keep_first: 1, keep_last: 2 }),
        ("country", Mask::Email),
        ("sku", Mask::KeyedHash { class: "sku".parse().unwrap() }),
        ("total_cents", Mask::Bucket { width: 10 }),
        ("created_at", Mask::DateTruncate { unit: DateUnit::Week }),
        ("status", Mask::Full),
        ("currency", Mask::Null),
    ];
    for relation in &mut grant.relations {
        for (column, mask) in &masks {
            if relation.columns.iter().any(|c| c == column) {
                let mask = gate::Mask::new(mask.clone());
                relation.hidden.masks.insert((*column).to_owned(), mask);
            }
        }
        relation.hidden.filter = Some(gate::Filter::parse("id > 7 AND hidden IS NULL").unwrap());
    }
    grant
}

/// The gate for SQLite's SQL, and that of row filters.
pub fn sql_sqlite(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for params in [0, 2] {
        drop(targets::sqlite::gate(&text, params));
    }
    drop(targets::sqlite::Filter::parse(&text));
}

/// Signatures, bare and armored.
pub fn sshsig(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for signature in [Sshsig::from_blob(bytes), Sshsig::from_armored(&text)].into_iter().flatten() {
        let again = Sshsig::from_blob(&signature.to_blob()).unwrap();
        assert_eq!(again.to_blob(), signature.to_blob());
        assert_eq!(
            Sshsig::from_armored(&signature.to_armored()).unwrap().to_blob(),
            again.to_blob()
        );
        drop(signature.verify("fuzz", b""));
    }
}

/// Trust files of auditors.
pub fn trust_file(bytes: &[u8]) {
    drop(TrustFile::parse(&String::from_utf8_lossy(bytes)));
}
