//! Blobs: immutable files named by their digest, under one directory.
//!
//! A blob appears whole or not at all, and is durable when the call returns. Reading does not hash:
//! who relies on the bytes hashes them (the runner does, at every run). Neighbours: rows that name
//! digests are in [`crate::revisions`] and [`crate::runs`].

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::Digest;
use sha2::{Digest as _, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt as _;

/// Why a blob was not kept or read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// The disk or its permissions.
    #[error("cannot {doing} {}; check the disk and its permissions", path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// All blobs together would exceed the quota.
    #[error("the blobs would exceed their quota of {max} bytes; raise it or delete old revisions")]
    Quota {
        /// The quota, bytes.
        max: u64,
    },
    /// The bytes are not those that were announced.
    #[error("the bytes have digest {got}, not {wanted}; send them again")]
    Differs {
        /// What was announced.
        wanted: Digest,
        /// What came.
        got: Digest,
    },
}

/// The folder of the marks of whole uploads.
const UPLOADED: &str = "uploaded";

fn failed<'a>(doing: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> BlobError + 'a {
    move |source| BlobError::Io { doing, path: path.to_owned(), source }
}

/// The blobs under one directory. Cheap to clone. One process owns the directory.
#[derive(Debug, Clone)]
pub struct Blobs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    bytes_max: u64,
    /// Bytes of all blobs and of all writers at work.
    bytes_used: AtomicU64,
    writers: AtomicU64,
}

impl Blobs {
    /// Opens or creates the directory; `bytes_max` bounds all blobs together. What earlier writers
    /// left unfinished is deleted.
    ///
    /// # Errors
    /// When the directory cannot be made or read.
    pub async fn open(dir: &Path, bytes_max: u64) -> Result<Self, BlobError> {
        let unfinished = dir.join("unfinished");
        match fs::remove_dir_all(&unfinished).await {
            Err(e) if e.kind() != io::ErrorKind::NotFound => {
                return Err(failed("delete", &unfinished)(e));
            }
            _ => {}
        }
        for folder in [&unfinished, &dir.join(UPLOADED)] {
            fs::create_dir_all(folder).await.map_err(failed("create", folder))?;
        }
        // All shards now, so that a blob on its way waits for its own shard only.
        for shard in 0..=u8::MAX {
            let shard = dir.join(format!("{shard:02x}"));
            fs::create_dir_all(&shard).await.map_err(failed("create", &shard))?;
        }
        sync_dir(dir).await?;
        let mut used = 0;
        let mut shards = fs::read_dir(dir).await.map_err(failed("list", dir))?;
        while let Some(shard) = shards.next_entry().await.map_err(failed("list", dir))? {
            let path = shard.path();
            if path == unfinished || !path.is_dir() {
                continue;
            }
            let mut files = fs::read_dir(&path).await.map_err(failed("list", &path))?;
            while let Some(file) = files.next_entry().await.map_err(failed("list", &path))? {
                used += file.metadata().await.map_err(failed("read", &path))?.len();
            }
        }
        let inner = Inner {
            dir: dir.to_owned(),
            bytes_max,
            bytes_used: AtomicU64::new(used),
            writers: AtomicU64::new(0),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Where the blob of this digest is, whether it exists or not.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.hex();
        self.inner.dir.join(&hex[..2]).join(hex)
    }

    /// Whether there is such a blob.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn has(&self, digest: &Digest) -> Result<bool, BlobError> {
        let path = self.path(digest);
        fs::try_exists(&path).await.map_err(failed("look for", &path))
    }

    /// The bytes stored under `digest`; the caller hashes them if it relies on them.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn get(&self, digest: &Digest) -> Result<Option<Vec<u8>>, BlobError> {
        let path = self.path(digest);
        match fs::read(&path).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", &path)(e)),
        }
    }

    /// Keeps `bytes` and returns their digest.
    ///
    /// # Errors
    /// When the quota is reached or the disk fails.
    pub async fn put(&self, bytes: &[u8]) -> Result<Digest, BlobError> {
        let mut writer = self.writer().await?;
        writer.write(bytes).await?;
        Ok(writer.finish(None).await?.0)
    }

    /// Remembers that somebody uploaded a revision with all the files that it lists. Lost in a crash, it
    /// is uploaded again.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn mark_uploaded(&self, revision: &Digest) -> Result<(), BlobError> {
        let path = self.inner.dir.join(UPLOADED).join(revision.hex());
        fs::write(&path, b"").await.map_err(failed("create", &path))
    }

    /// Whether [`Self::mark_uploaded`] was called. A list of files alone proves nothing: anybody can
    /// store one that names digests of files that they have never seen.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn is_uploaded(&self, revision: &Digest) -> Result<bool, BlobError> {
        let path = self.inner.dir.join(UPLOADED).join(revision.hex());
        fs::try_exists(&path).await.map_err(failed("look for", &path))
    }

    /// Begins a blob whose bytes come in pieces.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn writer(&self) -> Result<BlobWriter, BlobError> {
        let number = self.inner.writers.fetch_add(1, Ordering::Relaxed);
        let path = self.inner.dir.join("unfinished").join(number.to_string());
        let file = fs::OpenOptions::new().write(true).create_new(true).open(&path).await;
        let file = file.map_err(failed("create", &path))?;
        let blobs = self.clone();
        Ok(BlobWriter { blobs, path, file, hash: Sha256::new(), bytes: 0, kept: false })
    }
}

/// A blob on its way. Dropped before [`BlobWriter::finish`], it leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    path: PathBuf,
    file: File,
    hash: Sha256,
    bytes: u64,
    kept: bool,
}

impl BlobWriter {
    /// Bytes written so far; the caller enforces its own cap on one blob.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Adds `piece`.
    ///
    /// # Errors
    /// When the quota is reached or the disk fails.
    pub async fn write(&mut self, piece: &[u8]) -> Result<(), BlobError> {
        let len = piece.len() as u64;
        let inner = &self.blobs.inner;
        let used = inner.bytes_used.fetch_add(len, Ordering::Relaxed).saturating_add(len);
        self.bytes += len;
        if used > inner.bytes_max {
            return Err(BlobError::Quota { max: inner.bytes_max });
        }
        self.hash.update(piece);
        self.file.write_all(piece).await.map_err(failed("write", &self.path))
    }

    /// Makes the blob durable under its digest; returns digest and size in bytes. A blob that exists
    /// already stays as it is.
    ///
    /// # Errors
    /// [`BlobError::Differs`] when `wanted` is another digest; when the disk fails.
    pub async fn finish(mut self, wanted: Option<&Digest>) -> Result<(Digest, u64), BlobError> {
        let got = Digest::from_bytes(std::mem::take(&mut self.hash).finalize().into());
        if let Some(wanted) = wanted.filter(|w| **w != got) {
            return Err(BlobError::Differs { wanted: *wanted, got });
        }
        self.file.flush().await.map_err(failed("write", &self.path))?;
        self.file.sync_all().await.map_err(failed("sync", &self.path))?;
        let target = self.blobs.path(&got);
        if self.blobs.has(&got).await? {
            // An earlier writer has synced file and directory; ours is deleted on drop.
            return Ok((got, self.bytes));
        }
        let shard = target.parent().unwrap_or(&self.blobs.inner.dir).to_owned();
        // If we die before the rename, the bytes are in `unfinished` and go at the next start; after
        // it, the blob is whole, because its bytes were synced before it had its name.
        fs::rename(&self.path, &target).await.map_err(failed("rename", &target))?;
        self.kept = true;
        sync_dir(&shard).await?;
        Ok((got, self.bytes))
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.kept {
            self.blobs.inner.bytes_used.fetch_sub(self.bytes, Ordering::Relaxed);
            // What cannot be deleted now goes at the next start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

async fn sync_dir(path: &Path) -> Result<(), BlobError> {
    let dir = File::open(path).await.map_err(failed("open", path))?;
    dir.sync_all().await.map_err(failed("sync", path))
}
