//! What callers rely on: durable means durable, a failed disk means no more promises.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{AnchorError, Health, Ledger, OpenError, Options, ReadError};
use crate::checkpoint::Checkpoint;
use crate::entry::{Entry, Event, PAYLOAD_BYTES_MAX, Position};
use crate::evidence::verify_journal;
use crate::journal::{CHECKPOINT_FILE, JOURNAL_FILE};
use crate::merkle::proof::verify_consistency;
use crate::note::LogKey;
use crate::storage::{FileStorage, Storage};
use crate::testing::{
    Manual, intent, key, log_opened, open, options, outcome, run_id, started, whole_run,
};
use crate::writer::AppendError;

/// How the disk fails, once it is told to.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The write fails, nothing of it arrives.
    AppendLost,
    /// The write fails, and yet all of it arrives.
    AppendPersisted,
    /// No space after the first bytes.
    NoSpace,
    /// The write arrives, the sync fails.
    SyncFails,
}

struct Faulty {
    file: FileStorage,
    fault: Fault,
    failing: Arc<AtomicBool>,
    syncs: Arc<AtomicU64>,
}

impl Storage for Faulty {
    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        let failing = self.failing.load(Ordering::SeqCst);
        match self.fault {
            _ if !failing => self.file.append(bytes),
            Fault::AppendLost => Err(io::Error::other("the cable is out")),
            Fault::AppendPersisted => {
                self.file.append(bytes)?;
                Err(io::Error::other("the cable is out"))
            }
            Fault::NoSpace => {
                self.file.append(&bytes[..bytes.len() / 2])?;
                Err(io::ErrorKind::StorageFull.into())
            }
            Fault::SyncFails => self.file.append(bytes),
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.syncs.fetch_add(1, Ordering::SeqCst);
        if self.failing.load(Ordering::SeqCst) {
            return Err(io::Error::other("the cable is out"));
        }
        self.file.sync()
    }
}

struct Switch {
    failing: Arc<AtomicBool>,
    syncs: Arc<AtomicU64>,
}

fn open_faulty(dir: &Path, fault: Fault) -> (Ledger, Switch) {
    let (failing, syncs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let switch = Switch { failing: Arc::clone(&failing), syncs: Arc::clone(&syncs) };
    let wrap = |file| Box::new(Faulty { file, fault, failing, syncs }) as Box<dyn Storage>;
    (Ledger::open_with(options(dir), wrap).unwrap().0, switch)
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, recovered) = open(dir.path());
    assert_eq!(recovered.count(), 0);
    let mut last = Position::from_index(0);
    for entry in whole_run(1, 3) {
        last = ledger.append(entry).unwrap();
    }
    ledger.barrier(last).await.unwrap();
    assert_eq!(ledger.size(), 9);
    // Read before the handle goes: the barrier alone has made it durable.
    let report = verify_journal(dir.path(), None).unwrap();
    assert_eq!((report.entries, report.runs, report.runs_open), (9, 1, 0));
    let third = ledger.entry(Position::from_index(3)).unwrap();
    assert_eq!(third.payload(), Some(&b"Ada Lovelace, row 0"[..]));
    drop(ledger);
    let (_, recovered) = open(dir.path());
    let entries: Vec<_> = recovered.map(Result::unwrap).collect();
    assert_eq!(entries.len(), 9);
    assert_eq!(entries[3], third);
    assert_eq!(entries[0].leaf.event, log_opened(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_runs_share_few_syncs_and_keep_their_chains() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, switch) = open_faulty(dir.path(), Fault::SyncFails);
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                for entry in whole_run(n, 4) {
                    let at = ledger.append_durable(entry).await.unwrap();
                    assert!(ledger.size() > at.index());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(ledger.size(), 641);
    assert!(switch.syncs.load(Ordering::SeqCst) <= 641, "a barrier never costs more than a sync");
    drop(ledger);
    let report = verify_journal(dir.path(), None).unwrap();
    assert_eq!((report.entries, report.runs, report.runs_open), (641, 64, 0));
}

#[tokio::test]
async fn an_entry_nobody_waits_for_becomes_durable_when_the_handle_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append(started(1)).unwrap();
    let other = ledger.clone();
    drop(ledger);
    other.append(intent(1, 0)).unwrap();
    drop(other);
    let (ledger, recovered) = open(dir.path());
    assert_eq!(recovered.count(), 3);
    assert_eq!(ledger.open_runs(), [run_id(1)], "the executor closes it as lost");
}

#[tokio::test]
async fn a_failed_disk_acknowledges_nothing_ever_again() {
    for fault in [Fault::AppendLost, Fault::AppendPersisted, Fault::NoSpace, Fault::SyncFails] {
        let dir = tempfile::tempdir().unwrap();
        let (ledger, switch) = open_faulty(dir.path(), fault);
        let kept = ledger.append_durable(started(1)).await.unwrap();
        switch.failing.store(true, Ordering::SeqCst);

        let intent = ledger.append(intent(1, 0)).unwrap();
        let (one, two) = tokio::join!(ledger.barrier(intent), ledger.barrier(intent));
        for refused in [one, two] {
            assert!(matches!(refused, Err(AppendError::Poisoned(_))), "{fault:?}: {refused:?}");
        }
        // The disk recovers; the ledger must not: nobody knows what was lost.
        switch.failing.store(false, Ordering::SeqCst);
        let Err(AppendError::Poisoned(poison)) = ledger.append(outcome(1, 0)) else {
            panic!("{fault:?}: an append after the failure was taken");
        };
        assert!(poison.reason.contains("journal failed"), "{}", poison.reason);
        assert!(ledger.barrier(intent).await.is_err());
        assert_eq!(ledger.health(), Health::Poisoned(poison));
        // Reads go on, over what is certain.
        assert_eq!(ledger.size(), kept.index() + 1);
        assert_eq!(ledger.entry(kept).unwrap().payload(), Some(&b"order of run 1"[..]));
        assert!(matches!(ledger.entry(intent), Err(ReadError::NotThere { .. })));
        assert!(ledger.proof(kept).unwrap().verify(None).is_ok());
        drop(ledger);

        // After a restart everything acknowledged is there, whatever became of the rest.
        let (ledger, recovered) = open(dir.path());
        let found = recovered.map(Result::unwrap).count();
        let unsure = matches!(fault, Fault::AppendPersisted | Fault::SyncFails);
        assert_eq!(found, if unsure { 3 } else { 2 }, "{fault:?}");
        assert_eq!(ledger.health(), Health::Serving);
        assert_eq!(ledger.open_runs(), [run_id(1)]);
    }
}

#[tokio::test]
async fn a_checkpoint_that_cannot_be_saved_stops_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append_durable(started(1)).await.unwrap();
    // A directory in the way, as a full or read-only disk would be.
    std::fs::create_dir(dir.path().join("checkpoint.new")).unwrap();
    ledger.checkpoint().unwrap();
    let poisoned = async {
        while ledger.health() == Health::Serving {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), poisoned).await.unwrap();
    assert!(ledger.append_durable(intent(1, 0)).await.is_err());
    let Health::Poisoned(poison) = ledger.health() else { panic!("still serving") };
    assert!(poison.reason.contains("checkpoint"), "{}", poison.reason);
}

#[tokio::test]
async fn proofs_verify_and_history_only_grows() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let mut checkpoints = Vec::new();
    for n in 0..20 {
        for entry in whole_run(n, 1) {
            let at = ledger.append_durable(entry).await.unwrap();
            let (leaf, _) = ledger.proof(at).unwrap().verify(None).unwrap();
            assert_eq!(leaf, ledger.entry(at).unwrap().leaf);
        }
        checkpoints.push(ledger.checkpoint().unwrap());
    }
    let (newest, _) = Checkpoint::parse(&ledger.checkpoint().unwrap()).unwrap();
    for text in checkpoints {
        let (old, note) = Checkpoint::parse(&text).unwrap();
        note.verify(ledger.vkey()).unwrap();
        let proof = ledger.consistency(old.size, newest.size).unwrap();
        verify_consistency(old.size, &old.root, newest.size, &newest.root, &proof).unwrap();
        ledger.check_anchor(&text).unwrap();
    }
    assert!(ledger.consistency(3, newest.size + 1).is_err());
    assert!(ledger.inclusion(Position::from_index(newest.size), newest.size).is_err());
}

#[tokio::test]
async fn a_journal_restored_from_yesterday_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    drop(ledger);
    let yesterday = std::fs::read(dir.path().join(JOURNAL_FILE)).unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append_durable(started(1)).await.unwrap();
    let anchor = ledger.checkpoint().unwrap();
    drop(ledger);
    let saved = std::fs::read_to_string(dir.path().join(CHECKPOINT_FILE)).unwrap();
    assert_eq!(saved, anchor, "a checkpoint is on disk at the latest when the ledger closes");

    std::fs::write(dir.path().join(JOURNAL_FILE), &yesterday).unwrap();
    let behind = |r| matches!(r, Err(OpenError::Anchor(AnchorError::Behind { .. })));
    assert!(behind(Ledger::open(options(dir.path())).map(drop)));
    std::fs::remove_file(dir.path().join(JOURNAL_FILE)).unwrap();
    assert!(behind(Ledger::open(options(dir.path())).map(drop)));
    // Without the checkpoint the directory cannot tell, but whoever holds the anchor can.
    std::fs::write(dir.path().join(JOURNAL_FILE), &yesterday).unwrap();
    std::fs::remove_file(dir.path().join(CHECKPOINT_FILE)).unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append_durable(started(2)).await.unwrap();
    let refused = ledger.check_anchor(&anchor);
    assert!(matches!(refused, Err(AnchorError::Rewritten(3))), "{refused:?}");
}

#[test]
fn one_directory_one_process_one_log() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    let second = Ledger::open(options(dir.path())).map(drop);
    assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    drop(ledger);
    let origin = "example.com/prod/runner-2".parse().unwrap();
    let other = Options { key: LogKey::from_seed(origin, &[0x22; 32]), ..options(dir.path()) };
    assert!(matches!(Ledger::open(other).map(drop), Err(OpenError::OtherLog { .. })));
    open(dir.path());
}

#[test]
fn another_key_of_the_same_name_does_not_continue_the_log() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append(started(1)).unwrap();
    while ledger.size() < 2 {
        std::thread::yield_now();
    }
    ledger.checkpoint().unwrap();
    drop(ledger);
    let name = key().verifier().name().clone();
    let forged = Options { key: LogKey::from_seed(name, &[0x23; 32]), ..options(dir.path()) };
    let refused = Ledger::open(forged).map(drop);
    assert!(matches!(refused, Err(OpenError::Anchor(AnchorError::Checkpoint(_)))), "{refused:?}");
}

#[tokio::test]
async fn entries_out_of_place_or_too_large_leave_no_trace() {
    let dir = tempfile::tempdir().unwrap();
    let (ledger, _) = open(dir.path());
    ledger.append_durable(started(1)).await.unwrap();
    assert!(matches!(ledger.append(started(1)), Err(AppendError::Chain(_))));
    assert!(matches!(ledger.append(intent(2, 0)), Err(AppendError::Chain(_))));
    let event = Event::RunDenied { run: run_id(3) };
    let large = Entry::new(event, vec![1; PAYLOAD_BYTES_MAX + 1]);
    assert!(matches!(ledger.append(large), Err(AppendError::PayloadTooLong(_))));
    let beyond = ledger.barrier(Position::from_index(2)).await;
    assert!(matches!(beyond, Err(AppendError::NoSuchEntry(_))));
    ledger.append_durable(intent(1, 0)).await.unwrap();
    drop(ledger);
    assert_eq!(verify_journal(dir.path(), None).unwrap().entries, 3);
}

#[test]
fn a_clock_set_back_does_not_turn_the_log_back() {
    let dir = tempfile::tempdir().unwrap();
    let clock = Arc::new(Manual(AtomicU64::new(5_000)));
    let timed = Options { clock: Arc::clone(&clock) as _, ..options(dir.path()) };
    let (ledger, _) = Ledger::open(timed).unwrap();
    clock.0.store(1_000, Ordering::Relaxed);
    ledger.append(started(1)).unwrap();
    assert_eq!(ledger.newest_at_ms(), 5_000);
    drop(ledger);
    let (_, recovered) = open(dir.path());
    let times: Vec<_> = recovered.map(|e| e.unwrap().leaf.at_ms).collect();
    assert_eq!(times, [5_000, 5_000]);
}

/// A disk that is slow: nothing is durable before its sync has returned.
#[tokio::test]
async fn nobody_is_told_before_the_sync_returns() {
    struct Gate {
        file: FileStorage,
        closed: Arc<AtomicBool>,
        waiting: Arc<AtomicBool>,
    }
    /// A failing test must end, and the writer with it.
    struct OpenAtEnd(Arc<AtomicBool>);
    impl Drop for OpenAtEnd {
        fn drop(&mut self) {
            self.0.store(false, Ordering::SeqCst);
        }
    }
    impl Storage for Gate {
        fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
            self.file.append(bytes)
        }
        fn sync(&mut self) -> io::Result<()> {
            while self.closed.load(Ordering::SeqCst) {
                self.waiting.store(true, Ordering::SeqCst);
                std::thread::yield_now();
            }
            self.file.sync()
        }
    }
    let dir = tempfile::tempdir().unwrap();
    let (closed, waiting) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (gate, at_gate) = (Arc::clone(&closed), Arc::clone(&waiting));
    let wrap = |file| Box::new(Gate { file, closed: gate, waiting: at_gate }) as Box<dyn Storage>;
    let (ledger, _) = Ledger::open_with(options(dir.path()), wrap).unwrap();
    let durable = ledger.append_durable(started(1)).await.unwrap();
    let _open_at_end = OpenAtEnd(Arc::clone(&closed));
    closed.store(true, Ordering::SeqCst);
    let at = ledger.append(intent(1, 0)).unwrap();
    let mut barrier = Box::pin(ledger.barrier(at));
    let mut poll =
        async || std::future::poll_fn(|cx| std::task::Poll::Ready(barrier.as_mut().poll(cx))).await;
    // Until the writer is inside the sync: the bytes are in the file by then.
    while !waiting.load(Ordering::SeqCst) {
        assert!(poll().await.is_pending());
    }
    assert_eq!(verify_journal(dir.path(), None).unwrap().entries, 3);
    assert!(poll().await.is_pending());
    assert_eq!(ledger.size(), durable.index() + 1);
    assert!(ledger.entry(at).is_err());
    closed.store(false, Ordering::SeqCst);
    barrier.await.unwrap();
    assert!(ledger.entry(at).is_ok());
}
