//! Ledger first: what a transaction promises, and what projecting again does.

use domain::Digest;

use super::{document, entry, revision, store};
use crate::{Anchor, DocumentKind, Filter, Store, StoreError, sql};

#[tokio::test]
async fn a_document_comes_back_byte_for_byte() {
    let (_dir, store) = store().await;
    // Not JSON that any serialiser writes: spaces and escapes must survive.
    let sent = document("sub_1", b"{ \"payload\" :\t\"\\u0041\" }\n");
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&sent).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(store.document("sub_1").await.unwrap().unwrap(), sent);
    assert_eq!(store.document_by_digest(&sent.digest).await.unwrap().unwrap(), sent);
    let filter = Filter { revision: sent.revision, ..Filter::default() };
    assert_eq!(store.documents(&filter).await.unwrap(), std::slice::from_ref(&sent));
    let before = async |kind, index| store.document_before(kind, index).await.unwrap();
    assert_eq!(before(DocumentKind::Submission, 1).await, Some(sent));
    assert_eq!(before(DocumentKind::Submission, 0).await, None);
    assert_eq!(before(DocumentKind::Policy, 1).await, None);
}

#[tokio::test]
async fn a_transaction_that_is_not_committed_leaves_nothing_and_can_be_projected_again() {
    let (_dir, store) = store().await;
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&document("sub_1", b"{}")).await.unwrap();
    drop(tx);
    assert_eq!(store.document("sub_1").await.unwrap(), None);
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&document("sub_1", b"{}")).await.unwrap();
    tx.commit().await.unwrap();
    assert!(store.document("sub_1").await.unwrap().is_some());
}

fn anchor(size: u64) -> Anchor {
    Anchor { size, checkpoint: format!("log\n{size}\n") }
}

async fn settle(store: &Store, size: u64, anchored: u64) -> Result<(), StoreError> {
    let (mut tx, _) = store.project().await.unwrap();
    tx.settle(size, &anchor(anchored)).await?;
    tx.commit().await
}

#[tokio::test]
async fn the_mark_moves_with_the_rows_and_never_back() {
    let (_dir, store) = store().await;
    assert_eq!(store.project().await.unwrap().1, 0);
    assert_eq!(store.anchor().await.unwrap(), None);
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&document("sub_1", b"{}")).await.unwrap();
    tx.settle(1, &anchor(1)).await.unwrap();
    drop(tx);
    assert_eq!(store.project().await.unwrap().1, 0, "no row, no mark");
    settle(&store, 8, 9).await.unwrap();
    for (size, anchored) in [(7, 9), (8, 8)] {
        let error = settle(&store, size, anchored).await.unwrap_err();
        assert!(matches!(error, StoreError::Backwards { .. }), "{error}");
    }
    assert_eq!(store.project().await.unwrap().1, 8);
    assert_eq!(store.anchor().await.unwrap(), Some(anchor(9)));
}

#[tokio::test]
async fn a_mark_beyond_the_ledger_refuses_service() {
    for (settled, anchored, needs) in [(5, 5, 5), (5, 9, 9)] {
        let (_dir, store) = store().await;
        settle(&store, settled, anchored).await.unwrap();
        store.check_ledger(needs).await.unwrap();
        let error = store.check_ledger(needs - 1).await.unwrap_err();
        let StoreError::AheadOfLedger { applied, ledger } = error else { panic!("{error}") };
        assert_eq!((applied, ledger), (needs, needs - 1));
    }
}

#[tokio::test]
async fn what_only_reads_cannot_write() {
    let (_dir, store) = store().await;
    let error = sqlx::query(sql::ABANDON_ALL).execute(&store.reads).await.unwrap_err();
    assert!(error.to_string().contains("readonly"), "{error}");
}

#[tokio::test]
async fn the_same_version_with_other_files_is_a_conflict_that_names_what_exists() {
    let (_dir, store) = store().await;
    let (first, files) = revision("a");
    let mut tx = entry(&store, 0).await;
    tx.insert_revision(&first, &files).await.unwrap();
    tx.commit().await.unwrap();
    let (other, other_files) = revision("b");
    let mut tx = entry(&store, 1).await;
    let error = tx.insert_revision(&other, &other_files).await.unwrap_err();
    drop(tx);
    let StoreError::Conflict { existing, key, .. } = error else { panic!("{error}") };
    assert_eq!((existing, &key[..]), (first.digest, "stuck-orders@1.2.0"));
    assert_eq!(store.revision(&other.digest).await.unwrap(), None);
    assert_eq!(store.files(&other.digest).await.unwrap(), []);
    assert_eq!(store.files(&first.digest).await.unwrap(), files);
    let path = "script.toml".parse().unwrap();
    assert_eq!(store.file(&first.digest, &path).await.unwrap().as_ref(), files.first());
    let found = store.revision_by_version(&first.script, &first.version).await.unwrap();
    assert_eq!(found, Some(first.clone()));
    assert_eq!(store.revisions(None).await.unwrap(), [first]);
}

#[tokio::test]
async fn a_document_id_cannot_be_taken_over() {
    let (_dir, store) = store().await;
    let mut tx = entry(&store, 0).await;
    tx.insert_document(&document("sub_1", b"first")).await.unwrap();
    let error = tx.insert_document(&document("sub_1", b"second")).await.unwrap_err();
    let StoreError::Conflict { existing, .. } = error else { panic!("{error}") };
    assert_eq!(existing, Digest::of(b"first"));
}

#[tokio::test]
async fn nothing_signed_is_stored_without_a_ledger_entry() {
    let (_dir, store) = store().await;
    let mut tx = store.begin().await.unwrap();
    let error = tx.insert_document(&document("sub_1", b"{}")).await.unwrap_err();
    assert!(matches!(error, StoreError::NoLedgerEntry { .. }));
    let (new, files) = revision("a");
    let error = tx.insert_revision(&new, &files).await.unwrap_err();
    assert!(matches!(error, StoreError::NoLedgerEntry { .. }));
}
