//! The gate's static part: reads a statement's tokens as SQLite does and refuses what no reviewed
//! query needs. Usable at upload time; no database involved.
//!
//! Not a parser. It exists for three things that the authorizer cannot see: a second statement,
//! parameters other than `$1 … $n`, and joins by `USING` or `NATURAL`, for which SQLite compares
//! columns *without asking the authorizer* (measured: hidden tables could be probed).
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
    /// Whether it has a word that can begin a condition on rows.
    pub(super) has_condition: bool,
    /// The number that it ends with, behind LIMIT.
    pub(super) limit: Option<u64>,
}

/// Words without which no rows are left out.
const CONDITIONS: [&str; 3] = ["on", "using", "where"];

/// A refusal, and the byte of the statement where it is.
type Refused = (TargetError, usize);

/// Refuses a statement that can be refused without a database, and says in which line. `params` is the
/// number of its parameters.
///
/// # Errors
/// [`TargetError::NotAllowed`], [`TargetError::BadParameters`] or [`TargetError::TooBig`].
pub fn gate(sql: &str, params: usize) -> Result<(), TargetError> {
    let syntax = |()| match super::syntax::error(sql) {
        None => Ok(()),
        Some((words, at)) => {
            let reason = format!("SQLite does not read this: {words}");
            Err((TargetError::NotAllowed { reason, detail: String::new() }, at))
        }
    };
    examine(sql, params)
        .map(|_| ())
        .and_then(syntax)
        .map_err(|(error, at)| in_line(error, line_of(sql, at)))
}

/// The line of a byte of a text, from 1.
pub(super) fn line_of(sql: &str, at: usize) -> usize {
    1 + sql.bytes().take(at).filter(|b| *b == b'\n').count()
}

/// The same refusal with its line in front.
fn in_line(error: TargetError, line: usize) -> TargetError {
    match error {
        TargetError::NotAllowed { reason, detail } => {
            TargetError::NotAllowed { reason: format!("line {line}: {reason}"), detail }
        }
        TargetError::BadParameters { problem } => {
            TargetError::BadParameters { problem: format!("line {line}: {problem}") }
        }
        other => other,
    }
}

/// Refuses what is not one expression without parameters and sub-selects: a row filter's text. Answers
/// with every identifier in it, quoted or not, lower case.
pub(super) fn condition(sql: &str) -> Result<BTreeSet<String>, TargetError> {
    let refuse = |reason: &str| Err(TargetError::not_allowed(reason));
    let tokens = tokens(sql).map_err(|(error, _)| error)?;
    check_shape(&tokens, 0).map_err(|(error, _)| error)?;
    let mut depth = 0usize;
    for (token, _) in &tokens {
        match token {
            Token::Punct(b'(') => depth += 1,
            Token::Punct(b')') if depth == 0 => {
                return refuse("it closes a parenthesis that it did not open");
            }
            Token::Punct(b')') => depth -= 1,
            Token::Word(w) if matches!(w.as_str(), "select" | "values" | "with") => {
                return refuse("a row filter has no sub-select; compare the table's own columns");
            }
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Number
            | Token::Param(_)
            | Token::Punct(_) => {}
        }
    }
    match (depth, tokens.is_empty()) {
        (0, false) => Ok(names(&tokens)),
        (_, true) => refuse("it has no condition"),
        _ => refuse("a parenthesis is not closed"),
    }
}

/// Every identifier, quoted or not.
fn names(tokens: &[(Token, usize)]) -> BTreeSet<String> {
    let names = tokens.iter().filter_map(|(t, _)| match t {
        Token::Word(w) | Token::Quoted(w) => Some(w.clone()),
        Token::Number | Token::Param(_) | Token::Punct(_) => None,
    });
    names.collect()
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
    examine(sql, params).map_err(|(error, _)| error)
}

fn examine(sql: &str, params: usize) -> Result<Reading, Refused> {
    if sql.len() > SQL_BYTES_MAX {
        let capacity = "a statement of at most 64 KiB";
        return Err((TargetError::TooBig { capacity, detail: String::new() }, 0));
    }
    let mut tokens = tokens(sql)?;
    while tokens.last().is_some_and(|(token, _)| *token == Token::Punct(b';')) {
        tokens.pop();
    }
    let allowed = ["select", "with", "values"];
    if !matches!(tokens.first(), Some((Token::Word(w), _)) if allowed.contains(&w.as_str())) {
        let at = tokens.first().map_or(0, |(_, at)| *at);
        return refuse("a query starts with SELECT, WITH or VALUES", at);
    }
    check_shape(&tokens, params)?;
    check_forms(sql, &tokens)?;
    let names = names(&tokens);
    let (using, limit) = (using_columns(&tokens)?, last_limit(sql, &tokens));
    let begins = |t: &Token| matches!(t, Token::Word(w) if CONDITIONS.contains(&w.as_str()));
    let has_condition = tokens.iter().any(|(token, _)| begins(token));
    Ok(Reading { using, names, has_condition, limit })
}

/// The number behind a LIMIT that nothing follows, so that it is about the whole statement.
fn last_limit(sql: &str, tokens: &[(Token, usize)]) -> Option<u64> {
    let [.., (Token::Word(word), _), (Token::Number, at)] = tokens else { return None };
    let number = sql.get(*at..)?;
    number.get(..word_len(number))?.parse().ok().filter(|_| word == "limit")
}

fn check_shape(tokens: &[(Token, usize)], params: usize) -> Result<(), Refused> {
    let mut depth = 0usize;
    for (token, at) in tokens {
        match token {
            Token::Punct(b';') => {
                return refuse("only one statement is allowed; remove what follows `;`", *at);
            }
            Token::Punct(b'(') => depth += 1,
            Token::Punct(b')') => depth = depth.saturating_sub(1),
            Token::Param(n) if *n == 0 || *n > params => {
                let problem =
                    format!("${n} has no entry in the query's params; there are {params}");
                return Err((TargetError::BadParameters { problem }, *at));
            }
            Token::Word(_)
            | Token::Quoted(_)
            | Token::Number
            | Token::Param(_)
            | Token::Punct(_) => {}
        }
        if depth > NESTING_MAX {
            let capacity = "at most 64 parentheses inside one another";
            return Err((TargetError::TooBig { capacity, detail: String::new() }, *at));
        }
    }
    Ok(())
}

/// `printf` answers NULL where its value gets too long, and a width makes any value long. So its form is a
/// literal in which numbers have two digits at most.
fn check_forms(sql: &str, tokens: &[(Token, usize)]) -> Result<(), Refused> {
    for (i, (token, at)) in tokens.iter().enumerate() {
        let (Token::Word(name) | Token::Quoted(name)) = token else { continue };
        let next = |n: usize| tokens.get(i + n).map(|(token, at)| (token, *at));
        if !["printf", "format"].contains(&&**name)
            || next(1).is_none_or(|(token, _)| *token != Token::Punct(b'('))
        {
            continue;
        }
        let ends = matches!(next(3), Some((Token::Punct(b',' | b')'), _)));
        match next(2) {
            Some((Token::Quoted(form), at))
                if ends && sql.as_bytes().get(at) == Some(&b'\'') && is_narrow(form) => {}
            _ => {
                let reason =
                    "printf takes a literal such as '%.2f' or '%05d', with widths below 100";
                return refuse(reason, *at);
            }
        }
    }
    Ok(())
}

fn is_narrow(form: &str) -> bool {
    let mut rest = form;
    while let Some((_, after)) = rest.split_once('%') {
        let after = after.trim_start_matches(['-', '+', ' ', '#', ',', '!']);
        let number = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
        let width = number(after);
        let after = &after[width..];
        let (precision, after) = match after.strip_prefix('.') {
            Some(after) => (number(after), &after[number(after)..]),
            None => (0, after),
        };
        let kinds = ['d', 'i', 'u', 'f', 'e', 'g', 'x', 'o', 's', 'c', 'q', 'w', '%'];
        let Some(after) = after.strip_prefix(kinds) else { return false };
        if width > 2 || precision > 2 {
            return false;
        }
        rest = after;
    }
    true
}

/// The columns of `USING (a, b)`. NATURAL is refused: it compares whatever has the same name.
fn using_columns(tokens: &[(Token, usize)]) -> Result<BTreeSet<String>, Refused> {
    let mut columns = BTreeSet::new();
    let mut rest = tokens.iter();
    while let Some((token, at)) = rest.next() {
        let mut next = || rest.next().map(|(token, _)| token);
        match token {
            Token::Word(w) if w == "natural" => {
                return refuse("NATURAL joins are refused; write JOIN … ON a.x = b.x", *at);
            }
            Token::Word(w) if w == "using" => {
                if next() != Some(&Token::Punct(b'(')) {
                    return refuse("USING is followed by a list of columns in parentheses", *at);
                }
                loop {
                    match (next(), next()) {
                        (Some(Token::Word(c) | Token::Quoted(c)), Some(Token::Punct(sep))) => {
                            columns.insert(c.clone());
                            match sep {
                                b',' => {}
                                b')' => break,
                                _ => return refuse("USING takes column names only", *at),
                            }
                        }
                        _ => return refuse("USING takes column names only", *at),
                    }
                }
            }
            _ => {}
        }
    }
    Ok(columns)
}

fn refuse<T>(reason: &str, at: usize) -> Result<T, Refused> {
    Err((TargetError::not_allowed(reason), at))
}

fn tokens(sql: &str) -> Result<Vec<(Token, usize)>, Refused> {
    if let Some(at) = sql.find(['\0', '\u{feff}']) {
        return refuse("NUL and byte order marks are refused; save the file as plain UTF-8", at);
    }
    let mut out = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.bytes().next() {
        let at = sql.len() - rest.len();
        let (token, len) =
            token(rest, first).map_err(|reason| (TargetError::not_allowed(reason), at))?;
        out.extend(token.map(|token| (token, at)));
        // Every length ends behind an ASCII byte or at the end of a run of word characters, so it
        // is a character boundary; `get` keeps a mistake here from being a panic.
        rest = rest.get(len..).unwrap_or_default();
    }
    Ok(out)
}

/// The token at the start of `rest`, `None` for space and comments, and its length.
fn token(rest: &str, first: u8) -> Result<(Option<Token>, usize), &'static str> {
    let bytes = rest.as_bytes();
    match first {
        b' ' | b'\t' | b'\n' | b'\r' | 0x0c => Ok((None, 1)),
        b'-' if bytes.get(1) == Some(&b'-') => {
            // Only LF ends a comment, as in SQLite.
            Ok((None, rest.find('\n').unwrap_or(rest.len())))
        }
        b'/' if bytes.get(1) == Some(&b'*') => match rest.get(2..).and_then(|r| r.find("*/")) {
            Some(end) => Ok((None, end + 4)),
            None => Err("a comment is not closed"),
        },
        b'\'' | b'"' | b'`' => {
            let (text, len) = quoted(rest, first)?;
            Ok((Some(Token::Quoted(text)), len))
        }
        b'[' => match rest.find(']') {
            Some(end) => Ok((Some(Token::Quoted(lower(&rest[1..end]))), end + 1)),
            None => Err("a quoted name is not closed"),
        },
        b'$' => param(rest),
        b'?' | b'@' | b':' | b'#' => Err("parameters are written $1, $2 …"),
        b'0'..=b'9' => Ok((Some(Token::Number), word_len(rest))),
        c if is_word(c) => {
            let len = word_len(rest);
            Ok((Some(Token::Word(lower(&rest[..len]))), len))
        }
        b'(' | b')' | b',' | b';' | b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'=' | b'<'
        | b'>' | b'!' | b'&' | b'|' | b'~' => Ok((Some(Token::Punct(first)), 1)),
        _ => Err("the text has a character that SQL does not use"),
    }
}

/// A quoted run; the quote doubled stands for itself.
fn quoted(rest: &str, quote: u8) -> Result<(String, usize), &'static str> {
    let bytes = rest.as_bytes();
    let mut at = 1;
    loop {
        match bytes.get(at) {
            None => return Err("a quote is not closed"),
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
fn param(rest: &str) -> Result<(Option<Token>, usize), &'static str> {
    let digits = rest[1..].bytes().take_while(u8::is_ascii_digit).count();
    let glued =
        rest.as_bytes().get(1 + digits).is_some_and(|c| is_word(*c) || matches!(c, b'(' | b':'));
    let canonical = !rest[1..].starts_with('0');
    match rest[1..=digits].parse() {
        Ok(n) if !glued && canonical => Ok((Some(Token::Param(n)), 1 + digits)),
        _ => Err("parameters are written $1, $2 …"),
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
