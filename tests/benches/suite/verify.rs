//! Offline verification of a whole log, with every payload and run chain, against SHA-256 of the same
//! bytes.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use domain::Outcome;
use ledger::{Entry, Event};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::Scale;
use super::entries::{intent, open, started};
use super::stats::{Row, Unit, alternate, seconds};

/// Entries of one run.
const RUN_ENTRIES: u64 = 10;

pub(super) fn run(rt: &Runtime, scale: Scale) -> Vec<Row> {
    let entries: u64 = scale.pick(1_000_000, 100);
    let dir = rt.block_on(written(entries));
    let verify = || {
        let report = ledger::verify_journal(dir.path(), None).unwrap();
        assert!(report.entries > entries && report.runs_open == 0);
    };
    let journal = dir.path().join("journal");
    let (ours, plain) = alternate(scale, 5, || seconds(verify), || seconds(|| hash(&journal)));
    let megabytes = std::fs::metadata(&journal).unwrap().len() >> 20;
    let what = format!("verify {entries} entries ({megabytes} MiB)");
    vec![Row::pair(what, Unit::Seconds, ours, ("SHA-256", plain))]
}

/// A log of so many entries, and a checkpoint over them.
async fn written(entries: u64) -> TempDir {
    let (dir, ledger) = open();
    for number in 0..entries / RUN_ENTRIES {
        let (run, entry) = started(number);
        ledger.append(entry).unwrap();
        for call in 0..RUN_ENTRIES - 2 {
            ledger.append(intent(&run, call)).unwrap();
        }
        let recording = domain::Digest::of(run.as_str().as_bytes());
        let closing =
            Event::RunFinished { run, outcome: Outcome::Succeeded, recording, receipt: None };
        let last = ledger.append(Entry::new(closing, vec![3; 200])).unwrap();
        if number % 1_000 == 0 {
            // Memory is not where a log should pile up.
            ledger.barrier(last).await.unwrap();
        }
    }
    ledger.checkpoint().unwrap();
    dir
}

fn hash(path: &Path) -> [u8; 32] {
    let (mut file, mut hasher) = (File::open(path).unwrap(), Sha256::new());
    let mut chunk = vec![0; 1 << 20];
    loop {
        match file.read(&mut chunk).unwrap() {
            0 => return hasher.finalize().into(),
            length => hasher.update(&chunk[..length]),
        }
    }
}
