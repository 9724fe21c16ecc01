//! The table of errors: what people and programs are told.

use std::io;

use api::Code;
use app::AppError;
use domain::Digest;
use ledger::ReadError;
use store::{BlobError, StoreError};

use crate::problem::describe;

fn disk() -> io::Error {
    io::Error::other("SECRET: /var/lib/borescope is gone")
}

fn table() -> Vec<(AppError, Code)> {
    let digest = Digest::of(b"x");
    let name = || "it".to_owned();
    let parse = "x".parse::<Digest>().unwrap_err();
    let path = || "/var/lib/SECRET".into();
    vec![
        (AppError::Unauthorized("log in"), Code::Unauthorized),
        (AppError::Forbidden { what: name(), help: "ask" }, Code::Forbidden),
        (AppError::NotFound(name()), Code::NotFound),
        (AppError::BadRequest(name()), Code::BadRequest),
        (AppError::Parse(parse), Code::BadRequest),
        (AppError::Conflict { what: name(), existing: digest }, Code::Conflict),
        (AppError::TooLarge { what: name(), bytes_max: 1 }, Code::TooLarge),
        (AppError::Busy { what: "the queue", max: 1 }, Code::RateLimited),
        (AppError::Quota { what: "uploads", max: 1, retry_after_s: 5 }, Code::QuotaExceeded),
        (AppError::KeyReused, Code::IdempotencyKeyReused),
        (AppError::KeyInUse, Code::IdempotencyKeyInUse),
        (AppError::Stopping, Code::Unavailable),
        (AppError::ReadOnly(name()), Code::ReadOnly),
        (AppError::Document { doc: "review", problem: name() }, Code::DocumentInvalid),
        (AppError::Bundle(name()), Code::BundleInvalid),
        (AppError::NoEvidence("none"), Code::NotFound),
        (AppError::Recording(disk()), Code::Internal),
        (AppError::EntryUnreadable { index: 1, what: "review" }, Code::Internal),
        (AppError::Store(StoreError::Full { what: "challenges", max: 1 }), Code::RateLimited),
        (AppError::Store(StoreError::Exists { what: "run", key: name() }), Code::Conflict),
        (AppError::Store(StoreError::Absent { what: "run", key: name() }), Code::NotFound),
        (AppError::Store(StoreError::NoLedgerEntry { what: "SECRET" }), Code::Internal),
        (AppError::Blobs(BlobError::Quota { max: 1 }), Code::TooLarge),
        (AppError::Blobs(BlobError::Differs { wanted: digest, got: digest }), Code::BadRequest),
        (
            AppError::Blobs(BlobError::Io { doing: "read", path: path(), source: disk() }),
            Code::Internal,
        ),
        (AppError::Log(ReadError::NotThere { index: 9, size: 1 }), Code::NotFound),
        (AppError::Log(ReadError::Io { index: 1, source: disk() }), Code::Internal),
    ]
}

#[test]
fn every_error_has_the_code_that_programs_rely_on() {
    for (error, expected) in table() {
        let (code, detail, help) = describe(&error);
        assert_eq!(code, expected, "{error:?}");
        assert!(!detail.is_empty() && !help.is_empty(), "{error:?} says what would help");
    }
}

#[test]
fn what_is_ours_to_mend_tells_callers_nothing_about_the_machine() {
    for (error, code) in table() {
        let (_, detail, help) = describe(&error);
        assert!(!detail.contains("SECRET") && !help.contains("SECRET"), "{code}: {detail}");
    }
}
