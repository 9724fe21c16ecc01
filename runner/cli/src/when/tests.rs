//! Times as people write them, with zones.

use super::*;

fn now() -> Timestamp {
    "2026-11-23T20:00:00Z".parse().unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

#[test]
fn durations_are_sums_of_units() {
    assert_eq!(duration_s("90s"), Ok(90));
    assert_eq!(duration_s("1h30m"), Ok(5400));
    assert_eq!(duration_s("2d"), Ok(172_800));
}

#[test]
fn a_duration_without_unit_is_refused_with_examples() {
    for bad in ["", "5", "h", "0s", "1w", "1h30", "-1h", "99999999999999999999s", "400d", "1é"] {
        let error = duration_s(bad).unwrap_err();
        assert!(error.contains("1h30m"), "{bad}: {error}");
    }
}

#[test]
fn until_takes_a_duration_an_instant_or_a_local_time() {
    let at = |text: &str| time(text, now(), &berlin()).map(|t| t.to_string());
    assert_eq!(at("2h").as_deref(), Ok("2026-11-23T22:00:00Z"));
    assert_eq!(at("2026-11-24T18:00:00+01:00").as_deref(), Ok("2026-11-24T17:00:00Z"));
    assert_eq!(at("2026-11-24 18:00").as_deref(), Ok("2026-11-24T17:00:00Z"));
    assert_eq!(at("2026-11-24 18:00 UTC").as_deref(), Ok("2026-11-24T18:00:00Z"));
    assert_eq!(at("2026-11-24 18:00 America/New_York").as_deref(), Ok("2026-11-24T23:00:00Z"));
    assert!(at("tomorrow").is_err());
    assert!(at("2026-11-24 18:00 Mars/Olympus").is_err());
}

#[test]
fn an_hour_that_the_clock_change_repeats_is_not_guessed() {
    let error = time("2026-10-25 02:30", now(), &berlin()).unwrap_err();
    assert!(error.contains("exists twice"), "{error}");
}

#[test]
fn times_are_shown_local_with_their_offset() {
    assert_eq!(show(now(), &berlin()), "2026-11-23 21:00:00+01:00");
    assert_eq!(show_s(5400), "1h30m");
    assert_eq!(show_s(0), "0s");
}

#[test]
fn what_is_looked_back_to_is_ago_or_a_day_with_a_zone() {
    let at = |text: &str| past(text, now(), &berlin()).map(|t| t.to_string());
    assert_eq!(at("now").as_deref(), Ok("2026-11-23T20:00:00Z"));
    assert_eq!(at("2h").as_deref(), Ok("2026-11-23T18:00:00Z"));
    assert_eq!(at("1d ago").as_deref(), Ok("2026-11-22T20:00:00Z"));
    assert_eq!(at("today 18:00").as_deref(), Ok("2026-11-23T17:00:00Z"));
    assert_eq!(at("yesterday 22:00 Europe/Berlin").as_deref(), Ok("2026-11-22T21:00:00Z"));
    // There it is another day.
    assert_eq!(at("today 01:00 Asia/Tokyo").as_deref(), Ok("2026-11-23T16:00:00Z"));
    assert_eq!(at("yesterday").as_deref(), Ok("2026-11-21T23:00:00Z"));
    assert_eq!(at("2026-11-21T23:00:00Z").as_deref(), Ok("2026-11-21T23:00:00Z"));
    for bad in ["22:00", "yesterday at ten", "-2h", ""] {
        assert!(at(bad).unwrap_err().contains("yesterday 22:00"), "{bad}");
    }
}
