//! Times and durations as people type them, and as they read them.
//!
//! What is typed is resolved to UTC before anything is signed; what is printed is local, with its
//! offset. The zone is a parameter ([`crate::config`] finds it out).

use domain::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// Parses `90s`, `30m`, `1h`, `2d` and sums such as `1h30m` to seconds.
///
/// # Errors
/// When it is anything else, zero, or longer than a year.
pub(crate) fn duration_s(text: &str) -> Result<u64, String> {
    let bad =
        || format!("\"{text}\" is not a duration: expected for example 90s, 30m, 1h30m or 2d");
    let mut total: u64 = 0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let number: u64 = rest[..digits].parse().map_err(|_| bad())?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 3600,
            b'd' => 86_400,
            _ => return Err(bad()),
        };
        total = number.checked_mul(unit).and_then(|n| total.checked_add(n)).ok_or_else(bad)?;
        rest = &rest[digits + 1..];
    }
    if (1..=365 * 86_400).contains(&total) { Ok(total) } else { Err(bad()) }
}

/// Parses a point in time to come: a duration from now, or what [`point`] takes.
///
/// # Errors
/// When it is none of these, or does not exist in the zone.
pub(crate) fn time(text: &str, now: Timestamp, local: &TimeZone) -> Result<Timestamp, String> {
    match duration_s(text.trim()) {
        Ok(seconds) => Ok(now.plus_s(i64::try_from(seconds).unwrap_or(i64::MAX))),
        Err(_) => point(text, now, local),
    }
}

/// Parses a point in time that is looked back to: `now`, a duration ago, or what [`point`] takes.
///
/// # Errors
/// When it is none of these, or does not exist in the zone.
pub(crate) fn past(text: &str, now: Timestamp, local: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    match duration_s(text.strip_suffix("ago").unwrap_or(text).trim()) {
        Ok(seconds) => Ok(now.plus_s(-i64::try_from(seconds).unwrap_or(i64::MAX))),
        Err(_) => point(text, now, local),
    }
}

/// RFC 3339 with an offset, or `2026-11-24 18:00`, `today 18:00`, `yesterday`: local, or with an IANA
/// zone behind it.
fn point(text: &str, now: Timestamp, local: &TimeZone) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(t) = text.parse::<jiff::Timestamp>() {
        return Ok(Timestamp::from_unix_s(t.as_second()));
    }
    let bad = || {
        format!(
            "\"{text}\" is not a time: expected for example 2h, 2026-11-24T18:00:00Z, \
             \"yesterday 22:00\", \"2026-11-24 18:00\" or \"2026-11-24 18:00 Europe/Berlin\""
        )
    };
    let (civil, zone) = match text.rsplit_once(' ') {
        Some((civil, zone)) if zone.contains('/') || zone == "UTC" => {
            (civil.trim(), TimeZone::get(zone).map_err(|_| bad())?)
        }
        _ => (text, local.clone()),
    };
    let (day, clock) = civil.split_once(' ').unwrap_or((civil, ""));
    let here = jiff::Timestamp::from_second(now.unix_s()).map_err(|_| bad())?;
    let today = here.to_zoned_datetime(zone.clone()).date();
    let date = match day {
        "today" => today.to_string(),
        "yesterday" => today.yesterday().map_err(|_| bad())?.to_string(),
        date => date.to_owned(),
    };
    let civil: DateTime = format!("{date} {clock}").trim().parse().map_err(|_| bad())?;
    let zoned = zone
        .to_ambiguous_zoned_datetime(civil)
        .unambiguous()
        .map_err(|_| format!("\"{text}\" does not exist or exists twice: give an offset, as in 2026-10-25T02:30:00+01:00"))?;
    Ok(Timestamp::from_unix_s(zoned.timestamp().as_second()))
}

/// A point in time for people: local, with offset.
pub(crate) fn show(t: Timestamp, local: &TimeZone) -> String {
    match jiff::Timestamp::from_second(t.unix_s()) {
        Ok(point) => {
            point.to_zoned_datetime(local.clone()).strftime("%Y-%m-%d %H:%M:%S%:z").to_string()
        }
        Err(_) => t.to_string(),
    }
}

/// A length of time for people: `2d 3h`, `90s`.
pub(crate) fn show_s(seconds: u64) -> String {
    let units = [(86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (size, unit) in units {
        if left >= size {
            parts.push(format!("{}{unit}", left / size));
            left %= size;
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join("") }
}

#[cfg(test)]
mod tests;
