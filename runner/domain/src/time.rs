//! Points in time as signed documents carry them: RFC 3339, UTC, `Z`, whole seconds.

use std::fmt;
use std::str::FromStr;

use crate::ParseError;

/// Seconds since the Unix epoch, 1970 to 9999.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// 9999-12-30T22:00:00Z, the last second that the calendar library prints in four-digit years.
const UNIX_S_MAX: i64 = 253_402_207_200;

impl Timestamp {
    /// From Unix seconds; values outside 1970–9999 are clamped, so that arithmetic on signed
    /// documents cannot overflow.
    #[must_use]
    pub const fn from_unix_s(seconds: i64) -> Self {
        if seconds < 0 {
            Self(0)
        } else if seconds > UNIX_S_MAX {
            Self(UNIX_S_MAX)
        } else {
            Self(seconds)
        }
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub const fn unix_s(self) -> i64 {
        self.0
    }

    /// This point moved by `seconds`, clamped to the range of the type.
    #[must_use]
    pub const fn plus_s(self, seconds: i64) -> Self {
        Self::from_unix_s(self.0.saturating_add(seconds))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_second(self.0) {
            Ok(t) => write!(f, "{}", t.strftime("%Y-%m-%dT%H:%M:%SZ")),
            Err(_) => Err(fmt::Error),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = ParseError;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        let bad = || {
            ParseError::new(
                "time",
                s,
                "RFC 3339 in UTC with whole seconds, as 2026-11-23T20:00:00Z",
            )
        };
        let parsed: jiff::Timestamp = s.parse().map_err(|_| bad())?;
        let t = Self::from_unix_s(parsed.as_second());
        // One text per value: what does not print back as it came is refused.
        if t.to_string() == s { Ok(t) } else { Err(bad()) }
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = <String as serde::Deserialize>::deserialize(d)?;
        s.parse().map_err(serde::de::Error::custom)
    }
}
