//! PostgreSQL's binary dates and times as text: RFC 3339 where that can say it, else the text that
//! PostgreSQL itself would print.

use domain::Value;

/// Days from 1970-01-01 to PostgreSQL's zero, 2000-01-01.
const EPOCH_DAYS: i64 = 10_957;
const DAY_US: i64 = 86_400_000_000;

/// `YYYY-MM-DD`, `infinity` or `-infinity`.
pub(super) fn date(days: i32) -> String {
    match days {
        i32::MAX => "infinity".into(),
        i32::MIN => "-infinity".into(),
        days => {
            let mut text = String::with_capacity(16);
            let era = push_date(&mut text, days.into());
            text.push_str(era);
            text
        }
    }
}

/// `HH:MM:SS` and the fraction that it has; the end of a day is `24:00:00`.
pub(super) fn time(us: i64) -> String {
    let mut text = String::with_capacity(16);
    push_time(&mut text, us);
    text
}

/// Without a zone, hence without saying which moment it is.
pub(super) fn timestamp(us: i64) -> String {
    moment(us, "").unwrap_or_else(|text| text)
}

/// A moment in UTC. Years that RFC 3339 cannot write keep PostgreSQL's text.
pub(super) fn timestamptz(us: i64) -> Value {
    match moment(us, "Z") {
        Ok(text) => Value::Timestamp(text),
        Err(text) => Value::Other("timestamptz".into(), text),
    }
}

/// `Err` is the form of PostgreSQL, for years before 1 and after 9999.
fn moment(us: i64, zone: &str) -> Result<String, String> {
    match us {
        i64::MAX => return Ok("infinity".into()),
        i64::MIN => return Ok("-infinity".into()),
        _ => {}
    }
    let days = us.div_euclid(DAY_US);
    let mut text = String::with_capacity(32);
    let era = push_date(&mut text, days);
    let plain = text.len() == 10 && era.is_empty();
    text.push(if plain { 'T' } else { ' ' });
    push_time(&mut text, us.rem_euclid(DAY_US));
    text.push_str(match (plain, zone) {
        (false, "Z") => "+00",
        _ => zone,
    });
    text.push_str(era);
    if plain { Ok(text) } else { Err(text) }
}

/// Writes the date; gives what follows everything else for years before 1.
fn push_date(text: &mut String, days: i64) -> &'static str {
    let (year, month, day) = civil(days + EPOCH_DAYS);
    let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    if year > 9_999 {
        text.push_str(&year.to_string());
    } else {
        push_two(text, year / 100);
        push_two(text, year % 100);
    }
    text.push('-');
    push_two(text, month);
    text.push('-');
    push_two(text, day);
    era
}

fn push_time(text: &mut String, us: i64) {
    let seconds = us / 1_000_000;
    push_two(text, seconds / 3_600);
    text.push(':');
    push_two(text, seconds / 60 % 60);
    text.push(':');
    push_two(text, seconds % 60);
    let fraction = us % 1_000_000;
    if fraction != 0 {
        text.push('.');
        push_two(text, fraction / 10_000);
        push_two(text, fraction / 100 % 100);
        push_two(text, fraction % 100);
        text.truncate(text.trim_end_matches('0').len());
    }
}

/// Two digits of a number below 100.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is below 100")]
fn push_two(text: &mut String, n: i64) {
    text.push(char::from(b'0' + (n / 10) as u8));
    text.push(char::from(b'0' + (n % 10) as u8));
}

/// Year, month and day of the proleptic Gregorian calendar from days since 1970-01-01. Years are
/// counted from March, so that the leap day is a year's last; 400 of them have 146,097 days.
fn civil(days: i64) -> (i64, i64, i64) {
    let from_march_0 = days + 719_468;
    let (cycle, day) = (from_march_0.div_euclid(146_097), from_march_0.rem_euclid(146_097));
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day_of_year = day - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day_of_month = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (cycle * 400 + year + i64::from(month <= 2), month, day_of_month)
}
