//! Why a query is refused, and where in the script's text.
//!
//! The texts quote the query's own names, never data. They are for authors and reviewers; whoever
//! prints them neutralises them like any foreign string.

/// A place in the script's text; both count from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}")]
pub struct Position {
    /// Lines end at LF.
    pub line: usize,
    /// Characters from the line's start.
    pub column: usize,
}

/// A query that is not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{what}", .position.map_or_else(String::new, |at| format!("{at}: ")))]
pub struct Refusal {
    /// What is refused and what would help.
    pub what: What,
    /// Where; `None` for what has no place.
    pub position: Option<Position>,
}

/// What is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum What {
    /// PostgreSQL has it, the gate's grammar does not.
    #[error("{what} is not supported yet; {help}")]
    NotSupported {
        /// The construct, function, type or operator.
        what: String,
        /// What to write instead.
        help: &'static str,
    },
    /// A relation outside the grant. One that does not exist gives the same answer.
    #[error(
        "relation {name} is not granted on this target; use one that its policy lists, or ask for it there"
    )]
    Relation {
        /// As written.
        name: String,
    },
    /// A name that more than one granted relation has.
    #[error("relation {name} is granted in more than one schema; write schema.{name}")]
    AmbiguousRelation {
        /// As written.
        name: String,
    },
    /// A name that is no column here. One that exists but is not granted gives the same answer.
    #[error(
        "{name} is not a column that is granted or made here; use a granted column, or name it with AS"
    )]
    Column {
        /// As written.
        name: String,
    },
    /// A column that policy denies by name.
    #[error("policy denies the column {name} of {relation}; no query reads it, so leave it out")]
    Denied {
        /// As written.
        name: String,
        /// Whose column it is.
        relation: String,
    },
    /// A `table.column` whose table is not in this FROM.
    #[error("{name} is not a table or alias of this FROM; write the alias, or add it to FROM")]
    Table {
        /// As written.
        name: String,
    },
    /// WITH RECURSIVE where policy does not let queries recurse.
    #[error(
        "policy does not let queries of this target recurse; use joins, or ask for `recursion = true` there"
    )]
    Recursion,
    /// A name that two things would have.
    #[error("the name {name} is used twice; give one of them another alias")]
    NameTaken {
        /// The name.
        name: String,
    },
    /// A `$n` that the manifest does not declare.
    #[error("${number} is not a parameter of this query, which has {count}; declare it in params")]
    Parameter {
        /// The n.
        number: i32,
        /// How many are declared.
        count: usize,
    },
    /// More than the gate reads.
    #[error("the query has more than {max} {of}; split it")]
    TooLarge {
        /// What is counted.
        of: &'static str,
        /// How many are allowed.
        max: usize,
    },
    /// Not one statement.
    #[error("a query is exactly one SELECT, and this text has {count} statements")]
    Statements {
        /// How many there are.
        count: usize,
    },
    /// Not SQL.
    #[error("PostgreSQL's parser does not read this: {message}")]
    Syntax {
        /// The parser's words.
        message: String,
    },
    /// The policy's part is wrong.
    #[error("the target's grant cannot be used: {problem}; correct the policy")]
    Grant {
        /// Which relation and why.
        problem: String,
    },
    /// The gate itself could not do its work.
    #[error("the gate could not check the query: {problem}; try again")]
    Failed {
        /// Why.
        problem: String,
    },
    /// The two passes see different things. A defect of the gate, so nothing is sent.
    #[error(
        "the gate's second check does not confirm the first: {problem}; write the query differently and report this"
    )]
    Disagreement {
        /// What the second pass says.
        problem: String,
    },
}

/// A [`Refusal`] whose place is still a byte offset.
#[derive(Debug)]
pub(super) struct Denial {
    what: What,
    offset: Option<usize>,
}

/// The result of each step of the gate.
pub(super) type Checked<T> = Result<T, Denial>;

impl Denial {
    /// `offset`: bytes from the start of the text, negative for unknown, as in the parser's trees.
    pub(super) fn new(what: What, offset: i32) -> Self {
        Self { what, offset: usize::try_from(offset).ok() }
    }

    pub(super) fn nowhere(what: What) -> Self {
        Self { what, offset: None }
    }

    pub(super) fn at(self, sql: &str) -> Refusal {
        let Self { what, offset } = self;
        Refusal { what, position: offset.map(|offset| position(sql, offset)) }
    }
}

fn position(sql: &str, offset: usize) -> Position {
    let before = String::from_utf8_lossy(&sql.as_bytes()[..offset.min(sql.len())]).into_owned();
    let line_start = before.rfind('\n').map_or(0, |lf| lf + 1);
    Position {
        line: before.matches('\n').count() + 1,
        column: before[line_start..].chars().count() + 1,
    }
}
