//! What the tests of several modules share: a manual clock, counted entropy, one small run.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{Clock, Digest, Entropy, Outcome, RunId};

use crate::entry::{CallStatus, Entry, Event};
use crate::ledger::{Ledger, Options, Recovered};
use crate::note::LogKey;

pub(crate) struct Manual(pub(crate) AtomicU64);

impl Clock for Manual {
    fn now_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
    fn elapsed_ms(&self) -> u64 {
        self.now_ms()
    }
}

#[derive(Default)]
struct Counted(AtomicU64);

impl Entropy for Counted {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            chunk.copy_from_slice(&n.to_be_bytes()[..chunk.len()]);
        }
    }
}

pub(crate) fn key() -> LogKey {
    LogKey::from_seed("example.com/prod/runner-1".parse().unwrap(), &[0x22; 32])
}

pub(crate) fn options(dir: &Path) -> Options {
    let clock = Arc::new(Manual(AtomicU64::new(1_795_464_000_000)));
    Options { dir: dir.to_owned(), key: key(), clock, entropy: Arc::new(Counted::default()) }
}

pub(crate) fn open(dir: &Path) -> (Ledger, Recovered) {
    Ledger::open(options(dir)).unwrap()
}

pub(crate) fn run_id(n: u64) -> RunId {
    format!("run_019ab000-0000-7000-8000-{n:012}").parse().unwrap()
}

pub(crate) fn log_opened(torn_bytes: u64) -> Event {
    let log = key().verifier().name().clone();
    Event::LogOpened { log, torn_bytes }
}

pub(crate) fn started(n: u64) -> Entry {
    let digest = Digest::of(b"document");
    let event = Event::RunStarted {
        run: run_id(n),
        order: digest,
        request: Some(digest),
        use_number: n,
        break_glass: false,
    };
    Entry::new(event, format!("order of run {n}"))
}

pub(crate) fn intent(n: u64, call: u64) -> Entry {
    Entry::new(Event::CallIntent { run: run_id(n), call }, format!("select {call}"))
}

pub(crate) fn outcome(n: u64, call: u64) -> Entry {
    let event = Event::CallOutcome { run: run_id(n), call, status: CallStatus::Ok };
    Entry::new(event, format!("Ada Lovelace, row {call}"))
}

pub(crate) fn finished(n: u64) -> Entry {
    let (run, recording) = (run_id(n), Digest::of(b"recording"));
    let event = Event::RunFinished { run, outcome: Outcome::Succeeded, recording, receipt: None };
    Entry::new(event, "receipt")
}

/// A run of `calls` calls: `2 + 2·calls` entries.
pub(crate) fn whole_run(n: u64, calls: u64) -> Vec<Entry> {
    let mut entries = vec![started(n)];
    for call in 0..calls {
        entries.extend([intent(n, call), outcome(n, call)]);
    }
    entries.push(finished(n));
    entries
}
