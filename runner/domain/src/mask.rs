//! Masks: what policy puts in a column's place before anybody sees it.
//!
//! Only the vocabulary, with the bounds of its parameters. How an engine computes a mask is its
//! connector's business (crate `targets`); who may see the raw value is the algebra's
//! ([`crate::capability`]).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::text::{is_slug, text_type};

/// Characters that [`Mask::Partial`] keeps at either end, at most.
pub const KEEP_MAX: u64 = 8;
/// A value shows its ends under [`Mask::Partial`] only if it is this many times as long as what is
/// shown: at most half of it.
pub const PARTIAL_TIMES: u64 = 2;
/// The narrowest [`Mask::Bucket`]: one of 1 would show whole numbers as they are.
pub const WIDTH_MIN: u64 = 2;
/// The widest: the largest integer of a signed document.
pub const WIDTH_MAX: u64 = (1 << 53) - 1;

text_type!(
    /// Hashed columns of one class are equal where their values are; those of two classes never are.
    HashClass, "hash class", "1 to 32 characters of a-z 0-9 -, first a letter or digit",
    |s| is_slug(s, b"-", 32)
);
text_type!(
    /// A column of a target in one text: the table as policy names it, a dot, the column.
    ColumnPath, "column", "table.column, or schema.table.column, at most 200 bytes",
    |s| s.len() <= 200
        && !s.chars().any(char::is_control)
        && s.rsplit_once('.').is_some_and(|(table, column)| !table.is_empty() && !column.is_empty())
);

impl ColumnPath {
    /// The path of a column.
    ///
    /// # Errors
    /// When the column's name has a dot, so that the path could mean another column, or the names are
    /// empty or too long.
    pub fn of(table: &str, column: &str) -> Result<Self, crate::ParseError> {
        let path = format!("{table}.{column}");
        if column.contains('.') {
            let expected = "a column whose name has no dot";
            return Err(crate::ParseError::new("column", &path, expected));
        }
        path.parse()
    }
}

/// What stands in a column's place. NULL stays NULL under each of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Mask {
    /// NULL, of the column's type.
    Null,
    /// A fixed text.
    Full,
    /// The ends of a text, if it is long enough that they are at most half of it.
    Partial {
        /// Characters that are kept at the start.
        keep_first: u64,
        /// Characters that are kept at the end.
        keep_last: u64,
    },
    /// The first character and the domain of an e-mail address.
    Email,
    /// A hash under a key of the run's grant: equal values of one class are equal within a grant.
    KeyedHash {
        /// Which columns it can be compared with.
        class: HashClass,
    },
    /// A number rounded down to a multiple.
    Bucket {
        /// Of which.
        width: u64,
    },
    /// A date or moment cut down to the start of its unit.
    DateTruncate {
        /// Of which.
        unit: DateUnit,
    },
}

/// What [`Mask::DateTruncate`] cuts to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateUnit {
    /// The hour.
    Hour,
    /// The day.
    Day,
    /// The week, which starts on Monday.
    Week,
    /// The month.
    Month,
    /// The quarter.
    Quarter,
    /// The year.
    Year,
}

impl DateUnit {
    /// Its name, as signed documents write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// A mask whose parameters hide nothing, or cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MaskError {
    /// Too many characters, or none.
    #[error(
        "keeps {keep_first} and {keep_last} characters; expected 0 to {KEEP_MAX} each and one at \
         least, or the kind `full`"
    )]
    Keep {
        /// At the start.
        keep_first: u64,
        /// At the end.
        keep_last: u64,
    },
    /// A width that shows the number, or is no number of a document.
    #[error("has the width {0}; expected {WIDTH_MIN} to {WIDTH_MAX}")]
    Width(u64),
}

impl Mask {
    /// Its kind, as signed documents write it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Full => "full",
            Self::Partial { .. } => "partial",
            Self::Email => "email",
            Self::KeyedHash { .. } => "keyed-hash",
            Self::Bucket { .. } => "bucket",
            Self::DateTruncate { .. } => "date-truncate",
        }
    }

    /// Checks the parameters.
    ///
    /// # Errors
    /// What is out of range, and the range.
    pub fn check(&self) -> Result<(), MaskError> {
        match *self {
            Self::Partial { keep_first, keep_last } => {
                let fits = keep_first <= KEEP_MAX && keep_last <= KEEP_MAX;
                match fits && keep_first + keep_last > 0 {
                    true => Ok(()),
                    false => Err(MaskError::Keep { keep_first, keep_last }),
                }
            }
            Self::Bucket { width } if !(WIDTH_MIN..=WIDTH_MAX).contains(&width) => {
                Err(MaskError::Width(width))
            }
            Self::Null
            | Self::Full
            | Self::Email
            | Self::KeyedHash { .. }
            | Self::Bucket { .. }
            | Self::DateTruncate { .. } => Ok(()),
        }
    }
}

/// What a reader sees instead, in words.
impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("always NULL"),
            Self::Full => f.write_str("hidden"),
            Self::Partial { keep_first, keep_last: 0 } => {
                write!(f, "its first {keep_first} characters, of long values")
            }
            Self::Partial { keep_first: 0, keep_last } => {
                write!(f, "its last {keep_last} characters, of long values")
            }
            Self::Partial { keep_first, keep_last } => {
                write!(f, "its first {keep_first} and last {keep_last} characters, of long values")
            }
            Self::Email => f.write_str("first letter and domain of an e-mail address"),
            Self::KeyedHash { class } => write!(f, "a keyed hash of the class {class}"),
            Self::Bucket { width } => write!(f, "rounded down to multiples of {width}"),
            Self::DateTruncate { unit } => write!(f, "cut down to the {}", unit.as_str()),
        }
    }
}

#[cfg(test)]
mod tests;
