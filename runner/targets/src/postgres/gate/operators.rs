//! The operators that queries may use, all in `pg_catalog`.
//!
//! Not here: geometry. Those of regular expressions cost what text and pattern decide, and the
//! server interrupts them.

/// Comparisons.
const COMPARISONS: &[&str] = &["=", "<>", "<", "<=", ">", ">="];
/// What LIKE, ILIKE, SIMILAR TO and their negations mean, and regular expressions.
const PATTERNS: &[&str] = &["~~", "!~~", "~~*", "!~~*", "~", "!~", "~*", "!~*", "^@"];
/// Numbers, times, bits.
const ARITHMETIC: &[&str] = &["+", "-", "*", "/", "%", "^", "&", "|", "#"];
/// Joining text, arrays, json, ranges and text search.
const JOINING: &[&str] = &["||"];
/// Looking into json, arrays, ranges and networks.
const CONTENTS: &[&str] = &[
    "->", "->>", "#>", "#>>", "#-", "@>", "<@", "&&", "?", "?|", "?&", "@?", "@@", "<<", ">>",
    "&<", "&>", "-|-", "<<=", ">>=",
];

/// Whether the operator of this name may stand between operands.
pub(super) fn is_allowed(name: &str) -> bool {
    [COMPARISONS, PATTERNS, ARITHMETIC, JOINING, CONTENTS].iter().any(|names| names.contains(&name))
}

/// Whether it may stand before ANY or ALL.
pub(super) fn is_comparison(name: &str) -> bool {
    COMPARISONS.contains(&name) || PATTERNS.contains(&name)
}
