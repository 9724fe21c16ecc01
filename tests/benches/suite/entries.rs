//! Durable ledger entries a second, each waited for, against the same number of bytes through the
//! plainest group commit: writers append to a buffer, one thread writes and syncs what has gathered.

use std::fs::{File, OpenOptions};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use domain::{Digest, RunId};
use executor::{OsEntropy, SystemClock};
use futures_util::future::join_all;
use ledger::{Entry, Event, Ledger, LogKey, Options};
use tempfile::TempDir;
use tests::company::p;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use super::Scale;
use super::bed::workshop;
use super::machine::append;
use super::stats::{Goal, Row, Unit, alternate, rate};

/// Bytes of an entry's payload: about what the intent of a query has.
const PAYLOAD_BYTES: usize = 200;

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let writers = scale.pick(&[(1, 500), (16, 300), (64, 300)][..], &[(2, 2)][..]);
    writers.iter().map(|(writers, each)| at(rt, scale, *writers, *each)).collect()
}

fn at(rt: &Runtime, scale: Scale, writers: usize, each: u64) -> Row {
    let (dir, ledger) = open();
    let journal = dir.path().join("journal");
    let length = || std::fs::metadata(&journal).unwrap().len();
    let runs: Vec<RunId> = (0..writers).map(|_| begin(rt, &ledger)).collect();
    let before = length();
    rt.block_on(durable(&ledger, &runs, 1));
    let entry_bytes = usize::try_from((length() - before) / writers as u64).unwrap();
    let raw = Raw::start(&dir);
    let count = writers as u64 * each;
    let ours = || rate(count, rt.block_on(durable(&ledger, &runs, each)));
    let plain = || rate(count, rt.block_on(raw.write(writers, each, entry_bytes)));
    let (ours, plain) = alternate(scale, 15, ours, plain);
    raw.stop();
    let what = format!("durable entries of {entry_bytes} bytes, {writers} writer(s)");
    let row = Row::pair(what, Unit::PerSecond, ours, ("raw group commit", plain));
    if writers == 64 { row.goal(Goal::AtLeast(30_000.0)) } else { row }
}

/// A new ledger in a directory of its own.
pub(super) fn open() -> (TempDir, Ledger) {
    let dir = tempfile::tempdir_in(workshop()).unwrap();
    let (ledger, _) = Ledger::open(Options {
        dir: dir.path().to_owned(),
        key: LogKey::from_seed(p("bench.test/log"), &[5; 32]),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(OsEntropy),
    })
    .unwrap();
    (dir, ledger)
}

/// A run's first entry.
pub(super) fn started(number: u64) -> (RunId, Entry) {
    let run = RunId::new(&SystemClock, &OsEntropy);
    let digest = Digest::of(run.as_str().as_bytes());
    let event = Event::RunStarted {
        run: run.clone(),
        order: digest,
        request: Some(digest),
        use_number: number,
        break_glass: false,
    };
    (run, Entry::new(event, vec![1; PAYLOAD_BYTES]))
}

/// The intent of a call.
pub(super) fn intent(run: &RunId, call: u64) -> Entry {
    Entry::new(Event::CallIntent { run: run.clone(), call }, vec![2; PAYLOAD_BYTES])
}

fn begin(rt: &Runtime, ledger: &Ledger) -> RunId {
    let (run, entry) = started(1);
    rt.block_on(ledger.append_durable(entry)).unwrap();
    run
}

/// One writer a run; each waits for its entry before it goes on.
async fn durable(ledger: &Ledger, runs: &[RunId], each: u64) -> Duration {
    let begin = Instant::now();
    let writers = runs.iter().map(|run| {
        let (ledger, run) = (ledger.clone(), run.clone());
        tokio::spawn(async move {
            for call in 0..each {
                ledger.append_durable(intent(&run, call)).await.unwrap();
            }
        })
    });
    join_all(writers).await.into_iter().for_each(Result::unwrap);
    begin.elapsed()
}

/// What waits for the disk, and whether more will come.
#[derive(Default)]
struct Gathered {
    bytes: Vec<u8>,
    count: u64,
    closed: bool,
}

/// A group commit without anything that makes a ledger.
struct Raw {
    gathered: Arc<(Mutex<Gathered>, Condvar)>,
    durable: watch::Receiver<u64>,
    thread: std::thread::JoinHandle<()>,
}

impl Raw {
    fn start(dir: &TempDir) -> Self {
        let path = dir.path().join("raw");
        let mut file = OpenOptions::new().append(true).create_new(true).open(path).unwrap();
        let gathered = Arc::new((Mutex::new(Gathered::default()), Condvar::new()));
        let (progress, durable) = watch::channel(0);
        let shared = Arc::clone(&gathered);
        let thread = std::thread::spawn(move || commit(&shared, &mut file, &progress));
        Self { gathered, durable, thread }
    }

    async fn write(&self, writers: usize, each: u64, bytes: usize) -> Duration {
        let begin = Instant::now();
        let writers = (0..writers).map(|_| {
            let (gathered, mut durable) = (Arc::clone(&self.gathered), self.durable.clone());
            tokio::spawn(async move {
                let entry = vec![3; bytes];
                for _ in 0..each {
                    let mine = add(&gathered, &entry);
                    durable.wait_for(|count| *count >= mine).await.unwrap();
                }
            })
        });
        join_all(writers).await.into_iter().for_each(Result::unwrap);
        begin.elapsed()
    }

    fn stop(self) {
        self.gathered.0.lock().unwrap().closed = true;
        self.gathered.1.notify_one();
        self.thread.join().unwrap();
    }
}

fn add((gathered, work): &(Mutex<Gathered>, Condvar), entry: &[u8]) -> u64 {
    let mut gathered = gathered.lock().unwrap();
    gathered.bytes.extend_from_slice(entry);
    gathered.count += 1;
    work.notify_one();
    gathered.count
}

fn commit(
    (gathered, work): &(Mutex<Gathered>, Condvar),
    file: &mut File,
    durable: &watch::Sender<u64>,
) {
    let mut bytes = Vec::new();
    loop {
        let idle = |g: &mut Gathered| g.bytes.is_empty() && !g.closed;
        let mut gathered = work.wait_while(gathered.lock().unwrap(), idle).unwrap();
        if gathered.bytes.is_empty() {
            return;
        }
        bytes.clear();
        std::mem::swap(&mut bytes, &mut gathered.bytes);
        let count = gathered.count;
        drop(gathered);
        append(file, &bytes);
        durable.send_replace(count);
    }
}
