//! A disk that fails when told, below the ledger.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use ledger::{FileStorage, Storage};

/// How the disk behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Disk {
    /// As it should.
    Sound = 0,
    /// Writes fail: no space left.
    Full = 1,
    /// Writes are taken, but do not become durable.
    CannotSync = 2,
}

/// The switch that a scenario holds.
#[derive(Debug, Clone, Default)]
pub struct DiskSwitch(Arc<Switch>);

#[derive(Debug, Default)]
struct Switch {
    disk: AtomicU8,
    syncs_left: AtomicU64,
}

impl DiskSwitch {
    /// Makes the disk behave so once `syncs` more syncs have succeeded.
    pub fn set_after(&self, syncs: u64, disk: Disk) {
        self.0.syncs_left.store(syncs, Ordering::SeqCst);
        self.0.disk.store(disk as u8, Ordering::SeqCst);
    }

    fn is(&self, disk: Disk) -> bool {
        self.0.syncs_left.load(Ordering::SeqCst) == 0
            && self.0.disk.load(Ordering::SeqCst) == disk as u8
    }

    fn synced(&self) {
        let left = self.0.syncs_left.load(Ordering::SeqCst);
        // One writer thread syncs, so nobody counts in between.
        self.0.syncs_left.store(left.saturating_sub(1), Ordering::SeqCst);
    }

    /// The storage to open a ledger with.
    pub fn wrap(&self, file: FileStorage) -> Box<dyn Storage> {
        Box::new(FailingStorage { file, switch: self.clone() })
    }
}

struct FailingStorage {
    file: FileStorage,
    switch: DiskSwitch,
}

impl Storage for FailingStorage {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.switch.is(Disk::Full) {
            return Err(io::Error::new(io::ErrorKind::StorageFull, "no space left on device"));
        }
        self.file.append(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.switch.is(Disk::CannotSync) {
            return Err(io::Error::other("the device reports a write error"));
        }
        self.file.sync()?;
        self.switch.synced();
        Ok(())
    }
}
