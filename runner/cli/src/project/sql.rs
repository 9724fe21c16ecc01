//! Which parameters a query's text uses. Not a gate: an author's mistake, which costs a run at most.

use std::collections::BTreeSet;

/// The n of every `$n` outside comments and quotes.
pub(super) fn parameters(sql: &str) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let after = &rest[first.len_utf8()..];
        rest = match first {
            '-' if after.starts_with('-') => behind(after, "\n"),
            '/' if after.starts_with('*') => behind(&after[1..], "*/"),
            // A doubled quote ends one quoted text and begins the next.
            '\'' | '"' => behind(after, &first.to_string()),
            '$' => {
                let digits = after.bytes().take_while(u8::is_ascii_digit).count();
                found.extend(after[..digits].parse::<usize>());
                &after[digits..]
            }
            _ => after,
        };
    }
    found
}

fn behind<'t>(text: &'t str, end: &str) -> &'t str {
    text.split_once(end).map_or("", |(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_comments_and_quotes_is_no_parameter() {
        let sql =
            "-- since $1\nSELECT '$2', \"$3\", 'it''s $4' /* $5 */ FROM t WHERE a > $6 AND b = $12";
        assert_eq!(parameters(sql), [6, 12].into());
        assert_eq!(parameters("SELECT 1 -- open $1"), [].into());
        assert_eq!(parameters("SELECT 'open $1"), [].into());
    }
}
