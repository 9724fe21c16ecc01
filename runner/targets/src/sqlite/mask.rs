//! Masks as SQLite's inner views compute them: functions of ours over the raw value.
//!
//! A column's values have types of their own, whatever it is declared as, so each mask says what
//! becomes of each. NULL stays NULL under all of them. What a mask is not for reads `***`: it is
//! hidden, but not absent. What comes out is a text, but for `null`, and for the numbers of `bucket`;
//! a masked column has no declared type.
//!
//! | mask            | integer          | real             | text             | blob             |
//! |-----------------|------------------|------------------|------------------|------------------|
//! | `null`          | NULL             | NULL             | NULL             | NULL             |
//! | `full`          | `***`            | `***`            | `***`            | `***`            |
//! | `partial`       | ends of its text | `***`            | ends             | `***`            |
//! | `email`         | `***`            | `***`            | letter and domain| `***`            |
//! | `keyed-hash`    | hash of its text | hash of its text | hash of its bytes| hash of its bytes|
//! | `bucket`        | integer          | real             | `***`            | `***`            |
//! | `date-truncate` | `***`            | `***`            | ISO 8601 in UTC  | `***`            |
//!
//! A whole real has the text of the integer that it equals. A text that is not UTF-8, or has a NUL, is
//! as a blob. A number as a moment is hidden: seconds read as milliseconds would show too much.
//!
//! Nothing here fails on a value, and no message quotes one.

use domain::Mask;
use domain::mask::{DateUnit, PARTIAL_TIMES};
use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};
use rusqlite::types::{Value, ValueRef};
use sha2::{Digest as _, Sha256};

use crate::form::has_form;
use crate::{HashKey, HashKeys};

/// What a hidden value reads.
const HIDDEN: &str = "***";
/// Bytes of the longest e-mail address that there is; what is longer is none.
const EMAIL_BYTES_MAX: usize = 320;

/// A mask, ready to compute.
pub(super) struct Masker {
    mask: Mask,
    key: Option<HashKey>,
}

/// A hashed column whose key is not there.
#[derive(Debug, thiserror::Error)]
#[error("the session has no key for this class")]
pub(super) struct NoKey;

impl Masker {
    /// A mask with its key, if it needs one.
    pub(super) fn new(mask: &Mask, keys: &HashKeys) -> Self {
        let key = match mask {
            Mask::KeyedHash { class } => keys.get(class).cloned(),
            _ => None,
        };
        Self { mask: mask.clone(), key }
    }

    /// What stands in the value's place.
    pub(super) fn apply(&self, raw: ValueRef<'_>) -> Result<Value, NoKey> {
        if raw == ValueRef::Null {
            return Ok(Value::Null);
        }
        let shown = match &self.mask {
            Mask::Null => return Ok(Value::Null),
            Mask::Full => None,
            Mask::Partial { keep_first, keep_last } => {
                partial(raw, *keep_first, *keep_last).map(Value::Text)
            }
            Mask::Email => text(raw).and_then(email).map(Value::Text),
            Mask::KeyedHash { .. } => {
                let key = self.key.as_ref().ok_or(NoKey)?;
                Some(Value::Text(hash(key, raw)))
            }
            Mask::Bucket { width } => bucket(raw, *width),
            Mask::DateTruncate { unit } => {
                text(raw).and_then(|moment| truncate(moment, *unit)).map(Value::Text)
            }
        };
        Ok(shown.unwrap_or_else(|| Value::Text(HIDDEN.to_owned())))
    }
}

/// The value as a text, if it is one.
fn text(raw: ValueRef<'_>) -> Option<&str> {
    match raw {
        ValueRef::Text(bytes) => std::str::from_utf8(bytes).ok().filter(|t| !t.contains('\0')),
        _ => None,
    }
}

fn partial(raw: ValueRef<'_>, keep_first: u64, keep_last: u64) -> Option<String> {
    let digits;
    let whole = match raw {
        ValueRef::Integer(i) => {
            digits = i.to_string();
            &digits
        }
        other => text(other)?,
    };
    let count = whole.chars().count();
    // Policy has at most eight of each.
    let (first, last) = (usize::try_from(keep_first).ok()?, usize::try_from(keep_last).ok()?);
    if (count as u64) < keep_first.saturating_add(keep_last).saturating_mul(PARTIAL_TIMES) {
        return None;
    }
    let start: String = whole.chars().take(first).collect();
    let end: String = whole.chars().skip(count - last).collect();
    Some(format!("{start}{HIDDEN}{end}"))
}

/// The first character where the name has more, and the domain.
fn email(address: &str) -> Option<String> {
    if address.len() > EMAIL_BYTES_MAX {
        return None;
    }
    let (name, domain) = address.split_once('@')?;
    let is_label =
        |l: &str| !l.is_empty() && l.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
    if !domain.contains('.') || !domain.split('.').all(is_label) {
        return None;
    }
    let mut letters = name.chars();
    let first = letters.next()?;
    Some(match letters.next() {
        Some(_) => format!("{first}{HIDDEN}@{domain}"),
        None => format!("{HIDDEN}@{domain}"),
    })
}

/// HMAC-SHA256 in hexadecimal digits.
fn hash(key: &HashKey, raw: ValueRef<'_>) -> String {
    let number;
    let bytes: &[u8] = match raw {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Integer(i) => {
            number = i.to_string();
            number.as_bytes()
        }
        ValueRef::Real(f) => {
            // The two zeros are equal.
            number = if f == 0.0 { "0".to_owned() } else { f.to_string() };
            number.as_bytes()
        }
        ValueRef::Null => &[],
    };
    let [inner, outer] = key.pads();
    let message = Sha256::new().chain_update(*inner).chain_update(bytes).finalize();
    let hash = Sha256::new().chain_update(*outer).chain_update(message).finalize();
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The multiple of `width` at or below a number, or the type's lowest.
fn bucket(raw: ValueRef<'_>, width: u64) -> Option<Value> {
    let width = i64::try_from(width).ok().filter(|w| *w > 0)?;
    match raw {
        ValueRef::Integer(i) => {
            let down = i.div_euclid(width).checked_mul(width);
            Some(Value::Integer(down.unwrap_or(i64::MIN)))
        }
        ValueRef::Real(f) => {
            // Exact: policy's widths fit a double.
            #[expect(clippy::cast_precision_loss, reason = "a width has 53 bits at most")]
            let wide = width as f64;
            let down = match f {
                f if f.abs() >= 1.0 => (f / wide).floor() * wide,
                // The division of a tiny one gives zero.
                f if f < 0.0 => -wide,
                _ => 0.0,
            };
            Some(Value::Real(down))
        }
        _ => None,
    }
}

/// `yyyy-mm-dd`, and a time of the day behind it in SQLite's form or that of RFC 3339, in UTC. The
/// form stays, with zeros in it.
fn truncate(moment: &str, unit: DateUnit) -> Option<String> {
    let (date, time) = moment.split_at_checked(10)?;
    let day = read_date(date)?;
    let time = read_time(time)?;
    let day = match unit {
        DateUnit::Hour | DateUnit::Day => day,
        DateUnit::Week => {
            let since = day.weekday().since(Weekday::Monday);
            day.checked_sub(i64::from(since).days()).ok().filter(|d| d.year() >= 0)?
        }
        DateUnit::Month => day.first_of_month(),
        DateUnit::Quarter => Date::new(day.year(), (day.month() - 1) / 3 * 3 + 1, 1).ok()?,
        DateUnit::Year => day.first_of_year(),
    };
    let zeros = |digits: &str| digits.replace(|c: char| c.is_ascii_digit(), "0");
    let time = match time {
        None => String::new(),
        Some(Time { separator, hour, rest, zone }) => {
            let hour = if unit == DateUnit::Hour { hour } else { "00" };
            format!("{separator}{hour}{}{zone}", zeros(rest))
        }
    };
    Some(format!("{:04}-{:02}-{:02}{time}", day.year(), day.month(), day.day()))
}

fn read_date(date: &str) -> Option<Date> {
    if !has_form(date, "dddd-dd-dd") {
        return None;
    }
    Date::new(date[..4].parse().ok()?, date[5..7].parse().ok()?, date[8..].parse().ok()?).ok()
}

/// A time of the day in its parts.
struct Time<'t> {
    separator: &'t str,
    hour: &'t str,
    /// Minutes and what is behind them.
    rest: &'t str,
    zone: &'t str,
}

/// `None` for what is no time; `Some(None)` for nothing at all.
fn read_time(time: &str) -> Option<Option<Time<'_>>> {
    if time.is_empty() {
        return Some(None);
    }
    let (separator, time) = time.split_at_checked(1)?;
    let zone_at = ["Z", "+00:00"].iter().find_map(|z| time.strip_suffix(z).map(str::len));
    let (clock, zone) = time.split_at(zone_at.unwrap_or(time.len()));
    let (whole, fraction) = match clock.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (clock, None),
    };
    let is_fraction = |f: &str| (1..=9).contains(&f.len()) && f.bytes().all(|c| c.is_ascii_digit());
    let has_seconds = has_form(whole, "dd:dd:dd");
    let is_clock = (has_seconds || (has_form(whole, "dd:dd") && fraction.is_none()))
        && fraction.is_none_or(is_fraction)
        && whole.split(':').zip(["23", "59", "59"]).all(|(part, most)| part <= most);
    let fits = is_clock && matches!(separator, " " | "T");
    let (hour, rest) = clock.split_at_checked(2)?;
    fits.then_some(Some(Time { separator, hour, rest, zone }))
}

#[cfg(test)]
mod tests;
