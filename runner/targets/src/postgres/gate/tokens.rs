//! What is refused before the parser sees the text, from its tokens alone.
//!
//! Not a parser, and no part of deciding what a query reads: it keeps hostile texts from hurting
//! the process. The tokens come from PostgreSQL's own lexer, which does not recurse.

use pg_query::protobuf::{ScanToken, Token};

use super::refusal::{Checked, Denial, What};
use super::{NESTING_MAX, SQL_BYTES_MAX, parser};

/// Operator signs without anything between them; comments have rulers of them.
const OPERATOR_RUN_MAX: usize = 256;

/// Refuses a text that is too large, holds a NUL, nests too deep, or limits one query twice.
pub(super) fn check(sql: &str) -> Checked<()> {
    if sql.len() > SQL_BYTES_MAX {
        let what = What::TooLarge { of: "bytes", max: SQL_BYTES_MAX };
        return Err(Denial::nowhere(what));
    }
    if let Some(offset) = sql.find('\0') {
        let what = What::Syntax { message: "a NUL character".to_owned() };
        return Err(Denial::new(what, i32::try_from(offset).unwrap_or(-1)));
    }
    check_operator_runs(sql)?;
    let scanned = parser::scan(sql).map_err(|message| {
        let at = parser::quoted_at(sql, &message).and_then(|at| i32::try_from(at).ok());
        Denial::new(What::Syntax { message }, at.unwrap_or(-1))
    })?;
    let tokens = scanned
        .iter()
        .map(|t| (t.token(), t))
        .filter(|(token, _)| !matches!(token, Token::SqlComment | Token::CComment));
    let names_before_queries = scanned
        .iter()
        .map(ScanToken::token)
        .any(|token| matches!(token, Token::Insert | Token::Search | Token::Cycle));
    let mut nesting =
        Nesting { here: Level::default(), around: Vec::new(), before: None, names_before_queries };
    tokens.into_iter().try_for_each(|(token, at)| nesting.token(token, at))
}

/// The lexer reads a run of operator signs again for each comment that opens in it: 60,000 bytes of
/// `/*/*` took five seconds.
fn check_operator_runs(sql: &str) -> Checked<()> {
    let mut run = 0;
    for (offset, byte) in sql.bytes().enumerate() {
        run = if b"~!@#^&|`?+-*/%<>=".contains(&byte) { run + 1 } else { 0 };
        if run > OPERATOR_RUN_MAX {
            let what = What::TooLarge { of: "operator signs in a row", max: OPERATOR_RUN_MAX };
            return Err(Denial::new(what, i32::try_from(offset).unwrap_or(-1)));
        }
    }
    Ok(())
}

/// The text itself, or an open parenthesis, bracket or CASE in it.
#[derive(Default)]
struct Level {
    /// By what precedes it, it can be a query of its own with options behind it.
    stands_alone: bool,
    /// A LIMIT, OFFSET or FETCH is in it.
    limited: bool,
    /// A query of its own with a LIMIT, OFFSET or FETCH was closed in it, and no SELECT followed.
    limited_query: bool,
}

struct Nesting {
    /// The innermost level, and those around it.
    here: Level,
    around: Vec<Level>,
    before: Option<Token>,
    /// The text has words that let a query of its own follow a name: `INSERT INTO t (SELECT …)`.
    names_before_queries: bool,
}

impl Nesting {
    fn token(&mut self, token: Token, at: &ScanToken) -> Checked<()> {
        let before = self.before.replace(token);
        match token {
            Token::Ascii40 | Token::Ascii91 | Token::Case => {
                if self.around.len() >= NESTING_MAX {
                    let what = What::TooLarge { of: "levels of nesting", max: NESTING_MAX };
                    return Err(Denial::new(what, at.start));
                }
                let level = Level { stands_alone: self.stands_alone(before), ..Level::default() };
                self.around.push(std::mem::replace(&mut self.here, level));
            }
            Token::Ascii41 | Token::Ascii93 | Token::EndP => {
                let around = self.around.pop().unwrap_or_default();
                let closed = std::mem::replace(&mut self.here, around);
                // `((SELECT … LIMIT 1))`: the outer parentheses hold the same query.
                let limited = closed.limited || closed.limited_query;
                self.here.limited_query |= closed.stands_alone && limited;
            }
            Token::Select | Token::Table => self.here.limited_query = false,
            Token::Limit | Token::Offset | Token::Fetch => {
                // libpg_query, built for debugging, aborts the process on `(… LIMIT 1) OFFSET 1`.
                if self.here.limited_query {
                    let what = What::NotSupported {
                        what: "a second LIMIT or OFFSET behind a query in parentheses".to_owned(),
                        help: "write both inside the parentheses",
                    };
                    return Err(Denial::new(what, at.start));
                }
                self.here.limited = true;
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether a parenthesis after this token can be a query with options of its own behind it.
    /// After the tokens listed here it is an expression, a FROM item or a call's arguments, so what
    /// follows belongs to the query around it.
    fn stands_alone(&self, before: Option<Token>) -> bool {
        match before {
            None => true,
            Some(Token::Ident | Token::Uident) => self.names_before_queries,
            Some(token) => !BEFORE_EXPRESSIONS.contains(&token),
        }
    }
}

const BEFORE_EXPRESSIONS: &[Token] = &[
    Token::Select,
    Token::From,
    Token::Where,
    Token::On,
    Token::Having,
    Token::By,
    Token::Join,
    Token::LateralP,
    Token::InP,
    Token::Exists,
    Token::Any,
    Token::Some,
    Token::Array,
    Token::And,
    Token::Or,
    Token::Not,
    Token::Between,
    Token::Like,
    Token::Ilike,
    Token::Case,
    Token::When,
    Token::Then,
    Token::Else,
    Token::Limit,
    Token::Offset,
    Token::Coalesce,
    Token::Greatest,
    Token::Least,
    Token::Nullif,
    Token::Left,
    Token::Right,
    Token::Ascii37,
    Token::Ascii42,
    Token::Ascii43,
    Token::Ascii44,
    Token::Ascii45,
    Token::Ascii47,
    Token::Ascii60,
    Token::Ascii61,
    Token::Ascii62,
    Token::Ascii91,
    Token::Op,
    Token::LessEquals,
    Token::GreaterEquals,
    Token::NotEquals,
];
