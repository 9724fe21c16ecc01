//! The way to PostgreSQL's grammar (libpg_query) and back to text. No rules live here.

use std::sync::{Mutex, PoisonError};

use pg_query::protobuf::{ParseResult, RawStmt, ScanToken, SelectStmt};
use pg_query::{Node, NodeEnum};

use super::refusal::{Checked, Denial, What};

/// The library points the process's standard error at a pipe while it parses. Two threads at once
/// could leave it there, so they take turns. (What other threads write to standard error within
/// these microseconds is lost.)
static PARSER: Mutex<()> = Mutex::new(());

/// What is said of a text whose tree the library cannot hand over.
pub(super) const TOO_DEEP: &str = "it is nested too deep";
/// Nodes inside nodes of such a tree; a sub-select in FROM takes four.
pub(super) const TREE_LEVELS_MAX: usize = 100;

/// Characters of the parser's words.
const MESSAGE_CHARS_MAX: usize = 200;

/// Refuses to go on where the library would corrupt memory: it does not survive a failing `pipe`.
/// It needs three descriptors; others may take these in between, so this narrows the gap only.
fn spare_descriptors() -> Result<(), String> {
    let two_pipes = std::io::pipe().and_then(|first| Ok((first, std::io::pipe()?)));
    two_pipes.map(drop).map_err(|error| format!("no file descriptors are left ({error})"))
}

/// The version that the grammar writes into its trees.
const TREE_VERSION: i32 = 180_006;

/// The tokens of a text, comments among them.
pub(super) fn scan(sql: &str) -> Result<Vec<ScanToken>, String> {
    let _turn = PARSER.lock().unwrap_or_else(PoisonError::into_inner);
    spare_descriptors()?;
    match pg_query::scan(sql) {
        Ok(scanned) => Ok(scanned.tokens),
        Err(pg_query::Error::Scan(message)) => Err(shortened(&message)),
        Err(error) => Err(shortened(&error.to_string())),
    }
}

/// The tree of a text.
pub(super) fn parse(sql: &str) -> Result<ParseResult, String> {
    let _turn = PARSER.lock().unwrap_or_else(PoisonError::into_inner);
    spare_descriptors()?;
    match pg_query::parse(sql, 0) {
        Ok(parsed) => Ok(parsed.protobuf),
        Err(pg_query::Error::Parse(message)) => Err(shortened(&message)),
        Err(pg_query::Error::Decode(_)) => Err(TOO_DEEP.to_owned()),
        Err(error) => Err(shortened(&error.to_string())),
    }
}

/// The byte where the parser stopped. It keeps the place to itself, but a text that is cut before it lacks
/// nothing but an end: the first token that makes it fail otherwise is the one.
fn stopped_at(sql: &str) -> Option<usize> {
    let tokens = scan(sql).ok()?;
    let fails_before = |token: &ScanToken| {
        let end = usize::try_from(token.end).unwrap_or(0);
        let cut = sql.get(..end).map(parse);
        matches!(cut, Some(Err(words)) if !words.contains("at end of input"))
    };
    let at = tokens.partition_point(|token| !fails_before(token));
    tokens.get(at).map_or(Some(sql.trim_end().len()), |token| usize::try_from(token.start).ok())
}

/// The byte where the text begins that the lexer's words quote: all that follows an open quote.
pub(super) fn quoted_at(sql: &str, message: &str) -> Option<usize> {
    let (_, near) = message.split_once("at or near \"")?;
    sql.find(near.trim_end_matches(['"', '…']))
}

/// The parser's words; some quote all the rest of the text.
fn shortened(message: &str) -> String {
    match message.char_indices().nth(MESSAGE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message.to_owned(),
    }
}

/// The one statement of a text.
pub(super) fn parse_one(sql: &str) -> Checked<Node> {
    let syntax = |message: String| {
        let at = stopped_at(sql).and_then(|at| i32::try_from(at).ok());
        Denial::new(What::Syntax { message }, at.unwrap_or(-1))
    };
    let ParseResult { version: _, stmts } = parse(sql).map_err(syntax)?;
    let count = stmts.len();
    let mut stmts = stmts.into_iter();
    match (stmts.next(), stmts.next()) {
        (Some(RawStmt { stmt: Some(node), stmt_location: _, stmt_len: _ }), None) => Ok(*node),
        (_, second) => {
            let offset = second.map_or(-1, |s| s.stmt_location);
            Err(Denial::new(What::Statements { count }, offset))
        }
    }
}

/// A SELECT as the tree of a whole text.
pub(super) fn tree(select: SelectStmt) -> ParseResult {
    let node = Node { node: Some(NodeEnum::SelectStmt(Box::new(select))) };
    let statement = RawStmt { stmt: Some(Box::new(node)), stmt_location: 0, stmt_len: 0 };
    ParseResult { version: TREE_VERSION, stmts: vec![statement] }
}

/// The text of a tree.
pub(super) fn deparse(tree: &ParseResult) -> Result<String, String> {
    pg_query::deparse(tree, pg_query::DeparseOptions::default()).map_err(|error| error.to_string())
}
