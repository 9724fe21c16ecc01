//! Quotas over time, on a clock that the test moves.

use super::{DAY_MS, HOUR_MS, Kind, QuotaLimits, Quotas};
use crate::AppError;

fn quotas() -> Quotas {
    Quotas::new(QuotaLimits {
        uploads_per_hour_max: 2,
        upload_bytes_per_day_max: 100,
        compile_s_per_hour_max: 1,
        ..QuotaLimits::DEFAULT
    })
}

fn retry_after_s(refused: Result<(), AppError>) -> u64 {
    match refused {
        Err(AppError::Quota { retry_after_s, .. }) => retry_after_s,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_person_gets_so_much_in_a_window_that_begins_with_the_first_use() {
    let (quotas, anna, bob) = (quotas(), "anna".parse().unwrap(), "bob".parse().unwrap());
    let start = 5 * DAY_MS + 17;
    quotas.take(&anna, Kind::Uploads, 1, start).unwrap();
    quotas.take(&anna, Kind::Uploads, 1, start + 1000).unwrap();
    let refused = quotas.take(&anna, Kind::Uploads, 1, start + 60_000);
    assert_eq!(retry_after_s(refused), 3540);
    quotas.take(&bob, Kind::Uploads, 1, start + 60_000).unwrap();
    let refused = quotas.take(&anna, Kind::Uploads, 1, start + HOUR_MS - 1);
    assert_eq!(retry_after_s(refused), 1);
    quotas.take(&anna, Kind::Uploads, 1, start + HOUR_MS).unwrap();
}

#[test]
fn what_is_refused_is_not_counted_and_what_is_charged_is() {
    let (quotas, anna) = (quotas(), "anna".parse().unwrap());
    quotas.take(&anna, Kind::UploadBytes, 60, 0).unwrap();
    retry_after_s(quotas.take(&anna, Kind::UploadBytes, 41, 1));
    quotas.take(&anna, Kind::UploadBytes, 40, 2).unwrap();
    quotas.has_some(&anna, Kind::CompileMs, 0).unwrap();
    quotas.charge(&anna, Kind::CompileMs, 7_000, 0);
    assert_eq!(retry_after_s(quotas.has_some(&anna, Kind::CompileMs, 1_000)), 3599);
    quotas.has_some(&anna, Kind::CompileMs, HOUR_MS).unwrap();
}

#[test]
fn a_clock_that_goes_back_gives_nothing_again() {
    let (quotas, anna) = (quotas(), "anna".parse().unwrap());
    quotas.take(&anna, Kind::Uploads, 2, HOUR_MS).unwrap();
    retry_after_s(quotas.take(&anna, Kind::Uploads, 1, 0));
}
