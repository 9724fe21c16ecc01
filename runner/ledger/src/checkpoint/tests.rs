//! One text per checkpoint, and no other text is one.

use super::{Checkpoint, CheckpointError};
use crate::note::LogKey;

const CHECKPOINT: &str = include_str!("../../testdata/checkpoint.txt");

#[test]
fn vector_reads_and_writes() {
    let (checkpoint, note) = Checkpoint::parse(CHECKPOINT).unwrap();
    assert_eq!(checkpoint.origin.as_str(), "audit.example.com/dbg/prod");
    assert_eq!(checkpoint.size, 3);
    assert_eq!(
        checkpoint.root.hex(),
        "e05ea5064dca13ea05be3f5a4038e4146cc082e81432141db2e21e86cdb0231e"
    );
    assert_eq!(checkpoint.to_string(), note.body());
    let key = LogKey::from_seed(checkpoint.origin.clone(), &[0x22; 32]);
    assert!(CHECKPOINT.starts_with(&checkpoint.sign(&key).unwrap().to_string()));
}

#[test]
fn other_texts_are_refused() {
    let root = "4F6lBk3KE+oFvj9aQDjkFGzAgugUMhQdsuIehs2wIx4=";
    for body in [
        "",
        "\n",
        "log\n3\n",
        &format!("log\n3\n{root}"),
        &format!("log\n3\n{root}\nextension\n"),
        &format!("log\n03\n{root}\n"),
        &format!("log\n+3\n{root}\n"),
        &format!("log\n-3\n{root}\n"),
        &format!("log\n18446744073709551616\n{root}\n"),
        &format!("l og\n3\n{root}\n"),
        &format!("\n3\n{root}\n"),
        "log\n3\nAAAA\n",
        &format!("log\n3\n{}\n", root.trim_end_matches('=')),
        &format!("log\r\n3\r\n{root}\r\n"),
    ] {
        let parsed = Checkpoint::parse_body(body);
        assert!(matches!(parsed, Err(CheckpointError::Malformed(_))), "{body:?}: {parsed:?}");
    }
}

#[test]
fn a_log_does_not_sign_for_another() {
    let (checkpoint, _) = Checkpoint::parse(CHECKPOINT).unwrap();
    let key = LogKey::from_seed("other".parse().unwrap(), &[0x22; 32]);
    assert!(matches!(checkpoint.sign(&key), Err(CheckpointError::Malformed(_))));
}
