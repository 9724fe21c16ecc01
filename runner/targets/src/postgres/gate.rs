//! The gate for PostgreSQL: which query may be sent, and as which text.
//!
//! A pure function over a reviewed query's text and the target's grant. PostgreSQL's own grammar
//! reads the text; a default-deny walk takes the tree apart, field by field, and builds a new one
//! from what it knows; only the new tree, deparsed, is ever sent. So comments, quoting tricks and
//! whatever the walk did not look at end here.
//!
//! 1. [`tokens`]: size, NUL, nesting, before the parser sees the text;
//! 2. [`parser`]: one statement, as a tree;
//! 3. [`walk`]: the closed grammar. Each reference to a relation becomes a sub-select of exactly
//!    its granted columns, so `*`, predicates, joins and errors see nothing else; functions, types
//!    and operators are on short lists ([`functions`], [`types`], [`operators`]) and are written
//!    with the schema `pg_catalog`; names resolve by PostgreSQL's own rules ([`scope`]);
//! 4. [`mask`] and [`filter`]: in that sub-select a masked column is the mask's expression, and the
//!    row filter stands behind WHERE, fenced by OFFSET 0, so that no condition of the query is
//!    computed on a row that it hides;
//! 5. [`second`]: the text that will be sent is parsed again and checked by other code.
//!
//! [`facts`] tells people what a query that passed comes to; nothing here rests on it.
//!
//! Not here: the session's layers (role, read-only transaction, `search_path`, time), which hold
//! even if the gate fails; costs, of which recursion has no bound but the session's, so that policy
//! has to grant it. The keyword forms `IN (…)`, `BETWEEN`, `IS DISTINCT FROM`, `NULLIF`, `CASE x WHEN`,
//! `USING` and what UNION compares name no operator in their syntax; they mean `pg_catalog`'s by the session's pinned `search_path`. A column whose type comes from an
//! extension (`citext`) is compared by `pg_catalog`'s operators, hence as text. A sub-select has no
//! primary key, so GROUP BY names every column that is selected. A row compared with a row uses the
//! default order of its columns' types.

mod build;
mod facts;
mod filter;
mod functions;
mod grant;
mod mask;
mod operators;
mod parser;
mod passed;
mod refusal;
mod scope;
mod second;
mod tokens;
mod types;
mod walk;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use domain::ParamType;
use domain::mask::HashClass;
use pg_query::protobuf::{LimitOption, ResTarget, SelectStmt, SetOperation};
use pg_query::{Node, NodeEnum};

pub use facts::{Chosen, Facts, How, Output, Rows, Source, Use};
pub use filter::Filter;
pub use functions::is_function;
pub use grant::{Grant, Hidden, Relation};
pub use mask::Mask;
pub use passed::Passed;
pub use refusal::{Position, Refusal, What};

/// Bytes of a query's text; more than a person reviews.
pub const SQL_BYTES_MAX: usize = 64 << 10;
/// Parentheses, brackets and CASEs open at a time. The parser's own tree format ends near 45.
pub const NESTING_MAX: usize = 32;
/// Nodes of the tree that is sent: names, expressions, and each column that `*` or a relation
/// stands for.
pub const NODES_MAX: usize = 20_000;
/// Bytes of the text that is sent; with the schema names and columns it is longer than the query's.
pub const SENT_BYTES_MAX: usize = 1 << 20;

/// Stack for one query. Decoding the parser's tree takes tens of kilobytes a level in a development
/// build: a tree of the deepest allowed nesting overflowed the 2 MiB that threads usually have.
const STACK_BYTES: usize = 16 << 20;

/// A query that may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gated {
    /// The text to send, deparsed from the checked tree; never the script's text.
    pub sql: String,
    /// Names of the result's columns. Those without a name have PostgreSQL's `?column?`.
    pub columns: Vec<String>,
    /// The highest `n` of the `$n` that it uses, 0 for none.
    pub params: u32,
    /// The relations that it names, each with those of its granted columns whose names occur in the
    /// query. A name that belongs to two relations counts for both.
    pub reads: Vec<Relation>,
    /// The functions of `pg_catalog` that it calls by name, and those that the masks and row filters of
    /// `reads` call.
    pub calls: BTreeSet<String>,
    /// The classes whose two keys are bound behind the query's own parameters, in this order: first
    /// the key of the inner hash, then that of the outer one.
    pub keys: Vec<HashClass>,
}

impl Gated {
    /// The functions that it calls by name, and those that masks and row filters on what it reads call.
    #[must_use]
    pub fn all_calls(&self) -> BTreeSet<String> {
        let hidden = self.reads.iter().flat_map(Relation::calls);
        self.calls.iter().cloned().chain(hidden).collect()
    }
}

/// Checks one query and rewrites it. `$n` is the n-th of `params`, whose types the session declares
/// when it prepares the statement.
///
/// Deterministic, without IO; it works on a thread of its own, and neither panics nor blocks for
/// long on any text. A refusal says what, where, and what would help.
///
/// # Errors
/// [`Refusal`]: the query is not in the grammar, or reads what is not granted. Also when the grant
/// itself cannot be used.
pub fn gate(sql: &str, params: &[ParamType], grant: &Grant) -> Result<Gated, Refusal> {
    on_its_own_stack(|| steps(sql, params, grant))
}

/// The names of all functions that queries and masks may call.
pub(crate) fn callable() -> impl Iterator<Item = &'static str> {
    let masks = ["convert_to", "encode", "getdatabaseencoding", "sha256"];
    let more = masks.into_iter().filter(|name| !functions::is_function(name));
    functions::names().chain(more)
}

/// What stands in the place of `column`, as text; not for a keyed hash, which needs a statement's keys.
pub(crate) fn mask_sql(mask: &Mask, column: &str) -> Result<String, Refusal> {
    let target =
        ResTarget { val: Some(Box::new(mask.expression(column, |_| 0))), ..ResTarget::default() };
    let target_list = vec![Node { node: Some(NodeEnum::ResTarget(Box::new(target))) }];
    text_of(SelectStmt { target_list, ..bare() }, "SELECT ")
}

/// A row filter as text.
pub(crate) fn filter_sql(filter: &Filter) -> Result<String, Refusal> {
    let where_clause = Some(Box::new(filter.node().clone()));
    text_of(SelectStmt { where_clause, ..bare() }, "SELECT WHERE ")
}

/// A SELECT of nothing, as the parser has it.
fn bare() -> SelectStmt {
    SelectStmt {
        limit_option: LimitOption::Default as i32,
        op: SetOperation::SetopNone as i32,
        ..SelectStmt::default()
    }
}

/// The text of a SELECT behind its first words.
fn text_of(select: SelectStmt, words: &str) -> Result<String, Refusal> {
    on_its_own_stack(|| {
        let failed = |problem| Refusal { what: What::Failed { problem }, position: None };
        let text = parser::deparse(&parser::tree(select)).map_err(failed)?;
        let rest = text.strip_prefix(words).map(str::to_owned);
        rest.ok_or_else(|| failed(format!("it has no text of the form {words}…")))
    })
}

/// Does `work` on a thread with room for the deepest tree.
fn on_its_own_stack<T: Send>(
    work: impl FnOnce() -> Result<T, Refusal> + Send,
) -> Result<T, Refusal> {
    let failed = |problem: &str| {
        let what = What::Failed { problem: problem.to_owned() };
        Refusal { what, position: None }
    };
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("gate".to_owned()).stack_size(STACK_BYTES);
        let work = thread.spawn_scoped(scope, work);
        let work = work.map_err(|error| failed(&error.to_string()))?;
        work.join().unwrap_or_else(|_| Err(failed("a defect, which the log shows")))
    })
}

/// The gate's steps, in order.
fn steps(sql: &str, params: &[ParamType], grant: &Grant) -> Result<Gated, Refusal> {
    let refuse = |denial: refusal::Denial| denial.at(sql);
    tokens::check(sql).map_err(refuse)?;
    grant.check().map_err(refuse)?;
    let statement = parser::parse_one(sql).map_err(refuse)?;
    let walk = walk::Walk::new(grant, params.len());
    let walked = walk.statement(statement).map_err(refuse)?;
    let walk::Walked { select, columns, params: used, reads, calls, is_hashed } = walked;
    let disagree = |problem| Refusal { what: What::Disagreement { problem }, position: None };
    let tree = parser::tree(select);
    let text = parser::deparse(&tree).map_err(disagree)?;
    if text.len() > SENT_BYTES_MAX {
        let what = What::TooLarge { of: "bytes when rewritten", max: SENT_BYTES_MAX };
        return Err(Refusal { what, position: None });
    }
    second::check(&text, &tree, grant, params.len()).map_err(|problem| {
        // What is sent is deeper than what was read: relations are sub-selects, masks expressions.
        if problem.ends_with(parser::TOO_DEEP) {
            let what = What::TooLarge { of: "levels when rewritten", max: parser::TREE_LEVELS_MAX };
            return Refusal { what, position: None };
        }
        disagree(problem)
    })?;
    let keys = if is_hashed { grant.classes() } else { Vec::new() };
    Ok(Gated { sql: text, columns, params: used, reads, calls, keys })
}
