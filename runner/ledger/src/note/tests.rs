//! Our vectors, and every note that must not pass.

use super::{KeyError, LogKey, NOTE_BYTES_MAX, Note, NoteError, Origin, VerifierKey};

const CHECKPOINT: &str = include_str!("../../testdata/checkpoint.txt");
const LOG_VKEY: &str =
    "audit.example.com/dbg/prod+9490bea8+AaCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw";

fn log_key() -> LogKey {
    LogKey::from_seed("audit.example.com/dbg/prod".parse().unwrap(), &[0x22; 32])
}

/// The witness of the vectors: seed 33×32, type 0x04.
fn witness_vkey() -> VerifierKey {
    witness(0x04)
}

fn witness(kind: u8) -> VerifierKey {
    use base64::Engine as _;
    use sha2::Digest as _;
    let name = "witness.example.org/w1";
    let public = ed25519_dalek::SigningKey::from_bytes(&[0x33; 32]).verifying_key();
    let blob = [&[kind][..], public.as_bytes()].concat();
    let id = sha2::Sha256::digest([name.as_bytes(), b"\n", &blob].concat());
    let blob = base64::engine::general_purpose::STANDARD.encode(blob);
    format!("{name}+{}+{blob}", hex::encode(&id[..4])).parse().unwrap()
}

#[test]
fn vkey_of_the_vectors_prints_as_it_was_parsed() {
    let key: VerifierKey = LOG_VKEY.parse().unwrap();
    assert_eq!(key.to_string(), LOG_VKEY);
    assert_eq!(log_key().verifier(), &key);
}

#[test]
fn log_signature_and_cosignature_of_the_vectors() {
    let note = Note::parse(CHECKPOINT).unwrap();
    assert_eq!(note.to_string(), CHECKPOINT);
    note.verify(&LOG_VKEY.parse().unwrap()).unwrap();
    assert_eq!(note.verify_cosignature(&witness_vkey()), Ok(1_795_464_000));
    let signed = Note::sign(note.body(), &log_key()).unwrap().to_string();
    assert!(CHECKPOINT.starts_with(&signed), "ed25519 is deterministic: {signed}");
}

#[test]
fn no_changed_byte_of_a_signed_text_passes() {
    let key = LOG_VKEY.parse().unwrap();
    let witness = witness_vkey();
    for i in 0..CHECKPOINT.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut bytes = CHECKPOINT.as_bytes().to_vec();
            bytes[i] ^= flip;
            let Ok(text) = String::from_utf8(bytes) else {
                continue;
            };
            let Ok(note) = Note::parse(&text) else {
                continue;
            };
            let both = note.verify(&key).is_ok() && note.verify_cosignature(&witness).is_ok();
            assert!(!both, "byte {i} changed by {flip:#x}: {text}");
        }
    }
}

#[test]
fn a_cosignature_is_not_a_log_signature() {
    let note = Note::parse(CHECKPOINT).unwrap();
    let unsigned = |name: &str| NoteError::Unsigned(name.parse::<Origin>().unwrap());
    assert_eq!(note.verify(&witness_vkey()), Err(unsigned("witness.example.org/w1")));
    assert_eq!(note.verify(&witness(0x01)), Err(unsigned("witness.example.org/w1")));
    let log = LOG_VKEY.parse().unwrap();
    assert_eq!(note.verify_cosignature(&log), Err(unsigned("audit.example.com/dbg/prod")));
}

#[test]
fn another_log_of_the_same_key_is_not_this_log() {
    let body = Note::parse(CHECKPOINT).unwrap().body().to_owned();
    let other = LogKey::from_seed("audit.example.com/dbg/test".parse().unwrap(), &[0x22; 32]);
    let note = Note::sign(&body, &other).unwrap();
    assert!(matches!(note.verify(&LOG_VKEY.parse().unwrap()), Err(NoteError::Unsigned(_))));
    // Renaming the line does not help: the id is over the name.
    let renamed = note.to_string().replace("dbg/test ", "dbg/prod ");
    let renamed = Note::parse(&renamed).unwrap();
    assert!(matches!(renamed.verify(&LOG_VKEY.parse().unwrap()), Err(NoteError::Unsigned(_))));
}

#[test]
fn malformed_notes_are_refused() {
    let sig = "\u{2014} a AAAAAAAA";
    for (text, why) in [
        (String::new(), "empty line"),
        ("text\n".to_owned(), "empty line"),
        (format!("text\n\n{sig}"), "newline at the end"),
        ("text\n\n\n".to_owned(), "newline at the end"),
        (format!("text\n\n{sig}\nx\n"), "em dash"),
        ("text\n\n- a AAAAAAAA\n".to_owned(), "em dash"),
        ("text\n\n\u{2014} a AAA\n".to_owned(), "base64"),
        ("text\n\n\u{2014} a AAAA\n".to_owned(), "key id"),
        ("text\n\n\u{2014} a AAAAAA==\n".to_owned(), "empty signature"),
        ("text\n\n\u{2014} a+b AAAAAAAA\n".to_owned(), "name"),
        (format!("te\tt\n\n{sig}\n"), "control"),
        (format!("te\rt\n\n{sig}\n"), "control"),
        (format!("text\n\n{sig}\n{sig}\n"), "by one key"),
        (format!("{}\n\n{sig}\n", "x".repeat(NOTE_BYTES_MAX)), "16 KiB"),
        (
            (0..17).fold("text\n\n".to_owned(), |t, i| format!("{t}\u{2014} n{i} AAAAAAAA\n")),
            "16 signatures",
        ),
    ] {
        let error = Note::parse(&text).unwrap_err().to_string();
        assert!(error.contains(why), "{text:?} gave {error:?}, expected {why:?}");
    }
}

#[test]
fn damaged_vkeys_are_refused() {
    for (text, error) in [
        ("", KeyError::Form),
        ("name+9490bea8", KeyError::Form),
        ("audit.example.com/dbg/prod+9490bea8+AaCapfR6", KeyError::Form),
        ("au dit+9490bea8+AaCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw", KeyError::Name),
        (
            "audit.example.com/dbg/prod+9490bea9+AaCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw",
            KeyError::Id,
        ),
        (
            "audit.example.com/dbg/prod+9490BEA8+AaCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw",
            KeyError::Id,
        ),
        (
            "audit.example.com/dbg/prod+9490bea8+BqCapfR6Z1mAL/lV+NwtKhSlyZ0jvpf4ZBJ/+Tg0VaTw",
            KeyError::Algorithm(6),
        ),
        // The neutral element: of small order, every signature by it is a forgery.
        ("a+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", KeyError::Point),
    ] {
        assert_eq!(text.parse::<VerifierKey>().unwrap_err(), error, "{text}");
    }
}

#[test]
fn the_secret_is_not_printed() {
    let printed = format!("{:?}", log_key());
    assert!(printed.contains("audit.example.com") && !printed.contains("2222"), "{printed}");
}
