//! The store against its own incidents, on real files.

mod audit;
mod blobs;
mod changes;
mod login;
mod projection;
mod runs;
mod schema;

use domain::{Digest, PersonId};
use tempfile::TempDir;

use crate::{Document, DocumentKind, Revision, RevisionFile, Store, Tx};

async fn store() -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(&dir.path().join("store.db")).await.unwrap();
    (dir, store)
}

async fn entry(store: &Store, index: u64) -> Tx {
    let (mut tx, _) = store.project().await.unwrap();
    tx.entry(index);
    tx
}

fn anna() -> PersonId {
    "anna".parse().unwrap()
}

fn revision(content: &str) -> (Revision, Vec<RevisionFile>) {
    let index = format!("{}  script.toml\n", Digest::of(content.as_bytes()).hex()).into_bytes();
    let revision = Revision {
        digest: Digest::of(&index),
        script: "stuck-orders".parse().unwrap(),
        version: "1.2.0".parse().unwrap(),
        summary: "Orders paid but not shipped".to_owned(),
        index,
        uploader: anna(),
        created_ms: 1_000,
    };
    let file = RevisionFile {
        path: "script.toml".parse().unwrap(),
        digest: Digest::of(content.as_bytes()),
        size_bytes: content.len() as u64,
    };
    (revision, vec![file])
}

fn document(id: &str, envelope: &[u8]) -> Document {
    Document {
        kind: DocumentKind::Submission,
        id: id.to_owned(),
        digest: Digest::of(envelope),
        envelope: envelope.to_vec(),
        revision: Some(Digest::of(b"revision")),
        request: None,
        person: Some(anna()),
        created_ms: 1_000,
    }
}
