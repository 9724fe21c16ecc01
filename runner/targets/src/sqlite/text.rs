//! The gate's static part: reads a statement's tokens as SQLite does and refuses what no reviewed
//! query needs. Usable at upload time; no database involved.
//!
//! Not a parser. It exists for three things that the authorizer cannot see: a second statement,
//! parameters other than `$1 … $n`, and joins by `USING` or `NATURAL`, for which SQLite compares
//! columns *without asking the authorizer* (measured: hidden tables and columns could be probed).
//! It reads fewer texts than SQLite, never others: what it does not know it refuses.

use std::collections::BTreeSet;

use crate::TargetError;

/// Bytes of one statement; more than a person reviews.
pub const SQL_BYTES_MAX: usize = 64 << 10;
/// Open parentheses at a time. SQLite's parser stack was 100; its expression depth does not count
/// parentheses.
pub const NESTING_MAX: usize = 64;

/// What the gate found in an acceptable statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reading {
    /// Columns of all `USING (…)` lists, lower case.
    pub(super) using: BTreeSet<String>,
    /// Every identifier, quoted or not, lower case.
    pub(super) names: BTreeSet<String>,
}

/// Refuses a statement that can be refused without a database. `params` is the number of its
/// parameters.
///
/// # Errors
/// [`TargetError::NotAllowed`], [`TargetError::BadParameters`] or [`TargetError::TooBig`].
pub fn gate(sql: &str, params: usize) -> Result<(), TargetError> {
    read(sql, params).map(|_| ())
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    /// A bare word, lower case.
    Word(String),
    /// A quoted identifier, lower case; in single quotes too where SQLite takes one for the other.
    Quoted(String),
    Number,
    Param(usize),
    Punct(u8),
}

pub(super) fn read(sql: &str, params: usize) -> Result<Reading, TargetError> {
    if sql.len() > SQL_BYTES_MAX {
        let capacity = "a statement of at most 64 KiB";
        return Err(TargetError::TooBig { capacity, detail: String::new() });
    }
    let mut tokens = tokens(sql)?;
    while tokens.last() == Some(&Token::Punct(b';')) {
        tokens.pop();
    }
    let allowed = ["select", "with", "values"];
    if !matches!(tokens.first(), Some(Token::Word(w)) if allowed.contains(&w.as_str())) {
        return refuse("a query starts with SELECT, WITH or VALUES");
    }
    check_shape(&tokens, params)?;
    let names = tokens.iter().filter_map(|t| match t {
        Token::Word(w) | Token::Quoted(w) => Some(w.clone()),
        Token::Number | Token::Param(_) | Token::Punct(_) => None,
    });
    Ok(Reading { using: using_columns(&tokens)?, names: names.collect() })
}

fn check_shape(tokens: &[Token], params: usize) -> Result<(), TargetError> {
    let mut depth = 0usize;
    for token in tokens {
        match token {
            Token::Punct(b';') => {
                return refuse("only one statement is allowed; remove what follows `;`");
            }
            Token::Punct(b'(') => depth += 1,
            Token::Punct(b')') => depth = depth.saturating_sub(1),
            Token::Param(n) if *n == 0 || *n > params => {
                let problem =
                    format!("${n} has no entry in the query's params; there are {params}");
                return Err(TargetError::BadParameters { problem });
            }
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Number
            | Token::Param(_)
            | Token::Punct(_) => {}
        }
        if depth > NESTING_MAX {
            let capacity = "at most 64 parentheses inside one another";
            return Err(TargetError::TooBig { capacity, detail: String::new() });
        }
    }
    Ok(())
}

/// The columns of `USING (a, b)`. NATURAL is refused: it compares whatever has the same name.
fn using_columns(tokens: &[Token]) -> Result<BTreeSet<String>, TargetError> {
    let mut columns = BTreeSet::new();
    let mut rest = tokens.iter();
    while let Some(token) = rest.next() {
        match token {
            Token::Word(w) if w == "natural" => {
                return refuse("NATURAL joins are refused; write JOIN … ON a.x = b.x");
            }
            Token::Word(w) if w == "using" => {
                if rest.next() != Some(&Token::Punct(b'(')) {
                    return refuse("USING is followed by a list of columns in parentheses");
                }
                loop {
                    match (rest.next(), rest.next()) {
                        (Some(Token::Word(c) | Token::Quoted(c)), Some(Token::Punct(sep))) => {
                            columns.insert(c.clone());
                            match sep {
                                b',' => {}
                                b')' => break,
                                _ => return refuse("USING takes column names only"),
                            }
                        }
                        _ => return refuse("USING takes column names only"),
                    }
                }
            }
            _ => {}
        }
    }
    Ok(columns)
}

fn refuse<T>(reason: &str) -> Result<T, TargetError> {
    Err(TargetError::not_allowed(reason))
}

fn tokens(sql: &str) -> Result<Vec<Token>, TargetError> {
    if sql.contains(['\0', '\u{feff}']) {
        return refuse("NUL and byte order marks are refused; save the file as plain UTF-8");
    }
    let mut out = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.bytes().next() {
        let (token, len) = token(rest, first)?;
        out.extend(token);
        // Every length ends behind an ASCII byte or at the end of a run of word characters, so it
        // is a character boundary; `get` keeps a mistake here from being a panic.
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(out)
}

/// The token at the start of `rest`, `None` for space and comments, and its length.
fn token(rest: &str, first: u8) -> Result<(Option<Token>, usize), TargetError> {
    let bytes = rest.as_bytes();
    match first {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0c => Ok((None, 1)),
        b'-' if bytes.get(1) == Some(&b'-') => {
            // Only LF ends a comment, as in SQLite.
            Ok((None, rest.find('\n').unwrap_or(rest.len())))
        }
        b'/' if bytes.get(1) == Some(&b'*') => match rest.get(2..).and_then(|r| r.find("*/")) {
            Some(end) => Ok((None, end + 4)),
            None => refuse("a comment is not closed"),
        },
        b'\'' | b'"' | b'`' => {
            let (text, len) = quoted(rest, first)?;
            Ok((Some(Token::Quoted(text)), len))
        }
        b'[' => match rest.find(']') {
            Some(end) => Ok((Some(Token::Quoted(lower(&rest[1..end]))), end + 1)),
            None => refuse("a quoted name is not closed"),
        },
        b'$' => param(rest),
        b'?' | b'@' | b':' | b'#' => refuse("parameters are written $1, $2 …"),
        b'0'..=b'9' => Ok((Some(Token::Number), word_len(rest))),
        c if is_word(c) => {
            let len = word_len(rest);
            Ok((Some(Token::Word(lower(&rest[..len]))), len))
        }
        b'(' | b')' | b',' | b';' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'<'
        | b'>' | b'!' | b'&' | b'|' | b'~' => Ok((Some(Token::Punct(first)), 1)),
        _ => refuse("the text has a character that SQL does not use"),
    }
}

/// A quoted run; the quote doubled stands for itself.
fn quoted(rest: &str, quote: u8) -> Result<(String, usize), TargetError> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at) {
            None => return refuse("a quote is not closed"),
            Some(c) if *c == quote && bytes.get(at + 1) == Some(&quote) => at += 2,
            Some(c) if *c == quote => break,
            Some(_) => at += 1,
        }
    }
    let (one, two) = (char::from(quote).to_string(), char::from(quote).to_string().repeat(2));
    Ok((lower(&rest[1..at].replace(&two, &one)), at + 1))
}

/// `$n`, and nothing glued to it: SQLite reads `$1(…)` and `$1::x` as one long name. `?n` is refused:
/// beside `$n` it would take another parameter's place.
fn param(rest: &str) -> Result<(Option<Token>, usize), TargetError> {
    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
    let glued =
        rest.as_bytes().get(1 + digits).is_some_and(|c| is_word(*c) || matches!(c, b'(' | b':'));
    let canonical = !rest[1..].starts_with('0');
    match rest[1..=digits].parse() {
        Ok(n) if !glued && canonical => Ok((Some(Token::Param(n)), 1 + digits)),
        _ => refuse("parameters are written $1, $2 …"),
    }
}

fn word_len(rest: &str) -> usize {
    rest.bytes().take_while(|c| is_word(*c)).count()
}

fn is_word(c: u8) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$') || c >= 0x80
}

fn lower(s: &str) -> String {
    s.to_ascii_lowercase()
}

#[cfg(test)]
mod tests;
