//! One changed byte anywhere in a recording is found, and the call it belongs to is named.

use super::guests::{HELLO, MUST_OPEN, NEXT, OPEN_RECENT, guest};
use super::host::{FakeHost, run};
use crate::recording::{Recording, RecordingError};

async fn file() -> (FakeHost, Vec<u8>) {
    let mut host = FakeHost::with_rows(&[2, 0]);
    run(guest(&format!("{HELLO}{OPEN_RECENT}{MUST_OPEN}{NEXT}")), &mut host).await;
    let file = host.file();
    (host, file)
}

#[tokio::test]
async fn a_recording_reads_back_as_it_was_written() {
    let (host, file) = file().await;
    let recording = Recording::parse(&file).unwrap();
    assert_eq!(recording.events(), host.events);
    assert!(recording.header().is_some() && recording.end().is_some());
}

#[tokio::test]
async fn every_changed_byte_is_found() {
    let (_, file) = file().await;
    for at in 0..file.len() {
        let mut bad = file.clone();
        bad[at] ^= 1;
        assert!(Recording::parse(&bad).is_err(), "byte {at}");
    }
}

#[tokio::test]
async fn a_changed_cell_names_its_call() {
    let (_, file) = file().await;
    let needle = b"{\"int64\":1}";
    let at = file.windows(needle.len()).position(|w| w == needle).unwrap();
    let mut bad = file;
    bad[at + 9] = b'2';
    let told = Recording::parse(&bad).unwrap_err();
    assert!(matches!(told, RecordingError::Frame { call: Some(3), .. }), "{told}");
    assert!(told.to_string().contains("(call 3)"));
}

#[tokio::test]
async fn frames_out_of_order_are_found() {
    let (mut host, _) = file().await;
    host.events.swap(1, 2);
    assert!(matches!(Recording::parse(&host.file()), Err(RecordingError::Frame { frame: 1, .. })));
}

#[test]
fn another_format_is_not_guessed() {
    assert_eq!(Recording::parse(b"BORESREC\x02"), Err(RecordingError::Magic));
    assert_eq!(Recording::parse(b""), Err(RecordingError::Magic));
}
