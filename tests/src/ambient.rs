//! A clock that moves when told, and entropy that repeats with its seed.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Clock, Digest, Entropy};
use tokio::sync::Notify;

/// 2026-11-23T20:00:00Z, milliseconds.
pub const START_MS: u64 = 1_795_464_000_000;

/// A clock that stands until it is moved.
#[derive(Debug)]
pub struct ManualClock {
    now_ms: AtomicU64,
    elapsed_ms: AtomicU64,
    looks: AtomicU64,
    looked: Notify,
}

impl Default for ManualClock {
    fn default() -> Self {
        let (now_ms, elapsed_ms) = (AtomicU64::new(START_MS), AtomicU64::new(0));
        Self { now_ms, elapsed_ms, looks: AtomicU64::new(0), looked: Notify::new() }
    }
}

impl ManualClock {
    /// Moves forward by `seconds`.
    pub fn advance_s(&self, seconds: u64) {
        self.now_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
        self.elapsed_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Lets `seconds` go by while the wall clock shows the same, as one that is set back again and
    /// again.
    pub fn elapse_s(&self, seconds: u64) {
        self.elapsed_ms.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// Returns when somebody has asked `times` times how much time has gone by.
    pub async fn looked_at(&self, times: u64) {
        let enough = self.looks.load(Ordering::SeqCst) + times;
        while self.looks.load(Ordering::SeqCst) < enough {
            self.looked.notified().await;
        }
    }

    /// Moves back by `seconds`, as a broken clock does.
    pub fn set_back_s(&self, seconds: u64) {
        self.now_ms.fetch_sub(seconds * 1000, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now_ms(&self) -> u64 {
        self.now_ms.load(Ordering::SeqCst)
    }
    fn elapsed_ms(&self) -> u64 {
        let elapsed_ms = self.elapsed_ms.load(Ordering::SeqCst);
        self.looks.fetch_add(1, Ordering::SeqCst);
        self.looked.notify_one();
        elapsed_ms
    }
}

/// SHA-256 of a seed and a counter.
#[derive(Debug)]
pub struct SeededEntropy {
    seed: String,
    count: Mutex<u64>,
}

impl SeededEntropy {
    /// Entropy that is the same for the same seed.
    pub fn new(seed: impl Into<String>) -> Self {
        Self { seed: seed.into(), count: Mutex::new(0) }
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        let mut count = self.count.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in out.chunks_mut(32) {
            *count += 1;
            let block = Digest::of(format!("{}/{count}", self.seed).as_bytes());
            chunk.copy_from_slice(&block.as_bytes()[..chunk.len()]);
        }
    }
}
