//! The operators that queries may use, all in `pg_catalog`.
//!
//! Not here: regular expressions (`~`, `!~` …), whose cost the text decides; powers (`^`), whose
//! result can be much larger than its arguments; text search and geometry.

/// Comparisons.
const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];
/// What LIKE, ILIKE and their negations mean.
const LIKES: &[&str] = &["~~", "!~~", "~~*", "!~~*"];
/// Numbers, times, bits.
const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "%", "&", "|"];
/// Joining text, arrays and json.
const JOINING: &[&str] = &["||"];
/// Looking into json, arrays and ranges.
const CONTENTS: &[&str] = &["->", "->>", "#>", "#>>", "@>", "<@", "&&", "?", "?|", "?&"];

/// Whether the operator of this name may stand between operands.
pub(super) fn is_allowed(name: &str) -> bool {
    [COMPARISONS, LIKES, ARITHMETIC, JOINING, CONTENTS].iter().any(|names| names.contains(&name))
}

/// Whether it may stand before ANY or ALL.
pub(super) fn is_comparison(name: &str) -> bool {
    COMPARISONS.contains(&name) || LIKES.contains(&name)
}
