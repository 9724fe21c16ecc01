//! Crashes leave prefixes, which are cut; everything else that can happen to a file is damage.

use std::path::Path;

use super::{CHECKPOINT_FILE, JOURNAL_FILE, JournalError, Scan};
use crate::evidence::verify_journal;
use crate::ledger::{Ledger, OpenError};
use crate::testing::{open, options, whole_run};

/// A journal with one run, and the ends of its frames.
fn journal(dir: &Path) -> (Vec<u8>, Vec<u64>) {
    let (ledger, _) = open(dir);
    for entry in whole_run(1, 2) {
        ledger.append(entry).unwrap();
    }
    drop(ledger);
    let bytes = std::fs::read(dir.join(JOURNAL_FILE)).unwrap();
    let mut scan = Scan::open(&dir.join(JOURNAL_FILE)).unwrap();
    let mut ends = vec![scan.offset()];
    while scan.next_entry().unwrap().is_some() {
        ends.push(scan.offset());
    }
    assert_eq!(scan.torn_bytes(), 0);
    (bytes, ends)
}

fn write(dir: &Path, bytes: &[u8]) {
    std::fs::write(dir.join(JOURNAL_FILE), bytes).unwrap();
}

fn refusal(dir: &Path) -> String {
    match Ledger::open(options(dir)) {
        Ok(_) => "opened".to_owned(),
        Err(OpenError::Journal(e)) => e.to_string(),
        Err(e) => e.to_string(),
    }
}

#[test]
fn a_crash_at_any_byte_of_the_last_three_frames_loses_only_the_torn_entry() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = journal(dir.path());
    let first = usize::try_from(ends[ends.len() - 4]).unwrap();
    for cut in first..=bytes.len() {
        write(dir.path(), &bytes[..cut]);
        let whole = ends.iter().filter(|end| **end <= cut as u64).count();
        let torn = cut as u64 - ends[whole - 1];
        let (ledger, recovered) = open(dir.path());
        assert_eq!(recovered.torn_bytes, torn, "cut at {cut}");
        assert_eq!(recovered.map(Result::unwrap).count(), whole - 1, "cut at {cut}");
        drop(ledger);
        let report = verify_journal(dir.path(), None).unwrap();
        assert_eq!((report.entries, report.torn_bytes), (whole as u64, 0), "cut at {cut}");
    }
}

#[test]
fn zeros_that_a_power_cut_left_are_a_torn_tail() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = journal(dir.path());
    for zeros in [1, 47, 48, 49, 5000] {
        write(dir.path(), &[&bytes[..], &vec![0; zeros]].concat());
        let (_, recovered) = open(dir.path());
        assert_eq!(recovered.torn_bytes, zeros as u64);
        assert_eq!(recovered.count(), ends.len() - 1);
    }
    // But not when something follows them.
    write(dir.path(), &[&bytes[..], &[0; 100], b"x"].concat());
    assert!(refusal(dir.path()).contains("damaged in entry 7"), "{}", refusal(dir.path()));
}

#[test]
fn no_changed_byte_is_overlooked_and_nothing_is_repaired() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = journal(dir.path());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 0x41;
        write(dir.path(), &changed);
        assert_ne!(refusal(dir.path()), "opened", "byte {at}");
        assert!(verify_journal(dir.path(), None).is_err(), "byte {at}");
        assert_eq!(std::fs::read(dir.path().join(JOURNAL_FILE)).unwrap(), changed);
        if at as u64 >= ends[0] {
            let index = ends.iter().filter(|end| **end <= at as u64).count() - 1;
            let place = format!("entry {index}, at byte {}", ends[index]);
            assert!(refusal(dir.path()).contains(&place), "byte {at}: {}", refusal(dir.path()));
        }
    }
}

#[test]
fn a_removed_repeated_or_swapped_frame_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, ends) = journal(dir.path());
    let ends: Vec<usize> = ends.iter().map(|e| usize::try_from(*e).unwrap()).collect();
    let frame = |i: usize| &bytes[ends[i]..ends[i + 1]];
    let head = &bytes[..ends[2]];
    for changed in [
        [head, &bytes[ends[3]..]].concat(),
        [head, frame(2), frame(2), &bytes[ends[3]..]].concat(),
        [head, frame(3), frame(2), &bytes[ends[4]..]].concat(),
    ] {
        write(dir.path(), &changed);
        let refused = refusal(dir.path());
        assert!(refused.contains("damaged in entry"), "{refused}");
    }
}

#[test]
fn another_file_is_not_a_journal() {
    let dir = tempfile::tempdir().unwrap();
    for bytes in
        [&b""[..], b"borescope-journal v1 ", b"borescope-journal v2 a\n", b"\n", &[b'x'; 4000]]
    {
        write(dir.path(), bytes);
        let scan = Scan::open(&dir.path().join(JOURNAL_FILE));
        assert!(matches!(scan, Err(JournalError::NotAJournal { .. })), "{bytes:?}");
    }
    assert!(!dir.path().join(CHECKPOINT_FILE).exists());
}
