//! The macro behind every bounded text: parse once at the edge, print as it was.
//!
//! Neighbours: [`crate::names`] and [`crate::ids`] list the types; nothing else builds them.

use std::fmt;

/// Why a text is not what its type promises: what was found, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    /// The type that was wanted, in words: "run id".
    pub what: &'static str,
    /// The text that was given, neutralised and cut to 80 characters.
    pub got: String,
    /// What would have been accepted.
    pub expected: &'static str,
}

impl ParseError {
    /// An error for `got`, which is neutralised and cut.
    #[must_use]
    pub fn new(what: &'static str, got: &str, expected: &'static str) -> Self {
        let got = crate::display::neutralise(&got.chars().take(80).collect::<String>());
        Self { what, got, expected }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" is no {}: expected {}", self.got, self.what, self.expected)
    }
}

impl std::error::Error for ParseError {}

/// Defines a text newtype with `parse`, `Display`, serde as a string, and a validity rule.
macro_rules! text_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text, exactly as it was parsed.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::ParseError;
            fn from_str(s: &str) -> Result<Self, Self::Err> {
                let valid: fn(&str) -> bool = $valid;
                if valid(s) {
                    Ok(Self(s.to_owned()))
                } else {
                    Err($crate::ParseError::new($what, s, $expected))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::ParseError;
            fn try_from(s: String) -> Result<Self, Self::Error> {
                s.parse()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(&self.0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let s = <String as serde::Deserialize>::deserialize(d)?;
                s.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use text_type;

/// `[a-z0-9]` first, then `[a-z0-9<extra>]`, at most `max` bytes.
pub(crate) fn is_slug(s: &str, extra: &[u8], max: usize) -> bool {
    let bytes = s.as_bytes();
    let plain = |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    bytes.len() <= max
        && bytes.first().is_some_and(plain)
        && bytes.iter().all(|b| plain(b) || extra.contains(b))
}
