//! What the targets start from: the bytes of one real run, and the saved corpus.

use std::path::PathBuf;

use domain::Digest;
use ledger::journal::{JOURNAL_FILE, Scan};
use trust::{Envelope, Sshsig};

use crate::rig::{Rig, STUCK_ORDERS_INPUT};

/// The folder of one target's saved inputs.
pub fn folder(target: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// Saved inputs, in the order of their names.
pub fn saved(target: &str) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(folder(target)).into_iter().flatten();
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.into_iter().map(|file| std::fs::read(file).unwrap()).collect()
}

/// Everything that one run leaves behind, by the target that reads it.
pub struct Run {
    envelopes: Vec<Envelope>,
    order: Vec<u8>,
    recording: Vec<u8>,
    journal: Vec<u8>,
    leaves: Vec<Vec<u8>>,
    checkpoint: Vec<u8>,
    trust: String,
    vkey: String,
    key: trust::SecretKey,
}

impl Run {
    /// Runs an honest script and keeps the bytes.
    pub async fn of(rig: &Rig) -> Self {
        let story = rig.story("stuck-orders", STUCK_ORDERS_INPUT);
        let (run, order) = rig.order(&story, |_, _| {});
        let (_, ended) = rig.run(&run, &order).await;
        let d = &order.documents;
        let mut envelopes =
            vec![order.keyring.clone(), order.directory.clone(), order.policy.clone()];
        envelopes.extend([&d.submissions[0], &d.reviews[0], &d.approvals[0]].map(Clone::clone));
        envelopes.extend([d.access_request.as_ref().unwrap(), &d.run_request].map(Clone::clone));
        envelopes.push(ended.receipt.clone().unwrap());
        let stop = rig.company.stop(domain::decide::StopSubject::Everything);
        envelopes.push(rig.company.sign("carol", &stop));
        let path = rig.ledger_dir().join(JOURNAL_FILE);
        let mut scan = Scan::open(&path).unwrap();
        let first = usize::try_from(scan.offset()).unwrap();
        let mut leaves = Vec::new();
        while let Some(entry) = scan.next_entry().unwrap() {
            leaves.push(entry.leaf_bytes);
        }
        let c = &rig.company;
        let vkey = c.log_key().verifier().to_string();
        let (domain, keyring) = (&c.domain, c.keyring.payload_digest());
        Self {
            envelopes,
            order: order.to_bytes(),
            recording: rig.recording(&run).await,
            journal: std::fs::read(&path).unwrap().split_off(first),
            leaves,
            checkpoint: rig.runner.ledger().checkpoint().unwrap().into_bytes(),
            trust: format!(
                "trust_domain = \"{domain}\"\nkeyring = \"{keyring}\"\n[[log]]\nvkey = \"{vkey}\"\n"
            ),
            vkey,
            key: trust::SecretKey::from_seed(&c.key("alice").seed()).unwrap(),
        }
    }

    /// What a target starts from, besides its saved inputs.
    pub fn seeds(&self, target: &str) -> Vec<Vec<u8>> {
        let bundle = crate::guests::files("stuck-orders");
        let file = |path: &str| crate::guests::file("stuck-orders", path);
        let signatures: Vec<&Sshsig> =
            self.envelopes.iter().flat_map(Envelope::signatures).collect();
        match target {
            "bundle-index" => {
                let digests = bundle.iter().map(|(p, b)| (p.parse().unwrap(), Digest::of(b)));
                vec![domain::BundleIndex::new(digests.collect()).unwrap().to_bytes()]
            }
            "checkpoint" => vec![self.checkpoint.clone(), self.vkey.clone().into_bytes()],
            "component" => small_components(),
            "document" => self.envelopes.iter().map(|e| e.payload().to_vec()).collect(),
            "entry" => self.leaves.clone(),
            "envelope" => self.envelopes.iter().map(|e| e.to_json().unwrap()).collect(),
            "frame" => vec![self.journal.clone()],
            "input" => {
                let schema = file("input.schema.json");
                vec![[schema.as_slice(), b"\0", STUCK_ORDERS_INPUT.as_bytes()].concat()]
            }
            "manifest" => vec![file("script.toml")],
            "private-key" => vec![self.key.to_openssh("alice").as_bytes().to_vec()],
            "public-key" => {
                vec![self.key.public().to_string().into_bytes(), self.key.public().to_blob()]
            }
            "recording" => vec![self.recording.clone()],
            "run-order" => vec![self.order.clone()],
            "sql-postgres" | "sql-sqlite" => {
                let queries = bundle.iter().filter(|(path, _)| path.starts_with("queries/"));
                queries.map(|(_, bytes)| bytes.clone()).collect()
            }
            "sshsig" => {
                let armored = signatures.iter().map(|s| s.to_armored().into_bytes());
                signatures.iter().map(|s| s.to_blob()).chain(armored).collect()
            }
            "trust-file" => vec![self.trust.clone().into_bytes()],
            other => panic!("there are no seeds for {other}"),
        }
    }
}

/// Components of a few kilobytes; a mutation of a large one rarely hits anything that matters.
fn small_components() -> Vec<Vec<u8>> {
    let all = crate::hostile::all().into_iter();
    let files = all.flat_map(|guest| guest.files);
    let components = files.filter(|(path, _)| path == "component.wasm").map(|(_, bytes)| bytes);
    components.filter(|bytes| bytes.len() < 4_096).collect()
}
