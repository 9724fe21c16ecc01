//! Blobs appear whole, once, within their quota.

use domain::Digest;

use crate::{BlobError, Blobs};

#[tokio::test]
async fn a_blob_comes_back_after_a_restart_and_counts_once() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), 10).await.unwrap();
    let digest = blobs.put(b"12345678").await.unwrap();
    assert_eq!(digest, Digest::of(b"12345678"));
    assert!(matches!(blobs.put(b"xyz").await, Err(BlobError::Quota { max: 10 })));
    let blobs = Blobs::open(dir.path(), 10).await.unwrap();
    assert_eq!(blobs.get(&digest).await.unwrap().as_deref(), Some(&b"12345678"[..]));
    assert!(matches!(blobs.put(b"xyz").await, Err(BlobError::Quota { .. })));
    blobs.put(b"ab").await.unwrap();
    assert!(!blobs.has(&Digest::of(b"xyz")).await.unwrap());
    assert_eq!(blobs.get(&Digest::of(b"xyz")).await.unwrap(), None);
}

#[tokio::test]
async fn bytes_that_are_not_those_announced_leave_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(dir.path(), 100).await.unwrap();
    let mut writer = blobs.writer().await.unwrap();
    writer.write(b"one ").await.unwrap();
    writer.write(b"two").await.unwrap();
    assert_eq!(writer.bytes(), 7);
    let error = writer.finish(Some(&Digest::of(b"three"))).await.unwrap_err();
    assert!(matches!(error, BlobError::Differs { .. }));
    assert!(!blobs.has(&Digest::of(b"one two")).await.unwrap());
    let left = std::fs::read_dir(dir.path().join("unfinished")).unwrap().count();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn what_a_crash_left_unfinished_is_gone_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    drop(Blobs::open(dir.path(), 100).await.unwrap());
    std::fs::write(dir.path().join("unfinished/7"), b"half").unwrap();
    let blobs = Blobs::open(dir.path(), 100).await.unwrap();
    assert!(!dir.path().join("unfinished/7").exists());
    blobs.put(&[0; 100]).await.unwrap();
}
