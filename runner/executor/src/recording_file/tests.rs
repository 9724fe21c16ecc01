//! A recording that a script tries to fill.

use sandbox::Recording;
use sandbox::recording::{Captured, LogLine};

use super::*;

fn line(seq: u64, bytes: usize) -> Event {
    let line = LogLine { level: "info".to_owned(), message: "x".repeat(bytes) };
    Event::Local {
        seq,
        interface: "borescope:debug/log".to_owned(),
        function: "emit".to_owned(),
        args_digest: Digest::of(b""),
        line: Some(line),
        fuel_left: 0,
    }
}

#[test]
fn a_full_recording_refuses_calls_by_name_and_still_takes_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let run: RunId = "run_01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap();
    let mut file = RecordingFile::create(dir.path(), &run).unwrap();
    file.calls_bytes_max = 4096;
    file.add(&line(1, 3000)).unwrap();
    assert!(matches!(file.add(&line(2, 3000)), Err(RecordError::Full(4096))));
    // The call that did not fit left nothing behind: a smaller one is the next.
    file.add(&line(2, 10)).unwrap();
    let end = Captured { bytes: vec![b'x'; 5000], dropped: 0 };
    file.add(&Event::Stdout(end)).unwrap();
    let recorded = file.complete().unwrap();
    let bytes = std::fs::read(complete_path(dir.path(), &run)).unwrap();
    assert_eq!((recorded.bytes, recorded.digest), (bytes.len() as u64, Digest::of(&bytes)));
    // No header here, so the parser refuses the order of events; but every frame is whole.
    let told = Recording::parse_torn(&bytes).unwrap_err().to_string();
    assert!(told.contains("out of place"), "{told}");
}
